/*
 * vectors_cloud: the signatures of providers: Alibaba Cloud's RPC v1 and ACS3,
 * Volcengine's, and those of webhooks.
 *
 * What a description says is tried through one: so the vector runs the same
 * code as a job.
 */

#include <stdio.h>
#include <string.h>

#include "podi_hash.h"
#include "podi_provider.h"
#include "vectors_sign.h"
#include "banned.h"


static int vectors_rpc(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_acs3(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_volc(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_standard(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_fal(vectors_t *v, const json_t *expected,
    podi_str_t *why);
static int vectors_hook(vectors_t *v, const char *verify, size_t n,
    int64_t now, const json_t *jwks, const json_t *expected,
    podi_str_t *why);
static int vectors_load(vectors_t *v, podi_str_t text, podi_provider_t **ret,
    podi_str_t *why);
static size_t vectors_object(const json_t *object, podi_pair_t *pairs);


static const struct {
    const char  *algorithm;
    int        (*run)(vectors_t *v, const json_t *expected, podi_str_t *why);
}  vectors_clouds[] = {
    { "acs-rpc-hmac-sha1", vectors_rpc },
    { "acs3-hmac-sha256", vectors_acs3 },
    { "volc-hmac-sha256", vectors_volc },
    { "standard-webhooks-v1", vectors_standard },
    { "fal-webhook-ed25519", vectors_fal },
};


int
vectors_cloud(vectors_t *v, const podi_str_t *algorithm,
    const json_t *expected, podi_str_t *why)
{
    size_t  i;

    for (i = 0; i < sizeof(vectors_clouds) / sizeof(vectors_clouds[0]); i++) {
        if (podi_str_eq_c(algorithm, vectors_clouds[i].algorithm)) {
            return vectors_clouds[i].run(v, expected, why);
        }
    }

    return -1;
}


static int
vectors_rpc(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    size_t            n;
    podi_str_t        s, method;
    podi_signature_t  sig;

    s = vectors_str(v->input, "access_key_secret");
    method = vectors_str(v->input, "method");
    n = vectors_object(json_object_get(v->input, "params"), v->query);

    if (!vectors_secret(v, &s)
        || podi_sign_acs_rpc(&v->cred, &method, v->query, n, v->mem, &sig)
           != PODI_OK)
    {
        return 0;
    }

    return vectors_same(expected, "canonicalized_query", &sig.query, v->mem,
                        why)
           && vectors_same(expected, "string_to_sign", &sig.string_to_sign,
                           v->mem, why)
           && vectors_same(expected, "signature", &sig.signature, v->mem,
                           why);
}


static int
vectors_acs3(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    podi_str_t        s, body;
    unsigned char     hex[2 * PODI_SHA256_LEN], digest[PODI_SHA256_LEN];
    podi_signature_t  sig;

    s = vectors_str(v->input, "access_key_secret");
    body = vectors_str(v->input, "body");

    if (!vectors_secret(v, &s) || podi_sha256(&body, digest) != PODI_OK) {
        return 0;
    }

    podi_hex_encode(hex, digest, sizeof(digest));

    v->req.method = vectors_str(v->input, "method");
    v->req.path = vectors_str(v->input, "path");
    v->req.query = v->query;
    v->req.headers = v->headers;
    v->req.n_query = vectors_pairs(json_object_get(v->input, "query"),
                                   v->query);
    v->req.n_headers = vectors_pairs(json_object_get(v->input,
                                                     "signed_headers"),
                                     v->headers);
    v->req.payload_hash.data = hex;
    v->req.payload_hash.len = sizeof(hex);

    if (podi_sign_acs3(&v->cred, &v->req, v->mem, &sig) != PODI_OK) {
        return 0;
    }

    return vectors_same(expected, "canonical_request", &sig.canonical,
                        v->mem, why)
           && vectors_same(expected, "string_to_sign", &sig.string_to_sign,
                           v->mem, why)
           && vectors_same(expected, "signature", &sig.signature, v->mem,
                           why);
}


/* the whole request, from a description like conf/providers/volc_visual */

static int
vectors_volc(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    size_t                    i;
    podi_str_t                s, text, op = podi_string("go");
    podi_fail_t               fail;
    podi_provider_t          *p;
    podi_provider_key_t       key;
    podi_provider_ask_t       ask;
    podi_provider_request_t   r;

    s = vectors_str(v->input, "body");

    if (podi_mem_printf(v->mem, &text,
            "{\"name\":\"v\",\"base_url\":\"https://visual.volcengineapi.com"
            "\",\"secrets\":[\"api\"],\"auth\":{\"kind\":\"v4\","
            "\"secret\":\"api\",\"prefix\":\"\",\"alg\":\"HMAC-SHA256\","
            "\"terminator\":\"request\",\"region\":\"cn-north-1\","
            "\"service\":\"cv\",\"date_header\":\"X-Date\","
            "\"hash_header\":\"X-Content-Sha256\"},\"operations\":{\"go\":"
            "{\"submit\":{\"url\":\"/\",\"query\":{\"Action\":"
            "\"CVSync2AsyncSubmitTask\",\"Version\":\"2022-08-31\"},"
            "\"body\":{\"kind\":\"json\",\"template\":" PODI_STR_FMT "}},"
            "\"result\":{\"item_kind\":\"bytes\"}}}}", podi_str_arg(&s))
        != PODI_OK
        || !vectors_load(v, text, &p, why))
    {
        return 0;
    }

    s = vectors_str(v->input, "secret_access_key");

    if (!vectors_secret(v, &s)) {
        return 0;
    }

    key.name = podi_str_c("api");
    key.access_key = vectors_str(v->input, "access_key_id");
    key.secret = v->cred.secret;

    memset(&ask, 0, sizeof(ask));
    ask.keys = &key;
    ask.n_keys = 1;
    ask.now = INT64_C(1704164645) * 1000000;    /* its X-Date */

    if (podi_provider_request(podi_provider_op(p, &op), PODI_PROVIDER_SUBMIT,
                              &ask, v->mem, &r, &fail)
        != PODI_OK)
    {
        *why = podi_str_c("podi_provider_request gave an error");
        return 0;
    }

    for (i = 0; i < r.n_headers; i++) {
        if (podi_str_eq_c(&r.headers[i].name, "Authorization")) {
            return vectors_same(expected, "authorization",
                                &r.headers[i].value, v->mem, why);
        }
    }

    return 0;
}


static int
vectors_standard(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    size_t             i;
    int64_t            now = 0;
    podi_str_t         s;
    static const char *const  names[] = {
        "webhook-id", "webhook-timestamp", "webhook-signature"
    };

    for (i = 0; i < 3; i++) {
        v->headers[i].name = podi_str_c(names[i]);
        v->headers[i].value = vectors_str(v->input, names[i]);
    }

    s = vectors_str(v->input, "secret");

    if (!vectors_secret(v, &s)
        || podi_str_to_int64(&v->headers[1].value, &now) != PODI_OK)
    {
        return 0;
    }

    return vectors_hook(v, "{\"kind\":\"standard_webhooks\",\"secret\":"
                        "\"api\"}", 3, now, NULL, expected, why);
}


static int
vectors_fal(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    size_t                    i;
    json_t                   *jwks;
    int64_t                   now = 0;
    static const char *const  names[] = {
        "x-fal-webhook-request-id", "x-fal-webhook-user-id",
        "x-fal-webhook-timestamp"
    };

    for (i = 0; i < 3; i++) {
        v->headers[i].name = podi_str_c(names[i]);
        v->headers[i].value = vectors_str(v->input, names[i]);
    }

    v->headers[3].name = podi_str_c("x-fal-webhook-signature");
    v->headers[3].value = vectors_str(expected, "signature_hex");

    /* public_key_hex of the vector, as a JWK has it */

    jwks = json_loads("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                      "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
                      "}]}", 0, NULL);

    if (podi_json_own(v->mem, jwks) != PODI_OK
        || podi_str_to_int64(&v->headers[2].value, &now) != PODI_OK)
    {
        return 0;
    }

    return vectors_hook(v, "{\"kind\":\"fal_ed25519\",\"jwks_url\":"
                        "\"https://k/j\"}", 4, now, jwks, expected, why);
}


static int
vectors_hook(vectors_t *v, const char *verify, size_t n, int64_t now,
    const json_t *jwks, const json_t *expected, podi_str_t *why)
{
    int                       valid;
    podi_str_t                text;
    podi_fail_t               fail;
    podi_provider_t          *p;
    podi_provider_key_t       key;
    podi_str_t                called;
    podi_provider_call_in_t   in;

    if (podi_mem_printf(v->mem, &text,
            "{\"name\":\"v\",\"base_url\":\"https://x\",\"secrets\":"
            "[\"api\"],\"webhook\":{\"verify\":%s},"
            "\"operations\":{\"go\":{\"submit\":{\"url\":\"/\"},"
            "\"result\":{\"item_kind\":\"bytes\"}}}}", verify) != PODI_OK
        || !vectors_load(v, text, &p, why))
    {
        return 0;
    }

    key.name = podi_str_c("api");
    key.access_key = podi_str_c("");
    key.secret = v->cred.secret;

    memset(&in, 0, sizeof(in));
    in.headers = v->headers;
    in.n_headers = n;
    in.body = vectors_str(v->input, "body");
    in.keys = &key;
    in.n_keys = v->cred.secret != NULL;
    in.jwks = jwks;
    in.now = now * 1000000;

    valid = podi_provider_webhook(p, &in, v->mem, &called, &fail) == PODI_OK;
    *why = podi_str_c(valid ? "accepted" : "refused");

    return valid == json_is_true(json_object_get(expected, "valid"));
}


static int
vectors_load(vectors_t *v, podi_str_t text, podi_provider_t **ret,
    podi_str_t *why)
{
    podi_fail_t  fail;

    if (podi_provider_load("vector", &text, v->mem, ret, &fail) != PODI_OK) {

        if (podi_mem_printf(v->mem, why, "%s", fail.detail) != PODI_OK) {
            *why = podi_str_c("no memory");
        }

        return 0;
    }

    return 1;
}


static size_t
vectors_object(const json_t *object, podi_pair_t *pairs)
{
    void    *iter;
    json_t  *o = (json_t *) (uintptr_t) object;
    size_t   n = 0;

    for (iter = json_object_iter(o);
         iter != NULL && n < PODI_SIGN_PAIRS_MAX;
         iter = json_object_iter_next(o, iter))
    {
        pairs[n].name = podi_str_c(json_object_iter_key(iter));
        pairs[n++].value = podi_json_str(json_object_iter_value(iter));
    }

    return n;
}
