/*
 * ngx_podi_shm: the zone that podi_zone makes, and who has ended in it.
 *
 * Nothing in it points into a process.  A reader takes no lock: an entry is
 * written before its `until` is, and a slot is used again only when its old
 * entry has expired.
 */

#include "ngx_podi_shm.h"


static ngx_podi_revoked_t *ngx_podi_revoked_bucket(ngx_podi_shm_t *shm,
    const u_char *sid);
static podi_rc_t ngx_podi_revoked_key(const podi_str_t *text, u_char *sid);


ngx_int_t
ngx_podi_shm_init(ngx_shm_zone_t *zone, void *data)
{
    size_t                 size;
    ngx_podi_shm_t        *shm;
    ngx_slab_pool_t       *pool;
    ngx_podi_main_conf_t  *pmcf = zone->data;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists || pool->data != NULL) {
        return ngx_podi_metric_bind(pmcf);
    }

    shm = ngx_slab_calloc(pool, sizeof(ngx_podi_shm_t));
    if (shm == NULL) {
        return NGX_ERROR;
    }

    shm->magic = NGX_PODI_SHM_MAGIC;

    /* a quarter of the zone at most; the cells need the rest */

    size = NGX_PODI_BUCKET_SIZE * sizeof(ngx_podi_revoked_t);

    for (shm->buckets = 64;
         shm->buckets * 2 * size <= zone->shm.size / 4;
         shm->buckets *= 2)
    {
        /* void */
    }

    shm->revoked = ngx_slab_calloc(pool, shm->buckets * size);
    if (shm->revoked == NULL) {
        return NGX_ERROR;
    }

    pool->data = shm;
    pool->log_nomem = 0;

    return ngx_podi_metric_bind(pmcf);
}


ngx_slab_pool_t *
ngx_podi_shm_pool(void)
{
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    if (pmcf == NULL || pmcf->zone == NULL) {
        return NULL;
    }

    return (ngx_slab_pool_t *) pmcf->zone->shm.addr;
}


ngx_podi_shm_t *
ngx_podi_shm(void)
{
    ngx_slab_pool_t  *pool;

    pool = ngx_podi_shm_pool();

    return (pool == NULL) ? NULL : pool->data;
}


ngx_podi_feed_t *
ngx_podi_feed(void)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return (shm == NULL) ? NULL : &shm->feed;
}


void
ngx_podi_revoke_session(const podi_str_t *text)
{
    time_t               now, until;
    u_char               sid[16];
    ngx_uint_t           i;
    ngx_podi_shm_t      *shm;
    ngx_slab_pool_t     *pool;
    ngx_podi_revoked_t  *e, *slot;

    pool = ngx_podi_shm_pool();

    if (pool == NULL || ngx_podi_revoked_key(text, sid) != PODI_OK) {
        return;
    }

    shm = pool->data;
    now = ngx_time();
    until = now + NGX_PODI_TOKEN_LIFE + NGX_PODI_TOKEN_LEEWAY;
    slot = NULL;

    ngx_shmtx_lock(&pool->mutex);

    e = ngx_podi_revoked_bucket(shm, sid);

    for (i = 0; i < NGX_PODI_BUCKET_SIZE; i++, e++) {

        if ((time_t) e->until <= now) {
            slot = (slot == NULL) ? e : slot;

        } else if (ngx_memcmp(e->sid, sid, 16) == 0) {
            ngx_shmtx_unlock(&pool->mutex);
            return;
        }
    }

    if (slot != NULL) {
        slot->until = 0;
        ngx_memory_barrier();
        ngx_memcpy(slot->sid, sid, 16);
        ngx_memory_barrier();
        slot->until = (ngx_atomic_uint_t) until;

    } else {
        shm->feed.blind_until = (ngx_atomic_uint_t) until;
    }

    ngx_shmtx_unlock(&pool->mutex);
}


ngx_podi_revoked_e
ngx_podi_session_state(const podi_str_t *text)
{
    time_t               now;
    u_char               sid[16];
    ngx_uint_t           i;
    ngx_podi_shm_t      *shm;
    ngx_podi_revoked_t  *e;

    shm = ngx_podi_shm();

    if (shm == NULL || ngx_podi_revoked_key(text, sid) != PODI_OK) {
        return NGX_PODI_UNKNOWN;
    }

    now = ngx_time();
    e = ngx_podi_revoked_bucket(shm, sid);

    for (i = 0; i < NGX_PODI_BUCKET_SIZE; i++, e++) {
        if ((time_t) e->until > now && ngx_memcmp(e->sid, sid, 16) == 0) {
            return NGX_PODI_REVOKED;
        }
    }

    if ((time_t) shm->feed.synced + NGX_PODI_FEED_STALE < now
        || (time_t) shm->feed.blind_until > now)
    {
        return NGX_PODI_UNKNOWN;
    }

    return NGX_PODI_LIVE;
}


ngx_uint_t
ngx_podi_revoked_count(void)
{
    time_t           now;
    ngx_uint_t       i, n;
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();
    if (shm == NULL) {
        return 0;
    }

    now = ngx_time();
    n = 0;

    for (i = 0; i < shm->buckets * NGX_PODI_BUCKET_SIZE; i++) {
        n += ((time_t) shm->revoked[i].until > now);
    }

    return n;
}


static ngx_podi_revoked_t *
ngx_podi_revoked_bucket(ngx_podi_shm_t *shm, const u_char *sid)
{
    ngx_uint_t  hash;

    hash = ngx_murmur_hash2((u_char *) sid, 16) & (shm->buckets - 1);

    return &shm->revoked[hash * NGX_PODI_BUCKET_SIZE];
}


static podi_rc_t
ngx_podi_revoked_key(const podi_str_t *text, u_char *sid)
{
    u_char      hex[32];
    size_t      i, n;
    podi_str_t  digits;

    n = 0;

    for (i = 0; i < text->len && n < sizeof(hex); i++) {
        if (text->data[i] != '-') {
            hex[n++] = text->data[i];
        }
    }

    digits.len = n;
    digits.data = hex;

    return (text->len == PODI_ID_LEN) ? podi_hex_decode(sid, 16, &digits)
                                      : PODI_ERROR;
}
