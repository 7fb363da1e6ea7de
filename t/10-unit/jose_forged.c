/*
 * podi_jose: what people who forge tokens try with bytes: numbers that sign
 * anything, other spellings of a good token, depth and size.
 */

#include <openssl/bn.h>

#include "jose_forge.h"
#include "banned.h"


#define BIG     (8 * 1024 * 1024)

/* of P-256 */
#define ORDER                                                                \
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"


static void test_psychic(void);
static void test_numbers(void);
static void test_cut(const char *what, const podi_jose_ring_t *ring,
    podi_str_t token);
static void test_spelling(void);
static void test_depth(void);
static void test_huge(void);


int
main(void)
{
    forge_start();

    test_psychic();
    test_numbers();
    test_cut("RS256", rsa_ring, sign(rsa));
    test_cut("ES256", ec_ring, sign(ec));
    test_cut("EdDSA", ed_ring, sign(ed));
    test_spelling();
    test_depth();
    test_huge();

    return forge_end();
}


static void
test_psychic(void)
{
    size_t          i;
    BIGNUM         *n = NULL;
    podi_str_t      t = sign(ec);
    unsigned char   raw[132], order[32];

    (void) BN_hex2bn(&n, ORDER);
    (void) BN_bn2binpad(n, order, 32);
    BN_free(n);

    for (i = 0; i < 16; i++) {
        memset(raw, 0, 64);

        /* r and s: 0, 1, n, or all bits */

        raw[31] = (i & 3) == 1;
        raw[63] = (i >> 2) == 1;

        if ((i & 3) == 2) {
            memcpy(raw, order, 32);
        } else if ((i & 3) == 3) {
            memset(raw, 0xff, 32);
        }

        if ((i >> 2) == 2) {
            memcpy(raw + 32, order, 32);
        } else if ((i >> 2) == 3) {
            memset(raw + 32, 0xff, 32);
        }

        refused(ec_ring, with_signature(t, raw, 64), "psychic ECDSA");
    }

    memset(raw, 0, sizeof(raw));

    for (i = 1; i <= sizeof(raw); i += 13) {
        refused(ec_ring, with_signature(t, raw, i), "zeros of another length");
    }

    refused(ec_ring, with_signature(t, "0\x06\x02\x01\0\x02\x01\0", 8),
            "zeros in DER");
}


/* RSA: 0, 1, n - 1, n; EdDSA: zeros, s above the order */

static void
test_numbers(void)
{
    int             carry;
    size_t          i;
    BIGNUM         *n = NULL;
    EVP_PKEY       *pkey = pkey_of(rsa);
    podi_str_t      t = sign(rsa), s, part;
    unsigned char   raw[256], edraw[64];

    /* 2^252 + 27742317777372353535851937790883648493, from the right */
    static const unsigned char  order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0x10
    };

    memset(raw, 0, sizeof(raw));
    refused(rsa_ring, with_signature(t, raw, 256), "RSA: 0");
    raw[255] = 1;
    refused(rsa_ring, with_signature(t, raw, 256), "RSA: 1");
    refused(rsa_ring, with_signature(t, raw + 255, 1), "RSA: 1, short");

    (void) EVP_PKEY_get_bn_param(pkey, "n", &n);
    (void) BN_bn2binpad(n, raw, 256);
    refused(rsa_ring, with_signature(t, raw, 256), "RSA: n");
    raw[255]--;
    refused(rsa_ring, with_signature(t, raw, 256), "RSA: n - 1");
    BN_free(n);
    EVP_PKEY_free(pkey);

    t = sign(ed);
    memset(edraw, 0, sizeof(edraw));
    refused(ed_ring, with_signature(t, edraw, 64), "EdDSA: zeros");
    edraw[0] = 1;
    refused(ed_ring, with_signature(t, edraw, 64), "EdDSA: the neutral point");

    part = t;
    while (podi_str_split(&t, '.', &s)) {
        /* void: s ends as the signature */
    }

    if (podi_base64url_decode(mem, &s, &s) != PODI_OK || s.len != 64) {
        abort();
    }

    for (i = 0, carry = 0; i < 32; i++) {
        carry += s.data[32 + i] + order[i];
        s.data[32 + i] = (unsigned char) carry;
        carry >>= 8;
    }

    refused(ed_ring, with_signature(part, s.data, 64),
            "EdDSA: the same signature, s + order");
}


/* no part of a token, and no token with another character, is one */

static void
test_cut(const char *what, const podi_jose_ring_t *ring, podi_str_t token)
{
    size_t          i, bad = 0;
    podi_str_t      t = token;
    unsigned char   c;

    for (t.len = 0; t.len < token.len; t.len++) {
        bad += verify(ring, t) == PODI_OK;
    }

    is_int((long long) bad, 0, what);

    for (i = 0; i < token.len; i++) {
        c = token.data[i];
        token.data[i] = c == 'A' ? 'B' : c == '.' ? '_' : (unsigned char)
                        (c == 'z' || c == 'Z' || c == '9' ? 'A' : c + 1);
        bad += verify(ring, token) == PODI_OK;
        token.data[i] = c;
    }

    is_int((long long) bad, 0, "nor with one character changed");
    is_int(verify(ring, token), PODI_OK, "the whole is");
}


static void
test_spelling(void)
{
    size_t       i, at;
    podi_str_t   t, part, rest;

    static const char  *puts[] = {
        "=", "==", " ", "\n", "\r\n", "\t", "+", "/", "%3D", "*", "\xc3\xa9",
        ".", "..", ":", "\"",
    };

    t = sign(ec);

    for (i = 0; i < 3 * sizeof(puts) / sizeof(puts[0]); i++) {
        rest = t;
        (void) podi_str_split(&rest, '.', &part);
        at = part.len;

        if (i % 3 > 0) {
            (void) podi_str_split(&rest, '.', &part);
            at += 1 + part.len;
        }

        if (i % 3 > 1) {
            at = t.len;
        }

        refused(ec_ring, text_of(mem, "%.*s%s%.*s", (int) at,
                                 (char *) t.data, puts[i / 3],
                                 (int) (t.len - at), (char *) t.data + at),
                "something behind a part");
    }

    refused(ec_ring, text_of(mem, " " PODI_STR_FMT, podi_str_arg(&t)),
            "a blank in front");
    refused(ec_ring, text_of(mem, "Bearer " PODI_STR_FMT, podi_str_arg(&t)),
            "a scheme in front");
    refused(ec_ring, text_of(mem, "{\"payload\":\"e30\",\"signatures\":[]}"),
            "JSON serialization");
    refused(ec_ring, text_of(mem, "a.b.c.d.e"), "JWE");
}


static void
test_depth(void)
{
    char    *p;
    size_t   i, depths[] = { 9, 1000, 100000, BIG / 4 };

    expect.max = 2 * BIG;

    for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        p = podi_mem_alloc(mem, depths[i] + 1);
        memset(p, '[', depths[i]);
        p[depths[i]] = '\0';
        refused(mac_ring, forge("{\"alg\":\"HS256\",\"kid\":\"k\"}", p,
                                str(SECRET), "SHA256"), "deep claims");
        refused(mac_ring, forge(p, CLAIMS, str(SECRET), "SHA256"),
                "a deep header");
    }

    refused(mac_ring, forge("{\"alg\":\"HS256\",\"kid\":\"k\"}",
                            "{\"iss\":\"i\",\"exp\":1795325000,\"x\":"
                            "[[[[[[[[[]]]]]]]]]}", str(SECRET), "SHA256"),
            "deep claims, closed");
    expect.max = 0;
}


static void
test_huge(void)
{
    char        *p;
    size_t       i;
    podi_str_t   t;

    static const char  fills[] = "A.=\0{ ";

    p = podi_mem_alloc(mem, BIG + 1);

    for (i = 0; i < sizeof(fills); i++) {
        memset(p, fills[i], BIG);
        t.data = (unsigned char *) p;
        t.len = BIG;

        expect.max = 0;
        refused(mac_ring, t, "8 MiB");
        expect.max = BIG;
        refused(mac_ring, t, "8 MiB, where that is allowed");

        p[BIG / 2] = '.';
        p[BIG - 100] = '.';
        refused(mac_ring, t, "in three parts");
    }

    memset(p, ' ', BIG);
    memcpy(p, CLAIMS, sizeof(CLAIMS) - 1);
    p[BIG] = '\0';
    expect.max = 2 * BIG;
    t = forge("{\"alg\":\"HS256\",\"kid\":\"k\"}", p, str(SECRET), "SHA256");
    is_int(verify(mac_ring, t), PODI_OK, "a good one may be that large");
    expect.max = 0;
    refused(mac_ring, t, "but is not, if nobody says so");
}
