/*
 * GET /v1/jobs/{id}/preview: how a running job looks so far.
 *
 *     whose is it, does it run (PG) -> picture (Redis) -> reply
 *
 * Somebody else's job gets the answer of one that does not exist.  A Redis
 * that is away has no picture, and that is all.  What comes from there is
 * looked at again: whoever wrote it, a picture is all that goes out.
 */

#include "podi_preview.h"
#include "ngx_http_podi_task.h"


static podi_rc_t job_preview_ask(podi_flow_t *f, void *ctx);
static podi_rc_t job_preview_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t job_preview_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  job_preview_steps[] = {
    { "finding the job",      job_preview_ask,   0 },
    { "fetching the picture", job_preview_fetch, PODI_MAY_FAIL },
    { "replying",             job_preview_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_job_preview(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "job", job_preview_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
job_preview_ask(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_JOB_PREVIEW);
}


static podi_rc_t
job_preview_fetch(podi_flow_t *f, void *ctx)
{
    podi_str_t      id, state;
    podi_redis_t   *redis = ngx_podi_redis();
    ngx_podi_of_t  *j = ctx;

    state = podi_row_str(f->result, 0, "state");
    f->result = NULL;

    if (!podi_str_eq_c(&state, "running") || redis == NULL) {
        return PODI_OK;
    }

    id = podi_id_str(&j->id);

    return podi_preview_get(redis, f, &id);
}


static podi_rc_t
job_preview_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t                 nosniff = podi_string("nosniff");
    ngx_podi_of_t             *j = ctx;
    podi_media_e               type;
    const podi_redis_reply_t  *reply = f->result;

    type = (reply != NULL && reply->type == PODI_REDIS_STRING)
           ? podi_preview_type(&reply->str) : PODI_MEDIA_UNKNOWN;

    if (type == PODI_MEDIA_UNKNOWN) {
        return podi_fail(&f->fail, PODI_E_NO_PREVIEW, NULL,
                         "the job shows none");
    }

    if (ngx_podi_header_add(j->request, "X-Content-Type-Options", &nosniff)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ngx_podi_flow_outcome(f, ngx_podi_send(j->request, NGX_HTTP_OK,
                                           podi_media_mime(type),
                                           &reply->str));
    return PODI_DONE;
}
