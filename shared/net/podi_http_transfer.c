/*
 * podi_http_transfer: one request on a curl handle.
 *
 *     set -> (wire -> head, write)* -> reply | fail
 *
 * Promises: not a byte more than `max` is kept or written; nothing is
 * followed, guessed or added.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "podi_http_int.h"
#include "banned.h"

#define TRANSFER_HEADS_MAX  65536


static podi_rc_t transfer_set_limits(podi_http_transfer_t *t);
static podi_rc_t transfer_set_headers(podi_http_transfer_t *t);
static char *transfer_c(podi_http_transfer_t *t, const podi_str_t *s);
static size_t transfer_head(char *src, size_t size, size_t n, void *data);
static size_t transfer_write(char *src, size_t size, size_t n, void *data);
static podi_rc_t transfer_reply(podi_http_transfer_t *t, podi_fail_t *fail);
static podi_rc_t transfer_keep(podi_http_transfer_t *t);
static podi_rc_t transfer_header(podi_http_transfer_t *t, const char *name,
    size_t max, podi_str_t *ret_value);
static void transfer_fail(podi_http_transfer_t *t, CURLcode code,
    podi_fail_t *fail);


podi_rc_t
podi_http_transfer_set(podi_http_transfer_t *t)
{
    int                      bad;
    CURL                    *e = t->easy;
    char                    *url;
    const podi_http_conf_t  *conf = &t->http->conf;

    url = transfer_c(t, &t->request.url);
    if (url == NULL) {
        return PODI_ERROR;
    }

    t->peer.ca_file = conf->ca_file;
    t->peer.user_agent = conf->user_agent;
    t->peer.connect_timeout = conf->connect_timeout;
    t->peer.https_only = conf->https_only || t->request.https_only;
    t->peer.public_only = conf->public_only || t->request.public_only;

    bad = curl_easy_setopt(e, CURLOPT_PRIVATE, t)
        | curl_easy_setopt(e, CURLOPT_URL, url)
        | curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, transfer_head)
        | curl_easy_setopt(e, CURLOPT_HEADERDATA, t)
        | curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, transfer_write)
        | curl_easy_setopt(e, CURLOPT_WRITEDATA, t);

    if (bad || podi_peer_set(&t->peer, e) != PODI_OK
        || transfer_set_limits(t) != PODI_OK
        || transfer_set_headers(t) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_http_body_set(t);
}


static podi_rc_t
transfer_set_limits(podi_http_transfer_t *t)
{
    int    bad;
    CURL  *e = t->easy;
    char  *text;
    long   once;

    /*
     * When a kept connection turns out to be closed, curl sends again what it
     * had sent on it, whatever that was.
     */

    once = podi_str_eq_c(&t->request.method, "POST")
           || podi_str_eq_c(&t->request.method, "PATCH");

    bad = curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) t->request.timeout)
        | curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, once)
        | curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE,
                           (curl_off_t) t->request.max);

    if (t->request.into_fd != -1) {
        bad |= curl_easy_setopt(e, CURLOPT_BUFFERSIZE,
                                (long) PODI_HTTP_FILE_BUFFER);
    }

    if (t->request.resolve.len > 0) {
        text = transfer_c(t, &t->request.resolve);
        t->resolve = (text != NULL) ? curl_slist_append(NULL, text) : NULL;

        bad |= (t->resolve == NULL)
             | curl_easy_setopt(e, CURLOPT_RESOLVE, t->resolve);
    }

    return bad ? PODI_ERROR : PODI_OK;
}


static podi_rc_t
transfer_set_headers(podi_http_transfer_t *t)
{
    size_t              i;
    podi_str_t          line;
    const podi_pair_t  *h;
    struct curl_slist  *next;

    /* nobody waits for 100 Continue: a refusal is read while sending */

    t->headers = curl_slist_append(NULL, "Expect:");

    for (i = 0; i < t->request.n_headers && t->headers != NULL; i++) {
        h = &t->request.headers[i];

        if (!podi_http_is_text(&h->name) || !podi_http_is_text(&h->value)
            || podi_mem_printf(t->flow->mem, &line,
                               PODI_STR_FMT "%s" PODI_STR_FMT,
                               podi_str_arg(&h->name),
                               h->value.len > 0 ? ": " : ";",
                               podi_str_arg(&h->value)) != PODI_OK)
        {
            return PODI_ERROR;
        }

        next = curl_slist_append(t->headers, (char *) line.data);
        if (next == NULL) {
            return PODI_ERROR;
        }

        t->headers = next;
    }

    if (t->headers == NULL
        || curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers)
           != CURLE_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


static char *
transfer_c(podi_http_transfer_t *t, const podi_str_t *s)
{
    return podi_mem_dup_c(t->flow->mem, s);
}


/*
 * curl keeps all lines until the end, and takes an answer that ends within
 * its head for a whole one.  Lines behind the body (trailers) change nothing.
 */

static size_t
transfer_head(char *src, size_t size, size_t n, void *data)
{
    podi_http_transfer_t  *t = data;

    n *= size;
    t->heads += n;
    t->moved = podi_time_mono();

    if (n >= 5 && memcmp(src, "HTTP/", 5) == 0) {
        t->head_whole = 0;

    } else if (n > 0 && (src[0] == '\r' || src[0] == '\n')) {
        t->head_whole = 1;
    }

    if (t->heads > TRANSFER_HEADS_MAX) {
        t->too_large = 1;
        return 0;
    }

    return n;
}


static size_t
transfer_write(char *src, size_t size, size_t n, void *data)
{
    size_t            done;
    ssize_t           put;
    podi_http_transfer_t  *t = data;

    n *= size;
    t->moved = podi_time_mono();

    if (t->reply->bytes + (int64_t) n > t->request.max) {
        t->too_large = 1;
        return 0;
    }

    if (t->hash != NULL && podi_hash_add(t->hash, src, n) != PODI_OK) {
        return 0;
    }

    if (t->request.into_fd == -1) {
        podi_buf_add(&t->body, src, n);

    } else {
        for (done = 0; done < n; done += (size_t) put) {
            put = write(t->request.into_fd, src + done, n - done);

            if (put == -1 && errno == EINTR) {
                put = 0;

            } else if (put == -1) {
                t->sys = errno;
                return 0;
            }
        }
    }

    t->reply->bytes += (int64_t) n;

    return n;
}


void
podi_http_transfer_read(podi_http_transfer_t *t, CURLcode code,
    podi_fail_t *fail)
{
    memset(fail, 0, sizeof(podi_fail_t));

    if (code != CURLE_OK) {
        transfer_fail(t, code, fail);
        return;
    }

    if (!t->head_whole) {
        (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL, PODI_STR_FMT
                         ": the answer ends in its head",
                         podi_str_arg(&t->request.method));
        fail->uncertain = 1;
        return;
    }

    if (transfer_reply(t, fail) != PODI_OK) {
        fail->uncertain = 1;            /* it was answered */
        return;
    }

    fail->error = PODI_E_NONE;
}


static podi_rc_t
transfer_reply(podi_http_transfer_t *t, podi_fail_t *fail)
{
    long            status;
    char           *type;
    curl_off_t      after;
    podi_mem_t     *mem = t->flow->mem;
    podi_str_t      s;
    unsigned char   digest[PODI_HASH_LEN_MAX];

    status = 0;
    after = 0;
    type = NULL;

    (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
    (void) curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);

    t->reply->status = (unsigned) status;
    t->reply->retry_after = after > UINT_MAX ? UINT_MAX : (unsigned) after;

    s = podi_str_c(type);

    if (podi_mem_dup(mem, &s, &t->reply->type) != PODI_OK
        || podi_buf_take(&t->body, &t->reply->body) != PODI_OK
        || transfer_header(t, "ETag", SIZE_MAX, &t->reply->etag) != PODI_OK
        || transfer_keep(t) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (t->hash != NULL) {
        if (podi_hash_end(t->hash, digest) != PODI_OK) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no digest");
        }

        podi_hex_encode(t->reply->sha256, digest, PODI_SHA256_LEN);
    }

    return PODI_OK;
}


static podi_rc_t
transfer_keep(podi_http_transfer_t *t)
{
    char    *name;
    size_t   i;

    if (t->request.n_want == 0) {
        return PODI_OK;
    }

    t->reply->headers = podi_mem_calloc(t->flow->mem, t->request.n_want
                                                      * sizeof(podi_str_t));
    if (t->reply->headers == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < t->request.n_want; i++) {
        name = transfer_c(t, &t->request.want[i]);

        if (name == NULL
            || transfer_header(t, name, PODI_HTTP_VALUE_MAX,
                               &t->reply->headers[i]) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
transfer_header(podi_http_transfer_t *t, const char *name, size_t max,
    podi_str_t *ret_value)
{
    podi_str_t           s;
    struct curl_header  *h;

    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
    {
        return PODI_OK;
    }

    s = podi_str_c(h->value);

    return (s.len <= max) ? podi_mem_dup(t->flow->mem, &s, ret_value)
                          : PODI_OK;
}


static void
transfer_fail(podi_http_transfer_t *t, CURLcode code, podi_fail_t *fail)
{
    long          sent;
    podi_error_e  error;

    sent = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);

    switch (code) {

    case CURLE_FILESIZE_EXCEEDED:
        error = PODI_E_BODY_TOO_LARGE;
        break;

    case CURLE_WRITE_ERROR:
        error = t->too_large ? PODI_E_BODY_TOO_LARGE
                : t->sys == ENOSPC || t->sys == EDQUOT ? PODI_E_STORAGE_FULL
                : PODI_E_INTERNAL;
        break;

    default:
        error = podi_peer_error(&t->peer, code, sent > 0);
        break;
    }

    (void) podi_fail(fail, error, NULL, PODI_STR_FMT ": %s",
                     podi_str_arg(&t->request.method),
                     podi_peer_text(&t->peer, code));

    fail->sys = t->sys;
    fail->uncertain = (sent > 0);
}
