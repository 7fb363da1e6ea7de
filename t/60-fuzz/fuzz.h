/*
 * fuzz: one parser each, in libFuzzer's form, with a main of our own.
 *
 * A harness brings LLVMFuzzerTestOneInput and its seeds: good inputs, from
 * which fuzz_main makes bad ones.
 */

#ifndef PODI_FUZZ_H
#define PODI_FUZZ_H


#include <stddef.h>
#include <stdint.h>

#include "podi_mem.h"


extern const char *const  fuzz_seeds[];         /* ends with NULL */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* an arena, made once and reset for each input */
podi_mem_t *fuzz_mem(void);

/* the input, without a byte behind it that could be read unseen */
podi_str_t fuzz_str(const uint8_t *data, size_t size);

/* what must hold for every input */
#define fuzz_assert(cond)  do { if (!(cond)) __builtin_trap(); } while (0)


#endif /* PODI_FUZZ_H */
