/*
 * GET /v1/jobs/{id} and /v1/jobs/{id}/explain: one job with those who have held
 * it; and why it is not running, or since when it is.
 *
 *     read | explain (PG) -> reply
 *
 * Somebody else's job gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            job_id;
} job_read_t;


static ngx_int_t job_flow(ngx_http_request_t *r, const podi_str_t *args,
    const podi_step_t *steps);
static podi_rc_t job_read(podi_flow_t *f, void *ctx);
static podi_rc_t job_explain(podi_flow_t *f, void *ctx);
static podi_rc_t job_call(podi_flow_t *f, job_read_t *j, podi_sql_e sql);
static podi_rc_t job_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  job_read_steps[] = {
    { "reading the job", job_read,  0 },
    { "replying",        job_reply, 0 },
    podi_null_step
};

static const podi_step_t  job_explain_steps[] = {
    { "explaining the job", job_explain, 0 },
    { "replying",           job_reply,   0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_job_read(ngx_http_request_t *r, const podi_str_t *args)
{
    return job_flow(r, args, job_read_steps);
}


ngx_int_t
ngx_http_podi_job_explain(ngx_http_request_t *r, const podi_str_t *args)
{
    return job_flow(r, args, job_explain_steps);
}


static ngx_int_t
job_flow(ngx_http_request_t *r, const podi_str_t *args,
    const podi_step_t *steps)
{
    podi_fail_t  fail;
    job_read_t  *j;

    j = ngx_pcalloc(r->pool, sizeof(job_read_t));
    if (j == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &j->job_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such job");
        return ngx_podi_reply_fail(r, &fail);
    }

    j->request = r;

    return ngx_podi_flow_content(r, steps, j);
}


static podi_rc_t
job_read(podi_flow_t *f, void *ctx)
{
    return job_call(f, ctx, PODI_SQL_JOB_READ);
}


static podi_rc_t
job_explain(podi_flow_t *f, void *ctx)
{
    return job_call(f, ctx, PODI_SQL_JOB_EXPLAIN);
}


static podi_rc_t
job_call(podi_flow_t *f, job_read_t *j, podi_sql_e sql)
{
    podi_str_t       id;
    podi_pg_call_t   call;

    id = podi_id_str(&j->job_id);

    ngx_podi_pg_init(j->request, &call, sql);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, j->request, &call);
}


static podi_rc_t
job_reply(podi_flow_t *f, void *ctx)
{
    job_read_t  *j = ctx;

    return ngx_podi_reply_row(f, j->request, NGX_HTTP_OK, f->result, NULL);
}
