/*
 * The cache of verified tokens, from its front.
 *
 *     get: L1 -> its copy                       put: pack -> L2 -> L1
 *          L2 -> L1, its copy
 *          miss
 *
 * An entry is copied into memory of the request: it may be evicted while the
 * request still runs.
 */

#include "ngx_http_podi_auth_cache_int.h"


#define CACHE_SIZE     (4 * 1024 * 1024)
#define CACHE_ENTRIES  1024


static void cache_unpack(const ngx_http_podi_auth_pack_t *pack,
    ngx_podi_identity_t *who);
static ngx_http_podi_auth_pack_t *cache_pack(ngx_pool_t *pool,
    const ngx_podi_identity_t *who, const ngx_http_podi_auth_basis_t *basis);
static podi_rc_t cache_got(ngx_http_request_t *r, const char *level,
    ngx_podi_count_e count, const ngx_http_podi_auth_pack_t *pack,
    ngx_podi_identity_t *who);


static const size_t  cache_strings[CACHE_STRINGS] = {
    offsetof(ngx_podi_identity_t, tenant),
    offsetof(ngx_podi_identity_t, user),
    offsetof(ngx_podi_identity_t, session),
    offsetof(ngx_podi_identity_t, token),
    offsetof(ngx_podi_identity_t, role),
    offsetof(ngx_podi_identity_t, source),
    offsetof(ngx_podi_identity_t, issuer),
    offsetof(ngx_podi_identity_t, kid),
    offsetof(ngx_podi_identity_t, scope),
    offsetof(ngx_podi_identity_t, channel),
    offsetof(ngx_podi_identity_t, plan),
    offsetof(ngx_podi_identity_t, claims)
};

#define cache_string(who, i)                                                  \
    ((podi_str_t *) (void *) ((u_char *) (who) + cache_strings[i]))


podi_rc_t
ngx_http_podi_auth_cache_get(ngx_http_request_t *r, ngx_uint_t policy,
    const podi_str_t *token, ngx_podi_identity_t *ret_who)
{
    u_char                             digest[PODI_SHA256_LEN];
    ngx_http_podi_auth_key_t           key;
    ngx_http_podi_auth_cache_t        *cache;
    ngx_http_podi_auth_pack_t         *copy;
    ngx_http_podi_auth_main_conf_t    *amcf;
    const ngx_http_podi_auth_pack_t   *pack;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_podi_auth_module);
    cache = amcf->cache;

    if (cache->l1 == NULL || token->len < CACHE_TOKEN_MIN
        || token->len > CACHE_TOKEN_MAX)
    {
        return PODI_DECLINED;
    }

    key.policy = policy;
    key.token = *token;

    pack = ngx_http_podi_auth_l1_find(cache->l1, &key);

    if (pack != NULL) {

        copy = ngx_palloc(r->pool, pack->size);
        if (copy == NULL) {
            return PODI_DECLINED;
        }

        ngx_memcpy(copy, pack, pack->size);

        return cache_got(r, "l1", NGX_PODI_COUNT_CACHE_L1, copy, ret_who);
    }

    copy = NULL;

    if (ngx_http_podi_auth_l2_digest(&cache->l2, &key, digest) == PODI_OK) {
        copy = ngx_http_podi_auth_l2_find(&cache->l2, digest, r->pool);
    }

    if (copy != NULL) {
        ngx_http_podi_auth_l1_put(cache->l1, &key, copy);
        return cache_got(r, "l2", NGX_PODI_COUNT_CACHE_L2, copy, ret_who);
    }

    ngx_podi_ctx(r)->decision.cache = "miss";
    ngx_podi_count(NGX_PODI_COUNT_CACHE_MISSES);

    return PODI_DECLINED;
}


static podi_rc_t
cache_got(ngx_http_request_t *r, const char *level, ngx_podi_count_e count,
    const ngx_http_podi_auth_pack_t *pack, ngx_podi_identity_t *who)
{
    cache_unpack(pack, who);

    ngx_podi_ctx(r)->decision.cache = level;
    ngx_podi_count(count);

    return PODI_OK;
}


void
ngx_http_podi_auth_cache_put(ngx_http_request_t *r, ngx_uint_t policy,
    const podi_str_t *token, ngx_podi_identity_t *who,
    const ngx_http_podi_auth_basis_t *basis)
{
    u_char                           digest[PODI_SHA256_LEN];
    ngx_http_podi_auth_key_t         key;
    ngx_http_podi_auth_pack_t       *pack;
    ngx_http_podi_auth_cache_t      *cache;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_podi_auth_module);
    cache = amcf->cache;

    if (cache->l1 == NULL || token->len < CACHE_TOKEN_MIN
        || token->len > CACHE_TOKEN_MAX)
    {
        return;
    }

    pack = cache_pack(r->pool, who, basis);
    if (pack == NULL || !ngx_http_podi_auth_pack_holds(pack)) {
        return;
    }

    who->marks = &pack->marks;

    key.policy = policy;
    key.token = *token;

    if (ngx_http_podi_auth_l2_digest(&cache->l2, &key, digest) == PODI_OK) {
        ngx_http_podi_auth_l2_put(&cache->l2, digest, pack);
    }

    ngx_http_podi_auth_l1_put(cache->l1, &key, pack);
}


ngx_uint_t
ngx_http_podi_auth_pack_holds(const ngx_http_podi_auth_pack_t *pack)
{
    return pack->basis.until > ngx_time()
           && pack->basis.generation
              == ngx_http_podi_auth_generation(pack->basis.issuer);
}


/* NULL: no memory, or too much to keep */

static ngx_http_podi_auth_pack_t *
cache_pack(ngx_pool_t *pool, const ngx_podi_identity_t *who,
    const ngx_http_podi_auth_basis_t *basis)
{
    size_t                      size;
    u_char                     *p;
    ngx_uint_t                  i;
    const podi_str_t           *s;
    ngx_http_podi_auth_pack_t  *pack;

    size = sizeof(ngx_http_podi_auth_pack_t);

    for (i = 0; i < CACHE_STRINGS; i++) {
        s = cache_string(who, i);

        if (s->len > CACHE_PACK_MAX) {
            return NULL;
        }

        size += s->len;
    }

    if (size > CACHE_PACK_MAX) {
        return NULL;
    }

    pack = ngx_pcalloc(pool, size);
    if (pack == NULL) {
        return NULL;
    }

    pack->size = (uint32_t) size;
    pack->known = (uint16_t) who->known;
    pack->ours = (uint16_t) who->ours;
    pack->issued = who->issued;
    pack->expires = who->expires;
    pack->basis = *basis;

    if (ngx_podi_marks_make(who, &pack->marks) != PODI_OK) {
        return NULL;
    }

    p = (u_char *) (pack + 1);

    for (i = 0; i < CACHE_STRINGS; i++) {
        s = cache_string(who, i);
        pack->lens[i] = (uint16_t) s->len;
        p = ngx_podi_add(p, s);
    }

    return pack;
}


/* the identity lies in the pack from now on */

static void
cache_unpack(const ngx_http_podi_auth_pack_t *pack, ngx_podi_identity_t *who)
{
    u_char      *p;
    ngx_uint_t   i;
    podi_str_t  *s;

    ngx_memzero(who, sizeof(ngx_podi_identity_t));

    p = (u_char *) (pack + 1);

    for (i = 0; i < CACHE_STRINGS; i++) {
        s = cache_string(who, i);
        s->len = pack->lens[i];
        s->data = (s->len != 0) ? p : NULL;
        p += s->len;
    }

    who->known = pack->known;
    who->ours = pack->ours;
    who->issued = pack->issued;
    who->expires = pack->expires;
    who->marks = &pack->marks;
}


char *
ngx_http_podi_auth_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t                          size;
    ngx_str_t                       *value;
    ngx_http_podi_auth_cache_t      *cache;
    ngx_http_podi_auth_main_conf_t  *amcf = conf;

    cache = amcf->cache;
    value = cf->args->elts;

    if (cache->set) {
        return "is duplicate";
    }

    cache->set = 1;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        cache->entries = 0;
        cache->size = 0;
        return NGX_CONF_OK;
    }

    size = ngx_parse_size(&value[1]);

    if (size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_token_cache\" is not a size of 32k or "
                           "more: write podi_token_cache 4m; or off");
        return NGX_CONF_ERROR;
    }

    cache->size = (size_t) size;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "l1=", 3) == 0) {
        cache->entries = ngx_atoi(value[2].data + 3, value[2].len - 3);
    }

    if (ngx_strncmp(value[2].data, "l1=", 3) != 0 || cache->entries < 4
        || cache->entries > 1024 * 1024)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_token_cache\" has no number of entries "
                           "between 4 and 1048576 in \"%V\": write l1=1024",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_podi_auth_cache_t *
ngx_http_podi_auth_cache_create(ngx_conf_t *cf)
{
    ngx_http_podi_auth_cache_t  *cache;

    cache = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_auth_cache_t));
    if (cache == NULL) {
        return NULL;
    }

    cache->size = CACHE_SIZE;
    cache->entries = CACHE_ENTRIES;

    return cache;
}


/* where podi_auth is on: elsewhere there is nothing to keep */

ngx_int_t
ngx_http_podi_auth_cache_init(ngx_conf_t *cf)
{
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_auth_module);

    if (!amcf->used || amcf->cache->size == 0) {
        return NGX_OK;
    }

    return ngx_http_podi_auth_l2_add(cf, &amcf->cache->l2,
                                     amcf->cache->size);
}


ngx_int_t
ngx_http_podi_auth_cache_start(ngx_cycle_t *cycle)
{
    ngx_http_podi_auth_cache_t      *cache;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_auth_module);

    if (amcf == NULL || !amcf->used || amcf->cache->entries == 0
        || ngx_podi_worker() == NULL)
    {
        return NGX_OK;
    }

    cache = amcf->cache;
    cache->l1 = ngx_http_podi_auth_l1_create(cycle->pool,
                                          (ngx_uint_t) cache->entries);

    return (cache->l1 == NULL) ? NGX_ERROR : NGX_OK;
}
