/*
 * podi_jose_ring: public keys by kid, from a JWK Set or from keys of ours.
 *
 * Each key gets a digest context that is initialised once and copied for
 * each token: that is a third of what a verification costs besides the math.
 */

#include <string.h>

#include <openssl/err.h>

#include "podi_jose_alg.h"
#include "banned.h"


static podi_rc_t podi_jose_ring_jwk(podi_jose_ring_t *ring, const json_t *jwk,
    size_t i, podi_fail_t *fail);
static const podi_jose_alg_t *podi_jose_ring_alg(const json_t *jwk);
static int podi_jose_ring_is_for_us(const json_t *jwk);
static int podi_jose_ring_is_private(const json_t *jwk);
static podi_rc_t podi_jose_ring_put(podi_jose_ring_t *ring,
    const podi_str_t *kid, const podi_jose_alg_t *alg, EVP_PKEY *pkey,
    podi_fail_t *fail);
static void podi_jose_ctx_free(void *ctx);


podi_rc_t
podi_jose_ring_make(podi_mem_t *mem, podi_jose_ring_t **ret_ring)
{
    podi_jose_ring_t  *ring;

    ring = podi_mem_calloc(mem, sizeof(podi_jose_ring_t));
    if (ring == NULL) {
        return PODI_ERROR;
    }

    ring->mem = mem;
    *ret_ring = ring;

    return PODI_OK;
}


podi_rc_t
podi_jose_ring_parse(const podi_str_t *jwks, podi_mem_t *mem,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail)
{
    size_t                          i;
    json_t                         *set, *keys;
    podi_jose_ring_t               *ring;
    static const podi_json_limit_t  limit = { 65536, 8 };

    if (podi_json_parse(jwks, &limit, mem, &set, fail) != PODI_OK) {
        fail->error = PODI_E_CONFIG;
        return PODI_ERROR;
    }

    keys = json_object_get(set, "keys");

    if (!json_is_array(keys) || json_array_size(keys) > PODI_JOSE_KEYS_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, "keys",
                         "the JWK Set must have an array of at most %d keys",
                         PODI_JOSE_KEYS_MAX);
    }

    if (podi_jose_ring_make(mem, &ring) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < json_array_size(keys); i++) {
        if (podi_jose_ring_jwk(ring, json_array_get(keys, i), i, fail)
            != PODI_OK)
        {
            return podi_json_at(fail, "keys[%zu]", i);
        }
    }

    *ret_ring = ring;

    return PODI_OK;
}


static podi_rc_t
podi_jose_ring_jwk(podi_jose_ring_t *ring, const json_t *jwk, size_t i,
    podi_fail_t *fail)
{
    EVP_PKEY               *pkey;
    const char             *why = "";
    podi_str_t              kid;
    const podi_jose_alg_t  *alg;

    if (!json_is_object(jwk)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "key %zu is no object", i);
    }

    if (podi_jose_ring_is_private(jwk)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "key %zu is private or symmetric; a JWK Set of "
                         "verification keys holds public keys only", i);
    }

    alg = podi_jose_ring_alg(jwk);

    if (alg == NULL || !podi_jose_ring_is_for_us(jwk)) {
        return PODI_OK;
    }

    kid = podi_json_str(json_object_get(jwk, "kid"));

    if (kid.len == 0 || kid.len > PODI_JOSE_KID_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, "kid",
                         "key %zu needs a kid of 1 to %d bytes", i,
                         PODI_JOSE_KID_MAX);
    }

    if (alg->load(alg, jwk, 0, ring->mem, &pkey, &why) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "key %zu is refused: %s", i, why);
    }

    if (podi_mem_own(ring->mem, podi_jose_pkey_free, pkey) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_jose_ring_put(ring, &kid, alg, pkey, fail);
}


static const podi_jose_alg_t *
podi_jose_ring_alg(const json_t *jwk)
{
    podi_str_t              s, kty, crv;
    const podi_jose_alg_t  *alg;

    s = podi_json_str(json_object_get(jwk, "alg"));
    kty = podi_json_str(json_object_get(jwk, "kty"));
    crv = podi_json_str(json_object_get(jwk, "crv"));

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if (podi_str_eq_c(&kty, alg->kty) && podi_str_eq_c(&crv, alg->crv)
            && (s.len == 0 || podi_str_eq_c(&s, alg->name)))
        {
            return alg;
        }
    }

    return NULL;
}


static int
podi_jose_ring_is_for_us(const json_t *jwk)
{
    size_t      i;
    json_t     *use, *ops;
    podi_str_t  s;

    use = json_object_get(jwk, "use");
    s = podi_json_str(use);

    if (use != NULL && !podi_str_eq_c(&s, "sig")) {
        return 0;
    }

    ops = json_object_get(jwk, "key_ops");
    if (ops == NULL) {
        return 1;
    }

    for (i = 0; i < json_array_size(ops); i++) {
        s = podi_json_str(json_array_get(ops, i));

        if (podi_str_eq_c(&s, "verify")) {
            return 1;
        }
    }

    return 0;
}


static int
podi_jose_ring_is_private(const json_t *jwk)
{
    unsigned            i;
    static const char  *names[] = { "d", "p", "q", "dp", "dq", "qi", "oth",
                                    "k" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_get(jwk, names[i]) != NULL) {
            return 1;
        }
    }

    return 0;
}


podi_rc_t
podi_jose_ring_add(podi_jose_ring_t *ring, const podi_jose_key_t *key,
    podi_fail_t *fail)
{
    podi_str_t  kid;

    if (EVP_PKEY_up_ref(key->pkey) != 1
        || podi_mem_own(ring->mem, podi_jose_pkey_free, key->pkey) != PODI_OK
        || podi_mem_dup(ring->mem, &key->kid, &kid) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_jose_ring_put(ring, &kid, key->alg, key->pkey, fail);
}


static podi_rc_t
podi_jose_ring_put(podi_jose_ring_t *ring, const podi_str_t *kid,
    const podi_jose_alg_t *alg, EVP_PKEY *pkey, podi_fail_t *fail)
{
    EVP_MD_CTX         *ctx;
    podi_jose_entry_t  *entry;

    if (podi_jose_ring_find(ring, kid) != NULL) {
        return podi_fail(fail, PODI_E_CONFIG, "kid",
                         "the kid \"" PODI_STR_FMT "\" occurs twice",
                         podi_str_arg(kid));
    }

    if (ring->n == PODI_JOSE_KEYS_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "more than %d keys",
                         PODI_JOSE_KEYS_MAX);
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL
        || podi_mem_own(ring->mem, podi_jose_ctx_free, ctx) != PODI_OK
        || EVP_DigestVerifyInit_ex(ctx, NULL, alg->digest, NULL, NULL, pkey,
                                   NULL) != 1)
    {
        ERR_clear_error();
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    entry = &ring->entries[ring->n++];
    entry->kid = *kid;
    entry->alg = alg;
    entry->pkey = pkey;
    entry->verify = ctx;

    return PODI_OK;
}


const podi_jose_entry_t *
podi_jose_ring_find(const podi_jose_ring_t *ring, const podi_str_t *kid)
{
    size_t  i;

    for (i = 0; i < ring->n; i++) {
        if (podi_str_eq(&ring->entries[i].kid, kid)) {
            return &ring->entries[i];
        }
    }

    return NULL;
}


size_t
podi_jose_ring_count(const podi_jose_ring_t *ring)
{
    return ring->n;
}


podi_rc_t
podi_jose_ring_jwks(const podi_jose_ring_t *ring, podi_mem_t *mem,
    podi_str_t *ret_text)
{
    size_t                    i;
    podi_buf_t                b;
    const podi_jose_entry_t  *entry;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"keys\":[");

    for (i = 0; i < ring->n; i++) {
        entry = &ring->entries[i];

        podi_buf_add_c(&b, i ? ",{" : "{");

        if (entry->alg->members(entry->alg, entry->pkey, &b) != PODI_OK) {
            return PODI_ERROR;
        }

        podi_buf_printf(&b, ",\"alg\":\"%s\",\"use\":\"sig\",\"kid\":",
                        entry->alg->name);
        podi_buf_add_json(&b, &entry->kid);
        podi_buf_add_byte(&b, '}');
    }

    podi_buf_add_c(&b, "]}");

    return podi_buf_take(&b, ret_text);
}


static void
podi_jose_ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}
