/*
 * From a token to who it speaks for.
 *
 *     peek -> issuer by iss -> its key by kid -> signature, times, audience
 *          -> the issuer's require_claim  -> identity, by its map
 *          -> the location's podi_require claim
 *
 * What a token says before its signature was found right chooses whose keys
 * to try, and nothing else; the keys of one issuer are never tried for another.
 */

#include "ngx_http_podi_auth_cache.h"
#include "ngx_http_podi_auth_keys.h"
#include "podi_base64.h"


static podi_rc_t verify_in(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_mem_t *mem, podi_fail_t *fail);
static const ngx_http_podi_issuer_t *verify_issuer(
    const ngx_http_podi_policy_t *policy, const podi_str_t *iss);
static podi_rc_t verify_miss(ngx_http_podi_auth_ctx_t *ctx,
    const podi_jose_ring_t *ring, const podi_str_t *kid, podi_fail_t *fail);


podi_rc_t
ngx_http_podi_auth_verify(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail)
{
    podi_rc_t      rc;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = verify_in(r, ctx, podi_arena_mem(arena), fail);

    podi_arena_free(&arena);

    return rc;
}


/* some kilobytes are needed to verify, and a few words are kept */

static podi_rc_t
verify_in(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    podi_mem_t *mem, podi_fail_t *fail)
{
    json_t                         *claims;
    podi_str_t                      alg, kid, iss;
    podi_jose_expect_t              expect;
    ngx_podi_identity_t             who;
    const podi_jose_ring_t         *ring;
    const ngx_http_podi_issuer_t   *is;
    const ngx_http_podi_policy_t   *policy = ctx->conf->policy;
    ngx_http_podi_auth_basis_t      basis;

    if (podi_jose_peek(&ctx->token, policy->token_max, mem, &alg, &kid, &iss,
                       fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    is = verify_issuer(policy, &iss);

    if (is == NULL) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "of an issuer that is not asked here (iss)");
    }

    ctx->issuer = is;
    ring = ngx_http_podi_auth_ring(is, &basis.generation);

    if (ring == NULL || !podi_jose_ring_has(ring, &kid)) {
        return verify_miss(ctx, ring, &kid, fail);
    }

    expect = is->expect;
    expect.now = podi_time_now();

    if (podi_jose_verify(ring, &ctx->token, &expect, mem, &claims, fail)
        != PODI_OK
        || ngx_http_podi_auth_rules(&is->rules, claims, PODI_E_TOKEN_INVALID,
                                    fail)
           != PODI_OK
        || ngx_http_podi_auth_identity(r, is, claims, &who, fail) != PODI_OK
        || ngx_http_podi_auth_rules(policy->rules, claims, PODI_E_FORBIDDEN,
                                    fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_mem_dup(ngx_podi_mem(r), &kid, &who.kid) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    basis.issuer = is->index;
    basis.until = who.expires;

    ngx_http_podi_auth_cache_put(r, policy->id, &ctx->token, &who, &basis);

    ctx->who = who;

    return PODI_OK;
}


static const ngx_http_podi_issuer_t *
verify_issuer(const ngx_http_podi_policy_t *policy, const podi_str_t *iss)
{
    ngx_uint_t                i;
    ngx_http_podi_issuer_t  **is = policy->issuers.elts;

    for (i = 0; i < policy->issuers.nelts; i++) {
        if (podi_str_eq(&is[i]->expect.iss, iss)) {
            return is[i];
        }
    }

    return NULL;
}


/*
 * It is fetched for once a request: what comes then, comes.  Where nobody could
 * look, in the cooldown or because the fetch failed, it may be the newest key
 * of all; and as no signature is checked it is no guess, nor charged as one.
 */

static podi_rc_t
verify_miss(ngx_http_podi_auth_ctx_t *ctx, const podi_jose_ring_t *ring,
    const podi_str_t *kid, podi_fail_t *fail)
{
    if (ctx->await != NGX_HTTP_PODI_AWAIT_KEYS
        && ngx_http_podi_auth_keys_miss(ctx->issuer, kid) == NGX_AGAIN)
    {
        return PODI_AGAIN;
    }

    if (ring == NULL) {
        return podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "the keys of %s are not there",
                         (char *) ctx->issuer->name.data);
    }

    if (ctx->await == NGX_HTTP_PODI_AWAIT_KEYS) {
        ngx_http_podi_auth_keys_missed(ctx->issuer, kid);
    }

    ctx->honest = !ngx_http_podi_auth_keys_lack(ctx->issuer, kid);

    return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL, "no key has its kid");
}


podi_rc_t
ngx_http_podi_auth_rules(const ngx_array_t *rules, const json_t *claims,
    podi_error_e error, podi_fail_t *fail)
{
    ngx_uint_t                 i;
    podi_str_t                 text;
    const podi_claim_rule_t  **rule;

    if (rules == NULL) {
        return PODI_OK;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {

        if (podi_claim_holds(rule[i], claims)) {
            continue;
        }

        text = podi_claim_text(rule[i]);

        return podi_fail(fail, error, NULL, "not so: claim " PODI_STR_FMT,
                         podi_str_arg(&text));
    }

    return PODI_OK;
}


/* between the dots */

podi_str_t
ngx_http_podi_auth_payload(const podi_str_t *token)
{
    podi_str_t  rest, part = podi_null_str;

    rest = *token;

    if (!podi_str_split(&rest, '.', &part)
        || !podi_str_split(&rest, '.', &part))
    {
        part.len = 0;
    }

    return part;
}


const json_t *
ngx_http_podi_auth_claims(const podi_str_t *payload, podi_mem_t *mem)
{
    json_t             *claims;
    podi_str_t          bytes;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { payload->len, 8 };

    if (podi_base64url_decode(mem, payload, &bytes) != PODI_OK
        || podi_json_parse(&bytes, &limit, mem, &claims, &fail) != PODI_OK
        || !json_is_object(claims))
    {
        return NULL;
    }

    return claims;
}
