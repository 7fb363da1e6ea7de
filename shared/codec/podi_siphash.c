/*
 * podi_siphash: as its authors wrote it down (Aumasson and Bernstein, 2012,
 * with the 128-bit end of their reference code), with one round for a word
 * and three at the end.
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_siphash.h"
#include "banned.h"


#define SIPHASH_WORD  1             /* rounds */
#define SIPHASH_END   3

#define always_inline  inline __attribute__((always_inline))


static always_inline uint64_t siphash_left(uint64_t x, int n);
static always_inline void siphash_rounds(uint64_t v[4], int n);
static always_inline void siphash_word(uint64_t v[4], uint64_t word);
static always_inline uint64_t siphash_read(const unsigned char *p);
static always_inline void siphash_write(unsigned char *p, uint64_t word);


void
podi_siphash_begin(podi_siphash_t *h,
    const unsigned char key[PODI_SIPHASH_LEN])
{
    uint64_t  k0 = siphash_read(key), k1 = siphash_read(key + 8);

    h->v[0] = k0 ^ UINT64_C(0x736f6d6570736575);
    h->v[1] = k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee;
    h->v[2] = k0 ^ UINT64_C(0x6c7967656e657261);
    h->v[3] = k1 ^ UINT64_C(0x7465646279746573);
    h->tail = 0;
    h->len = 0;
}


void
podi_siphash_add(podi_siphash_t *h, const void *data, size_t len)
{
    const unsigned char  *p = data;

    while (len != 0 && (h->len & 7) != 0) {
        h->tail |= (uint64_t) *p++ << (8 * (h->len & 7));
        h->len++;
        len--;

        if ((h->len & 7) == 0) {
            siphash_word(h->v, h->tail);
            h->tail = 0;
        }
    }

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        siphash_word(h->v, siphash_read(p));
        h->len += 8;
    }

    for ( /* void */ ; len != 0; len--) {
        h->tail |= (uint64_t) *p++ << (8 * (h->len & 7));
        h->len++;
    }
}


/* the state stays in registers all the while */

void
podi_siphash_field(podi_siphash_t *h, uint64_t word, const void *data,
    size_t len)
{
    uint64_t              last, v[4] = { h->v[0], h->v[1], h->v[2], h->v[3] };
    const unsigned char  *p = data;

    podi_assert((h->len & 7) == 0);

    h->len += 8 + ((len + 7) & ~(size_t) 7);

    siphash_word(v, word);

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        siphash_word(v, siphash_read(p));
    }

    if (len != 0) {
        for (last = 0; len != 0; len--) {
            last = last << 8 | p[len - 1];
        }

        siphash_word(v, last);
    }

    memcpy(h->v, v, sizeof(v));
}


void
podi_siphash_end(podi_siphash_t *h,
    unsigned char ret_hash[PODI_SIPHASH_LEN])
{
    uint64_t  v[4] = { h->v[0], h->v[1], h->v[2], h->v[3] };

    siphash_word(v, h->tail | h->len << 56);

    v[2] ^= 0xee;
    siphash_rounds(v, SIPHASH_END);
    siphash_write(ret_hash, v[0] ^ v[1] ^ v[2] ^ v[3]);

    v[1] ^= 0xdd;
    siphash_rounds(v, SIPHASH_END);
    siphash_write(ret_hash + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}


static always_inline uint64_t
siphash_left(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}


static always_inline void
siphash_rounds(uint64_t v[4], int n)
{
    uint64_t  a = v[0], b = v[1], c = v[2], d = v[3];

    while (n-- > 0) {
        a += b;
        b = siphash_left(b, 13) ^ a;
        a = siphash_left(a, 32);

        c += d;
        d = siphash_left(d, 16) ^ c;

        a += d;
        d = siphash_left(d, 21) ^ a;

        c += b;
        b = siphash_left(b, 17) ^ c;
        c = siphash_left(c, 32);
    }

    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
}


static always_inline void
siphash_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    siphash_rounds(v, SIPHASH_WORD);
    v[0] ^= word;
}


/* little-endian, wherever it stands */

static always_inline uint64_t
siphash_read(const unsigned char *p)
{
    uint64_t  word;

    memcpy(&word, p, 8);

#if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    word = __builtin_bswap64(word);
#endif

    return word;
}


static always_inline void
siphash_write(unsigned char *p, uint64_t word)
{
#if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    word = __builtin_bswap64(word);
#endif

    memcpy(p, &word, 8);
}
