/*
 * podi_jose_key: where private keys come from and what is shown of them.
 * Rings of public keys are in podi_jose_ring.c.
 *
 *     PEM  ->  its type and curve  ->  the first algorithm for them
 *     JWK  ->  kty, crv, alg       ->  load, fits
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "podi_base64.h"
#include "podi_hash.h"
#include "podi_id.h"
#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_KEY_MAX  8192


static podi_rc_t podi_jose_key_from_pem(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t *key, podi_fail_t *fail);
static podi_rc_t podi_jose_key_from_jwk(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t *key, podi_fail_t *fail);
static podi_rc_t podi_jose_key_name(podi_jose_key_t *key, podi_mem_t *mem,
    podi_fail_t *fail);
static podi_rc_t podi_jose_key_thumbprint(podi_jose_key_t *key,
    podi_mem_t *mem);
static podi_rc_t podi_jose_key_own_kid(podi_jose_key_t *key,
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

    if (rc != PODI_OK || podi_jose_key_name(key, mem, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_key = key;

    return PODI_OK;
}


static podi_rc_t
podi_jose_key_from_pem(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_key_t *key, podi_fail_t *fail)
{
    BIO         *bio;
    const char  *why;

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

    key->alg = podi_jose_alg_fit(key->pkey, 1, &why);

    if (key->alg == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key is refused: %s", why);
    }

    return PODI_OK;
}


static podi_rc_t
podi_jose_key_from_jwk(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_key_t *key, podi_fail_t *fail)
{
    json_t                         *jwk;
    const char                     *why = "the algorithm is not supported";
    podi_str_t                      name, kty, crv;
    const podi_jose_alg_t          *alg;
    static const podi_json_limit_t  limit = { PODI_JOSE_KEY_MAX, 4 };

    if (podi_json_parse(text, &limit, mem, &jwk, fail) != PODI_OK) {
        fail->error = PODI_E_CONFIG;
        return PODI_ERROR;
    }

    name = podi_json_str(json_object_get(jwk, "alg"));
    kty = podi_json_str(json_object_get(jwk, "kty"));
    crv = podi_json_str(json_object_get(jwk, "crv"));

    alg = podi_jose_alg_of(&kty, &crv, &name);

    if (alg == NULL
        || alg->kind->load(alg, jwk, 1, mem, &key->pkey, &why) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key's JWK is refused: %s", why);
    }

    if (podi_mem_own(mem, podi_jose_pkey_free, key->pkey) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (alg->kind->fits(alg, key->pkey, 1, &why) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key's JWK is refused: %s", why);
    }

    key->alg = alg;
    key->kid = podi_json_str(json_object_get(jwk, "kid"));

    return PODI_OK;
}


static podi_rc_t
podi_jose_key_name(podi_jose_key_t *key, podi_mem_t *mem, podi_fail_t *fail)
{
    if (key->kid.len > PODI_JOSE_KID_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key's kid is longer than %d bytes",
                         PODI_JOSE_KID_MAX);
    }

    if (key->kid.len) {
        return PODI_OK;
    }

    /* a thumbprint of a secret would let anybody try secrets against it */

    if (key->alg->kind->secret) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the signing key is a secret and needs a kid");
    }

    if (podi_jose_key_thumbprint(key, mem) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
podi_jose_key_generate(const char *alg, podi_mem_t *mem,
    podi_jose_key_t **ret_key, podi_fail_t *fail)
{
    podi_jose_key_t        *key;
    const podi_jose_alg_t  *row;

    for (row = podi_jose_algs; row->name && strcmp(row->name, alg); row++) {
        /* void */
    }

    key = podi_mem_calloc(mem, sizeof(podi_jose_key_t));

    if (key == NULL || row->name == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no such algorithm");
    }

    key->alg = row;

    key->pkey = row->kind->generate(row);
    if (key->pkey == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL,
                         "OpenSSL made no key");
    }

    if (podi_mem_own(mem, podi_jose_pkey_free, key->pkey) != PODI_OK
        || podi_jose_key_own_kid(key, mem) != PODI_OK)
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

    if (key->alg->kind->members(key->alg, key->pkey, &b) != PODI_OK) {
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


/* of a new key: the thumbprint, or for a secret a word that tells nothing */

static podi_rc_t
podi_jose_key_own_kid(podi_jose_key_t *key, podi_mem_t *mem)
{
    podi_id_t   id;
    podi_str_t  s;

    if (!key->alg->kind->secret) {
        return podi_jose_key_thumbprint(key, mem);
    }

    if (podi_id_make(&id) != PODI_OK) {
        return PODI_ERROR;
    }

    s = podi_id_str(&id);

    return podi_mem_dup(mem, &s, &key->kid);
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

    if (key->alg->kind->members(key->alg, key->pkey, &b) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_printf(&b, ",\"alg\":\"%s\",\"use\":\"sig\",\"kid\":",
                    key->alg->name);
    podi_buf_add_json(&b, &key->kid);
    podi_buf_add_byte(&b, ',');

    if (key->alg->kind->private_members(key->alg, key->pkey, &b) != PODI_OK) {
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
