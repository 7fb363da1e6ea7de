/*
 * podi_jose_rsa: keys of RSA (RFC 7518, 3.3, 3.5, 6.3).
 *
 * 2048 to 8192 bits, an odd exponent from 65537 up to 32 bits.  A modulus with
 * a small factor, or of the chips whose primes can be computed (ROCA,
 * CVE-2017-15361), never becomes a key.  Whether it is a product of two primes
 * is not asked: that takes a second for a large one, and whoever gives us a
 * key may give it away as well.
 */

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_RSA_BITS_MIN  2048
#define PODI_JOSE_RSA_BITS_MAX  8192
#define PODI_JOSE_RSA_E_MIN     65537
#define PODI_JOSE_RSA_PUBLIC    2
#define PODI_JOSE_RSA_PARTS     8

typedef struct {
    const char  *member;            /* of a JWK */
    const char  *param;             /* of OpenSSL */
} podi_jose_rsa_part_t;


static podi_rc_t podi_jose_rsa_load(const podi_jose_alg_t *alg,
    const json_t *jwk, int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
    const char **why);
static podi_rc_t podi_jose_rsa_read(const json_t *jwk, const char *name,
    podi_mem_t *mem, BIGNUM **ret_n);
static podi_rc_t podi_jose_rsa_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why);
static const char *podi_jose_rsa_fault(const BIGNUM *n, const BIGNUM *e);
static const char *podi_jose_rsa_factors(const BIGNUM *n);
static int podi_jose_rsa_is_power(unsigned r, unsigned p);
static int podi_jose_rsa_check(EVP_PKEY *key);
static EVP_PKEY *podi_jose_rsa_generate(const podi_jose_alg_t *alg);
static podi_rc_t podi_jose_rsa_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_rsa_private_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
static podi_rc_t podi_jose_rsa_add(podi_buf_t *b, EVP_PKEY *key, size_t part);


static const podi_jose_rsa_part_t  podi_jose_rsa_parts[] = {
    { "e", OSSL_PKEY_PARAM_RSA_E },
    { "n", OSSL_PKEY_PARAM_RSA_N },
    { "d", OSSL_PKEY_PARAM_RSA_D },
    { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
    { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
    { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
    { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

const podi_jose_kind_t  podi_jose_rsa = {
    "RSA", 0,
    podi_jose_rsa_load, podi_jose_rsa_fits, podi_jose_rsa_generate,
    podi_jose_rsa_members, podi_jose_rsa_private_members,
    NULL, NULL
};


static podi_rc_t
podi_jose_rsa_load(const podi_jose_alg_t *alg, const json_t *jwk,
    int with_private, podi_mem_t *mem, EVP_PKEY **ret_key, const char **why)
{
    int              ok;
    size_t           i, parts;
    BIGNUM          *numbers[PODI_JOSE_RSA_PARTS] = { NULL };
    OSSL_PARAM_BLD  *bld;

    (void) alg;

    *why = "a member of the RSA key is missing or of a wrong form";
    parts = with_private ? PODI_JOSE_RSA_PARTS : PODI_JOSE_RSA_PUBLIC;

    bld = OSSL_PARAM_BLD_new();
    ok = bld != NULL;

    for (i = 0; i < parts && ok; i++) {
        ok = podi_jose_rsa_read(jwk, podi_jose_rsa_parts[i].member, mem,
                                &numbers[i]) == PODI_OK
             && OSSL_PARAM_BLD_push_BN(bld, podi_jose_rsa_parts[i].param,
                                       numbers[i]) == 1;
    }

    if (ok) {
        *ret_key = podi_jose_import("RSA", OSSL_PARAM_BLD_to_param(bld),
                                    with_private);
        ok = *ret_key != NULL;
    }

    OSSL_PARAM_BLD_free(bld);

    for (i = 0; i < parts; i++) {
        BN_clear_free(numbers[i]);
    }

    ERR_clear_error();

    return ok ? PODI_OK : PODI_ERROR;
}


/* a number has no zero in front: a key has one text */

static podi_rc_t
podi_jose_rsa_read(const json_t *jwk, const char *name, podi_mem_t *mem,
    BIGNUM **ret_n)
{
    BIGNUM      *n;
    podi_str_t   bytes;

    if (podi_jose_member(jwk, name, PODI_JOSE_RSA_BITS_MAX / 8, mem, &bytes)
        != PODI_OK
        || bytes.data[0] == 0)
    {
        return PODI_ERROR;
    }

    n = BN_secure_new();

    if (n != NULL && BN_bin2bn(bytes.data, (int) bytes.len, n) == NULL) {
        BN_clear_free(n);
        n = NULL;
    }

    podi_wipe(bytes.data, bytes.len);
    *ret_n = n;

    return n != NULL ? PODI_OK : PODI_ERROR;
}


static podi_rc_t
podi_jose_rsa_fits(const podi_jose_alg_t *alg, EVP_PKEY *key,
    int with_private, const char **why)
{
    BIGNUM      *n = NULL, *e = NULL;
    const char  *fault = "OpenSSL gives no numbers";

    (void) alg;

    if (!EVP_PKEY_is_a(key, "RSA")) {
        return PODI_DECLINED;
    }

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1
        && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
    {
        fault = podi_jose_rsa_fault(n, e);
    }

    if (fault == NULL && with_private && !podi_jose_rsa_check(key)) {
        fault = "the parts of the RSA key do not match";
    }

    BN_free(n);
    BN_free(e);
    ERR_clear_error();

    if (fault != NULL) {
        *why = fault;
        return PODI_ERROR;
    }

    return PODI_OK;
}


static const char *
podi_jose_rsa_fault(const BIGNUM *n, const BIGNUM *e)
{
    if (BN_num_bits(n) < PODI_JOSE_RSA_BITS_MIN) {
        return "the RSA modulus has less than 2048 bits";
    }

    if (BN_num_bits(n) > PODI_JOSE_RSA_BITS_MAX) {
        return "the RSA modulus has more than 8192 bits";
    }

    if (BN_num_bits(e) > 32 || BN_get_word(e) < PODI_JOSE_RSA_E_MIN
        || !BN_is_odd(e))
    {
        return "the RSA exponent is not an odd number from 65537 to 32 bits";
    }

    if (!BN_is_odd(n)) {
        return "the RSA modulus is even";
    }

    return podi_jose_rsa_factors(n);
}


/*
 * The primes of the weak chips are powers of 65537 modulo all of these, and so
 * is their product; a good modulus is that once in 2^27.
 */

static const char *
podi_jose_rsa_factors(const BIGNUM *n)
{
    int                         weak = 1;
    size_t                      i;
    BN_ULONG                    r;
    static const unsigned char  primes[] = {
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67,
        71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
        149, 151, 157, 163, 167
    };

    for (i = 0; i < sizeof(primes); i++) {
        r = BN_mod_word(n, primes[i]);

        if (r == 0) {
            return "the RSA modulus has a small factor";
        }

        if (weak && !podi_jose_rsa_is_power((unsigned) r, primes[i])) {
            weak = 0;
        }
    }

    return weak ? "the RSA key is of a chip with the ROCA weakness" : NULL;
}


static int
podi_jose_rsa_is_power(unsigned r, unsigned p)
{
    unsigned  x = 1;

    do {
        if (x == r) {
            return 1;
        }

        x = x * (PODI_JOSE_RSA_E_MIN % p) % p;

    } while (x != 1);

    return 0;
}


static int
podi_jose_rsa_check(EVP_PKEY *key)
{
    int            ok;
    EVP_PKEY_CTX  *ctx;

    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    ok = ctx != NULL && EVP_PKEY_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);

    return ok;
}


static EVP_PKEY *
podi_jose_rsa_generate(const podi_jose_alg_t *alg)
{
    EVP_PKEY  *key;

    (void) alg;

    key = EVP_RSA_gen(PODI_JOSE_RSA_BITS_MIN);
    ERR_clear_error();

    return key;
}


static podi_rc_t
podi_jose_rsa_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    (void) alg;

    if (podi_jose_rsa_add(b, key, 0) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_c(b, ",\"kty\":\"RSA\",");

    return podi_jose_rsa_add(b, key, 1);
}


static podi_rc_t
podi_jose_rsa_private_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b)
{
    size_t  i;

    (void) alg;

    for (i = PODI_JOSE_RSA_PUBLIC; i < PODI_JOSE_RSA_PARTS; i++) {

        if (i > PODI_JOSE_RSA_PUBLIC) {
            podi_buf_add_byte(b, ',');
        }

        if (podi_jose_rsa_add(b, key, i) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_jose_rsa_add(podi_buf_t *b, EVP_PKEY *key, size_t part)
{
    BIGNUM     *n = NULL;
    podi_rc_t   rc = PODI_ERROR;

    if (EVP_PKEY_get_bn_param(key, podi_jose_rsa_parts[part].param, &n) == 1) {
        rc = podi_jose_add_number(b, podi_jose_rsa_parts[part].member, n, 0);
    }

    BN_clear_free(n);
    ERR_clear_error();

    return rc;
}
