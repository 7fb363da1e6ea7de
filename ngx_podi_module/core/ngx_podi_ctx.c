/*
 * ngx_podi_ctx: what PODI knows of a request, on which trace and from whom.
 *
 * nginx forgets a module's ctx at an internal redirect; a pool cleanup that
 * does nothing carries it over.
 */

#include "ngx_podi_core.h"


static ngx_podi_request_t *ngx_podi_request_make(ngx_http_request_t *r);
static void ngx_podi_request_carrier(void *data);


ngx_podi_ctx_t *
ngx_podi_ctx(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);

    return (pr == NULL) ? NULL : &pr->pub;
}


podi_mem_t *
ngx_podi_mem(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    podi_assert(pr != NULL);        /* whoever routes or binds has made it */

    return &pr->mem;
}


ngx_podi_request_t *
ngx_podi_request_again(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    if (!(r->internal || r->filter_finalize)) {
        return NULL;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_podi_request_carrier) {
            ngx_http_set_ctx(r, cln->data, ngx_http_podi_module);
            return cln->data;
        }
    }

    return NULL;
}


ngx_podi_request_t *
ngx_podi_request(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    return (pr != NULL) ? pr : ngx_podi_request_make(r->main);
}


static ngx_podi_request_t *
ngx_podi_request_make(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;
    ngx_podi_request_t  *pr;

    if (r->pool == NULL || r->ctx == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_podi_request_t));
    if (cln == NULL) {
        return NULL;
    }

    pr = cln->data;
    ngx_memzero(pr, sizeof(ngx_podi_request_t));

    cln->handler = ngx_podi_request_carrier;

    ngx_podi_mem_init(&pr->mem, r->pool);

    pr->began = ngx_current_msec;

    if (podi_trace_begin(NULL, 0, NULL, 0, &pr->mem, &pr->pub.trace)
        != PODI_OK)
    {
        return NULL;
    }

    pr->pub.trace_id = podi_trace_id(&pr->pub.trace);

    ngx_http_set_ctx(r, pr, ngx_http_podi_module);

    return pr;
}


static void
ngx_podi_request_carrier(void *data)
{
    /* its address is all that is wanted */
}
