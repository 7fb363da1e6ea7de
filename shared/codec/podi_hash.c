/*
 * podi_hash: EVP with nothing left behind.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "podi_assert.h"
#include "podi_hash.h"
#include "podi_secret.h"
#include "banned.h"


struct podi_hash_s {
    EVP_MD_CTX  *ctx;
    size_t       len;
    unsigned     ended:1;
};


static const EVP_MD *podi_hash_md(podi_hash_e kind);
static void podi_hash_release(void *thing);
static podi_rc_t podi_hash_failed(void);


podi_rc_t
podi_sha256(const podi_str_t *data,
    unsigned char ret_digest[PODI_SHA256_LEN])
{
    if (EVP_Digest(data->data, data->len, ret_digest, NULL, EVP_sha256(),
                   NULL)
        != 1)
    {
        return podi_hash_failed();
    }

    return PODI_OK;
}


podi_rc_t
podi_hmac_sha256(const podi_str_t *key, const podi_str_t *data,
    unsigned char ret_mac[PODI_SHA256_LEN])
{
    unsigned  len = PODI_SHA256_LEN;

    /* a NULL key would mean "the key of last time" */

    if (HMAC(EVP_sha256(), key->data ? (const void *) key->data : "",
             (int) key->len, data->data, data->len, ret_mac, &len)
        == NULL)
    {
        return podi_hash_failed();
    }

    return PODI_OK;
}


podi_rc_t
podi_hmac_sha1(const podi_str_t *key, const podi_str_t *data,
    unsigned char ret_mac[PODI_SHA1_LEN])
{
    unsigned  len = PODI_SHA1_LEN;

    if (HMAC(EVP_sha1(), key->data ? (const void *) key->data : "",
             (int) key->len, data->data, data->len, ret_mac, &len)
        == NULL)
    {
        return podi_hash_failed();
    }

    return PODI_OK;
}


podi_rc_t
podi_hkdf_sha256(const podi_str_t *key, const podi_str_t *salt,
    const podi_str_t *info, unsigned char *ret_bytes, size_t len)
{
    size_t          n, used;
    podi_rc_t       rc = PODI_ERROR;
    podi_str_t      s, prk;
    unsigned char   extract[PODI_SHA256_LEN], block[PODI_SHA256_LEN];
    unsigned char   text[PODI_SHA256_LEN + 256 + 1], round;

    podi_assert(len <= 255 * PODI_SHA256_LEN && info->len <= 256);

    /* extract; an empty salt is 32 zeros, which HMAC pads to the same */

    if (podi_hmac_sha256(salt, key, extract) != PODI_OK) {
        return PODI_ERROR;
    }

    prk.data = extract;
    prk.len = sizeof(extract);
    used = 0;

    for (round = 1; len > 0; round++) {
        memcpy(text, block, used);

        if (info->len) {
            memcpy(text + used, info->data, info->len);
        }

        text[used + info->len] = round;

        s.data = text;
        s.len = used + info->len + 1;

        if (podi_hmac_sha256(&prk, &s, block) != PODI_OK) {
            goto out;
        }

        used = sizeof(block);
        n = len < used ? len : used;
        memcpy(ret_bytes, block, n);
        ret_bytes += n;
        len -= n;
    }

    rc = PODI_OK;

out:

    podi_wipe(extract, sizeof(extract));
    podi_wipe(block, sizeof(block));
    podi_wipe(text, sizeof(text));

    return rc;
}


podi_rc_t
podi_hash_begin(podi_mem_t *mem, podi_hash_e kind, podi_hash_t **ret_hash)
{
    podi_hash_t   *hash;
    const EVP_MD  *md;

    md = podi_hash_md(kind);

    hash = podi_mem_calloc(mem, sizeof(podi_hash_t));
    if (hash == NULL) {
        return PODI_ERROR;
    }

    hash->ctx = EVP_MD_CTX_new();
    if (hash->ctx == NULL) {
        return podi_hash_failed();
    }

    if (podi_mem_own(mem, podi_hash_release, hash->ctx) != PODI_OK) {
        return PODI_ERROR;
    }

    if (EVP_DigestInit_ex(hash->ctx, md, NULL) != 1) {
        return podi_hash_failed();
    }

    hash->len = (size_t) EVP_MD_get_size(md);
    *ret_hash = hash;

    return PODI_OK;
}


static const EVP_MD *
podi_hash_md(podi_hash_e kind)
{
    switch (kind) {
    case PODI_HASH_SHA1: return EVP_sha1();
    case PODI_HASH_MD5: return EVP_md5();
    default: return EVP_sha256();
    }
}


static void
podi_hash_release(void *thing)
{
    EVP_MD_CTX_free(thing);
}


podi_rc_t
podi_hash_add(podi_hash_t *hash, const void *data, size_t len)
{
    podi_assert(!hash->ended);

    if (EVP_DigestUpdate(hash->ctx, data, len) != 1) {
        return podi_hash_failed();
    }

    return PODI_OK;
}


podi_rc_t
podi_hash_end(podi_hash_t *hash, unsigned char *ret_digest)
{
    podi_assert(!hash->ended);

    hash->ended = 1;

    if (EVP_DigestFinal_ex(hash->ctx, ret_digest, NULL) != 1) {
        return podi_hash_failed();
    }

    return PODI_OK;
}


size_t
podi_hash_len(const podi_hash_t *hash)
{
    return hash->len;
}


static podi_rc_t
podi_hash_failed(void)
{
    ERR_clear_error();

    return PODI_ERROR;
}
