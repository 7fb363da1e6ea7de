/*
 * ngx_podi_token: access tokens of our own.
 *
 * An `at+jwt` (RFC 9068), ES256, with the claims iss aud sub client_id iat
 * exp jti sid tid src rol.
 */

#ifndef NGX_PODI_TOKEN_H
#define NGX_PODI_TOKEN_H


#include "ngx_podi.h"


/* carries an access token where no header can be set; GET and HEAD only */
#define NGX_PODI_ACCESS_COOKIE  "__Host-podi_s"

typedef struct {
    podi_str_t   session;
    podi_str_t   user;
    podi_str_t   tenant;            /* UUID */
    podi_str_t   role;
    podi_str_t   source;            /* identity_source */
} ngx_podi_grant_t;


/* ERROR: no memory, or no key (which the configuration refuses) */
PODI_MUSTCHECK podi_rc_t ngx_podi_token_mint(ngx_http_request_t *r,
    const ngx_podi_grant_t *grant, podi_str_t *ret_token,
    time_t *ret_expires);


#endif /* NGX_PODI_TOKEN_H */
