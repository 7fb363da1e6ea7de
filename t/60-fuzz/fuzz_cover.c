/*
 * fuzz_cover: an input that goes where none has been is kept, and is mutated
 * in turn.
 *
 *     library and harness, built with COV=1 --> place = (block, block before)
 *     each place, 1, 2, 3, 4-7, 8-15, ... times: seen before?
 *
 * gcc calls __sanitizer_cov_* for each basic block and each comparison.  A
 * comparison counts as so many places as its operands agree in, so that a
 * number or a word is found byte after byte.  Without COV=1 nothing calls,
 * and only seeds are mutated.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz_engine.h"
#include "banned.h"


#define COVER_PLACES  65536              /* 16 bits */
#define COVER_KEPT    8192

#define cover_pc()  ((uintptr_t) __builtin_return_address(0))


typedef struct {
    uint8_t  *data;
    size_t    size;
} cover_input_t;


void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b);
void __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b);
void __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b);
void __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b);
void __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b)
    __attribute__((alias("__sanitizer_cov_trace_cmp1")));
void __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b)
    __attribute__((alias("__sanitizer_cov_trace_cmp2")));
void __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b)
    __attribute__((alias("__sanitizer_cov_trace_cmp4")));
void __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b)
    __attribute__((alias("__sanitizer_cov_trace_cmp8")));
void __sanitizer_cov_trace_cmpf(float a, float b);
void __sanitizer_cov_trace_cmpd(double a, double b);
void __sanitizer_cov_trace_switch(uint64_t value, void *cases);
void __sanitizer_weak_hook_memcmp(void *pc, const void *a, const void *b,
    size_t n, int result);

static void cover_place(uintptr_t at);
static void cover_cmp(uintptr_t pc, uint64_t differ);
static uint8_t cover_bucket(unsigned count);
static void cover_keep(const uint8_t *data, size_t size);
static size_t cover_seeds(void);


static int            cover_on;
static uintptr_t      cover_before;
static uint8_t        cover_count[COVER_PLACES];
static uint8_t        cover_seen[COVER_PLACES];
static uint32_t       cover_touched[COVER_PLACES];
static size_t         cover_n_touched;
static size_t         cover_n_places;

static cover_input_t  cover_kept[COVER_KEPT];
static size_t         cover_n_kept;


void
fuzz_cover_begin(void)
{
    cover_before = 0;
    cover_n_touched = 0;
    cover_on = 1;
}


void
fuzz_cover_end(const uint8_t *data, size_t size)
{
    int       is_new = 0;
    size_t    i;
    uint8_t   bucket;
    uint32_t  at;

    cover_on = 0;

    for (i = 0; i < cover_n_touched; i++) {
        at = cover_touched[i];
        bucket = cover_bucket(cover_count[at]);
        cover_count[at] = 0;

        if (cover_seen[at] & bucket) {
            continue;
        }

        cover_n_places += (cover_seen[at] == 0);
        cover_seen[at] |= bucket;
        is_new = 1;
    }

    if (is_new) {
        cover_keep(data, size);
    }
}


/* 1, 2, 3, 4-7, 8-15, 16-31, 32-63 times, more often */

static uint8_t
cover_bucket(unsigned count)
{
    int  bit;

    bit = (count < 4) ? (int) count - 1 : 32 - __builtin_clz(count);

    return (uint8_t) (1u << (bit < 7 ? bit : 7));
}


static void
cover_keep(const uint8_t *data, size_t size)
{
    size_t  at = cover_n_kept;

    if (at == COVER_KEPT) {
        at = fuzz_below(COVER_KEPT);
        free(cover_kept[at].data);

    } else {
        cover_n_kept++;
    }

    cover_kept[at].data = malloc(size ? size : 1);

    if (cover_kept[at].data == NULL) {
        abort();
    }

    memcpy(cover_kept[at].data, data, size);
    cover_kept[at].size = size;
}


/* the newest are where the news are */

size_t
fuzz_pick(uint8_t *data)
{
    size_t       n, len, seeds;
    const char  *seed;

    seeds = cover_seeds();

    if (cover_n_kept != 0 && fuzz_below(4) != 0) {

        n = fuzz_below(cover_n_kept);

        if (cover_n_kept > 64 && fuzz_below(3) == 0) {
            n = cover_n_kept - 1 - fuzz_below(64);
        }

        memcpy(data, cover_kept[n].data, cover_kept[n].size);

        return cover_kept[n].size;
    }

    seed = fuzz_seeds[fuzz_below(seeds)];
    len = strlen(seed);

    if (len > FUZZ_SIZE_MAX) {
        len = FUZZ_SIZE_MAX;
    }

    memcpy(data, seed, len);

    return len;
}


static size_t
cover_seeds(void)
{
    size_t  n;

    for (n = 0; fuzz_seeds[n] != NULL; n++) {
        /* void */
    }

    return n;
}


size_t
fuzz_cover_kept(void)
{
    return cover_n_kept;
}


size_t
fuzz_cover_places(void)
{
    return cover_n_places;
}


static void
cover_place(uintptr_t at)
{
    at = (at * UINT64_C(0x9e3779b97f4a7c15)) >> 48;

    if (cover_count[at] == 0) {
        cover_touched[cover_n_touched++] = (uint32_t) at;
    }

    cover_count[at] += (cover_count[at] < 255);
}


/* the same place in every process: the distance from this file's code */

static void
cover_cmp(uintptr_t pc, uint64_t differ)
{
    if (!cover_on) {
        return;
    }

    pc -= (uintptr_t) &cover_cmp;
    cover_place(pc * 64 + (differ ? (unsigned) __builtin_clzll(differ) : 63));
}


void
__sanitizer_cov_trace_pc(void)
{
    uintptr_t  pc;

    if (!cover_on) {
        return;
    }

    pc = cover_pc() - (uintptr_t) &cover_cmp;
    cover_place(pc ^ (cover_before << 1));
    cover_before = pc;
}


void
__sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b)
{
    cover_cmp(cover_pc(), (uint64_t) (a ^ b));
}


void
__sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b)
{
    cover_cmp(cover_pc(), (uint64_t) (a ^ b));
}


void
__sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b)
{
    cover_cmp(cover_pc(), a ^ b);
}


void
__sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b)
{
    cover_cmp(cover_pc(), a ^ b);
}


/* the blocks behind them are places of their own */

void
__sanitizer_cov_trace_cmpf(float a, float b)
{
    (void) a;
    (void) b;
}


void
__sanitizer_cov_trace_cmpd(double a, double b)
{
    (void) a;
    (void) b;
}


void
__sanitizer_cov_trace_switch(uint64_t value, void *cases)
{
    (void) value;
    (void) cases;
}


/* ASan's memcmp says how far two words agree */

void
__sanitizer_weak_hook_memcmp(void *pc, const void *a, const void *b,
    size_t n, int result)
{
    size_t          i;
    const uint8_t  *x = a, *y = b;

    if (!cover_on || result == 0) {
        return;
    }

    for (i = 0; i < n && i < 62 && x[i] == y[i]; i++) {
        /* void */
    }

    cover_cmp((uintptr_t) pc, (uint64_t) 1 << (63 - i));
}
