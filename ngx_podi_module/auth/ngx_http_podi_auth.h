/*
 * ngx_http_podi_auth: what the files of auth know of each other.
 */

#ifndef NGX_HTTP_PODI_AUTH_H
#define NGX_HTTP_PODI_AUTH_H


#include "ngx_podi_core.h"
#include "ngx_podi_token.h"


typedef struct ngx_http_podi_auth_feed_s   ngx_http_podi_auth_feed_t;
typedef struct ngx_http_podi_auth_cache_s  ngx_http_podi_auth_cache_t;

typedef struct {
    ngx_uint_t                   used;      /* podi_auth on, somewhere */
    time_t                       stale;     /* podi_revocation_stale */
    ngx_http_podi_auth_cache_t  *cache;
    ngx_http_podi_auth_feed_t   *feed;      /* written by init_process only */
} ngx_http_podi_auth_main_conf_t;

typedef struct {
    ngx_flag_t                  on;
} ngx_http_podi_auth_loc_conf_t;

typedef struct {
    ngx_http_request_t         *request;
    ngx_podi_identity_t         who;        /* not yet believed */
    unsigned                    decided:1;
} ngx_http_podi_auth_ctx_t;


extern ngx_module_t  ngx_http_podi_auth_module;

/* the token that the request carries: OK, DECLINED (none), or ERROR */
podi_rc_t ngx_http_podi_auth_credential(ngx_http_request_t *r,
    podi_str_t *ret_token, podi_fail_t *fail);

/* asks PostgreSQL what is revoked of ctx->who; what the handler returns */
ngx_int_t ngx_http_podi_auth_session(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx);

/* may the request go on without an identity? */
ngx_uint_t ngx_http_podi_auth_is_optional(ngx_http_request_t *r);

/* believes ctx->who */
void ngx_http_podi_auth_accept(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx);

/* `podi_jwks;` */
char *ngx_http_podi_auth_jwks(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the feed of revoked sessions, up and down with the process */
ngx_int_t ngx_http_podi_auth_feed_start(ngx_cycle_t *cycle);
void ngx_http_podi_auth_feed_stop(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_PODI_AUTH_H */
