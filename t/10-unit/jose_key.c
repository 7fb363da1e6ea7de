/*
 * podi_jose: keys and rings, read and written.
 */

#include <openssl/err.h>

#include "tap.h"
#include "podi_jose.h"
#include "banned.h"


/* RFC 7515, appendix A.3 */
#define RFC_JWK                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\","                                     \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                 \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","                 \
    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"%s}"


static podi_mem_t        *mem;
static podi_jose_key_t   *key;
static podi_jose_ring_t  *ring;

static const podi_str_t  typ = podi_string("at+jwt");
static const podi_str_t  aud = podi_string("a");

static const podi_jose_expect_t  expect = {
    .typ = { &typ, 1 }, .aud = { &aud, 1 }, .iss = podi_string("i"),
    .now = (podi_usec_t) 1795324666 * 1000000, .leeway = 30
};

static const podi_jose_accept_t  file;


static void test_keys(void);
static void test_rings(void);


int
main(void)
{
    podi_fail_t    fail;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    ok(podi_jose_key_generate("ES256", mem, &key, &fail) == PODI_OK
       && podi_jose_ring_make(mem, &ring) == PODI_OK
       && podi_jose_ring_add(ring, key, &fail) == PODI_OK,
       "a key and its ring");

    test_keys();
    test_rings();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
}


static void
test_keys(void)
{
    char              jwk[512];
    podi_str_t        s, kid;
    podi_fail_t       fail;
    podi_secret_t    *text;
    podi_jose_key_t  *other;

    (void) snprintf(jwk, sizeof(jwk), RFC_JWK, ",\"kid\":\"rfc\"");
    s = str(jwk);
    ok(podi_jose_key_parse(&s, mem, &other, &fail) == PODI_OK, "a JWK");
    is_str(podi_jose_key_kid(other), "rfc", "has its own kid");

    (void) snprintf(jwk, sizeof(jwk), RFC_JWK, "");
    s = str(jwk);
    ok(podi_jose_key_parse(&s, mem, &other, &fail) == PODI_OK, "without");
    is_str(podi_jose_key_kid(other),
           "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
           "it is the thumbprint");

    kid = podi_jose_key_kid(key);
    ok(podi_jose_key_pem(key, mem, &text) == PODI_OK, "as PEM");
    s = podi_secret_bytes(text);
    ok(podi_jose_key_parse(&s, mem, &other, &fail) == PODI_OK, "and back");
    s = podi_jose_key_kid(other);
    ok(podi_str_eq(&s, &kid), "the same key");

    ok(podi_jose_key_jwk(key, mem, &text) == PODI_OK, "as JWK");
    s = podi_secret_bytes(text);
    ok(podi_jose_key_parse(&s, mem, &other, &fail) == PODI_OK, "and back");
    s = podi_jose_key_kid(other);
    ok(podi_str_eq(&s, &kid), "the same key");

    s = str("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    is_fail(podi_jose_key_parse(&s, mem, &other, &fail), &fail,
            PODI_E_CONFIG, NULL, "a broken PEM");

    s = str("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\","
            "\"d\":\"AA\"}");
    is_fail(podi_jose_key_parse(&s, mem, &other, &fail), &fail,
            PODI_E_CONFIG, NULL, "coordinates too short");

    s = str("{\"kty\":\"EC\",\"crv\":\"P-256\","
            "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
            "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
            "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LA\"}");
    is_fail(podi_jose_key_parse(&s, mem, &other, &fail), &fail,
            PODI_E_CONFIG, NULL, "a private part of another key");

    s = str("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
            "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
            "\"x\":\"21qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    is_fail(podi_jose_key_parse(&s, mem, &other, &fail), &fail,
            PODI_E_CONFIG, NULL, "the same of Ed25519");

    s = str("{\"kty\":\"oct\",\"k\":\"AAAA\"}");
    is_fail(podi_jose_key_parse(&s, mem, &other, &fail), &fail,
            PODI_E_CONFIG, NULL, "a kind that is not supported");
}


#define PUB(more)                                                            \
    "{\"kty\":\"EC\",\"crv\":\"P-256\","                                     \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                 \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"" more "}"

static const struct {
    const char  *keys;
    int          n;             /* -1: refused */
    const char  *what;
}  sets[] = {
    { "", 0, "no keys" },
    { PUB(",\"kid\":\"a\""), 1, "one" },
    { PUB(",\"kid\":\"a\",\"alg\":\"ES256\",\"use\":\"sig\","
          "\"key_ops\":[\"verify\"]"), 1, "one with everything" },
    { PUB(",\"kid\":\"a\"") "," PUB(",\"kid\":\"b\""), 2, "two" },
    { PUB(",\"kid\":\"a\"") "," PUB(",\"kid\":\"a\""), -1, "a kid twice" },
    { PUB(""), 1, "one without a kid" },
    { PUB("") "," PUB(",\"kid\":\"a\""), -1, "one of two without a kid" },
    { PUB(",\"kid\":\"a\"") "," PUB(""), -1, "and the other way round" },
    { PUB(",\"kid\":\"\""), -1, "an empty kid" },
    { PUB(",\"kid\":7"), -1, "a kid that is a number" },
    { PUB(",\"kid\":\"a\",\"use\":\"enc\""), 0, "for encryption" },
    { PUB(",\"kid\":\"a\",\"key_ops\":[\"sign\"]"), 0, "to sign only" },
    { PUB(",\"kid\":\"a\",\"alg\":\"ES384\""), 0, "another algorithm" },
    { "{\"kty\":\"AKP\",\"kid\":\"r\",\"pub\":\"AQAB\"}", 0,
      "another kind" },
    { PUB(",\"kid\":\"a\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-"
          "E9LI\""), -1, "a private key" },
    { "{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"AAAA\"}", -1, "a secret" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}", -1,
      "unused bits in a coordinate" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}", -1,
      "a point that is not on the curve" },
    { "7", -1, "no object" },
};


static void
test_rings(void)
{
    json_t            *got;
    unsigned           i;
    podi_rc_t          rc;
    podi_str_t         s, token;
    podi_fail_t        fail;
    podi_jose_ring_t  *r;

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        s = text_of(mem, "{\"keys\":[%s]}", sets[i].keys);
        rc = podi_jose_ring_parse(&s, &file, mem, &r, &fail);

        if (sets[i].n < 0) {
            is_fail(rc, &fail, PODI_E_CONFIG, NULL, sets[i].what);

        } else {
            ok(rc == PODI_OK
               && podi_jose_ring_count(r) == (size_t) sets[i].n,
               "%s", sets[i].what);
        }
    }

    s = str("{\"key\":[]}");
    is_fail(podi_jose_ring_parse(&s, &file, mem, &r, &fail), &fail,
            PODI_E_CONFIG, "keys", "no array of keys");

    ok(podi_jose_ring_jwks(ring, mem, &s) == PODI_OK
       && podi_jose_ring_parse(&s, &file, mem, &r, &fail) == PODI_OK,
       "what is published can be read");
    ok(strstr((char *) s.data, "\"d\"") == NULL, "and is public");

    s = str("{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1795325000}");
    ok(podi_jose_sign(key, "at+jwt", &s, mem, &token) == PODI_OK
       && podi_jose_verify(r, &token, &expect, mem, &got, &fail) == PODI_OK,
       "and verifies");
    is_fail(podi_jose_ring_add(r, key, &fail), &fail, PODI_E_CONFIG, "kid",
            "the same key does not go in twice");
}
