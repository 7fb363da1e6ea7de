/*
 * `podi_store`: the content handler of the embedded object store.
 *
 *     verify the signature -> PUT | GET, HEAD | DELETE
 *
 * Speaks the part of S3 that presigned URLs need, path style:
 * <location>/<bucket>/<key>.  Every request is signed; the raw request target
 * is verified, never a normalised one.  Says no in S3's words.
 */

#include "ngx_http_podi_media.h"
#include "ngx_http_podi_store_int.h"


static podi_rc_t store_verify(ngx_http_request_t *r, store_request_t *s);
static podi_rc_t store_headers(ngx_http_request_t *r, podi_buf_t *b,
    size_t *n);
static podi_s3_error_e store_key(store_request_t *s);


ngx_int_t
ngx_http_podi_store_handler(ngx_http_request_t *r)
{
    store_request_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(store_request_t));
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;
    s->store = ngx_http_podi_media_conf(r)->store;
    s->file.fd = -1;

    if (store_verify(r, s) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (s->error != PODI_S3_NONE) {
        return ngx_http_podi_store_refuse(s);
    }

    switch (r->method) {

    case NGX_HTTP_PUT:
        return ngx_http_podi_store_put(s);

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return ngx_http_podi_store_get(s);

    case NGX_HTTP_DELETE:
        return ngx_http_podi_store_delete(s);
    }

    s->error = PODI_S3_METHOD;

    return ngx_http_podi_store_refuse(s);
}


static podi_rc_t
store_verify(ngx_http_request_t *r, store_request_t *s)
{
    size_t                 n;
    podi_buf_t             b;
    podi_str_t             pairs;
    podi_sign_incoming_t   in;

    podi_buf_init(&b, ngx_podi_mem(r));

    if (store_headers(r, &b, &n) != PODI_OK
        || podi_buf_take(&b, &pairs) != PODI_OK)
    {
        return PODI_ERROR;
    }

    in.method.data = r->method_name.data;
    in.method.len = r->method_name.len;
    in.target.data = r->unparsed_uri.data;
    in.target.len = r->unparsed_uri.len;
    in.headers = (const podi_pair_t *) (void *) pairs.data;
    in.n_headers = n;
    in.creds = &s->store->object.cred;
    in.n_creds = 1;
    in.now = podi_time_now();

    s->error = podi_sign_verify(&in, ngx_podi_mem(r), &s->verified);

    if (s->error == PODI_S3_NONE) {
        s->error = store_key(s);
    }

    return PODI_OK;
}


/* all headers as they came, names in lower case, as an array of pairs */

static podi_rc_t
store_headers(ngx_http_request_t *r, podi_buf_t *b, size_t *n)
{
    ngx_uint_t        i;
    podi_pair_t       pair;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    *n = 0;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            pair.name.data = h[i].lowcase_key;
            pair.name.len = h[i].key.len;
            pair.value.data = h[i].value.data;
            pair.value.len = h[i].value.len;

            podi_buf_add(b, &pair, sizeof(podi_pair_t));
            (*n)++;
        }
    }

    return PODI_OK;
}


static podi_s3_error_e
store_key(store_request_t *s)
{
    podi_rc_t  rc;

    rc = podi_object_find(&s->store->object, &s->verified.path, &s->key);

    if (rc != PODI_OK) {
        return (rc == PODI_DECLINED) ? PODI_S3_NO_SUCH_BUCKET
                                     : PODI_S3_BAD_KEY;
    }

    if (ngx_http_podi_store_path(s->store, &s->key, ngx_podi_mem(s->request),
                                 &s->file.path)
        != PODI_OK)
    {
        return PODI_S3_INTERNAL;
    }

    s->file.store = s->store;

    return PODI_S3_NONE;
}


ngx_int_t
ngx_http_podi_store_refuse(store_request_t *s)
{
    ngx_int_t               rc;
    podi_buf_t              b;
    podi_str_t              xml;
    ngx_podi_ctx_t         *pc;
    ngx_http_request_t     *r = s->request;
    const podi_s3_error_t  *e = podi_s3_error(s->error);

    pc = ngx_podi_ctx(r);

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK || pc == NULL) {
        return (rc != NGX_OK) ? rc : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "podi_store: %s%s%s",
                  e->code, s->verified.detail ? ": " : "",
                  s->verified.detail ? s->verified.detail : "");

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_printf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<Error><Code>%s</Code><Message>%s</Message>"
                    "<RequestId>" PODI_STR_FMT "</RequestId></Error>\n",
                    e->code, e->message, podi_str_arg(&pc->trace_id));

    if (podi_buf_take(&b, &xml) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, (ngx_uint_t) e->http, "application/xml", &xml);
}


podi_rc_t
ngx_http_podi_store_refuse_flow(podi_flow_t *f, store_request_t *s,
    podi_s3_error_e error)
{
    s->error = error;
    ngx_podi_flow_outcome(f, ngx_http_podi_store_refuse(s));

    return PODI_DONE;
}


podi_s3_error_e
ngx_http_podi_store_disk_error(store_request_t *s,
    ngx_http_podi_store_file_e outcome)
{
    if (outcome == STORE_FILE_EXISTS) {
        return PODI_S3_PRECONDITION;
    }

    ngx_log_error(NGX_LOG_ERR, s->request->connection->log, s->file.err,
                  "podi_store: cannot write an object");

    return (outcome == STORE_FILE_FULL) ? PODI_S3_STORAGE_FULL
                                        : PODI_S3_INTERNAL;
}
