/*
 * podi_context and podi_refresh: what is minted, and what is not believed.
 */

#include "tap.h"
#include "podi_context.h"
#include "podi_hash.h"
#include "podi_refresh.h"
#include "banned.h"


#define TENANT   "018f0000-0000-7000-8000-00000000000a"
#define USER     "018f0000-0000-7000-8000-00000000000b"
#define SESSION  "018f0000-0000-7000-8000-00000000000c"
#define HEX      "000102030405060708090a0b0c0d0e0f"                          \
                 "101112131415161718191a1b1c1d1e1f"


static podi_mem_t  *mem;


static podi_secret_t *secret(const char *text);
static void test_context(void);
static void test_blocks(const podi_context_key_t *key);
static void test_refresh(void);


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_context();
    test_refresh();

    podi_arena_free(&arena);

    return tap_done();
}


static podi_secret_t *
secret(const char *text)
{
    podi_str_t      s;
    podi_secret_t  *made;

    s = str(text);

    if (podi_secret_make(mem, &s, &made) != PODI_OK) {
        abort();
    }

    return made;
}


static void
test_context(void)
{
    unsigned             i;
    podi_str_t           s;
    podi_fail_t          fail;
    podi_role_e          role;
    podi_context_t       who;
    podi_context_key_t  *key;

    static const struct {
        const char  *tenant;
        const char  *user;
        int          valid;
        podi_role_e  role;
    }  cases[] = {
        { "*", "", 1, PODI_ROLE_GATEWAY },
        { "*", "", 0, PODI_ROLE_WORKER },
        { "*", "", 0, PODI_ROLE_ANON },
        { "*", USER, 0, PODI_ROLE_GATEWAY },
        { "**", "", 0, PODI_ROLE_GATEWAY },
        { TENANT, USER, 1, PODI_ROLE_ANON },
        { TENANT, "", 1, PODI_ROLE_ANON },
        { "@acme-1", "", 1, PODI_ROLE_ANON },
        { "@", "", 0, PODI_ROLE_ANON },
        { "@Acme", "", 0, PODI_ROLE_ANON },
        { "@a|b", "", 0, PODI_ROLE_ANON },
        { "acme", "", 0, PODI_ROLE_ANON },
        { "", "", 0, PODI_ROLE_ANON },
        { TENANT "|", "", 0, PODI_ROLE_ANON },
        { TENANT, "root", 0, PODI_ROLE_ANON },
        { TENANT, USER "|admin", 0, PODI_ROLE_ANON },
    };

    ok(podi_context_key_parse("k1", secret(HEX), mem, &key, &fail)
       == PODI_OK, "a key");
    is_fail(podi_context_key_parse("k|1", secret(HEX), mem, &key, &fail),
            &fail, PODI_E_CONFIG, NULL, "an id with a bar");
    is_fail(podi_context_key_parse("", secret(HEX), mem, &key, &fail),
            &fail, PODI_E_CONFIG, NULL, "no id");
    is_fail(podi_context_key_parse("k1", secret("00ff"), mem, &key, &fail),
            &fail, PODI_E_CONFIG, NULL, "too short a key");
    is_str(podi_context_key_id(key), "k1", "its id");

    memset(&who, 0, sizeof(who));
    who.expires = INT64_C(1795324666999999);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        who.tenant = str(cases[i].tenant);
        who.user = str(cases[i].user);
        who.role = cases[i].role;

        ok(podi_context_mint(key, &who, mem, &s, &fail)
           == (cases[i].valid ? PODI_OK : PODI_ERROR),
           "%s: %s, %s", cases[i].valid ? "minted" : "refused",
           cases[i].tenant, cases[i].user);
    }

    who.tenant = str(TENANT);
    who.user = str(USER);
    who.role = PODI_ROLE_USER;

    ok(podi_context_mint(key, &who, mem, &s, &fail) == PODI_OK, "minted");

    /* openssl dgst -sha256 -mac HMAC -macopt hexkey:... */

    is_str(s, "v1|k1|" TENANT "|" USER "|user|1795324666|"
           "482e59261ea2a690702084f8c5b78cdc"
           "4567f94e426b755461a5e52beaa5dc52", "the text");

    test_blocks(key);

    for (i = 0; i < PODI_ROLE_LAST; i++) {
        s = str(podi_role_name((podi_role_e) i));
        ok(podi_role_parse(&s, &role) == PODI_OK && role == i, "role "
           PODI_STR_FMT, podi_str_arg(&s));
    }

    s = str("root");
    is_int(podi_role_parse(&s, &role), PODI_DECLINED, "no such role");
}


/* what PostgreSQL computes from the blocks is what the key gives */

static void
test_blocks(const podi_context_key_t *key)
{
    podi_str_t      s, got, want, hex, bytes;
    unsigned char   inner[64 + 3], outer[64 + 32], raw[32], mac[32];

    podi_context_blocks(key, inner, outer);

    memcpy(inner + 64, "abc", 3);
    s.data = inner;
    s.len = sizeof(inner);
    (void) !podi_sha256(&s, outer + 64);
    s.data = outer;
    s.len = sizeof(outer);
    (void) !podi_sha256(&s, mac);
    got.data = mac;
    got.len = 32;

    hex = str(HEX);
    (void) !podi_hex_decode(raw, 32, &hex);
    bytes.data = raw;
    bytes.len = 32;
    s = str("abc");
    (void) !podi_hmac_sha256(&bytes, &s, inner);
    want.data = inner;
    want.len = 32;

    ok(podi_str_eq(&got, &want), "sha256 over the blocks is the HMAC");
}


static void
test_refresh(void)
{
    char            text[256];
    unsigned        i;
    podi_str_t      s, token;
    podi_fail_t     fail;
    podi_secret_t  *master, *other;
    podi_refresh_t  r, got;

    static const struct {
        const char  *from;
        const char  *to;
        const char  *what;
    }  changes[] = {
        { "v1.", "v2.", "another version" },
        { ".41.", ".42.", "another counter" },
        { ".41.", ".041.", "a counter written otherwise" },
        { ".41.", ".-41.", "a negative counter" },
        { ".41.", "..", "no counter" },
        { "000a.", "000b.", "another tenant" },
        { "000c.", "000d.", "another session" },
        { "000c.", "000C.", "a session written otherwise" },
        { ".41.", ".41.x.", "a part more" },
    };

    master = secret("a master key of any length");
    other = secret("another master key");

    s = str(TENANT);
    ok(podi_id_parse(&s, &r.tenant) == PODI_OK, "a tenant");
    s = str(SESSION);
    ok(podi_id_parse(&s, &r.session) == PODI_OK, "a session");
    r.counter = 41;

    ok(podi_refresh_make(master, &r, mem, &token) == PODI_OK, "made");
    ok(podi_str_has_prefix(&token, "v1." TENANT "." SESSION ".41.")
       && token.len == 3 + 37 + 37 + 3 + 43, "its form");
    ok(podi_refresh_verify(master, &token, mem, &got, &fail) == PODI_OK
       && got.counter == 41
       && memcmp(&got.tenant, &r.tenant, sizeof(podi_id_t)) == 0
       && memcmp(&got.session, &r.session, sizeof(podi_id_t)) == 0,
       "and read back");

    is_fail(podi_refresh_verify(other, &token, mem, &got, &fail), &fail,
            PODI_E_REFRESH_INVALID, NULL, "another master key");

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        s.data = (unsigned char *) strstr((char *) token.data,
                                          changes[i].from);
        (void) snprintf(text, sizeof(text), "%.*s%s%s",
                        (int) (s.data - token.data), token.data,
                        changes[i].to,
                        s.data + strlen(changes[i].from));
        s = str(text);

        is_fail(podi_refresh_verify(master, &s, mem, &got, &fail), &fail,
                PODI_E_REFRESH_INVALID, NULL, changes[i].what);
    }

    s = token;
    s.len--;
    is_fail(podi_refresh_verify(master, &s, mem, &got, &fail), &fail,
            PODI_E_REFRESH_INVALID, NULL, "a MAC that is cut");

    s = str("");
    is_fail(podi_refresh_verify(master, &s, mem, &got, &fail), &fail,
            PODI_E_REFRESH_INVALID, NULL, "nothing");
}
