/*
 * jose: no token but those that were signed is accepted, in any family.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_jose.h"
#include "banned.h"


/* RFC 7515, appendix A.3, and keys that were generated once */

#define FUZZ_ES256                                                           \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"rfc\","                     \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                 \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

#define FUZZ_RS256                                                           \
    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"pfq0s0nWYuNIa573GHnmSackMB"     \
    "1eKSvNwTuFGg_CkoVuHAE1tB38dQTqAe4dtAK9dtEr44s_51JRCczsDfCbBs2vyqxa"     \
    "uVAGqpdcM-se5MiE_v8IUvHXDxE6zHwK-ytqsDziSbCXpttGzDr49LYEU-0oZxySnz"     \
    "5Zyb2DkM_HvC2APsicrbIfQr9F6tnAa4RWfp4Y6kRrCMwvj0u7GV5PP4PV_ilg4ziN"     \
    "QE6hABuoHvBGC0hbz55pcEkuG0pgmYS-_qez3j0s8RBghudSAsV8K3nhtOmwYKH6t1"     \
    "mYoFwgARFQ9qAlf1jkWg3oUXsNA5UPS0wxlhg3EoA2DwEFJj1gKQ\",\"alg\":\"R"     \
    "S256\",\"use\":\"sig\",\"kid\":\"RS256\"}"

#define FUZZ_ES384                                                           \
    "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"-tQtVM1hKyc81eifdNi6hbgk"     \
    "MJnpEQs8vXAqwUUcRVYZMJq--0XTAokilpBDTxBl\",\"y\":\"Y1SO7HvxIGEMzHH"     \
    "5ciWm8k6SZJ_BsSgZ-_ejYok2RXGuZSWS3DvKGC-P4c9bQNKg\",\"alg\":\"ES38"     \
    "4\",\"use\":\"sig\",\"kid\":\"ES384\"}"

#define FUZZ_ES512                                                           \
    "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"AZFJnC7cXNmFQg_s1KpuS5Zc"     \
    "wEArwKZHXHH18QdOGCgUvqDHVk6IB3AKT7SmT6l2k5XsYxg7M1IP9r7Vrn4RHDR3\""     \
    ",\"y\":\"AakZyuRqvTBrW_xg21iw8RrxBsXl_DB2VK066Af12lCuFXIdujOG5ubDj"     \
    "oJgtC-zjGtJRMGpVrFJ8cKCsRNv3eF_\",\"alg\":\"ES512\",\"use\":\"sig"      \
    "\",\"kid\":\"ES512\"}"

#define FUZZ_EDDSA                                                           \
    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"qABk_lv4R4g9E0UjkJkvz"     \
    "D1XOLWWQksrl059E7NkczU\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\""     \
    ":\"EdDSA\"}"

#define FUZZ_HS256                                                           \
    "{\"kty\":\"oct\",\"alg\":\"HS256\",\"use\":\"sig\",\"kid\":\"HS256"     \
    "\",\"k\":\"Dkz0KJlF93qic7HSckJ5IrDOKQPu2MUItHGl6TuHmJY\"}"

/* signed once by podi_jose_sign with the keys above */

#define FUZZ_TOKEN                                                           \
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InJmYyIsInR5cCI6ImF0K2p3dCJ9.eyJpc3M"       \
    "iOiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV"       \
    "4cCI6MTc5NTMyNTAwMH0.7nyHtbFgnLsP5ESgEoCEzTSOZpAo5S--YFlCYeEmRCm"       \
    "SZORD2c7NxWgME5Gk_77J1Ol5iQ79JAhIFyYzEzONmA"


const char *const  fuzz_seeds[] = {
    FUZZ_TOKEN,
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiYXQrand0In0.eyJpc3Mi"
    "OiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV4cCI6"
    "MTc5NTMyNTAwMH0.DWwTTTEccYDTe3mMdx1VFMBK7B5XtNDV_0Xs_-8V3vT5nPEeQRmR"
    "QljkpHbuHvgr9H_tCdnh-PUqAmBvVFSjYnWsKac_0AneeDS9N1kwaShi70UdF5-iE_C8"
    "HAYXakXGlVAzeL-uFhfR-WSJFzCesTCcqxTj2luRn0dRqLtEI-qQgPHo_obRGhxaDL9A"
    "b7OpnExPARGDUUsoo7ihwGe4s6FyMmVL3flj4-YGGikVq83e4VkvW0mLJvuFFE0Xm4R2"
    "oEDFxuYbVItwvosbs7VFq0mHtBLC7ryYp0k28hmLW-pwxgC1D_o0w7npAtaE6_58X3T2"
    "u_8VrtGY8KU0syfTTw",
    "eyJhbGciOiJFUzM4NCIsImtpZCI6IkVTMzg0IiwidHlwIjoiYXQrand0In0.eyJpc3Mi"
    "OiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV4cCI6"
    "MTc5NTMyNTAwMH0.-P5uGF6_yHDA4bNrpF2xMrqhO7trzG6tq8OFJM3VpHjlSksW3P8d"
    "xiMrWLuWKpYOdGZ1NkbBTu_nQb8Mtmvux5tR8Y5kasgK5fbu28BXMBzzK0cIjmj9kN38"
    "96S9cN8c",
    "eyJhbGciOiJFUzUxMiIsImtpZCI6IkVTNTEyIiwidHlwIjoiYXQrand0In0.eyJpc3Mi"
    "OiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV4cCI6"
    "MTc5NTMyNTAwMH0.AMo-dyKXia9qdba77ELopb37--XsVpggFOZNdGx9bQ02rTj7Ck5i"
    "YsUP9X6i_INk_1wnBtt5VDzdNIumutUuI0SkADDKkl-d_57GGqIQwEIVdqqzyhcHeULe"
    "WN4ht5ptnaHY1ei45ZFsOWoUUotmfmYevm-wjUm30Lsy9uVZhUWzMgkz",
    "eyJhbGciOiJFZERTQSIsImtpZCI6IkVkRFNBIiwidHlwIjoiYXQrand0In0.eyJpc3Mi"
    "OiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV4cCI6"
    "MTc5NTMyNTAwMH0.mqk9Av9mRQDQ1dPnJ0RRXb-tpUypaXOVBES_TzwtAFXWyNtifeYK"
    "DZbQsuhzQKpk58aSuXO_YxE_VEs_H4N-AA",
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IkhTMjU2IiwidHlwIjoiYXQrand0In0.eyJpc3Mi"
    "OiJodHRwczovL3BvZGkiLCJhdWQiOiJhcGkiLCJpYXQiOjE3OTUzMjQ2MDAsImV4cCI6"
    "MTc5NTMyNTAwMH0.NFZfrCMA_IgDzSIcDO4JieBzEIPsrlAdCV0xgC82sUo",
    NULL
};

const char *const  fuzz_words[] = {
    ".", "..", "=", "-", "_", "eyJ", "e30", "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IlJTMjU2IiwidHlwIjoiYXQrand0In0",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InJmYyIsInR5cCI6ImF0K2p3dCJ9",
    "eyJjcml0IjpbXX0", NULL
};

static const podi_str_t  typ = podi_string("at+jwt");
static const podi_str_t  aud = podi_string("api");

static const podi_jose_expect_t  expect = {
    .typ = { &typ, 1 }, .aud = { &aud, 1 },
    .iss = podi_string("https://podi"), .now = INT64_C(1795324666000000),
    .leeway = 30, .max_life = 600
};

static podi_jose_ring_t  *fuzz_rings[2];     /* public keys, a secret */


static void fuzz_make_rings(void);
static int fuzz_is_seed(const podi_str_t *s);
static void fuzz_peek(const podi_str_t *s, int good);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           i, good = 0;
    json_t       *claims;
    podi_str_t    s;
    podi_fail_t   fail;

    s = fuzz_str(data, size);
    fuzz_make_rings();

    for (i = 0; i < 2; i++) {
        if (podi_jose_verify(fuzz_rings[i], &s, &expect, fuzz_mem(), &claims,
                             &fail) == PODI_OK)
        {
            good++;
            continue;
        }

        fuzz_assert(fail.error == PODI_E_TOKEN_INVALID
                    || fail.error == PODI_E_TOKEN_EXPIRED);
    }

    fuzz_assert(good == fuzz_is_seed(&s));
    fuzz_peek(&s, good);

    return 0;
}


/* in memory of their own, that is not reset */

static void
fuzz_make_rings(void)
{
    size_t                     i;
    podi_str_t                 text;
    podi_fail_t                fail;
    static podi_arena_t       *arena;
    const podi_jose_accept_t   file = { .remote = 0 };

    static const char  *sets[] = {
        "{\"keys\":[" FUZZ_ES256 "," FUZZ_RS256 "," FUZZ_ES384 "," FUZZ_ES512
        "," FUZZ_EDDSA "]}",
        "{\"keys\":[" FUZZ_HS256 "]}"
    };

    if (arena != NULL) {
        return;
    }

    arena = podi_arena_create();

    for (i = 0; i < 2; i++) {
        text = podi_str_c(sets[i]);
        fuzz_assert(podi_jose_ring_parse(&text, &file, podi_arena_mem(arena),
                                         &fuzz_rings[i], &fail) == PODI_OK);
    }
}


static int
fuzz_is_seed(const podi_str_t *s)
{
    size_t  i;

    for (i = 0; fuzz_seeds[i] != NULL; i++) {
        if (podi_str_eq_c(s, fuzz_seeds[i])) {
            return 1;
        }
    }

    return 0;
}


static void
fuzz_peek(const podi_str_t *s, int good)
{
    podi_rc_t    rc;
    podi_str_t   alg, kid, iss;
    podi_fail_t  fail;

    rc = podi_jose_peek(s, PODI_JOSE_TOKEN_MAX, fuzz_mem(), &alg, &kid, &iss,
                        &fail);

    fuzz_assert(rc == PODI_OK || fail.error == PODI_E_TOKEN_INVALID);
    fuzz_assert(!good || (rc == PODI_OK && podi_str_eq(&iss, &expect.iss)));
}
