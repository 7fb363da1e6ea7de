/*
 * GET /v1/jobs/{id}/log: what a job said while it ran, in its order.
 *
 *     parse the query -> read (PG) -> reply
 *
 * Lines are capped and redacted where they are written, by the worker.
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_param.h"


typedef struct {
    ngx_podi_of_t  of;
    int64_t        after;
    int64_t        limit;
} job_log_t;


static podi_rc_t log_parse(podi_flow_t *f, void *ctx);
static podi_rc_t log_read(podi_flow_t *f, void *ctx);
static podi_rc_t log_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  job_log_steps[] = {
    { "parsing the query", log_parse, 0 },
    { "reading the log",   log_read,  0 },
    { "replying",          log_reply, 0 },
    podi_null_step
};

static const ngx_podi_param_t  job_log_params[] = {
    { "after", NGX_PODI_PARAM_INT, offsetof(job_log_t, after),
      1, INT32_MAX, 0, NULL },
    { "limit", NGX_PODI_PARAM_INT, offsetof(job_log_t, limit),
      1, 200, 50, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_job_log(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "job", job_log_steps,
                                  sizeof(job_log_t));
}


static podi_rc_t
log_parse(podi_flow_t *f, void *ctx)
{
    job_log_t  *j = ctx;

    return ngx_podi_params(j->of.request, job_log_params, j, &f->fail);
}


static podi_rc_t
log_read(podi_flow_t *f, void *ctx)
{
    job_log_t       *j = ctx;
    podi_str_t       id;
    podi_pg_call_t   call;

    id = podi_id_str(&j->of.id);

    ngx_podi_pg_init(j->of.request, &call, PODI_SQL_JOB_LOG);
    podi_arg_str(&call, &id);
    podi_arg_int64(&call, j->after);
    podi_arg_int64(&call, j->limit + 1);

    return ngx_podi_pg_call(f, j->of.request, &call);
}


static podi_rc_t
log_reply(podi_flow_t *f, void *ctx)
{
    job_log_t  *j = ctx;

    return ngx_podi_reply_rows(f, j->of.request, f->result, j->limit, "n",
                               NULL);
}
