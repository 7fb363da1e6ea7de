/*
 * podi_seal: EVP's AES-256-GCM, one message a context.
 */

#include <openssl/err.h>
#include <openssl/evp.h>

#include "podi_hash.h"
#include "podi_id.h"
#include "podi_seal.h"
#include "banned.h"


#define SEAL_NONCE  12
#define SEAL_TAG    16


static int podi_seal_shut(EVP_CIPHER_CTX *ctx, const unsigned char *key,
    const podi_str_t *aad, const podi_str_t *text, unsigned char *dst);
static int podi_seal_unshut(EVP_CIPHER_CTX *ctx, const unsigned char *key,
    const podi_str_t *aad, const podi_str_t *sealed, unsigned char *dst);


podi_rc_t
podi_seal_id(const podi_secret_t *key, char ret_id[PODI_SEAL_ID_LEN + 1])
{
    podi_str_t     bytes;
    unsigned char  digest[PODI_SHA256_LEN];

    bytes = podi_secret_bytes(key);

    if (podi_sha256(&bytes, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_hex_encode((unsigned char *) ret_id, digest, PODI_SEAL_ID_LEN / 2);
    ret_id[PODI_SEAL_ID_LEN] = '\0';
    podi_wipe(digest, sizeof(digest));

    return PODI_OK;
}


podi_rc_t
podi_seal(const podi_secret_t *key, const podi_str_t *aad,
    const podi_str_t *text, podi_mem_t *mem, podi_str_t *ret_sealed)
{
    int              done;
    podi_str_t       bytes, sealed;
    EVP_CIPHER_CTX  *ctx;

    bytes = podi_secret_bytes(key);

    if (bytes.len != PODI_SEAL_KEY_LEN || text->len == 0
        || text->len > PODI_SEAL_MAX - PODI_SEAL_MORE)
    {
        return PODI_ERROR;
    }

    sealed.len = text->len + PODI_SEAL_MORE;
    sealed.data = podi_mem_alloc(mem, sealed.len);

    if (sealed.data == NULL
        || podi_random(sealed.data, SEAL_NONCE) != PODI_OK)
    {
        return PODI_ERROR;
    }

    ctx = EVP_CIPHER_CTX_new();
    done = ctx != NULL && podi_seal_shut(ctx, bytes.data, aad, text,
                                         sealed.data);
    EVP_CIPHER_CTX_free(ctx);

    if (!done) {
        ERR_clear_error();
        return PODI_ERROR;
    }

    *ret_sealed = sealed;

    return PODI_OK;
}


/* behind the nonce, which is there */

static int
podi_seal_shut(EVP_CIPHER_CTX *ctx, const unsigned char *key,
    const podi_str_t *aad, const podi_str_t *text, unsigned char *dst)
{
    int             n;
    unsigned char  *body = dst + SEAL_NONCE;

    return EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, dst) == 1
           && (aad->len == 0
               || EVP_EncryptUpdate(ctx, NULL, &n, aad->data, (int) aad->len)
                  == 1)
           && EVP_EncryptUpdate(ctx, body, &n, text->data, (int) text->len)
              == 1
           && EVP_EncryptFinal_ex(ctx, body + n, &n) == 1
           && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG,
                                  body + text->len)
              == 1;
}


podi_rc_t
podi_seal_open(const podi_secret_t *key, const podi_str_t *aad,
    const podi_str_t *sealed, podi_mem_t *mem, podi_secret_t **ret_text)
{
    podi_rc_t        rc;
    podi_str_t       bytes, text;
    EVP_CIPHER_CTX  *ctx;
    unsigned char    plain[PODI_SEAL_MAX];

    bytes = podi_secret_bytes(key);

    if (bytes.len != PODI_SEAL_KEY_LEN || sealed->len <= PODI_SEAL_MORE
        || sealed->len > PODI_SEAL_MAX)
    {
        return PODI_DECLINED;
    }

    text.data = plain;
    text.len = sealed->len - PODI_SEAL_MORE;

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return PODI_ERROR;
    }

    if (podi_seal_unshut(ctx, bytes.data, aad, sealed, plain)) {
        rc = podi_secret_make(mem, &text, ret_text);

    } else {
        ERR_clear_error();
        rc = PODI_DECLINED;
    }

    EVP_CIPHER_CTX_free(ctx);
    podi_wipe(plain, text.len);

    return rc;
}


/* what stands in dst is nobody's to see before the tag was found right */

static int
podi_seal_unshut(EVP_CIPHER_CTX *ctx, const unsigned char *key,
    const podi_str_t *aad, const podi_str_t *sealed, unsigned char *dst)
{
    int             n;
    size_t          len = sealed->len - PODI_SEAL_MORE;
    unsigned char  *body = sealed->data + SEAL_NONCE;

    return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed->data)
           == 1
           && (aad->len == 0
               || EVP_DecryptUpdate(ctx, NULL, &n, aad->data, (int) aad->len)
                  == 1)
           && EVP_DecryptUpdate(ctx, dst, &n, body, (int) len) == 1
           && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SEAL_TAG,
                                  body + len)
              == 1
           && EVP_DecryptFinal_ex(ctx, dst + n, &n) == 1;
}
