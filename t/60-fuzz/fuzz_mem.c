/*
 * fuzz_mem: a podi_mem_t that cuts nothing from blocks: a step over the end
 * of any piece is a step that ASan sees.
 */

#include <stdlib.h>

#include "fuzz_engine.h"
#include "banned.h"


typedef struct {
    podi_free_pt   release;
    void          *thing;
} fuzz_owned_t;


static void *fuzz_mem_alloc(podi_mem_t *mem, size_t size);
static int fuzz_mem_own(podi_mem_t *mem, podi_free_pt release, void *thing);


static fuzz_owned_t  *fuzz_owned;
static size_t         fuzz_n_owned;
static size_t         fuzz_room;

static podi_mem_t     fuzz_pieces = {
    fuzz_mem_alloc, fuzz_mem_own, NULL
};


podi_mem_t *
fuzz_mem(void)
{
    return &fuzz_pieces;
}


static void *
fuzz_mem_alloc(podi_mem_t *mem, size_t size)
{
    void  *piece;

    piece = malloc(size);

    if (piece != NULL && fuzz_mem_own(mem, free, piece) != PODI_OK) {
        return NULL;
    }

    return piece;
}


static int
fuzz_mem_own(podi_mem_t *mem, podi_free_pt release, void *thing)
{
    fuzz_owned_t  *more;

    (void) mem;

    if (fuzz_n_owned == fuzz_room) {
        fuzz_room = fuzz_room ? 2 * fuzz_room : 64;
        more = realloc(fuzz_owned, fuzz_room * sizeof(fuzz_owned_t));

        if (more == NULL) {
            abort();
        }

        fuzz_owned = more;
    }

    fuzz_owned[fuzz_n_owned].release = release;
    fuzz_owned[fuzz_n_owned].thing = thing;
    fuzz_n_owned++;

    return PODI_OK;
}


/* last first, as an arena does */

void
fuzz_mem_reset(void)
{
    while (fuzz_n_owned != 0) {
        fuzz_n_owned--;
        fuzz_owned[fuzz_n_owned].release(fuzz_owned[fuzz_n_owned].thing);
    }
}
