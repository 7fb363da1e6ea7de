/*
 * fuzz_main: a bounded number of random mutations, so that the harnesses run
 * in the suite with gcc and the sanitizers, and print TAP.
 *
 *     <harness> [runs [seed]]          seed 0, or none: a new one, printed
 *
 * The same seed gives the same inputs.  An input that crashes was written to
 * the file named by PODI_FUZZ_LAST, when that is set.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "podi_id.h"
#include "banned.h"


#define FUZZ_RUNS      50000
#define FUZZ_SIZE_MAX  4096


static podi_arena_t  *fuzz_arena;
static uint64_t       fuzz_state;


static uint64_t fuzz_random(void);
static size_t fuzz_below(size_t n);
static size_t fuzz_seed_copy(uint8_t *data);
static size_t fuzz_mutate(uint8_t *data, size_t size);
static uint8_t fuzz_byte(void);
static void fuzz_run(const uint8_t *data, size_t size, const char *last);


int
main(int argc, char **argv)
{
    size_t       size;
    long         i, runs = FUZZ_RUNS;
    uint64_t     seed = 0;
    const char  *last;
    uint8_t      data[FUZZ_SIZE_MAX];

    if (argc > 1) {
        runs = strtol(argv[1], NULL, 10);
    }

    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 10);
    }

    if (seed == 0 && podi_random(&seed, sizeof(seed)) != PODI_OK) {
        return 2;
    }

    fuzz_arena = podi_arena_create();
    if (fuzz_arena == NULL) {
        return 2;
    }

    last = getenv("PODI_FUZZ_LAST");
    fuzz_state = seed;

    printf("# runs=%ld seed=%llu\n", runs, (unsigned long long) seed);
    fflush(stdout);

    for (i = 0; i < runs; i++) {
        size = fuzz_seed_copy(data);

        do {
            size = fuzz_mutate(data, size);
        } while (fuzz_below(3));

        fuzz_run(data, size, last);
    }

    podi_arena_free(&fuzz_arena);

    printf("ok 1 - %ld inputs\n1..1\n", runs);

    return 0;
}


static void
fuzz_run(const uint8_t *data, size_t size, const char *last)
{
    FILE     *f;
    uint8_t  *exact;

    if (last != NULL) {
        f = fopen(last, "wb");

        if (f != NULL) {
            (void) !fwrite(data, 1, size, f);
            (void) fclose(f);
        }
    }

    /* on the heap and of the exact size, where the sanitizer sees its end */

    exact = malloc(size ? size : 1);

    if (exact == NULL) {
        abort();
    }

    memcpy(exact, data, size);
    (void) LLVMFuzzerTestOneInput(exact, size);
    free(exact);

    podi_arena_reset(fuzz_arena);
}


podi_mem_t *
fuzz_mem(void)
{
    return podi_arena_mem(fuzz_arena);
}


podi_str_t
fuzz_str(const uint8_t *data, size_t size)
{
    podi_str_t  s;

    s.data = (unsigned char *) (uintptr_t) data;
    s.len = size;

    return s;
}


static size_t
fuzz_seed_copy(uint8_t *data)
{
    size_t       n, len;
    const char  *seed;

    for (n = 0; fuzz_seeds[n] != NULL; n++) {
        /* void */
    }

    seed = fuzz_seeds[fuzz_below(n)];
    len = strlen(seed);

    if (len > FUZZ_SIZE_MAX / 2) {
        len = FUZZ_SIZE_MAX / 2;
    }

    memcpy(data, seed, len);

    return len;
}


static size_t
fuzz_mutate(uint8_t *data, size_t size)
{
    size_t  at, len;

    at = fuzz_below(size + 1);
    len = fuzz_below(size - at + 1);

    switch (fuzz_below(6)) {

    case 0:                             /* another byte */
        if (at < size) {
            data[at] = fuzz_byte();
        }
        break;

    case 1:                             /* a bit */
        if (at < size) {
            data[at] ^= (uint8_t) (1u << fuzz_below(8));
        }
        break;

    case 2:                             /* a byte more */
        if (size < FUZZ_SIZE_MAX) {
            memmove(data + at + 1, data + at, size - at);
            data[at] = fuzz_byte();
            size++;
        }
        break;

    case 3:                             /* a run less */
        memmove(data + at, data + at + len, size - at - len);
        size -= len;
        break;

    case 4:                             /* a run twice */
        if (size + len <= FUZZ_SIZE_MAX) {
            memmove(data + at + len, data + at, size - at);
            size += len;
        }
        break;

    default:                            /* an end */
        size = at;
    }

    return size;
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


static size_t
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
