/*
 * GET /v1/jobs/{id} and /v1/jobs/{id}/explain: one job with those who have held
 * it; and why it is not running, or since when it is.
 *
 *     read | explain (PG) -> reply
 *
 * Somebody else's job gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


static podi_rc_t job_read(podi_flow_t *f, void *ctx);
static podi_rc_t job_explain(podi_flow_t *f, void *ctx);
static podi_rc_t job_read_reply(podi_flow_t *f, void *ctx);
static podi_rc_t job_explain_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  job_read_steps[] = {
    { "reading the job", job_read,       0 },
    { "replying",        job_read_reply, 0 },
    podi_null_step
};

static const podi_step_t  job_explain_steps[] = {
    { "explaining the job", job_explain,       0 },
    { "replying",           job_explain_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_job_read(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "job", job_read_steps,
                                  sizeof(ngx_podi_of_t));
}


ngx_int_t
ngx_http_podi_job_explain(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "job", job_explain_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
job_read(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_JOB_READ);
}


static podi_rc_t
job_explain(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_JOB_EXPLAIN);
}


static podi_rc_t
job_read_reply(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *j = ctx;

    return ngx_http_podi_task_reply(f, j->request, 2);
}


static podi_rc_t
job_explain_reply(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *j = ctx;

    return ngx_podi_reply_row(f, j->request, NGX_HTTP_OK, f->result, NULL);
}
