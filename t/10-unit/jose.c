/*
 * podi_jose: what is issued verifies, and everything else does not.
 *
 * Forged tokens are signed here with the right key, so that each is refused
 * for the one thing that is wrong with it.
 */

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "tap.h"
#include "podi_base64.h"
#include "podi_jose.h"
#include "banned.h"


#define NOW  1795324666

#define CLAIMS                                                               \
    "{\"iss\":\"https://podi\",\"aud\":\"api\",\"sub\":\"u\","               \
    "\"iat\":1795324600,\"exp\":1795325000}"


static podi_mem_t        *mem;
static podi_jose_key_t   *key;
static podi_jose_ring_t  *ring;
static EVP_PKEY          *pkey;

static const podi_str_t  typ = podi_string("at+jwt");
static const podi_str_t  aud = podi_string("api");

static const podi_jose_expect_t  expect = {
    .typ = { &typ, 1 }, .aud = { &aud, 1 },
    .iss = podi_string("https://podi"), .now = (podi_usec_t) NOW * 1000000,
    .leeway = 30, .max_life = 600
};


/* %s is the kid */
static const struct {
    const char  *header;
    const char  *what;
}  headers[] = {
    { "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "alg none" },
    { "{\"alg\":\"None\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "alg None" },
    { "{\"alg\":\"es256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "alg es256" },
    { "{\"alg\":\"ES384\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "alg ES384" },
    { "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "alg HS256" },
    { "{\"kid\":\"%s\",\"typ\":\"at+jwt\"}", "no alg" },
    { "{\"alg\":[\"ES256\"],\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
      "alg is an array" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", "typ JWT" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\"}", "no typ" },
    { "{\"alg\":\"ES256\",\"kid\":\"%sx\",\"typ\":\"at+jwt\"}", "other kid" },
    { "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"x\":\"%s\"}", "no kid" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\","
      "\"crit\":[\"x\"],\"x\":1}", "crit" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\",\"b64\":false}",
      "b64" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\","
      "\"zip\":\"DEF\"}", "zip" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\","
      "\"enc\":\"A128GCM\"}", "enc" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\","
      "\"alg\":\"ES256\"}", "alg twice" },
    { "[\"ES256\",\"%s\"]", "the header is an array" },
    { "\"%s\"", "the header is a string" },
    { "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"} x",
      "more after the header" },
};

static const struct {
    const char    *claims;
    podi_error_e   error;           /* NONE: accepted */
    const char    *what;
}  claims[] = {
    { CLAIMS, PODI_E_NONE, "as it should be" },
    { "{\"iss\":\"https://podi\",\"aud\":[\"x\",\"api\"],"
      "\"iat\":1795324600,\"exp\":1795325000}", PODI_E_NONE, "aud: array" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"nbf\":1795324690,"
      "\"iat\":1795324690,\"exp\":1795325000}", PODI_E_NONE,
      "nbf and iat within the leeway" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324000,"
      "\"exp\":1795324600}", PODI_E_TOKEN_EXPIRED, "expired" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":1795324666}", PODI_E_TOKEN_EXPIRED, "expires now" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600}",
      PODI_E_TOKEN_INVALID, "no exp" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":\"1795325000\"}", PODI_E_TOKEN_INVALID, "exp is a string" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":1795325000.5}", PODI_E_TOKEN_INVALID, "exp is a fraction" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":-1}", PODI_E_TOKEN_INVALID, "exp is negative" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":9223372036854775807}", PODI_E_TOKEN_INVALID, "exp overflows" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"exp\":1795325000}",
      PODI_E_TOKEN_INVALID, "no iat where the life is limited" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":1795325201}", PODI_E_TOKEN_INVALID, "lives too long" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324697,"
      "\"exp\":1795325000}", PODI_E_TOKEN_INVALID, "issued in the future" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"nbf\":1795324697,\"exp\":1795325000}", PODI_E_TOKEN_INVALID,
      "not valid yet" },
    { "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":true,"
      "\"exp\":1795325000}", PODI_E_TOKEN_INVALID, "iat is a boolean" },
    { "{\"iss\":\"https://podi/\",\"aud\":\"api\",\"iat\":1795324600,"
      "\"exp\":1795325000}", PODI_E_TOKEN_INVALID, "another issuer" },
    { "{\"aud\":\"api\",\"iat\":1795324600,\"exp\":1795325000}",
      PODI_E_TOKEN_INVALID, "no issuer" },
    { "{\"iss\":\"https://podi\",\"aud\":\"web\",\"iat\":1795324600,"
      "\"exp\":1795325000}", PODI_E_TOKEN_INVALID, "another audience" },
    { "{\"iss\":\"https://podi\",\"aud\":[],\"iat\":1795324600,"
      "\"exp\":1795325000}", PODI_E_TOKEN_INVALID, "aud is empty" },
    { "{\"iss\":\"https://podi\",\"iat\":1795324600,\"exp\":1795325000}",
      PODI_E_TOKEN_INVALID, "no audience" },
    { "{\"iss\":\"https://podi\",\"iss\":\"https://podi\",\"aud\":\"api\","
      "\"iat\":1795324600,\"exp\":1795325000}", PODI_E_TOKEN_INVALID,
      "iss twice" },
    { "[]", PODI_E_TOKEN_INVALID, "the claims are an array" },
    { "{", PODI_E_TOKEN_INVALID, "the claims are no JSON" },
};


static podi_str_t forge(const char *header, const char *body);
static podi_str_t b64(const char *data, size_t len);
static podi_rc_t verify(podi_str_t token, podi_fail_t *fail);
static void test_headers(void);
static void test_texts(void);
static void test_signatures(void);
static void test_confusion(void);


int
main(void)
{
    BIO             *bio;
    json_t          *got;
    unsigned         i;
    podi_str_t       token, s;
    podi_fail_t      fail;
    podi_arena_t    *arena;
    podi_secret_t   *pem;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    ok(podi_jose_key_generate("ES256", mem, &key, &fail) == PODI_OK
       && podi_jose_ring_make(mem, &ring) == PODI_OK
       && podi_jose_ring_add(ring, key, &fail) == PODI_OK
       && podi_jose_key_pem(key, mem, &pem) == PODI_OK, "a key and its ring");
    is_str(str(podi_jose_key_alg(key)), "ES256", "for ES256");

    s = podi_secret_bytes(pem);
    bio = BIO_new_mem_buf(s.data, (int) s.len);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);

    s = str(CLAIMS);
    ok(podi_jose_sign(key, "at+jwt", &s, mem, &token) == PODI_OK, "signed");
    ok(podi_jose_verify(ring, &token, &expect, mem, &got, &fail) == PODI_OK,
       "and verified");
    is_str(podi_json_str(json_object_get(got, "sub")), "u", "its claims");

    for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        token = forge("{\"alg\":\"ES256\",\"kid\":\"%s\","
                      "\"typ\":\"at+jwt\"}", claims[i].claims);

        if (claims[i].error == PODI_E_NONE) {
            is_int(verify(token, &fail), PODI_OK, claims[i].what);

        } else {
            is_fail(verify(token, &fail), &fail, claims[i].error, NULL,
                    claims[i].what);
        }
    }

    test_headers();
    test_texts();
    test_signatures();
    test_confusion();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    EVP_PKEY_free(pkey);
    podi_arena_free(&arena);

    return tap_done();
}


static podi_str_t
b64(const char *data, size_t len)
{
    podi_str_t  s, t;

    s.data = (unsigned char *) (uintptr_t) data;
    s.len = len;

    if (podi_base64url_encode(mem, &s, &t) != PODI_OK) {
        abort();
    }

    return t;
}


static podi_str_t
forge(const char *header, const char *body)
{
    char                  text[2048];
    size_t                len;
    podi_str_t            s, kid, h, c;
    ECDSA_SIG            *sig;
    EVP_MD_CTX           *ctx;
    unsigned char         der[128], raw[64];
    const unsigned char  *p = der;

    kid = podi_jose_key_kid(key);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void) snprintf(text, sizeof(text), header,
                    podi_mem_dup_c(mem, &kid));
#pragma GCC diagnostic pop

    h = b64(text, strlen(text));
    c = b64(body, strlen(body));

    s = text_of(mem, PODI_STR_FMT "." PODI_STR_FMT,
                podi_str_arg(&h), podi_str_arg(&c));

    len = sizeof(der);
    ctx = EVP_MD_CTX_new();

    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1
        || EVP_DigestSign(ctx, der, &len, s.data, s.len) != 1)
    {
        abort();
    }

    EVP_MD_CTX_free(ctx);

    sig = d2i_ECDSA_SIG(NULL, &p, (long) len);
    (void) BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    (void) BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    ECDSA_SIG_free(sig);

    h = b64((char *) raw, sizeof(raw));

    c = text_of(mem, PODI_STR_FMT "." PODI_STR_FMT,
                podi_str_arg(&s), podi_str_arg(&h));

    return c;
}


static podi_rc_t
verify(podi_str_t token, podi_fail_t *fail)
{
    json_t  *got;

    return podi_jose_verify(ring, &token, &expect, mem, &got, fail);
}


static void
test_headers(void)
{
    char         big[2048];
    unsigned     i;
    podi_fail_t  fail;

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        is_fail(verify(forge(headers[i].header, CLAIMS), &fail), &fail,
                PODI_E_TOKEN_INVALID, NULL, headers[i].what);
    }

    is_int(verify(forge("{\"alg\":\"ES256\",\"kid\":\"%s\","
                        "\"typ\":\"application/AT+JWT\","
                        "\"jku\":\"https://evil\",\"jwk\":{},\"x5u\":\"x\","
                        "\"x5c\":[]}", CLAIMS), &fail),
           PODI_OK, "typ is a media type; jku, jwk, x5u, x5c are ignored");

    (void) snprintf(big, sizeof(big), "{\"alg\":\"ES256\",\"kid\":\"%%s\","
                    "\"typ\":\"at+jwt\",\"x\":\"%01000d\"}", 0);
    is_fail(verify(forge(big, CLAIMS), &fail), &fail, PODI_E_TOKEN_INVALID,
            NULL, "a header above 1 KiB");
}


/* each text differs from a good one by something that a lax reader skips */

static void
test_texts(void)
{
    char            buf[10000];
    size_t          len;
    unsigned        i;
    podi_str_t      token, t;
    podi_fail_t     fail;
    unsigned char  *p;

    static const char  *tails[] = {
        "=", "==", "\n", " ", "!", ".", ".x", "A", "AA",
    };

    token = forge("{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                  CLAIMS);
    is_int(verify(token, &fail), PODI_OK, "a good one");

    for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        t = text_of(mem, PODI_STR_FMT "%s",
                               podi_str_arg(&token), tails[i]);
        is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
                "something behind it");
    }

    /* 64 bytes leave 4 unused bits in the last character */

    t = token;
    p = (unsigned char *) podi_mem_dup_c(mem, &token);
    p[token.len - 1] = p[token.len - 1] == 'A' ? 'B'
                       : (unsigned char) (p[token.len - 1] + 1);
    t.data = p;
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "unused bits are not zero");

    t = token;
    t.len = token.len - 86;
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "no signature");
    t.len--;
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "two parts");
    is_fail(verify(str(""), &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "nothing");
    is_fail(verify(str(".."), &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "two dots");

    p = (unsigned char *) podi_mem_dup_c(mem, &token);
    p[token.len / 2] ^= 1;
    t.data = p;
    t.len = token.len;
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "a changed claim");

    memset(buf, 'A', sizeof(buf));
    len = token.len < 8192 ? token.len : 8192;
    memcpy(buf, token.data, len);
    t.data = (unsigned char *) buf;
    t.len = 8193;
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "longer than 8 KiB");
    ok(strstr(fail.detail, "8 KiB") != NULL, "and for that reason");
}


static void
test_signatures(void)
{
    podi_str_t     token, s, t;
    podi_fail_t    fail;
    unsigned char  raw[64];

    token = forge("{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
                  CLAIMS);
    token.len -= 86;

    memset(raw, 0, sizeof(raw));
    s = b64((char *) raw, sizeof(raw));
    t = text_of(mem, PODI_STR_FMT PODI_STR_FMT,
                           podi_str_arg(&token), podi_str_arg(&s));
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "r and s are zero");

    memset(raw, 0xff, sizeof(raw));
    s = b64((char *) raw, sizeof(raw));
    t = text_of(mem, PODI_STR_FMT PODI_STR_FMT,
                           podi_str_arg(&token), podi_str_arg(&s));
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "r and s are above the order");

    s = b64((char *) raw, 63);
    t = text_of(mem, PODI_STR_FMT PODI_STR_FMT,
                           podi_str_arg(&token), podi_str_arg(&s));
    is_fail(verify(t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "63 bytes");
}


/* HS256 with the public key as the secret: the classic */

static void
test_confusion(void)
{
    BIO            *bio;
    char           *pem, text[512];
    long            len;
    unsigned        mac_len;
    podi_str_t      kid, h, c, s, token;
    podi_fail_t     fail;
    unsigned char   mac[32];

    kid = podi_jose_key_kid(key);
    (void) snprintf(text, sizeof(text), "{\"alg\":\"HS256\",\"kid\":\""
                    PODI_STR_FMT "\",\"typ\":\"at+jwt\"}",
                    podi_str_arg(&kid));

    h = b64(text, strlen(text));
    c = b64(CLAIMS, sizeof(CLAIMS) - 1);
    s = text_of(mem, PODI_STR_FMT "." PODI_STR_FMT,
                           podi_str_arg(&h), podi_str_arg(&c));

    bio = BIO_new(BIO_s_mem());
    (void) PEM_write_bio_PUBKEY(bio, pkey);
    len = BIO_get_mem_data(bio, &pem);

    mac_len = sizeof(mac);
    (void) HMAC(EVP_sha256(), pem, (int) len, s.data, s.len, mac, &mac_len);
    BIO_free(bio);

    h = b64((char *) mac, sizeof(mac));
    token = text_of(mem, PODI_STR_FMT "." PODI_STR_FMT,
                           podi_str_arg(&s), podi_str_arg(&h));

    is_fail(verify(token, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "HS256 under the public key");
}
