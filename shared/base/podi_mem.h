/*
 * podi_mem: where memory comes from and when it goes.
 *
 * An interface with two implementations: an nginx pool (core) and an arena
 * (podi_arena, in workers and tests).  Nothing is freed one by one: memory
 * lives as long as its podi_mem_t.  What is not memory (PGresult, json_t,
 * EVP_PKEY) is given to it with podi_mem_own on the line after its birth and
 * is released, last first, when the podi_mem_t ends.
 */

#ifndef PODI_MEM_H
#define PODI_MEM_H


#include <stddef.h>
#include <stdarg.h>

#include "podi_str.h"


typedef struct podi_mem_s  podi_mem_t;
typedef void (*podi_free_pt)(void *thing);

struct podi_mem_s {
    void  *(*alloc)(podi_mem_t *mem, size_t size);        /* aligned to 16 */
    int    (*own)(podi_mem_t *mem, podi_free_pt free, void *thing);
    void  *ctx;
};


/* NULL when there is no memory; zeroed by podi_mem_calloc */
void *podi_mem_alloc(podi_mem_t *mem, size_t size);
void *podi_mem_calloc(podi_mem_t *mem, size_t size);

/*
 * From now on `mem` releases `thing`.  On ERROR (no memory) the thing has
 * already been released, so the caller only returns.
 */
PODI_MUSTCHECK podi_rc_t podi_mem_own(podi_mem_t *mem, podi_free_pt free,
    void *thing);

/* copies; the _c form ends with a NUL.  NULL data / NULL: no memory */
PODI_MUSTCHECK podi_rc_t podi_mem_dup(podi_mem_t *mem, const podi_str_t *src,
    podi_str_t *ret_copy);
char *podi_mem_dup_c(podi_mem_t *mem, const podi_str_t *src);

/* printf into fresh memory, NUL-terminated; ret->len does not count the NUL */
PODI_MUSTCHECK podi_rc_t podi_mem_printf(podi_mem_t *mem, podi_str_t *ret,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));


/*
 * The arena: podi_arena_create/free, and _reset, which releases everything
 * but keeps one block.  The podi_mem_t inside stays valid over resets.
 */
typedef struct podi_arena_s  podi_arena_t;

podi_arena_t *podi_arena_create(void);
podi_mem_t *podi_arena_mem(podi_arena_t *arena);
void podi_arena_reset(podi_arena_t *arena);
/* it is for secrets: what it releases is overwritten first */
void podi_arena_wipes(podi_arena_t *arena);
void podi_arena_free(podi_arena_t **arena);


#endif /* PODI_MEM_H */
