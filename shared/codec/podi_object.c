/*
 * podi_object: permits for one object, by podi_presign.
 */

#include <stdio.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_object.h"
#include "banned.h"


#define OBJECT_QUERY_MAX  2


static podi_rc_t object_endpoint(const podi_str_t *endpoint,
    podi_object_store_t *store, podi_fail_t *fail);
static podi_rc_t object_key(const podi_object_settings_t *settings,
    podi_mem_t *mem, podi_object_store_t *store, podi_fail_t *fail);
static podi_rc_t object_presign(const podi_object_store_t *store,
    const podi_str_t *key, podi_presign_t *what, podi_mem_t *mem,
    podi_str_t *ret_url);
static podi_rc_t object_disposition(const podi_str_t *name, podi_mem_t *mem,
    podi_str_t *ret_value);


podi_rc_t
podi_object_store(const podi_object_settings_t *settings, podi_mem_t *mem,
    podi_object_store_t *ret_store, podi_fail_t *fail)
{
    podi_object_store_t  store;

    memset(&store, 0, sizeof(store));

    store.name = settings->name;
    store.dialect = settings->dialect;
    store.bucket = settings->bucket;
    store.cred.region = settings->region;
    store.cred.service = podi_str_c(settings->dialect == PODI_OBJECT_OSS
                                    ? "oss" : "s3");

    if (object_endpoint(&settings->endpoint, &store, fail) != PODI_OK
        || object_key(settings, mem, &store, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (settings->bucket.len == 0 || settings->region.len == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "a store needs a bucket and a region");
    }

    *ret_store = store;

    return PODI_OK;
}


/* "https://host:port/path": the path must not end in '/' */

static podi_rc_t
object_endpoint(const podi_str_t *endpoint, podi_object_store_t *store,
    podi_fail_t *fail)
{
    size_t                start;
    const unsigned char  *slash;

    if (podi_str_has_prefix(endpoint, "https://")) {
        start = sizeof("https://") - 1;

    } else if (podi_str_has_prefix(endpoint, "http://")) {
        start = sizeof("http://") - 1;

    } else {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "an endpoint begins with https:// or http://");
    }

    store->origin = *endpoint;

    slash = memchr(endpoint->data + start, '/', endpoint->len - start);

    if (slash != NULL) {
        store->origin.len = (size_t) (slash - endpoint->data);
        store->prefix.data = endpoint->data + store->origin.len;
        store->prefix.len = endpoint->len - store->origin.len;
    }

    while (store->prefix.len > 0
           && store->prefix.data[store->prefix.len - 1] == '/')
    {
        store->prefix.len--;
    }

    if (store->origin.len == start) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "an endpoint has a host");
    }

    return PODI_OK;
}


static podi_rc_t
object_key(const podi_object_settings_t *settings, podi_mem_t *mem,
    podi_object_store_t *store, podi_fail_t *fail)
{
    podi_str_t      rest, id;
    podi_secret_t  *secret;

    rest = podi_secret_bytes(settings->key);

    if (!podi_str_split(&rest, ':', &id) || id.len == 0 || rest.len == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "a store's key file has ACCESS_KEY_ID:SECRET");
    }

    if (podi_secret_make(mem, &rest, &secret) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    store->cred.access_key = id;
    store->cred.secret = secret;

    return PODI_OK;
}


podi_rc_t
podi_object_put(const podi_object_store_t *store, const podi_str_t *key,
    const podi_str_t *type, int64_t bytes, unsigned expires, podi_usec_t now,
    podi_mem_t *mem, podi_object_permit_t *ret_permit)
{
    podi_str_t       length;
    podi_pair_t     *h;
    podi_presign_t   what;

    if (podi_mem_printf(mem, &length, "%lld", (long long) bytes) != PODI_OK) {
        return PODI_ERROR;
    }

    h = ret_permit->headers;
    h[0] = (podi_pair_t) { podi_string("content-length"), length };
    h[1] = (podi_pair_t) { podi_string("content-type"), *type };

    if (store->dialect == PODI_OBJECT_OSS) {
        h[2] = (podi_pair_t) { podi_string("x-oss-forbid-overwrite"),
                               podi_string("true") };
    } else {
        h[2] = (podi_pair_t) { podi_string("if-none-match"),
                               podi_string("*") };
    }

    ret_permit->n_headers = 3;
    ret_permit->method = podi_str_c("PUT");

    memset(&what, 0, sizeof(what));
    what.method = ret_permit->method;
    what.headers = h;
    what.n_headers = ret_permit->n_headers;
    what.time = now;
    what.expires = expires;

    return object_presign(store, key, &what, mem, &ret_permit->url);
}


podi_rc_t
podi_object_get(const podi_object_store_t *store, const podi_str_t *key,
    const podi_str_t *type, const podi_str_t *name, unsigned expires,
    podi_usec_t now, podi_mem_t *mem, podi_str_t *ret_url)
{
    size_t           n = 0;
    podi_pair_t      query[OBJECT_QUERY_MAX];
    podi_presign_t   what;

    if (name != NULL) {
        query[n].name = podi_str_c("response-content-disposition");

        if (object_disposition(name, mem, &query[n++].value) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    if (type != NULL) {
        query[n].name = podi_str_c("response-content-type");
        query[n++].value = *type;
    }

    memset(&what, 0, sizeof(what));
    what.method = podi_str_c("GET");
    what.query = query;
    what.n_query = n;
    what.time = now;
    what.expires = expires;

    return object_presign(store, key, &what, mem, ret_url);
}


podi_rc_t
podi_object_delete(const podi_object_store_t *store, const podi_str_t *key,
    unsigned expires, podi_usec_t now, podi_mem_t *mem, podi_str_t *ret_url)
{
    podi_presign_t  what;

    memset(&what, 0, sizeof(what));
    what.method = podi_str_c("DELETE");
    what.time = now;
    what.expires = expires;

    return object_presign(store, key, &what, mem, ret_url);
}


/* S3 has the bucket in the path, OSS in the host: but both sign it */

static podi_rc_t
object_presign(const podi_object_store_t *store, const podi_str_t *key,
    podi_presign_t *what, podi_mem_t *mem, podi_str_t *ret_url)
{
    podi_buf_t              b;
    const podi_sign_alg_t  *alg;

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &store->prefix);
    podi_buf_add_byte(&b, '/');

    if (store->dialect == PODI_OBJECT_S3) {
        podi_buf_add_str(&b, &store->bucket);
        podi_buf_add_byte(&b, '/');
        alg = &podi_sign_aws4;

    } else {
        what->bucket = store->bucket;
        alg = &podi_sign_oss4;
    }

    podi_buf_add_str(&b, key);

    if (podi_buf_take(&b, &what->path) != PODI_OK) {
        return PODI_ERROR;
    }

    what->origin = store->origin;

    return podi_presign(alg, &store->cred, what, mem, ret_url);
}


/* attachment; the plain name for old clients, the UTF-8 one for the rest */

static podi_rc_t
object_disposition(const podi_str_t *name, podi_mem_t *mem,
    podi_str_t *ret_value)
{
    size_t         i;
    podi_buf_t     b;
    unsigned char  ch;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "attachment; filename=\"");

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];
        podi_buf_add_byte(&b, (ch < 0x20 || ch > 0x7e || ch == '"'
                               || ch == '\\' || ch == '/') ? '_' : ch);
    }

    podi_buf_add_c(&b, "\"; filename*=UTF-8''");
    podi_buf_add_uri(&b, name, 0);

    return podi_buf_take(&b, ret_value);
}


int
podi_object_key_is_plain(const podi_str_t *key)
{
    size_t         i;
    unsigned char  ch, before = '/';

    if (key->len == 0 || key->len > PODI_OBJECT_KEY_MAX) {
        return 0;
    }

    for (i = 0; i < key->len; i++, before = ch) {

        ch = key->data[i];

        if (before == '/' && (ch == '/' || ch == '.')) {
            return 0;
        }

        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z')
            && (ch < '0' || ch > '9') && ch != '.' && ch != '_' && ch != '-'
            && ch != '/')
        {
            return 0;
        }
    }

    return before != '/';
}


podi_rc_t
podi_object_find(const podi_object_store_t *store, const podi_str_t *path,
    podi_str_t *ret_key)
{
    podi_str_t  rest = *path, prefix, bucket;

    if (rest.len <= store->prefix.len
        || rest.data[store->prefix.len] != '/')
    {
        return PODI_DECLINED;
    }

    prefix.data = rest.data;
    prefix.len = store->prefix.len;

    if (!podi_str_eq(&prefix, &store->prefix)) {
        return PODI_DECLINED;
    }

    rest.data += store->prefix.len + 1;
    rest.len -= store->prefix.len + 1;

    if (!podi_str_split(&rest, '/', &bucket)
        || !podi_str_eq(&bucket, &store->bucket))
    {
        return PODI_DECLINED;
    }

    if (!podi_object_key_is_plain(&rest)) {
        return PODI_ERROR;
    }

    *ret_key = rest;

    return PODI_OK;
}
