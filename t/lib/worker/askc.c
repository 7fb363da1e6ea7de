/*
 * askc: what a description makes of params, and of answers, for the tests.
 *
 *     askc FILE OPERATION STEP < JSON
 *
 * {"params","inputs","remote","job","now","nonce"} gives the request as JSON;
 * with {"reply": {"status","sent","headers":[[n,v]],"body"}} it gives the
 * answer.  Keys are the fake provider's.  Exit 1: a sentence on stdout.
 */

#include <stdio.h>
#include <string.h>

#include "podi_base64.h"
#include "podi_provider.h"
#include "banned.h"

#define ASK_MAX  (32 * 1024 * 1024)


static int ask_request(const podi_provider_op_t *op,
    podi_provider_step_e step, const json_t *in, podi_mem_t *mem);
static int ask_answer(const podi_provider_op_t *op,
    podi_provider_step_e step, const json_t *reply, podi_mem_t *mem);
static json_t *ask_str(const podi_str_t *s);
static podi_str_t ask_read(FILE *f, podi_mem_t *mem);


int
main(int argc, char **argv)
{
    int                              i, code;
    FILE                            *f;
    json_t                          *in;
    podi_mem_t                      *mem;
    podi_str_t                       text, name;
    podi_fail_t                      fail;
    podi_arena_t                    *arena;
    podi_provider_t                 *p;
    const podi_provider_op_t        *op;
    static const char *const         steps[] = {
        "submit", "poll", "result", "cancel"
    };
    static const podi_json_limit_t   limit = { ASK_MAX, 0 };

    if (argc != 4 || (f = fopen(argv[1], "rb")) == NULL) {
        (void) fprintf(stderr, "usage: askc FILE OPERATION STEP < JSON\n");
        return 2;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return 2;
    }

    mem = podi_arena_mem(arena);
    text = ask_read(f, mem);
    (void) fclose(f);
    name = podi_str_c(argv[2]);

    for (i = 0; i < 3 && strcmp(argv[3], steps[i]) != 0; i++) {
        /* void */
    }

    code = 1;

    if (podi_provider_load(argv[1], &text, mem, &p, &fail) != PODI_OK) {
        (void) printf("%s\n", fail.detail);
        goto out;
    }

    text = ask_read(stdin, mem);
    op = podi_provider_op(p, &name);

    if (op == NULL || podi_json_parse(&text, &limit, mem, &in, &fail)
                      != PODI_OK)
    {
        (void) printf("no such operation, or no JSON\n");
        goto out;
    }

    code = json_object_get(in, "reply") != NULL
           ? ask_answer(op, (podi_provider_step_e) i,
                        json_object_get(in, "reply"), mem)
           : ask_request(op, (podi_provider_step_e) i, in, mem);

out:

    podi_arena_free(&arena);

    return code;
}


static int
ask_request(const podi_provider_op_t *op, podi_provider_step_e step,
    const json_t *in, podi_mem_t *mem)
{
    size_t                    i;
    json_t                   *out, *list;
    podi_str_t                s;
    podi_fail_t               fail;
    podi_secret_t            *plain, *pair;
    podi_provider_ask_t       ask;
    podi_provider_key_t       keys[1];
    podi_provider_request_t   r;

    s = podi_str_c("test-key");

    if (podi_secret_make(mem, &s, &plain) != PODI_OK) {
        return 2;
    }

    s = podi_str_c("test-sk");

    if (podi_secret_make(mem, &s, &pair) != PODI_OK) {
        return 2;
    }

    /* signing kinds have both halves of a pair, the others one key */

    keys[0].name = podi_str_c("api");
    keys[0].access_key = podi_str_c("test-ak");
    keys[0].secret = json_object_get(in, "pair") != NULL ? pair : plain;

    memset(&ask, 0, sizeof(ask));
    ask.params = json_object_get(in, "params");
    ask.inputs = json_object_get(in, "inputs");
    ask.remote = json_object_get(in, "remote");
    ask.job = json_object_get(in, "job");
    ask.now = json_integer_value(json_object_get(in, "now")) * 1000000;
    ask.nonce = podi_json_str(json_object_get(in, "nonce"));
    ask.keys = keys;
    ask.n_keys = 1;

    if (podi_provider_request(op, step, &ask, mem, &r, &fail) != PODI_OK) {
        (void) printf("%s\n", fail.detail);
        return 1;
    }

    out = json_object();
    (void) json_object_set_new(out, "method", ask_str(&r.method));
    (void) json_object_set_new(out, "url", ask_str(&r.url));
    (void) json_object_set_new(out, "body", ask_str(&r.body));

    list = json_array();
    (void) json_object_set_new(out, "headers", list);

    for (i = 0; i < r.n_headers; i++) {
        (void) json_array_append_new(list, json_pack("[o,o]",
                                         ask_str(&r.headers[i].name),
                                         ask_str(&r.headers[i].value)));
    }

    if (r.kind == PODI_BODY_MULTIPART) {
        list = json_array();
        (void) json_object_set_new(out, "parts", list);

        for (i = 0; i < r.n_parts; i++) {
            (void) json_array_append_new(list, json_pack("[o,o,i]",
                                             ask_str(&r.parts[i].name),
                                             ask_str(&r.parts[i].value),
                                             r.parts[i].input));
        }
    }

    (void) json_dumpf(out, stdout, JSON_COMPACT);
    json_decref(out);

    return 0;
}


static int
ask_answer(const podi_provider_op_t *op, podi_provider_step_e step,
    const json_t *given, podi_mem_t *mem)
{
    size_t                   i;
    json_t                  *out, *list, *pair;
    podi_str_t               body;
    podi_pair_t              headers[64];
    podi_provider_reply_t    reply;
    podi_provider_answer_t   a;

    memset(&reply, 0, sizeof(reply));
    reply.status = (unsigned) json_integer_value(json_object_get(given,
                                                                 "status"));
    reply.sent = json_is_true(json_object_get(given, "sent"));
    reply.headers = headers;
    list = json_object_get(given, "headers");

    for (i = 0; i < json_array_size(list) && i < 64; i++) {
        pair = json_array_get(list, i);
        headers[i].name = podi_json_str(json_array_get(pair, 0));
        headers[i].value = podi_json_str(json_array_get(pair, 1));
        reply.n_headers++;
    }

    body = podi_json_str(json_object_get(given, "body"));

    if (podi_base64_decode(mem, &body, &reply.body) != PODI_OK
        || podi_provider_answer(op, step, &reply, mem, &a) != PODI_OK)
    {
        return 2;
    }

    out = json_pack("{s:s,s:s,s:i,s:o,s:o,s:o,s:o,s:o,s:i}",
                    "class", podi_provider_class_name(a.class),
                    "state", podi_remote_name(a.state),
                    "after", (int) a.retry_after, "id", ask_str(&a.id),
                    "poll_url", ask_str(&a.poll_url),
                    "cancel_url", ask_str(&a.cancel_url),
                    "result_url", ask_str(&a.result_url),
                    "code", ask_str(&a.code), "missing", (int) a.n_missing);
    list = json_array();
    (void) json_object_set_new(out, "items", list);

    for (i = 0; i < a.n_items; i++) {
        (void) json_array_append_new(list, ask_str(&a.items[i].value));
    }

    (void) json_dumpf(out, stdout, JSON_COMPACT);
    json_decref(out);

    return 0;
}


static json_t *
ask_str(const podi_str_t *s)
{
    return json_stringn(s->len ? (const char *) s->data : "", s->len);
}


static podi_str_t
ask_read(FILE *f, podi_mem_t *mem)
{
    size_t          n;
    podi_buf_t      b;
    podi_str_t      text = podi_null_str;
    unsigned char   part[4096];

    podi_buf_init(&b, mem);

    while ((n = fread(part, 1, sizeof(part), f)) > 0) {
        podi_buf_add(&b, part, n);
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        text.len = 0;
    }

    return text;
}
