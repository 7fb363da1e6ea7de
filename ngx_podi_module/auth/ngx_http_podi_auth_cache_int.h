/*
 * ngx_http_podi_auth_cache_int: what the files of the cache share.
 *
 *     auth_cache.c      the front: get and put, packing, the directive
 *     auth_cache_l1.c   entries of this worker, by the token's bytes
 *     auth_cache_l2.c   entries of all workers, by SHA-256
 */

#ifndef NGX_HTTP_PODI_AUTH_CACHE_INT_H
#define NGX_HTTP_PODI_AUTH_CACHE_INT_H


#include "ngx_http_podi_auth_cache.h"
#include "ngx_http_podi_auth_keys.h"
#include "podi_hash.h"


#define CACHE_STRINGS    12             /* of an identity */
#define CACHE_TOKEN_MIN  32             /* the hash reads so much */
#define CACHE_TOKEN_MAX  PODI_JOSE_TOKEN_MAX
#define CACHE_PACK_MAX   8192

/*
 * An identity in one piece, without a pointer: what an entry holds.  The bytes
 * of its strings follow, one after the other.
 */

typedef struct {
    uint32_t                     size;       /* with all that follows */
    uint16_t                     lens[CACHE_STRINGS];
    uint16_t                     known;
    uint16_t                     ours;
    time_t                       issued;
    time_t                       expires;
    ngx_http_podi_auth_basis_t   basis;
    ngx_podi_marks_t             marks;
} ngx_http_podi_auth_pack_t;

typedef struct {
    ngx_uint_t                   policy;
    podi_str_t                   token;
} ngx_http_podi_auth_key_t;

typedef struct ngx_http_podi_auth_l1_s  ngx_http_podi_auth_l1_t;

/* in the configuration; const after it */

typedef struct {
    ngx_shm_zone_t              *zone;
    ngx_uint_t                   epoch;      /* of this configuration */
} ngx_http_podi_auth_l2_t;

struct ngx_http_podi_auth_cache_s {
    size_t                       size;       /* of the zone; 0: none */
    ngx_int_t                    entries;    /* of the first one */
    ngx_http_podi_auth_l2_t      l2;
    ngx_http_podi_auth_l1_t     *l1;         /* written by init_process only */
    unsigned                     set:1;
};


/* still good for a request that comes now? */
ngx_uint_t ngx_http_podi_auth_pack_holds(
    const ngx_http_podi_auth_pack_t *pack);

ngx_http_podi_auth_l1_t *ngx_http_podi_auth_l1_create(ngx_pool_t *pool,
    ngx_uint_t entries);

/* NULL: not there; valid until the next put */
const ngx_http_podi_auth_pack_t *ngx_http_podi_auth_l1_find(
    ngx_http_podi_auth_l1_t *l1, const ngx_http_podi_auth_key_t *key);
void ngx_http_podi_auth_l1_put(ngx_http_podi_auth_l1_t *l1,
    const ngx_http_podi_auth_key_t *key,
    const ngx_http_podi_auth_pack_t *pack);

ngx_int_t ngx_http_podi_auth_l2_add(ngx_conf_t *cf,
    ngx_http_podi_auth_l2_t *l2, size_t size);

/* what l2_find and l2_put go by */
podi_rc_t ngx_http_podi_auth_l2_digest(const ngx_http_podi_auth_l2_t *l2,
    const ngx_http_podi_auth_key_t *key, u_char *ret_digest);

/* a copy in memory of the pool; NULL: not there, or not readable whole */
ngx_http_podi_auth_pack_t *ngx_http_podi_auth_l2_find(
    const ngx_http_podi_auth_l2_t *l2, const u_char *digest,
    ngx_pool_t *pool);
void ngx_http_podi_auth_l2_put(const ngx_http_podi_auth_l2_t *l2,
    const u_char *digest, const ngx_http_podi_auth_pack_t *pack);


#endif /* NGX_HTTP_PODI_AUTH_CACHE_INT_H */
