/*
 * ngx_http_podi_auth_keys: see the header.  Keys of files are there from the
 * start; those of a URL are what the newest generation brought.
 */

#include "ngx_http_podi_auth_keys.h"
#include "ngx_http_podi_auth_remote.h"


static const podi_jose_ring_t *keys_renew(ngx_http_podi_fetcher_t *fr);


const podi_jose_ring_t *
ngx_http_podi_auth_ring(const ngx_http_podi_issuer_t *is,
    ngx_uint_t *ret_generation)
{
    const podi_jose_ring_t   *ring;
    ngx_http_podi_fetcher_t  *fr;

    *ret_generation = 1;

    if (is->remote == NULL) {
        return is->ring;
    }

    if (!ngx_http_podi_keyset_is_good(is->remote)) {
        return NULL;
    }

    fr = ngx_http_podi_fetcher(is->remote);

    ring = (fr->generation == ngx_http_podi_keyset(is->remote)->generation)
           ? fr->ring : keys_renew(fr);

    *ret_generation = fr->generation;

    return ring;
}


/* a document that brings nothing for this configuration is not read again */

static const podi_jose_ring_t *
keys_renew(ngx_http_podi_fetcher_t *fr)
{
    podi_str_t         text;
    podi_fail_t        fail;
    ngx_uint_t         generation;
    podi_arena_t      *arena;
    podi_jose_ring_t  *ring;

    arena = podi_arena_create();

    if (arena == NULL
        || ngx_http_podi_keyset_copy(fr->remote, podi_arena_mem(arena), &text,
                                     &generation)
           != PODI_OK)
    {
        podi_arena_free(&arena);
        return NULL;
    }

    if (podi_jose_ring_parse(&text, &fr->remote->issuer->accept,
                             podi_arena_mem(arena), &ring, &fail)
        != PODI_OK)
    {
        podi_arena_free(&arena);
        ring = NULL;
    }

    podi_arena_free(&fr->ring_arena);

    fr->ring_arena = arena;
    fr->ring = ring;
    fr->generation = generation;

    return ring;
}


ngx_uint_t
ngx_http_podi_auth_generation(ngx_uint_t issuer)
{
    const ngx_http_podi_issuer_t  *is;

    is = ngx_http_podi_issuer_at(issuer);

    if (is == NULL || is->remote == NULL) {
        return 1;
    }

    return ngx_http_podi_keyset_is_good(is->remote)
           ? ngx_http_podi_keyset(is->remote)->generation : 0;
}


/*
 * Anybody can make up a kid: for one that is unknown the keys are fetched once
 * in a cooldown, and it is not asked for again for a while.
 */

ngx_int_t
ngx_http_podi_auth_keys_miss(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid)
{
    time_t                         next;
    ngx_uint_t                     good;
    ngx_http_podi_keyset_t        *set;
    const ngx_http_podi_remote_t  *remote = is->remote;

    set = (remote == NULL) ? NULL : ngx_http_podi_keyset(remote);

    if (set == NULL) {
        return NGX_DECLINED;
    }

    good = ngx_http_podi_keyset_is_good(remote);

    if (good && ngx_http_podi_keyset_is_missing(set, kid)) {
        return NGX_DECLINED;
    }

    if (ngx_http_podi_keyset_is_leased(set)) {
        return NGX_AGAIN;
    }

    next = good ? (time_t) set->tried + remote->cooldown
                : ngx_http_podi_keyset_due(remote);

    if (next > ngx_http_podi_keyset_now()) {
        return NGX_DECLINED;
    }

    return ngx_http_podi_auth_fetch_now(remote) ? NGX_AGAIN : NGX_DECLINED;
}


void
ngx_http_podi_auth_keys_missed(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid)
{
    if (is->remote != NULL && ngx_http_podi_keyset(is->remote)->failing == 0) {
        ngx_http_podi_keyset_miss(is->remote, kid);
    }
}


ngx_uint_t
ngx_http_podi_auth_keys_lack(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid)
{
    ngx_http_podi_keyset_t  *set;

    set = (is->remote == NULL) ? NULL : ngx_http_podi_keyset(is->remote);

    return set == NULL || ngx_http_podi_keyset_is_missing(set, kid);
}


podi_rc_t
ngx_http_podi_auth_keys_wait(podi_flow_t *f, const ngx_http_podi_issuer_t *is)
{
    return ngx_http_podi_auth_fetch_wait(f, is->remote);
}
