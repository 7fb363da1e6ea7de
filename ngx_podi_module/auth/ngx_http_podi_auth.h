/*
 * ngx_http_podi_auth: what the files of auth know of each other.
 */

#ifndef NGX_HTTP_PODI_AUTH_H
#define NGX_HTTP_PODI_AUTH_H


#include "ngx_http_podi_auth_issuer.h"
#include "ngx_podi_api_key.h"
#include "ngx_podi_token.h"


typedef struct ngx_http_podi_auth_feed_s   ngx_http_podi_auth_feed_t;
typedef struct ngx_http_podi_auth_fetch_s  ngx_http_podi_auth_fetch_t;
typedef struct ngx_http_podi_auth_cache_s  ngx_http_podi_auth_cache_t;
typedef struct ngx_http_podi_auth_ctx_s    ngx_http_podi_auth_ctx_t;

#define NGX_HTTP_PODI_SOURCES_MAX  8

typedef enum {
    NGX_HTTP_PODI_AUTH_OFF,
    NGX_HTTP_PODI_AUTH_ON,
    NGX_HTTP_PODI_AUTH_OPTIONAL
} ngx_http_podi_auth_mode_e;

typedef enum {
    NGX_HTTP_PODI_SOURCE_BEARER,            /* Authorization */
    NGX_HTTP_PODI_SOURCE_HEADER,
    NGX_HTTP_PODI_SOURCE_COOKIE,
    NGX_HTTP_PODI_SOURCE_QUERY,
    NGX_HTTP_PODI_SOURCE_API_KEY
} ngx_http_podi_source_e;

typedef struct {
    ngx_http_podi_source_e        kind;
    ngx_str_t                     name;     /* NUL; headers: lower case */
} ngx_http_podi_source_t;

typedef enum {
    NGX_HTTP_PODI_WANT_ROLE,
    NGX_HTTP_PODI_WANT_SCOPE,
    NGX_HTTP_PODI_WANT_TENANT,
    NGX_HTTP_PODI_WANT_LAST
} ngx_http_podi_want_e;

/* one of these words does */

typedef struct {
    ngx_http_podi_want_e          kind;
    ngx_array_t                   words;    /* podi_str_t */
    podi_str_t                    all;      /* "read write" */
} ngx_http_podi_want_t;

typedef struct {
    ngx_uint_t                    used;     /* podi_auth on, somewhere */
    ngx_array_t                   issuers;  /* ngx_http_podi_issuer_t *; the
                                               first is ours, or NULL */
    ngx_array_t                   policies; /* ngx_http_podi_policy_t * */
    time_t                        stale;    /* podi_revocation_stale */
    ngx_http_podi_auth_cache_t   *cache;
    ngx_uint_t                    remotes;  /* issuers with a jwks_url */
    ngx_http_podi_auth_feed_t    *feed;     /* written by init_process only */
    ngx_http_podi_auth_fetch_t   *fetch;    /* ... so is this */
} ngx_http_podi_auth_main_conf_t;

typedef struct {
    ngx_uint_t                    mode;
    ngx_array_t                  *issuers;  /* ngx_str_t: names */
    ngx_array_t                  *sources;  /* ngx_http_podi_source_t */
    ngx_array_t                  *wants;    /* ngx_http_podi_want_t */
    ngx_array_t                  *rules;    /* podi_claim_rule_t * */
    ngx_flag_t                    strip;
    ngx_str_t                     login;        /* a path; "": nowhere */
    ngx_uint_t                    api_keys;     /* are taken, after merge */
    ngx_uint_t                    wants_here;   /* in a location */
    const ngx_http_podi_policy_t *policy;
} ngx_http_podi_auth_loc_conf_t;

typedef enum {
    NGX_HTTP_PODI_AWAIT_NOTHING,
    NGX_HTTP_PODI_AWAIT_KEYS,
    NGX_HTTP_PODI_AWAIT_API_KEY,
    NGX_HTTP_PODI_AWAIT_SESSION
} ngx_http_podi_await_e;

/* of one request, over its internal redirects */

struct ngx_http_podi_auth_ctx_s {
    ngx_http_request_t                   *request;
    const ngx_http_podi_auth_loc_conf_t  *conf;     /* under which it began */
    podi_str_t                            token;    /* NULL data: none */
    podi_str_t                            beside;   /* a cookie's, another */
    ngx_array_t                          *kept;     /* ngx_table_elt_t */
    ngx_str_t                             kept_cookies;
    ngx_str_t                             kept_args;
    ngx_podi_credential_e                 credential;
    ngx_podi_identity_t                   who;      /* not yet believed */
    const ngx_http_podi_issuer_t         *issuer;   /* whose keys are awaited */
    ngx_http_podi_await_e                 await;
    const podi_fail_t                    *fail;     /* NULL: none */
    unsigned                              decided:1;
    unsigned                              charged:1;    /* for a failure */
    unsigned                              honest:1;     /* perhaps: do not */
};


extern ngx_module_t  ngx_http_podi_auth_module;

/* made when it is not there; NULL: no memory */
ngx_http_podi_auth_ctx_t *ngx_http_podi_auth_ctx(ngx_http_request_t *r);

/*
 * The token that the request carries, by the sources of its location, into
 * ctx: OK, DECLINED (none), or ERROR.
 */
podi_rc_t ngx_http_podi_auth_credential(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);

/* is the token that came beside it, if any, of the same session? */
podi_rc_t ngx_http_podi_auth_beside(const ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail);

/*
 * Reads ctx->token into ctx->who, under the policy of its location.  OK; ERROR
 * with `fail`; AGAIN: ctx->issuer has to fetch its keys first.
 */
podi_rc_t ngx_http_podi_auth_verify(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);

/* who the claims of an issuer speak for; strings belong to the request */
podi_rc_t ngx_http_podi_auth_identity(ngx_http_request_t *r,
    const ngx_http_podi_issuer_t *is, const json_t *claims,
    ngx_podi_identity_t *who, podi_fail_t *fail);

/* do all rules hold?  `error` with the one that does not */
podi_rc_t ngx_http_podi_auth_rules(const ngx_array_t *rules,
    const json_t *claims, podi_error_e error, podi_fail_t *fail);

/*
 * The claims in a token, as they came and parsed; of one that is not verified
 * they are not to be believed.  NULL: there are none; they belong to mem.
 */
podi_str_t ngx_http_podi_auth_payload(const podi_str_t *token);
const json_t *ngx_http_podi_auth_claims(const podi_str_t *payload,
    podi_mem_t *mem);

/* asks others for what ctx awaits; what the phase handler returns */
ngx_int_t ngx_http_podi_auth_await(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, ngx_http_podi_await_e await);

/* the last steps of that: what is revoked of ctx->who? */
podi_rc_t ngx_http_podi_auth_ask_session(podi_flow_t *f, void *ctx);
podi_rc_t ngx_http_podi_auth_take_session(podi_flow_t *f, void *ctx);

/* the verdict about ctx->who, in ctx; AGAIN: its session is to be asked for */
podi_rc_t ngx_http_podi_auth_live(ngx_http_podi_auth_ctx_t *ctx);

/* no: what is said, later */
void ngx_http_podi_auth_deny(ngx_http_podi_auth_ctx_t *ctx,
    const podi_fail_t *fail);

/* what podi_require wants and `who` lacks; NULL: nothing */
const ngx_http_podi_want_t *ngx_http_podi_auth_lacks(
    const ngx_http_podi_auth_loc_conf_t *alcf, const ngx_podi_identity_t *who);

const char *ngx_http_podi_auth_want_name(const ngx_http_podi_want_t *want);

/*
 * For who is refused with 401: a browser that shows a page goes to
 * podi_auth_login.  What ends the request, or DECLINED: the refusal is said.
 */
ngx_int_t ngx_http_podi_auth_to_login(ngx_http_request_t *r,
    const ngx_http_podi_auth_ctx_t *ctx, const podi_fail_t *fail);

/* the phase handlers */
ngx_int_t ngx_http_podi_auth_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_podi_auth_strip_handler(ngx_http_request_t *r);

/* directives */
char *ngx_http_podi_auth_jwks(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_issuer_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_issuer_names(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_sources(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_realm(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_auth_login(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* `jwks_url` of a podi_issuer, in cf->args */
char *ngx_http_podi_auth_remote(ngx_conf_t *cf, ngx_http_podi_issuer_t *is);

/* at the end of the http block: ours, when podi_token_* are there */
char *ngx_http_podi_auth_issuer_ours(ngx_conf_t *cf,
    ngx_http_podi_auth_main_conf_t *amcf);

/* header and cookie, and API keys where tokens of ours are taken */
char *ngx_http_podi_auth_sources_merge(ngx_conf_t *cf,
    ngx_http_podi_auth_loc_conf_t *prev, ngx_http_podi_auth_loc_conf_t *conf);

/* who is asked in a location; NULL: a sentence is in the log */
const ngx_http_podi_policy_t *ngx_http_podi_auth_policy(ngx_conf_t *cf,
    ngx_http_podi_auth_main_conf_t *amcf,
    const ngx_http_podi_auth_loc_conf_t *alcf);

/* $podi_user and its like */
ngx_int_t ngx_http_podi_auth_variables(ngx_conf_t *cf);

/* the feed of revoked sessions, up and down with the process */
ngx_int_t ngx_http_podi_auth_feed_start(ngx_cycle_t *cycle);
void ngx_http_podi_auth_feed_stop(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_PODI_AUTH_H */
