/*
 * ngx_podi_body: a request's body, whole and bounded; as JSON; and what an
 * Idempotency-Key is bound to.
 *
 * nginx's reader counts the request up by itself.  While it waits, that count
 * is the flow's hold: one, as if the flow waited for anything else.  When
 * reading fails, nginx finalizes the request and the flow is cancelled.
 *
 * A subrequest shares what was read for its main request, as the `mirror`
 * directive has it.  When nothing was read it has no body at all: nginx says
 * "ready" and leaves r->request_body NULL.
 */

#include "ngx_podi_core.h"
#include "podi_hash.h"


static void ngx_podi_body_ready(ngx_http_request_t *r);
static podi_rc_t ngx_podi_body_refused(ngx_http_request_t *r, ngx_int_t rc,
    podi_fail_t *fail);
static ngx_chain_t *ngx_podi_body_bufs(ngx_http_request_t *r);
static podi_rc_t ngx_podi_body_gather(ngx_podi_body_t *body,
    podi_fail_t *fail);
static podi_rc_t ngx_podi_body_copy(ngx_http_request_t *r, u_char *dst,
    podi_fail_t *fail);


podi_rc_t
ngx_podi_read_body(podi_flow_t *f, ngx_http_request_t *r, size_t max)
{
    ngx_int_t          rc;
    ngx_podi_body_t   *body;
    ngx_podi_bound_t  *b = ngx_podi_bound(f);

    if (r->headers_in.content_length_n > (off_t) max) {
        return podi_fail(&f->fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "%lld bytes where %zu may come",
                         (long long) r->headers_in.content_length_n, max);
    }

    body = ngx_podi_body_begin(f, r);
    if (body == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    body->max = max;
    b->reading = 1;
    b->inside = 1;

    rc = ngx_http_read_client_request_body(r, ngx_podi_body_ready);

    b->inside = 0;

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        b->reading = 0;
        return ngx_podi_body_refused(r, rc, &f->fail);
    }

    if (b->reading) {

        if (b->held) {
            r->main->count--;
        }

        b->held = 1;

        return podi_flow_wait(f, &b->body, NULL);
    }

    r->main->count--;

    return ngx_podi_body_gather(body, &f->fail);
}


/* after an internal redirect another flow may read it again */

ngx_podi_body_t *
ngx_podi_body_begin(podi_flow_t *f, ngx_http_request_t *r)
{
    ngx_podi_body_t     *body;
    ngx_podi_request_t  *pr;

    body = ngx_podi_body_find(r);

    if (body == NULL) {

        body = ngx_pcalloc(r->pool, sizeof(ngx_podi_body_t));
        if (body == NULL) {
            return NULL;
        }

        pr = ngx_podi_request_find(r);

        body->request = r;
        body->next = pr->bodies;
        pr->bodies = body;
    }

    body->bound = ngx_podi_bound(f);

    return body;
}


ngx_podi_body_t *
ngx_podi_body_find(ngx_http_request_t *r)
{
    ngx_podi_body_t     *body;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    podi_assert(pr != NULL);        /* whoever binds a flow has made it */

    for (body = pr->bodies; body != NULL; body = body->next) {
        if (body->request == r) {
            return body;
        }
    }

    return NULL;
}


/*
 * A filter of ours has refused it and says why; 413: more chunks came than
 * client_max_body_size lets in.
 */

static podi_rc_t
ngx_podi_body_refused(ngx_http_request_t *r, ngx_int_t rc,
    podi_fail_t *fail)
{
    podi_error_e         error;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    if (pr != NULL && pr->body_error != PODI_E_NONE) {
        error = pr->body_error;

    } else if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        error = PODI_E_BODY_TOO_LARGE;

    } else {
        error = (rc < NGX_HTTP_INTERNAL_SERVER_ERROR) ? PODI_E_BAD_REQUEST
                                                      : PODI_E_INTERNAL;
    }

    return podi_fail(fail, error, NULL, "the body cannot be read (%d)",
                     (int) rc);
}


static void
ngx_podi_body_ready(ngx_http_request_t *r)
{
    podi_fail_t        fail;
    ngx_podi_body_t   *body;
    ngx_podi_bound_t  *b;

    body = ngx_podi_body_find(r);
    b = body->bound;

    b->reading = 0;

    if (b->inside) {
        return;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (ngx_podi_body_gather(body, &fail) != PODI_OK) {
        podi_op_done(&b->body, NULL, &fail);
    } else {
        podi_op_done(&b->body, NULL, NULL);
    }

    ngx_podi_flow_park(b);
}


static ngx_chain_t *
ngx_podi_body_bufs(ngx_http_request_t *r)
{
    return (r->request_body == NULL) ? NULL : r->request_body->bufs;
}


static podi_rc_t
ngx_podi_body_gather(ngx_podi_body_t *body, podi_fail_t *fail)
{
    off_t                size;
    u_char              *bytes;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r = body->request;

    size = 0;

    for (cl = ngx_podi_body_bufs(r); cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > (off_t) body->max) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "%lld bytes where %zu may come", (long long) size,
                         body->max);
    }

    bytes = ngx_pnalloc(r->pool, (size_t) size + 1);
    if (bytes == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    body->bytes.len = (size_t) size;
    body->bytes.data = bytes;

    return ngx_podi_body_copy(r, bytes, fail);
}


/* a body larger than client_body_buffer_size lies in a file, just written */

static podi_rc_t
ngx_podi_body_copy(ngx_http_request_t *r, u_char *dst, podi_fail_t *fail)
{
    size_t        size;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = ngx_podi_body_bufs(r); cl; cl = cl->next) {

        b = cl->buf;
        size = (size_t) ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(dst, b->pos, size);

        } else if (b->in_file
                   && ngx_read_file(b->file, dst, size, b->file_pos)
                      != (ssize_t) size)
        {
            return podi_fail(fail, PODI_E_INTERNAL, NULL,
                             "the buffered body cannot be read");
        }

        dst += size;
    }

    *dst = '\0';

    return PODI_OK;
}


podi_str_t
ngx_podi_body(ngx_http_request_t *r)
{
    ngx_podi_body_t  *body;

    podi_str_t  none = { 0, NULL };

    body = ngx_podi_body_find(r);

    return (body == NULL) ? none : body->bytes;
}


podi_rc_t
ngx_podi_body_json(podi_flow_t *f, ngx_http_request_t *r,
    json_t **ret_object)
{
    json_t             *json;
    podi_str_t          type, media;
    ngx_podi_body_t    *body = ngx_podi_body_find(r);
    podi_json_limit_t   limit = { 0, 0 };

    podi_assert(body != NULL);

    type = ngx_podi_header(r, "content-type");
    (void) podi_str_split(&type, ';', &media);

    while (media.len != 0 && media.data[media.len - 1] == ' ') {
        media.len--;
    }

    if (media.len != sizeof("application/json") - 1
        || ngx_strncasecmp(media.data, (u_char *) "application/json",
                           media.len) != 0)
    {
        return podi_fail(&f->fail, PODI_E_UNSUPPORTED_TYPE, NULL,
                         "the Content-Type must be application/json");
    }

    limit.size = body->max;

    if (podi_json_parse(&body->bytes, &limit, f->mem, &json, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (!json_is_object(json)) {
        return podi_fail(&f->fail, PODI_E_BAD_JSON, NULL,
                         "the body must be an object");
    }

    *ret_object = json;

    return PODI_OK;
}


podi_rc_t
ngx_podi_idempotency_key(ngx_http_request_t *r, podi_str_t *ret_key,
    podi_fail_t *fail)
{
    size_t      i;
    podi_str_t  key;

    key = ngx_podi_header(r, "idempotency-key");

    if (key.data == NULL) {
        *ret_key = key;
        return PODI_OK;
    }

    for (i = 0; i < key.len; i++) {
        if (key.data[i] < 0x21 || key.data[i] > 0x7e) {
            break;
        }
    }

    if (i != key.len || key.len == 0 || key.len > 128) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, "Idempotency-Key",
                         "needs 1 to 128 printable ASCII characters");
    }

    *ret_key = key;

    return PODI_OK;
}


/* the parts are of known length or cannot hold a line feed */

podi_rc_t
ngx_podi_request_hash(ngx_http_request_t *r, podi_str_t *ret_hash,
    podi_fail_t *fail)
{
    podi_buf_t      b;
    podi_str_t      text, path, body;
    unsigned char  *digest;

    path.data = r->uri.data;
    path.len = r->uri.len;

    body = ngx_podi_body(r);

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_printf(&b, "%lu\n%zu\n", (unsigned long) r->method, path.len);
    podi_buf_add_str(&b, &path);
    podi_buf_add_str(&b, &body);

    digest = ngx_pnalloc(r->pool, PODI_SHA256_LEN);

    if (digest == NULL || podi_buf_take(&b, &text) != PODI_OK
        || podi_sha256(&text, digest) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "cannot hash the body");
    }

    ret_hash->data = digest;
    ret_hash->len = PODI_SHA256_LEN;

    return PODI_OK;
}
