/*
 * trace: what an upstream is told of it, in the request that proxy_pass and
 * its like copy.
 *
 *     client's traceparent, tracestate out -> ours in
 *
 * Before ACCESS, so that auth_request passes it on as well.  An internal
 * redirect comes here again, and finds our own.
 */

#include "ngx_http_podi_trace.h"


static ngx_uint_t trace_is_ours(const ngx_table_elt_t *h, void *data);
static ngx_int_t trace_add(ngx_http_request_t *r, const ngx_str_t *name,
    u_char *data, size_t len);


static const ngx_str_t  trace_parent = ngx_string("traceparent");
static const ngx_str_t  trace_state = ngx_string("tracestate");


ngx_int_t
ngx_http_podi_trace_propagate(ngx_http_request_t *r)
{
    u_char                                *parent;
    const podi_trace_t                    *trace;
    const ngx_podi_request_t              *pr;
    const ngx_http_podi_trace_srv_conf_t  *tscf;
    const ngx_http_podi_trace_loc_conf_t  *tlcf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_podi_trace_module);
    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_trace_module);

    if (!tscf->on || !tlcf->propagate || r != r->main) {
        return NGX_DECLINED;
    }

    pr = ngx_podi_request(r);
    parent = ngx_pnalloc(r->pool, PODI_TRACEPARENT_LEN);

    if (pr == NULL || parent == NULL
        || ngx_podi_unlink(r, trace_is_ours, NULL) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    trace = &pr->pub.trace;
    podi_trace_format(trace, parent);

    if (trace_add(r, &trace_parent, parent, PODI_TRACEPARENT_LEN) != NGX_OK
        || (trace->state.len != 0
            && trace_add(r, &trace_state, trace->state.data,
                         trace->state.len) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
trace_is_ours(const ngx_table_elt_t *h, void *data)
{
    return (h->key.len == trace_parent.len
            && ngx_strncmp(h->lowcase_key, trace_parent.data,
                           trace_parent.len) == 0)
           || (h->key.len == trace_state.len
               && ngx_strncmp(h->lowcase_key, trace_state.data,
                              trace_state.len) == 0);
}


static ngx_int_t
trace_add(ngx_http_request_t *r, const ngx_str_t *name, u_char *data,
    size_t len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = ngx_hash_key(name->data, name->len);
    h->key = *name;
    h->lowcase_key = name->data;
    h->value.len = len;
    h->value.data = data;

    return NGX_OK;
}
