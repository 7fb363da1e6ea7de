/*
 * podi_jose: every algorithm signs and verifies, under its own key only, and
 * its keys survive being written and read.
 */

#include <openssl/err.h>

#include "tap.h"
#include "podi_jose.h"
#include "banned.h"


#define CLAIMS  "{\"iss\":\"i\",\"exp\":1795325000}"
#define ALGS    (sizeof(algs) / sizeof(algs[0]))


static const char *const  algs[] = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
    "ES512", "EdDSA", "HS256", "HS384", "HS512"
};

static podi_mem_t       *mem;
static podi_jose_key_t  *keys[ALGS];

static const podi_jose_accept_t  file;
static const podi_jose_accept_t  remote = { .remote = 1 };

static const podi_jose_expect_t  expect = {
    .iss = podi_string("i"), .now = (podi_usec_t) 1795324666 * 1000000
};


static void test_algs(void);
static void test_crossed(void);
static void test_texts(void);
static void test_published(void);
static unsigned bit(const char *name);
static podi_rc_t ring_of(const char *jwks, const podi_jose_accept_t *accept,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail);
static podi_str_t token_of(const podi_jose_key_t *key);
static podi_rc_t verify(const podi_jose_ring_t *ring, podi_str_t token,
    podi_fail_t *fail);


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_algs();
    test_crossed();
    test_texts();
    test_published();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
}


static unsigned
bit(const char *name)
{
    unsigned    mask = 0;
    podi_str_t  s = podi_str_c(name);

    return podi_jose_alg_bit(&s, &mask) == PODI_OK ? mask : 0;
}


static podi_rc_t
ring_of(const char *jwks, const podi_jose_accept_t *accept,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail)
{
    podi_str_t  s = podi_str_c(jwks);

    return podi_jose_ring_parse(&s, accept, mem, ret_ring, fail);
}


static podi_str_t
token_of(const podi_jose_key_t *key)
{
    podi_str_t  s = podi_string(CLAIMS), token = podi_null_str;

    if (podi_jose_sign(key, "JWT", &s, mem, &token) != PODI_OK) {
        token.len = 0;
    }

    return token;
}


static podi_rc_t
verify(const podi_jose_ring_t *ring, podi_str_t token, podi_fail_t *fail)
{
    json_t  *got;

    return podi_jose_verify(ring, &token, &expect, mem, &got, fail);
}


static void
test_algs(void)
{
    size_t             i;
    podi_str_t         token;
    podi_fail_t        fail;
    podi_jose_key_t   *none;
    podi_jose_ring_t  *ring;

    for (i = 0; i < ALGS; i++) {
        ok(podi_jose_key_generate(algs[i], mem, &keys[i], &fail) == PODI_OK
           && strcmp(podi_jose_key_alg(keys[i]), algs[i]) == 0
           && podi_jose_ring_make(mem, &ring) == PODI_OK
           && podi_jose_ring_add(ring, keys[i], &fail) == PODI_OK,
           "%s: a key", algs[i]);

        token = token_of(keys[i]);
        ok(verify(ring, token, &fail) == PODI_OK, "%s: verifies", algs[i]);

        token.data[token.len - 20] ^= 4;
        is_fail(verify(ring, token, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
                "and a changed signature does not");
    }

    ok(podi_jose_key_generate("none", mem, &none, &fail) == PODI_ERROR,
       "none is no algorithm");
    ok(bit("none") == 0 && bit("") == 0 && bit("rs256") == 0
       && bit("ES521") == 0, "nor are other spellings");
    ok(bit("EdDSA") != 0 && bit("EdDSA") != bit("HS512"),
       "each has a bit of its own");
}


/* one ring with all of them */

static void
test_crossed(void)
{
    size_t             i, bad = 0;
    podi_str_t         token, kid, s, none = podi_null_str;
    podi_fail_t        fail;
    podi_jose_ring_t  *ring;

    ok(podi_jose_ring_make(mem, &ring) == PODI_OK, "a ring");

    for (i = 0; i < ALGS; i++) {
        if (podi_jose_ring_add(ring, keys[i], &fail) != PODI_OK) {
            bad++;
        }
    }

    is_int((long long) bad, 0, "takes keys of all kinds");

    for (i = 0; i < ALGS; i++) {
        token = token_of(keys[i]);
        kid = podi_jose_key_kid(keys[i]);

        ok(verify(ring, token, &fail) == PODI_OK, "%s: by kid", algs[i]);
        ok(podi_jose_ring_has(ring, &kid), "which the ring has");
    }

    is_int(podi_jose_ring_has(ring, &none), 0, "but none without a kid");

    ok(podi_jose_ring_jwks(ring, mem, &s) == PODI_OK
       && strstr((char *) s.data, "oct") == NULL
       && strstr((char *) s.data, "\"d\"") == NULL
       && strstr((char *) s.data, "\"k\"") == NULL, "publishes no secret");

    ok(podi_jose_ring_parse(&s, &remote, mem, &ring, &fail) == PODI_OK
       && podi_jose_ring_count(ring) == ALGS - 3, "but all others");
}


static void
test_texts(void)
{
    size_t            i;
    podi_str_t        s;
    podi_fail_t       fail;
    podi_secret_t    *text;
    podi_jose_key_t  *key;
    podi_jose_ring_t *ring;

    for (i = 0; i < ALGS; i++) {
        ok(podi_jose_ring_make(mem, &ring) == PODI_OK
           && podi_jose_ring_add(ring, keys[i], &fail) == PODI_OK
           && podi_jose_key_jwk(keys[i], mem, &text) == PODI_OK, "%s",
           algs[i]);

        s = podi_secret_bytes(text);
        ok(podi_jose_key_parse(&s, mem, &key, &fail) == PODI_OK
           && strcmp(podi_jose_key_alg(key), algs[i]) == 0
           && verify(ring, token_of(key), &fail) == PODI_OK,
           "as JWK and back");

        if (algs[i][0] == 'H') {
            ok(podi_jose_key_pem(keys[i], mem, &text) == PODI_ERROR,
               "a secret has no PEM");
            continue;
        }

        ok(podi_jose_key_pem(keys[i], mem, &text) == PODI_OK, "as PEM");
        s = podi_secret_bytes(text);
        ok(podi_jose_key_parse(&s, mem, &key, &fail) == PODI_OK, "and back");

        if (algs[i][1] == 'S' && algs[i][0] != 'E') {
            is_str(str(podi_jose_key_alg(key)), "RS256",
                   "RSA is RS256 if nobody says otherwise");

        } else {
            is_str(str(podi_jose_key_alg(key)), algs[i], "of its curve");
        }
    }

    s = str("{\"kty\":\"oct\",\"alg\":\"HS256\","
            "\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
    is_fail(podi_jose_key_parse(&s, mem, &key, &fail), &fail, PODI_E_CONFIG,
            NULL, "a signing secret without a kid");
}


/* RFC 8037, appendix A; RFC 7515, A.1: tokens that others made */

static void
test_published(void)
{
    podi_str_t         s, bytes;
    podi_fail_t        fail;
    podi_jose_key_t   *key;
    podi_jose_ring_t  *ring;

    ok(ring_of("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
               &remote, &ring, &fail) == PODI_OK, "RFC 8037");
    s = str("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5"
            "BhVsPt9g7sVvpAr_MuM0KAg");
    ok(podi_jose_open_bytes(ring, &s, 8192, mem, &bytes, &fail) == PODI_OK,
       "its signature");
    is_str(bytes, "Example of Ed25519 signing", "and text");

    s = str("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
            "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
            "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    ok(podi_jose_key_parse(&s, mem, &key, &fail) == PODI_OK, "its key");
    is_str(podi_jose_key_kid(key),
           "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "its thumbprint");

    ok(ring_of("{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\","
               "\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
               "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]}", &file, &ring, &fail)
       == PODI_OK, "RFC 7515, A.1");
    s = str("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    ok(podi_jose_open_bytes(ring, &s, 8192, mem, &bytes, &fail) == PODI_OK,
       "its signature");
}
