/*
 * ngx_http_podi_channel: what the files of channel know of each other.
 *
 *     nginx.conf --> set 0 ----------------------------> requests
 *                      '--- podi.channel put over it --> set n, n + 1, ...
 *
 * A set never changes.  That of the configuration lives as long as the cycle,
 * one of the database as long as it is the newest or a request needs it.
 */

#ifndef NGX_HTTP_PODI_CHANNEL_H
#define NGX_HTTP_PODI_CHANNEL_H


#include "ngx_podi_core.h"
#include "ngx_podi_overlay.h"
#include "podi_hash.h"


#define NGX_PODI_APP_KEY_MIN  20        /* bytes */

typedef struct {
    u_char                          bytes[PODI_SHA256_LEN];
} ngx_http_podi_digest_t;

typedef struct {
    ngx_podi_channel_t              pub;
    ngx_array_t                    *hosts;  /* ngx_str_t; ".b.c": *.b.c */
    ngx_array_t                    *paths;  /* ngx_str_t */
    ngx_array_t                    *keys;   /* ngx_http_podi_digest_t */
} ngx_http_podi_channel_t;

typedef struct {
    ngx_pool_t                     *pool;   /* NULL: the cycle's */
    ngx_uint_t                      refs;
    ngx_http_podi_channel_t       **channels;
    ngx_uint_t                      n;
    ngx_uint_t                      keyed;  /* one of them has app keys */
} ngx_http_podi_channel_set_t;

typedef struct {
    ngx_array_t                     channels;   /* pointers to them */
    ngx_http_podi_channel_set_t     set;        /* made of these */
    ngx_str_t                       header;
    ngx_str_t                       header_lc;
    ngx_uint_t                      header_hash;
    ngx_flag_t                      overlay_on;
    ngx_shm_zone_t                 *zone;
    ngx_podi_overlay_t             *overlay;    /* of this worker, as is */
    ngx_http_podi_channel_set_t    *newest;     /* NULL: none was read */
} ngx_http_podi_channel_main_conf_t;

/* where words come from: a file may be read, a tenant remembered, in a conf */

typedef struct {
    ngx_pool_t                     *pool;
    ngx_conf_t                     *cf;         /* NULL: of the database */
} ngx_http_podi_channel_from_t;


extern ngx_module_t  ngx_http_podi_channel_module;

/* one setting with its values; NULL, or what is wrong with it */
const char *ngx_http_podi_channel_setting(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_str_t *name,
    ngx_str_t *values, ngx_uint_t n);

/* `podi_channel NAME { ... }`, and the check of them all */
char *ngx_http_podi_channel_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_channel_check(ngx_conf_t *cf,
    ngx_http_podi_channel_main_conf_t *cmcf);

/* a name of a channel: a-z 0-9 - _, not "default" */
ngx_uint_t ngx_http_podi_channel_is_name(const ngx_str_t *name);

/* the newest set */
ngx_http_podi_channel_set_t *ngx_http_podi_channel_set(
    ngx_http_podi_channel_main_conf_t *cmcf);

/* by app key, host or path: OK, DECLINED (none), ERROR */
podi_rc_t ngx_http_podi_channel_find(ngx_http_request_t *r,
    const ngx_http_podi_channel_main_conf_t *cmcf,
    const ngx_http_podi_channel_set_t *set,
    const ngx_podi_channel_t **ret_channel, podi_fail_t *fail);

/* by its name; NULL: there is none */
const ngx_podi_channel_t *ngx_http_podi_channel_named(
    const ngx_http_podi_channel_set_t *set, const podi_str_t *name);

/* a source of metrics */
void ngx_http_podi_channel_metrics(podi_buf_t *b);

/* what is put over the configuration: up and down with the process */
ngx_int_t ngx_http_podi_overlay_start(ngx_cycle_t *cycle);
void ngx_http_podi_overlay_stop(ngx_cycle_t *cycle);

/* a set of a text as api.channel_overlay gives it; NULL: it cannot be used */
ngx_http_podi_channel_set_t *ngx_http_podi_channel_set_read(
    const ngx_http_podi_channel_main_conf_t *cmcf, const podi_str_t *text);
void ngx_http_podi_channel_set_release(ngx_http_podi_channel_set_t *set);


#endif /* NGX_HTTP_PODI_CHANNEL_H */
