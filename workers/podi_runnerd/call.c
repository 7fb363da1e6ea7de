/*
 * call: one request to one ComfyUI server.
 *
 * No Origin is ever sent: the server would compare it with its own name.
 * Keys are wiped with the memory of the request.  What a server may say is
 * bounded by what it was asked for: its answer is a stranger's.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


#define CALL_ANSWER_MAX  (64 * 1024)
#define CALL_PROMPT_MAX  (4 * 1024 * 1024)      /* with all that is wrong */


static podi_rc_t call_url(podi_flow_t *f, const runner_server_t *server,
    const podi_str_t *path, podi_str_t *ret_url);
static podi_rc_t call_secret(podi_mem_t *mem, const podi_str_t *value,
    podi_str_t *ret_copy);
static int64_t call_max(const podi_str_t *path);


podi_rc_t
runner_call(podi_flow_t *f, const runner_server_t *server, const char *method,
    const podi_str_t *path, podi_http_request_t *request)
{
    size_t        i;
    podi_str_t    url;
    podi_pair_t  *headers;

    headers = podi_mem_calloc(f->mem,
                              (server->n_headers + 1) * sizeof(podi_pair_t));

    if (headers == NULL || call_url(f, server, path, &url) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_http_request_init(request, method, &url);

    /* the record may go before the request is answered */
    for (i = 0; i < server->n_headers; i++) {
        if (podi_mem_dup(f->mem, &server->headers[i].name, &headers[i].name)
            != PODI_OK
            || call_secret(f->mem, &server->headers[i].value,
                           &headers[i].value) != PODI_OK)
        {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    request->headers = headers;
    request->n_headers = server->n_headers;
    request->max = call_max(path);
    request->timeout = runnerd.call_timeout;

    return PODI_OK;
}


static podi_rc_t
call_url(podi_flow_t *f, const runner_server_t *server, const podi_str_t *path,
    podi_str_t *ret_url)
{
    char        mark;
    podi_rc_t   rc;
    podi_str_t  url;

    if (server->query.len == 0) {
        return podi_mem_printf(f->mem, ret_url, PODI_STR_FMT PODI_STR_FMT,
                               podi_str_arg(&server->url),
                               podi_str_arg(path));
    }

    mark = memchr(path->data, '?', path->len) != NULL ? '&' : '?';

    if (podi_mem_printf(f->mem, &url, PODI_STR_FMT PODI_STR_FMT "%c"
                        PODI_STR_FMT, podi_str_arg(&server->url),
                        podi_str_arg(path), mark,
                        podi_str_arg(&server->query)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    rc = call_secret(f->mem, &url, ret_url);
    podi_wipe(url.data, url.len);

    return rc;
}


static podi_rc_t
call_secret(podi_mem_t *mem, const podi_str_t *value, podi_str_t *ret_copy)
{
    podi_secret_t  *secret;

    if (podi_secret_make(mem, value, &secret) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_copy = podi_secret_bytes(secret);

    return PODI_OK;
}


static int64_t
call_max(const podi_str_t *path)
{
    return podi_str_has_prefix(path, "/history")
               ? (int64_t) runnerd.history_max
           : podi_str_has_prefix(path, "/queue") ? (int64_t) runnerd.queue_max
           : podi_str_has_prefix(path, "/prompt") ? CALL_PROMPT_MAX
                                                  : CALL_ANSWER_MAX;
}


int
runner_is_too_large(const podi_flow_t *f)
{
    return f->result == NULL && f->fail.error == PODI_E_BODY_TOO_LARGE;
}


podi_rc_t
runner_ask(podi_flow_t *f, const runner_server_t *server, const char *path,
    const podi_str_t *body)
{
    podi_str_t            s = podi_str_c(path);
    podi_pair_t          *headers;
    podi_http_request_t   request;

    if (runner_call(f, server, body != NULL ? "POST" : "GET", &s, &request)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (body != NULL) {
        /* runner_call leaves room for one */
        headers = (podi_pair_t *) request.headers;
        headers[request.n_headers].name = podi_str_c("Content-Type");
        headers[request.n_headers].value = podi_str_c("application/json");
        request.n_headers++;
        request.body = *body;
    }

    return podi_http_send(server->http, f, &request);
}


podi_rc_t
runner_delete(podi_flow_t *f, const runner_server_t *server, const char *path,
    const podi_str_t *id)
{
    podi_buf_t  b;
    podi_str_t  body;

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"delete\":[");
    podi_buf_add_json(&b, id);
    podi_buf_add_c(&b, "]}");

    if (podi_buf_take(&b, &body) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return runner_ask(f, server, path, &body);
}


const podi_http_reply_t *
runner_answered(const podi_flow_t *f)
{
    const podi_http_reply_t  *reply = f->result;

    return reply != NULL && reply->status == 200 ? reply : NULL;
}
