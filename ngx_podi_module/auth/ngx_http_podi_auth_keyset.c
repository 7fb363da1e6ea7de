/*
 * ngx_http_podi_auth_keyset: a zone an issuer, which holds its last good
 * document.
 *
 * The text is written and copied under a lock of its own.  A process that dies
 * while it writes leaves a text that is not its digest's: it is not believed,
 * and fetched again.
 *
 * Times are those of the monotonic clock: they do not outlive the machine, and
 * a wall clock that is set back must not keep old keys.
 *
 * A generation is the time of its publication, so that a zone which was made
 * anew does not repeat the numbers of the former one.
 */

#include "ngx_http_podi_auth_remote.h"
#include "ngx_podi_lock.h"
#include "podi_hash.h"


#define KEYSET_BACKOFF_MAX  30          /* seconds, without any keys */


static ngx_http_podi_missing_t *keyset_missing(
    const ngx_http_podi_keyset_t *set, const podi_str_t *kid,
    ngx_uint_t *ret_hash);


ngx_int_t
ngx_http_podi_keyset_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists || pool->data != NULL) {
        return NGX_OK;
    }

    pool->data = ngx_slab_calloc(pool, sizeof(ngx_http_podi_keyset_t));

    return (pool->data != NULL) ? NGX_OK : NGX_ERROR;
}


ngx_http_podi_keyset_t *
ngx_http_podi_keyset(const ngx_http_podi_remote_t *remote)
{
    ngx_slab_pool_t  *pool = (ngx_slab_pool_t *) remote->zone->shm.addr;

    return (pool == NULL) ? NULL : pool->data;
}


time_t
ngx_http_podi_keyset_now(void)
{
    return (time_t) (ngx_current_msec / 1000);
}


ngx_uint_t
ngx_http_podi_keyset_is_good(const ngx_http_podi_remote_t *remote)
{
    const ngx_http_podi_keyset_t  *set;

    set = ngx_http_podi_keyset(remote);

    return set != NULL && set->generation != 0
           && (time_t) set->read + remote->stale > ngx_http_podi_keyset_now();
}


podi_rc_t
ngx_http_podi_keyset_copy(const ngx_http_podi_remote_t *remote,
    podi_mem_t *mem, podi_str_t *ret_text, ngx_uint_t *ret_generation)
{
    u_char                   digest[PODI_SHA256_LEN];
    podi_rc_t                rc;
    podi_str_t               text;
    ngx_slab_pool_t         *pool;
    ngx_http_podi_keyset_t  *set;

    pool = (ngx_slab_pool_t *) remote->zone->shm.addr;
    set = pool->data;

    if (ngx_podi_lock(&set->lock) == NGX_BUSY) {
        return PODI_ERROR;
    }

    text.len = set->len;
    text.data = set->text;

    rc = podi_sha256(&text, digest);

    if (rc == PODI_OK
        && ngx_memcmp(digest, set->digest, sizeof(digest)) != 0)
    {
        set->generation = 0;
        set->tried = 0;
        rc = PODI_ERROR;
    }

    if (rc == PODI_OK) {
        *ret_generation = set->generation;
        rc = podi_mem_dup(mem, &text, ret_text);
    }

    ngx_podi_unlock(&set->lock);

    return rc;
}


void
ngx_http_podi_keyset_publish(const ngx_http_podi_remote_t *remote,
    const podi_str_t *text, ngx_uint_t keys)
{
    u_char                   digest[PODI_SHA256_LEN];
    ngx_slab_pool_t         *pool;
    ngx_http_podi_keyset_t  *set;

    pool = (ngx_slab_pool_t *) remote->zone->shm.addr;
    set = pool->data;

    if (text->len > PODI_JOSE_SET_MAX || podi_sha256(text, digest) != PODI_OK)
    {
        return;
    }

    if (ngx_podi_lock(&set->lock) == NGX_BUSY) {
        return;                     /* read again, when the next one is due */
    }

    if (set->generation == 0
        || ngx_memcmp(digest, set->digest, sizeof(digest)) != 0)
    {
        ngx_memzero(set->digest, sizeof(digest));   /* torn, as yet */
        set->len = text->len;
        ngx_memcpy(set->text, text->data, text->len);
        ngx_memzero(set->missing, sizeof(set->missing));
        set->keys = keys;

        ngx_memory_barrier();

        set->generation = ngx_max(set->generation + 1,
                                  (ngx_atomic_uint_t) podi_time_now());

        ngx_memory_barrier();

        ngx_memcpy(set->digest, digest, sizeof(digest));
    }

    set->read = (ngx_atomic_uint_t) ngx_http_podi_keyset_now();

    ngx_podi_unlock(&set->lock);
}


ngx_uint_t
ngx_http_podi_keyset_is_missing(const ngx_http_podi_keyset_t *set,
    const podi_str_t *kid)
{
    ngx_uint_t                      hash;
    const ngx_http_podi_missing_t  *m;

    m = keyset_missing(set, kid, &hash);

    return m->hash == hash && (time_t) m->until > ngx_http_podi_keyset_now();
}


/* two that write one place at once forget one of them: it is asked for again */

void
ngx_http_podi_keyset_miss(const ngx_http_podi_remote_t *remote,
    const podi_str_t *kid)
{
    ngx_uint_t                hash;
    ngx_http_podi_missing_t  *m;

    m = keyset_missing(ngx_http_podi_keyset(remote), kid, &hash);

    m->until = 0;
    m->hash = hash;
    m->until = (ngx_atomic_uint_t)
               (ngx_http_podi_keyset_now() + 2 * remote->cooldown);
}


static ngx_http_podi_missing_t *
keyset_missing(const ngx_http_podi_keyset_t *set, const podi_str_t *kid,
    ngx_uint_t *ret_hash)
{
    ngx_uint_t  hash;

    hash = ngx_murmur_hash2(kid->data, kid->len);
    hash = hash << 32 | ngx_crc32_long(kid->data, kid->len);

    *ret_hash = hash;

    return (ngx_http_podi_missing_t *)
           &set->missing[(hash >> 32) % NGX_HTTP_PODI_REMOTE_MISSING];
}


ngx_uint_t
ngx_http_podi_keyset_is_leased(const ngx_http_podi_keyset_t *set)
{
    return (time_t) set->lease > ngx_http_podi_keyset_now();
}


ngx_uint_t
ngx_http_podi_keyset_lease(const ngx_http_podi_remote_t *remote)
{
    time_t                   now;
    ngx_atomic_uint_t        lease;
    ngx_http_podi_keyset_t  *set;

    now = ngx_http_podi_keyset_now();
    set = ngx_http_podi_keyset(remote);
    lease = set->lease;

    if ((time_t) lease > now
        || !ngx_atomic_cmp_set(&set->lease, lease, (ngx_atomic_uint_t)
                               (now + remote->timeout + 2)))
    {
        return 0;
    }

    set->owner = (ngx_atomic_uint_t) ngx_pid;
    set->tried = (ngx_atomic_uint_t) now;

    return 1;
}


/* without keys nobody gets in, so it is tried soon, and ever less often */

time_t
ngx_http_podi_keyset_due(const ngx_http_podi_remote_t *remote)
{
    time_t                         pause;
    const ngx_http_podi_keyset_t  *set;

    set = ngx_http_podi_keyset(remote);

    if (set->tried == 0) {
        return 0;
    }

    if (set->failing == 0 && ngx_http_podi_keyset_is_good(remote)) {
        return (time_t) set->tried + remote->refresh;
    }

    pause = (set->failing == 0) ? 1
            : (time_t) 1 << ngx_min(set->failing - 1, 5);

    return (time_t) set->tried + ngx_min(ngx_min(pause, KEYSET_BACKOFF_MAX),
                                         remote->refresh);
}
