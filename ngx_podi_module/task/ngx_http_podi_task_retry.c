/*
 * POST /v1/tasks/{id}/retry: begin again what failed or was cancelled.
 *
 *     read body -> parse -> retry (PG) -> announce (Redis) and reply
 *
 * What succeeded is neither run nor paid again; the rest is another round with
 * a hold of its own.
 */

#include "ngx_http_podi_task.h"


static podi_rc_t retry_write(podi_flow_t *f, void *ctx);
static podi_rc_t retry_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_retry_steps[] = {
    { "reading the body",    ngx_http_podi_task_again_read_body, 0 },
    { "parsing the request", ngx_http_podi_task_again_parse,     0 },
    { "retrying the task",   retry_write,                        0 },
    { "replying",            retry_reply,                        0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_retry(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "task", task_retry_steps,
                                  sizeof(ngx_http_podi_task_again_t));
}


static podi_rc_t
retry_write(podi_flow_t *f, void *ctx)
{
    return ngx_http_podi_task_again_call(f, ctx, PODI_SQL_TASK_RETRY);
}


static podi_rc_t
retry_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t                   hints, events;
    ngx_http_podi_task_again_t  *t = ctx;

    hints = podi_row_str(f->result, 0, "_hints");
    events = podi_row_str(f->result, 0, "_events");

    ngx_podi_announce(t->of.request, &events, &hints);

    return ngx_podi_reply_row(f, t->of.request, NGX_HTTP_OK, f->result, NULL);
}
