/*
 * POST /v1/tasks/{id}/cancel: stop what has not been done.
 *
 *     read body -> parse -> cancel (PG) -> announce (Redis) and reply
 *
 * Queued jobs end at once and their points come back in the same commit; a
 * running job is asked to stop, and its holder settles it.  The poke through
 * Redis only makes it sooner: the holder's next beat says the same.
 */

#include "ngx_http_podi_task.h"
#include "podi_event.h"
#include "podi_fault.h"
#include "podi_queue.h"


static podi_rc_t cancel_write(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_cancel_steps[] = {
    { "reading the body",    ngx_http_podi_task_again_read_body, 0 },
    { "parsing the request", ngx_http_podi_task_again_parse,     0 },
    { "cancelling the task", cancel_write,                       0 },
    { "replying",            cancel_reply,                       0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_cancel(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "task", task_cancel_steps,
                                  sizeof(ngx_http_podi_task_again_t));
}


static podi_rc_t
cancel_write(podi_flow_t *f, void *ctx)
{
    PODI_FAULT(cancel_ask);

    return ngx_http_podi_task_again_call(f, ctx, PODI_SQL_TASK_CANCEL);
}


static podi_rc_t
cancel_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t                   events, drops, pokes;
    podi_str_t                   none = podi_null_str;
    podi_redis_t                *redis;
    ngx_http_podi_task_again_t  *t = ctx;

    events = podi_row_str(f->result, 0, "_events");
    drops = podi_row_str(f->result, 0, "_dropped");
    pokes = podi_row_str(f->result, 0, "_pokes");
    PODI_FAULT(cancel_told);

    ngx_podi_announce(t->of.request, &events, &none);

    redis = ngx_podi_redis();

    if (redis != NULL) {
        (void) podi_queue_drop_hints(redis, f->mem, &drops);
        (void) podi_event_poke(redis, f->mem, &pokes);
    }

    return ngx_podi_reply_row(f, t->of.request, NGX_HTTP_OK, f->result, NULL);
}
