/*
 * ctl_quota: budgets of tenants and users, and when their days begin.
 *
 *     quota put, quota list, tenant zone:    ask -> the rows
 */

#include <string.h>

#include "ctl.h"
#include "banned.h"


static podi_rc_t quota_put_ask(podi_flow_t *f, void *ctx);
static podi_rc_t quota_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t zone_ask(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_quota_put_steps[] = {
    { "putting the budget", quota_put_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_quota_list_steps[] = {
    { "listing the budgets", quota_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_zone_steps[] = {
    { "setting the time zone", zone_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
quota_put_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          most = 0;
    podi_str_t       text;
    podi_pg_call_t   call;

    text = podi_str_c(ctl->values[2]);

    if (strcmp(ctl->values[2], "none") != 0
        && podi_str_to_int64(&text, &most) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "most",
                         "write a whole number, or none");
    }

    podi_pg_call_init(&call, PODI_SQL_QUOTA_PUT, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[4][0] != '\0' ? ctl->values[4] : NULL);
    podi_arg_c(&call, ctl->values[1]);
    podi_arg_c(&call, ctl->values[3]);

    if (strcmp(ctl->values[2], "none") == 0) {
        podi_arg_null(&call);

    } else {
        podi_arg_int64(&call, most);
    }

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
quota_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_QUOTA_TENANT, f->mem);
    podi_arg_c(&call, ctl->values[0]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
zone_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_TENANT_ZONE, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);

    return podi_pg_call(ctl->pg, f, &call);
}
