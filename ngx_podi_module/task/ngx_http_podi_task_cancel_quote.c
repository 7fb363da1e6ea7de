/*
 * GET /v1/tasks/{id}/cancel: what a cancel would cost now.  Nothing is written.
 *
 *     quote (PG) -> reply
 *
 * Somebody else's task gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


static podi_rc_t cancel_quote(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_quote_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  cancel_quote_steps[] = {
    { "pricing a cancel", cancel_quote,       0 },
    { "replying",         cancel_quote_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_cancel_quote(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "task", cancel_quote_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
cancel_quote(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_TASK_CANCEL_QUOTE);
}


static podi_rc_t
cancel_quote_reply(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *t = ctx;

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_OK, f->result, NULL);
}
