/*
 * podi_jose_okp: keys of Edwards curves (RFC 8037): Ed25519 and Ed448.
 *
 * Keys and signatures are runs of bytes of one length each, in OpenSSL as on
 * the wire.
 */

#include <string.h>

#include <openssl/err.h>

#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_OKP_PART_MAX  57


static podi_rc_t podi_jose_okp_load(const podi_jose_alg_t *alg,
    const json_t *jwk, int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
    const char **why);
static EVP_PKEY *podi_jose_okp_pair(const podi_jose_alg_t *alg,
    const json_t *jwk, const podi_str_t *x, podi_mem_t *mem);
static podi_rc_t podi_jose_okp_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why);
static EVP_PKEY *podi_jose_okp_generate(const podi_jose_alg_t *alg);
static podi_rc_t podi_jose_okp_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_okp_private_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);


const podi_jose_kind_t  podi_jose_okp = {
    "OKP", 0,
    podi_jose_okp_load, podi_jose_okp_fits, podi_jose_okp_generate,
    podi_jose_okp_members, podi_jose_okp_private_members,
    NULL, NULL
};


static podi_rc_t
podi_jose_okp_load(const podi_jose_alg_t *alg, const json_t *jwk,
    int with_private, podi_mem_t *mem, EVP_PKEY **ret_key, const char **why)
{
    EVP_PKEY    *key;
    podi_str_t   x;

    if (podi_jose_member(jwk, "x", alg->part, mem, &x) != PODI_OK
        || x.len != alg->part)
    {
        *why = "x is not of the curve's length";
        return PODI_ERROR;
    }

    if (with_private) {
        key = podi_jose_okp_pair(alg, jwk, &x, mem);

    } else {
        key = EVP_PKEY_new_raw_public_key_ex(NULL, alg->group, NULL, x.data,
                                             x.len);
    }

    ERR_clear_error();

    if (key == NULL) {
        *why = "x and d are not a key of the curve";
        return PODI_ERROR;
    }

    *ret_key = key;

    return PODI_OK;
}


static EVP_PKEY *
podi_jose_okp_pair(const podi_jose_alg_t *alg, const json_t *jwk,
    const podi_str_t *x, podi_mem_t *mem)
{
    size_t          len;
    EVP_PKEY       *key;
    podi_str_t      d;
    unsigned char   own[PODI_JOSE_OKP_PART_MAX];

    if (podi_jose_member(jwk, "d", alg->part, mem, &d) != PODI_OK) {
        return NULL;
    }

    key = EVP_PKEY_new_raw_private_key_ex(NULL, alg->group, NULL, d.data,
                                          d.len);
    podi_wipe(d.data, d.len);

    len = sizeof(own);

    if (key == NULL || EVP_PKEY_get_raw_public_key(key, own, &len) != 1
        || len != x->len || memcmp(own, x->data, len) != 0)
    {
        EVP_PKEY_free(key);
        return NULL;
    }

    return key;
}


static podi_rc_t
podi_jose_okp_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why)
{
    (void) with_private;
    (void) why;

    return EVP_PKEY_is_a(key, alg->group) ? PODI_OK : PODI_DECLINED;
}


static EVP_PKEY *
podi_jose_okp_generate(const podi_jose_alg_t *alg)
{
    EVP_PKEY  *key;

    key = EVP_PKEY_Q_keygen(NULL, NULL, alg->group);
    ERR_clear_error();

    return key;
}


static podi_rc_t
podi_jose_okp_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    podi_str_t      bytes;
    unsigned char   data[PODI_JOSE_OKP_PART_MAX];

    bytes.data = data;
    bytes.len = sizeof(data);

    if (EVP_PKEY_get_raw_public_key(key, data, &bytes.len) != 1) {
        ERR_clear_error();
        return PODI_ERROR;
    }

    podi_buf_printf(b, "\"crv\":\"%s\",\"kty\":\"OKP\",", alg->crv);

    return podi_jose_add_bytes(b, "x", &bytes);
}


static podi_rc_t
podi_jose_okp_private_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    podi_rc_t       rc;
    podi_str_t      bytes;
    unsigned char   data[PODI_JOSE_OKP_PART_MAX];

    (void) alg;

    bytes.data = data;
    bytes.len = sizeof(data);

    if (EVP_PKEY_get_raw_private_key(key, data, &bytes.len) != 1) {
        ERR_clear_error();
        return PODI_ERROR;
    }

    rc = podi_jose_add_bytes(b, "d", &bytes);
    podi_wipe(data, sizeof(data));

    return rc;
}
