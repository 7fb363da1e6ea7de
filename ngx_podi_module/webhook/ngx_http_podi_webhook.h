/*
 * ngx_http_podi_webhook: what the files of webhook share.
 *
 *     _module.c    directives
 *     _conf.c      a third party: its description, its secret or keys
 *     _token.c     the token of the URL, out of every log
 *     _call.c      POST /v1/providers/{provider}/webhook/{token}
 */

#ifndef NGX_HTTP_PODI_WEBHOOK_H
#define NGX_HTTP_PODI_WEBHOOK_H


#include "ngx_podi_core.h"
#include "podi_callback.h"
#include "podi_provider.h"


typedef struct {
    podi_str_t            name;
    podi_provider_t      *description;
    podi_provider_key_t   key;          /* of its signatures */
    ngx_uint_t            n_keys;       /* 0: its kind needs none */
    json_t               *jwks;         /* NULL: its kind needs none */
} ngx_http_podi_webhook_provider_t;

typedef struct {
    podi_secret_t        *key;          /* of tokens */
    ngx_array_t           providers;    /* of the above */
} ngx_http_podi_webhook_main_conf_t;

typedef struct {
    ngx_flag_t            on;
} ngx_http_podi_webhook_loc_conf_t;


extern ngx_module_t  ngx_http_podi_webhook_module;


/* NULL: there is none */
const ngx_http_podi_webhook_provider_t *ngx_http_podi_webhook_find(
    const ngx_http_podi_webhook_main_conf_t *wmcf, const podi_str_t *name);

char *ngx_http_podi_webhook_provider(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* REWRITE: before anything is said of the request */
ngx_int_t ngx_http_podi_webhook_hide(ngx_http_request_t *r);

/* what hide has taken; "" when it was not there */
podi_str_t ngx_http_podi_webhook_token(ngx_http_request_t *r);

ngx_int_t ngx_http_podi_webhook_call(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_WEBHOOK_H */
