/*
 * ngx_http_podi_auth_issuer: whom we believe, and about what.
 *
 *     podi_issuer NAME { ... }  -> one of these, const after configuration
 *     podi_token_* of core      -> the one called "podi", of PODI's own tokens
 *
 * A location has a policy: which of them it asks, and which claims it wants.
 * A verified token is good for one policy only; locations that decide alike
 * share one.
 */

#ifndef NGX_HTTP_PODI_AUTH_ISSUER_H
#define NGX_HTTP_PODI_AUTH_ISSUER_H


#include "ngx_podi_core.h"
#include "podi_claim.h"


#define NGX_HTTP_PODI_ISSUERS_MAX  64

/* from which claim a field of the identity comes */

typedef enum {
    NGX_HTTP_PODI_MAP_USER,
    NGX_HTTP_PODI_MAP_TENANT,
    NGX_HTTP_PODI_MAP_ROLE,
    NGX_HTTP_PODI_MAP_SESSION,
    NGX_HTTP_PODI_MAP_SCOPE,
    NGX_HTTP_PODI_MAP_CHANNEL,
    NGX_HTTP_PODI_MAP_PLAN,
    NGX_HTTP_PODI_MAP_LAST
} ngx_http_podi_map_e;

typedef struct ngx_http_podi_remote_s  ngx_http_podi_remote_t;

typedef struct {
    ngx_str_t                   name;
    ngx_uint_t                  index;      /* in the configuration; 0: ours */
    ngx_uint_t                  ours;       /* "podi" */
    podi_jose_expect_t          expect;     /* all but the time */
    podi_jose_accept_t          accept;     /* which keys it may have */
    podi_jose_ring_t           *ring;       /* of files; NULL: jwks_url */
    ngx_http_podi_remote_t     *remote;     /* jwks_url; NULL: files */
    ngx_array_t                 rules;      /* podi_claim_rule_t * */
    const podi_claim_path_t    *map[NGX_HTTP_PODI_MAP_LAST];
} ngx_http_podi_issuer_t;

typedef struct {
    ngx_uint_t                  id;         /* in the configuration, from 1 */
    ngx_array_t                 issuers;    /* ngx_http_podi_issuer_t * */
    ngx_array_t                *rules;      /* podi_claim_rule_t *, or NULL */
    size_t                      token_max;  /* of the most generous issuer */
    ngx_uint_t                  ours;       /* PODI is one of them */
} ngx_http_podi_policy_t;


/* a block that is being read: files are, when all lines are known */

typedef struct {
    ngx_str_t                   path;       /* NULL data: there is none */
    podi_str_t                  kid;
    unsigned                    algs;       /* 0: those of the issuer */
} ngx_http_podi_issuer_file_t;

typedef struct {
    ngx_http_podi_issuer_t       *is;
    ngx_http_podi_issuer_file_t   set;      /* jwks_file */
    ngx_http_podi_issuer_file_t   files[PODI_JOSE_KEYS_MAX];
    ngx_uint_t                    n;
} ngx_http_podi_issuer_block_t;


/* a line of the block; conf: the block */
char *ngx_http_podi_issuer_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);

ngx_http_podi_issuer_t *ngx_http_podi_issuer_make(ngx_conf_t *cf);
char *ngx_http_podi_issuer_end(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);

/* says what is wrong with a line's word or a file; gives NGX_CONF_ERROR */
char *ngx_http_podi_issuer_fail(ngx_conf_t *cf, const ngx_str_t *what,
    const podi_fail_t *fail);

/* of the running configuration; NULL: there is none such */
const ngx_http_podi_issuer_t *ngx_http_podi_issuer_at(ngx_uint_t index);
const ngx_http_podi_issuer_t *ngx_http_podi_issuer_named(
    const podi_str_t *name);


#endif /* NGX_HTTP_PODI_AUTH_ISSUER_H */
