/*
 * podi_jose_alg: the table of algorithms, and which of them a key is for.
 */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "podi_base64.h"
#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_NUMBER_MAX  PODI_JOSE_SIGNATURE_MAX

/* within a kind and curve the first is meant when nobody says which */

const podi_jose_alg_t  podi_jose_algs[] = {
    { "ES256", &podi_jose_ec, "P-256", "prime256v1", "SHA256", 32, 64, 0 },
    { "ES384", &podi_jose_ec, "P-384", "secp384r1", "SHA384", 48, 96, 0 },
    { "ES512", &podi_jose_ec, "P-521", "secp521r1", "SHA512", 66, 132, 0 },

    { "RS256", &podi_jose_rsa, "", NULL, "SHA256", 32, 0, 0 },
    { "RS384", &podi_jose_rsa, "", NULL, "SHA384", 48, 0, 0 },
    { "RS512", &podi_jose_rsa, "", NULL, "SHA512", 64, 0, 0 },
    { "PS256", &podi_jose_rsa, "", NULL, "SHA256", 32, 0, 1 },
    { "PS384", &podi_jose_rsa, "", NULL, "SHA384", 48, 0, 1 },
    { "PS512", &podi_jose_rsa, "", NULL, "SHA512", 64, 0, 1 },

    { "EdDSA", &podi_jose_okp, "Ed25519", "ED25519", NULL, 32, 64, 0 },
    { "EdDSA", &podi_jose_okp, "Ed448", "ED448", NULL, 57, 114, 0 },

    { "HS256", &podi_jose_hmac, "", NULL, "SHA256", 32, 32, 0 },
    { "HS384", &podi_jose_hmac, "", NULL, "SHA384", 48, 48, 0 },
    { "HS512", &podi_jose_hmac, "", NULL, "SHA512", 64, 64, 0 },

    { NULL, NULL, NULL, NULL, NULL, 0, 0, 0 }
};


static int podi_jose_alg_alike(const podi_jose_alg_t *a,
    const podi_jose_alg_t *b);
static unsigned podi_jose_alg_mask(const podi_jose_alg_t *alg);


podi_rc_t
podi_jose_alg_bit(const podi_str_t *name, unsigned *ret_bit)
{
    const podi_jose_alg_t  *alg;

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if (podi_str_eq_c(name, alg->name)) {
            *ret_bit = podi_jose_alg_mask(alg);
            return PODI_OK;
        }
    }

    return PODI_DECLINED;
}


/* rows of one name have one bit: that of the first */

static unsigned
podi_jose_alg_mask(const podi_jose_alg_t *alg)
{
    unsigned  i;

    for (i = 0; strcmp(podi_jose_algs[i].name, alg->name) != 0; i++) {
        /* void */
    }

    return 1u << i;
}


const podi_jose_alg_t *
podi_jose_alg_of(const podi_str_t *kty, const podi_str_t *crv,
    const podi_str_t *name)
{
    const podi_jose_alg_t  *alg;

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if (podi_str_eq_c(kty, alg->kind->kty)
            && podi_str_eq_c(crv, alg->crv)
            && (name->len == 0 || podi_str_eq_c(name, alg->name)))
        {
            return alg;
        }
    }

    return NULL;
}


const podi_jose_alg_t *
podi_jose_alg_fit(EVP_PKEY *key, int with_private, const char **why)
{
    podi_rc_t               rc;
    const podi_jose_alg_t  *alg;

    *why = "its type or curve is not supported";

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        rc = alg->kind->fits(alg, key, with_private, why);

        if (rc != PODI_DECLINED) {
            return rc == PODI_OK ? alg : NULL;
        }
    }

    return NULL;
}


static int
podi_jose_alg_alike(const podi_jose_alg_t *a, const podi_jose_alg_t *b)
{
    return a->kind == b->kind && strcmp(a->crv, b->crv) == 0;
}


podi_rc_t
podi_jose_want_algs(podi_jose_want_t *want, const podi_jose_alg_t *first,
    const podi_str_t *name, unsigned allowed, const char **why)
{
    size_t                  alike = 0;
    const podi_jose_alg_t  *alg;

    want->n = 0;

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {

        if (!podi_jose_alg_alike(alg, first)
            || (name->len && !podi_str_eq_c(name, alg->name)))
        {
            continue;
        }

        alike++;

        if (allowed == 0 || (allowed & podi_jose_alg_mask(alg))) {
            want->algs[want->n++] = alg;
        }
    }

    if (want->n == 0) {
        *why = "its algorithm is not allowed";
        return PODI_DECLINED;
    }

    if (alike > 1 && allowed == 0) {
        *why = "it names no alg, and nobody says which algorithms are allowed";
        return PODI_ERROR;
    }

    return PODI_OK;
}


podi_rc_t
podi_jose_want_fit(podi_jose_want_t *want, const char **why)
{
    size_t                  i, n = 0;
    const podi_jose_alg_t  *alg;

    for (i = 0; i < want->n; i++) {
        alg = want->algs[i];

        if (alg->kind->fits(alg, want->pkey, 0, why) == PODI_OK) {
            want->algs[n++] = alg;
        }
    }

    want->n = n;

    return n ? PODI_OK : PODI_ERROR;
}


int
podi_jose_alg_secret(unsigned algs)
{
    const podi_jose_alg_t  *alg;

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if ((algs & podi_jose_alg_mask(alg)) && !alg->kind->secret) {
            return 0;
        }
    }

    return algs != 0;
}


podi_rc_t
podi_jose_member(const json_t *jwk, const char *name, size_t max,
    podi_mem_t *mem, podi_str_t *ret_bytes)
{
    podi_str_t  text;

    text = podi_json_str(json_object_get(jwk, name));

    if (text.len == 0 || text.len > (max * 4 + 2) / 3
        || podi_base64url_decode(mem, &text, ret_bytes) != PODI_OK)
    {
        return PODI_DECLINED;
    }

    return PODI_OK;
}


podi_rc_t
podi_jose_add_number(podi_buf_t *b, const char *name, const BIGNUM *n,
    size_t part)
{
    podi_rc_t       rc;
    podi_str_t      bytes;
    unsigned char   data[PODI_JOSE_NUMBER_MAX];

    bytes.data = data;
    bytes.len = part ? part : (size_t) BN_num_bytes(n);

    if (bytes.len > sizeof(data)
        || BN_bn2binpad(n, data, (int) bytes.len) != (int) bytes.len)
    {
        return PODI_ERROR;
    }

    rc = podi_jose_add_bytes(b, name, &bytes);
    podi_wipe(data, sizeof(data));

    return rc;
}


podi_rc_t
podi_jose_add_bytes(podi_buf_t *b, const char *name, const podi_str_t *bytes)
{
    podi_str_t  text;

    if (podi_base64url_encode(b->mem, bytes, &text) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_printf(b, "\"%s\":\"" PODI_STR_FMT "\"", name,
                    podi_str_arg(&text));

    return PODI_OK;
}


EVP_PKEY *
podi_jose_import(const char *type, OSSL_PARAM *params, int with_private)
{
    EVP_PKEY      *key = NULL;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (ctx == NULL || params == NULL
        || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &key, with_private ? EVP_PKEY_KEYPAIR
                                                     : EVP_PKEY_PUBLIC_KEY,
                             params) != 1)
    {
        key = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    ERR_clear_error();

    return key;
}


void
podi_jose_pkey_free(void *pkey)
{
    EVP_PKEY_free(pkey);
}
