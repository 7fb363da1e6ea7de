/*
 * fuzz_mutate: bytes, bits, runs, words and pieces of other inputs.
 */

#include <string.h>

#include "fuzz_engine.h"
#include "banned.h"


static uint64_t  fuzz_state;


static size_t fuzz_change(uint8_t *data, size_t size);
static size_t fuzz_put(uint8_t *data, size_t size, size_t at,
    const uint8_t *piece, size_t len);
static size_t fuzz_word(uint8_t *data, size_t size);
static size_t fuzz_splice(uint8_t *data, size_t size);
static void fuzz_digit(uint8_t *data, size_t size);
static uint8_t fuzz_byte(void);
static uint64_t fuzz_random(void);


size_t
fuzz_mutate(uint8_t *data, size_t size)
{
    switch (fuzz_below(10)) {

    case 0:
    case 1:
        return fuzz_word(data, size);

    case 2:
        return fuzz_splice(data, size);

    case 3:
        fuzz_digit(data, size);
        return size;

    default:
        return fuzz_change(data, size);
    }
}


static size_t
fuzz_change(uint8_t *data, size_t size)
{
    size_t   at, len;
    uint8_t  byte, run[FUZZ_SIZE_MAX];

    at = fuzz_below(size + 1);
    len = fuzz_below(size - at + 1);

    switch (fuzz_below(6)) {

    case 0:                             /* another byte */
        if (at < size) {
            data[at] = fuzz_byte();
        }
        return size;

    case 1:                             /* a bit */
        if (at < size) {
            data[at] ^= (uint8_t) (1u << fuzz_below(8));
        }
        return size;

    case 2:                             /* a byte more */
        byte = fuzz_byte();
        return fuzz_put(data, size, at, &byte, 1);

    case 3:                             /* a run less */
        memmove(data + at, data + at + len, size - at - len);
        return size - len;

    case 4:                             /* a run twice */
        memcpy(run, data + at, len);
        return fuzz_put(data, size, at, run, len);

    default:                            /* an end */
        return at;
    }
}


static size_t
fuzz_put(uint8_t *data, size_t size, size_t at, const uint8_t *piece,
    size_t len)
{
    if (size + len > FUZZ_SIZE_MAX) {
        return size;
    }

    memmove(data + at + len, data + at, size - at);
    memcpy(data + at, piece, len);

    return size + len;
}


/* a word more, or over what is there */

static size_t
fuzz_word(uint8_t *data, size_t size)
{
    size_t       n, at, len;
    const char  *word;

    for (n = 0; fuzz_words[n] != NULL; n++) {
        /* void */
    }

    if (n == 0) {
        return size;
    }

    word = fuzz_words[fuzz_below(n)];
    len = strlen(word);
    at = fuzz_below(size + 1);

    if (fuzz_below(2) || size - at < len) {
        return fuzz_put(data, size, at, (const uint8_t *) word, len);
    }

    memcpy(data + at, word, len);

    return size;
}


/* the begin of this one, the end of another */

static size_t
fuzz_splice(uint8_t *data, size_t size)
{
    size_t   at, from, len;
    uint8_t  other[FUZZ_SIZE_MAX];

    len = fuzz_pick(other);
    at = fuzz_below(size + 1);
    from = fuzz_below(len + 1);
    len -= from;

    if (at + len > FUZZ_SIZE_MAX) {
        return size;
    }

    memcpy(data + at, other + from, len);

    return at + len;
}


/* a number that is one more or less, or another */

static void
fuzz_digit(uint8_t *data, size_t size)
{
    size_t  i, at;

    at = fuzz_below(size);

    for (i = at; i < size; i++) {
        if (data[i] >= '0' && data[i] <= '9') {
            data[i] = (uint8_t) ('0' + fuzz_below(10));
            return;
        }
    }
}


/* half of the time one that means something to a parser */

static uint8_t
fuzz_byte(void)
{
    static const char  special[] = "\0\t\n \"%&+,-./019:;=?@AZ[\\]_az{|}~"
                                   "\x7f\x80\xc0\xed\xff";

    if (fuzz_below(2)) {
        return (uint8_t) special[fuzz_below(sizeof(special) - 1)];
    }

    return (uint8_t) fuzz_random();
}


void
fuzz_random_seed(uint64_t seed)
{
    fuzz_state = seed;
}


size_t
fuzz_below(size_t n)
{
    return n ? (size_t) (fuzz_random() % n) : 0;
}


/* splitmix64 */

static uint64_t
fuzz_random(void)
{
    uint64_t  z;

    fuzz_state += UINT64_C(0x9e3779b97f4a7c15);

    z = fuzz_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);

    return z ^ (z >> 31);
}
