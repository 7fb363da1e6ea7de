/*
 * podi_json: what is refused, and reading by a table.
 */

#include "tap.h"
#include "podi_json.h"
#include "banned.h"


typedef struct {
    podi_str_t    name;
    int64_t       n;
    int           on;
    podi_id_t     id;
    podi_usec_t   at;
    json_t       *params;
    json_t       *items;
} thing_t;


static const podi_json_field_t  fields[] = {
    { "name", PODI_JSON_STR, offsetof(thing_t, name), PODI_JSON_REQUIRED,
      1, 4, NULL },
    { "n", PODI_JSON_INT64, offsetof(thing_t, n), 0, 1, 100, "20" },
    { "on", PODI_JSON_BOOL, offsetof(thing_t, on), 0, 0, 0, "true" },
    { "id", PODI_JSON_ID, offsetof(thing_t, id), 0, 0, 0,
      "018f0000-0000-7000-8000-000000000000" },
    { "at", PODI_JSON_TIME, offsetof(thing_t, at), PODI_JSON_NULLABLE, 0, 0,
      "1970-01-01T00:00:01Z" },
    { "params", PODI_JSON_OBJECT, offsetof(thing_t, params), 0, 0, 0, NULL },
    { "items", PODI_JSON_ARRAY, offsetof(thing_t, items), 0, 1, 2, NULL },
    podi_null_json_field
};

static const struct {
    const char  *text;
    const char  *field;         /* NULL: accepted */
}  reads[] = {
    { "{\"name\":\"x\"}", NULL },
    { "{\"name\":\"余额不足\"}", NULL },
    { "{\"name\":\"x\",\"n\":1,\"on\":false,\"at\":null,\"params\":{},"
      "\"items\":[1]}", NULL },
    { "{}", "name" },
    { "{\"name\":null}", "name" },
    { "{\"name\":\"\"}", "name" },
    { "{\"name\":\"12345\"}", "name" },
    { "{\"name\":7}", "name" },
    { "{\"name\":\"x\",\"n\":\"7\"}", "n" },
    { "{\"name\":\"x\",\"n\":7.0}", "n" },
    { "{\"name\":\"x\",\"n\":0}", "n" },
    { "{\"name\":\"x\",\"n\":101}", "n" },
    { "{\"name\":\"x\",\"n\":null}", "n" },
    { "{\"name\":\"x\",\"on\":1}", "on" },
    { "{\"name\":\"x\",\"on\":\"true\"}", "on" },
    { "{\"name\":\"x\",\"id\":\"018f\"}", "id" },
    { "{\"name\":\"x\",\"id\":7}", "id" },
    { "{\"name\":\"x\",\"at\":\"yesterday\"}", "at" },
    { "{\"name\":\"x\",\"at\":0}", "at" },
    { "{\"name\":\"x\",\"params\":[]}", "params" },
    { "{\"name\":\"x\",\"items\":{}}", "items" },
    { "{\"name\":\"x\",\"items\":[]}", "items" },
    { "{\"name\":\"x\",\"items\":[1,2,3]}", "items" },
    { "{\"name\":\"x\",\"Name\":\"x\"}", "Name" },
    { "{\"name\":\"x\",\"extra\":1}", "extra" },
    { "[\"name\"]", "" },
};

static const struct {
    const char  *text;
    int          valid;
}  texts[] = {
    { "{}", 1 },
    { "[]", 1 },
    { " {\"a\" : 1} ", 1 },
    { "", 0 },
    { "null", 0 },
    { "7", 0 },
    { "\"x\"", 0 },
    { "{", 0 },
    { "{} x", 0 },
    { "{}{}", 0 },
    { "{\"a\":1,}", 0 },
    { "{'a':1}", 0 },
    { "{a:1}", 0 },
    { "{\"a\":1,\"a\":1}", 0 },
    { "{\"a\":{\"b\":1,\"b\":2}}", 0 },
    { "{\"a\":1,\"\\u0061\":2}", 0 },
    { "{\"a\":\"\\u0000\"}", 0 },
    { "{\"\\u0000\":1}", 0 },
    { "{\"a\":\"\xff\"}", 0 },
    { "{\"a\":\"\\ud800\"}", 0 },
    { "{\"a\":01}", 0 },
    { "{\"a\":9223372036854775808}", 0 },
    { "{\"a\":1e999}", 0 },
    { "{\"a\":NaN}", 0 },
    { "{\"a\":1} // x", 0 },
    { "\xef\xbb\xbf{}", 0 },
};


static podi_rc_t parse(const char *text, size_t len, podi_mem_t *mem,
    json_t **ret_json, podi_fail_t *fail);
static void test_limits(podi_mem_t *mem);
static void test_paths(podi_mem_t *mem);
static void test_dump(podi_mem_t *mem);


int
main(void)
{
    json_t         *json;
    thing_t         thing;
    unsigned        i;
    podi_rc_t       rc;
    podi_mem_t     *mem;
    podi_fail_t     fail;
    podi_arena_t   *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        rc = parse(texts[i].text, strlen(texts[i].text), mem, &json, &fail);
        ok(rc == (texts[i].valid ? PODI_OK : PODI_ERROR)
           && (texts[i].valid || fail.error == PODI_E_BAD_JSON),
           "%s: %s", texts[i].valid ? "valid" : "refused", texts[i].text);
    }

    for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        memset(&thing, 0, sizeof(thing));

        rc = parse(reads[i].text, strlen(reads[i].text), mem, &json, &fail);
        rc = rc == PODI_OK ? podi_json_read(json, fields, &thing, &fail)
                           : PODI_DECLINED;

        if (reads[i].field == NULL) {
            ok(rc == PODI_OK, "accepted: %s", reads[i].text);

        } else {
            is_fail(rc, &fail, PODI_E_BAD_FIELD, reads[i].field,
                    reads[i].text);
        }
    }

    ok(parse(reads[0].text, strlen(reads[0].text), mem, &json, &fail)
       == PODI_OK && podi_json_read(json, fields, &thing, &fail) == PODI_OK,
       "only what is required");
    ok(thing.n == 20 && thing.on == 1 && thing.at == 1000000,
       "the rest are the table's");
    is_str(podi_id_str(&thing.id), "018f0000-0000-7000-8000-000000000000",
           "an id among them");

    test_limits(mem);
    test_paths(mem);
    test_dump(mem);

    podi_arena_free(&arena);

    return tap_done();
}


static podi_rc_t
parse(const char *text, size_t len, podi_mem_t *mem, json_t **ret_json,
    podi_fail_t *fail)
{
    podi_str_t                      s;
    static const podi_json_limit_t  limit = { 1000, 0 };

    s.data = (unsigned char *) (uintptr_t) text;
    s.len = len;

    return podi_json_parse(&s, &limit, mem, ret_json, fail);
}


static void
test_limits(podi_mem_t *mem)
{
    char                      text[2100];
    json_t                   *json;
    podi_str_t                s;
    podi_fail_t               fail;
    const podi_json_limit_t   two = { 1000, 2 };

    memset(text, '[', 33);
    memset(text + 33, ']', 33);

    is_int(parse(text + 1, 64, mem, &json, &fail), PODI_OK,
           "32 levels are accepted");
    is_fail(parse(text, 66, mem, &json, &fail), &fail, PODI_E_BAD_JSON, NULL,
            "33 are not");

    s = str("[\"[[[[{{\\\"[[[\"]");
    is_int(podi_json_parse(&s, &two, mem, &json, &fail), PODI_OK,
           "brackets in a string do not count");
    s = str("[[[]]]");
    is_fail(podi_json_parse(&s, &two, mem, &json, &fail), &fail,
            PODI_E_BAD_JSON, NULL, "three levels where two are allowed");

    memset(text, ' ', 1001);
    text[0] = '[';
    text[1000] = ']';
    is_fail(parse(text, 1001, mem, &json, &fail), &fail,
            PODI_E_BODY_TOO_LARGE, NULL, "a byte too many");

    is_fail(parse("{\"a\":\"x\0y\"}", 11, mem, &json, &fail), &fail,
            PODI_E_BAD_JSON, NULL, "a raw NUL is refused");

    is_fail(parse("{\"password\":\"secret\",,}", 23, mem, &json, &fail),
            &fail, PODI_E_BAD_JSON, NULL, "a syntax error");
    ok(strstr(fail.detail, "secret") == NULL, "is told without the text");
}


static void
test_paths(podi_mem_t *mem)
{
    json_t       *json;
    thing_t       thing;
    podi_fail_t   fail;

    (void) parse("{\"n\":1}", 7, mem, &json, &fail);

    ok(podi_json_read(json, fields, &thing, &fail) == PODI_ERROR, "refused");
    is_fail(podi_json_at(&fail, "items[%d]", 2), &fail, PODI_E_BAD_FIELD,
            "items[2].name", "the path of an element");
    is_fail(podi_json_at(&fail, "order"), &fail, PODI_E_BAD_FIELD,
            "order.items[2].name", "and of what holds it");

    (void) podi_fail(&fail, PODI_E_BAD_FIELD, "[3]", "x");
    is_fail(podi_json_at(&fail, "list"), &fail, PODI_E_BAD_FIELD, "list[3]",
            "an index needs no dot");

    (void) podi_fail(&fail, PODI_E_BAD_FIELD, NULL, "x");
    is_fail(podi_json_at(&fail, "list"), &fail, PODI_E_BAD_FIELD, "list",
            "nor does nothing");
}


static void
test_dump(podi_mem_t *mem)
{
    json_t       *json;
    podi_str_t    s;
    podi_fail_t   fail;
    const char   *text = "{\"b\":[1,true,null],\"a\":\"\\u4f59/\"}";

    (void) parse(text, strlen(text), mem, &json, &fail);

    ok(podi_json_dump(json, mem, &s) == PODI_OK, "dumped");
    is_str(s, "{\"b\":[1,true,null],\"a\":\"余/\"}",
           "compact, in the order of the text");
    ok(podi_json_dump(json_object_get(json, "a"), mem, &s) == PODI_OK,
       "a part");
    is_str(s, "\"余/\"", "of any type");
    ok(podi_json_own(mem, NULL) == PODI_ERROR, "NULL cannot be owned");
}
