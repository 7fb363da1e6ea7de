/*
 * podi_provider_auth: who asks: a key in a header, or a signature.
 *
 *     name -> key -> header | parameter | signed headers | signed query
 */

#include <string.h>

#include "podi_hash.h"
#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


static podi_rc_t podi_provider_plain(const podi_provider_auth_t *auth,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_v4(const podi_provider_auth_t *auth,
    const podi_provider_key_t *key, podi_usec_t now,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_v4_add(const podi_provider_auth_t *auth,
    const podi_sign_cred_t *cred, const podi_sign_request_t *req,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_acs3(const podi_provider_ask_t *ask,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_rpc1(const podi_provider_ask_t *ask,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_signable(podi_provider_draft_t *d,
    const podi_provider_key_t *key, podi_usec_t now, podi_mem_t *mem,
    podi_sign_cred_t *cred, podi_sign_request_t *req);
static podi_str_t podi_provider_seconds(podi_usec_t now, podi_mem_t *mem);
static podi_rc_t podi_provider_header_add(podi_provider_draft_t *d,
    podi_str_t name, podi_str_t value, podi_fail_t *fail);


podi_rc_t
podi_provider_auth(const podi_provider_t *p, const podi_provider_ask_t *ask,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail)
{
    const podi_provider_key_t   *key;
    const podi_provider_auth_t  *auth = &p->auth;

    if (auth->kind == PODI_AUTH_NONE) {
        return PODI_OK;
    }

    key = podi_provider_key(ask->keys, ask->n_keys, &auth->secret);

    if (key == NULL || podi_secret_bytes(key->secret).len == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the provider " PODI_STR_FMT " has no key \""
                         PODI_STR_FMT "\"", podi_str_arg(&p->name),
                         podi_str_arg(&auth->secret));
    }

    if (auth->kind < PODI_AUTH_V4) {
        return podi_provider_plain(auth, key, d, mem, fail);
    }

    if (key->access_key.len == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key \"" PODI_STR_FMT "\" has no access key",
                         podi_str_arg(&auth->secret));
    }

    switch (auth->kind) {

    case PODI_AUTH_V4:
        return podi_provider_v4(auth, key, ask->now, d, mem, fail);

    case PODI_AUTH_ACS3:
        return podi_provider_acs3(ask, key, d, mem, fail);

    default:
        return podi_provider_rpc1(ask, key, d, mem, fail);
    }
}


const podi_provider_key_t *
podi_provider_key(const podi_provider_key_t *keys, size_t n,
    const podi_str_t *name)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (podi_str_eq(&keys[i].name, name)) {
            return &keys[i];
        }
    }

    return NULL;
}


static podi_rc_t
podi_provider_plain(const podi_provider_auth_t *auth,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t       i;
    podi_str_t   secret, value, name;
    const char  *prefix;

    secret = podi_secret_bytes(key->secret);

    for (i = 0; i < secret.len; i++) {
        if (secret.data[i] < 0x20 || secret.data[i] >= 0x7f) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "the key \"" PODI_STR_FMT "\" has characters "
                             "that no header can have",
                             podi_str_arg(&auth->secret));
        }
    }

    if (auth->kind == PODI_AUTH_QUERY) {
        if (podi_mem_dup(mem, &secret, &value) != PODI_OK) {
            return podi_provider_no_memory(fail);
        }

        return podi_provider_put(d->query, &d->n_query, auth->name, value,
                                 fail);
    }

    prefix = auth->kind == PODI_AUTH_BEARER ? "Bearer"
             : auth->prefix.len ? (const char *) auth->prefix.data : "";

    name = auth->kind == PODI_AUTH_HEADER ? auth->name
                                          : podi_str_c("Authorization");

    if (podi_mem_printf(mem, &value, "%s%s" PODI_STR_FMT, prefix,
                        prefix[0] ? " " : "", podi_str_arg(&secret))
        != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    return podi_provider_header_add(d, name, value, fail);
}


/* AWS4 and what was made after it */

static podi_rc_t
podi_provider_v4(const podi_provider_auth_t *auth,
    const podi_provider_key_t *key, podi_usec_t now,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail)
{
    size_t                i, n = 0;
    podi_str_t            date, value;
    podi_pair_t           signs[4];
    unsigned char         text[PODI_AMZ_DATE_LEN];
    podi_sign_cred_t      cred;
    podi_sign_request_t   req;

    podi_time_amz(now, text);
    value.data = text;
    value.len = sizeof(text);

    if (podi_mem_dup(mem, &value, &date) != PODI_OK
        || podi_provider_signable(d, key, now, mem, &cred, &req) != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    cred.region = auth->region;
    cred.service = auth->service;

    if (podi_provider_header_add(d, auth->date_header, date, fail) != PODI_OK
        || (auth->hash_header.len
            && podi_provider_header_add(d, auth->hash_header,
                                        req.payload_hash, fail)
               != PODI_OK))
    {
        return PODI_ERROR;
    }

    signs[n++] = req.headers[0];                    /* host */

    for (i = 0; i < d->n_headers; i++) {
        if (podi_text_is(&d->headers[i].name, "content-type")
            || podi_str_eq(&d->headers[i].name, &auth->date_header)
            || podi_str_eq(&d->headers[i].name, &auth->hash_header))
        {
            signs[n++] = d->headers[i];
        }

        if (n == 4) {
            break;
        }
    }

    req.headers = signs;
    req.n_headers = n;

    return podi_provider_v4_add(auth, &cred, &req, d, mem, fail);
}


static podi_rc_t
podi_provider_v4_add(const podi_provider_auth_t *auth,
    const podi_sign_cred_t *cred, const podi_sign_request_t *req,
    podi_provider_draft_t *d, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_str_t        value;
    podi_signature_t  sig;

    if (podi_sign(&auth->alg, cred, req, mem, &sig) != PODI_OK
        || podi_mem_printf(mem, &value,
                           "%s Credential=" PODI_STR_FMT "/" PODI_STR_FMT
                           ", SignedHeaders=" PODI_STR_FMT
                           ", Signature=" PODI_STR_FMT, auth->alg.name,
                           podi_str_arg(&cred->access_key),
                           podi_str_arg(&sig.scope),
                           podi_str_arg(&sig.signed_headers),
                           podi_str_arg(&sig.signature))
           != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    return podi_provider_header_add(d, podi_str_c("Authorization"), value,
                                    fail);
}


static podi_rc_t
podi_provider_acs3(const podi_provider_ask_t *ask,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t                i, n = 0;
    podi_str_t            date, value;
    podi_pair_t           signs[PODI_SIGN_PAIRS_MAX + 1];
    podi_sign_cred_t      cred;
    podi_signature_t      sig;
    podi_sign_request_t   req;

    date = podi_provider_seconds(ask->now, mem);

    if (date.len == 0
        || podi_provider_signable(d, key, ask->now, mem, &cred, &req)
           != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_header_add(d, podi_str_c("x-acs-date"), date, fail)
        != PODI_OK
        || podi_provider_header_add(d, podi_str_c("x-acs-signature-nonce"),
                                    ask->nonce, fail)
           != PODI_OK
        || podi_provider_header_add(d, podi_str_c("x-acs-content-sha256"),
                                    req.payload_hash, fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    signs[n++] = req.headers[0];                    /* host */

    for (i = 0; i < d->n_headers; i++) {
        if (podi_text_begins(&d->headers[i].name, "x-acs-")
            || podi_text_is(&d->headers[i].name, "content-type"))
        {
            signs[n++] = d->headers[i];
        }
    }

    req.headers = signs;
    req.n_headers = n;

    if (podi_sign_acs3(&cred, &req, mem, &sig) != PODI_OK
        || podi_mem_printf(mem, &value,
                           "ACS3-HMAC-SHA256 Credential=" PODI_STR_FMT
                           ",SignedHeaders=" PODI_STR_FMT
                           ",Signature=" PODI_STR_FMT,
                           podi_str_arg(&cred.access_key),
                           podi_str_arg(&sig.signed_headers),
                           podi_str_arg(&sig.signature))
           != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    return podi_provider_header_add(d, podi_str_c("Authorization"), value,
                                    fail);
}


/* all parameters stand in the query; what a body holds is not signed */

static podi_rc_t
podi_provider_rpc1(const podi_provider_ask_t *ask,
    const podi_provider_key_t *key, podi_provider_draft_t *d,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t             i;
    podi_sign_cred_t   cred;
    podi_signature_t   sig;
    const podi_pair_t  more[] = {
        { podi_str_c("AccessKeyId"), key->access_key },
        { podi_str_c("Format"), podi_str_c("JSON") },
        { podi_str_c("SignatureMethod"), podi_str_c("HMAC-SHA1") },
        { podi_str_c("SignatureNonce"), ask->nonce },
        { podi_str_c("SignatureVersion"), podi_str_c("1.0") },
        { podi_str_c("Timestamp"), podi_provider_seconds(ask->now, mem) },
    };

    for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        if (podi_provider_put(d->query, &d->n_query, more[i].name,
                              more[i].value, fail)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    memset(&cred, 0, sizeof(cred));
    cred.secret = key->secret;

    if (podi_sign_acs_rpc(&cred, &d->method, d->query, d->n_query, mem, &sig)
        != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    return podi_provider_put(d->query, &d->n_query, podi_str_c("Signature"),
                             sig.signature, fail);
}


/* req->headers becomes the host alone; the path stays as on the wire */

static podi_rc_t
podi_provider_signable(podi_provider_draft_t *d,
    const podi_provider_key_t *key, podi_usec_t now, podi_mem_t *mem,
    podi_sign_cred_t *cred, podi_sign_request_t *req)
{
    size_t          i, n = 0;
    podi_pair_t    *host;
    unsigned char   digest[PODI_SHA256_LEN];

    memset(cred, 0, sizeof(podi_sign_cred_t));
    memset(req, 0, sizeof(podi_sign_request_t));

    cred->access_key = key->access_key;
    cred->secret = key->secret;

    host = podi_mem_calloc(mem, sizeof(podi_pair_t));
    req->payload_hash.data = podi_mem_alloc(mem, 2 * sizeof(digest));
    req->path.data = podi_mem_alloc(mem, d->path.len + 1);

    if (host == NULL || req->payload_hash.data == NULL
        || req->path.data == NULL || podi_sha256(&d->body, digest) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_hex_encode(req->payload_hash.data, digest, sizeof(digest));
    req->payload_hash.len = 2 * sizeof(digest);

    /* decoded once: signing encodes it again, to the same */

    for (i = 0; i < d->path.len; i++) {

        podi_str_t  hex = { 2, d->path.data + i + 1 };

        req->path.data[n] = d->path.data[i];

        if (d->path.data[i] == '%' && i + 2 < d->path.len
            && podi_hex_decode(req->path.data + n, 1, &hex) == PODI_OK)
        {
            i += 2;
        }

        n++;
    }

    if (n == 0) {
        req->path.data[n++] = '/';
    }

    req->path.len = n;

    host->name = podi_str_c("host");
    host->value.data = d->origin.data
                       + (podi_str_has_prefix(&d->origin, "https") ? 8 : 7);
    host->value.len = (size_t) (d->origin.data + d->origin.len
                                - host->value.data);

    req->method = d->method;
    req->query = d->query;
    req->n_query = d->n_query;
    req->headers = host;
    req->n_headers = 1;
    req->time = now;

    return PODI_OK;
}


/* 2026-11-22T05:17:46Z; "": no memory */

static podi_str_t
podi_provider_seconds(podi_usec_t now, podi_mem_t *mem)
{
    podi_str_t     s, none = podi_null_str;
    unsigned char  text[PODI_RFC3339_LEN];

    podi_time_rfc3339(now, text);

    if (podi_mem_printf(mem, &s, "%.19sZ", (const char *) text) != PODI_OK) {
        return none;
    }

    return s;
}


static podi_rc_t
podi_provider_header_add(podi_provider_draft_t *d, podi_str_t name,
    podi_str_t value, podi_fail_t *fail)
{
    return podi_provider_put(d->headers, &d->n_headers, name, value, fail);
}
