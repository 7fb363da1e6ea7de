/*
 * wallet: the verbs of this directory, and what those of other servers share.
 */

#ifndef NGX_HTTP_PODI_WALLET_H
#define NGX_HTTP_PODI_WALLET_H


#include "ngx_podi.h"
#include "ngx_podi_param.h"


#define WALLET_BODY_MAX    4096
#define WALLET_POINTS_MAX  1000000000000000
#define WALLET_TTL_MAX     7776000000           /* ms: 90 days */
#define WALLET_REF_MAX     200                  /* characters */
#define WALLET_REASON_MAX  500


/* the Idempotency-Key, which is wanted, and the hash that it is bound to */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_wallet_key(podi_flow_t *f,
    ngx_http_request_t *r, podi_str_t *ret_key, podi_str_t *ret_hash);

/* the hold as the row in f->result has it; tells its events */
podi_rc_t ngx_http_podi_wallet_hold_reply(podi_flow_t *f,
    ngx_http_request_t *r, ngx_uint_t status);

ngx_int_t ngx_http_podi_wallet_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_entries(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_export(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_statement(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_balance(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_alert(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_freeze(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_confirm(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_release(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_WALLET_H */
