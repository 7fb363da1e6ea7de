/*
 * podi_jose_sign: signatures, made and compared, of every algorithm.
 *
 *     podi_jose_start  once a key: the algorithm fetched, the key prepared
 *     podi_jose_check  once a token: a copy of that, and the mathematics
 */

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "podi_base64.h"
#include "podi_jose_alg.h"
#include "banned.h"


static int podi_jose_compare(EVP_MD_CTX *ctx, const podi_str_t *raw,
    const podi_str_t *input);
static podi_rc_t podi_jose_make_signature(const podi_jose_key_t *key,
    const podi_str_t *input, podi_mem_t *mem, podi_str_t *ret_signature);


/* PSS: the salt has exactly the length of the hash, and MGF1 the same hash */

int
podi_jose_start(const podi_jose_alg_t *alg, EVP_PKEY *key, int to_sign,
    EVP_MD_CTX *ctx)
{
    int          ok;
    char         mode[] = OSSL_PKEY_RSA_PAD_MODE_PSS;
    char         salt[] = OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
    OSSL_PARAM   pss[3];

    pss[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE,
                                              mode, 0);
    pss[1] = OSSL_PARAM_construct_utf8_string(
                 OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt, 0);
    pss[2] = OSSL_PARAM_construct_end();

    if (to_sign || alg->kind->secret) {
        ok = EVP_DigestSignInit_ex(ctx, NULL, alg->digest, NULL, NULL, key,
                                   alg->pss ? pss : NULL) == 1;

    } else {
        ok = EVP_DigestVerifyInit_ex(ctx, NULL, alg->digest, NULL, NULL, key,
                                     alg->pss ? pss : NULL) == 1;
    }

    ERR_clear_error();

    return ok;
}


podi_rc_t
podi_jose_check(const podi_jose_use_t *use, const podi_str_t *raw,
    const podi_str_t *input, podi_mem_t *mem)
{
    int                      ok;
    EVP_MD_CTX              *ctx;
    podi_str_t               native = *raw;
    const podi_jose_kind_t  *kind = use->alg->kind;

    if (kind->unpack != NULL
        && kind->unpack(use->alg, raw, mem, &native) != PODI_OK)
    {
        return PODI_ERROR;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_MD_CTX_copy_ex(ctx, use->ctx) != 1) {
        EVP_MD_CTX_free(ctx);
        ERR_clear_error();
        return PODI_ERROR;
    }

    /* anything but 1 is a no: -1 exists */

    ok = kind->secret ? podi_jose_compare(ctx, &native, input)
                      : EVP_DigestVerify(ctx, native.data, native.len,
                                         input->data, input->len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    return ok ? PODI_OK : PODI_DECLINED;
}


static int
podi_jose_compare(EVP_MD_CTX *ctx, const podi_str_t *raw,
    const podi_str_t *input)
{
    int             ok;
    size_t          len;
    unsigned char   mac[EVP_MAX_MD_SIZE];

    len = sizeof(mac);

    ok = EVP_DigestSign(ctx, mac, &len, input->data, input->len) == 1
         && len == raw->len
         && CRYPTO_memcmp(mac, raw->data, len) == 0;

    podi_wipe(mac, sizeof(mac));

    return ok;
}


podi_rc_t
podi_jose_sign(const podi_jose_key_t *key, const char *typ,
    const podi_str_t *claims, podi_mem_t *mem, podi_str_t *ret_token)
{
    podi_buf_t  b;
    podi_str_t  s, input, signature;

    podi_buf_init(&b, mem);

    podi_buf_printf(&b, "{\"alg\":\"%s\",\"kid\":", key->alg->name);
    podi_buf_add_json(&b, &key->kid);
    podi_buf_add_c(&b, ",\"typ\":");
    s = podi_str_c(typ);
    podi_buf_add_json(&b, &s);
    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &s) != PODI_OK
        || podi_base64url_encode(mem, &s, &s) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &s);
    podi_buf_add_byte(&b, '.');

    if (podi_base64url_encode(mem, claims, &s) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_str(&b, &s);

    if (podi_buf_take(&b, &input) != PODI_OK
        || podi_jose_make_signature(key, &input, mem, &signature) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_add_byte(&b, '.');
    podi_buf_add_str(&b, &signature);

    return podi_buf_take(&b, ret_token);
}


static podi_rc_t
podi_jose_make_signature(const podi_jose_key_t *key, const podi_str_t *input,
    podi_mem_t *mem, podi_str_t *ret_signature)
{
    int                      ok;
    EVP_MD_CTX              *ctx;
    podi_str_t               s;
    unsigned char            native[PODI_JOSE_SIGNATURE_MAX];
    unsigned char            raw[PODI_JOSE_SIGNATURE_MAX];
    const podi_jose_kind_t  *kind = key->alg->kind;

    s.data = native;
    s.len = sizeof(native);

    ctx = EVP_MD_CTX_new();

    ok = ctx != NULL
         && podi_jose_start(key->alg, key->pkey, 1, ctx)
         && EVP_DigestSign(ctx, native, &s.len, input->data, input->len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    if (!ok) {
        return PODI_ERROR;
    }

    if (kind->pack != NULL) {
        if (kind->pack(key->alg, &s, raw) != PODI_OK) {
            return PODI_ERROR;
        }

        s.data = raw;
        s.len = key->alg->signature;
    }

    return podi_base64url_encode(mem, &s, ret_signature);
}
