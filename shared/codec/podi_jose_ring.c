/*
 * podi_jose_ring: keys that verify, by kid.  JWK Sets are read in
 * podi_jose_set.c.
 *
 * Each key gets a digest context for each of its algorithms, that is
 * initialised once and copied for each token: nothing is fetched or prepared
 * while a request waits.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "podi_jose_alg.h"
#include "banned.h"


static podi_rc_t podi_jose_ring_pem(podi_jose_ring_t *ring,
    const podi_str_t *text, const podi_jose_accept_t *accept,
    podi_fail_t *fail);
static podi_rc_t podi_jose_ring_secret(podi_jose_ring_t *ring,
    const podi_str_t *text, const podi_jose_accept_t *accept,
    podi_fail_t *fail);
static podi_rc_t podi_jose_ring_given(podi_jose_ring_t *ring, EVP_PKEY *pkey,
    const podi_jose_accept_t *accept, podi_fail_t *fail);
static EVP_PKEY *podi_jose_ring_read_pem(const podi_str_t *text);
static podi_rc_t podi_jose_ring_room(const podi_jose_ring_t *ring,
    const podi_str_t *kid, podi_fail_t *fail);
static const podi_jose_entry_t *podi_jose_ring_named(
    const podi_jose_ring_t *ring, const podi_str_t *kid);
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
podi_jose_ring_add(podi_jose_ring_t *ring, const podi_jose_key_t *key,
    podi_fail_t *fail)
{
    podi_jose_want_t  want;

    if (EVP_PKEY_up_ref(key->pkey) != 1
        || podi_mem_own(ring->mem, podi_jose_pkey_free, key->pkey) != PODI_OK
        || podi_mem_dup(ring->mem, &key->kid, &want.kid) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    want.pkey = key->pkey;
    want.n = 1;
    want.algs[0] = key->alg;

    ring->named = 1;

    return podi_jose_ring_put(ring, &want, fail);
}


podi_rc_t
podi_jose_ring_add_text(podi_jose_ring_t *ring, const podi_str_t *text,
    const podi_jose_accept_t *accept, podi_fail_t *fail)
{
    if (podi_str_has_prefix(text, "{")) {
        return podi_jose_ring_add_jwk(ring, text, accept, fail);
    }

    if (podi_str_has_prefix(text, "-----BEGIN")) {
        return podi_jose_ring_pem(ring, text, accept, fail);
    }

    return podi_jose_ring_secret(ring, text, accept, fail);
}


static podi_rc_t
podi_jose_ring_pem(podi_jose_ring_t *ring, const podi_str_t *text,
    const podi_jose_accept_t *accept, podi_fail_t *fail)
{
    EVP_PKEY  *pkey;

    pkey = podi_jose_ring_read_pem(text);

    if (pkey == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the PEM is no public key and no certificate");
    }

    return podi_jose_ring_given(ring, pkey, accept, fail);
}


/*
 * A text that nobody calls a secret is none: a mistyped key file must not
 * become one.
 */

static podi_rc_t
podi_jose_ring_secret(podi_jose_ring_t *ring, const podi_str_t *text,
    const podi_jose_accept_t *accept, podi_fail_t *fail)
{
    EVP_PKEY    *pkey;
    const char  *why;

    if (accept->remote || !podi_jose_alg_secret(accept->algs)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key is neither PEM nor a JWK, and only HS256, "
                         "HS384 and HS512 use a secret");
    }

    if (podi_jose_secret_load(text, &pkey, &why) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "%s", why);
    }

    return podi_jose_ring_given(ring, pkey, accept, fail);
}


/* a key that says nothing of itself */

static podi_rc_t
podi_jose_ring_given(podi_jose_ring_t *ring, EVP_PKEY *pkey,
    const podi_jose_accept_t *accept, podi_fail_t *fail)
{
    const char             *why;
    podi_jose_want_t        want;
    const podi_jose_alg_t  *first;
    const podi_str_t        none = podi_null_str;

    if (podi_mem_own(ring->mem, podi_jose_pkey_free, pkey) != PODI_OK
        || podi_mem_dup(ring->mem, &accept->kid, &want.kid) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    want.pkey = pkey;
    first = podi_jose_alg_fit(pkey, 0, &why);

    if (first == NULL
        || podi_jose_want_algs(&want, first, &none, accept->algs, &why)
           != PODI_OK
        || podi_jose_want_fit(&want, &why) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "the key is refused: %s",
                         why);
    }

    return podi_jose_ring_put(ring, &want, fail);
}


static EVP_PKEY *
podi_jose_ring_read_pem(const podi_str_t *text)
{
    BIO       *bio;
    X509      *cert;
    EVP_PKEY  *pkey = NULL;

    bio = BIO_new_mem_buf(text->data, (int) text->len);

    if (bio == NULL) {
        return NULL;
    }

    if (podi_str_has_prefix(text, "-----BEGIN CERTIFICATE-----")) {
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (cert != NULL) {
            pkey = X509_get_pubkey(cert);
        }

        X509_free(cert);

    } else {
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }

    BIO_free(bio);
    ERR_clear_error();

    return pkey;
}


podi_rc_t
podi_jose_ring_put(podi_jose_ring_t *ring, const podi_jose_want_t *want,
    podi_fail_t *fail)
{
    size_t              i;
    EVP_MD_CTX         *ctx;
    podi_jose_entry_t  *entry;

    if (podi_jose_ring_room(ring, &want->kid, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    entry = &ring->entries[ring->n];

    entry->kid = want->kid;
    entry->pkey = want->pkey;
    entry->size = (size_t) EVP_PKEY_get_size(want->pkey);
    entry->n = want->n;

    for (i = 0; i < want->n; i++) {
        ctx = EVP_MD_CTX_new();

        if (ctx == NULL
            || podi_mem_own(ring->mem, podi_jose_ctx_free, ctx) != PODI_OK
            || !podi_jose_start(want->algs[i], want->pkey, 0, ctx))
        {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        entry->uses[i].alg = want->algs[i];
        entry->uses[i].ctx = ctx;
    }

    ring->n++;

    return PODI_OK;
}


static podi_rc_t
podi_jose_ring_room(const podi_jose_ring_t *ring, const podi_str_t *kid,
    podi_fail_t *fail)
{
    if (kid->len > PODI_JOSE_KID_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, "kid",
                         "a kid has at most %d bytes", PODI_JOSE_KID_MAX);
    }

    if (ring->n && (kid->len == 0 || ring->entries[0].kid.len == 0)) {
        return podi_fail(fail, PODI_E_CONFIG, "kid",
                         "a key without a kid must be the only one");
    }

    if (podi_jose_ring_named(ring, kid) != NULL) {
        return podi_fail(fail, PODI_E_CONFIG, "kid",
                         "the kid \"" PODI_STR_FMT "\" occurs twice",
                         podi_str_arg(kid));
    }

    if (ring->n == PODI_JOSE_KEYS_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "more than %d keys",
                         PODI_JOSE_KEYS_MAX);
    }

    return PODI_OK;
}


static const podi_jose_entry_t *
podi_jose_ring_named(const podi_jose_ring_t *ring, const podi_str_t *kid)
{
    size_t  i;

    for (i = 0; i < ring->n; i++) {
        if (podi_str_eq(&ring->entries[i].kid, kid)) {
            return &ring->entries[i];
        }
    }

    return NULL;
}


const podi_jose_entry_t *
podi_jose_ring_find(const podi_jose_ring_t *ring, const podi_str_t *kid)
{
    const podi_jose_entry_t  *only = &ring->entries[0];

    if (ring->n == 1 && !ring->named
        && (kid->data == NULL || only->kid.len == 0))
    {
        return only;
    }

    return kid->data != NULL ? podi_jose_ring_named(ring, kid) : NULL;
}


int
podi_jose_ring_has(const podi_jose_ring_t *ring, const podi_str_t *kid)
{
    return podi_jose_ring_find(ring, kid) != NULL;
}


size_t
podi_jose_ring_count(const podi_jose_ring_t *ring)
{
    return ring->n;
}


size_t
podi_jose_ring_left_out(const podi_jose_ring_t *ring, const char **ret_why)
{
    *ret_why = ring->why;

    return ring->left_out;
}


/* a key of several algorithms is shown without one */

podi_rc_t
podi_jose_ring_jwks(const podi_jose_ring_t *ring, podi_mem_t *mem,
    podi_str_t *ret_text)
{
    size_t                    i, n = 0;
    podi_buf_t                b;
    const podi_jose_alg_t    *alg;
    const podi_jose_entry_t  *entry;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"keys\":[");

    for (i = 0; i < ring->n; i++) {
        entry = &ring->entries[i];
        alg = entry->uses[0].alg;

        if (alg->kind->secret) {
            continue;
        }

        podi_buf_add_c(&b, n++ ? ",{" : "{");

        if (alg->kind->members(alg, entry->pkey, &b) != PODI_OK) {
            return PODI_ERROR;
        }

        if (entry->n == 1) {
            podi_buf_printf(&b, ",\"alg\":\"%s\"", alg->name);
        }

        podi_buf_add_c(&b, ",\"use\":\"sig\"");

        if (entry->kid.len) {
            podi_buf_add_c(&b, ",\"kid\":");
            podi_buf_add_json(&b, &entry->kid);
        }

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
