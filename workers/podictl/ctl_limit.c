/*
 * ctl_limit: what is put over the rates of nginx.conf.
 *
 *     limit set, limit list:    ask -> the rows
 */

#include <string.h>

#include "ctl.h"
#include "banned.h"


static podi_rc_t limit_set_ask(podi_flow_t *f, void *ctx);
static podi_rc_t limit_list_ask(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_limit_set_steps[] = {
    { "setting the rate", limit_set_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_limit_list_steps[] = {
    { "listing the rates", limit_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
limit_set_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    const char      *terms = ctl->values[3], *tenant = ctl->values[4];
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_LIMIT_PUT, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);
    podi_arg_c(&call, ctl->values[5]);
    podi_arg_c(&call, tenant[0] != '\0' ? tenant : NULL);
    podi_arg_c(&call, ctl->values[2]);
    podi_arg_c(&call, strcmp(terms, "none") != 0 ? terms : NULL);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
limit_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_LIMIT_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}
