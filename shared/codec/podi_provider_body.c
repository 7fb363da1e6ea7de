/*
 * podi_provider_body: what a request carries: JSON, a form, or parts.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_form(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_request_t *r,
    podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_multipart(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_request_t *r,
    podi_mem_t *mem, podi_fail_t *fail);


podi_rc_t
podi_provider_body(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_provider_request_t *r, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_rc_t    rc;
    podi_buf_t   b;
    const char  *type;

    r->kind = call->kind;

    switch (call->kind) {

    case PODI_BODY_JSON:
        podi_buf_init(&b, mem);

        rc = podi_provider_fill(call->body, ask, &b, fail);
        if (rc != PODI_OK) {
            return rc;
        }

        if (podi_buf_take(&b, &r->body) != PODI_OK) {
            return podi_provider_no_memory(fail);
        }

        type = "application/json";
        break;

    case PODI_BODY_FORM:
        if (podi_provider_form(call, ask, r, mem, fail) != PODI_OK) {
            return PODI_ERROR;
        }

        type = "application/x-www-form-urlencoded";
        break;

    case PODI_BODY_MULTIPART:
        return podi_provider_multipart(call, ask, r, mem, fail);

    default:
        return PODI_OK;
    }

    return podi_provider_put(d->headers, &d->n_headers,
                             podi_str_c("Content-Type"), podi_str_c(type),
                             fail);
}


static podi_rc_t
podi_provider_form(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_request_t *r,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t        i, n = 0;
    podi_buf_t    b;
    podi_pair_t  *pairs;

    pairs = podi_mem_alloc(mem, PODI_SIGN_PAIRS_MAX * sizeof(podi_pair_t));
    if (pairs == NULL) {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_pairs(call->fields, ask, PODI_FILL_RAW, pairs, &n, mem,
                            fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);

    for (i = 0; i < n; i++) {
        podi_buf_add_c(&b, i ? "&" : "");
        podi_buf_add_uri(&b, &pairs[i].name, 0);
        podi_buf_add_byte(&b, '=');
        podi_buf_add_uri(&b, &pairs[i].value, 0);
    }

    return podi_buf_take(&b, &r->body) == PODI_OK
           ? PODI_OK : podi_provider_no_memory(fail);
}


static podi_rc_t
podi_provider_multipart(const podi_provider_call_t *call,
    const podi_provider_ask_t *ask, podi_provider_request_t *r,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t                       i, n = 0;
    podi_pair_t                 *pairs;
    const podi_provider_var_t   *var;
    const podi_provider_node_t  *file;

    pairs = podi_mem_alloc(mem, PODI_SIGN_PAIRS_MAX * sizeof(podi_pair_t));
    r->parts = podi_mem_calloc(mem, 2 * PODI_SIGN_PAIRS_MAX
                                    * sizeof(podi_provider_part_t));

    if (pairs == NULL || r->parts == NULL) {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_pairs(call->fields, ask, PODI_FILL_RAW, pairs, &n, mem,
                            fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    for (i = 0; i < n; i++) {
        r->parts[i].name = pairs[i].name;
        r->parts[i].value = pairs[i].value;
        r->parts[i].input = -1;
    }

    for (file = call->files ? call->files->first : NULL;
         file != NULL && n < 2 * PODI_SIGN_PAIRS_MAX;
         file = file->next)
    {
        var = file->pieces->var;
        i = var->from.alts[0]->hops[1].index;

        if (i >= json_array_size(ask->inputs)) {

            if (var->optional) {
                continue;
            }

            return podi_fail(fail, PODI_E_BAD_FIELD, "inputs",
                             "the input %zu is missing", i);
        }

        r->parts[n].name = file->name;
        r->parts[n++].input = (int) i;
    }

    r->n_parts = n;

    return PODI_OK;
}


/* tells them where to call, when somebody listens there */

podi_rc_t
podi_provider_inject(const podi_provider_op_t *op,
    const podi_provider_ask_t *ask, podi_provider_draft_t *d,
    podi_provider_request_t *r, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_buf_t                      b;
    podi_str_t                      url;
    const podi_provider_webhook_t  *w = &op->provider->webhook;

    url = podi_json_str(json_object_get(ask->job, "webhook_url"));

    if (url.len == 0) {
        return PODI_OK;
    }

    switch (w->where) {

    case PODI_INJECT_QUERY:
        return podi_provider_put(d->query, &d->n_query, w->name, url, fail);

    case PODI_INJECT_HEADER:
        return podi_provider_put(d->headers, &d->n_headers, w->name, url,
                                 fail);

    case PODI_INJECT_BODY:
        if (r->kind == PODI_BODY_JSON) {
            break;
        }

        /* fall through */

    default:
        return PODI_OK;
    }

    podi_buf_init(&b, mem);
    podi_buf_add(&b, r->body.data, r->body.len - 1);
    podi_buf_add_c(&b, r->body.len > 2 ? "," : "");
    podi_buf_add_json(&b, &w->name);
    podi_buf_add_byte(&b, ':');
    podi_buf_add_json(&b, &url);

    if (w->events != NULL) {
        podi_buf_add_byte(&b, ',');
        podi_buf_add_json(&b, &w->events_name);
        podi_buf_add_byte(&b, ':');
        podi_json_add(&b, w->events);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, &r->body) == PODI_OK
           ? PODI_OK : podi_provider_no_memory(fail);
}
