/*
 * ctl_farm: who runs the installation, and a registry that lives in a file.
 *
 *     tenant operator:    ask -> the row
 *     comfy apply:        file -> ask -> the rows; refused when one was
 */

#include <string.h>

#include "podi_json.h"
#include "ctl.h"
#include "banned.h"


#define FARM_FILE_MAX  (16 * 1024 * 1024)


static podi_rc_t operator_ask(podi_flow_t *f, void *ctx);
static podi_rc_t farm_ask(podi_flow_t *f, void *ctx);
static podi_rc_t farm_told(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_tenant_operator_steps[] = {
    { "setting who runs the installation", operator_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_farm_steps[] = {
    { "applying the file", farm_ask, 0 },
    { "telling", farm_told, 0 },
    podi_null_step
};


static podi_rc_t
operator_ask(podi_flow_t *f, void *ctx)
{
    int              on;
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    on = strcmp(ctl->values[1], "on") == 0;

    if (!on && strcmp(ctl->values[1], "off") != 0) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "state",
                         "write on or off");
    }

    podi_pg_call_init(&call, PODI_SQL_TENANT_OPERATOR, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_bool(&call, on);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
farm_ask(podi_flow_t *f, void *ctx)
{
    ctl_t              *ctl = ctx;
    json_t             *object;
    podi_str_t          text;
    podi_pg_call_t      call;
    podi_json_limit_t   limit = { FARM_FILE_MAX, 0 };

    if (ctl_read_file(f, ctl->values[0], FARM_FILE_MAX, &text) != PODI_OK
        || podi_json_parse(&text, &limit, f->mem, &object, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (!json_is_object(object)) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "file",
                         "write a JSON object");
    }

    podi_pg_call_init(&call, PODI_SQL_COMFY_APPLY, f->mem);
    podi_arg_str(&call, &text);
    podi_arg_bool(&call, ctl->values[1][0] != '\0');

    return podi_pg_call(ctl->pg, f, &call);
}


/* what could not be published is no success: it is applied once more later */

static podi_rc_t
farm_told(podi_flow_t *f, void *ctx)
{
    int          row;
    ctl_t       *ctl = ctx;
    podi_str_t   change;

    for (row = 0; row < podi_rows(f->result); row++) {
        change = podi_row_str(f->result, row, "change");

        if (podi_str_eq_c(&change, "refused")) {
            ctl->code = CTL_REFUSED;
        }
    }

    return ctl_tell_rows(f, ctx);
}
