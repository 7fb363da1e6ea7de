/*
 * ctl_price: what work costs, and what a tenant may.
 *
 *     price put, plan put:    a JSON file -> put -> the row
 *     price list, plan list:  a JSON object each
 *     tenant plan:            from now on the tenant has this plan
 */

#include "ctl.h"
#include "banned.h"


static podi_rc_t price_ask(podi_flow_t *f, void *ctx);
static podi_rc_t price_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t plan_ask(podi_flow_t *f, void *ctx);
static podi_rc_t plan_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t tenant_plan_ask(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_price_steps[] = {
    { "putting the price", price_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_price_list_steps[] = {
    { "listing the prices", price_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_plan_steps[] = {
    { "putting the plan", plan_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_plan_list_steps[] = {
    { "listing the plans", plan_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_tenant_plan_steps[] = {
    { "giving the plan", tenant_plan_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
price_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_PRICE_PUT);
}


static podi_rc_t
price_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_PRICE_LIST, f->mem);
    podi_arg_c(&call, ctl->values[0][0] != '\0' ? ctl->values[0] : NULL);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
plan_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_PLAN_PUT);
}


static podi_rc_t
plan_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_PLAN_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
tenant_plan_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_TENANT_PLAN, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);

    return podi_pg_call(ctl->pg, f, &call);
}
