/*
 * jose: no token but the one that was signed is accepted, and no JWK Set or
 * key text crashes.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_jose.h"
#include "banned.h"


#define FUZZ_JWK                                                             \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"rfc\","                      \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                 \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

#define FUZZ_PRIVATE                                                         \
    "{" FUZZ_JWK ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"

/* signed once by podi_jose_sign with the key above */
#define FUZZ_TOKEN                                                           \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InJmYyIsInR5cCI6ImF0K2p3dCJ9.eyJpc3M"       \
    "iOiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV"       \
    "4cCI6MTc5NTMyNTAwMH0.7nyHtbFgnLsP5ESgEoCEzTSOZpAo5S--YFlCYeEmRCm"       \
    "SZORD2c7NxWgME5Gk_77J1Ol5iQ79JAhIFyYzEzONmA"


const char *const  fuzz_seeds[] = {
    FUZZ_TOKEN,
    FUZZ_TOKEN,
    "{\"keys\":[{" FUZZ_JWK "}]}",
    FUZZ_PRIVATE,
    NULL
};

static const podi_str_t  typ = podi_string("at+jwt");
static const podi_str_t  aud = podi_string("api");

static const podi_jose_accept_t  file;

static const podi_jose_expect_t  expect = {
    .typ = { &typ, 1 }, .aud = { &aud, 1 },
    .iss = podi_string("https://podi"), .now = INT64_C(1795324666000000),
    .leeway = 30, .max_life = 600
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t             *claims;
    podi_str_t          s, jwks;
    podi_fail_t         fail;
    podi_jose_key_t    *key;
    podi_jose_ring_t   *ring;

    s = fuzz_str(data, size);

    if (podi_str_has_prefix(&s, "{")) {
        if (podi_jose_ring_parse(&s, &file, fuzz_mem(), &ring, &fail)
            == PODI_OK)
        {
            fuzz_assert(podi_jose_ring_jwks(ring, fuzz_mem(), &jwks)
                        == PODI_OK);
        }

        if (podi_jose_key_parse(&s, fuzz_mem(), &key, &fail) == PODI_OK) {
            fuzz_assert(podi_jose_key_kid(key).len > 0);
        }

        return 0;
    }

    jwks = podi_str_c("{\"keys\":[{" FUZZ_JWK "}]}");

    fuzz_assert(podi_jose_ring_parse(&jwks, &file, fuzz_mem(), &ring, &fail)
                == PODI_OK);

    if (podi_jose_verify(ring, &s, &expect, fuzz_mem(), &claims, &fail)
        == PODI_OK)
    {
        fuzz_assert(podi_str_eq_c(&s, FUZZ_TOKEN));
        return 0;
    }

    fuzz_assert(!podi_str_eq_c(&s, FUZZ_TOKEN));
    fuzz_assert(fail.error == PODI_E_TOKEN_INVALID
                || fail.error == PODI_E_TOKEN_EXPIRED);

    return 0;
}
