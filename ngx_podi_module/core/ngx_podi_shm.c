/*
 * ngx_podi_shm: the zone that podi_zone makes, who has ended in it, and whose
 * ends are known in it.
 *
 * Nothing in it points into a process.  A reader takes no lock: an entry is
 * written before its `until` is, and a slot is used again only when its old
 * entry has expired.
 */

#include "ngx_podi_shm.h"


static ngx_podi_entry_t *ngx_podi_entry_bucket(ngx_podi_entry_t *table,
    ngx_uint_t buckets, const u_char *id);
static ngx_uint_t ngx_podi_entry_is_there(const ngx_podi_entry_t *bucket,
    const u_char *id);
static podi_rc_t ngx_podi_entry_put(ngx_podi_entry_t *bucket,
    const u_char *id, time_t until);
static podi_rc_t ngx_podi_entry_key(const podi_str_t *text, u_char *id);


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

    size = NGX_PODI_BUCKET_SIZE * sizeof(ngx_podi_entry_t);

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
    time_t             until;
    u_char             id[16];
    ngx_podi_shm_t    *shm;
    ngx_slab_pool_t   *pool;
    ngx_podi_entry_t  *bucket;

    pool = ngx_podi_shm_pool();

    if (pool == NULL || ngx_podi_entry_key(text, id) != PODI_OK) {
        return;
    }

    shm = pool->data;
    until = ngx_time() + NGX_PODI_TOKEN_LIFE + NGX_PODI_TOKEN_LEEWAY;
    bucket = ngx_podi_entry_bucket(shm->revoked, shm->buckets, id);

    ngx_shmtx_lock(&pool->mutex);

    if (ngx_podi_entry_put(bucket, id, until) != PODI_OK) {
        shm->feed.blind_until = (ngx_atomic_uint_t) until;
    }

    ngx_shmtx_unlock(&pool->mutex);
}


/* without room it is not covered, and its sessions are asked for */

void
ngx_podi_feed_covers(const podi_str_t *tenant, time_t read)
{
    u_char             id[16];
    ngx_podi_shm_t    *shm;
    ngx_slab_pool_t   *pool;
    ngx_podi_entry_t  *bucket;

    pool = ngx_podi_shm_pool();

    if (pool == NULL || ngx_podi_entry_key(tenant, id) != PODI_OK) {
        return;
    }

    shm = pool->data;
    bucket = ngx_podi_entry_bucket(shm->covered, NGX_PODI_TENANT_BUCKETS, id);

    ngx_shmtx_lock(&pool->mutex);

    (void) ngx_podi_entry_put(bucket, id, read + NGX_PODI_FEED_STALE + 1);

    ngx_shmtx_unlock(&pool->mutex);
}


ngx_podi_revoked_e
ngx_podi_session_state(const podi_str_t *sid)
{
    u_char             id[16];
    ngx_podi_shm_t    *shm;
    ngx_podi_entry_t  *bucket;

    shm = ngx_podi_shm();

    if (shm == NULL || ngx_podi_entry_key(sid, id) != PODI_OK) {
        return NGX_PODI_UNKNOWN;
    }

    bucket = ngx_podi_entry_bucket(shm->revoked, shm->buckets, id);

    return ngx_podi_entry_is_there(bucket, id) ? NGX_PODI_REVOKED
                                               : NGX_PODI_UNKNOWN;
}


/* the cover is looked at first: an end comes before the cover that knows it */

ngx_podi_revoked_e
ngx_podi_identity_state(const ngx_podi_identity_t *who)
{
    u_char             id[16];
    ngx_uint_t         covered;
    ngx_podi_shm_t    *shm;
    ngx_podi_entry_t  *bucket;

    shm = ngx_podi_shm();

    if (shm == NULL || ngx_podi_entry_key(&who->tenant, id) != PODI_OK) {
        return NGX_PODI_UNKNOWN;
    }

    bucket = ngx_podi_entry_bucket(shm->covered, NGX_PODI_TENANT_BUCKETS, id);

    covered = ngx_podi_entry_is_there(bucket, id)
              && (time_t) shm->feed.blind_until <= ngx_time();

    ngx_memory_barrier();

    if (ngx_podi_session_state(&who->session) == NGX_PODI_REVOKED) {
        return NGX_PODI_REVOKED;
    }

    return covered ? NGX_PODI_LIVE : NGX_PODI_UNKNOWN;
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


static ngx_podi_entry_t *
ngx_podi_entry_bucket(ngx_podi_entry_t *table, ngx_uint_t buckets,
    const u_char *id)
{
    ngx_uint_t  hash;

    hash = ngx_murmur_hash2((u_char *) id, 16) & (buckets - 1);

    return &table[hash * NGX_PODI_BUCKET_SIZE];
}


static ngx_uint_t
ngx_podi_entry_is_there(const ngx_podi_entry_t *bucket, const u_char *id)
{
    time_t      now;
    ngx_uint_t  i;

    now = ngx_time();

    for (i = 0; i < NGX_PODI_BUCKET_SIZE; i++, bucket++) {
        if ((time_t) bucket->until > now
            && ngx_memcmp(bucket->id, id, 16) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* under the lock; ERROR: there is no room */

static podi_rc_t
ngx_podi_entry_put(ngx_podi_entry_t *bucket, const u_char *id, time_t until)
{
    time_t             now;
    ngx_uint_t         i;
    ngx_podi_entry_t  *slot;

    now = ngx_time();
    slot = NULL;

    for (i = 0; i < NGX_PODI_BUCKET_SIZE; i++, bucket++) {

        if ((time_t) bucket->until <= now) {
            slot = (slot == NULL) ? bucket : slot;

        } else if (ngx_memcmp(bucket->id, id, 16) == 0) {
            bucket->until = (ngx_atomic_uint_t) until;
            return PODI_OK;
        }
    }

    if (slot == NULL) {
        return PODI_ERROR;
    }

    slot->until = 0;
    ngx_memory_barrier();
    ngx_memcpy(slot->id, id, 16);
    ngx_memory_barrier();
    slot->until = (ngx_atomic_uint_t) until;

    return PODI_OK;
}


static podi_rc_t
ngx_podi_entry_key(const podi_str_t *text, u_char *id)
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

    return (text->len == PODI_ID_LEN) ? podi_hex_decode(id, 16, &digits)
                                      : PODI_ERROR;
}
