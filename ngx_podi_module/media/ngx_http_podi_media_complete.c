/*
 * POST /v1/media/{id}/complete: the upload is there, judge it.
 *
 *     read body -> find (PG) -> look at the object -> complete (PG)
 *         -> announce (Redis) and reply
 *
 * Judging (decode, measure, thumbnail) is a job for podi_imaged; the verdict
 * comes as media.ready or media.rejected.  In the embedded store nothing has
 * to be asked for over the network, so a missing upload is noticed here.
 */

#include "ngx_http_podi_media.h"


#define COMPLETE_BODY_MAX  4096


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            media_id;
    podi_str_t           observed;       /* JSON, or NULL data */
} media_complete_t;


static podi_rc_t complete_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t complete_find(podi_flow_t *f, void *ctx);
static podi_rc_t complete_look(podi_flow_t *f, void *ctx);
static podi_rc_t complete_write(podi_flow_t *f, void *ctx);
static podi_rc_t complete_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  media_complete_steps[] = {
    { "reading the body",      complete_read_body, 0 },
    { "finding the media",     complete_find,      0 },
    { "looking at the object", complete_look,      0 },
    { "completing the upload", complete_write,     0 },
    { "replying",              complete_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_media_complete(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_fail_t        fail;
    media_complete_t  *m;

    m = ngx_pcalloc(r->pool, sizeof(media_complete_t));
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &m->media_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such media");
        return ngx_podi_reply_fail(r, &fail);
    }

    m->request = r;

    return ngx_podi_flow_content(r, media_complete_steps, m);
}


static podi_rc_t
complete_read_body(podi_flow_t *f, void *ctx)
{
    media_complete_t  *m = ctx;

    return ngx_podi_read_body(f, m->request, COMPLETE_BODY_MAX);
}


static podi_rc_t
complete_find(podi_flow_t *f, void *ctx)
{
    podi_str_t         id;
    podi_pg_call_t     call;
    media_complete_t  *m = ctx;

    id = podi_id_str(&m->media_id);

    ngx_podi_pg_init(m->request, &call, PODI_SQL_MEDIA_READ);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, m->request, &call);
}


static podi_rc_t
complete_look(podi_flow_t *f, void *ctx)
{
    podi_rc_t                      rc;
    podi_str_t                     name, key, state;
    media_complete_t              *m = ctx;
    const ngx_http_podi_store_t   *store;
    ngx_http_podi_store_object_t   object;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such media");
    }

    name = podi_row_str(f->result, 0, "_store");
    key = podi_row_str(f->result, 0, "_object_key");
    state = podi_row_str(f->result, 0, "state");

    store = ngx_http_podi_media_store(m->request, &name);

    if (store == NULL || store->root.len == 0
        || !podi_str_eq_c(&state, "pending"))
    {
        return PODI_OK;
    }

    rc = ngx_http_podi_store_look(store, &key, f->mem, &object, &f->fail);

    if (rc == PODI_DECLINED) {
        return podi_fail(&f->fail, PODI_E_UPLOAD_MISSING, NULL,
                         "there is no object yet");
    }

    if (rc != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_mem_printf(f->mem, &m->observed,
                        "{\"bytes\":%lld,\"type\":\"" PODI_STR_FMT "\","
                        "\"sha256\":\"" PODI_STR_FMT "\"}",
                        (long long) object.bytes, podi_str_arg(&object.type),
                        podi_str_arg(&object.sha256))
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
complete_write(podi_flow_t *f, void *ctx)
{
    podi_id_t          task, job;
    podi_str_t         id, task_id, job_id;
    podi_pg_call_t     call;
    ngx_podi_ctx_t    *pc;
    media_complete_t  *m = ctx;

    pc = ngx_podi_ctx(m->request);

    if (pc == NULL || podi_id_make(&task) != PODI_OK
        || podi_id_make(&job) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no id");
    }

    id = podi_id_str(&m->media_id);
    task_id = podi_id_str(&task);
    job_id = podi_id_str(&job);

    ngx_podi_pg_init(m->request, &call, PODI_SQL_MEDIA_COMPLETE);
    podi_arg_str(&call, &id);
    podi_arg_str(&call, &task_id);
    podi_arg_str(&call, &job_id);

    if (m->observed.data == NULL) {
        podi_arg_null(&call);
    } else {
        podi_arg_str(&call, &m->observed);
    }

    podi_arg_str(&call, &pc->trace_id);

    return ngx_podi_pg_call(f, m->request, &call);
}


static podi_rc_t
complete_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t         events, hints;
    media_complete_t  *m = ctx;

    events = podi_row_str(f->result, 0, "_events");
    hints = podi_row_str(f->result, 0, "_hints");

    ngx_podi_announce(m->request, &events, &hints);

    return ngx_podi_reply_row(f, m->request, NGX_HTTP_OK, f->result, NULL);
}
