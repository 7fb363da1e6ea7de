/*
 * ngx_podi_own: an nginx pool as a podi_mem_t.
 *
 * Pool cleanups run last first, as podi_mem promises; pools align to a word,
 * podi_mem to 16 bytes.
 */

#include "ngx_podi_core.h"


#define NGX_PODI_MEM_ALIGN  16

typedef struct {
    podi_free_pt   free;
    void          *thing;
} ngx_podi_own_t;


static void *ngx_podi_mem_alloc(podi_mem_t *mem, size_t size);
static int ngx_podi_mem_own(podi_mem_t *mem, podi_free_pt free, void *thing);
static void ngx_podi_own_cleanup(void *data);


void
ngx_podi_mem_init(podi_mem_t *mem, ngx_pool_t *pool)
{
    mem->alloc = ngx_podi_mem_alloc;
    mem->own = ngx_podi_mem_own;
    mem->ctx = pool;
}


podi_mem_t *
ngx_podi_pool_mem(ngx_pool_t *pool)
{
    podi_mem_t  *mem;

    mem = ngx_palloc(pool, sizeof(podi_mem_t));
    if (mem == NULL) {
        return NULL;
    }

    ngx_podi_mem_init(mem, pool);

    return mem;
}


static void *
ngx_podi_mem_alloc(podi_mem_t *mem, size_t size)
{
    u_char  *p;

    if (size > (size_t) NGX_MAX_SIZE_T_VALUE - NGX_PODI_MEM_ALIGN) {
        return NULL;
    }

    p = ngx_pnalloc(mem->ctx, size + NGX_PODI_MEM_ALIGN - 1);
    if (p == NULL) {
        return NULL;
    }

    return ngx_align_ptr(p, NGX_PODI_MEM_ALIGN);
}


static int
ngx_podi_mem_own(podi_mem_t *mem, podi_free_pt free, void *thing)
{
    ngx_podi_own_t      *own;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(mem->ctx, sizeof(ngx_podi_own_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    own = cln->data;
    own->free = free;
    own->thing = thing;

    cln->handler = ngx_podi_own_cleanup;

    return NGX_OK;
}


static void
ngx_podi_own_cleanup(void *data)
{
    ngx_podi_own_t  *own = data;

    own->free(own->thing);
}
