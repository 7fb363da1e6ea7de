/*
 * json: what is accepted can be dumped, and the dump is accepted too.
 */

#include "fuzz.h"
#include "podi_json.h"
#include "banned.h"


typedef struct {
    podi_str_t  name;
    int64_t     n;
    int         on;
    podi_id_t   id;
    json_t     *items;
} thing_t;


const char *const  fuzz_seeds[] = {
    "{\"name\":\"x\",\"n\":7,\"on\":true,\"items\":[1,2.5,null,\"\\u4f59\"],"
    "\"id\":\"018f0000-0000-7000-8000-000000000000\"}",
    "[[[[[[{\"a\":{\"b\":[]}}]]]]]]",
    "{\"a\":-1e10,\"b\":\"\\\"\\\\\\ud83d\\ude00\"}",
    NULL
};

static const podi_json_field_t  fields[] = {
    { "name", PODI_JSON_STR, offsetof(thing_t, name), PODI_JSON_REQUIRED,
      1, 4, NULL },
    { "n", PODI_JSON_INT64, offsetof(thing_t, n), 0, 1, 100, "20" },
    { "on", PODI_JSON_BOOL, offsetof(thing_t, on), 0, 0, 0, "true" },
    { "id", PODI_JSON_ID, offsetof(thing_t, id), PODI_JSON_NULLABLE, 0, 0,
      NULL },
    { "items", PODI_JSON_ARRAY, offsetof(thing_t, items), 0, 1, 4, NULL },
    podi_null_json_field
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t                         *json;
    thing_t                         thing;
    podi_str_t                      s;
    podi_fail_t                     fail;
    static const podi_json_limit_t  limit = { 65536, 16 };

    s = fuzz_str(data, size);

    if (podi_json_parse(&s, &limit, fuzz_mem(), &json, &fail) != PODI_OK) {
        return 0;
    }

    fuzz_assert(podi_str_is_utf8(&s));
    fuzz_assert(podi_json_dump(json, fuzz_mem(), &s) == PODI_OK);
    fuzz_assert(podi_json_parse(&s, &limit, fuzz_mem(), &json, &fail)
                == PODI_OK);

    if (podi_json_read(json, fields, &thing, &fail) == PODI_OK) {
        fuzz_assert(thing.name.len >= 1 && thing.n >= 1 && thing.n <= 100);
    }

    return 0;
}
