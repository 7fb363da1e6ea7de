/*
 * wallet: the verbs of this directory.
 */

#ifndef NGX_HTTP_PODI_WALLET_H
#define NGX_HTTP_PODI_WALLET_H


#include "ngx_podi.h"


ngx_int_t ngx_http_podi_wallet_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_wallet_entries(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_WALLET_H */
