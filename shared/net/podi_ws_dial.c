/*
 * podi_ws_dial: from a url to 101.
 *
 *     url -> host, target -> request -+
 *     curl: name -> TCP -> TLS -------+-> request -> answer -> OPEN
 */

#include <string.h>

#include "podi_id.h"
#include "podi_secret.h"
#include "podi_text.h"
#include "podi_time.h"
#include "podi_ws_handshake.h"
#include "podi_ws_int.h"
#include "banned.h"


static char *dial_url(podi_mem_t *mem, const podi_str_t *url,
    podi_fail_t *fail);
static podi_rc_t dial_parts(podi_ws_t *ws, CURLU *u, podi_ws_hello_t *hello);
static podi_rc_t dial_part(podi_mem_t *mem, CURLU *u, CURLUPart what,
    podi_str_t *ret_text);
static podi_rc_t dial_request(podi_ws_t *ws, podi_ws_hello_t *hello,
    podi_fail_t *fail);
static podi_rc_t dial_easy(podi_ws_t *ws, char *url);
static void dial_answered(podi_ws_t *ws, const podi_str_t *head);


podi_rc_t
podi_ws_dial(podi_ws_t *ws, podi_fail_t *fail)
{
    char             *url;
    CURLU            *u;
    podi_rc_t         rc;
    podi_mem_t       *mem = podi_arena_mem(ws->arena);
    podi_ws_hello_t   hello;

    memset(&hello, 0, sizeof(podi_ws_hello_t));

    url = dial_url(mem, &ws->conf.url, fail);
    if (url == NULL) {
        return PODI_ERROR;
    }

    u = curl_url();
    rc = (u == NULL || curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS)
                       != CURLUE_OK)
         ? PODI_ERROR : dial_parts(ws, u, &hello);
    curl_url_cleanup(u);

    if (rc != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "no url of a WebSocket");
    }

    if (dial_request(ws, &hello, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (dial_easy(ws, url) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* they were good for the request only */

    memset(&ws->conf.url, 0, sizeof(podi_str_t));
    ws->conf.headers = NULL;
    ws->conf.n_headers = 0;

    return PODI_OK;
}


/* as curl knows it: a WebSocket begins as HTTP */

static char *
dial_url(podi_mem_t *mem, const podi_str_t *url, podi_fail_t *fail)
{
    const char  *scheme;
    podi_str_t   rest, text;

    rest = *url;

    if (podi_text_begins(url, "ws://") || podi_text_begins(url, "http://")) {
        scheme = "http";

    } else if (podi_text_begins(url, "wss://")
               || podi_text_begins(url, "https://"))
    {
        scheme = "https";

    } else {
        (void) podi_fail(fail, PODI_E_CONFIG, NULL,
                         "a WebSocket has ws:// or wss://");
        return NULL;
    }

    if (memchr(url->data, '\0', url->len) != NULL) {
        (void) podi_fail(fail, PODI_E_CONFIG, NULL, "no url of a WebSocket");
        return NULL;
    }

    (void) podi_str_split(&rest, ':', &text);

    if (podi_mem_printf(mem, &text, "%s:" PODI_STR_FMT, scheme,
                        podi_str_arg(&rest)) != PODI_OK)
    {
        (void) podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        return NULL;
    }

    return (char *) text.data;
}


static podi_rc_t
dial_parts(podi_ws_t *ws, CURLU *u, podi_ws_hello_t *hello)
{
    podi_mem_t  *mem = podi_arena_mem(ws->arena);
    podi_str_t   host, port, path, query, user;

    if (dial_part(mem, u, CURLUPART_HOST, &host) != PODI_OK
        || dial_part(mem, u, CURLUPART_PORT, &port) != PODI_OK
        || dial_part(mem, u, CURLUPART_PATH, &path) != PODI_OK
        || dial_part(mem, u, CURLUPART_QUERY, &query) != PODI_OK
        || dial_part(mem, u, CURLUPART_USER, &user) != PODI_OK
        || host.len == 0 || user.len > 0)
    {
        return PODI_ERROR;
    }

    if (podi_mem_printf(mem, &hello->host, PODI_STR_FMT "%s" PODI_STR_FMT,
                        podi_str_arg(&host), port.len > 0 ? ":" : "",
                        podi_str_arg(&port)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_mem_printf(mem, &hello->target,
                           PODI_STR_FMT "%s" PODI_STR_FMT,
                           podi_str_arg(&path), query.len > 0 ? "?" : "",
                           podi_str_arg(&query));
}


/* "" when the url has none */

static podi_rc_t
dial_part(podi_mem_t *mem, CURLU *u, CURLUPart what, podi_str_t *ret_text)
{
    char        *text = NULL;
    CURLUcode    code;
    podi_rc_t    rc;
    podi_str_t   s;

    code = curl_url_get(u, what, &text, 0);

    if (code == CURLUE_OUT_OF_MEMORY) {
        return PODI_ERROR;
    }

    s = podi_str_c(text);
    rc = podi_mem_dup(mem, &s, ret_text);
    curl_free(text);

    return rc;
}


static podi_rc_t
dial_request(podi_ws_t *ws, podi_ws_hello_t *hello, podi_fail_t *fail)
{
    podi_mem_t     *mem = podi_arena_mem(ws->arena);
    unsigned char   nonce[PODI_WS_NONCE_LEN];

    if (podi_random(nonce, sizeof(nonce)) != PODI_OK
        || podi_ws_key(mem, nonce, &hello->key) != PODI_OK
        || podi_ws_accept(mem, &hello->key, &ws->accept) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    hello->user_agent = podi_str_c(ws->conf.user_agent);
    hello->headers = ws->conf.headers;
    hello->n_headers = ws->conf.n_headers;

    return podi_ws_request(mem, hello, &ws->request, fail);
}


static podi_rc_t
dial_easy(podi_ws_t *ws, char *url)
{
    ws->peer.ca_file = ws->conf.ca_file;
    ws->peer.connect_timeout = ws->conf.handshake_timeout;
    ws->peer.https_only = ws->conf.tls_only;
    ws->peer.public_only = ws->conf.public_only;

    if (podi_peer_set(&ws->peer, ws->easy) != PODI_OK
        || curl_easy_setopt(ws->easy, CURLOPT_URL, url) != CURLE_OK
        || curl_easy_setopt(ws->easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK
        || curl_multi_add_handle(ws->multi.multi, ws->easy) != CURLM_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


void
podi_ws_connected(void *data, CURL *easy, CURLcode code)
{
    podi_ws_t      *ws = data;
    curl_socket_t   fd = CURL_SOCKET_BAD;

    if (code != CURLE_OK) {
        podi_ws_blame(ws, podi_peer_error(&ws->peer, code, 0),
                      podi_peer_text(&ws->peer, code));
        podi_ws_end(ws);
        return;
    }

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK
        && fd != CURL_SOCKET_BAD)
    {
        ws->watch = ws->io->watch(ws->io, fd, podi_ws_ready, ws);
    }

    if (ws->watch == NULL || podi_ws_queue(ws, &ws->request) != PODI_OK) {
        podi_ws_blame(ws, PODI_E_INTERNAL, "no memory");
        podi_ws_end(ws);
        return;
    }

    podi_wipe(ws->request.data, ws->request.len);
    podi_ws_set_state(ws, WS_SHAKING);
    podi_ws_flush(ws);
}


/* the bytes behind the empty line are frames already */

void
podi_ws_dialled(podi_ws_t *ws, podi_str_t *bytes)
{
    size_t          n;
    podi_str_t      head;
    podi_buf_t     *b = &ws->head;
    unsigned char  *end;

    while (bytes->len > 0) {
        end = memchr(bytes->data, '\n', bytes->len);
        n = (end != NULL) ? (size_t) (end - bytes->data) + 1 : bytes->len;

        if (n > PODI_WS_ANSWER_MAX - b->len) {
            podi_ws_blame(ws, PODI_E_UNAVAILABLE, "the answer is too long");
            podi_ws_end(ws);
            return;
        }

        podi_buf_add(b, bytes->data, n);
        bytes->data += n;
        bytes->len -= n;

        if (b->len >= 4 && memcmp(b->data + b->len - 4, "\r\n\r\n", 4) == 0) {
            head.data = b->data;
            head.len = b->len - 4;
            dial_answered(ws, &head);
            return;
        }
    }
}


static void
dial_answered(podi_ws_t *ws, const podi_str_t *head)
{
    podi_fail_t  fail;

    memset(&fail, 0, sizeof(podi_fail_t));

    if (podi_ws_answer(head, &ws->accept, &ws->end.status, &fail) != PODI_OK) {
        podi_ws_blame(ws, fail.error, fail.detail);
        podi_ws_end(ws);
        return;
    }

    podi_ws_set_state(ws, WS_OPEN);

    if (ws->conf.on_open != NULL) {
        ws->conf.on_open(ws->conf.data);
    }
}
