/*
 * podi_jose_key: where private keys come from and what is shown of them.
 * Rings of public keys are in podi_jose_ring.c.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "podi_base64.h"
#include "podi_hash.h"
#include "podi_jose_alg.h"
#include "banned.h"


const podi_jose_alg_t  podi_jose_algs[] = {
    { "ES256", "EC", "P-256", "prime256v1", "SHA256", 32, 64,
      podi_jose_ec_load, podi_jose_ec_fits, podi_jose_ec_generate,
      podi_jose_ec_members, podi_jose_ec_private_members,
      podi_jose_ec_pack, podi_jose_ec_unpack },

    { NULL, NULL, NULL, NULL, NULL, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL, NULL }
};


static podi_rc_t podi_jose_key_from_pem(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t *key, podi_fail_t *fail);
static podi_rc_t podi_jose_key_from_jwk(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t *key, podi_fail_t *fail);
static podi_rc_t podi_jose_key_thumbprint(podi_jose_key_t *key,
    podi_mem_t *mem);
static int podi_jose_no_password(char *buf, int size, int writing, void *data);


podi_rc_t
podi_jose_key_parse(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_key_t **ret_key, podi_fail_t *fail)
{
    podi_rc_t         rc;
    podi_jose_key_t  *key;

    key = podi_mem_calloc(mem, sizeof(podi_jose_key_t));
    if (key == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_str_has_prefix(text, "{")) {
        rc = podi_jose_key_from_jwk(text, mem, key, fail);

    } else {
        rc = podi_jose_key_from_pem(text, mem, key, fail);
    }

    if (rc != PODI_OK) {
        return rc;
    }

    if (key->kid.len == 0 && podi_jose_key_thumbprint(key, mem) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_key = key;

    return PODI_OK;
}


static podi_rc_t
podi_jose_key_from_pem(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_key_t *key, podi_fail_t *fail)
{
    BIO                    *bio;
    const podi_jose_alg_t  *alg;

    bio = BIO_new_mem_buf(text->data, (int) text->len);

    if (bio != NULL) {
        key->pkey = PEM_read_bio_PrivateKey(bio, NULL, podi_jose_no_password,
                                            NULL);
    }

    BIO_free(bio);
    ERR_clear_error();

    if (key->pkey == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key is not an unencrypted PEM "
                         "private key, nor a JWK");
    }

    if (podi_mem_own(mem, podi_jose_pkey_free, key->pkey) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if (alg->fits(alg, key->pkey)) {
            key->alg = alg;
            return PODI_OK;
        }
    }

    return podi_fail(fail, PODI_E_CONFIG, NULL,
                     "the signing key must be on the curve P-256 (ES256)");
}


static podi_rc_t
podi_jose_key_from_jwk(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_key_t *key, podi_fail_t *fail)
{
    json_t                         *jwk;
    const char                     *why = "the algorithm is not supported";
    podi_str_t                      s, kty, crv;
    const podi_jose_alg_t          *alg;
    static const podi_json_limit_t  limit = { 4096, 4 };

    if (podi_json_parse(text, &limit, mem, &jwk, fail) != PODI_OK) {
        fail->error = PODI_E_CONFIG;
        return PODI_ERROR;
    }

    kty = podi_json_str(json_object_get(jwk, "kty"));
    crv = podi_json_str(json_object_get(jwk, "crv"));

    for (alg = podi_jose_algs; alg->name != NULL; alg++) {
        if (podi_str_eq_c(&kty, alg->kty) && podi_str_eq_c(&crv, alg->crv)) {
            break;
        }
    }

    s = podi_json_str(json_object_get(jwk, "alg"));

    if (alg->name == NULL || (s.len && !podi_str_eq_c(&s, alg->name))
        || alg->load(alg, jwk, 1, mem, &key->pkey, &why) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key's JWK is refused: %s", why);
    }

    if (podi_mem_own(mem, podi_jose_pkey_free, key->pkey) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    key->alg = alg;
    key->kid = podi_json_str(json_object_get(jwk, "kid"));

    if (key->kid.len > PODI_JOSE_KID_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key's kid is longer than %d bytes",
                         PODI_JOSE_KID_MAX);
    }

    return PODI_OK;
}


podi_rc_t
podi_jose_key_generate(podi_mem_t *mem, podi_jose_key_t **ret_key,
    podi_fail_t *fail)
{
    podi_jose_key_t  *key;

    key = podi_mem_calloc(mem, sizeof(podi_jose_key_t));
    if (key == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    key->alg = &podi_jose_algs[0];

    key->pkey = key->alg->generate(key->alg);
    if (key->pkey == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL,
                         "OpenSSL made no key");
    }

    if (podi_mem_own(mem, podi_jose_pkey_free, key->pkey) != PODI_OK
        || podi_jose_key_thumbprint(key, mem) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_key = key;

    return PODI_OK;
}


/* RFC 7638 */

static podi_rc_t
podi_jose_key_thumbprint(podi_jose_key_t *key, podi_mem_t *mem)
{
    podi_buf_t      b;
    podi_str_t      s;
    unsigned char   digest[PODI_SHA256_LEN];

    podi_buf_init(&b, mem);

    podi_buf_add_byte(&b, '{');

    if (key->alg->members(key->alg, key->pkey, &b) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &s) != PODI_OK
        || podi_sha256(&s, digest) != PODI_OK)
    {
        return PODI_ERROR;
    }

    s.data = digest;
    s.len = sizeof(digest);

    return podi_base64url_encode(mem, &s, &key->kid);
}


podi_str_t
podi_jose_key_kid(const podi_jose_key_t *key)
{
    return key->kid;
}


const char *
podi_jose_key_alg(const podi_jose_key_t *key)
{
    return key->alg->name;
}


podi_rc_t
podi_jose_key_pem(const podi_jose_key_t *key, podi_mem_t *mem,
    podi_secret_t **ret_text)
{
    BIO        *bio;
    char       *data;
    long        len;
    podi_rc_t   rc = PODI_ERROR;
    podi_str_t  s;

    bio = BIO_new(BIO_s_mem());

    if (bio != NULL
        && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
                                         NULL) == 1)
    {
        len = BIO_get_mem_data(bio, &data);

        s.data = (unsigned char *) data;
        s.len = (size_t) len;

        rc = podi_secret_make(mem, &s, ret_text);
        podi_wipe(s.data, s.len);
    }

    BIO_free(bio);
    ERR_clear_error();

    return rc;
}


podi_rc_t
podi_jose_key_jwk(const podi_jose_key_t *key, podi_mem_t *mem,
    podi_secret_t **ret_text)
{
    podi_rc_t   rc;
    podi_buf_t  b;
    podi_str_t  s;

    podi_buf_init(&b, mem);

    podi_buf_add_c(&b, "{");

    if (key->alg->members(key->alg, key->pkey, &b) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_printf(&b, ",\"alg\":\"%s\",\"use\":\"sig\",\"kid\":",
                    key->alg->name);
    podi_buf_add_json(&b, &key->kid);
    podi_buf_add_byte(&b, ',');

    if (key->alg->private_members(key->alg, key->pkey, &b) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &s) != PODI_OK) {
        return PODI_ERROR;
    }

    rc = podi_secret_make(mem, &s, ret_text);
    podi_wipe(s.data, s.len);

    return rc;
}


void
podi_jose_pkey_free(void *pkey)
{
    EVP_PKEY_free(pkey);
}


/* without it OpenSSL would ask at the terminal */

static int
podi_jose_no_password(char *buf, int size, int writing, void *data)
{
    (void) buf;
    (void) size;
    (void) writing;
    (void) data;

    return -1;
}
