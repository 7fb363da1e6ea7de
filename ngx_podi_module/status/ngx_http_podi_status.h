/*
 * ngx_http_podi_status: what the files of status know of each other.
 *
 *     metrics -> text --> /metrics
 *                  '----> samples -> tables -> /status
 */

#ifndef NGX_HTTP_PODI_STATUS_H
#define NGX_HTTP_PODI_STATUS_H


#include "ngx_podi_core.h"


typedef struct {
    ngx_str_t  metrics_dir;         /* "" : none */
} ngx_http_podi_status_loc_conf_t;

/* one line of the text */

typedef struct {
    podi_str_t                    name;
    podi_str_t                    labels;   /* `a="x",b="y"`, or "" */
    double                        value;
} ngx_http_podi_sample_t;

typedef enum {
    NGX_HTTP_PODI_UNIT_NUMBER = 0,
    NGX_HTTP_PODI_UNIT_AGE,             /* seconds */
    NGX_HTTP_PODI_UNIT_BREAKER,
    NGX_HTTP_PODI_UNIT_CHANNEL
} ngx_http_podi_unit_e;

/* a row of a list, a column of a table */

typedef struct {
    const char                   *title;
    const char                   *family;
    const char                   *match;    /* `class="5xx"`, or NULL */
    const char                   *of;       /* the family of all, or NULL */
    ngx_http_podi_unit_e          unit;
    long                          above;    /* ... is bad; -1: nothing is */
    unsigned                      all:1;    /* fewer than all are bad */
    unsigned                      some:1;   /* none is bad */
} ngx_http_podi_item_t;

/* a list, or with keys a table of which they name the rows */

typedef struct {
    const char                   *title;
    const char                   *keys[2];
    const ngx_http_podi_item_t   *items;    /* the last one has no title */
} ngx_http_podi_section_t;


extern ngx_module_t  ngx_http_podi_status_module;

ngx_int_t ngx_http_podi_status_metrics(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_status_health(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_status_ready(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_status_page(ngx_http_request_t *r,
    const podi_str_t *args);

/*
 * The text: requests by route; all but requests; and what only people are
 * told, of each worker.
 */
void ngx_http_podi_status_requests(podi_buf_t *b);
void ngx_http_podi_status_rest(ngx_http_request_t *r, podi_buf_t *b);
void ngx_http_podi_status_workers(podi_buf_t *b);

/* appends the *.prom files of a directory that are not older than 30 s */
void ngx_http_podi_status_files(ngx_http_request_t *r, podi_buf_t *b,
    const ngx_str_t *dir);

/* the lines of a text that ends with a NUL; what is no sample is left out */
ngx_int_t ngx_http_podi_samples(ngx_http_request_t *r,
    const podi_str_t *text, ngx_array_t *ret_samples);

/* the sections of which there are samples, as HTML; the last has no title */
void ngx_http_podi_tables(podi_buf_t *b, const ngx_array_t *samples,
    const ngx_http_podi_section_t *sections);


#endif /* NGX_HTTP_PODI_STATUS_H */
