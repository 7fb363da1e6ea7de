/*
 * podi_object: permits for one object in an object store.
 *
 * A permit is a presigned URL and the headers that must go with it.  The
 * long-lived secret makes permits and never leaves the process.  Both sides
 * use this: nginx gives permits to browsers, workers give them to themselves.
 * Pure: the time comes in, nothing goes out.
 */

#ifndef PODI_OBJECT_H
#define PODI_OBJECT_H


#include "podi_fail.h"
#include "podi_mem.h"
#include "podi_sign.h"


#define PODI_OBJECT_HEADERS_MAX  4
#define PODI_OBJECT_KEY_MAX      512

typedef enum {
    PODI_OBJECT_S3,                 /* AWS S3, MinIO, our embedded store */
    PODI_OBJECT_OSS                 /* Alibaba OSS, V4 */
} podi_object_dialect_e;

typedef struct {
    podi_str_t              name;
    podi_object_dialect_e   dialect;
    podi_str_t              origin;     /* "https://host:port" */
    podi_str_t              prefix;     /* path before the bucket, or "" */
    podi_str_t              bucket;
    podi_sign_cred_t        cred;
} podi_object_store_t;

typedef struct {
    podi_str_t    method;
    podi_str_t    url;
    podi_pair_t   headers[PODI_OBJECT_HEADERS_MAX];
    size_t        n_headers;
} podi_object_permit_t;


/*
 * A store from its settings.  `endpoint` is an origin with an optional path;
 * `key` is "ACCESS_KEY_ID:SECRET".  For OSS the endpoint's host already names
 * the bucket (virtual-host style).  CONFIG says what is wrong.  The strings
 * are borrowed, what is derived is in mem.
 */
typedef struct {
    podi_str_t              name;
    podi_object_dialect_e   dialect;
    podi_str_t              endpoint;
    podi_str_t              bucket;
    podi_str_t              region;
    const podi_secret_t    *key;
} podi_object_settings_t;

PODI_MUSTCHECK podi_rc_t podi_object_store(
    const podi_object_settings_t *settings, podi_mem_t *mem,
    podi_object_store_t *ret_store, podi_fail_t *fail);

/*
 * One PUT of exactly these bytes and this type, where nothing is yet: both
 * are signed headers, and so is the wish not to overwrite.
 */
PODI_MUSTCHECK podi_rc_t podi_object_put(const podi_object_store_t *store,
    const podi_str_t *key, const podi_str_t *type, int64_t bytes,
    unsigned expires, podi_usec_t now, podi_mem_t *mem,
    podi_object_permit_t *ret_permit);

/*
 * A GET.  `type`: the Content-Type to answer with, or NULL; `name`: save it
 * under this name (Content-Disposition, RFC 6266 with RFC 8187), or NULL.
 */
PODI_MUSTCHECK podi_rc_t podi_object_get(const podi_object_store_t *store,
    const podi_str_t *key, const podi_str_t *type, const podi_str_t *name,
    unsigned expires, podi_usec_t now, podi_mem_t *mem, podi_str_t *ret_url);

PODI_MUSTCHECK podi_rc_t podi_object_delete(const podi_object_store_t *store,
    const podi_str_t *key, unsigned expires, podi_usec_t now,
    podi_mem_t *mem, podi_str_t *ret_url);

/*
 * A key that no file system or URL can be confused by: segments of
 * [A-Za-z0-9._-], none empty, none beginning with '.', at most
 * PODI_OBJECT_KEY_MAX bytes.
 */
int podi_object_key_is_plain(const podi_str_t *key);

/*
 * The key in the path of a request, "<prefix>/<bucket>/<key>", decoded.
 * DECLINED: of another bucket, or of none; ERROR: the key is not plain.
 */
PODI_MUSTCHECK podi_rc_t podi_object_find(const podi_object_store_t *store,
    const podi_str_t *path, podi_str_t *ret_key);


#endif /* PODI_OBJECT_H */
