/*
 * fuzz_engine: what the files of the engine know of each other.
 *
 *     fuzz_main      the child that runs, the parent that keeps what killed it
 *     fuzz_mutate    a new input from an old one
 *     fuzz_cover     which inputs went where none has been
 *     fuzz_mem       memory of which ASan sees each end
 */

#ifndef PODI_FUZZ_ENGINE_H
#define PODI_FUZZ_ENGINE_H


#include "fuzz.h"


#define FUZZ_SIZE_MAX  4096


/* the same seed, the same numbers */
void fuzz_random_seed(uint64_t seed);
size_t fuzz_below(size_t n);

/* size and data are changed in place; data has room for FUZZ_SIZE_MAX */
size_t fuzz_mutate(uint8_t *data, size_t size);

/* a seed, or an input that was kept */
size_t fuzz_pick(uint8_t *data);

/* around each input; keeps it when it went somewhere new */
void fuzz_cover_begin(void);
void fuzz_cover_end(const uint8_t *data, size_t size);

/* inputs that were kept, and places they went to (0: built without COV=1) */
size_t fuzz_cover_kept(void);
size_t fuzz_cover_places(void);

void fuzz_mem_reset(void);


#endif /* PODI_FUZZ_ENGINE_H */
