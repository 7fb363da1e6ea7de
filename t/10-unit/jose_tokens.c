/*
 * podi_jose: which token may use the keys of a ring, and what is expected of
 * it.
 */

#include "jose_test.h"
#include "banned.h"


static void test_kids(void);
static void test_expect(void);
static void test_peek(void);


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_kids();
    test_expect();
    test_peek();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
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
    nameless = with_header(a, "{\"alg\":\"EdDSA\"}");

    ok(add(pem, 0, "a", &ring, &fail) == PODI_OK, "one key");
    ok(verdict(ring, a, &fail) == PODI_OK, "its name");
    is_fail(verdict(ring, nameless, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "no name");
    ok(strstr(fail.detail, "signature") != NULL, "is judged by that key");
    is_fail(verdict(ring, token_of(other, "JWT"), &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "another name");
    ok(strstr(fail.detail, "kid") != NULL, "is refused for that");

    pem = pub_pem(other);
    accept.kid = str("b");
    ok(podi_jose_ring_add_text(ring, &pem, &accept, &fail) == PODI_OK
       && podi_jose_ring_has(ring, &kid) && !podi_jose_ring_has(ring, &none),
       "with a second key a name is needed");
    is_fail(verdict(ring, nameless, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
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

    if (add(pem, 0, "", &ring, &fail) != PODI_OK) {
        abort();
    }

    expect.typ.items = typs;
    expect.typ.n = 2;
    expect.aud.items = auds;
    expect.aud.n = 2;
    ok(verdict(ring, t, &fail) == PODI_OK, "the second type and audience");

    expect.typ.n = 1;
    is_fail(verdict(ring, t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "not among the types");
    expect.typ.n = 2;
    expect.aud.n = 1;
    is_fail(verdict(ring, t, &fail), &fail, PODI_E_TOKEN_INVALID, NULL,
            "not among the audiences");
    expect.aud.n = 0;
    ok(verdict(ring, t, &fail) == PODI_OK, "no audience is asked for");

    t = with_header(t, "{\"alg\":\"EdDSA\"}");
    (void) verdict(ring, t, &fail);
    ok(strstr(fail.detail, "typ") != NULL, "no type");
    expect.typ_absent = 1;
    (void) verdict(ring, t, &fail);
    ok(strstr(fail.detail, "typ") == NULL, "which may be allowed");

    expect.max = t.len - 1;
    (void) verdict(ring, t, &fail);
    ok(strstr(fail.detail, "longer") != NULL, "a token that is too long");

    memset(&expect.iss, 0, sizeof(expect.iss));
    expect.max = 0;
    is_fail(verdict(ring, token_of(key, "JWT"), &fail), &fail,
            PODI_E_TOKEN_INVALID, NULL, "no issuer is expected");
    nobody = str("{\"exp\":1795325000}");
    ok(podi_jose_sign(key, "JWT", &nobody, mem, &t) == PODI_OK
       && verdict(ring, t, &fail) == PODI_ERROR, "and none is there");
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

    t = with_header(t, "{}");
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
