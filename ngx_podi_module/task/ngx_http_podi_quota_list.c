/*
 * GET /v1/quotas: the budgets that hold for the caller, and what is used.
 *
 *     read (PG) -> reply
 */

#include "ngx_http_podi_task.h"


#define QUOTA_LIST_MAX  100


typedef struct {
    ngx_http_request_t  *request;
} quota_list_t;


static podi_rc_t quota_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t quota_list_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  quota_list_steps[] = {
    { "reading the budgets", quota_list_read,  0 },
    { "replying",            quota_list_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_quota_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, quota_list_steps, sizeof(quota_list_t));
}


static podi_rc_t
quota_list_read(podi_flow_t *f, void *ctx)
{
    quota_list_t    *q = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(q->request, &call, PODI_SQL_QUOTA_LIST);

    return ngx_podi_pg_call(f, q->request, &call);
}


static podi_rc_t
quota_list_reply(podi_flow_t *f, void *ctx)
{
    quota_list_t  *q = ctx;

    return ngx_podi_reply_rows(f, q->request, f->result, QUOTA_LIST_MAX,
                               "meter", NULL);
}
