/*
 * siphash: as OpenSSL's, in whatever pieces.
 */

#include <openssl/evp.h>
#include <openssl/params.h>

#include "tap.h"
#include "podi_siphash.h"
#include "banned.h"


static unsigned char  key[16], text[300];


static void in_pieces(size_t len, size_t piece, unsigned char out[16]);
static int unlike_fields(void);
static int openssl_hash(size_t len, unsigned char out[16]);


int
main(void)
{
    int            wrong = 0, unequal = 0;
    size_t         i, len, piece;
    unsigned char  out[16], want[16];

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (unsigned char) i;
    }

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (unsigned char) i;
    }

    for (len = 0; len < sizeof(text); len++) {
        if (!openssl_hash(len, want)) {
            wrong++;
            continue;
        }

        for (piece = 1; piece < 20; piece++) {
            in_pieces(len, piece, out);
            unequal += (memcmp(out, want, 16) != 0);
        }
    }

    is_int(wrong, 0, "OpenSSL knows it");
    is_int(unequal, 0, "and says the same of every length and piece");
    is_int(unlike_fields(), 0, "a field is its word and its bytes, filled up");

    return tap_done();
}


static void
in_pieces(size_t len, size_t piece, unsigned char out[16])
{
    size_t          at, n;
    podi_siphash_t  h;

    podi_siphash_begin(&h, key);

    for (at = 0; at < len; at += n) {
        n = (len - at < piece) ? len - at : piece;
        podi_siphash_add(&h, text + at, n);
    }

    podi_siphash_end(&h, out);
}


/* two fields, and the same as one text; gives how many lengths are unequal */

static int
unlike_fields(void)
{
    int             unequal = 0;
    size_t          len;
    uint64_t        word = UINT64_C(0x1122334455667788);
    unsigned char   zeros[8] = { 0 }, out[16], want[16];
    podi_siphash_t  h, g;

    for (len = 0; len < 100; len++) {
        podi_siphash_begin(&h, key);
        podi_siphash_field(&h, word, text, len);
        podi_siphash_field(&h, len, text + 1, 3);
        podi_siphash_end(&h, out);

        podi_siphash_begin(&g, key);
        podi_siphash_add(&g, &word, 8);
        podi_siphash_add(&g, text, len);
        podi_siphash_add(&g, zeros, -len & 7);
        podi_siphash_add(&g, &len, 8);
        podi_siphash_add(&g, text + 1, 3);
        podi_siphash_add(&g, zeros, 5);
        podi_siphash_end(&g, want);

        unequal += (memcmp(out, want, 16) != 0);
    }

    return unequal;
}


static int
openssl_hash(size_t len, unsigned char out[16])
{
    int           done = 0;
    size_t        size = 16, n;
    unsigned      once = 1, thrice = 3;
    EVP_MAC      *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    OSSL_PARAM    params[4];
    EVP_MAC_CTX  *ctx = EVP_MAC_CTX_new(mac);

    params[0] = OSSL_PARAM_construct_size_t("size", &size);
    params[1] = OSSL_PARAM_construct_uint("c-rounds", &once);
    params[2] = OSSL_PARAM_construct_uint("d-rounds", &thrice);
    params[3] = OSSL_PARAM_construct_end();

    if (ctx != NULL
        && EVP_MAC_CTX_set_params(ctx, params)
        && EVP_MAC_init(ctx, key, 16, NULL)
        && EVP_MAC_update(ctx, text, len)
        && EVP_MAC_final(ctx, out, &n, 16))
    {
        done = (n == 16);
    }

    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);

    return done;
}
