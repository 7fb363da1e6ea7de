/*
 * ngx_http_podi_auth_cache: tokens that were found good, so that the next
 * request with the same one costs no cryptography.
 *
 *     get -> L1: this worker's; the token's own bytes are compared
 *         -> L2: all workers'; SHA-256 of the token, in shared memory
 *         -> DECLINED: read and verify it, then put
 *
 * An entry holds for one policy, under one configuration (a reload begins
 * anew), and as long as its issuer's keys are of the same generation.  What
 * does not fit evicts what was used longest ago.  An entry that cannot be
 * read whole is none: whoever gets OK holds what was put for this token.
 *
 * Its end is looked at with each hit.  Revocation is not: that is the next
 * thing to ask (ngx_podi_identity_state).
 */

#ifndef NGX_HTTP_PODI_AUTH_CACHE_H
#define NGX_HTTP_PODI_AUTH_CACHE_H


#include "ngx_http_podi_auth.h"


/* what an entry stands on; it is none when one of them no longer holds */

typedef struct {
    ngx_uint_t   issuer;        /* its number in the configuration; 0: ours */
    ngx_uint_t   generation;    /* of the issuer's keys, when it was verified */
    time_t       until;         /* exp, or sooner; the first bad second */
} ngx_http_podi_auth_basis_t;


/*
 * OK: the identity, but for `credential`, with its strings in memory of the
 * request; decision.cache says l1 or l2.  DECLINED: not known (miss).
 *
 * policy: a number of each distinct set of issuers and rules of the
 * configuration; entries of one are not seen under another.
 */
podi_rc_t ngx_http_podi_auth_cache_get(ngx_http_request_t *r,
    ngx_uint_t policy, const podi_str_t *token,
    ngx_podi_identity_t *ret_who);

/*
 * After the whole verification; without room, or when off, nothing is kept.
 * who->marks is set: what made the entry need not be made again.
 */
void ngx_http_podi_auth_cache_put(ngx_http_request_t *r, ngx_uint_t policy,
    const podi_str_t *token, ngx_podi_identity_t *who,
    const ngx_http_podi_auth_basis_t *basis);

/* `podi_token_cache size [l1=entries] | off;` and the life of both levels */
char *ngx_http_podi_auth_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_http_podi_auth_cache_t *ngx_http_podi_auth_cache_create(ngx_conf_t *cf);
ngx_int_t ngx_http_podi_auth_cache_init(ngx_conf_t *cf);
ngx_int_t ngx_http_podi_auth_cache_start(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_PODI_AUTH_CACHE_H */
