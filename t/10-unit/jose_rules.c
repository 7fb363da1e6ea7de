/*
 * podi_jose: which keys a ring takes from whom.
 */

#include "jose_test.h"
#include "banned.h"


#define RSA(more)                                                            \
    "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""                               \
    "pfq0s0nWYuNIa573GHnmSackMB1eKSvNwTuFGg_CkoVuHAE1tB38dQTqAe"             \
    "4dtAK9dtEr44s_51JRCczsDfCbBs2vyqxauVAGqpdcM-se5MiE_v8IUvHX"             \
    "DxE6zHwK-ytqsDziSbCXpttGzDr49LYEU-0oZxySnz5Zyb2DkM_HvC2APs"             \
    "icrbIfQr9F6tnAa4RWfp4Y6kRrCMwvj0u7GV5PP4PV_ilg4ziNQE6hABuo"             \
    "HvBGC0hbz55pcEkuG0pgmYS-_qez3j0s8RBghudSAsV8K3nhtOmwYKH6t1"             \
    "mYoFwgARFQ9qAlf1jkWg3oUXsNA5UPS0wxlhg3EoA2DwEFJj1gKQ"                   \
    "\"" more "}"

#define OKP(more)                                                            \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                 \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"" more "}"

#define OCT(more)                                                            \
    "{\"kty\":\"oct\",\"k\":"                                               \
    "\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\"" more "}"


static void test_sets(void);
static void test_allowed(void);
static void test_allowed_uses(void);
static void test_add_text(void);


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_sets();
    test_allowed();
    test_allowed_uses();
    test_add_text();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
}


static const struct {
    const char  *keys;
    const char  *algs;
    int          file;              /* keys; -1: refused */
    int          remote;
    const char  *what;
}  sets[] = {
    { OKP(""), "", 1, 1, "Ed25519" },
    { OKP(",\"alg\":\"EdDSA\""), "", 1, 1, "Ed25519 that says EdDSA" },
    { OKP(",\"alg\":\"ES256\""), "", 0, -1, "Ed25519 that says ES256" },
    { OKP(""), "ES256", 0, -1, "Ed25519 where ES256 is allowed" },
    { OKP(""), "ES256 EdDSA", 1, 1, "Ed25519 where EdDSA is allowed" },
    { OKP(",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\""), "", -1,
      -1, "a private key" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "", -1, -1,
      "a short x" },
    { "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7h"
      "cvPapiMlrwIaaPcHURo\"}", "", 0, -1, "X25519" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"kid\":\"a\"},"
      OKP(",\"kid\":\"b\""), "", -1, 1, "a bad key beside a good one" },
    { OKP(",\"kid\":\"a\"") "," OKP(",\"kid\":\"a\""), "", -1, -1,
      "a kid twice" },
    { OCT(",\"alg\":\"HS256\""), "", 1, -1, "a secret" },
    { OCT(""), "", -1, -1, "a secret that says no alg" },
    { OCT(""), "HS256", 1, -1, "which is allowed" },
    { OCT(""), "HS256 HS512", 1, -1, "too short for one of two" },
    { OCT(",\"alg\":\"HS384\""), "", -1, -1, "too short for its own" },
    { OCT(",\"alg\":\"A256GCM\""), "", 0, -1, "a secret for AES" },
    { OCT(",\"alg\":\"HS256\",\"kid\":\"a\"") "," OKP(",\"kid\":\"b\""), "",
      -1, -1, "a secret beside a public key" },
    { "{\"kty\":\"RSA\",\"k\":\"AAAA\",\"kid\":\"a\"}", "", -1, -1,
      "RSA with a secret" },
    { "7", "", -1, -1, "a number" },
    { "", "", 0, -1, "nothing" },
};


static void
test_sets(void)
{
    int                  want;
    size_t               i;
    podi_rc_t            rc;
    podi_str_t           s;
    podi_fail_t          fail;
    podi_jose_ring_t    *ring;
    podi_jose_accept_t   accept;

    for (i = 0; i < 2 * sizeof(sets) / sizeof(sets[0]); i++) {
        memset(&accept, 0, sizeof(accept));
        accept.algs = bits_of(sets[i / 2].algs);
        accept.remote = i % 2;

        want = accept.remote ? sets[i / 2].remote : sets[i / 2].file;
        s = text_of(mem, "{\"keys\":[%s]}", sets[i / 2].keys);
        rc = podi_jose_ring_parse(&s, &accept, mem, &ring, &fail);

        if (want < 0) {
            is_fail(rc, &fail, PODI_E_CONFIG, NULL, sets[i / 2].what);
            continue;
        }

        ok(rc == PODI_OK && podi_jose_ring_count(ring) == (size_t) want,
           "%s, %s: %d", sets[i / 2].what,
           accept.remote ? "remote" : "file", want);
    }
}


/* an RSA key that names no alg is for those that the configuration names */

static void
test_allowed(void)
{
    podi_str_t           set;
    podi_fail_t          fail;
    const char          *why;
    podi_jose_ring_t    *ring;
    podi_jose_accept_t   accept = { .remote = 1 };

    set = str("{\"keys\":[" RSA(",\"kid\":\"r\"") ","
              OKP(",\"kid\":\"o\"") "]}");

    ok(podi_jose_ring_parse(&set, &accept, mem, &ring, &fail) == PODI_OK
       && podi_jose_ring_count(ring) == 1
       && podi_jose_ring_left_out(ring, &why) == 1
       && strstr(why, "no alg") != NULL, "RSA without alg is left out");

    accept.algs = bits_of("PS256 RS512 EdDSA");
    ok(podi_jose_ring_parse(&set, &accept, mem, &ring, &fail) == PODI_OK
       && podi_jose_ring_count(ring) == 2
       && podi_jose_ring_left_out(ring, &why) == 0, "unless one is allowed");

    accept.remote = 0;
    accept.algs = 0;
    is_fail(podi_jose_ring_parse(&set, &accept, mem, &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "in a file that is said");
}


static void
test_allowed_uses(void)
{
    size_t               i;
    podi_str_t           pem;
    podi_fail_t          fail;
    podi_jose_key_t     *key;
    podi_jose_ring_t    *ring;

    static const struct {
        const char  *alg;
        int          good;
    }  cases[] = {
        { "RS256", 0 }, { "RS384", 0 }, { "RS512", 1 },
        { "PS256", 1 }, { "PS384", 0 }, { "PS512", 0 },
    };

    key = key_of("RS256");
    pem = pub_pem(key);

    ok(add(pem, bits_of("PS256 RS512 ES256 HS256"), "r", &ring,
           &fail) == PODI_OK, "an RSA key for two of four");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(verdict(ring, token_of(key_as(key, cases[i].alg, "r"), "JWT"),
                      &fail) == PODI_OK, cases[i].good, cases[i].alg);
    }
}


static const char  rsa_cert[] =
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";


static void
test_add_text(void)
{
    podi_str_t         pem, s;
    podi_fail_t        fail;
    podi_secret_t     *secret;
    podi_jose_key_t   *ec, *rsa, *mac;
    podi_jose_ring_t  *ring;

    ec = key_of("ES384");
    pem = pub_pem(ec);
    ok(add(pem, 0, "", &ring, &fail) == PODI_OK
       && verdict(ring, token_of(ec, "JWT"), &fail) == PODI_OK,
       "a PEM of a curve says its algorithm, and has no name");
    is_fail(add(pem, bits_of("ES256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "unless it is not allowed");
    ok(add(pem, 0, "x", &ring, &fail) == PODI_OK
       && verdict(ring, token_of(ec, "JWT"), &fail) == PODI_ERROR,
       "a name that is given is asked for");

    rsa = key_of("RS256");
    pem = pub_pem(rsa);
    is_fail(add(pem, 0, "", &ring, &fail), &fail, PODI_E_CONFIG,
            NULL, "a PEM of RSA does not");
    ok(strstr(fail.detail, "alg") != NULL, "and that is said");
    ok(add(pem, bits_of("RS256"), "", &ring, &fail) == PODI_OK
       && verdict(ring, token_of(rsa, "JWT"), &fail) == PODI_OK,
       "so the configuration has to");
    is_fail(add(pem, bits_of("HS256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a PEM is never a secret");

    if (podi_jose_key_pem(ec, mem, &secret) != PODI_OK) {
        abort();
    }

    s = podi_secret_bytes(secret);
    is_fail(add(s, 0, "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a private PEM verifies nothing");
    is_fail(add(str(rsa_cert), bits_of("RS256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a broken certificate");

    mac = key_of("HS256");
    ok(add(str("01234567890123456789012345678901"), bits_of("HS256"), "", &ring,
           &fail) == PODI_OK
       && verdict(ring, token_of(mac, "JWT"), &fail) == PODI_ERROR,
       "a secret as it is");
    is_fail(add(str("0123456789012345678901234567890"), bits_of("HS256"), "",
                &ring, &fail), &fail, PODI_E_CONFIG, NULL, "a byte too short");
    is_fail(add(str("01234567890123456789012345678901"), bits_of("HS256 RS256"),
                "", &ring, &fail), &fail, PODI_E_CONFIG, NULL,
            "is none where RSA is allowed too");
    is_fail(add(str("01234567890123456789012345678901"), 0, "", &ring, &fail),
            &fail, PODI_E_CONFIG, NULL, "nor where nobody says so");

    ok(add(str(OKP(",\"kid\":\"a\"")), 0, "", &ring, &fail) == PODI_OK,
       "a JWK");
    is_fail(add(str(OKP(",\"use\":\"enc\"")), 0, "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a JWK for something else");
}
