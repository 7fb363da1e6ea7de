/*
 * podi_http: requests on a podi_multi.
 *
 *     send -> add_handle -> (podi_multi) -> done -> remove_handle -> answer
 *     idle -> remove_handle -> answer
 *     cancel -> remove_handle
 *
 * Promises: a transfer is off the multi before its answer is told, so that
 * the answer may start another one.
 */

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_http_int.h"
#include "banned.h"

#define HTTP_PER_HOST         8
#define HTTP_CONNECT_TIMEOUT  3000
#define HTTP_MAX              65536
#define HTTP_TIMEOUT          30000


static void http_done(void *data, CURL *easy, CURLcode code);

static podi_rc_t transfer_watch(podi_http_transfer_t *t);
static void transfer_idle(void *data);
static void transfer_answer(podi_http_transfer_t *t, CURLcode code);
static void transfer_cancel(podi_op_t *op);
static void transfer_end(podi_http_transfer_t *t);


podi_http_t *
podi_http_create(podi_io_t *io, const podi_http_conf_t *conf)
{
    podi_http_t  *http;

    http = calloc(1, sizeof(podi_http_t));
    if (http == NULL) {
        return NULL;
    }

    http->io = io;
    http->conf = *conf;

    if (http->conf.per_host == 0) {
        http->conf.per_host = HTTP_PER_HOST;
    }

    if (http->conf.connect_timeout == 0) {
        http->conf.connect_timeout = HTTP_CONNECT_TIMEOUT;
    }

    if (podi_multi_init(&http->multi, io, http_done, http) != PODI_OK) {
        free(http);
        return NULL;
    }

    (void) curl_multi_setopt(http->multi.multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                             (long) http->conf.per_host);
    (void) curl_multi_setopt(http->multi.multi, CURLMOPT_MAXCONNECTS,
                             (long) http->conf.per_host * 2);

    return http;
}


void
podi_http_free(podi_http_t **http)
{
    podi_http_t  *h = *http;

    if (h == NULL) {
        return;
    }

    podi_assert(h->transfers == 0);

    podi_multi_clear(&h->multi);

    free(h);
    *http = NULL;
}


void
podi_http_request_init(podi_http_request_t *request, const char *method,
    const podi_str_t *url)
{
    memset(request, 0, sizeof(podi_http_request_t));

    request->method = podi_str_c(method);
    request->url = *url;
    request->body_fd = -1;
    request->into_fd = -1;
    request->max = HTTP_MAX;
    request->timeout = HTTP_TIMEOUT;
}


podi_rc_t
podi_http_send(podi_http_t *http, podi_flow_t *f,
    const podi_http_request_t *request)
{
    podi_http_transfer_t  *t;

    t = podi_mem_calloc(f->mem, sizeof(podi_http_transfer_t));
    if (t == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    t->http = http;
    t->flow = f;
    t->request = *request;
    t->reply = podi_mem_calloc(f->mem, sizeof(podi_http_reply_t));
    t->easy = curl_easy_init();
    podi_buf_init(&t->body, f->mem);
    http->transfers++;

    if (t->reply == NULL || t->easy == NULL
        || podi_http_transfer_set(t) != PODI_OK
        || transfer_watch(t) != PODI_OK
        || (request->sha256
            && podi_hash_begin(f->mem, PODI_HASH_SHA256, &t->hash) != PODI_OK))
    {
        transfer_end(t);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the request could not be made");
    }

    if (curl_multi_add_handle(http->multi.multi, t->easy) != CURLM_OK) {
        transfer_end(t);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the request could not be started");
    }

    return podi_flow_wait(f, &t->op, transfer_cancel);
}


static void
http_done(void *data, CURL *easy, CURLcode code)
{
    podi_http_transfer_t  *t = NULL;

    (void) data;
    (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

    transfer_answer(t, code);
}


/*
 * curl's own limit (LOW_SPEED) is one of an average, taken once a second: it
 * ends what moves a little, and lets go on what has just stopped.
 */

static podi_rc_t
transfer_watch(podi_http_transfer_t *t)
{
    podi_io_t  *io = t->http->io;

    if (t->request.idle_timeout == 0) {
        return PODI_OK;
    }

    t->idle = io->timer(io, PODI_TIMER_WORK, transfer_idle, t);

    if (t->idle == NULL) {
        return PODI_ERROR;
    }

    t->moved = podi_time_mono();
    io->arm(t->idle, t->request.idle_timeout);

    return PODI_OK;
}


static void
transfer_idle(void *data)
{
    podi_msec_t            quiet;
    podi_http_transfer_t  *t = data;

    quiet = podi_time_mono() - t->moved;

    if (quiet < t->request.idle_timeout) {
        t->http->io->arm(t->idle, t->request.idle_timeout - quiet);
        return;
    }

    transfer_answer(t, CURLE_OPERATION_TIMEDOUT);
}


static void
transfer_answer(podi_http_transfer_t *t, CURLcode code)
{
    podi_fail_t         fail;
    podi_http_reply_t  *reply = t->reply;

    podi_http_transfer_read(t, code, &fail);
    transfer_end(t);

    podi_op_done(&t->op, reply, fail.error != PODI_E_NONE ? &fail : NULL);
}


static void
transfer_cancel(podi_op_t *op)
{
    transfer_end(podi_list_owner(op, podi_http_transfer_t, op));
}


/* the memory is the flow's; what is not memory goes here */

static void
transfer_end(podi_http_transfer_t *t)
{
    if (t->easy != NULL) {
        (void) curl_multi_remove_handle(t->http->multi.multi, t->easy);
        curl_easy_cleanup(t->easy);
        ERR_clear_error();
    }

    if (t->idle != NULL) {
        t->http->io->timer_free(t->idle);
    }

    curl_mime_free(t->form);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->resolve);

    t->easy = NULL;
    t->idle = NULL;
    t->form = NULL;
    t->headers = NULL;
    t->resolve = NULL;
    t->http->transfers--;
}
