/*
 * podi_jose: which keys a ring takes from whom, and which token may use them.
 */

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tap.h"
#include "podi_base64.h"
#include "podi_jose.h"
#include "banned.h"


#define CLAIMS  "{\"iss\":\"i\",\"aud\":\"b\",\"exp\":1795325000}"

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

static podi_mem_t  *mem;


static podi_jose_expect_t  expect = {
    .iss = podi_string("i"), .now = (podi_usec_t) 1795324666 * 1000000
};


static void test_sets(void);
static void test_allowed(void);
static void test_allowed_uses(void);
static void test_add_text(void);
static void test_kids(void);
static void test_expect(void);
static void test_peek(void);
static podi_rc_t add(const char *text, unsigned algs, const char *kid,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail);
static unsigned bits_of(const char *names);
static podi_str_t pub_pem(const podi_jose_key_t *key);
static podi_jose_key_t *key_as(podi_jose_key_t *key, const char *alg,
    const char *kid);
static podi_jose_key_t *key_of(const char *alg);
static podi_str_t token_of(const podi_jose_key_t *key, const char *typ);
static podi_str_t with_header(const char *header, podi_str_t token);
static podi_rc_t verify(const podi_jose_ring_t *ring, podi_str_t token,
    podi_fail_t *fail);


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
    test_kids();
    test_expect();
    test_peek();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
}


/* "RS256 PS256" */

static unsigned
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


static podi_jose_key_t *
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

static podi_jose_key_t *
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


static podi_str_t
token_of(const podi_jose_key_t *key, const char *typ)
{
    podi_str_t  s = podi_string(CLAIMS), token;

    if (podi_jose_sign(key, typ, &s, mem, &token) != PODI_OK) {
        abort();
    }

    return token;
}


/* its signature is then wrong: for what is refused before */

static podi_str_t
with_header(const char *header, podi_str_t token)
{
    podi_str_t  h = podi_str_c(header), part;

    (void) podi_str_split(&token, '.', &part);

    if (podi_base64url_encode(mem, &h, &h) != PODI_OK) {
        abort();
    }

    return text_of(mem, PODI_STR_FMT "." PODI_STR_FMT, podi_str_arg(&h),
                   podi_str_arg(&token));
}


static podi_rc_t
verify(const podi_jose_ring_t *ring, podi_str_t token, podi_fail_t *fail)
{
    json_t  *got;

    return podi_jose_verify(ring, &token, &expect, mem, &got, fail);
}


static podi_str_t
pub_pem(const podi_jose_key_t *key)
{
    BIO            *bio;
    char           *p;
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

    bio = BIO_new(BIO_s_mem());
    (void) PEM_write_bio_PUBKEY(bio, pkey);
    s.len = (size_t) BIO_get_mem_data(bio, &p);
    s.data = (unsigned char *) p;
    s = text_of(mem, PODI_STR_FMT, podi_str_arg(&s));

    BIO_free(bio);
    EVP_PKEY_free(pkey);

    return s;
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

    ok(add((char *) pem.data, bits_of("PS256 RS512 ES256 HS256"), "r", &ring,
           &fail) == PODI_OK, "an RSA key for two of four");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(verify(ring, token_of(key_as(key, cases[i].alg, "r"), "JWT"),
                      &fail) == PODI_OK, cases[i].good, cases[i].alg);
    }
}


static podi_rc_t
add(const char *text, unsigned algs, const char *kid,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail)
{
    podi_str_t           s = podi_str_c(text);
    podi_jose_accept_t   accept = { .algs = algs, .kid = podi_str_c(kid) };

    if (podi_jose_ring_make(mem, ret_ring) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_jose_ring_add_text(*ret_ring, &s, &accept, fail);
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
    ok(add((char *) pem.data, 0, "", &ring, &fail) == PODI_OK
       && verify(ring, token_of(ec, "JWT"), &fail) == PODI_OK,
       "a PEM of a curve says its algorithm, and has no name");
    is_fail(add((char *) pem.data, bits_of("ES256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "unless it is not allowed");
    ok(add((char *) pem.data, 0, "x", &ring, &fail) == PODI_OK
       && verify(ring, token_of(ec, "JWT"), &fail) == PODI_ERROR,
       "a name that is given is asked for");

    rsa = key_of("RS256");
    pem = pub_pem(rsa);
    is_fail(add((char *) pem.data, 0, "", &ring, &fail), &fail, PODI_E_CONFIG,
            NULL, "a PEM of RSA does not");
    ok(strstr(fail.detail, "alg") != NULL, "and that is said");
    ok(add((char *) pem.data, bits_of("RS256"), "", &ring, &fail) == PODI_OK
       && verify(ring, token_of(rsa, "JWT"), &fail) == PODI_OK,
       "so the configuration has to");
    is_fail(add((char *) pem.data, bits_of("HS256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a PEM is never a secret");

    if (podi_jose_key_pem(ec, mem, &secret) != PODI_OK) {
        abort();
    }

    s = podi_secret_bytes(secret);
    is_fail(add((char *) podi_mem_dup_c(mem, &s), 0, "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a private PEM verifies nothing");
    is_fail(add(rsa_cert, bits_of("RS256"), "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a broken certificate");

    mac = key_of("HS256");
    ok(add("01234567890123456789012345678901", bits_of("HS256"), "", &ring,
           &fail) == PODI_OK
       && verify(ring, token_of(mac, "JWT"), &fail) == PODI_ERROR,
       "a secret as it is");
    is_fail(add("0123456789012345678901234567890", bits_of("HS256"), "",
                &ring, &fail), &fail, PODI_E_CONFIG, NULL, "a byte too short");
    is_fail(add("01234567890123456789012345678901", bits_of("HS256 RS256"),
                "", &ring, &fail), &fail, PODI_E_CONFIG, NULL,
            "is none where RSA is allowed too");
    is_fail(add("01234567890123456789012345678901", 0, "", &ring, &fail),
            &fail, PODI_E_CONFIG, NULL, "nor where nobody says so");

    ok(add(OKP(",\"kid\":\"a\""), 0, "", &ring, &fail) == PODI_OK, "a JWK");
    is_fail(add(OKP(",\"use\":\"enc\""), 0, "", &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "a JWK for something else");
}


static void
test_kids(void)
{
    podi_str_t         a, nameless, pem, kid = podi_string("a");
    podi_str_t         none = podi_null_str;
    podi_fail_t        fail;
    podi_jose_key_t   *key, *other;
    podi_jose_ring_t  *ring;
    podi_jose_accept_t accept = { .kid = kid };

    key = key_as(key_of("EdDSA"), "EdDSA", "a");
    other = key_of("EdDSA");
    pem = pub_pem(key);
    a = token_of(key, "JWT");
    nameless = with_header("{\"alg\":\"EdDSA\"}", a);

    ok(add((char *) pem.data, 0, "a", &ring, &fail) == PODI_OK, "one key");
    ok(verify(ring, a, &fail) == PODI_OK, "its name");
    is_fail(verify(ring, nameless, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "no name");
    ok(strstr(fail.detail, "signature") != NULL, "is judged by that key");
    is_fail(verify(ring, token_of(other, "JWT"), &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "another name");
    ok(strstr(fail.detail, "kid") != NULL, "is refused for that");

    pem = pub_pem(other);
    accept.kid = str("b");
    ok(podi_jose_ring_add_text(ring, &pem, &accept, &fail) == PODI_OK
       && podi_jose_ring_has(ring, &kid) && !podi_jose_ring_has(ring, &none),
       "with a second key a name is needed");
    is_fail(verify(ring, nameless, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "and nothing is tried");
    ok(strstr(fail.detail, "kid") != NULL, "for that reason");

    accept.kid = none;
    is_fail(podi_jose_ring_add_text(ring, &pem, &accept, &fail), &fail,
            PODI_E_CONFIG, "kid", "a third key without a name");

    ok(podi_jose_ring_make(mem, &ring) == PODI_OK
       && podi_jose_ring_add(ring, key, &fail) == PODI_OK
       && !podi_jose_ring_has(ring, &none), "a token of ours has a name");
}


static void
test_expect(void)
{
    podi_str_t         t, pem, nobody;
    podi_fail_t        fail;
    podi_jose_key_t   *key;
    podi_jose_ring_t  *ring;

    static const podi_str_t  typs[] = { podi_string("at+jwt"),
                                        podi_string("JWT") };
    static const podi_str_t  auds[] = { podi_string("a"), podi_string("b") };

    key = key_of("EdDSA");
    pem = pub_pem(key);
    t = token_of(key, "jwt");

    if (add((char *) pem.data, 0, "", &ring, &fail) != PODI_OK) {
        abort();
    }

    expect.typ.items = typs;
    expect.typ.n = 2;
    expect.aud.items = auds;
    expect.aud.n = 2;
    ok(verify(ring, t, &fail) == PODI_OK, "the second type and audience");

    expect.typ.n = 1;
    is_fail(verify(ring, t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "not among the types");
    expect.typ.n = 2;
    expect.aud.n = 1;
    is_fail(verify(ring, t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "not among the audiences");
    expect.aud.n = 0;
    ok(verify(ring, t, &fail) == PODI_OK, "no audience is asked for");

    t = with_header("{\"alg\":\"EdDSA\"}", t);
    (void) verify(ring, t, &fail);
    ok(strstr(fail.detail, "typ") != NULL, "no type");
    expect.typ_absent = 1;
    (void) verify(ring, t, &fail);
    ok(strstr(fail.detail, "typ") == NULL, "which may be allowed");

    expect.max = t.len - 1;
    (void) verify(ring, t, &fail);
    ok(strstr(fail.detail, "longer") != NULL, "a token that is too long");

    memset(&expect.iss, 0, sizeof(expect.iss));
    expect.max = 0;
    is_fail(verify(ring, token_of(key, "JWT"), &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "no issuer is expected");
    nobody = str("{\"exp\":1795325000}");
    ok(podi_jose_sign(key, "JWT", &nobody, mem, &t) == PODI_OK
       && verify(ring, t, &fail) == PODI_ERROR, "and none is there");
    expect.iss = str("i");
}


static void
test_peek(void)
{
    podi_str_t   t, alg, kid, iss;
    podi_fail_t  fail;

    t = token_of(key_as(key_of("EdDSA"), "EdDSA", "k"), "JWT");
    ok(podi_jose_peek(&t, 8192, mem, &alg, &kid, &iss, &fail) == PODI_OK,
       "peeked");
    is_str(alg, "EdDSA", "alg");
    is_str(kid, "k", "kid");
    is_str(iss, "i", "iss");

    t = with_header("{}", t);
    ok(podi_jose_peek(&t, 8192, mem, &alg, &kid, &iss, &fail) == PODI_OK
       && alg.data == NULL && kid.data == NULL, "what is absent");

    is_fail(podi_jose_peek(&t, 8, mem, &alg, &kid, &iss, &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "too long");
    t = str("e30.W10.AA");
    is_fail(podi_jose_peek(&t, 8192, mem, &alg, &kid, &iss, &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "claims that are no object");
    t = str("e30.e30");
    is_fail(podi_jose_peek(&t, 8192, mem, &alg, &kid, &iss, &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "two parts");
}
