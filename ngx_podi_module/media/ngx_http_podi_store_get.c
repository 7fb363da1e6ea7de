/*
 * GET, HEAD, DELETE: one object, read or removed.
 *
 *     open -> read the head -> headers -> send the bytes behind the head
 *
 * Ranges, If-None-Match and If-Range are nginx's own filters; the ETag is the
 * digest of the bytes.  Whatever is no plain picture is an attachment, and
 * nothing that is served may run as a page.
 */

#include "ngx_http_podi_media.h"
#include "ngx_http_podi_store_int.h"

#include <fcntl.h>


static podi_s3_error_e store_get_open(store_request_t *s, ngx_file_t *file,
    ngx_http_podi_store_object_t *object);
static ngx_int_t store_get_headers(store_request_t *s,
    const ngx_http_podi_store_object_t *object, time_t mtime);
static ngx_int_t store_get_cache(store_request_t *s);
static ngx_int_t store_get_send(store_request_t *s, ngx_file_t *file,
    const ngx_http_podi_store_object_t *object);
static podi_str_t store_get_override(store_request_t *s, const char *name);


ngx_int_t
ngx_http_podi_store_get(store_request_t *s)
{
    ngx_int_t                      rc;
    ngx_file_t                    *file;
    ngx_http_request_t            *r = s->request;
    ngx_http_podi_store_object_t   object;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->error = store_get_open(s, file, &object);

    if (s->error != PODI_S3_NONE) {
        return ngx_http_podi_store_refuse(s);
    }

    if (store_get_headers(s, &object, ngx_file_mtime(&file->info))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return store_get_send(s, file, &object);
}


static podi_s3_error_e
store_get_open(store_request_t *s, ngx_file_t *file,
    ngx_http_podi_store_object_t *object)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_request_t       *r = s->request;
    ngx_pool_cleanup_file_t  *clnf;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        return PODI_S3_INTERNAL;
    }

    file->fd = open((char *) s->file.path.data, O_RDONLY|O_CLOEXEC);

    if (file->fd == -1 && ngx_errno == NGX_ENOENT) {
        return PODI_S3_NO_SUCH_KEY;
    }

    if (file->fd == -1) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "podi_store: cannot open an object");
        return PODI_S3_INTERNAL;
    }

    clnf = cln->data;
    clnf->fd = file->fd;
    clnf->name = s->file.path.data;
    clnf->log = r->pool->log;
    cln->handler = ngx_pool_cleanup_file;

    file->name.data = s->file.path.data;
    file->name.len = s->file.path.len;
    file->log = r->connection->log;

    if (ngx_http_podi_store_head_read(file->fd, ngx_podi_mem(r), object)
        != PODI_OK
        || ngx_fd_info(file->fd, &file->info) == NGX_FILE_ERROR
        || ngx_file_size(&file->info) != PODI_STORE_HEAD + object->bytes)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "podi_store: not an object of this store");
        return PODI_S3_INTERNAL;
    }

    return PODI_S3_NONE;
}


static ngx_int_t
store_get_headers(store_request_t *s,
    const ngx_http_podi_store_object_t *object, time_t mtime)
{
    podi_str_t           type, disposition, etag;
    podi_media_e         known;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r = s->request;

    type = store_get_override(s, "response-content-type");
    disposition = store_get_override(s, "response-content-disposition");

    if (type.data == NULL) {
        type = object->type;
    }

    known = podi_media_by_mime(&type);

    if (disposition.data == NULL
        && (known == PODI_MEDIA_UNKNOWN || podi_media_is_text(known)))
    {
        disposition = podi_str_c("attachment");
    }

    if (disposition.data != NULL
        && ngx_podi_header_add(r, "Content-Disposition", &disposition)
           != PODI_OK)
    {
        return NGX_ERROR;
    }

    if (store_get_cache(s) != NGX_OK) {
        return NGX_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);

    if (h == NULL
        || podi_mem_printf(ngx_podi_mem(r), &etag, "\"" PODI_STR_FMT "\"",
                           podi_str_arg(&object->sha256))
           != PODI_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "ETag");
    h->value.data = etag.data;
    h->value.len = etag.len;

    r->headers_out.etag = h;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = object->bytes;
    r->headers_out.last_modified_time = mtime;
    r->headers_out.content_type.data = type.data;
    r->headers_out.content_type.len = type.len;
    r->headers_out.content_type_len = type.len;
    r->allow_ranges = 1;

    return NGX_OK;
}


/* the permission is one person's, and ends: no cache may outlive it */

static ngx_int_t
store_get_cache(store_request_t *s)
{
    podi_str_t   value;
    podi_usec_t  left;

    left = (s->verified.expires - podi_time_now()) / 1000000;

    if (podi_mem_printf(ngx_podi_mem(s->request), &value,
                        "private, max-age=%lld",
                        (long long) ngx_max(left, 0))
        != PODI_OK)
    {
        return NGX_ERROR;
    }

    return (ngx_podi_header_add(s->request, "Cache-Control", &value)
            == PODI_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
store_get_send(store_request_t *s, ngx_file_t *file,
    const ngx_http_podi_store_object_t *object)
{
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r = s->request;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->file = file;
    b->file_pos = PODI_STORE_HEAD;
    b->file_last = PODI_STORE_HEAD + object->bytes;
    b->in_file = (object->bytes > 0);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* the signed response-* parameters; a line break would make a header */

static podi_str_t
store_get_override(store_request_t *s, const char *name)
{
    size_t      i, k;
    podi_str_t  none = podi_null_str, *value;

    for (i = 0; i < s->verified.n_query; i++) {

        if (!podi_str_eq_c(&s->verified.query[i].name, name)) {
            continue;
        }

        value = &s->verified.query[i].value;

        for (k = 0; k < value->len; k++) {
            if (value->data[k] < 0x20 || value->data[k] == 0x7f) {
                return none;
            }
        }

        return (value->len > 0) ? *value : none;
    }

    return none;
}


ngx_int_t
ngx_http_podi_store_delete(store_request_t *s)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r = s->request;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (unlink((char *) s->file.path.data) != 0 && ngx_errno != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "podi_store: cannot remove an object");
        s->error = PODI_S3_INTERNAL;
        return ngx_http_podi_store_refuse(s);
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}
