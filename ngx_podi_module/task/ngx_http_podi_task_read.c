/*
 * GET /v1/tasks/{id}: one task with its jobs, results and events.
 *
 *     read (PG) -> reply
 *
 * Somebody else's task gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


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
    return ngx_podi_route_flow_of(r, &args[0], "task", task_read_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
task_read(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_TASK_READ);
}


static podi_rc_t
task_read_reply(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *t = ctx;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such task");
    }

    return ngx_http_podi_task_reply(f, t->request, 3);
}
