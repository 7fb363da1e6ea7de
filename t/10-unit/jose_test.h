/*
 * jose_test: keys, rings and tokens, good ones and forged ones.
 */

#ifndef PODI_JOSE_TEST_H
#define PODI_JOSE_TEST_H


#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "tap.h"
#include "podi_base64.h"
#include "podi_jose.h"


#define SECRET  "0123456789abcdef0123456789abcdef"
#define CLAIMS                                                               \
    "{\"iss\":\"i\",\"aud\":\"b\",\"sub\":\"mallory\",\"exp\":1795325000}"


static podi_mem_t  *mem;

static podi_jose_expect_t  expect = {
    .iss = podi_string("i"), .now = (podi_usec_t) 1795324666 * 1000000
};


static inline podi_jose_key_t *
key_of(const char *alg)
{
    podi_fail_t       fail;
    podi_jose_key_t  *key;

    if (podi_jose_key_generate(alg, mem, &key, &fail) != PODI_OK) {
        abort();
    }

    return key;
}


/* the same key, signing with another algorithm of its kind */

static inline podi_jose_key_t *
key_as(podi_jose_key_t *key, const char *alg, const char *kid)
{
    json_t           *jwk;
    podi_str_t        s;
    podi_fail_t       fail;
    podi_secret_t    *text;
    podi_jose_key_t  *other;

    static const podi_json_limit_t  limit = { 16384, 4 };

    if (podi_jose_key_jwk(key, mem, &text) != PODI_OK) {
        abort();
    }

    s = podi_secret_bytes(text);

    if (podi_json_parse(&s, &limit, mem, &jwk, &fail) != PODI_OK
        || json_object_set_new(jwk, "alg", json_string(alg)) != 0
        || json_object_set_new(jwk, "kid", json_string(kid)) != 0
        || podi_json_dump(jwk, mem, &s) != PODI_OK
        || podi_jose_key_parse(&s, mem, &other, &fail) != PODI_OK)
    {
        abort();
    }

    return other;
}


static inline EVP_PKEY *
pkey_of(const podi_jose_key_t *key)
{
    BIO            *bio;
    EVP_PKEY       *pkey;
    podi_str_t      s;
    podi_secret_t  *pem;

    if (podi_jose_key_pem(key, mem, &pem) != PODI_OK) {
        abort();
    }

    s = podi_secret_bytes(pem);
    bio = BIO_new_mem_buf(s.data, (int) s.len);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);

    return pkey;
}


static inline podi_str_t
bio_text(BIO *bio)
{
    char        *p;
    podi_str_t   s, copy;

    s.len = (size_t) BIO_get_mem_data(bio, &p);
    s.data = (unsigned char *) p;

    if (podi_mem_dup(mem, &s, &copy) != PODI_OK) {
        abort();
    }

    BIO_free(bio);

    return copy;
}


static inline podi_str_t
pub_pem(const podi_jose_key_t *key)
{
    BIO       *bio = BIO_new(BIO_s_mem());
    EVP_PKEY  *pkey = pkey_of(key);

    (void) PEM_write_bio_PUBKEY(bio, pkey);
    EVP_PKEY_free(pkey);

    return bio_text(bio);
}


static inline podi_str_t
pub_der(const podi_jose_key_t *key)
{
    BIO       *bio = BIO_new(BIO_s_mem());
    EVP_PKEY  *pkey = pkey_of(key);

    (void) i2d_PUBKEY_bio(bio, pkey);
    EVP_PKEY_free(pkey);

    return bio_text(bio);
}


static inline podi_str_t
b64(podi_str_t s)
{
    podi_str_t  t;

    if (podi_base64url_encode(mem, &s, &t) != PODI_OK) {
        abort();
    }

    return t;
}


/* "RS256 PS256" */

static inline unsigned
bits_of(const char *names)
{
    unsigned    mask = 0, one = 0;
    podi_str_t  rest = podi_str_c(names), name;

    while (rest.len && podi_str_split(&rest, ' ', &name)) {
        if (podi_jose_alg_bit(&name, &one) != PODI_OK) {
            abort();
        }

        mask |= one;
    }

    return mask;
}


static inline podi_rc_t
add(podi_str_t text, unsigned algs, const char *kid,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail)
{
    podi_jose_accept_t  accept = { .algs = algs, .kid = podi_str_c(kid) };

    if (podi_jose_ring_make(mem, ret_ring) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_jose_ring_add_text(*ret_ring, &text, &accept, fail);
}


static inline podi_jose_ring_t *
ring_of(podi_str_t text, const char *algs, const char *kid)
{
    podi_fail_t        fail;
    podi_jose_ring_t  *ring;

    if (add(text, bits_of(algs), kid, &ring, &fail) != PODI_OK) {
        printf("# %s\n", fail.detail);
        abort();
    }

    return ring;
}


/* text_of has 16 KiB: for a large token the parts are put together here */

static inline podi_str_t
forge(const char *header, const char *claims, podi_str_t secret,
    const char *digest)
{
    unsigned        len = 0;
    podi_buf_t      b;
    podi_str_t      s, mac;
    unsigned char   bytes[EVP_MAX_MD_SIZE];

    podi_buf_init(&b, mem);
    s = b64(str(header));
    podi_buf_add_str(&b, &s);
    podi_buf_add_byte(&b, '.');
    s = b64(str(claims));
    podi_buf_add_str(&b, &s);

    if (podi_buf_take(&b, &s) != PODI_OK
        || HMAC(EVP_get_digestbyname(digest), secret.data, (int) secret.len,
                s.data, s.len, bytes, &len) == NULL)
    {
        abort();
    }

    mac.data = bytes;
    mac.len = len;
    mac = b64(mac);

    podi_buf_add_byte(&b, '.');
    podi_buf_add_str(&b, &mac);

    if (podi_buf_take(&b, &s) != PODI_OK) {
        abort();
    }

    return s;
}


static inline podi_str_t
token_of(const podi_jose_key_t *key, const char *typ)
{
    podi_str_t  s = podi_string(CLAIMS), token;

    if (podi_jose_sign(key, typ, &s, mem, &token) != PODI_OK) {
        abort();
    }

    return token;
}


static inline podi_str_t
sign(const podi_jose_key_t *key)
{
    return token_of(key, "JWT");
}


static inline podi_str_t
with_signature(podi_str_t token, const void *data, size_t len)
{
    podi_str_t  s;

    while (token.data[token.len - 1] != '.') {
        token.len--;
    }

    s.data = (unsigned char *) (uintptr_t) data;
    s.len = len;
    s = b64(s);

    return text_of(mem, PODI_STR_FMT PODI_STR_FMT, podi_str_arg(&token),
                   podi_str_arg(&s));
}


/* its signature is then wrong: for what is refused before */

static inline podi_str_t
with_header(podi_str_t token, const char *header)
{
    podi_str_t  part, h;

    (void) podi_str_split(&token, '.', &part);
    h = b64(str(header));

    return text_of(mem, PODI_STR_FMT "." PODI_STR_FMT, podi_str_arg(&h),
                   podi_str_arg(&token));
}


static inline podi_rc_t
verdict(const podi_jose_ring_t *ring, podi_str_t token, podi_fail_t *fail)
{
    json_t  *got;

    return podi_jose_verify(ring, &token, &expect, mem, &got, fail);
}


static inline podi_rc_t
verify(const podi_jose_ring_t *ring, podi_str_t token)
{
    podi_fail_t  fail;

    return verdict(ring, token, &fail);
}


static inline void
refused(const podi_jose_ring_t *ring, podi_str_t token, const char *what)
{
    podi_rc_t    rc;
    podi_fail_t  fail;

    rc = verdict(ring, token, &fail);

    is_fail(rc, &fail, PODI_E_TOKEN_INVALID, NULL, what);

    if (ERR_peek_error() != 0) {
        ok(0, "%s: and leaves no error behind", what);
        ERR_clear_error();
    }
}


#endif /* PODI_JOSE_TEST_H */
