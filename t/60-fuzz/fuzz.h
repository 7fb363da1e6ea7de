/*
 * fuzz: one parser each, in libFuzzer's form, with a main of our own.
 *
 * A harness brings LLVMFuzzerTestOneInput, its seeds (good inputs, from which
 * bad ones are made) and the words that mean something to its parser.
 */

#ifndef PODI_FUZZ_H
#define PODI_FUZZ_H


#include <stddef.h>
#include <stdint.h>

#include "podi_mem.h"


/* both end with NULL; what was ever found is a seed, and runs first */
extern const char *const  fuzz_seeds[];
extern const char *const  fuzz_words[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* reset for each input; each piece of memory has its own end */
podi_mem_t *fuzz_mem(void);

/* the input, without a byte behind it that could be read unseen */
podi_str_t fuzz_str(const uint8_t *data, size_t size);

/* a number that depends on the input alone */
uint64_t fuzz_hash(const uint8_t *data, size_t size);

/* what must hold for every input */
#define fuzz_assert(cond)                                                    \
    do { if (!(cond)) fuzz_failed(__FILE__, __LINE__, #cond); } while (0)

void fuzz_failed(const char *file, int line, const char *cond)
    __attribute__((noreturn));


#endif /* PODI_FUZZ_H */
