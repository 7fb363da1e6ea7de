/*
 * podi_provider_request: one step of an operation, as it goes out.
 *
 *     params -> URL -> query, headers -> body -> webhook -> key, signature
 */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


static podi_rc_t podi_provider_once(const podi_provider_op_t *op,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_fail_t *fail);
static json_t *podi_provider_urls(const json_t *inputs, podi_mem_t *mem);
static podi_rc_t podi_provider_target(const podi_provider_op_t *op,
    const podi_provider_call_t *call, const podi_provider_ask_t *ask,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_remote(const podi_provider_t *p,
    const podi_str_t *url, podi_provider_draft_t *d, podi_fail_t *fail);
static podi_rc_t podi_provider_finish(podi_provider_draft_t *d,
    podi_provider_request_t *r, podi_mem_t *mem, podi_fail_t *fail);


podi_rc_t
podi_provider_request(const podi_provider_op_t *op,
    podi_provider_step_e step, const podi_provider_ask_t *ask,
    podi_mem_t *mem, podi_provider_request_t *ret, podi_fail_t *fail)
{
    json_t                      *params, *urls;
    podi_provider_ask_t          full = *ask;
    podi_provider_draft_t       *d;
    const podi_provider_call_t  *call;

    call = podi_provider_call(op, step);

    if (call->place == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the operation has no such step");
    }

    d = podi_mem_calloc(mem, sizeof(podi_provider_draft_t));
    urls = podi_provider_urls(ask->inputs, mem);

    if (d == NULL || urls == NULL) {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_params(op, ask->params, mem, &params, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (json_object_set(params, "input_urls", urls) != 0) {
        return podi_provider_no_memory(fail);
    }

    memset(ret, 0, sizeof(podi_provider_request_t));

    full.params = params;
    d->method = call->method;

    if (podi_provider_target(op, call, &full, d, mem, fail) != PODI_OK
        || podi_provider_pairs(call->query, &full, PODI_FILL_RAW, d->query,
                               &d->n_query, mem, fail)
           != PODI_OK
        || podi_provider_pairs(call->headers, &full, PODI_FILL_HEADER,
                               d->headers, &d->n_headers, mem, fail)
           != PODI_OK
        || podi_provider_body(call, &full, d, ret, mem, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (step == PODI_PROVIDER_SUBMIT
        && (podi_provider_once(op, ask, d, fail) != PODI_OK
            || podi_provider_inject(op, ask, d, ret, mem, fail) != PODI_OK))
    {
        return PODI_ERROR;
    }

    d->body = ret->body;

    if (podi_provider_auth(op->provider, ask, d, mem, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_provider_finish(d, ret, mem, fail);
}


const podi_provider_call_t *
podi_provider_call(const podi_provider_op_t *op, podi_provider_step_e step)
{
    switch (step) {
    case PODI_PROVIDER_SUBMIT: return &op->c.submit;
    case PODI_PROVIDER_POLL: return &op->c.poll;
    case PODI_PROVIDER_RESULT: return &op->c.fetch;
    default: return &op->c.cancel;
    }
}


/* the key under which they begin it once, however often it is sent */

static podi_rc_t
podi_provider_once(const podi_provider_op_t *op,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_fail_t *fail)
{
    podi_str_t  key;

    if (op->c.idempotency.len == 0) {
        return PODI_OK;
    }

    key = podi_json_str(json_object_get(ask->job, "key"));

    if (key.len == 0) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "job.key",
                         "the operation needs a key for its attempt");
    }

    return podi_provider_put(d->headers, &d->n_headers, op->c.idempotency,
                             key, fail);
}


/* of all inputs, in their order */

static json_t *
podi_provider_urls(const json_t *inputs, podi_mem_t *mem)
{
    size_t   i;
    json_t  *urls, *url;

    urls = json_array();

    if (podi_json_own(mem, urls) != PODI_OK) {
        return NULL;
    }

    for (i = 0; i < json_array_size(inputs); i++) {

        url = json_object_get(json_array_get(inputs, i), "url");

        if (json_is_string(url) && json_array_append(urls, url) != 0) {
            return NULL;
        }
    }

    return urls;
}


static podi_rc_t
podi_provider_target(const podi_provider_op_t *op,
    const podi_provider_call_t *call, const podi_provider_ask_t *ask,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_buf_t              b;
    podi_str_t              host, url;
    const json_t           *value;
    const podi_provider_t  *p = op->provider;

    if (call->url->var != NULL) {

        value = podi_provider_value(call->url->var, ask);
        url = podi_json_str(value);

        return podi_provider_remote(p, &url, d, fail);
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &p->base_url);

    switch (podi_provider_fill_text(call->url, ask, PODI_FILL_URL, &b, fail))
    {
    case PODI_OK:
        break;

    case PODI_DECLINED:
        return podi_fail(fail, PODI_E_BAD_FIELD, NULL,
                         "a part of the URL is missing");

    default:
        return PODI_ERROR;
    }

    if (podi_buf_take(&b, &url) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_origin(&url, &d->origin, &host) != PODI_OK) {
        return podi_fail(fail, PODI_E_BAD_FIELD, NULL, "the URL is no URL");
    }

    d->path.data = url.data + d->origin.len;
    d->path.len = url.len - d->origin.len;

    return PODI_OK;
}


/* the key goes where the description says, not where an answer says */

static podi_rc_t
podi_provider_remote(const podi_provider_t *p, const podi_str_t *url,
    podi_provider_draft_t *d, podi_fail_t *fail)
{
    podi_str_t  origin, host, base, base_host;

    if (podi_provider_origin(url, &origin, &host) != PODI_OK
        || podi_provider_origin(&p->base_url, &base, &base_host) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_FORBIDDEN, "remote",
                         "the provider gave no URL that can be used");
    }

    if (!podi_str_eq(&origin, &base)
        && (!podi_str_has_prefix(&origin, "https:")
            || !podi_provider_host_in(&p->hosts, &host)))
    {
        return podi_fail(fail, PODI_E_FORBIDDEN, "remote",
                         "the provider gave a URL of another host: "
                         PODI_STR_FMT, podi_str_arg(&host));
    }

    d->origin = origin;
    d->path.data = url->data + origin.len;
    d->path.len = url->len - origin.len;

    return PODI_OK;
}


podi_rc_t
podi_provider_pairs(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_fill_e how, podi_pair_t *pairs,
    size_t *n, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_rc_t                    rc;
    podi_buf_t                   b;
    podi_str_t                   value;
    const podi_provider_node_t  *pair;

    for (pair = node ? node->first : NULL; pair != NULL; pair = pair->next) {

        podi_buf_init(&b, mem);

        rc = podi_provider_fill_text(pair->pieces, ask, how, &b, fail);

        if (rc == PODI_DECLINED) {
            continue;
        }

        if (rc != PODI_OK) {
            return rc;
        }

        if (podi_buf_take(&b, &value) != PODI_OK) {
            return podi_provider_no_memory(fail);
        }

        if (podi_provider_put(pairs, n, pair->name, value, fail) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


podi_rc_t
podi_provider_put(podi_pair_t *pairs, size_t *n, podi_str_t name,
    podi_str_t value, podi_fail_t *fail)
{
    if (*n == PODI_SIGN_PAIRS_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "more than %d parameters or headers",
                         PODI_SIGN_PAIRS_MAX);
    }

    pairs[*n].name = name;
    pairs[(*n)++].value = value;

    return PODI_OK;
}


static podi_rc_t
podi_provider_finish(podi_provider_draft_t *d, podi_provider_request_t *r,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &d->origin);
    podi_buf_add_str(&b, &d->path);

    for (i = 0; i < d->n_query; i++) {
        podi_buf_add_c(&b, i || (d->path.len
                                 && memchr(d->path.data, '?', d->path.len))
                           ? "&" : "?");
        podi_buf_add_uri(&b, &d->query[i].name, 0);
        podi_buf_add_byte(&b, '=');
        podi_buf_add_uri(&b, &d->query[i].value, 0);
    }

    if (podi_buf_take(&b, &r->url) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    if (r->url.len > PODI_PROVIDER_URL_MAX) {
        return podi_fail(fail, PODI_E_BAD_FIELD, NULL,
                         "the URL has more than %d bytes",
                         PODI_PROVIDER_URL_MAX);
    }

    r->method = d->method;
    r->headers = d->headers;
    r->n_headers = d->n_headers;

    return PODI_OK;
}
