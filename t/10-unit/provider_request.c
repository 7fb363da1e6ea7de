/*
 * podi_provider_request: what goes out to each of the shipped providers, who
 * signs it, and what no URL, header or key may do.
 */

#include "provider_test.h"
#include "podi_hash.h"
#include "banned.h"


/* 2024-01-02T03:04:05Z */
#define NOW  INT64_C(1704164645000000)


static podi_mem_t               *mem;
static podi_fail_t               fail;
static podi_provider_request_t   r;


/* provider, operation, step, params, url, body (or "NAME=VALUE|..." parts) */

static const struct {
    const char            *provider;
    const char            *op;
    podi_provider_step_e   step;
    const char            *params;
    const char            *method;
    const char            *url;
    const char            *body;
}  shipped[] = {
    { "replicate", "text_to_image", PODI_PROVIDER_SUBMIT,
      "{\"model\":\"black-forest-labs/flux-schnell\",\"prompt\":"
      "\"a \\\"fox\\\"\",\"seed\":7}", "POST",
      "https://api.replicate.com/v1/models/black-forest-labs/flux-schnell"
      "/predictions",
      "{\"input\":{\"prompt\":\"a \\\"fox\\\"\",\"seed\":7},"
      "\"webhook\":\"https://h/t\",\"webhook_events_filter\":"
      "[\"completed\"]}" },
    { "replicate", "upscale", PODI_PROVIDER_SUBMIT, "{\"model\":\"a/b\"}",
      "POST", "https://api.replicate.com/v1/models/a/b/predictions",
      "{\"input\":{\"image\":\"https://i/0\",\"scale\":4},"
      "\"webhook\":\"https://h/t\",\"webhook_events_filter\":"
      "[\"completed\"]}" },
    { "replicate", "text_to_image", PODI_PROVIDER_POLL,
      "{\"model\":\"a/b\",\"prompt\":\"x\"}", "GET",
      "https://api.replicate.com/v1/predictions/r%2F1", "" },
    { "replicate", "text_to_image", PODI_PROVIDER_CANCEL,
      "{\"model\":\"a/b\",\"prompt\":\"x\"}", "POST",
      "https://api.replicate.com/v1/predictions/r/cancel", "" },
    { "fal", "text_to_image", PODI_PROVIDER_SUBMIT,
      "{\"model\":\"fal-ai/flux/dev\",\"prompt\":\"x\"}", "POST",
      "https://queue.fal.run/fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fh%2Ft",
      "{\"prompt\":\"x\",\"num_images\":1}" },
    { "dashscope", "text_to_image", PODI_PROVIDER_SUBMIT,
      "{\"prompt\":\"x\",\"width\":512}", "POST",
      "https://dashscope.aliyuncs.com/api/v1/services/aigc/text2image/"
      "image-synthesis", "{\"model\":\"wanx2.1-t2i-turbo\",\"input\":"
      "{\"prompt\":\"x\"},\"parameters\":{\"size\":\"512*1024\",\"n\":1}}" },
    { "volc_visual", "image_to_image", PODI_PROVIDER_SUBMIT,
      "{\"prompt\":\"x\"}", "POST", "https://visual.volcengineapi.com/?"
      "Action=CVSync2AsyncSubmitTask&Version=2022-08-31",
      "{\"req_key\":\"jimeng_t2i_v40\",\"prompt\":\"x\",\"image_urls\":"
      "[\"https://i/0\",\"https://i/1\"]}" },
    { "volc_visual", "text_to_image", PODI_PROVIDER_POLL,
      "{\"prompt\":\"x\"}", "POST", "https://visual.volcengineapi.com/?"
      "Action=CVSync2AsyncGetResult&Version=2022-08-31",
      "{\"req_key\":\"jimeng_t2i_v40\",\"task_id\":\"r/1\",\"req_json\":"
      "\"{\\\"return_url\\\":true}\"}" },
    { "volc_ark", "text_to_video", PODI_PROVIDER_SUBMIT,
      "{\"model\":\"m\",\"prompt\":\"x\"}", "POST",
      "https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks",
      "{\"model\":\"m\",\"callback_url\":\"https://h/t\",\"content\":"
      "[{\"type\":\"text\",\"text\":\"x\"}]}" },
    { "volc_ark", "text_to_video", PODI_PROVIDER_CANCEL,
      "{\"model\":\"m\",\"prompt\":\"x\"}", "DELETE",
      "https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks/"
      "r%2F1", "" },
    { "stability", "text_to_image", PODI_PROVIDER_SUBMIT,
      "{\"prompt\":\"x\",\"seed\":3}", "POST",
      "https://api.stability.ai/v2beta/stable-image/generate/core",
      "prompt=x|seed=3|output_format=png|" },
    { "stability", "upscale", PODI_PROVIDER_SUBMIT, "{}", "POST",
      "https://api.stability.ai/v2beta/stable-image/upscale/fast",
      "output_format=png|image=#0|" },
    { "openai_images", "edit_image", PODI_PROVIDER_SUBMIT,
      "{\"prompt\":\"x\"}", "POST", "https://api.openai.com/v1/images/edits",
      "model=gpt-image-1|prompt=x|image=#0|mask=#1|" },
    { "openai_images", "text_to_image", PODI_PROVIDER_SUBMIT,
      "{\"prompt\":\"x\",\"count\":2}", "POST",
      "https://api.openai.com/v1/images/generations",
      "{\"model\":\"gpt-image-1\",\"prompt\":\"x\",\"n\":2}" },
    { "openai_chat", "chat", PODI_PROVIDER_SUBMIT,
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\"}],"
      "\"temperature\":0.5}", "POST",
      "https://api.openai.com/v1/chat/completions",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\"}],"
      "\"temperature\":0.5,\"stream\":false}" },
    { "openai_chat", "embeddings", PODI_PROVIDER_SUBMIT,
      "{\"model\":\"m\",\"texts\":[\"a\",\"b\"]}", "POST",
      "https://api.openai.com/v1/embeddings",
      "{\"model\":\"m\",\"input\":[\"a\",\"b\"],"
      "\"encoding_format\":\"float\"}" },
};


static podi_rc_t
ask_for(const podi_provider_op_t *op, podi_provider_step_e step,
    const char *params, const char *remote)
{
    podi_provider_ask_t         ask;
    static podi_provider_key_t  keys[2];

    keys[0] = provider_key(mem, "api", "AKID", "s3cret");
    keys[1] = provider_key(mem, "webhook", "", "whsec_AAAA");

    memset(&ask, 0, sizeof(ask));

    ask.params = provider_json(mem, params);
    ask.inputs = provider_json(mem, "[{\"url\":\"https://i/0\"},"
                               "{\"url\":\"https://i/1\"}]");
    ask.remote = provider_json(mem, remote);
    ask.job = provider_json(mem, "{\"id\":\"j1\",\"key\":\"k1\","
                            "\"webhook_url\":\"https://h/t\"}");
    ask.keys = keys;
    ask.n_keys = 2;
    ask.now = NOW;
    ask.nonce = str("n0nce");

    return podi_provider_request(op, step, &ask, mem, &r, &fail);
}


static podi_str_t
parts_text(void)
{
    char    text[512];
    int     used = 0;
    size_t  i;

    text[0] = '\0';

    for (i = 0; i < r.n_parts; i++) {
        used += r.parts[i].input == -1
                ? snprintf(text + used, sizeof(text) - (size_t) used,
                           PODI_STR_FMT "=" PODI_STR_FMT "|",
                           podi_str_arg(&r.parts[i].name),
                           podi_str_arg(&r.parts[i].value))
                : snprintf(text + used, sizeof(text) - (size_t) used,
                           PODI_STR_FMT "=#%d|",
                           podi_str_arg(&r.parts[i].name), r.parts[i].input);
    }

    return text_of(mem, "%s", text);
}


static void
test_shipped(void)
{
    size_t                     i;
    const char                *name;
    const podi_provider_op_t  *op;

    for (i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {

        op = provider_shipped(mem, shipped[i].provider, shipped[i].op);
        name = (const char *) text_of(mem, "%s %s %d", shipped[i].provider,
                                      shipped[i].op, shipped[i].step).data;

        if (op == NULL
            || ask_for(op, shipped[i].step, shipped[i].params,
                       "{\"id\":\"r/1\",\"cancel_url\":\"https://api."
                       "replicate.com/v1/predictions/r/cancel\"}")
               != PODI_OK)
        {
            ok(0, "%s: %s", name, fail.detail);
            continue;
        }

        is_str(r.method, shipped[i].method, name);
        is_str(r.url, shipped[i].url, name);
        is_str(r.kind == PODI_BODY_MULTIPART ? parts_text() : r.body,
               shipped[i].body, name);
    }
}


/* one description for each kind of key */

static const podi_provider_op_t *
keyed(const char *auth, const char *call)
{
    return provider_op_of(mem, text_of(mem,
        "{\"name\":\"x\",\"base_url\":\"https://x.test\",\"secrets\":"
        "[\"api\"],\"hosts\":[\".ok.test\"],\"auth\":{%s,\"secret\":\"api\"},"
        "\"operations\":{\"go\":{\"params\":{\"m\":{\"type\":\"string\"}},"
        "\"submit\":{%s,\"id_path\":\"id\"},\"poll\":{\"url\":"
        "\"%s\",\"state\":{\"from\":\"http_status\","
        "\"map\":{\"200\":\"done\"}}},\"result\":{\"items_path\":\"x\"}}}}",
        auth, call, strstr(auth, "v4") || strstr(auth, "acs3")
                    || strstr(auth, "rpc") ? "/poll" : "{{remote.poll_url}}"),
        "go");
}


static void
test_keys(void)
{
    const podi_provider_op_t  *op;

    op = keyed("\"kind\":\"bearer\"", "\"url\":\"/\"");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(provider_header_of(&r, "Authorization"), "Bearer s3cret",
           "a bearer");

    op = keyed("\"kind\":\"key_prefix\",\"prefix\":\"Key\"", "\"url\":\"/\"");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(provider_header_of(&r, "Authorization"), "Key s3cret",
           "a prefix of their own");

    op = keyed("\"kind\":\"header\",\"name\":\"X-Key\"", "\"url\":\"/\"");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(provider_header_of(&r, "X-Key"), "s3cret", "a header");

    op = keyed("\"kind\":\"query\",\"name\":\"key\"",
               "\"url\":\"/\",\"query\":{\"a\":\"b c\"}");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(r.url, "https://x.test/?a=b%20c&key=s3cret", "a parameter");

    op = keyed("\"kind\":\"bearer\"", "\"url\":\"/\","
               "\"idempotency_header\":\"Idempotency-Key\"");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(provider_header_of(&r, "Idempotency-Key"), "k1",
           "the key of the attempt");
    ok(podi_provider_facts(op)->repeatable, "with it, it may be repeated");
}


static void
test_signed(void)
{
    podi_str_t                 want;
    const podi_provider_op_t  *op;

    op = provider_shipped(mem, "volc_visual", "text_to_image");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{\"prompt\":\"a red fox\"}",
                   "{}");

    is_str(r.body, "{\"req_key\":\"jimeng_t2i_v40\",\"prompt\":"
           "\"a red fox\"}", "the body of the vector");
    is_str(provider_header_of(&r, "X-Date"), "20240102T030405Z", "X-Date");
    is_str(provider_header_of(&r, "X-Content-Sha256"),
           "a50712614a5ce87b0d6e87a1c7d88f0807b547462c2aa6703e058705c14df1a8",
           "X-Content-Sha256");

    want = str("HMAC-SHA256 Credential=AKID/20240102/cn-north-1/cv/request, "
               "SignedHeaders=content-type;host;x-content-sha256;x-date, "
               "Signature=");
    ok(podi_str_has_prefix(&(podi_str_t){
           provider_header_of(&r, "Authorization").len,
           provider_header_of(&r, "Authorization").data },
           (const char *) want.data)
       && provider_header_of(&r, "Authorization").len == want.len + 64,
       "the head of the signature");

    op = keyed("\"kind\":\"acs3\"", "\"url\":\"/\",\"headers\":"
               "{\"x-acs-action\":\"Go\",\"x-acs-version\":\"2020-01-01\"}");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    is_str(provider_header_of(&r, "x-acs-date"), "2024-01-02T03:04:05Z",
           "x-acs-date");
    is_str(provider_header_of(&r, "x-acs-signature-nonce"), "n0nce",
           "the nonce is the caller's");
    ok(strstr((char *) provider_header_of(&r, "Authorization").data,
              "SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
              "x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=")
       != NULL, "ACS3 signs the host and all of x-acs-*");

    op = keyed("\"kind\":\"rpc_v1\"", "\"url\":\"/\",\"query\":{\"Action\":"
               "\"DescribeRegions\",\"Version\":\"2014-05-26\"}");
    (void) ask_for(op, PODI_PROVIDER_SUBMIT, "{}", "{}");
    ok(strstr((char *) r.url.data, "https://x.test/?Action=DescribeRegions&"
              "Version=2014-05-26&AccessKeyId=AKID&Format=JSON&"
              "SignatureMethod=HMAC-SHA1&SignatureNonce=n0nce&"
              "SignatureVersion=1.0&Timestamp=2024-01-02T03%3A04%3A05Z&"
              "Signature=") == (char *) r.url.data, "RPC v1: all in the query");
}


/* what an answer, a param or a missing key must not bring about */

static const char *const  elsewhere[] = {
    "https://evil.test/p", "https://x.test.evil.test/p", "http://x.test/p",
    "https://x.test:8443/p", "https://x.test@evil.test/p", "file:///etc",
    "https://evil.test#.ok.test/", "https://evil.test\\\\@a.ok.test/",
    "https://ok.test/p", "https://eviliok.test/", "//x.test/p", "",
    "https://169.254.169.254/latest", "https://a.ok.test\\u0000.evil/",
    "http://a.ok.test/p", "https://x.test\\r\\nA: b", "https://[::1]/",
};

static void
test_refused(void)
{
    size_t                     i;
    const char                *remote;
    podi_provider_ask_t        ask;
    const podi_provider_op_t  *op;

    op = keyed("\"kind\":\"bearer\"", "\"url\":\"/a/{{m}}/b\"");

    for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {

        if (strstr(elsewhere[i], "u0000") != NULL) {
            continue;                   /* no JSON of ours has a NUL */
        }

        remote = (const char *) text_of(mem, "{\"poll_url\":\"%s\"}",
                                        elsewhere[i]).data;

        is_fail(ask_for(op, PODI_PROVIDER_POLL, "{}", remote), &fail,
                PODI_E_FORBIDDEN, "remote", elsewhere[i]);
    }

    ok(ask_for(op, PODI_PROVIDER_POLL, "{}",
               "{\"poll_url\":\"https://x.test/p?a=1\"}") == PODI_OK
       && podi_str_eq_c(&r.url, "https://x.test/p?a=1"), "the same origin");
    ok(ask_for(op, PODI_PROVIDER_POLL, "{}",
               "{\"poll_url\":\"https://a.ok.test/p\"}") == PODI_OK,
       "a host of the list");

    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"..\"}", "{}"), &fail,
            PODI_E_BAD_FIELD, "m", "no step up in a path");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"\"}", "{}"), &fail,
            PODI_E_BAD_FIELD, "m", "nor an empty part");
    ok(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"../x?y#z\"}", "{}")
       == PODI_OK
       && podi_str_eq_c(&r.url, "https://x.test/a/..%2Fx%3Fy%23z/b"),
       "what is put into a path stays one part of it");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"q\":1}", "{}"), &fail,
            PODI_E_BAD_FIELD, "q", "an unknown param");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":1}", "{}"), &fail,
            PODI_E_BAD_FIELD, "m", "a param of the wrong type");

    op = keyed("\"kind\":\"bearer\"", "\"url\":\"/{{m:path}}\"");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"a/../b\"}", "{}"),
            &fail, PODI_E_BAD_FIELD, "m", "no step up in several parts");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"/b\"}", "{}"), &fail,
            PODI_E_BAD_FIELD, "m", "no double slash");

    op = keyed("\"kind\":\"bearer\"",
               "\"url\":\"/\",\"headers\":{\"X-M\":\"{{m}}\"}");
    is_fail(ask_for(op, PODI_PROVIDER_SUBMIT, "{\"m\":\"a\\r\\nb: c\"}",
                    "{}"), &fail, PODI_E_BAD_FIELD, "m",
            "no line end in a header");

    memset(&ask, 0, sizeof(ask));
    is_fail(podi_provider_request(op, PODI_PROVIDER_CANCEL, &ask, mem, &r,
                                  &fail), &fail, PODI_E_CONFIG, NULL,
            "a step that it has not");

    ask.params = provider_json(mem, "{\"m\":\"x\"}");
    is_fail(podi_provider_request(op, PODI_PROVIDER_SUBMIT, &ask, mem, &r,
                                  &fail), &fail, PODI_E_CONFIG, NULL,
            "without its key nothing goes out");
    ok(strstr(fail.detail, "\"api\"") != NULL, "the key is named: %s",
       fail.detail);
}


static void
test_facts(void)
{
    const podi_provider_facts_t  *f;
    podi_str_t                    url;
    const podi_provider_op_t     *op;

    op = provider_shipped(mem, "replicate", "upscale");
    f = podi_provider_facts(op);

    is_int(f->inputs, PODI_PROVIDER_INPUT_URL, "its input goes as a URL");
    is_int(f->factor, 150, "the factor, in percent");
    is_int(f->deadline_s, 1800, "its deadline");
    is_int(f->per_minute, 600, "a limit");
    ok(f->has_poll && f->has_cancel && f->has_webhook && !f->has_result
       && !f->repeatable, "what it has");

    url = str("https://x.replicate.delivery/a.png");
    ok(podi_provider_may_fetch(op, &url), "a result of their host");
    url = str("https://169.254.169.254/latest/meta-data");
    ok(!podi_provider_may_fetch(op, &url), "no result of another");
    url = str("http://x.replicate.delivery/a.png");
    ok(!podi_provider_may_fetch(op, &url), "nor a plain one");

    f = podi_provider_facts(provider_shipped(mem, "stability", "upscale"));
    is_int(f->inputs, PODI_PROVIDER_INPUT_FILE, "its input goes as a file");
    ok(!f->has_poll && f->result == PODI_RESULT_BYTES, "it answers at once");

    f = podi_provider_facts(provider_shipped(mem, "dashscope",
                                             "text_to_image"));
    is_int(f->cancel_states, 1 << PODI_REMOTE_QUEUED,
           "only what is queued can be canceled");
}


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_shipped();
    test_keys();
    test_signed();
    test_refused();
    test_facts();

    podi_arena_free(&arena);

    return tap_done();
}
