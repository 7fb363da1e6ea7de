/*
 * store_file: objects on disk.
 *
 *     begin -> write ... -> finish (thread) : the object is there, durable
 *        \-------------\--> abandon         : nothing is left
 *
 * What is being received has no name (O_TMPFILE): a process that dies leaves
 * nothing behind.  Objects are written once: a key that exists is never
 * replaced.
 */

#ifndef NGX_HTTP_PODI_STORE_FILE_H
#define NGX_HTTP_PODI_STORE_FILE_H


#include "ngx_http_podi_store.h"
#include "podi_hash.h"
#include "podi_sniff.h"


typedef enum {
    STORE_FILE_OK,
    STORE_FILE_EXISTS,
    STORE_FILE_FULL,
    STORE_FILE_FAILED                   /* err says why */
} ngx_http_podi_store_file_e;

typedef struct {
    const ngx_http_podi_store_t  *store;
    podi_str_t                    path;      /* of the object, with a NUL */
    int                           fd;        /* -1: none */
    off_t                         bytes;     /* of the object so far */
    podi_hash_t                  *hash;
    u_char                        head[PODI_SNIFF_LEN];
    size_t                        n_head;
    podi_media_e                  type;      /* sniffed; set by _judge */
    u_char                        sha256[2 * PODI_SHA256_LEN];
    ngx_http_podi_store_file_e    outcome;   /* of _finish */
    int                           err;       /* errno */
    unsigned                      made:1;    /* a directory, to be fsynced */
} ngx_http_podi_store_file_t;


/* where the object of this key is or would be; NUL-terminated */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_store_path(
    const ngx_http_podi_store_t *store, const podi_str_t *key,
    podi_mem_t *mem, podi_str_t *ret_path);

ngx_http_podi_store_file_e ngx_http_podi_store_file_begin(
    ngx_http_podi_store_file_t *file, podi_mem_t *mem);
ngx_http_podi_store_file_e ngx_http_podi_store_file_write(
    ngx_http_podi_store_file_t *file, const u_char *data, size_t len);

/* all bytes are here: digest and type are known from now on */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_store_file_judge(
    ngx_http_podi_store_file_t *file);

/* writes the head, fsyncs and names it; for a thread; sets file->outcome */
void ngx_http_podi_store_file_finish(void *data);

/* idempotent; also after _finish */
void ngx_http_podi_store_file_abandon(ngx_http_podi_store_file_t *file);

/* reads the block before the bytes; ERROR: it is not one of ours */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_store_head_read(int fd,
    podi_mem_t *mem, ngx_http_podi_store_object_t *ret_object);


#endif /* NGX_HTTP_PODI_STORE_FILE_H */
