/*
 * ngx_podi_token: access tokens of PODI's own, made and read.
 *
 *     typ at+jwt (RFC 9068): iss aud sub client_id iat exp jti sid tid rol src
 *                            chn
 */

#ifndef NGX_PODI_TOKEN_H
#define NGX_PODI_TOKEN_H


#include "ngx_podi.h"


/* carries an access token */
#define NGX_PODI_ACCESS_COOKIE  "__Host-podi_s"

typedef struct {
    podi_str_t  session;
    podi_str_t  user;
    podi_str_t  tenant;
    podi_str_t  role;
    podi_str_t  source;             /* identity_source */
    podi_str_t  channel;            /* that it is bound to; "": none */
} ngx_podi_grant_t;


/* an access token for a session; *ret_expires in seconds since 1970 */
PODI_MUSTCHECK podi_rc_t ngx_podi_token_mint(ngx_http_request_t *r,
    const ngx_podi_grant_t *grant, podi_str_t *ret_token,
    time_t *ret_expires);

/*
 * Who the token speaks for; the strings belong to the request.  TOKEN_INVALID
 * or TOKEN_EXPIRED.  Whether the session still lives is not looked at.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_token_read(ngx_http_request_t *r,
    const podi_str_t *token, ngx_podi_identity_t *ret_identity,
    podi_fail_t *fail);

/* the same of claims that auth has verified, into a zeroed identity */
PODI_MUSTCHECK podi_rc_t ngx_podi_token_identity(ngx_http_request_t *r,
    const json_t *claims, ngx_podi_identity_t *who, podi_fail_t *fail);

/*
 * A statement for anybody and for ever, by the same key: {iss, aud, iat, sub,
 * tid, <name>: <json>}, about the caller.  Type and audience keep it apart from
 * access tokens.
 */
typedef struct {
    const char  *typ;
    const char  *aud;
    const char  *name;
    podi_str_t   json;
} ngx_podi_statement_t;

PODI_MUSTCHECK podi_rc_t ngx_podi_token_statement(ngx_http_request_t *r,
    const ngx_podi_statement_t *statement, podi_str_t *ret_token,
    podi_fail_t *fail);

/* for /.well-known/jwks.json */
PODI_MUSTCHECK podi_rc_t ngx_podi_token_jwks(ngx_http_request_t *r,
    podi_str_t *ret_text);

/* a directive needs the token key, the issuer and the audience */
void ngx_podi_token_needed(ngx_conf_t *cf);


#endif /* NGX_PODI_TOKEN_H */
