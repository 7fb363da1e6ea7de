/*
 * store_int: what the files of the embedded store know of each other.
 */

#ifndef NGX_HTTP_PODI_STORE_INT_H
#define NGX_HTTP_PODI_STORE_INT_H


#include "ngx_http_podi_store.h"
#include "ngx_http_podi_store_file.h"
#include "podi_sign_verify.h"


typedef struct {
    ngx_http_request_t           *request;
    const ngx_http_podi_store_t  *store;
    podi_sign_verified_t          verified;
    podi_str_t                    key;
    podi_s3_error_e               error;
    ngx_http_podi_store_file_t    file;
} store_request_t;


ngx_int_t ngx_http_podi_store_put(store_request_t *s);
ngx_int_t ngx_http_podi_store_get(store_request_t *s);
ngx_int_t ngx_http_podi_store_delete(store_request_t *s);

/* answers with s->error in S3's XML; what a content handler returns */
ngx_int_t ngx_http_podi_store_refuse(store_request_t *s);

/* the same as the end of a flow */
podi_rc_t ngx_http_podi_store_refuse_flow(podi_flow_t *f, store_request_t *s,
    podi_s3_error_e error);

/* logs what the disk said and gives the error that tells it to the client */
podi_s3_error_e ngx_http_podi_store_disk_error(store_request_t *s,
    ngx_http_podi_store_file_e outcome);


#endif /* NGX_HTTP_PODI_STORE_INT_H */
