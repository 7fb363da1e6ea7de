/*
 * podi_jose: numbers that are no RSA key.
 */

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tap.h"
#include "podi_base64.h"
#include "podi_id.h"
#include "podi_jose.h"
#include "banned.h"


static podi_mem_t  *mem;

static const podi_jose_accept_t  file;
static const podi_jose_accept_t  remote = { .remote = 1 };


static void test_rsa(void);
static void test_numbers(void);
static podi_str_t rsa_of(unsigned bits, unsigned e);
static podi_str_t rsa_jwk(const unsigned char *bytes, size_t len, unsigned e);
static void rsa_refused(podi_str_t jwk, const char *why);


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_rsa();
    test_numbers();

    ok(ERR_peek_error() == 0, "nothing is left in the error queue");

    podi_arena_free(&arena);

    return tap_done();
}


/* an odd number of this many bits without a small factor is like a modulus */

static podi_str_t
rsa_of(unsigned bits, unsigned e)
{
    size_t          len = bits / 8;
    BIGNUM         *big;
    unsigned        p;
    unsigned char   bytes[1100];

    for (big = NULL; big == NULL; /* void */) {
        if (podi_random(bytes, len) != PODI_OK) {
            abort();
        }

        bytes[0] |= 0x80;
        bytes[len - 1] |= 1;
        big = BN_bin2bn(bytes, (int) len, NULL);

        for (p = 3; big != NULL && p < 168; p += 2) {
            if (BN_mod_word(big, p) == 0) {
                BN_free(big);
                big = NULL;
            }
        }
    }

    BN_free(big);

    return rsa_jwk(bytes, len, e);
}


static podi_str_t
rsa_jwk(const unsigned char *bytes, size_t len, unsigned e)
{
    podi_str_t      n, num;
    unsigned char   exp[4];

    exp[0] = (unsigned char) (e >> 24);
    exp[1] = (unsigned char) (e >> 16);
    exp[2] = (unsigned char) (e >> 8);
    exp[3] = (unsigned char) e;

    n.data = (unsigned char *) (uintptr_t) bytes;
    n.len = len;
    num.data = exp;
    num.len = 4;

    while (num.len > 1 && *num.data == 0) {
        num.data++;
        num.len--;
    }

    if (podi_base64url_encode(mem, &n, &n) != PODI_OK
        || podi_base64url_encode(mem, &num, &num) != PODI_OK)
    {
        abort();
    }

    return text_of(mem, "\"kty\":\"RSA\",\"n\":\"" PODI_STR_FMT
                   "\",\"e\":\"" PODI_STR_FMT "\"",
                   podi_str_arg(&n), podi_str_arg(&num));
}


/* with members of an RSA key that nobody can use */

static void
rsa_refused(podi_str_t jwk, const char *why)
{
    podi_str_t         set;
    podi_fail_t        fail;
    podi_jose_ring_t  *ring;

    set = text_of(mem, "{\"keys\":[{" PODI_STR_FMT ",\"alg\":\"RS256\"}]}",
                  podi_str_arg(&jwk));

    is_fail(podi_jose_ring_parse(&set, &file, mem, &ring, &fail), &fail,
            PODI_E_CONFIG, NULL, "RSA that is refused");
    ok(strstr(fail.detail, why) != NULL, "%s", fail.detail);
    is_fail(podi_jose_ring_parse(&set, &remote, mem, &ring, &fail), &fail,
            PODI_E_CONFIG, "keys", "and leaves nothing of a remote set");
}


static void
test_rsa(void)
{
    size_t             i;
    podi_str_t         jwk, set;
    podi_fail_t        fail;
    podi_jose_ring_t  *ring;

    static const struct {
        unsigned     bits;
        unsigned     e;
        int          good;
        const char  *why;
    }  cases[] = {
        { 2048, 65537, 1, NULL }, { 8192, 65537, 1, NULL },
        { 4096, 0xffffffff, 1, NULL },
        { 1024, 65537, 0, "less than 2048" },
        { 2040, 65537, 0, "less than 2048" },
        { 8200, 65537, 0, "wrong form" },
        { 2048, 3, 0, "exponent" }, { 2048, 1, 0, "exponent" },
        { 2048, 65538, 0, "exponent" }, { 2048, 65535, 0, "exponent" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        jwk = rsa_of(cases[i].bits, cases[i].e);
        set = text_of(mem, "{\"keys\":[{" PODI_STR_FMT
                      ",\"alg\":\"RS256\"}]}", podi_str_arg(&jwk));

        if (cases[i].good) {
            ok(podi_jose_ring_parse(&set, &remote, mem, &ring, &fail)
               == PODI_OK, "RSA, %u bits, e %u", cases[i].bits, cases[i].e);
            continue;
        }

        rsa_refused(jwk, cases[i].why);
    }
}


static void
test_numbers(void)
{
    BIO                 *bio;
    EVP_PKEY            *pkey = NULL;
    podi_str_t           s;
    unsigned char        bytes[1040];
    podi_fail_t          fail;
    EVP_PKEY_CTX        *ctx;
    podi_jose_ring_t    *ring;
    OSSL_PARAM           params[3];
    unsigned             e = 65537;

    memset(bytes, 0xff, sizeof(bytes));
    rsa_refused(rsa_jwk(bytes, 256, 65537), "small factor");
    bytes[255] = 0xfe;
    rsa_refused(rsa_jwk(bytes, 256, 65537), "even");
    bytes[0] = 0;
    rsa_refused(rsa_jwk(bytes, 257, 65537), "wrong form");
    rsa_refused(str("\"kty\":\"RSA\",\"e\":\"AQAB\""), "missing");

    /* 8320 bits, that a JWK cannot say */

    bytes[0] = 0xff;
    bytes[1039] = 0xff;
    params[0] = OSSL_PARAM_construct_BN("n", bytes, sizeof(bytes));
    params[1] = OSSL_PARAM_construct_uint("e", &e);
    params[2] = OSSL_PARAM_construct_end();

    ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    (void) EVP_PKEY_fromdata_init(ctx);
    (void) EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);

    bio = BIO_new(BIO_s_mem());
    (void) PEM_write_bio_PUBKEY(bio, pkey);
    s.len = (size_t) BIO_get_mem_data(bio, &s.data);
    s = text_of(mem, PODI_STR_FMT, podi_str_arg(&s));
    BIO_free(bio);
    EVP_PKEY_free(pkey);

    if (podi_jose_ring_make(mem, &ring) != PODI_OK) {
        abort();
    }

    is_fail(podi_jose_ring_add_text(ring, &s, &file, &fail), &fail,
            PODI_E_CONFIG, NULL, "a PEM of 8320 bits");
    ok(strstr(fail.detail, "8192") != NULL, "for that reason");
}
