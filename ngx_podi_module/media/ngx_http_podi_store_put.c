/*
 * PUT: one object, received, judged and made durable.
 *
 *     check -> receive -> judge -> store (thread) -> reply
 *
 * Nothing has a name before it is whole: a connection that is cut, a type
 * that is another one, a full disk leave nothing behind.  Written once: a key
 * that exists is 412, whether or not the client asked for that.
 */

#include "ngx_http_podi_media.h"
#include "ngx_http_podi_store_int.h"
#include "ngx_podi_receive.h"


static podi_s3_error_e store_put_check(store_request_t *s);
static void store_put_abandon(void *data);
static podi_rc_t store_put_receive(podi_flow_t *f, void *ctx);
static podi_rc_t store_put_piece(void *data, const u_char *bytes, size_t len,
    podi_fail_t *fail);
static podi_rc_t store_put_judge(podi_flow_t *f, void *ctx);
static podi_s3_error_e store_put_verdict(store_request_t *s);
static podi_rc_t store_put_store(podi_flow_t *f, void *ctx);
static podi_rc_t store_put_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  store_put_steps[] = {
    { "receiving the object", store_put_receive, PODI_MAY_FAIL },
    { "judging the object",   store_put_judge,   0 },
    { "storing the object",   store_put_store,   PODI_MAY_FAIL },
    { "replying",             store_put_reply,   0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_store_put(store_request_t *s)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_podi_store_file_e   outcome;

    s->error = store_put_check(s);

    if (s->error != PODI_S3_NONE) {
        return ngx_http_podi_store_refuse(s);
    }

    cln = ngx_pool_cleanup_add(s->request->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = store_put_abandon;
    cln->data = &s->file;

    outcome = ngx_http_podi_store_file_begin(&s->file,
                                             ngx_podi_mem(s->request));

    if (outcome != STORE_FILE_OK) {
        s->error = ngx_http_podi_store_disk_error(s, outcome);
        return ngx_http_podi_store_refuse(s);
    }

    return ngx_podi_flow_content(s->request, store_put_steps, s);
}


/* all that can be said before the first byte of the body */

static podi_s3_error_e
store_put_check(store_request_t *s)
{
    off_t                length;
    podi_str_t           type;
    ngx_http_request_t  *r = s->request;

    length = r->headers_in.content_length_n;

    if (length < 0) {
        return PODI_S3_NO_LENGTH;
    }

    if (length > ngx_http_podi_media_conf(r)->max_size) {
        return PODI_S3_TOO_LARGE;
    }

    if (!podi_sign_is_signed(&s->verified, "content-length")
        || !podi_sign_is_signed(&s->verified, "content-type"))
    {
        return PODI_S3_HEADER_UNSIGNED;
    }

    type = ngx_podi_header(r, "content-type");

    if (podi_media_by_mime(&type) == PODI_MEDIA_UNKNOWN || length == 0) {
        return PODI_S3_BAD_REQUEST;
    }

    if (access((char *) s->file.path.data, F_OK) == 0) {
        return PODI_S3_PRECONDITION;
    }

    return PODI_S3_NONE;
}


static void
store_put_abandon(void *data)
{
    ngx_http_podi_store_file_abandon(data);
}


static podi_rc_t
store_put_receive(podi_flow_t *f, void *ctx)
{
    store_request_t  *s = ctx;

    ngx_podi_flow_unbounded(f);

    return ngx_podi_receive_body(f, s->request, store_put_piece, s);
}


static podi_rc_t
store_put_piece(void *data, const u_char *bytes, size_t len,
    podi_fail_t *fail)
{
    store_request_t             *s = data;
    ngx_http_podi_store_file_e   outcome;

    outcome = ngx_http_podi_store_file_write(&s->file, bytes, len);

    if (outcome != STORE_FILE_OK) {
        s->error = ngx_http_podi_store_disk_error(s, outcome);
        return podi_fail(fail, PODI_E_STORE_FAILED, NULL, "disk");
    }

    return PODI_OK;
}


/*
 * What is refused gives its room back before the client is told: nginx may
 * keep the request for a while after that, to read the rest of the body.
 */

static podi_rc_t
store_put_judge(podi_flow_t *f, void *ctx)
{
    store_request_t  *s = ctx;

    if (s->error == PODI_S3_NONE && f->fail.error != PODI_E_NONE) {
        s->error = (f->fail.error == PODI_E_INTERNAL)
                   ? PODI_S3_INTERNAL : PODI_S3_INCOMPLETE_BODY;
    }

    if (s->error == PODI_S3_NONE) {
        s->error = store_put_verdict(s);
    }

    if (s->error != PODI_S3_NONE) {
        ngx_http_podi_store_file_abandon(&s->file);
        return ngx_http_podi_store_refuse_flow(f, s, s->error);
    }

    return PODI_OK;
}


/* size, type and digest: what was promised against what has come */

static podi_s3_error_e
store_put_verdict(store_request_t *s)
{
    podi_str_t           type, sha256;
    ngx_http_request_t  *r = s->request;

    if (s->file.bytes != r->headers_in.content_length_n) {
        return PODI_S3_INCOMPLETE_BODY;
    }

    if (ngx_http_podi_store_file_judge(&s->file) != PODI_OK) {
        return PODI_S3_INTERNAL;
    }

    type = ngx_podi_header(r, "content-type");

    if (s->file.type != podi_media_by_mime(&type)) {
        return PODI_S3_WRONG_TYPE;
    }

    sha256.data = s->file.sha256;
    sha256.len = sizeof(s->file.sha256);

    if (s->verified.payload_hash.len == sha256.len
        && !podi_str_eq(&s->verified.payload_hash, &sha256))
    {
        return PODI_S3_SHA256_MISMATCH;
    }

    return PODI_S3_NONE;
}


static podi_rc_t
store_put_store(podi_flow_t *f, void *ctx)
{
    store_request_t  *s = ctx;

    return ngx_podi_thread(f, s->request, ngx_http_podi_store_file_finish,
                           &s->file);
}


static podi_rc_t
store_put_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t           etag;
    store_request_t     *s = ctx;
    ngx_http_request_t  *r = s->request;

    ngx_http_podi_store_file_abandon(&s->file);

    if (f->fail.error != PODI_E_NONE) {
        return ngx_http_podi_store_refuse_flow(f, s, PODI_S3_SLOW_DOWN);
    }

    if (s->file.outcome != STORE_FILE_OK) {
        return ngx_http_podi_store_refuse_flow(f, s,
                   ngx_http_podi_store_disk_error(s, s->file.outcome));
    }

    if (podi_mem_printf(f->mem, &etag, "\"%.*s\"",
                        (int) sizeof(s->file.sha256), s->file.sha256)
        != PODI_OK
        || ngx_podi_header_add(r, "ETag", &etag) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_empty(f, r, NGX_HTTP_OK);
}
