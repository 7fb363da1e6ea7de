/*
 * siphash: as the reference code and as OpenSSL's, in whatever pieces.
 */

#include <openssl/evp.h>
#include <openssl/params.h>

#include "tap.h"
#include "podi_siphash.h"
#include "banned.h"


static unsigned char  key[16], text[300];


static void in_pieces(size_t len, size_t piece, unsigned char out[16]);
static int openssl_hash(size_t len, unsigned char out[16]);


int
main(void)
{
    int                   wrong = 0, unequal = 0;
    size_t                i, len, piece;
    unsigned char         out[16], want[16];

    /* of the reference code: key 00..0f, the empty text and 00 */
    static const unsigned char  empty[16] = {
        0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
        0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93
    };
    static const unsigned char  one[16] = {
        0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
        0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45
    };

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (unsigned char) i;
    }

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (unsigned char) i;
    }

    in_pieces(0, 1, out);
    ok(memcmp(out, empty, 16) == 0, "the empty text");
    in_pieces(1, 1, out);
    ok(memcmp(out, one, 16) == 0, "one byte");

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


static int
openssl_hash(size_t len, unsigned char out[16])
{
    int           done = 0;
    size_t        size = 16, n;
    EVP_MAC      *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    OSSL_PARAM    params[2];
    EVP_MAC_CTX  *ctx = EVP_MAC_CTX_new(mac);

    params[0] = OSSL_PARAM_construct_size_t("size", &size);
    params[1] = OSSL_PARAM_construct_end();

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
