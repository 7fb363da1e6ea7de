/*
 * call: one request to one ComfyUI server.
 *
 * No Origin is ever sent: the server would compare it with its own name.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


#define CALL_ANSWER_MAX  (64 * 1024 * 1024)


podi_rc_t
runner_call(podi_flow_t *f, const runner_server_t *server, const char *method,
    const podi_str_t *path, podi_http_request_t *request)
{
    size_t        i;
    podi_buf_t    b;
    podi_str_t    url;
    podi_pair_t  *headers;

    headers = podi_mem_calloc(f->mem,
                              (server->n_headers + 1) * sizeof(podi_pair_t));

    podi_buf_init(&b, f->mem);
    podi_buf_add_str(&b, &server->url);
    podi_buf_add_str(&b, path);

    if (server->query.len > 0) {
        podi_buf_add_byte(&b, path->len > 0
                          && memchr(path->data, '?', path->len) ? '&' : '?');
        podi_buf_add_str(&b, &server->query);
    }

    if (headers == NULL || podi_buf_take(&b, &url) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_http_request_init(request, method, &url);

    /* the record may go before the request is answered */
    for (i = 0; i < server->n_headers; i++) {
        if (podi_mem_dup(f->mem, &server->headers[i].name, &headers[i].name)
            != PODI_OK
            || podi_mem_dup(f->mem, &server->headers[i].value,
                            &headers[i].value) != PODI_OK)
        {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    request->headers = headers;
    request->n_headers = server->n_headers;
    request->max = CALL_ANSWER_MAX;
    request->timeout = runnerd.call_timeout;

    return PODI_OK;
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
