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


#define TASK_CANCEL_BODY_MAX  4096


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            task_id;
    podi_str_t           key;
    podi_str_t           hash;
} task_cancel_t;


static podi_rc_t cancel_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_parse(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_write(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_cancel_steps[] = {
    { "reading the body",    cancel_read_body, 0 },
    { "parsing the request", cancel_parse,     0 },
    { "cancelling the task", cancel_write,     0 },
    { "replying",            cancel_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_cancel(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_fail_t     fail;
    task_cancel_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(task_cancel_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &t->task_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such task");
        return ngx_podi_reply_fail(r, &fail);
    }

    t->request = r;

    return ngx_podi_flow_content(r, task_cancel_steps, t);
}


static podi_rc_t
cancel_read_body(podi_flow_t *f, void *ctx)
{
    task_cancel_t  *t = ctx;

    return ngx_podi_read_body(f, t->request, TASK_CANCEL_BODY_MAX);
}


static podi_rc_t
cancel_parse(podi_flow_t *f, void *ctx)
{
    task_cancel_t  *t = ctx;

    if (ngx_podi_idempotency_key(t->request, &t->key, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_podi_request_hash(t->request, &t->hash);
}


static podi_rc_t
cancel_write(podi_flow_t *f, void *ctx)
{
    podi_str_t       id;
    task_cancel_t   *t = ctx;
    podi_pg_call_t   call;

    id = podi_id_str(&t->task_id);

    PODI_FAULT(cancel_ask);
    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_CANCEL);
    podi_arg_str(&call, &id);

    if (t->key.data == NULL) {
        podi_arg_null(&call);
    } else {
        podi_arg_str(&call, &t->key);
    }

    podi_arg_bytea(&call, &t->hash);

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
cancel_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t       events, drops, pokes;
    podi_str_t       none = podi_null_str;
    podi_redis_t    *redis;
    task_cancel_t   *t = ctx;

    events = podi_row_str(f->result, 0, "_events");
    drops = podi_row_str(f->result, 0, "_dropped");
    pokes = podi_row_str(f->result, 0, "_pokes");
    PODI_FAULT(cancel_told);

    ngx_podi_announce(t->request, &events, &none);

    redis = ngx_podi_redis();

    if (redis != NULL) {
        (void) podi_queue_drop_hints(redis, f->mem, &drops);
        (void) podi_event_poke(redis, f->mem, &pokes);
    }

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_OK, f->result, NULL);
}
