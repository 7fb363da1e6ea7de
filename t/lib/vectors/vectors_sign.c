/*
 * vectors_sign: the request signatures, AWS4 and OSS4; those of other clouds
 * are in vectors_cloud.
 *
 * Each algorithm of the file turns its input into a podi_sign_request_t; the
 * suite's raw requests are parsed in vectors_suite.
 */

#include <string.h>

#include "podi_hash.h"
#include "vectors_sign.h"
#include "banned.h"


static int vectors_plain(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_oss(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_additional(vectors_t *v);
static int vectors_url(vectors_t *v, const json_t *expected,
    podi_str_t *why);


int
vectors_sign(const json_t *vector, podi_mem_t *mem, podi_str_t *why)
{
    vectors_t      v;
    podi_str_t     algorithm;
    const json_t  *expected;

    memset(&v, 0, sizeof(v));

    v.mem = mem;
    v.input = json_object_get(vector, "input");
    expected = json_object_get(vector, "expected");
    algorithm = vectors_str(vector, "algorithm");

    if (podi_str_eq_c(&algorithm, "sigv4-suite")) {
        return vectors_suite(&v, expected, why);
    }

    if (podi_str_eq_c(&algorithm, "sigv4-query")
        || podi_str_eq_c(&algorithm, "sigv4-header"))
    {
        return vectors_plain(&v, expected, why);
    }

    if (podi_str_eq_c(&algorithm, "oss-v4-query")
        || podi_str_eq_c(&algorithm, "oss-v4-header"))
    {
        return vectors_oss(&v, expected, why);
    }

    return vectors_cloud(&v, &algorithm, expected, why);
}


static int
vectors_plain(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    podi_str_t  s;

    s = vectors_str(v->input, "secret_access_key");

    if (!vectors_secret(v, &s)) {
        return 0;
    }

    v->cred.access_key = vectors_str(v->input, "access_key_id");
    v->cred.region = vectors_str(v->input, "region");
    v->cred.service = vectors_str(v->input, "service");

    v->req.method = vectors_str(v->input, "method");
    v->req.path = vectors_str(v->input, "path");
    v->req.payload_hash = vectors_str(v->input, "payload_hash");
    v->req.generic = !podi_str_eq_c(&v->cred.service, "s3");
    v->req.generic &= json_object_get(v->input, "host") == NULL;
    v->req.normalize = v->req.generic;

    v->req.n_query = vectors_pairs(json_object_get(v->input, "query"),
                                   v->query);
    v->req.n_headers = vectors_pairs(json_object_get(v->input,
                                                     "signed_headers"),
                                     v->headers);

    s = vectors_str(v->input, "amz_date");

    if (podi_time_amz_parse(&s, &v->req.time) != PODI_OK) {
        *why = podi_str_c("the date of the vector is malformed");
        return 0;
    }

    return vectors_compare(v, &podi_sign_aws4, expected, why)
           && vectors_url(v, expected, why);
}


static int
vectors_oss(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    json_t      *list;
    podi_buf_t   b;
    podi_str_t   s;

    s = vectors_str(v->input, "access_key_secret");

    if (!vectors_secret(v, &s)) {
        return 0;
    }

    v->cred.access_key = vectors_str(v->input, "access_key_id");
    v->cred.region = vectors_str(v->input, "region");
    v->cred.service = vectors_str(v->input, "product");

    v->req.method = vectors_str(v->input, "method");
    v->req.bucket = vectors_str(v->input, "bucket");
    v->req.payload_hash = podi_str_c("UNSIGNED-PAYLOAD");

    s = vectors_str(v->input, "key");
    podi_buf_init(&b, v->mem);
    podi_buf_add_byte(&b, '/');
    podi_buf_add_str(&b, &s);

    if (podi_buf_take(&b, &v->req.path) != PODI_OK) {
        return 0;
    }

    list = json_object_get(v->input, "query");

    if (list == NULL) {
        list = json_object_get(v->input, "query_before_signature");
    }

    v->req.n_query = vectors_pairs(list, v->query);
    v->req.n_headers = vectors_pairs(json_object_get(v->input, "headers"),
                                     v->headers);

    if (!vectors_additional(v)) {
        return 0;
    }

    s = vectors_str(v->input, "oss_date");

    if (podi_time_amz_parse(&s, &v->req.time) != PODI_OK) {
        *why = podi_str_c("the date of the vector is malformed");
        return 0;
    }

    return vectors_compare(v, &podi_sign_oss4, expected, why);
}


/* given joined, as signed, or as an array, as a caller names them */

static int
vectors_additional(vectors_t *v)
{
    size_t                i, n;
    json_t               *list;
    podi_pair_t           names[PODI_SIGN_PAIRS_MAX];
    podi_signature_t      sig;
    podi_sign_request_t   req;

    list = json_object_get(v->input, "additional_headers");

    if (!json_is_array(list)) {
        v->req.additional = podi_json_str(list);
        return 1;
    }

    n = json_array_size(list);

    for (i = 0; i < n && i < PODI_SIGN_PAIRS_MAX; i++) {
        names[i].name = podi_json_str(json_array_get(list, i));
        names[i].value.len = 0;
    }

    /* AWS4 signs what it is given: it lowers, sorts and joins the names */

    memset(&req, 0, sizeof(req));
    req.headers = names;
    req.n_headers = i;

    if (podi_sign(&podi_sign_aws4, &v->cred, &req, v->mem, &sig) != PODI_OK) {
        return 0;
    }

    v->req.additional = sig.signed_headers;

    return 1;
}


int
vectors_compare(vectors_t *v, const podi_sign_alg_t *alg,
    const json_t *expected, podi_str_t *why)
{
    podi_signature_t  sig;

    v->req.query = v->query;
    v->req.headers = v->headers;

    if (podi_sign(alg, &v->cred, &v->req, v->mem, &sig) != PODI_OK) {
        *why = podi_str_c("podi_sign gave an error");
        return 0;
    }

    return vectors_same(expected, "canonical_request", &sig.canonical,
                        v->mem, why)
           && vectors_same(expected, "string_to_sign", &sig.string_to_sign,
                           v->mem, why)
           && vectors_same(expected, "signature", &sig.signature, v->mem,
                           why);
}


/* a vector without a signature proves nothing: absent is not the same */

int
vectors_same(const json_t *expected, const char *name, const podi_str_t *got,
    podi_mem_t *mem, podi_str_t *why)
{
    podi_str_t  want;
    podi_buf_t  b;

    want = vectors_str(expected, name);

    if (podi_str_eq(&want, got)) {
        return 1;
    }

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "%s: got ", name);
    podi_buf_add_json(&b, got);
    podi_buf_add_c(&b, ", want ");
    podi_buf_add_json(&b, &want);

    if (podi_buf_take(&b, why) != PODI_OK) {
        *why = podi_str_c("no memory");
    }

    return 0;
}


/* some vectors give the whole URL: then the presigner must make it too */

static int
vectors_url(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    size_t          i;
    int64_t         expires = 0;
    podi_str_t      url;
    podi_pair_t     query[PODI_SIGN_PAIRS_MAX];
    podi_pair_t     headers[PODI_SIGN_PAIRS_MAX];
    podi_presign_t  what;

    if (json_object_get(expected, "url") == NULL) {
        return 1;
    }

    memset(&what, 0, sizeof(what));

    for (i = 0; i < v->req.n_headers; i++) {
        if (podi_str_eq_c(&v->headers[i].name, "host")) {
            continue;
        }

        headers[what.n_headers++] = v->headers[i];
    }

    for (i = 0; i < v->req.n_query; i++) {
        if (podi_str_eq_c(&v->query[i].name, "X-Amz-Expires")) {
            if (podi_str_to_int64(&v->query[i].value, &expires) != PODI_OK) {
                return 0;
            }

        } else if (podi_str_eq_c(&v->query[i].name, "X-Amz-Security-Token")) {
            v->cred.token = v->query[i].value;

        } else if (!podi_str_has_prefix(&v->query[i].name, "X-Amz-")) {
            query[what.n_query++] = v->query[i];
        }
    }

    url = vectors_str(v->input, "host");

    if (podi_mem_printf(v->mem, &what.origin, "https://" PODI_STR_FMT,
                        podi_str_arg(&url)) != PODI_OK)
    {
        return 0;
    }

    what.method = v->req.method;
    what.path = v->req.path;
    what.query = query;
    what.headers = headers;
    what.time = v->req.time;
    what.expires = (unsigned) expires;

    if (podi_presign(&podi_sign_aws4, &v->cred, &what, v->mem, &url)
        != PODI_OK)
    {
        *why = podi_str_c("podi_presign gave an error");
        return 0;
    }

    return vectors_same(expected, "url", &url, v->mem, why);
}


size_t
vectors_pairs(const json_t *list, podi_pair_t *pairs)
{
    size_t   i;
    json_t  *pair;

    for (i = 0; i < json_array_size(list) && i < PODI_SIGN_PAIRS_MAX; i++) {
        pair = json_array_get(list, i);
        pairs[i].name = podi_json_str(json_array_get(pair, 0));
        pairs[i].value = podi_json_str(json_array_get(pair, 1));
    }

    return i;
}


podi_str_t
vectors_str(const json_t *object, const char *name)
{
    return podi_json_str(json_object_get(object, name));
}


int
vectors_secret(vectors_t *v, const podi_str_t *text)
{
    podi_secret_t  *secret;

    if (podi_secret_make(v->mem, text, &secret) != PODI_OK) {
        return 0;
    }

    v->cred.secret = secret;

    return 1;
}


/* %XX only; what is malformed stays as it is */

podi_str_t
vectors_decode(podi_mem_t *mem, podi_str_t s)
{
    size_t          i;
    podi_buf_t      b;
    podi_str_t      hex;
    unsigned char   c;

    podi_buf_init(&b, mem);

    for (i = 0; i < s.len; i++) {
        hex.data = s.data + i + 1;
        hex.len = 2;
        c = s.data[i];

        if (c == '%' && i + 2 < s.len
            && podi_hex_decode(&c, 1, &hex) == PODI_OK)
        {
            i += 2;
        }

        podi_buf_add_byte(&b, c);
    }

    if (podi_buf_take(&b, &s) != PODI_OK) {
        s.len = 0;
    }

    return s;
}


void
vectors_put(podi_pair_t *pairs, size_t *n, const char *name,
    podi_str_t value)
{
    pairs[*n].name = podi_str_c(name);
    pairs[*n].value = value;
    (*n)++;
}
