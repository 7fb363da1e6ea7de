/*
 * media: the configuration and the verbs of this directory.
 */

#ifndef NGX_HTTP_PODI_MEDIA_H
#define NGX_HTTP_PODI_MEDIA_H


#include "ngx_podi.h"
#include "ngx_http_podi_store.h"
#include "podi_sniff.h"


#define NGX_PODI_STORES_MAX  16

#define MEDIA_BODY_MAX   (64 * 1024)
#define MEDIA_NAME_MAX   255
#define MEDIA_TYPE_MAX   64

typedef struct {
    ngx_array_t  stores;                 /* of ngx_http_podi_store_t */
} ngx_http_podi_media_main_conf_t;

typedef struct {
    const ngx_http_podi_store_t  *upload;     /* where uploads go */
    const ngx_http_podi_store_t  *store;      /* what `podi_store` serves */
    off_t                         max_size;
    ngx_array_t                  *types;      /* of ngx_str_t */
    time_t                        upload_expires;
    time_t                        download_expires;
    ngx_uint_t                    batch;
} ngx_http_podi_media_conf_t;


extern ngx_module_t  ngx_http_podi_media_module;


const ngx_http_podi_media_conf_t *ngx_http_podi_media_conf(
    ngx_http_request_t *r);

/* by name; NULL: the configuration does not have it any more */
const ngx_http_podi_store_t *ngx_http_podi_media_store(ngx_http_request_t *r,
    const podi_str_t *name);

/* directives of ngx_http_podi_media_conf.c */
char *ngx_http_podi_media_store_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_media_name_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_media_types_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void *ngx_http_podi_media_create_main_conf(ngx_conf_t *cf);
void *ngx_http_podi_media_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_podi_media_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

typedef struct {
    podi_str_t         store;
    podi_str_t         key;
    const podi_str_t  *type;             /* to answer with, or NULL */
    const podi_str_t  *name;             /* save under it, or NULL */
} ngx_http_podi_media_object_t;

/*
 * A URL to GET the object, and its end in RFC 3339.  DECLINED: there is no
 * object, or its store has left the configuration.
 */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_media_sign(podi_flow_t *f,
    ngx_http_request_t *r, const ngx_http_podi_media_object_t *object,
    podi_str_t *ret_url, podi_str_t *ret_expires_at);

/* members thumbnail_url and thumbnail_expires_at of a media row, or nulls */
podi_rc_t ngx_http_podi_media_add_thumbnail(podi_flow_t *f,
    ngx_http_request_t *r, podi_buf_t *b, const podi_pg_result_t *res,
    int row);

ngx_int_t ngx_http_podi_media_uploads(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_media_complete(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_media_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_media_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_media_download(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_media_limits(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_MEDIA_H */
