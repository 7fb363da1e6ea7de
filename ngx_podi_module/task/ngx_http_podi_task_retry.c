/*
 * POST /v1/tasks/{id}/retry: begin again what failed or was cancelled.
 *
 *     read body -> parse -> retry (PG) -> announce (Redis) and reply
 *
 * What succeeded is neither run nor paid again; the rest is another round with
 * a hold of its own.
 */

#include "ngx_http_podi_task.h"


#define TASK_RETRY_BODY_MAX  4096


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            task_id;
    podi_str_t           key;
    podi_str_t           hash;
} task_retry_t;


static podi_rc_t retry_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t retry_parse(podi_flow_t *f, void *ctx);
static podi_rc_t retry_write(podi_flow_t *f, void *ctx);
static podi_rc_t retry_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_retry_steps[] = {
    { "reading the body",    retry_read_body, 0 },
    { "parsing the request", retry_parse,     0 },
    { "retrying the task",   retry_write,     0 },
    { "replying",            retry_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_retry(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_fail_t    fail;
    task_retry_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(task_retry_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &t->task_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such task");
        return ngx_podi_reply_fail(r, &fail);
    }

    t->request = r;

    return ngx_podi_flow_content(r, task_retry_steps, t);
}


static podi_rc_t
retry_read_body(podi_flow_t *f, void *ctx)
{
    task_retry_t  *t = ctx;

    return ngx_podi_read_body(f, t->request, TASK_RETRY_BODY_MAX);
}


static podi_rc_t
retry_parse(podi_flow_t *f, void *ctx)
{
    task_retry_t  *t = ctx;

    if (ngx_podi_idempotency_key(t->request, &t->key, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_podi_request_hash(t->request, &t->hash);
}


static podi_rc_t
retry_write(podi_flow_t *f, void *ctx)
{
    podi_str_t       id;
    task_retry_t    *t = ctx;
    podi_pg_call_t   call;

    id = podi_id_str(&t->task_id);

    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_RETRY);
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
retry_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t     hints, events;
    task_retry_t  *t = ctx;

    hints = podi_row_str(f->result, 0, "_hints");
    events = podi_row_str(f->result, 0, "_events");

    ngx_podi_announce(t->request, &events, &hints);

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_OK, f->result, NULL);
}
