/*
 * podi_http_body: what a request sends.
 *
 *     method -> nothing | one source | a form of sources
 *     source (file or memory) -> read -> wire
 *
 * Promises: bytes are read as they are needed, and as many are sent as were
 * announced, or the request fails.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "podi_http_int.h"
#include "banned.h"


static int body_is_method(const podi_str_t *method);
static podi_rc_t body_none(podi_http_transfer_t *t);
static podi_rc_t body_one(podi_http_transfer_t *t);
static podi_rc_t body_form(podi_http_transfer_t *t);
static podi_rc_t body_part(podi_http_transfer_t *t,
    const podi_http_part_t *part);
static void body_source(podi_http_source_t *s, podi_http_transfer_t *t,
    const podi_str_t *body, int fd, int64_t bytes);
static size_t body_read(char *dst, size_t size, size_t n, void *data);
static int body_seek(void *data, curl_off_t offset, int origin);


podi_rc_t
podi_http_body_set(podi_http_transfer_t *t)
{
    char                       *method;
    const podi_http_request_t  *r = &t->request;

    method = podi_mem_dup_c(t->flow->mem, &r->method);

    if (method == NULL || !body_is_method(&r->method)) {
        return PODI_ERROR;
    }

    if (podi_str_eq_c(&r->method, "GET") || podi_str_eq_c(&r->method, "HEAD"))
    {
        return body_none(t);
    }

    if (curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK) {
        return PODI_ERROR;
    }

    return (r->n_parts > 0) ? body_form(t) : body_one(t);
}


static int
body_is_method(const podi_str_t *method)
{
    size_t  i;

    for (i = 0; i < method->len; i++) {
        if (method->data[i] < 'A' || method->data[i] > 'Z') {
            return 0;
        }
    }

    return method->len > 0;
}


static podi_rc_t
body_none(podi_http_transfer_t *t)
{
    int                         bad;
    const podi_http_request_t  *r = &t->request;

    if (r->body.len > 0 || r->body_fd != -1 || r->n_parts > 0) {
        return PODI_ERROR;
    }

    if (podi_str_eq_c(&r->method, "GET")) {
        return PODI_OK;
    }

    /* its Content-Length is that of a body which does not come */

    bad = curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L)
        | curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE,
                           (curl_off_t) 0);

    return bad ? PODI_ERROR : PODI_OK;
}


static podi_rc_t
body_one(podi_http_transfer_t *t)
{
    int                  bad;
    CURL                *e = t->easy;
    podi_http_source_t  *s = &t->body_source;

    body_source(s, t, &t->request.body, t->request.body_fd,
                t->request.body_bytes);

    if (s->bytes == 0 && podi_str_eq_c(&t->request.method, "DELETE")) {
        return PODI_OK;
    }

    bad = curl_easy_setopt(e, CURLOPT_UPLOAD, 1L)
        | curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t) s->bytes)
        | curl_easy_setopt(e, CURLOPT_READFUNCTION, body_read)
        | curl_easy_setopt(e, CURLOPT_READDATA, s)
        | curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, body_seek)
        | curl_easy_setopt(e, CURLOPT_SEEKDATA, s);

    if (t->request.body_fd != -1) {
        bad |= curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE,
                                (long) PODI_HTTP_FILE_BUFFER);
    }

    return bad ? PODI_ERROR : PODI_OK;
}


static podi_rc_t
body_form(podi_http_transfer_t *t)
{
    int                         bad;
    size_t                      i;
    const podi_http_request_t  *r = &t->request;

    if (r->body.len > 0 || r->body_fd != -1) {
        return PODI_ERROR;
    }

    t->form = curl_mime_init(t->easy);
    if (t->form == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < r->n_parts; i++) {
        if (body_part(t, &r->parts[i]) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    bad = curl_easy_setopt(t->easy, CURLOPT_MIMEPOST, t->form)
        | curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE,
                           (long) PODI_HTTP_FILE_BUFFER);

    return bad ? PODI_ERROR : PODI_OK;
}


/* curl escapes quotes in names */

static podi_rc_t
body_part(podi_http_transfer_t *t, const podi_http_part_t *part)
{
    int                  bad;
    char                *name, *file, *type;
    podi_mem_t          *mem = t->flow->mem;
    curl_mimepart       *p;
    podi_http_source_t  *s;

    static const podi_str_t  any = podi_string("application/octet-stream");

    if (!podi_http_is_text(&part->name) || !podi_http_is_text(&part->filename)
        || !podi_http_is_text(&part->type))
    {
        return PODI_ERROR;
    }

    p = curl_mime_addpart(t->form);
    s = podi_mem_alloc(mem, sizeof(podi_http_source_t));
    name = podi_mem_dup_c(mem, &part->name);
    file = podi_mem_dup_c(mem, &part->filename);
    type = podi_mem_dup_c(mem, part->type.len > 0 ? &part->type : &any);

    if (p == NULL || s == NULL || name == NULL || file == NULL
        || type == NULL)
    {
        return PODI_ERROR;
    }

    body_source(s, t, &part->body, part->fd, part->bytes);

    bad = curl_mime_name(p, name)
        | curl_mime_data_cb(p, (curl_off_t) s->bytes, body_read, body_seek,
                            NULL, s);

    if (part->filename.len > 0) {
        bad |= curl_mime_filename(p, file);
    }

    /* without one curl would guess */

    if (part->filename.len > 0 || part->type.len > 0) {
        bad |= curl_mime_type(p, type);
    }

    return bad ? PODI_ERROR : PODI_OK;
}


static void
body_source(podi_http_source_t *s, podi_http_transfer_t *t,
    const podi_str_t *body, int fd, int64_t bytes)
{
    s->transfer = t;
    s->data = body->data;
    s->fd = fd;
    s->bytes = (fd != -1) ? bytes : (int64_t) body->len;
    s->sent = 0;
}


static size_t
body_read(char *dst, size_t size, size_t n, void *data)
{
    ssize_t              got;
    podi_http_source_t  *s = data;

    n *= size;

    if ((int64_t) n > s->bytes - s->sent) {
        n = (size_t) (s->bytes - s->sent);
    }

    if (n == 0) {
        return 0;
    }

    s->transfer->moved = podi_time_mono();

    if (s->fd == -1) {
        memcpy(dst, s->data + s->sent, n);
        s->sent += (int64_t) n;
        return n;
    }

    do {
        got = pread(s->fd, dst, n, (off_t) s->sent);
    } while (got == -1 && errno == EINTR);

    if (got <= 0) {
        s->transfer->sys = (got == -1) ? errno : ENODATA;
        return CURL_READFUNC_ABORT;
    }

    s->sent += got;

    return (size_t) got;
}


/* a kept connection was closed before it took the request: once more */

static int
body_seek(void *data, curl_off_t offset, int origin)
{
    podi_http_source_t  *s = data;

    if (origin != SEEK_SET || offset < 0 || offset > s->bytes) {
        return CURL_SEEKFUNC_CANTSEEK;
    }

    s->sent = offset;

    return CURL_SEEKFUNC_OK;
}


int
podi_http_is_text(const podi_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if ((s->data[i] < 0x20 && s->data[i] != '\t') || s->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}
