/*
 * GET /v1/actions: what can be ordered, with parameters, labels and prices.
 *
 *     read (PG) -> reply
 */

#include "ngx_http_podi_task.h"


#define ACTION_LIST_MAX  1000


typedef struct {
    ngx_http_request_t  *request;
} action_list_t;


static podi_rc_t action_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t action_list_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  action_list_steps[] = {
    { "reading the actions", action_list_read,  0 },
    { "replying",            action_list_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_action_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, action_list_steps, sizeof(action_list_t));
}


static podi_rc_t
action_list_read(podi_flow_t *f, void *ctx)
{
    action_list_t   *a = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_ACTION_LIST);

    if (ngx_http_podi_task_arg_actions(a->request, &call, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
action_list_reply(podi_flow_t *f, void *ctx)
{
    action_list_t  *a = ctx;

    return ngx_podi_reply_rows(f, a->request, f->result, ACTION_LIST_MAX,
                               "action", NULL);
}
