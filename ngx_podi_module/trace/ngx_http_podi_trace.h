/*
 * ngx_http_podi_trace: what the files of trace know of each other.
 */

#ifndef NGX_HTTP_PODI_TRACE_H
#define NGX_HTTP_PODI_TRACE_H


#include "ngx_podi_core.h"


#define NGX_HTTP_PODI_TRACE_RATIO  1000000      /* 1.0 */

/* podi_trace_sample */

typedef struct {
    ngx_uint_t               parent;    /* who calls decides, when he does */
    ngx_uint_t               ratio;     /* of NGX_HTTP_PODI_TRACE_RATIO */
    ngx_uint_t               on_error;
    podi_msec_t              slow;      /* 0: nothing is */
} ngx_http_podi_trace_sample_t;

typedef struct {
    ngx_flag_t                     on;
    ngx_http_podi_trace_sample_t  *sample;
} ngx_http_podi_trace_srv_conf_t;

typedef struct {
    ngx_flag_t               propagate;
} ngx_http_podi_trace_loc_conf_t;


extern ngx_module_t  ngx_http_podi_trace_module;

/* adds the variables: a preconfiguration hook */
ngx_int_t ngx_http_podi_trace_variables(ngx_conf_t *cf);

/* is it to be recorded, as far as is known at its beginning, and now? */
ngx_uint_t ngx_http_podi_trace_begun(
    const ngx_http_podi_trace_sample_t *sample, const podi_trace_t *trace);
ngx_uint_t ngx_http_podi_trace_sampled(ngx_http_request_t *r,
    const ngx_podi_request_t *pr);

char *ngx_http_podi_trace_sample(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* a phase handler: what proxy_pass sends on is our span */
ngx_int_t ngx_http_podi_trace_propagate(ngx_http_request_t *r);


#endif /* NGX_HTTP_PODI_TRACE_H */
