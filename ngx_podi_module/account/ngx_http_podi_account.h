/*
 * account: the verbs of this directory, and the session that register, login
 * and refresh have in common.
 */

#ifndef NGX_HTTP_PODI_ACCOUNT_H
#define NGX_HTTP_PODI_ACCOUNT_H


#include "ngx_podi.h"
#include "podi_refresh.h"
#include "podi_secret.h"


#define ACCOUNT_BODY_MAX            4096

/* __Host- would force Path=/, and the refresh token must go nowhere else */
#define ACCOUNT_REFRESH_COOKIE      "__Secure-podi_rt"
#define ACCOUNT_REFRESH_ATTRIBUTES  "Path=/v1/auth/refresh; SameSite=Strict"
#define ACCOUNT_ACCESS_ATTRIBUTES   "Path=/; SameSite=Lax"

typedef struct {
    podi_secret_t  *refresh_key;
    ngx_msec_t      idle;            /* a session that is not used ends */
    ngx_msec_t      lifetime;        /* and any session ends after this */
} ngx_http_podi_account_conf_t;

/* what a person types; both are judged in C before PostgreSQL sees them */

typedef struct {
    podi_str_t      login;           /* folded to lower case */
    podi_str_t      password;        /* exactly as typed */
    podi_str_t      display_name;
    podi_str_t      device_label;
} ngx_http_podi_account_form_t;


extern ngx_module_t  ngx_http_podi_account_module;


const ngx_http_podi_account_conf_t *ngx_http_podi_account_conf(
    ngx_http_request_t *r);

/*
 * Judges the login name (3..64 of a-z 0-9 . _ @ + -) and the password (its
 * length only: ASVS 5.0, 6.2.5 wants no composition rules); names for people
 * must be one line.
 */
podi_rc_t ngx_http_podi_account_form(ngx_http_request_t *r,
    ngx_http_podi_account_form_t *form, podi_fail_t *fail);

/*
 * The network that the client is in, "192.0.2.0/24" or "2001:db8:1::/48":
 * enough to tell a stranger by, too little to find a person with.
 */
podi_rc_t ngx_http_podi_account_prefix(ngx_http_request_t *r,
    podi_str_t *ret_prefix, podi_fail_t *fail);

/*
 * Answers with an access token, and sets both cookies, for the session row
 * that session_open or session_refresh gave.
 */
podi_rc_t ngx_http_podi_account_reply_session(podi_flow_t *f,
    ngx_http_request_t *r, const podi_pg_result_t *res);

/* takes both cookies back */
podi_rc_t ngx_http_podi_account_clear_cookies(ngx_http_request_t *r);

ngx_int_t ngx_http_podi_account_register(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_login(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_refresh(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_logout(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_logout_all(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_revoke(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_methods(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_me(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_api_key_create(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_api_key_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_account_api_key_revoke(ngx_http_request_t *r,
    const podi_str_t *args);

/* FORBIDDEN for who comes with an API key: those are not managed by another */
podi_rc_t ngx_http_podi_account_is_person(ngx_http_request_t *r,
    podi_fail_t *fail);


#endif /* NGX_HTTP_PODI_ACCOUNT_H */
