/*
 * podi_jose_ec: keys and signatures on elliptic curves (RFC 7518, 3.4, 6.2).
 *
 * The curve belongs to the algorithm, coordinates have exactly its length,
 * and a point that is not on the curve never becomes a key.
 */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_EC_PART_MAX  66


static podi_rc_t podi_jose_ec_load(const podi_jose_alg_t *alg,
    const json_t *jwk, int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
    const char **why);
static podi_rc_t podi_jose_ec_part(const podi_jose_alg_t *alg,
    const json_t *jwk, const char *name, podi_mem_t *mem,
    podi_str_t *ret_part);
static EVP_PKEY *podi_jose_ec_build(const podi_jose_alg_t *alg,
    const unsigned char *point, const podi_str_t *d);
static podi_rc_t podi_jose_ec_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why);
static int podi_jose_ec_check(EVP_PKEY *key, int with_private);
static EVP_PKEY *podi_jose_ec_generate(const podi_jose_alg_t *alg);
static podi_rc_t podi_jose_ec_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_ec_private_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_ec_pack(const podi_jose_alg_t *alg,
    const podi_str_t *native, unsigned char *ret_raw);
static podi_rc_t podi_jose_ec_unpack(const podi_jose_alg_t *alg,
    const podi_str_t *raw, podi_mem_t *mem, podi_str_t *ret_native);


const podi_jose_kind_t  podi_jose_ec = {
    "EC", 0,
    podi_jose_ec_load, podi_jose_ec_fits, podi_jose_ec_generate,
    podi_jose_ec_members, podi_jose_ec_private_members,
    podi_jose_ec_pack, podi_jose_ec_unpack
};


static podi_rc_t
podi_jose_ec_load(const podi_jose_alg_t *alg, const json_t *jwk,
    int with_private, podi_mem_t *mem, EVP_PKEY **ret_key, const char **why)
{
    EVP_PKEY       *key;
    podi_str_t      x, y, d = podi_null_str;
    unsigned char   point[1 + 2 * PODI_JOSE_EC_PART_MAX];

    *why = "the coordinates are not of the curve's length";

    if (podi_jose_ec_part(alg, jwk, "x", mem, &x) != PODI_OK
        || podi_jose_ec_part(alg, jwk, "y", mem, &y) != PODI_OK
        || (with_private
            && podi_jose_ec_part(alg, jwk, "d", mem, &d) != PODI_OK))
    {
        return PODI_ERROR;
    }

    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x.data, x.len);
    memcpy(point + 1 + x.len, y.data, y.len);

    key = podi_jose_ec_build(alg, point, with_private ? &d : NULL);
    podi_wipe(d.data, d.len);

    if (key == NULL) {
        *why = "the point is not on the curve";
        return PODI_ERROR;
    }

    *ret_key = key;

    return PODI_OK;
}


static podi_rc_t
podi_jose_ec_part(const podi_jose_alg_t *alg, const json_t *jwk,
    const char *name, podi_mem_t *mem, podi_str_t *ret_part)
{
    if (podi_jose_member(jwk, name, alg->part, mem, ret_part) != PODI_OK
        || ret_part->len != alg->part)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


static EVP_PKEY *
podi_jose_ec_build(const podi_jose_alg_t *alg, const unsigned char *point,
    const podi_str_t *d)
{
    BIGNUM          *n = NULL;
    EVP_PKEY        *key = NULL;
    OSSL_PARAM_BLD  *bld;

    bld = OSSL_PARAM_BLD_new();

    if (bld == NULL
        || !OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                            alg->group, 0)
        || !OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                             point, 1 + 2 * alg->part))
    {
        goto out;
    }

    if (d != NULL) {
        n = BN_secure_new();

        if (n == NULL || BN_bin2bn(d->data, (int) d->len, n) == NULL
            || !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, n))
        {
            goto out;
        }
    }

    key = podi_jose_import("EC", OSSL_PARAM_BLD_to_param(bld), d != NULL);

out:

    OSSL_PARAM_BLD_free(bld);
    BN_clear_free(n);
    ERR_clear_error();

    return key;
}


static podi_rc_t
podi_jose_ec_fits(const podi_jose_alg_t *alg, EVP_PKEY *key, int with_private,
    const char **why)
{
    int     ok;
    char    group[64];
    size_t  len;

    ok = EVP_PKEY_is_a(key, "EC")
         && EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
                                           group, sizeof(group), &len) == 1
         && strcmp(group, alg->group) == 0;

    ERR_clear_error();

    if (!ok) {
        return PODI_DECLINED;
    }

    ok = podi_jose_ec_check(key, with_private);
    ERR_clear_error();

    if (!ok) {
        *why = "the point is not on the curve, or the parts do not match";
        return PODI_ERROR;
    }

    return PODI_OK;
}


static int
podi_jose_ec_check(EVP_PKEY *key, int with_private)
{
    int            ok;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    ok = ctx != NULL
         && EVP_PKEY_public_check(ctx) == 1
         && (!with_private || EVP_PKEY_check(ctx) == 1);

    EVP_PKEY_CTX_free(ctx);

    return ok;
}


static EVP_PKEY *
podi_jose_ec_generate(const podi_jose_alg_t *alg)
{
    EVP_PKEY  *key;

    key = EVP_EC_gen(alg->group);
    ERR_clear_error();

    return key;
}


static podi_rc_t
podi_jose_ec_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    BIGNUM     *x = NULL, *y = NULL;
    podi_rc_t   rc = PODI_ERROR;

    podi_buf_printf(b, "\"crv\":\"%s\",\"kty\":\"EC\",", alg->crv);

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1
        && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1
        && podi_jose_add_number(b, "x", x, alg->part) == PODI_OK)
    {
        podi_buf_add_byte(b, ',');
        rc = podi_jose_add_number(b, "y", y, alg->part);
    }

    BN_free(x);
    BN_free(y);
    ERR_clear_error();

    return rc;
}


static podi_rc_t
podi_jose_ec_private_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    BIGNUM     *d = NULL;
    podi_rc_t   rc = PODI_ERROR;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1) {
        rc = podi_jose_add_number(b, "d", d, alg->part);
    }

    BN_clear_free(d);
    ERR_clear_error();

    return rc;
}


/* DER to r || s */

static podi_rc_t
podi_jose_ec_pack(const podi_jose_alg_t *alg, const podi_str_t *native,
    unsigned char *ret_raw)
{
    int                   part = (int) alg->part, ok;
    ECDSA_SIG            *sig;
    const unsigned char  *p = native->data;

    sig = d2i_ECDSA_SIG(NULL, &p, (long) native->len);

    ok = sig != NULL
         && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_raw, part) == part
         && BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_raw + part, part) == part;

    ECDSA_SIG_free(sig);
    ERR_clear_error();

    return ok ? PODI_OK : PODI_ERROR;
}


/* r || s to DER; r and s out of range are left to the verification */

static podi_rc_t
podi_jose_ec_unpack(const podi_jose_alg_t *alg, const podi_str_t *raw,
    podi_mem_t *mem, podi_str_t *ret_native)
{
    int             len, part = (int) alg->part;
    BIGNUM         *r, *s;
    ECDSA_SIG      *sig;
    podi_rc_t       rc = PODI_ERROR;
    unsigned char  *p;

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(raw->data, part, NULL);
    s = BN_bin2bn(raw->data + part, part, NULL);

    if (sig == NULL || r == NULL || s == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        goto out;
    }

    len = i2d_ECDSA_SIG(sig, NULL);
    p = len > 0 ? podi_mem_alloc(mem, (size_t) len) : NULL;

    if (p != NULL) {
        ret_native->data = p;
        ret_native->len = (size_t) i2d_ECDSA_SIG(sig, &p);
        rc = PODI_OK;
    }

out:

    ECDSA_SIG_free(sig);
    ERR_clear_error();

    return rc;
}
