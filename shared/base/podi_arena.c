/*
 * podi_arena: a podi_mem_t for workers and tests.
 *
 *     blocks:  [first 8 KiB] -> [8 KiB] -> [a large one] ...
 *     owned:   last -> ... -> first
 *
 * Memory is cut from the newest block; what is large gets a block of its own
 * behind it.  A reset releases the owned things, last first, and every block
 * but the first.
 */

#include <stdint.h>
#include <stdlib.h>

#include "podi_assert.h"
#include "podi_mem.h"
#include "podi_secret.h"
#include "banned.h"


#define PODI_ARENA_MAGIC  0x6172656e
#define PODI_ARENA_BLOCK  8192
#define PODI_ARENA_LARGE  (PODI_ARENA_BLOCK / 4)

#define podi_arena_align(n)  (((n) + 15) & ~(size_t) 15)


typedef struct podi_arena_block_s  podi_arena_block_t;
typedef struct podi_arena_owned_s  podi_arena_owned_t;

struct podi_arena_block_s {
    podi_arena_block_t  *next;
    size_t               size;
    size_t               used;
    size_t               pad;           /* data stays aligned to 16 */
    unsigned char        data[];
};

struct podi_arena_owned_s {
    podi_arena_owned_t  *next;
    podi_free_pt         release;
    void                *thing;
};

struct podi_arena_s {
    unsigned             magic;
    podi_mem_t           mem;
    podi_arena_block_t  *first;
    podi_arena_block_t  *current;
    podi_arena_owned_t  *owned;
    unsigned             wipes:1;
};


static void *podi_arena_alloc(podi_mem_t *mem, size_t size);
static int podi_arena_own(podi_mem_t *mem, podi_free_pt release, void *thing);
static podi_arena_block_t *podi_arena_block(size_t size);
static void podi_arena_release(podi_arena_t *arena);


podi_arena_t *
podi_arena_create(void)
{
    podi_arena_t  *arena;

    arena = calloc(1, sizeof(podi_arena_t));
    if (arena == NULL) {
        return NULL;
    }

    arena->first = podi_arena_block(PODI_ARENA_BLOCK);
    if (arena->first == NULL) {
        free(arena);
        return NULL;
    }

    arena->magic = PODI_ARENA_MAGIC;
    arena->current = arena->first;
    arena->mem.alloc = podi_arena_alloc;
    arena->mem.own = podi_arena_own;
    arena->mem.ctx = arena;

    return arena;
}


podi_mem_t *
podi_arena_mem(podi_arena_t *arena)
{
    podi_assert(arena->magic == PODI_ARENA_MAGIC);

    return &arena->mem;
}


void
podi_arena_reset(podi_arena_t *arena)
{
    podi_assert(arena->magic == PODI_ARENA_MAGIC);

    podi_arena_release(arena);

    arena->first->used = 0;
    arena->current = arena->first;
}


void
podi_arena_wipes(podi_arena_t *arena)
{
    podi_assert(arena->magic == PODI_ARENA_MAGIC);

    arena->wipes = 1;
}


void
podi_arena_free(podi_arena_t **arena)
{
    if (*arena == NULL) {
        return;
    }

    podi_assert((*arena)->magic == PODI_ARENA_MAGIC);

    podi_arena_release(*arena);

    (*arena)->magic = 0;
    free((*arena)->first);
    free(*arena);

    *arena = NULL;
}


static void
podi_arena_release(podi_arena_t *arena)
{
    podi_arena_owned_t  *o;
    podi_arena_block_t  *block, *next;

    /* a released thing may still use the arena's memory, never its owners */

    while (arena->owned != NULL) {
        o = arena->owned;
        arena->owned = o->next;
        o->release(o->thing);
    }

    if (arena->wipes) {
        podi_wipe(arena->first->data, arena->first->used);
    }

    for (block = arena->first->next; block != NULL; block = next) {
        next = block->next;

        if (arena->wipes) {
            podi_wipe(block->data, block->used);
        }

        free(block);
    }

    arena->first->next = NULL;
}


static void *
podi_arena_alloc(podi_mem_t *mem, size_t size)
{
    void                *p;
    podi_arena_t        *arena = mem->ctx;
    podi_arena_block_t  *block;

    podi_assert(arena->magic == PODI_ARENA_MAGIC);

    if (size > SIZE_MAX / 2) {
        return NULL;
    }

    size = podi_arena_align(size ? size : 1);

    if (size <= arena->current->size - arena->current->used) {
        p = arena->current->data + arena->current->used;
        arena->current->used += size;
        return p;
    }

    block = podi_arena_block(size > PODI_ARENA_LARGE ? size
                                                     : PODI_ARENA_BLOCK);
    if (block == NULL) {
        return NULL;
    }

    block->used = size;
    block->next = arena->first->next;
    arena->first->next = block;

    if (size <= PODI_ARENA_LARGE) {
        arena->current = block;
    }

    return block->data;
}


static int
podi_arena_own(podi_mem_t *mem, podi_free_pt release, void *thing)
{
    podi_arena_t        *arena = mem->ctx;
    podi_arena_owned_t  *o;

    o = podi_arena_alloc(mem, sizeof(podi_arena_owned_t));
    if (o == NULL) {
        return -1;
    }

    o->release = release;
    o->thing = thing;
    o->next = arena->owned;
    arena->owned = o;

    return 0;
}


static podi_arena_block_t *
podi_arena_block(size_t size)
{
    podi_arena_block_t  *block;

    block = malloc(sizeof(podi_arena_block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->next = NULL;
    block->size = size;
    block->used = 0;

    return block;
}
