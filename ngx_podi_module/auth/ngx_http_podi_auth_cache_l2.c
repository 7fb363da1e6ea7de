/*
 * The second level: entries of all workers, in a zone of their own.
 *
 *     SHA-256(epoch, policy, token) -> a set of 4 -> slot
 *
 *     slot: version | used | digest | pack      odd: somebody writes, or died
 *
 * Slots have one size and hold no pointer.  Readers take no lock: they copy
 * and believe the copy only when the version is even and stayed the same.
 * A writer holds the zone's lock and never waits for it: who cannot have it
 * keeps its entry to itself.  When one is killed half-way nginx's master opens
 * the lock, and the slot stays odd, which nobody reads, until the next writer
 * needs the place.
 *
 * The epoch is another one with each configuration, so nothing that was
 * verified by old rules or old key files is ever found.
 */

#include "ngx_http_podi_auth_cache_int.h"
#include "podi_fault.h"


#define L2_ZONE       "podi_token_1"    /* its version is that of the layout */
#define L2_WAYS       4
#define L2_SLOT       1024

typedef struct {
    ngx_atomic_t                 version;
    ngx_atomic_t                 used;       /* seconds */
    u_char                       digest[PODI_SHA256_LEN];
    ngx_http_podi_auth_pack_t    pack;
} l2_slot_t;

typedef struct {
    ngx_uint_t                   epoch;      /* of the newest configuration */
    ngx_uint_t                   sets;
    u_char                      *slots;
} l2_head_t;

#define L2_PACK_MAX  (L2_SLOT - offsetof(l2_slot_t, pack))


static ngx_int_t l2_init_zone(ngx_shm_zone_t *zone, void *data);
static l2_slot_t *l2_set(const l2_head_t *head, const u_char *digest);
static ngx_http_podi_auth_pack_t *l2_copy(l2_slot_t *slot,
    ngx_atomic_uint_t version, ngx_pool_t *pool);
static l2_slot_t *l2_place(l2_slot_t *set, const u_char *digest);

#define l2_head(l2)                                                           \
    ((l2_head_t *) ((ngx_slab_pool_t *) (l2)->zone->shm.addr)->data)
#define l2_next(slot)                                                         \
    ((l2_slot_t *) (void *) ((u_char *) (slot) + L2_SLOT))


ngx_int_t
ngx_http_podi_auth_l2_add(ngx_conf_t *cf, ngx_http_podi_auth_l2_t *l2,
    size_t size)
{
    ngx_str_t  name = ngx_string(L2_ZONE);

    l2->zone = ngx_shared_memory_add(cf, &name, size,
                                     &ngx_http_podi_auth_module);
    if (l2->zone == NULL) {
        return NGX_ERROR;
    }

    l2->zone->init = l2_init_zone;
    l2->zone->data = l2;

    return NGX_OK;
}


static ngx_int_t
l2_init_zone(ngx_shm_zone_t *zone, void *data)
{
    l2_head_t                *head;
    ngx_slab_pool_t          *pool;
    ngx_http_podi_auth_l2_t  *l2 = zone->data;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    head = pool->data;

    if (head == NULL) {

        head = ngx_slab_calloc(pool, sizeof(l2_head_t));
        if (head == NULL) {
            return NGX_ERROR;
        }

        /* all pages that are left; the pool is new, so they are one run */

        head->sets = pool->pfree * ngx_pagesize / (L2_WAYS * L2_SLOT);
        head->slots = ngx_slab_calloc(pool,
                                      head->sets * L2_WAYS * L2_SLOT);

        if (head->sets == 0 || head->slots == NULL) {
            return NGX_ERROR;
        }

        pool->data = head;
        pool->log_nomem = 0;
    }

    l2->epoch = ++head->epoch;

    return NGX_OK;
}


podi_rc_t
ngx_http_podi_auth_l2_digest(const ngx_http_podi_auth_l2_t *l2,
    const ngx_http_podi_auth_key_t *key, u_char *ret_digest)
{
    u_char      text[2 * sizeof(uint64_t) + CACHE_TOKEN_MAX];
    uint64_t    n[2];
    podi_str_t  s;

    if (l2->zone == NULL) {
        return PODI_DECLINED;
    }

    n[0] = l2->epoch;
    n[1] = key->policy;

    ngx_memcpy(text, n, sizeof(n));
    ngx_memcpy(text + sizeof(n), key->token.data, key->token.len);

    s.data = text;
    s.len = sizeof(n) + key->token.len;

    return podi_sha256(&s, ret_digest);
}


ngx_http_podi_auth_pack_t *
ngx_http_podi_auth_l2_find(const ngx_http_podi_auth_l2_t *l2,
    const u_char *digest, ngx_pool_t *pool)
{
    l2_slot_t                  *slot;
    ngx_uint_t                  i;
    ngx_atomic_uint_t           version;
    ngx_http_podi_auth_pack_t  *pack;

    slot = l2_set(l2_head(l2), digest);

    for (i = 0; i < L2_WAYS; i++, slot = l2_next(slot)) {

        version = slot->version;
        ngx_memory_barrier();

        if (version == 0 || (version & 1)
            || ngx_memcmp(slot->digest, digest, PODI_SHA256_LEN) != 0)
        {
            continue;
        }

        pack = l2_copy(slot, version, pool);

        if (pack != NULL && ngx_http_podi_auth_pack_holds(pack)) {
            slot->used = (ngx_atomic_uint_t) ngx_time();
            return pack;
        }
    }

    return NULL;
}


/* the length may be of another entry by now, so it is looked at twice */

static ngx_http_podi_auth_pack_t *
l2_copy(l2_slot_t *slot, ngx_atomic_uint_t version, ngx_pool_t *pool)
{
    size_t                      size;
    ngx_http_podi_auth_pack_t  *pack;

    size = *(volatile uint32_t *) &slot->pack.size;

    if (size < sizeof(ngx_http_podi_auth_pack_t) || size > L2_PACK_MAX) {
        return NULL;
    }

    pack = ngx_palloc(pool, size);
    if (pack == NULL) {
        return NULL;
    }

    ngx_memcpy(pack, &slot->pack, size);

    ngx_memory_barrier();

    return (slot->version == version && pack->size == size) ? pack : NULL;
}


void
ngx_http_podi_auth_l2_put(const ngx_http_podi_auth_l2_t *l2,
    const u_char *digest, const ngx_http_podi_auth_pack_t *pack)
{
    l2_slot_t          *slot;
    ngx_slab_pool_t    *pool;
    ngx_atomic_uint_t   version;

    pool = (ngx_slab_pool_t *) l2->zone->shm.addr;

    if (pack->size > L2_PACK_MAX || !ngx_shmtx_trylock(&pool->mutex)) {
        return;
    }

    slot = l2_place(l2_set(l2_head(l2), digest), digest);

    version = slot->version | 1;
    slot->version = version;
    ngx_memory_barrier();

    ngx_memcpy(slot->digest, digest, PODI_SHA256_LEN);

    PODI_FAULT(cache_write);

    ngx_memcpy(&slot->pack, pack, pack->size);
    slot->used = (ngx_atomic_uint_t) ngx_time();

    ngx_memory_barrier();
    slot->version = version + 1;

    ngx_shmtx_unlock(&pool->mutex);
}


/* under the lock: its own, a free one, one that has ended, or the oldest */

static l2_slot_t *
l2_place(l2_slot_t *set, const u_char *digest)
{
    l2_slot_t   *slot, *place;
    ngx_uint_t   i, ended;

    place = NULL;
    ended = 0;

    for (i = 0, slot = set; i < L2_WAYS; i++, slot = l2_next(slot)) {

        if (slot->version != 0 && !(slot->version & 1)
            && ngx_memcmp(slot->digest, digest, PODI_SHA256_LEN) == 0)
        {
            return slot;
        }

        if (slot->version == 0 || (slot->version & 1)
            || slot->pack.basis.until <= ngx_time())
        {
            place = slot;
            ended = 1;

        } else if (place == NULL || (!ended && slot->used < place->used)) {
            place = slot;
        }
    }

    if (!ended) {
        ngx_podi_count(NGX_PODI_COUNT_CACHE_L2_EVICTED);
    }

    return place;
}


static l2_slot_t *
l2_set(const l2_head_t *head, const u_char *digest)
{
    uint32_t  n;

    ngx_memcpy(&n, digest, sizeof(n));

    return (l2_slot_t *) (void *) (head->slots
               + (ngx_uint_t) (((uint64_t) n * head->sets) >> 32)
                 * L2_WAYS * L2_SLOT);
}
