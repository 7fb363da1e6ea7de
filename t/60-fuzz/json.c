/*
 * json: what jansson reads is accepted up to the depth that is allowed, can
 * be written, and is the same when it is read again; a table takes what its
 * rows allow.
 */

#include <string.h>

#include "fuzz.h"
#include "fuzz_json.h"
#include "podi_json.h"
#include "banned.h"


#define DEPTH  16


typedef struct {
    podi_str_t   name;
    int64_t      n;
    int          on;
    podi_id_t    id;
    podi_usec_t  at;
    json_t      *items;
    json_t      *more;
} thing_t;


const char *const  fuzz_seeds[] = {
    "{\"name\":\"x\",\"n\":7,\"on\":true,\"items\":[1,2.5,null,\"\\u4f59\"],"
    "\"id\":\"018f0000-0000-7000-8000-000000000000\"}",
    "{\"name\":\"\\u00e4\\ud83d\\ude00\",\"id\":null,\"on\":false,"
    "\"at\":\"2026-11-22T05:17:46.5Z\",\"more\":{\"a\":{\"b\":[]}}}",
    "[[[[[[{\"a\":{\"b\":[]}}]]]]]]",
    "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
    "[\"\\\"[[\",[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
    "[\"\\\\\",[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],\"[\"]",
    "{\"a\":-1e10,\"b\":\"\\\"\\\\\\ud83d\\ude00\"}",
    NULL
};

const char *const  fuzz_words[] = {
    "{", "}", "[", "]", ",", ":", "null", "true", "false", "\"name\":",
    "\"n\":", "\"on\":", "\"id\":", "\"at\":", "\"items\":", "\"more\":",
    "\"\\u0000\"", "\\ud800", "\\", "\"", "9223372036854775807",
    "9223372036854775808", "-0", "1e400", "1.5",
    "018f0000-0000-7000-8000-000000000000", "2026-02-30T00:00:00Z",
    "[[[[[[[[", "\xc0\x80", "\xed\xa0\x80", "\xe4\xbd\x99", NULL
};

static const podi_json_field_t  fields[] = {
    { "name", PODI_JSON_STR, offsetof(thing_t, name), PODI_JSON_REQUIRED,
      1, 4, NULL },
    { "n", PODI_JSON_INT64, offsetof(thing_t, n), 0, 1, 100, "20" },
    { "on", PODI_JSON_BOOL, offsetof(thing_t, on), 0, 0, 0, "true" },
    { "id", PODI_JSON_ID, offsetof(thing_t, id), PODI_JSON_NULLABLE, 0, 0,
      NULL },
    { "at", PODI_JSON_TIME, offsetof(thing_t, at), 0, 0, 0,
      "2026-11-22T00:00:00Z" },
    { "items", PODI_JSON_ARRAY, offsetof(thing_t, items), 0, 1, 4, NULL },
    { "more", PODI_JSON_OBJECT, offsetof(thing_t, more), 0, 0, 0, NULL },
    podi_null_json_field
};


static int fuzz_is_good(const podi_str_t *s);
static void fuzz_thing(const json_t *json);
static size_t fuzz_chars(const podi_str_t *s);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t                         *json, *again;
    podi_str_t                      s;
    podi_fail_t                     fail;
    static const podi_json_limit_t  limit = { 65536, DEPTH };

    s = fuzz_str(data, size);

    if (podi_json_parse(&s, &limit, fuzz_mem(), &json, &fail) != PODI_OK) {
        fuzz_assert(fail.error == PODI_E_BAD_JSON);
        fuzz_assert(!fuzz_is_good(&s));
        return 0;
    }

    fuzz_assert(podi_str_is_utf8(&s));
    fuzz_assert(json_is_object(json) || json_is_array(json));
    fuzz_assert(fuzz_json_depth(json) <= DEPTH);

    fuzz_assert(podi_json_dump(json, fuzz_mem(), &s) == PODI_OK);
    fuzz_assert(podi_json_parse(&s, &limit, fuzz_mem(), &again, &fail)
                == PODI_OK);
    fuzz_assert(json_equal(json, again));

    fuzz_thing(json);

    return 0;
}


static int
fuzz_is_good(const podi_str_t *s)
{
    int            good;
    json_t        *json;
    json_error_t   error;

    json = s->len ? json_loadb((char *) s->data, s->len,
                               JSON_REJECT_DUPLICATES, &error)
                  : NULL;

    good = json != NULL && fuzz_json_depth(json) <= DEPTH;
    json_decref(json);

    return good;
}


/* taken, it is what jansson has; refused, one member is named */

static void
fuzz_thing(const json_t *json)
{
    size_t         known = 0, i;
    thing_t        thing;
    const json_t  *name, *n, *items;
    podi_fail_t    fail;

    memset(&thing, 0, sizeof(thing));

    if (podi_json_read(json, fields, &thing, &fail) != PODI_OK) {
        fuzz_assert(fail.error == PODI_E_BAD_FIELD
                    || fail.error == PODI_E_BAD_JSON);
        return;
    }

    for (i = 0; fields[i].name != NULL; i++) {
        known += json_object_get(json, fields[i].name) != NULL;
    }

    name = json_object_get(json, "name");
    n = json_object_get(json, "n");
    items = json_object_get(json, "items");

    fuzz_assert(json_object_size(json) == known);
    fuzz_assert(podi_str_eq_c(&thing.name, json_string_value(name)));
    fuzz_assert(fuzz_chars(&thing.name) >= 1 && fuzz_chars(&thing.name) <= 4);
    fuzz_assert(thing.n == (n ? json_integer_value(n) : 20));
    fuzz_assert(thing.n >= 1 && thing.n <= 100);
    fuzz_assert(thing.on == !json_is_false(json_object_get(json, "on")));
    fuzz_assert(thing.items == items);
    fuzz_assert(!items || (json_array_size(items) >= 1
                           && json_array_size(items) <= 4));
    fuzz_assert(thing.more == json_object_get(json, "more"));
}


static size_t
fuzz_chars(const podi_str_t *s)
{
    size_t  i, n = 0;

    for (i = 0; i < s->len; i++) {
        n += (s->data[i] & 0xc0) != 0x80;
    }

    return n;
}
