/*
 * GET /v1/tasks/{id}: one task with its jobs, results and events.
 *
 *     read (PG) -> reply
 *
 * Somebody else's task gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            task_id;
} task_read_t;


static podi_rc_t task_read(podi_flow_t *f, void *ctx);
static podi_rc_t task_read_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_read_steps[] = {
    { "reading the task", task_read,       0 },
    { "replying",         task_read_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_read(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_fail_t   fail;
    task_read_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(task_read_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &t->task_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such task");
        return ngx_podi_reply_fail(r, &fail);
    }

    t->request = r;

    return ngx_podi_flow_content(r, task_read_steps, t);
}


static podi_rc_t
task_read(podi_flow_t *f, void *ctx)
{
    podi_str_t       id;
    task_read_t     *t = ctx;
    podi_pg_call_t   call;

    id = podi_id_str(&t->task_id);

    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_READ);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
task_read_reply(podi_flow_t *f, void *ctx)
{
    task_read_t  *t = ctx;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such task");
    }

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_OK, f->result, NULL);
}
