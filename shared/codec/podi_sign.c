/*
 * podi_sign: the canonical request and its signature.
 *
 *     METHOD LF path LF query LF name:value LF ... LF names LF payload hash
 *
 * The header block is in podi_sign_headers.c.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_hash.h"
#include "podi_sign_alg.h"
#include "banned.h"


const podi_sign_alg_t  podi_sign_aws4 = {
    "AWS4-HMAC-SHA256", "AWS4", "aws4_request", "x-amz-",
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
    "X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Signature",
    0, 0, 1, 0
};

const podi_sign_alg_t  podi_sign_oss4 = {
    "OSS4-HMAC-SHA256", "aliyun_v4", "aliyun_v4_request", "x-oss-",
    "x-oss-signature-version", "x-oss-credential", "x-oss-date",
    "x-oss-expires", "x-oss-additional-headers", "x-oss-security-token",
    "x-oss-signature",
    1, 1, 0, 1
};


static podi_rc_t podi_sign_query(const podi_sign_alg_t *alg,
    const podi_sign_request_t *req, podi_mem_t *mem, podi_str_t *ret_query);
static int podi_sign_cmp(const void *a, const void *b);
static int podi_sign_cmp_str(const podi_str_t *a, const podi_str_t *b);
static void podi_sign_path(const podi_sign_alg_t *alg,
    const podi_sign_request_t *req, podi_buf_t *b);
static void podi_sign_normalize(const podi_str_t *path, podi_buf_t *b);
static podi_rc_t podi_sign_key(const podi_sign_alg_t *alg,
    const podi_sign_cred_t *cred, const unsigned char *date, podi_mem_t *mem,
    unsigned char *ret_key);


podi_rc_t
podi_sign(const podi_sign_alg_t *alg, const podi_sign_cred_t *cred,
    const podi_sign_request_t *req, podi_mem_t *mem,
    podi_signature_t *ret_signature)
{
    podi_buf_t        b;
    podi_str_t        key;
    unsigned char     date[PODI_AMZ_DATE_LEN];
    unsigned char     mac[PODI_SHA256_LEN], digest[PODI_SHA256_LEN];
    podi_signature_t  sig;

    podi_time_amz(req->time, date);

    if (podi_sign_canonical(alg, req, mem, &sig) != PODI_OK
        || podi_sign_scope(alg, cred, date, mem, &sig.scope) != PODI_OK
        || podi_sha256(&sig.canonical, digest) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "%s\n%.*s\n" PODI_STR_FMT "\n", alg->name,
                    PODI_AMZ_DATE_LEN, date, podi_str_arg(&sig.scope));
    podi_buf_add_hex(&b, digest, sizeof(digest));

    if (podi_buf_take(&b, &sig.string_to_sign) != PODI_OK
        || podi_sign_key(alg, cred, date, mem, mac) != PODI_OK)
    {
        return PODI_ERROR;
    }

    key.data = mac;
    key.len = sizeof(mac);

    if (podi_hmac_sha256(&key, &sig.string_to_sign, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_wipe(mac, sizeof(mac));

    podi_buf_init(&b, mem);
    podi_buf_add_hex(&b, digest, sizeof(digest));

    if (podi_buf_take(&b, &sig.signature) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_signature = sig;

    return PODI_OK;
}


podi_rc_t
podi_sign_canonical(const podi_sign_alg_t *alg,
    const podi_sign_request_t *req, podi_mem_t *mem, podi_signature_t *sig)
{
    podi_buf_t  b;
    podi_str_t  lines;

    if (podi_sign_query(alg, req, mem, &sig->query) != PODI_OK
        || podi_sign_headers(alg, req->headers, req->n_headers,
                             &req->additional, mem, &lines,
                             &sig->signed_headers) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);

    podi_buf_add_str(&b, &req->method);
    podi_buf_add_byte(&b, '\n');
    podi_sign_path(alg, req, &b);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &sig->query);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &lines);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &sig->signed_headers);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &req->payload_hash);

    return podi_buf_take(&b, &sig->canonical);
}


/* sorted by what goes over the wire: encoded names, then encoded values */

static podi_rc_t
podi_sign_query(const podi_sign_alg_t *alg, const podi_sign_request_t *req,
    podi_mem_t *mem, podi_str_t *ret_query)
{
    size_t       i;
    podi_buf_t   b;
    podi_pair_t  pairs[PODI_SIGN_PAIRS_MAX];

    if (req->n_query > PODI_SIGN_PAIRS_MAX) {
        return PODI_ERROR;
    }

    for (i = 0; i < req->n_query; i++) {
        podi_buf_init(&b, mem);
        podi_buf_add_uri(&b, &req->query[i].name, 0);

        if (podi_buf_take(&b, &pairs[i].name) != PODI_OK) {
            return PODI_ERROR;
        }

        podi_buf_init(&b, mem);
        podi_buf_add_uri(&b, &req->query[i].value, 0);

        if (podi_buf_take(&b, &pairs[i].value) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    qsort(pairs, req->n_query, sizeof(podi_pair_t), podi_sign_cmp);

    podi_buf_init(&b, mem);

    for (i = 0; i < req->n_query; i++) {
        if (i) {
            podi_buf_add_byte(&b, '&');
        }

        podi_buf_add_str(&b, &pairs[i].name);

        if (pairs[i].value.len || !alg->bare_empty) {
            podi_buf_add_byte(&b, '=');
            podi_buf_add_str(&b, &pairs[i].value);
        }
    }

    return podi_buf_take(&b, ret_query);
}


static int
podi_sign_cmp(const void *a, const void *b)
{
    int                 rc;
    const podi_pair_t  *x = a, *y = b;

    rc = podi_sign_cmp_str(&x->name, &y->name);

    return rc ? rc : podi_sign_cmp_str(&x->value, &y->value);
}


static int
podi_sign_cmp_str(const podi_str_t *a, const podi_str_t *b)
{
    int     rc;
    size_t  n;

    n = a->len < b->len ? a->len : b->len;
    rc = n ? memcmp(a->data, b->data, n) : 0;

    if (rc) {
        return rc;
    }

    return (a->len > b->len) - (a->len < b->len);
}


static void
podi_sign_path(const podi_sign_alg_t *alg, const podi_sign_request_t *req,
    podi_buf_t *b)
{
    podi_buf_t  normal;
    podi_str_t  path = req->path;

    if (alg->bucket_in_path && req->bucket.len) {
        podi_buf_add_byte(b, '/');
        podi_buf_add_uri(b, &req->bucket, 0);
    }

    if (req->generic && req->normalize) {
        podi_buf_init(&normal, b->mem);
        podi_sign_normalize(&req->path, &normal);

        if (podi_buf_take(&normal, &path) != PODI_OK) {
            b->failed = 1;
            return;
        }
    }

    /* generic: the path is the wire's, so that '%' becomes "%25" */

    podi_buf_add_uri(b, &path, 1);
}


/* RFC 3986, 5.2.4, and runs of slashes become one */

static void
podi_sign_normalize(const podi_str_t *path, podi_buf_t *b)
{
    int         is_open = 0;
    podi_str_t  rest = *path, part;

    podi_buf_add_byte(b, '/');

    while (podi_str_split(&rest, '/', &part)) {

        is_open = part.len == 0 || podi_str_eq_c(&part, ".")
                  || podi_str_eq_c(&part, "..");

        if (podi_str_eq_c(&part, "..")) {
            while (b->len > 1 && b->data[b->len - 2] != '/') {
                b->len--;
            }

            b->len -= b->len > 1;

        } else if (!is_open) {
            podi_buf_add_str(b, &part);
            podi_buf_add_byte(b, '/');
        }
    }

    if (!is_open && b->len > 1) {
        b->len--;
    }
}


podi_rc_t
podi_sign_scope(const podi_sign_alg_t *alg, const podi_sign_cred_t *cred,
    const unsigned char *date, podi_mem_t *mem, podi_str_t *ret_scope)
{
    return podi_mem_printf(mem, ret_scope,
                           "%.8s/" PODI_STR_FMT "/" PODI_STR_FMT "/%s",
                           (const char *) date, podi_str_arg(&cred->region),
                           podi_str_arg(&cred->service), alg->terminator);
}


/* HMAC(HMAC(HMAC(HMAC(prefix + secret, date), region), service), end) */

static podi_rc_t
podi_sign_key(const podi_sign_alg_t *alg, const podi_sign_cred_t *cred,
    const unsigned char *date, podi_mem_t *mem, unsigned char *ret_key)
{
    int             i;
    podi_rc_t       rc;
    podi_buf_t      b;
    podi_str_t      key, parts[4];
    unsigned char   mac[PODI_SHA256_LEN];

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, alg->key_prefix);
    key = podi_secret_bytes(cred->secret);
    podi_buf_add_str(&b, &key);

    if (podi_buf_take(&b, &key) != PODI_OK) {
        return PODI_ERROR;
    }

    parts[0].data = (unsigned char *) (uintptr_t) date;
    parts[0].len = 8;
    parts[1] = cred->region;
    parts[2] = cred->service;
    parts[3] = podi_str_c(alg->terminator);

    rc = podi_hmac_sha256(&key, &parts[0], ret_key);
    podi_wipe(key.data, key.len);

    key.data = mac;
    key.len = sizeof(mac);

    for (i = 1; i < 4 && rc == PODI_OK; i++) {
        memcpy(mac, ret_key, sizeof(mac));
        rc = podi_hmac_sha256(&key, &parts[i], ret_key);
    }

    podi_wipe(mac, sizeof(mac));

    return rc;
}
