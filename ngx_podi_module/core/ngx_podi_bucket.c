/*
 * ngx_podi_bucket: zones by their names, keys, counters.
 *
 * A zone's name in nginx carries its kind and layout: a reload that makes a
 * quota of a rate gets memory of its own, while old workers keep theirs.
 */

#include <openssl/rand.h>

#include "ngx_podi_bucket.h"
#include "ngx_podi_core.h"
#include "podi_hash.h"


static ngx_int_t ngx_podi_bucket_init(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_podi_bucket_layout(ngx_podi_bucket_t *b,
    ngx_slab_pool_t *pool);
static ngx_int_t ngx_podi_bucket_secret(ngx_podi_bucket_t *b);


static const char *const  ngx_podi_bucket_kinds[] = {
    "rate", "quota", "conn"
};


ngx_podi_bucket_t *
ngx_podi_bucket_named(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t             i;
    ngx_podi_bucket_t     *b, **known;
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    known = pmcf->buckets.elts;

    for (i = 0; i < pmcf->buckets.nelts; i++) {
        if (known[i]->name.len == name->len
            && ngx_memcmp(known[i]->name.data, name->data, name->len) == 0)
        {
            return known[i];
        }
    }

    b = ngx_pcalloc(cf->pool, sizeof(ngx_podi_bucket_t));
    known = ngx_array_push(&pmcf->buckets);

    if (b == NULL || known == NULL) {
        return NULL;
    }

    b->name = *name;
    *known = b;

    return b;
}


char *
ngx_podi_bucket_define(ngx_conf_t *cf, ngx_podi_bucket_t *b, size_t size)
{
    ngx_str_t  name;

    name.data = ngx_pnalloc(cf->pool, 32 + b->name.len);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    name.len = ngx_sprintf(name.data, "podi_limit_%s_2:%V",
                           ngx_podi_bucket_kinds[b->rule.kind], &b->name)
               - name.data;

    b->zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_podi_module);
    if (b->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    b->zone->init = ngx_podi_bucket_init;
    b->zone->data = b;

    return NGX_CONF_OK;
}


char *
ngx_podi_bucket_check(ngx_conf_t *cf, ngx_array_t *buckets,
    const podi_secret_t *password)
{
    ngx_uint_t           i, known;
    ngx_podi_bucket_t  **b = buckets->elts;

    for (i = 0, known = 0; i < buckets->nelts; i++) {
        if (b[i]->zone == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "there is no limit \"%V\": write "
                               "podi_limit_zone %V 4m key=ip rate=10r/s "
                               "burst=20; at http level",
                               &b[i]->name, &b[i]->name);
            return NGX_CONF_ERROR;
        }

        if (b[i]->failures && b[i]->rule.kind == PODI_CELL_CONN) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_auth_failures\" counts with rate= or "
                               "quota=, not with conn= (zone %V)",
                               &b[i]->name);
            return NGX_CONF_ERROR;
        }

        b[i]->password = password;
        known |= b[i]->shared && password == NULL;
    }

    if (known) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the Redis of shared limits has no password: "
                           "their keys are made of it, and so everybody can "
                           "work out which ones share a place; write "
                           "requirepass in redis.conf, and "
                           "podi_redis_password_file");
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_podi_bucket_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t    *pool;
    ngx_podi_bucket_t  *b = zone->data;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (pool->data == NULL && ngx_podi_bucket_layout(b, pool) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "\"podi_limit_zone\" %V is too small: write "
                      "podi_limit_zone %V 1m ...;", &b->name, &b->name);
        return NGX_ERROR;
    }

    b->shm = pool->data;

    if (ngx_podi_bucket_secret(b) != NGX_OK) {
        return NGX_ERROR;
    }

    podi_siphash_begin(&b->seed, b->secret);
    ngx_podi_key_part(&b->seed, NGX_PODI_KEY_TEXT, b->name.data, b->name.len);

    return NGX_OK;
}


/* fresh pages are zero, and stay untouched until they are used */

static ngx_int_t
ngx_podi_bucket_layout(ngx_podi_bucket_t *b, ngx_slab_pool_t *pool)
{
    size_t                  size;
    u_char                 *p;
    ngx_podi_bucket_shm_t  *shm;

    shm = ngx_slab_calloc(pool, sizeof(ngx_podi_bucket_shm_t));
    size = pool->pfree * ngx_pagesize;
    p = (size == 0) ? NULL : ngx_slab_alloc(pool, size);

    if (shm == NULL || p == NULL
        || RAND_bytes(shm->secret, PODI_SIPHASH_LEN) != 1)
    {
        return NGX_ERROR;
    }

#if (NGX_DEBUG_MALLOC)
    ngx_memzero(p, size);
#endif

    if (b->rule.kind == PODI_CELL_CONN) {
        shm->nchunks = size / 2 / sizeof(ngx_podi_hold_chunk_t);
        shm->chunks = (ngx_podi_hold_chunk_t *) (void *) p;

        p += shm->nchunks * sizeof(ngx_podi_hold_chunk_t);
        size -= shm->nchunks * sizeof(ngx_podi_hold_chunk_t);
    }

    shm->n = size / sizeof(podi_cell_set_t);
    shm->sets = (podi_cell_set_t *) (void *) p;

    pool->log_nomem = 0;
    pool->data = shm;

    return NGX_OK;
}


/* what several machines count together has to have one name on all of them */

static ngx_int_t
ngx_podi_bucket_secret(ngx_podi_bucket_t *b)
{
    u_char      mac[PODI_SHA256_LEN];
    podi_str_t  key, text = podi_string("podi_limit");

    if (!b->shared) {
        ngx_memcpy(b->secret, b->shm->secret, PODI_SIPHASH_LEN);
        return NGX_OK;
    }

    key = (b->password == NULL) ? text : podi_secret_bytes(b->password);

    if (podi_hmac_sha256(&key, &text, mac) != PODI_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(b->secret, mac, PODI_SIPHASH_LEN);

    return NGX_OK;
}


ngx_int_t
ngx_podi_bucket_start(ngx_cycle_t *cycle)
{
    podi_io_t           *io;
    ngx_uint_t           i;
    const ngx_array_t   *buckets;
    ngx_podi_bucket_t  **b;

    io = ngx_podi_io();
    buckets = ngx_podi_buckets();
    b = buckets->elts;

    for (i = 0; i < buckets->nelts; i++) {

        b[i]->local = ngx_pcalloc(cycle->pool,
                                  sizeof(ngx_podi_bucket_local_t));
        if (b[i]->local == NULL) {
            return NGX_ERROR;
        }

        b[i]->local->again = io->timer(io, PODI_TIMER_HOUSEKEEPING,
                                       ngx_podi_hold_again, b[i]);
        if (b[i]->local->again == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_podi_hold_reap(b[i], 1);
    }

    return NGX_OK;
}


void
ngx_podi_bucket_stop(void)
{
    ngx_uint_t           i;
    const ngx_array_t   *buckets;
    ngx_podi_bucket_t  **b;

    buckets = ngx_podi_buckets();
    b = buckets->elts;

    for (i = 0; i < buckets->nelts; i++) {
        if (b[i]->local != NULL) {
            ngx_podi_hold_leave(b[i]);
            ngx_podi_io()->timer_free(b[i]->local->again);
            b[i]->local = NULL;
        }
    }
}


const ngx_array_t *
ngx_podi_buckets(void)
{
    return &ngx_podi_conf()->buckets;
}


void
ngx_podi_key_begin(const ngx_podi_bucket_t *b, podi_siphash_t *h)
{
    *h = b->seed;
}


/* its length says where a part ends; filled up, so that all are whole words */

void
ngx_podi_key_part(podi_siphash_t *h, ngx_podi_key_e kind, const void *data,
    size_t len)
{
    podi_siphash_field(h, (uint64_t) len << 8 | kind, data, len);
}


/* all that come over unix sockets are one client */

void
ngx_podi_key_address(podi_siphash_t *h, ngx_http_request_t *r)
{
    struct sockaddr      *sa = r->connection->sockaddr;
    struct sockaddr_in   *sin;

#if (NGX_HAVE_INET6)
    u_char               *p;
    struct sockaddr_in6  *sin6;

    if (sa->sa_family == AF_INET6) {
        sin6 = (struct sockaddr_in6 *) (void *) sa;
        p = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            ngx_podi_key_part(h, NGX_PODI_KEY_IP, p + 12, 4);

        } else {
            ngx_podi_key_part(h, NGX_PODI_KEY_IP, p, 8);
        }

        return;
    }
#endif

    if (sa->sa_family == AF_INET) {
        sin = (struct sockaddr_in *) (void *) sa;
        ngx_podi_key_part(h, NGX_PODI_KEY_IP, &sin->sin_addr, 4);

    } else {
        ngx_podi_key_part(h, NGX_PODI_KEY_IP, "unix", 4);
    }
}


void
ngx_podi_bucket_count(const ngx_podi_bucket_t *b,
    ngx_podi_bucket_count_e what)
{
    ngx_uint_t  line = (ngx_uint_t) ngx_process_slot % NGX_PODI_BUCKET_LINES;

    (void) ngx_atomic_fetch_add(&b->shm->counts[line][what], 1);
}


ngx_uint_t
ngx_podi_bucket_counted(const ngx_podi_bucket_t *b,
    ngx_podi_bucket_count_e what)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_PODI_BUCKET_LINES; i++) {
        n += b->shm->counts[i][what];
    }

    return n;
}
