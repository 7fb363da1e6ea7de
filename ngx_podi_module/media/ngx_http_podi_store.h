/*
 * store: the embedded object store, a location that speaks enough of S3.
 *
 *     <root>/<bucket>/objects/ab/cd/<sha256 of the key>    header + bytes
 *
 * An object's file begins with a block of PODI_STORE_HEAD bytes that says
 * what it is, so that object and description appear at once, when the file is
 * given its name.  That is a digest: no key can walk out of the root.
 */

#ifndef NGX_HTTP_PODI_STORE_H
#define NGX_HTTP_PODI_STORE_H


#include "ngx_podi.h"
#include "podi_object.h"


#define PODI_STORE_HEAD  512

typedef struct {
    podi_object_store_t   object;
    ngx_str_t             root;          /* len 0: not embedded */
} ngx_http_podi_store_t;

typedef struct {
    int64_t      bytes;
    podi_str_t   type;                   /* as sniffed */
    podi_str_t   sha256;                 /* hex */
} ngx_http_podi_store_object_t;


/*
 * What stands under a key of an embedded store.  OK, DECLINED when there is
 * nothing, ERROR when the disk failed.  Opens and reads one small block.
 */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_store_look(
    const ngx_http_podi_store_t *store, const podi_str_t *key,
    podi_mem_t *mem, ngx_http_podi_store_object_t *ret_object,
    podi_fail_t *fail);

/* the content handler of `podi_store` */
ngx_int_t ngx_http_podi_store_handler(ngx_http_request_t *r);


#endif /* NGX_HTTP_PODI_STORE_H */
