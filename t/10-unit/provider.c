/*
 * podi_provider_load: each mistake of a description has its line and member;
 * and its templates: what comes in is a value and never structure.
 */

#include "provider_test.h"
#include "podi_buf.h"
#include "banned.h"


/* good by itself; a case puts one text of it in place of another */

static const char  good[] =
    "{\n"                                                           /* 1 */
    " \"name\": \"x\",\n"
    " \"base_url\": \"https://api.x.test\",\n"
    " \"secrets\": [\"api\", \"hook\"],\n"
    " \"auth\": {\"kind\": \"bearer\", \"secret\": \"api\"},\n"     /* 5 */
    " \"common\": {\n"
    "  \"errors\": [\n"
    "   {\"match\": {\"http\": [418]}, \"class\": \"quota\"},\n"
    "   {\"match\": {\"code_path\": \"e\", \"code_regex\": \"^a|b$\"},"
    " \"class\": \"content\"}\n"
    "  ],\n"                                                        /* 10 */
    "  \"limits\": {\"submit_rps\": 5}\n"
    " },\n"
    " \"operations\": {\n"
    "  \"go\": {\n"
    "   \"params\": {\n"                                            /* 15 */
    "    \"p\": {\"type\": \"string\", \"required\": true},\n"
    "    \"n\": {\"type\": \"integer\", \"min\": 1, \"max\": 4}\n"
    "   },\n"
    "   \"submit\": {\n"
    "    \"url\": \"/go/{{p}}\",\n"                                 /* 20 */
    "    \"query\": {\"q\": \"{{n:integer=2}}\"},\n"
    "    \"headers\": {\"X-Y\": \"z\"},\n"
    "    \"id_path\": \"id\",\n"
    "    \"body\": {\"kind\": \"json\", \"template\": {\n"
    "     \"a\": \"{{p}}\",\n"                                      /* 25 */
    "     \"b\": [1, {\"c\": \"{{n:integer?}}\"}]}}\n"
    "   },\n"
    "   \"poll\": {\n"
    "    \"url\": \"/get/{{remote.id}}\",\n"
    "    \"state\": {\"from\": \"json_path\", \"path\": \"s\",\n"   /* 30 */
    "     \"map\": {\"ok\": \"done\"}},\n"
    "    \"schedule\": {\"first_ms\": 100, \"factor\": 1.5,"
    " \"max_ms\": 5000}\n"
    "   },\n"
    "   \"result\": {\"items_path\": \"o[*].url\","
    " \"item_kind\": \"url\"}\n"
    "  }\n"                                                         /* 35 */
    " },\n"
    " \"webhook\": {\"verify\": {\"kind\": \"hmac_header\","
    " \"secret\": \"hook\", \"header\": \"X-S\"}}\n"
    "}\n";

static const struct {
    const char  *from;
    const char  *to;
    const char  *want;                  /* line:column: member: sentence */
}  typos[] = {
    { "\"name\"", "\"nane\"", "2:2: nane: there is no such member here" },
    { "\"x\"", "7", "2:10: name: it must be a string" },
    { "\"x\"", "\"X Y\"", "2:10: name: it may have a-z, 0-9, _ and - only" },
    { " \"name\": \"x\",\n", "", "1:1: file: \"name\" is missing" },
    { "https://api.x.test", "ftp://x", "3:14: base_url: it must be http(s)"
      "://host, perhaps with a path, without a / at its end" },
    { "https://api.x.test", "https://u@x", "3:14: base_url: " },
    { "\"kind\": \"bearer\"", "\"kind\": \"magic\"", "5:19: auth.kind: it "
      "must be one of: none, bearer, key_prefix, header, query, v4, rpc_v1, "
      "acs3" },
    { "\"secret\": \"api\"", "\"secret\": \"sk_live\"", "5:39: auth.secret: "
      "it is not among the names in secrets" },
    { "\"secret\": \"api\"", "\"secret\": \"Sk-1234\"", "5:39: auth.secret: "
      "it may have a-z, 0-9, _ and - only" },
    { ", \"secret\": \"api\"", "", "5:10: auth: \"secret\" is missing" },
    { "\"quota\"", "\"poor\"", "8:40: common.errors[0].class: it must be one "
      "of: ok, retryable, throttled, quota, auth, content, invalid, unknown, "
      "expired" },
    { "[418]", "[99]", "8:24: common.errors[0].match.http[0]: it must be an "
      "integer, 100 to 599" },
    { "[418]", "418", "8:23: common.errors[0].match.http: it must be an "
      "array of 1 to 8 statuses" },
    { ", \"class\": \"quota\"", "", "8:4: common.errors[0]: its class is "
      "missing" },
    { "[418]}, \"class\": \"quota\"", "[418, 504]}, \"class\": "
      "\"retryable\"", "8:4: common.errors[0]: after a submit without an "
      "idempotency_header 504 means unknown, and not retryable" },
    { "{\"http\": [418]}", "{}", "8:14: common.errors[0].match: it would "
      "match every answer: http, code_regex or header is missing" },
    { "^a|b$", "^(a", "9:47: common.errors[1].match.code_regex: no regular "
      "expression: Unmatched ( or \\(" },
    { "^a|b$", "a{9}", "9:47: common.errors[1].match.code_regex: neither "
      "{n,m} nor \\1 may be in a regular expression" },
    { "\"code_path\": \"e\"", "\"code_path\": \"e[\"", "9:28: common.errors"
      "[1].match.code_path: a path with a [ that does not end" },
    { "\"submit_rps\": 5", "\"submit_rps\": 0", "11:28: common.limits."
      "submit_rps: it must be an integer, 1 to 10000" },
    { "\"submit_rps\": 5", "\"submit_rpm\": 5", "11:14: common.limits."
      "submit_rpm: there is no such member here" },
    { "\"p\": {\"type\"", "\"job\": {\"type\"", "16:5: operations.go.params."
      "job: a param cannot have this name" },
    { "\"type\": \"string\"", "\"type\": \"text\"", "16:19: operations.go."
      "params.p.type: it must be one of: string, integer, number, boolean, "
      "object, array" },
    { "\"min\": 1", "\"min\": 9", "17:10: operations.go.params.n: its min is "
      "above its max" },
    { "\"max\": 4}", "\"max\": 4, \"default\": 5}", "17:10: operations.go."
      "params.n: its default is none that it may have" },
    { "/go/{{p}}", "go/{{p}}", "19:14: operations.go.submit: its url must "
      "begin with a /, or be one {{remote. }} alone" },
    { "/go/{{p}}", "/go?a={{p}}", "19:14: operations.go.submit: what follows "
      "a ? of a URL goes to query" },
    { "/go/{{p}}", "/go/{{p", "20:12: operations.go.submit.url: a {{ that "
      "does not end" },
    { "/go/{{p}}", "/go/{{pp}}", "20:12: operations.go.submit.url: the "
      "operation go has no variable \"pp\"" },
    { "/go/{{p}}", "/go/{{job.secret}}", "20:12: operations.go.submit.url: "
      "the operation go has no variable \"job\"" },
    { "{{n:integer=2}}", "{{n:integer=x}}", "21:20: operations.go.submit."
      "query.q: the fallback of a variable is no integer" },
    { "{{n:integer=2}}", "{{n:int}}", "21:20: operations.go.submit.query.q: "
      "\"int}}\" is no type of a variable" },
    { "{{n:integer=2}}", "a{{n:object}}", "21:20: operations.go.submit."
      "query.q: object cannot stand in a text" },
    { "{{n:integer=2}}", "{{n?x}}", "21:20: operations.go.submit.query.q: "
      "nothing can follow the ? of a variable" },
    { "{{n:integer=2}}", "{{}}", "21:20: operations.go.submit.query.q: a "
      "variable with an empty path" },
    { "{{n:integer=2}}", "{{n:path}}", "21:20: operations.go.submit.query.q:"
      " path is for URLs only" },
    { "\"X-Y\"", "\"X Y\"", "22:17: operations.go.submit.headers.X Y: it is "
      "no name of a header" },
    { "\"X-Y\"", "\"Authorization\"", "19:14: operations.go.submit: the "
      "header authorization cannot be given" },
    { "\"id_path\": \"id\",\n    \"body\"", "\"body\"", "19:14: operations."
      "go.submit: \"id_path\" is missing, which poll needs" },
    { "\"kind\": \"json\"", "\"kind\": \"xml\"", "24:22: operations.go."
      "submit.body.kind: it must be one of: json, form, multipart" },
    { "\"kind\": \"json\"", "\"kind\": \"form\"", "24:13: operations.go."
      "submit.body: a form has fields only" },
    { "{{n:integer?}}", "{{m:integer?}}", "26:21: operations.go.submit.body."
      "template.b[1].c: the operation go has no variable \"m\"" },
    { "\"url\": \"/get/{{remote.id}}\",\n", "", "28:12: operations.go.poll: "
      "\"url\" is missing" },
    { "json_path", "header", "30:23: operations.go.poll.state.from: it must "
      "be one of: json_path, http_status" },
    { "\"json_path\", \"path\": \"s\"", "\"json_path\"", "30:14: operations."
      "go.poll.state: a path goes with json_path, and with nothing else" },
    { "\"done\"", "\"finished\"", "31:20: operations.go.poll.state.map.ok: "
      "it must be one of: queued, running, done, failed, canceled, lost" },
    { "1.5", "0.5", "32:45: operations.go.poll.schedule.factor: it must be a "
      "number, 1 to 10" },
    { "\"first_ms\": 100", "\"first_ms\": 9000", "28:12: operations.go.poll: "
      "its first_ms is above its max_ms" },
    { "\"items_path\": \"o[*].url\", ", "", "34:14: operations.go.result: "
      "\"items_path\" is missing" },
    { "o[*].url", "o[x].url", "34:29: operations.go.result.items_path: a "
      "path with neither a number nor * in its [ ]" },
    { "o[*].url", "o..url", "34:29: operations.go.result.items_path: a path "
      "with an empty name" },
    { "\"item_kind\": \"url\"", "\"item_kind\": \"file\"", "34:54: "
      "operations.go.result.item_kind: it must be one of: url, base64, "
      "bytes, inline_json" },
    { "\"header\": \"X-S\"", "\"prefix\": \"s\"", "37:13: webhook: \"verify."
      "header\" is missing" },
    { "\"hmac_header\"", "\"none\"", "37:33: webhook.verify.kind: it must be "
      "one of: standard_webhooks, fal_ed25519, hmac_header, path_token" },
    { "\"webhook\": {", "\"webhook\": {\"inject\": {\"where\": \"body\", "
      "\"name\": \"b\"}, ", "19:14: operations.go.submit: its body has \"b\" "
      "already, which webhook puts there" },
    { "\"go\": {", "\"Go\": {", "14:3: operations.Go: its name may have a-z, "
      "0-9 and _ only" },
    { "\"name\": \"x\"", "\"name\": \"x\", \"name\": \"y\"", "file: a member "
      "occurs twice" },
    { " \"base_url\"", " base_url", "3:5: file: a syntax error" },
};


static podi_str_t put(podi_mem_t *mem, const char *from, const char *to);
static void test_typos(podi_mem_t *mem);
static void test_where(podi_mem_t *mem);
static void test_templates(podi_mem_t *mem);
static void test_hostile(podi_mem_t *mem);
static void test_bounds(podi_mem_t *mem);


/* `good` with one place of it changed */

static podi_str_t
put(podi_mem_t *mem, const char *from, const char *to)
{
    const char  *at;

    at = strstr(good, from);

    if (at == NULL) {
        (void) ok(0, "nothing to replace: %s", from);
        return str(good);
    }

    return text_of(mem, "%.*s%s%s", (int) (at - good), good, to,
                   at + strlen(from));
}


static void
test_typos(podi_mem_t *mem)
{
    size_t            i;
    podi_rc_t         rc;
    podi_str_t        text;
    podi_fail_t       fail;
    podi_provider_t  *p;

    text = str(good);
    rc = podi_provider_load("t.json", &text, mem, &p, &fail);
    ok(rc == PODI_OK, "the description without mistakes: %s",
       rc == PODI_OK ? "" : fail.detail);

    for (i = 0; i < sizeof(typos) / sizeof(typos[0]); i++) {

        text = put(mem, typos[i].from, typos[i].to);
        rc = podi_provider_load("t.json", &text, mem, &p, &fail);

        if (!ok(rc == PODI_ERROR && fail.error == PODI_E_CONFIG
                && strncmp(fail.detail, "t.json:", 7) == 0
                && strstr(fail.detail, typos[i].want) != NULL,
                "mistake %zu: %s", i, typos[i].want))
        {
            printf("#  got %s\n", rc ? fail.detail : "OK");
        }
    }
}


static void
test_where(podi_mem_t *mem)
{
    podi_str_t        text;
    podi_fail_t       fail;
    podi_provider_t  *p;

    text = str("{\"name\":\"x\",\n\"base_url\":\"https://x\", \"a\\\"b\": {"
               "\"c\\\\\": \"}]\"},\n  \"\xe4\xbd\x99\": 1}");

    is_fail(podi_provider_load("t.json", &text, mem, &p, &fail), &fail,
            PODI_E_CONFIG, "a\"b", "a name that is escaped in the file");

    text = str("{\"name\":\"x\", \"network\": {\"\xe4\xbd\x99\": [\"}\"], "
               "\"no\": 1}}");
    is_fail(podi_provider_load("t.json", &text, mem, &p, &fail), &fail,
            PODI_E_CONFIG, NULL, "a name of other letters");
    ok(strstr(fail.detail, "t.json:1:26: network.") != NULL,
       "a column counts characters: %s", fail.detail);

    text = str("{\"name\":\"x\",\"base_url\":\"https://x\",\n"
               "\"operations\":{}}");
    is_fail(podi_provider_load("t.json", &text, mem, &p, &fail), &fail,
            PODI_E_CONFIG, "operations", "no operation at all");
    ok(strstr(fail.detail, "t.json:2:14: ") != NULL, "%s", fail.detail);

    text = text_of(mem, "{\"operations\":%0*d", 4000, 1);
    is_fail(podi_provider_load("t.json", &text, mem, &p, &fail), &fail,
            PODI_E_CONFIG, "file", "no JSON");

    text = str("{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}");
    is_fail(podi_provider_load("t.json", &text, mem, &p, &fail), &fail,
            PODI_E_CONFIG, "file", "nested too deep");
}


/* a template, what it is filled with, and what comes out ("!": BAD_FIELD) */

static const struct {
    const char  *template;
    const char  *params;
    const char  *want;
}  fills[] = {
    { "{\"a\":\"{{s}}\"}", "{\"s\":\"x\"}", "{\"a\":\"x\"}" },
    { "{\"a\":\"<{{s}}>\"}", "{\"s\":\"x\"}", "{\"a\":\"<x>\"}" },
    { "{\"a\":\"{{s}}{{s}}\"}", "{\"s\":\"x\"}", "{\"a\":\"xx\"}" },
    { "{\"a\":\"{{s}}\"}", "{}", "!s" },
    { "{\"a\":\"{{s?}}\",\"b\":1}", "{}", "{\"b\":1}" },
    { "{\"b\":1,\"a\":\"{{s?}}\"}", "{}", "{\"b\":1}" },
    { "{\"a\":\"x{{s?}}\",\"b\":1}", "{}", "{\"b\":1}" },
    { "{\"a\":[1,\"{{s?}}\",2]}", "{}", "{\"a\":[1,2]}" },
    { "{\"a\":{\"b\":\"{{s?}}\"}}", "{}", "{\"a\":{}}" },
    { "{\"a\":\"{{s?}}\"}", "{\"s\":null}", "{}" },
    { "{\"a\":\"{{s=yes}}\"}", "{}", "{\"a\":\"yes\"}" },
    { "{\"a\":\"{{s=a?b}}\"}", "{}", "{\"a\":\"a?b\"}" },
    { "{\"a\":\"{{s=}}\"}", "{}", "{\"a\":\"\"}" },
    { "{\"a\":\"{{i:integer}}\"}", "{\"i\":7}", "{\"a\":7}" },
    { "{\"a\":\"{{s:integer}}\"}", "{\"s\":\"-7\"}", "{\"a\":-7}" },
    { "{\"a\":\"{{s:integer}}\"}", "{\"s\":\"7x\"}", "!s" },
    { "{\"a\":\"{{i:integer=9}}\"}", "{}", "{\"a\":9}" },
    { "{\"a\":\"{{i}}x{{i}}\"}", "{\"i\":64}", "{\"a\":\"64x64\"}" },
    { "{\"a\":\"{{f:number}}\"}", "{\"f\":0.5}", "{\"a\":0.5}" },
    { "{\"a\":\"{{s:number}}\"}", "{\"s\":\"1e2\"}", "{\"a\":100.0}" },
    { "{\"a\":\"{{s:number}}\"}", "{\"s\":\"[1]\"}", "!s" },
    { "{\"a\":\"{{b:boolean}}\"}", "{\"b\":false}", "{\"a\":false}" },
    { "{\"a\":\"{{s:boolean}}\"}", "{\"s\":\"true\"}", "{\"a\":true}" },
    { "{\"a\":\"{{s:boolean}}\"}", "{\"s\":\"yes\"}", "!s" },
    { "{\"a\":\"{{o:object}}\"}", "{\"o\":{\"x\":[1,\"2\"]}}",
      "{\"a\":{\"x\":[1,\"2\"]}}" },
    { "{\"a\":\"{{l:array}}\"}", "{\"l\":[]}", "{\"a\":[]}" },
    { "{\"a\":\"{{o:array}}\"}", "{\"o\":{}}", "!o" },
    { "{\"a\":\"{{l:json}}\"}", "{\"l\":[null]}", "{\"a\":[null]}" },
    { "{\"a\":\"{{o.x[1].y}}\"}", "{\"o\":{\"x\":[0,{\"y\":\"z\"}]}}",
      "{\"a\":\"z\"}" },
    { "{\"a\":\"{{o}}\"}", "{\"o\":{}}", "!o" },
    { "{\"a\":\"{{s|t}}\"}", "{\"t\":\"y\"}", "{\"a\":\"y\"}" },
    { "{\"a\":\"{{s|t}}\"}", "{\"s\":\"x\",\"t\":\"y\"}", "{\"a\":\"x\"}" },
    { "{\"a\":\"{{s|t=z}}\"}", "{}", "{\"a\":\"z\"}" },
    { "{\"a\":\"{{ s | t ?}}\"}", "{}", "{}" },
    { "{\"a\":\"{{input[0].url}}\"}", "{}", "{\"a\":\"https://i/0\"}" },
    { "{\"a\":\"{{input[2].url?}}\"}", "{}", "{}" },
    { "{\"a\":\"{{input_urls:array}}\"}", "{}",
      "{\"a\":[\"https://i/0\",\"https://i/1\"]}" },
    { "{\"a\":\"{{remote.id|s}}\"}", "{\"s\":\"x\"}", "{\"a\":\"x\"}" },
    { "{\"a\":\"{{job.key}}\"}", "{}", "{\"a\":\"k1\"}" },
    { "{\"a\":[true,null,-1.5,\"}}\"]}", "{}",
      "{\"a\":[true,null,-1.5,\"}}\"]}" },
    { "{\"a\":\"\"}", "{}", "{\"a\":\"\"}" },
    { "{\"a\\\"b\":\"{{s}}\"}", "{\"s\":\"x\"}", "{\"a\\\"b\":\"x\"}" },
};


static const podi_provider_op_t *
op_with(podi_mem_t *mem, const char *template)
{
    return provider_op_of(mem, text_of(mem,
        "{\"name\":\"x\",\"base_url\":\"https://x.test\",\"operations\":"
        "{\"go\":{\"params\":{\"s\":{\"type\":\"string\"},"
        "\"t\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},"
        "\"f\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"},"
        "\"o\":{\"type\":\"object\"},\"l\":{\"type\":\"array\"}},"
        "\"submit\":{\"url\":\"/a\",\"body\":{\"kind\":\"json\","
        "\"template\":%s}},\"result\":{\"items_path\":\"x\"}}}}", template),
        "go");
}


static void
test_templates(podi_mem_t *mem)
{
    size_t                    i;
    podi_rc_t                 rc;
    podi_fail_t               fail;
    podi_provider_ask_t       ask;
    podi_provider_request_t   r;

    memset(&ask, 0, sizeof(ask));
    ask.inputs = provider_json(mem, "[{\"url\":\"https://i/0\"},"
                               "{\"url\":\"https://i/1\"}]");
    ask.job = provider_json(mem, "{\"key\":\"k1\"}");

    for (i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {

        ask.params = provider_json(mem, fills[i].params);
        rc = podi_provider_request(op_with(mem, fills[i].template),
                                   PODI_PROVIDER_SUBMIT, &ask, mem, &r,
                                   &fail);

        if (fills[i].want[0] == '!') {
            is_fail(rc, &fail, PODI_E_BAD_FIELD, fills[i].want + 1,
                    fills[i].template);
            continue;
        }

        if (rc != PODI_OK) {
            ok(0, "%s: %s", fills[i].template, fail.detail);
            continue;
        }

        is_str(r.body, fills[i].want, fills[i].template);
    }
}


static const char *const  hostile[] = {
    "\"", "\\", "\\\"", "\"}", "\",\"x\":\"", "{{t}}", "{{", "}}",
    "{\"a\":1}", "]}", "\x01\x1f\x7f", "\r\nX: y", "\t", "%00", "\xe2\x80\xa8",
    "\xf0\x9f\x98\x80", "</script>", "${t}", "'; --", "\\u0022",
};


/* JSON out is JSON in: the same members, and the text as it was given */

static void
test_hostile(podi_mem_t *mem)
{
    size_t                     i;
    json_t                    *params, *body;
    podi_buf_t                 b;
    podi_str_t                 big, got;
    podi_fail_t                fail;
    podi_provider_ask_t        ask;
    podi_provider_request_t    r;
    const podi_provider_op_t  *op;

    memset(&ask, 0, sizeof(ask));
    op = op_with(mem, "{\"a\":\"{{s}}\",\"b\":\"<{{s}}>\",\"c\":[\"{{s}}\"]}");

    for (i = 0; i <= sizeof(hostile) / sizeof(hostile[0]); i++) {

        if (i < sizeof(hostile) / sizeof(hostile[0])) {
            big = str(hostile[i]);

        } else {
            podi_buf_init(&b, mem);

            while (b.len < 1024 * 1024) {
                podi_buf_add_c(&b, "\"{{t}}\\\n");
            }

            if (podi_buf_take(&b, &big) != PODI_OK) {
                abort();
            }
        }

        params = json_object();
        (void) json_object_set_new(params, "s",
                   json_stringn((char *) big.data, big.len));
        (void) json_object_set_new(params, "t", json_string("T"));
        ask.params = params;

        if (podi_provider_request(op, PODI_PROVIDER_SUBMIT, &ask, mem, &r,
                                  &fail)
            != PODI_OK)
        {
            ok(0, "hostile %zu: %s", i, fail.detail);
            json_decref(params);
            continue;
        }

        body = json_loadb((char *) r.body.data, r.body.len,
                          JSON_REJECT_DUPLICATES, NULL);
        got = podi_json_str(json_object_get(body, "a"));

        ok(json_object_size(body) == 3 && podi_str_eq(&got, &big),
           "hostile %zu comes out as it came in", i);

        got = podi_json_str(json_object_get(body, "b"));
        ok(got.len == big.len + 2 && got.data[0] == '<'
           && memcmp(got.data + 1, big.data, big.len) == 0,
           "hostile %zu within a text", i);

        json_decref(body);
        json_decref(params);
    }
}


static void
test_bounds(podi_mem_t *mem)
{
    json_t                   *params;
    podi_rc_t                 rc;
    podi_fail_t               fail;
    podi_provider_ask_t       ask;
    podi_provider_request_t   r;
    char                     *text;
    const size_t              size = 6 * 1024 * 1024;

    text = podi_mem_alloc(mem, size);
    memset(text, 'a', size);

    params = json_object();
    (void) json_object_set_new(params, "s", json_stringn(text, size));

    memset(&ask, 0, sizeof(ask));
    ask.params = params;

    rc = podi_provider_request(op_with(mem, "{\"a\":\"{{s}}\"}"),
                               PODI_PROVIDER_SUBMIT, &ask, mem, &r, &fail);
    ok(rc == PODI_OK, "6 MB of text are sent");

    rc = podi_provider_request(op_with(mem, "{\"a\":\"{{s}}{{s}}{{s}}\"}"),
                               PODI_PROVIDER_SUBMIT, &ask, mem, &r, &fail);
    is_fail(rc, &fail, PODI_E_BODY_TOO_LARGE, NULL, "18 MB are not");

    json_decref(params);
}


int
main(void)
{
    podi_mem_t    *mem;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_typos(mem);
    test_where(mem);
    test_templates(mem);
    test_hostile(mem);
    test_bounds(mem);

    podi_arena_free(&arena);

    return tap_done();
}
