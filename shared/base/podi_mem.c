/*
 * podi_mem: what every implementation of the interface shares.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "podi_mem.h"
#include "banned.h"


void *
podi_mem_alloc(podi_mem_t *mem, size_t size)
{
    return mem->alloc(mem, size);
}


void *
podi_mem_calloc(podi_mem_t *mem, size_t size)
{
    void  *p;

    p = mem->alloc(mem, size);
    if (p == NULL) {
        return NULL;
    }

    return memset(p, 0, size);
}


podi_rc_t
podi_mem_own(podi_mem_t *mem, podi_free_pt release, void *thing)
{
    if (mem->own(mem, release, thing) != 0) {
        release(thing);
        return PODI_ERROR;
    }

    return PODI_OK;
}


podi_rc_t
podi_mem_dup(podi_mem_t *mem, const podi_str_t *src, podi_str_t *ret_copy)
{
    char  *p;

    p = podi_mem_dup_c(mem, src);
    if (p == NULL) {
        return PODI_ERROR;
    }

    ret_copy->data = (unsigned char *) p;
    ret_copy->len = src->len;

    return PODI_OK;
}


char *
podi_mem_dup_c(podi_mem_t *mem, const podi_str_t *src)
{
    char  *p;

    if (src->len == SIZE_MAX) {
        return NULL;
    }

    p = mem->alloc(mem, src->len + 1);
    if (p == NULL) {
        return NULL;
    }

    if (src->len) {
        memcpy(p, src->data, src->len);
    }

    p[src->len] = '\0';

    return p;
}


podi_rc_t
podi_mem_printf(podi_mem_t *mem, podi_str_t *ret, const char *fmt, ...)
{
    int       n;
    char     *p;
    va_list   args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0) {
        return PODI_ERROR;
    }

    p = mem->alloc(mem, (size_t) n + 1);
    if (p == NULL) {
        return PODI_ERROR;
    }

    va_start(args, fmt);
    (void) vsnprintf(p, (size_t) n + 1, fmt, args);
    va_end(args);

    ret->data = (unsigned char *) p;
    ret->len = (size_t) n;

    return PODI_OK;
}
