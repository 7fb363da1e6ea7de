/*
 * Variables for access logs and for proxy_set_header.
 *
 *     $podi_trace_id $podi_span_id                     the trace
 *     $podi_traceparent $podi_tracestate               ... as it is sent on
 *     $podi_trace_sampled                              for access_log if=
 *     $podi_route $podi_error_code                     what became of it
 *
 * An unknown one is empty ("not found", so logs show "-").
 */

#include "ngx_http_podi_trace.h"


typedef enum {
    TRACE_ID,
    TRACE_SPAN,
    TRACE_PARENT,
    TRACE_STATE,
    TRACE_SAMPLED,
    TRACE_ROUTE,
    TRACE_ERROR
} ngx_http_podi_trace_e;


static ngx_int_t ngx_http_podi_trace_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static podi_str_t ngx_http_podi_trace_value(ngx_http_request_t *r,
    ngx_podi_request_t *pr, uintptr_t data);


static ngx_http_variable_t  ngx_http_podi_trace_vars[] = {

    { ngx_string("podi_trace_id"), NULL, ngx_http_podi_trace_variable,
      TRACE_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_span_id"), NULL, ngx_http_podi_trace_variable,
      TRACE_SPAN, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_traceparent"), NULL, ngx_http_podi_trace_variable,
      TRACE_PARENT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_tracestate"), NULL, ngx_http_podi_trace_variable,
      TRACE_STATE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_trace_sampled"), NULL, ngx_http_podi_trace_variable,
      TRACE_SAMPLED, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_route"), NULL, ngx_http_podi_trace_variable,
      TRACE_ROUTE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_error_code"), NULL, ngx_http_podi_trace_variable,
      TRACE_ERROR, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_podi_trace_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_podi_trace_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_podi_trace_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    podi_str_t           value;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NGX_ERROR;
    }

    value = ngx_http_podi_trace_value(r, pr, data);

    v->data = value.data;
    v->len = value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (value.len == 0);

    return NGX_OK;
}


static podi_str_t
ngx_http_podi_trace_value(ngx_http_request_t *r, ngx_podi_request_t *pr,
    uintptr_t data)
{
    podi_str_t  value = podi_null_str;

    switch (data) {

    case TRACE_ID:
        return pr->pub.trace_id;

    case TRACE_SPAN:
        value.data = pr->pub.trace.span_id;
        value.len = PODI_SPAN_ID_LEN;
        return value;

    case TRACE_PARENT:
        value.data = ngx_pnalloc(r->pool, PODI_TRACEPARENT_LEN);

        if (value.data != NULL) {
            podi_trace_format(&pr->pub.trace, value.data);
            value.len = PODI_TRACEPARENT_LEN;
        }

        return value;

    case TRACE_STATE:
        return pr->pub.trace.state;

    case TRACE_SAMPLED:
        return podi_str_c(ngx_http_podi_trace_sampled(r->main, pr) ? "1"
                                                                   : "0");

    case TRACE_ROUTE:
        return podi_str_c(pr->pub.route);

    case TRACE_ERROR:
        return (pr->error == PODI_E_NONE) ? value
               : podi_str_c(podi_error(pr->error)->code);

    default:
        return value;
    }
}
