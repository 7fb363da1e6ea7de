/*
 * The first level: entries of this worker, so without a lock.
 *
 *     hash of the token's end -> a set of 4 -> tag -> policy and all bytes
 *
 * The hash only says where to look, so it reads just the last 32 bytes: those
 * of the signature.  It is seeded, and only verified tokens come in: strangers
 * cannot make a set overflow.  The tag is compared before the bytes are, so
 * how long that takes tells nothing to somebody who guesses a token.
 */

#include "ngx_http_podi_auth_cache_int.h"


#define L1_WAYS  4

/* allocated by itself; the token's bytes follow the pack */

typedef struct {
    ngx_uint_t                   policy;
    size_t                       len;        /* of the token */
    ngx_http_podi_auth_pack_t    pack;
} l1_entry_t;

typedef struct {
    uint64_t                     tags[L1_WAYS];
    uint64_t                     used[L1_WAYS];
    l1_entry_t                  *entries[L1_WAYS];
} l1_set_t;

struct ngx_http_podi_auth_l1_s {
    uint64_t                     seeds[2];
    uint64_t                     clock;      /* one more with each use */
    ngx_uint_t                   mask;
    l1_set_t                    *sets;
};


static uint64_t l1_tag(const ngx_http_podi_auth_l1_t *l1,
    const ngx_http_podi_auth_key_t *key);
static l1_entry_t *l1_make(const ngx_http_podi_auth_key_t *key,
    const ngx_http_podi_auth_pack_t *pack);
static void l1_drop(l1_set_t *set, ngx_uint_t way);
static void l1_release(void *data);

#define l1_token(entry)  ((u_char *) &(entry)->pack + (entry)->pack.size)


ngx_http_podi_auth_l1_t *
ngx_http_podi_auth_l1_create(ngx_pool_t *pool, ngx_uint_t entries)
{
    ngx_uint_t                sets;
    ngx_pool_cleanup_t       *cln;
    ngx_http_podi_auth_l1_t  *l1;

    for (sets = 1; sets * 2 * L1_WAYS <= entries; sets *= 2) {
        /* void */
    }

    l1 = ngx_pcalloc(pool, sizeof(ngx_http_podi_auth_l1_t));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (l1 == NULL || cln == NULL
        || podi_random(l1->seeds, sizeof(l1->seeds)) != PODI_OK)
    {
        return NULL;
    }

    l1->sets = ngx_pcalloc(pool, sets * sizeof(l1_set_t));
    if (l1->sets == NULL) {
        return NULL;
    }

    l1->mask = sets - 1;

    cln->handler = l1_release;
    cln->data = l1;

    return l1;
}


const ngx_http_podi_auth_pack_t *
ngx_http_podi_auth_l1_find(ngx_http_podi_auth_l1_t *l1,
    const ngx_http_podi_auth_key_t *key)
{
    uint64_t     tag;
    l1_set_t    *set;
    ngx_uint_t   i;
    l1_entry_t  *entry;

    tag = l1_tag(l1, key);
    set = &l1->sets[tag & l1->mask];

    for (i = 0; i < L1_WAYS; i++) {

        entry = set->entries[i];

        if (set->tags[i] != tag || entry == NULL
            || entry->policy != key->policy || entry->len != key->token.len
            || ngx_memcmp(l1_token(entry), key->token.data, entry->len) != 0)
        {
            continue;
        }

        if (!ngx_http_podi_auth_pack_holds(&entry->pack)) {
            l1_drop(set, i);
            return NULL;
        }

        set->used[i] = ++l1->clock;

        return &entry->pack;
    }

    return NULL;
}


/* a free place, else that of the one used longest ago */

void
ngx_http_podi_auth_l1_put(ngx_http_podi_auth_l1_t *l1,
    const ngx_http_podi_auth_key_t *key,
    const ngx_http_podi_auth_pack_t *pack)
{
    uint64_t     tag;
    l1_set_t    *set;
    ngx_uint_t   i, way;
    l1_entry_t  *entry;

    entry = l1_make(key, pack);
    if (entry == NULL) {
        return;
    }

    tag = l1_tag(l1, key);
    set = &l1->sets[tag & l1->mask];
    way = 0;

    for (i = 0; i < L1_WAYS; i++) {

        if (set->entries[i] == NULL || set->tags[i] == tag) {
            way = i;
            break;
        }

        way = (set->used[i] < set->used[way]) ? i : way;
    }

    if (set->entries[way] != NULL && set->tags[way] != tag) {
        ngx_podi_count(NGX_PODI_COUNT_CACHE_L1_EVICTED);
    }

    l1_drop(set, way);

    set->tags[way] = tag;
    set->used[way] = ++l1->clock;
    set->entries[way] = entry;
}


static l1_entry_t *
l1_make(const ngx_http_podi_auth_key_t *key,
    const ngx_http_podi_auth_pack_t *pack)
{
    size_t       size;
    l1_entry_t  *entry;

    size = offsetof(l1_entry_t, pack) + pack->size + key->token.len;

    entry = ngx_alloc(size, ngx_cycle->log);
    if (entry == NULL) {
        return NULL;
    }

    entry->policy = key->policy;
    entry->len = key->token.len;

    ngx_memcpy(&entry->pack, pack, pack->size);
    ngx_memcpy(l1_token(entry), key->token.data, key->token.len);

    return entry;
}


/* a token is a secret for as long as it lives */

static void
l1_drop(l1_set_t *set, ngx_uint_t way)
{
    l1_entry_t  *entry = set->entries[way];

    if (entry == NULL) {
        return;
    }

    set->entries[way] = NULL;

    podi_wipe(l1_token(entry), entry->len);
    ngx_free(entry);
}


static uint64_t
l1_tag(const ngx_http_podi_auth_l1_t *l1,
    const ngx_http_podi_auth_key_t *key)
{
    uint64_t    h, words[CACHE_TOKEN_MIN / sizeof(uint64_t)];
    ngx_uint_t  i;

    ngx_memcpy(words, key->token.data + key->token.len - CACHE_TOKEN_MIN,
               CACHE_TOKEN_MIN);

    h = l1->seeds[0] ^ key->policy ^ ((uint64_t) key->token.len << 32);

    for (i = 0; i < CACHE_TOKEN_MIN / sizeof(uint64_t); i++) {
        h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
        h = (h ^ (h >> 32)) + l1->seeds[1];
    }

    h *= 0xd6e8feb86659fd93ull;

    return h ^ (h >> 32);
}


static void
l1_release(void *data)
{
    ngx_uint_t                i, way;
    ngx_http_podi_auth_l1_t  *l1 = data;

    for (i = 0; i <= l1->mask; i++) {
        for (way = 0; way < L1_WAYS; way++) {
            l1_drop(&l1->sets[i], way);
        }
    }
}
