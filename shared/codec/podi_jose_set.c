/*
 * podi_jose_set: JWKs and sets of them, read into a ring.
 *
 *     set -> may it hold what it holds? -> each key -> for us? -> which
 *     algorithms? -> numbers -> do they fit? -> ring
 */

#include <string.h>

#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_JWK_MAX  16384

typedef struct {
    podi_jose_ring_t          *ring;
    const podi_jose_accept_t  *accept;
    size_t                     i;           /* of the key in its set */
} podi_jose_set_t;


static podi_rc_t podi_jose_set_judge(const json_t *keys, int remote,
    podi_fail_t *fail);
static int podi_jose_set_is_private(const json_t *jwk);
static int podi_jose_set_is_secret(const json_t *jwk);
static podi_rc_t podi_jose_set_jwk(podi_jose_set_t *set, const json_t *jwk,
    podi_fail_t *fail);
static int podi_jose_set_is_for_us(const json_t *jwk);
static podi_rc_t podi_jose_set_kid(const podi_jose_set_t *set,
    const json_t *jwk, podi_str_t *ret_kid);
static podi_rc_t podi_jose_set_load(podi_jose_set_t *set, const json_t *jwk,
    podi_jose_want_t *want, const char **why);
static podi_rc_t podi_jose_set_refuse(podi_jose_set_t *set, const char *why,
    podi_fail_t *fail);


podi_rc_t
podi_jose_ring_parse(const podi_str_t *jwks,
    const podi_jose_accept_t *accept, podi_mem_t *mem,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail)
{
    json_t                         *text, *keys;
    podi_jose_set_t                 set;
    static const podi_json_limit_t  limit = { PODI_JOSE_SET_MAX, 8 };

    if (podi_json_parse(jwks, &limit, mem, &text, fail) != PODI_OK) {
        fail->error = PODI_E_CONFIG;
        return PODI_ERROR;
    }

    keys = json_object_get(text, "keys");

    if (!json_is_array(keys) || json_array_size(keys) > PODI_JOSE_KEYS_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, "keys",
                         "the JWK Set must have an array of at most %d keys",
                         PODI_JOSE_KEYS_MAX);
    }

    if (podi_jose_set_judge(keys, accept->remote, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_jose_ring_make(mem, &set.ring) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    set.accept = accept;

    for (set.i = 0; set.i < json_array_size(keys); set.i++) {
        if (podi_jose_set_jwk(&set, json_array_get(keys, set.i), fail)
            != PODI_OK)
        {
            return podi_json_at(fail, "keys[%zu]", set.i);
        }
    }

    if (accept->remote && set.ring->n == 0) {
        return podi_fail(fail, PODI_E_CONFIG, "keys",
                         "the JWK Set has no key that can be used%s%s",
                         set.ring->why ? ": " : "",
                         set.ring->why ? set.ring->why : "");
    }

    *ret_ring = set.ring;

    return PODI_OK;
}


podi_rc_t
podi_jose_ring_add_jwk(podi_jose_ring_t *ring, const podi_str_t *text,
    const podi_jose_accept_t *accept, podi_fail_t *fail)
{
    size_t                          n = ring->n;
    json_t                         *jwk;
    podi_jose_set_t                 set = { ring, accept, 0 };
    static const podi_json_limit_t  limit = { PODI_JOSE_JWK_MAX, 8 };

    if (podi_json_parse(text, &limit, ring->mem, &jwk, fail) != PODI_OK) {
        fail->error = PODI_E_CONFIG;
        return PODI_ERROR;
    }

    if (podi_jose_set_is_private(jwk)
        || (accept->remote && podi_jose_set_is_secret(jwk)))
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the JWK is private; its public half is enough");
    }

    if (podi_jose_set_jwk(&set, jwk, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (ring->n == n) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the JWK is of no use here: look at its kty, crv, "
                         "alg, use and key_ops, and at what is allowed");
    }

    return PODI_OK;
}


/* who publishes a private key, or a secret, has lost it */

static podi_rc_t
podi_jose_set_judge(const json_t *keys, int remote, podi_fail_t *fail)
{
    size_t         i, secrets = 0;
    const json_t  *jwk;

    for (i = 0; i < json_array_size(keys); i++) {
        jwk = json_array_get(keys, i);

        if (podi_jose_set_is_private(jwk)
            || (remote && podi_jose_set_is_secret(jwk)))
        {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "key %zu is private or symmetric; a JWK Set of "
                             "verification keys holds public keys only", i);
        }

        secrets += podi_jose_set_is_secret(jwk) != 0;
    }

    if (secrets != 0 && secrets != json_array_size(keys)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the JWK Set holds secrets beside public keys");
    }

    return PODI_OK;
}


static int
podi_jose_set_is_private(const json_t *jwk)
{
    unsigned            i;
    static const char  *names[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_get(jwk, names[i]) != NULL) {
            return 1;
        }
    }

    return 0;
}


static int
podi_jose_set_is_secret(const json_t *jwk)
{
    podi_str_t  kty;

    kty = podi_json_str(json_object_get(jwk, "kty"));

    return podi_str_eq_c(&kty, "oct") || json_object_get(jwk, "k") != NULL;
}


static podi_rc_t
podi_jose_set_jwk(podi_jose_set_t *set, const json_t *jwk, podi_fail_t *fail)
{
    podi_rc_t               rc;
    const char             *why = "";
    podi_str_t              name, kty, crv;
    podi_jose_want_t        want;
    const podi_jose_alg_t  *first;

    if (!json_is_object(jwk)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "key %zu is no object",
                         set->i);
    }

    name = podi_json_str(json_object_get(jwk, "alg"));
    kty = podi_json_str(json_object_get(jwk, "kty"));
    crv = podi_json_str(json_object_get(jwk, "crv"));
    first = podi_jose_alg_of(&kty, &crv, &name);

    if (first == NULL || !podi_jose_set_is_for_us(jwk)) {
        return PODI_OK;
    }

    rc = podi_jose_want_algs(&want, first, &name, set->accept->algs, &why);

    if (rc == PODI_DECLINED) {
        set->ring->left_out++;
        set->ring->why = set->ring->why != NULL ? set->ring->why : why;
        return PODI_OK;
    }

    if (rc != PODI_OK) {
        return podi_jose_set_refuse(set, why, fail);
    }

    if (podi_jose_set_kid(set, jwk, &want.kid) != PODI_OK) {
        return podi_jose_set_refuse(set, "its kid is no text of 1 to 128 "
                                    "bytes", fail);
    }

    if (podi_jose_set_load(set, jwk, &want, &why) != PODI_OK) {
        return podi_jose_set_refuse(set, why, fail);
    }

    return podi_jose_ring_put(set->ring, &want, fail);
}


static int
podi_jose_set_is_for_us(const json_t *jwk)
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


static podi_rc_t
podi_jose_set_kid(const podi_jose_set_t *set, const json_t *jwk,
    podi_str_t *ret_kid)
{
    json_t            *kid;
    const podi_str_t   none = podi_null_str;

    *ret_kid = set->accept->kid;

    if (ret_kid->len) {
        return podi_mem_dup(set->ring->mem, ret_kid, ret_kid);
    }

    kid = json_object_get(jwk, "kid");

    if (kid == NULL) {
        *ret_kid = none;
        return PODI_OK;
    }

    *ret_kid = podi_json_str(kid);

    return ret_kid->len > 0 && ret_kid->len <= PODI_JOSE_KID_MAX ? PODI_OK
                                                                 : PODI_ERROR;
}


static podi_rc_t
podi_jose_set_load(podi_jose_set_t *set, const json_t *jwk,
    podi_jose_want_t *want, const char **why)
{
    const podi_jose_alg_t  *alg = want->algs[0];

    if (alg->kind->load(alg, jwk, 0, set->ring->mem, &want->pkey, why)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_mem_own(set->ring->mem, podi_jose_pkey_free, want->pkey)
        != PODI_OK)
    {
        *why = "no memory";
        return PODI_ERROR;
    }

    return podi_jose_want_fit(want, why);
}


/* a file can be mended; of a remote set the other keys are still good */

static podi_rc_t
podi_jose_set_refuse(podi_jose_set_t *set, const char *why, podi_fail_t *fail)
{
    if (!set->accept->remote) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "key %zu is refused: %s",
                         set->i, why);
    }

    set->ring->left_out++;
    set->ring->why = set->ring->why != NULL ? set->ring->why : why;

    return PODI_OK;
}
