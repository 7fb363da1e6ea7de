/*
 * ngx_http_podi_status: what the files of status know of each other.
 */

#ifndef NGX_HTTP_PODI_STATUS_H
#define NGX_HTTP_PODI_STATUS_H


#include "ngx_podi_core.h"


typedef struct {
    ngx_str_t  metrics_dir;         /* "" : none */
} ngx_http_podi_status_loc_conf_t;


extern ngx_module_t  ngx_http_podi_status_module;

ngx_int_t ngx_http_podi_status_metrics(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_status_health(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_status_ready(ngx_http_request_t *r,
    const podi_str_t *args);

/* appends the *.prom files of a directory that are not older than 30 s */
void ngx_http_podi_status_files(ngx_http_request_t *r, podi_buf_t *b,
    const ngx_str_t *dir);


#endif /* NGX_HTTP_PODI_STATUS_H */
