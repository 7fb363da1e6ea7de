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
#define NGX_HTTP_PODI_ISSUER_OURS  "podi"

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

typedef struct {
    ngx_str_t                   name;
    ngx_uint_t                  index;      /* in the configuration; 0: ours */
    ngx_uint_t                  ours;       /* "podi" */
    podi_jose_expect_t          expect;     /* all but the time */
    ngx_str_t                   iss;
    podi_jose_ring_t           *ring;       /* of files; NULL: jwks_url */
    ngx_str_t                   jwks_url;
    unsigned                    algs;       /* those allowed (podi_jose) */
    size_t                      token_max;
    ngx_array_t                 rules;      /* podi_claim_rule_t * */
    const podi_claim_path_t    *map[NGX_HTTP_PODI_MAP_LAST];
} ngx_http_podi_issuer_t;

typedef struct {
    ngx_uint_t                  id;         /* in the configuration, from 1 */
    ngx_array_t                 issuers;    /* ngx_http_podi_issuer_t * */
    ngx_array_t                *rules;      /* podi_claim_rule_t *, or NULL */
} ngx_http_podi_policy_t;


/* of the running configuration; NULL: there is none such */
const ngx_http_podi_issuer_t *ngx_http_podi_issuer_at(ngx_uint_t index);
const ngx_http_podi_issuer_t *ngx_http_podi_issuer_named(
    const podi_str_t *name);


#endif /* NGX_HTTP_PODI_AUTH_ISSUER_H */
