/*
 * vectors_suite: the AWS4 test suite, whose requests are raw.
 *
 *     request text -> podi_sign_request_t -> both forms -> compare
 *
 * They hold what no real request may (unencoded blanks, folded headers).
 */

#include <string.h>

#include "podi_hash.h"
#include "vectors_sign.h"
#include "banned.h"


static int vectors_suite_form(vectors_t *v, int in_query,
    const json_t *expected, podi_str_t *why);
static int vectors_suite_parse(vectors_t *v);
static void vectors_suite_header(vectors_t *v, podi_str_t line);
static void vectors_suite_query(vectors_t *v, podi_str_t query);
static void vectors_suite_own(vectors_t *v, int in_query);


int
vectors_suite(vectors_t *v, const json_t *expected, podi_str_t *why)
{
    return vectors_suite_form(v, 0, json_object_get(expected, "header"), why)
           && vectors_suite_form(v, 1, json_object_get(expected, "query"),
                                 why);
}


static int
vectors_suite_form(vectors_t *v, int in_query, const json_t *expected,
    podi_str_t *why)
{
    podi_str_t      s;
    podi_buf_t      b;
    const json_t   *context, *keys;
    unsigned char   digest[PODI_SHA256_LEN];

    context = json_object_get(v->input, "context");
    keys = json_object_get(context, "credentials");

    s = vectors_str(keys, "secret_access_key");

    if (!vectors_secret(v, &s)) {
        return 0;
    }

    v->cred.access_key = vectors_str(keys, "access_key_id");
    v->cred.region = vectors_str(context, "region");
    v->cred.service = vectors_str(context, "service");

    v->token = vectors_str(keys, "token");

    if (json_is_true(json_object_get(context, "omit_session_token"))) {
        v->token.len = 0;               /* added after the signing */
    }

    s = vectors_str(context, "timestamp");

    if (podi_time_parse(&s, &v->req.time) != PODI_OK
        || !vectors_suite_parse(v))
    {
        *why = podi_str_c("the raw request cannot be parsed");
        return 0;
    }

    v->req.generic = 1;
    v->req.normalize = json_is_true(json_object_get(context, "normalize"));

    if (podi_sha256(&v->body, digest) != PODI_OK) {
        return 0;
    }

    podi_buf_init(&b, v->mem);
    podi_buf_add_hex(&b, digest, sizeof(digest));

    if (podi_buf_take(&b, &v->req.payload_hash) != PODI_OK) {
        return 0;
    }

    vectors_suite_own(v, in_query);

    return vectors_compare(v, &podi_sign_aws4, expected, why);
}


/* METHOD SP target SP version LF headers LF LF body; the target may hold SP */

static int
vectors_suite_parse(vectors_t *v)
{
    size_t      skip;
    podi_str_t  rest, line, target, path;

    v->req.n_query = 0;
    v->req.n_headers = 0;
    rest = vectors_str(v->input, "raw_request");

    skip = sizeof(" HTTP/1.1") - 1;

    if (!podi_str_split(&rest, '\n', &target)
        || !podi_str_split(&target, ' ', &v->req.method)
        || target.len < skip)
    {
        return 0;
    }

    target.len -= skip;

    if (!podi_str_split(&target, '?', &path)) {
        return 0;
    }

    v->req.path = path;
    vectors_suite_query(v, target);

    while (podi_str_split(&rest, '\n', &line) && line.len) {
        vectors_suite_header(v, line);
    }

    v->body = rest;

    return 1;
}


static void
vectors_suite_header(vectors_t *v, podi_str_t line)
{
    podi_buf_t    b;
    podi_str_t    name;
    podi_pair_t  *last;

    if (line.data[0] != ' ') {
        (void) podi_str_split(&line, ':', &name);
        v->headers[v->req.n_headers].name = name;
        v->headers[v->req.n_headers].value = line;
        v->req.n_headers++;
        return;
    }

    /* folded: goes on with the value before it */

    last = &v->headers[v->req.n_headers - 1];

    podi_buf_init(&b, v->mem);
    podi_buf_add_str(&b, &last->value);
    podi_buf_add_str(&b, &line);

    if (podi_buf_take(&b, &last->value) != PODI_OK) {
        last->value.len = 0;
    }
}


static void
vectors_suite_query(vectors_t *v, podi_str_t query)
{
    podi_str_t    part, name;
    podi_pair_t  *pair;

    while (podi_str_split(&query, '&', &part)) {
        (void) podi_str_split(&part, '=', &name);

        pair = &v->query[v->req.n_query++];
        pair->name = vectors_decode(v->mem, name);
        pair->value = vectors_decode(v->mem, part);
    }
}


/* what the signer adds to the request by itself */

static void
vectors_suite_own(vectors_t *v, int in_query)
{
    const json_t      *context;
    podi_str_t         date, s, scope;
    unsigned char      text[PODI_AMZ_DATE_LEN];
    podi_signature_t   sig;

    context = json_object_get(v->input, "context");

    podi_time_amz(v->req.time, text);
    date.data = text;
    date.len = sizeof(text);

    if (podi_mem_dup(v->mem, &date, &date) != PODI_OK) {
        return;
    }

    v->req.query = v->query;
    v->req.headers = v->headers;

    if (!in_query) {
        vectors_put(v->headers, &v->req.n_headers, "X-Amz-Date", date);

        if (json_is_true(json_object_get(context, "sign_body"))) {
            vectors_put(v->headers, &v->req.n_headers,
                        "X-Amz-Content-Sha256", v->req.payload_hash);
        }

        if (v->token.len) {
            vectors_put(v->headers, &v->req.n_headers,
                        "X-Amz-Security-Token", v->token);
        }

        return;
    }

    /* signed once without them, for the scope and the names */

    if (podi_sign(&podi_sign_aws4, &v->cred, &v->req, v->mem, &sig)
        != PODI_OK
        || podi_mem_printf(v->mem, &scope, PODI_STR_FMT "/" PODI_STR_FMT,
                           podi_str_arg(&v->cred.access_key),
                           podi_str_arg(&sig.scope)) != PODI_OK
        || podi_mem_printf(v->mem, &s, "%lld",
                           json_integer_value(json_object_get(context,
                               "expiration_in_seconds"))) != PODI_OK)
    {
        return;
    }

    vectors_put(v->query, &v->req.n_query, "X-Amz-Algorithm",
                podi_str_c("AWS4-HMAC-SHA256"));
    vectors_put(v->query, &v->req.n_query, "X-Amz-Credential", scope);
    vectors_put(v->query, &v->req.n_query, "X-Amz-Date", date);
    vectors_put(v->query, &v->req.n_query, "X-Amz-Expires", s);
    vectors_put(v->query, &v->req.n_query, "X-Amz-SignedHeaders",
                sig.signed_headers);

    if (v->token.len) {
        vectors_put(v->query, &v->req.n_query, "X-Amz-Security-Token",
                    v->token);
    }
}
