/*
 * ngx_http_podi_trace: what the files of trace know of each other.
 */

#ifndef NGX_HTTP_PODI_TRACE_H
#define NGX_HTTP_PODI_TRACE_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* adds the variables: a preconfiguration hook */
ngx_int_t ngx_http_podi_trace_variables(ngx_conf_t *cf);


#endif /* NGX_HTTP_PODI_TRACE_H */
