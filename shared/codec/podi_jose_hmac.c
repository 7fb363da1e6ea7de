/*
 * podi_jose_hmac: secrets that sign and verify (RFC 7518, 3.2, 6.4).
 *
 * A secret has at least as many bytes as its hash.  It never leaves with the
 * public members, and so has no thumbprint either.
 */

#include <openssl/err.h>

#include "podi_id.h"
#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_SECRET_MAX  4096


static podi_rc_t podi_jose_hmac_load(const podi_jose_alg_t *alg,
    const json_t *jwk, int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
    const char **why);
static podi_rc_t podi_jose_hmac_fits(const podi_jose_alg_t *alg,
    EVP_PKEY *key, int with_private, const char **why);
static EVP_PKEY *podi_jose_hmac_generate(const podi_jose_alg_t *alg);
static podi_rc_t podi_jose_hmac_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_hmac_private_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);


const podi_jose_kind_t  podi_jose_hmac = {
    "oct", 1,
    podi_jose_hmac_load, podi_jose_hmac_fits, podi_jose_hmac_generate,
    podi_jose_hmac_members, podi_jose_hmac_private_members,
    NULL, NULL
};


static podi_rc_t
podi_jose_hmac_load(const podi_jose_alg_t *alg, const json_t *jwk,
    int with_private, podi_mem_t *mem, EVP_PKEY **ret_key, const char **why)
{
    podi_rc_t   rc;
    podi_str_t  bytes;

    (void) alg;
    (void) with_private;

    if (podi_jose_member(jwk, "k", PODI_JOSE_SECRET_MAX, mem, &bytes)
        != PODI_OK)
    {
        *why = "k is empty or no base64url";
        return PODI_ERROR;
    }

    rc = podi_jose_secret_load(&bytes, ret_key, why);
    podi_wipe(bytes.data, bytes.len);

    return rc;
}


podi_rc_t
podi_jose_secret_load(const podi_str_t *bytes, EVP_PKEY **ret_key,
    const char **why)
{
    *ret_key = EVP_PKEY_new_raw_private_key_ex(NULL, "HMAC", NULL,
                                               bytes->data, bytes->len);
    ERR_clear_error();

    if (*ret_key == NULL) {
        *why = "OpenSSL takes no such secret";
        return PODI_ERROR;
    }

    return PODI_OK;
}


static podi_rc_t
podi_jose_hmac_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why)
{
    size_t  len;

    (void) with_private;

    if (!EVP_PKEY_is_a(key, "HMAC")) {
        return PODI_DECLINED;
    }

    if (EVP_PKEY_get_raw_private_key(key, NULL, &len) != 1
        || len < alg->part)
    {
        ERR_clear_error();
        *why = "the secret is shorter than the hash of its algorithm";
        return PODI_ERROR;
    }

    return PODI_OK;
}


static EVP_PKEY *
podi_jose_hmac_generate(const podi_jose_alg_t *alg)
{
    EVP_PKEY       *key = NULL;
    const char     *why;
    podi_str_t      bytes;
    unsigned char   data[EVP_MAX_MD_SIZE];

    bytes.data = data;
    bytes.len = alg->part;

    if (podi_random(data, alg->part) != PODI_OK
        || podi_jose_secret_load(&bytes, &key, &why) != PODI_OK)
    {
        key = NULL;
    }

    podi_wipe(data, sizeof(data));

    return key;
}


static podi_rc_t
podi_jose_hmac_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    (void) alg;
    (void) key;

    podi_buf_add_c(b, "\"kty\":\"oct\"");

    return PODI_OK;
}


static podi_rc_t
podi_jose_hmac_private_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    podi_rc_t       rc;
    podi_str_t      bytes;
    unsigned char   data[PODI_JOSE_SECRET_MAX];

    (void) alg;

    bytes.data = data;
    bytes.len = sizeof(data);

    if (EVP_PKEY_get_raw_private_key(key, data, &bytes.len) != 1) {
        ERR_clear_error();
        return PODI_ERROR;
    }

    rc = podi_jose_add_bytes(b, "k", &bytes);
    podi_wipe(data, sizeof(data));

    return rc;
}
