/*
 * podi_json: parsing with limits, and writing.  Reading by a table of fields
 * is in podi_json_read.c.
 *
 * jansson recurses, so the depth is counted before it sees the text.  Its
 * error texts quote the input, which may hold a password: only the place and
 * the kind of an error are passed on.
 */

#include <string.h>

#include "podi_json.h"
#include "banned.h"


static unsigned podi_json_depth(const podi_str_t *text);
static const char *podi_json_reason(const json_error_t *error);
static void podi_json_release(void *thing);
static int podi_json_write(const char *data, size_t len, void *buf);


podi_rc_t
podi_json_parse(const podi_str_t *text, const podi_json_limit_t *limit,
    podi_mem_t *mem, json_t **ret_json, podi_fail_t *fail)
{
    json_t        *json;
    unsigned       depth;
    json_error_t   error;

    if (text->len > limit->size) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "more than %zu bytes of JSON", limit->size);
    }

    depth = limit->depth ? limit->depth : PODI_JSON_DEPTH;

    if (podi_json_depth(text) > depth) {
        return podi_fail(fail, PODI_E_BAD_JSON, NULL,
                         "nested deeper than %u levels", depth);
    }

    json = json_loadb((const char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        return podi_fail(fail, PODI_E_BAD_JSON, NULL,
                         "%s at line %d, column %d",
                         podi_json_reason(&error), error.line, error.column);
    }

    if (podi_json_own(mem, json) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_json = json;

    return PODI_OK;
}


/* the deepest nesting; right for valid texts, some bound for others */

static unsigned
podi_json_depth(const podi_str_t *text)
{
    int       in_string = 0;
    size_t    i;
    unsigned  depth = 0, deepest = 0;

    for (i = 0; i < text->len; i++) {

        switch (text->data[i]) {

        case '\\':
            i += in_string;
            break;

        case '"':
            in_string = !in_string;
            break;

        case '{':
        case '[':
            if (!in_string && ++depth > deepest) {
                deepest = depth;
            }
            break;

        case '}':
        case ']':
            if (!in_string && depth > 0) {
                depth--;
            }
            break;
        }
    }

    return deepest;
}


static const char *
podi_json_reason(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_duplicate_key: return "a member occurs twice";
    case json_error_null_character:
    case json_error_null_byte_in_key: return "a NUL character";
    case json_error_invalid_utf8: return "invalid UTF-8";
    case json_error_numeric_overflow: return "a number out of range";
    case json_error_premature_end_of_input: return "an early end";
    case json_error_end_of_input_expected: return "more after the end";
    case json_error_out_of_memory: return "no memory";
    default: return "a syntax error";
    }
}


podi_rc_t
podi_json_own(podi_mem_t *mem, json_t *value)
{
    if (value == NULL) {
        return PODI_ERROR;
    }

    return podi_mem_own(mem, podi_json_release, value);
}


static void
podi_json_release(void *thing)
{
    json_decref(thing);
}


podi_str_t
podi_json_str(const json_t *value)
{
    podi_str_t  s = podi_null_str;

    if (json_is_string(value)) {
        s.data = (unsigned char *) (uintptr_t) json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


void
podi_json_add(podi_buf_t *b, const json_t *value)
{
    podi_str_t  s;

    /* six times as fast as jansson: a text may be a picture */
    if (json_is_string(value)) {
        s = podi_json_str(value);
        podi_buf_add_json(b, &s);
        return;
    }

    if (json_dump_callback(value, podi_json_write, b,
                           JSON_COMPACT|JSON_ENCODE_ANY) != 0)
    {
        b->failed = 1;
    }
}


podi_rc_t
podi_json_dump(const json_t *value, podi_mem_t *mem, podi_str_t *ret_text)
{
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_json_add(&b, value);

    return podi_buf_take(&b, ret_text);
}


static int
podi_json_write(const char *data, size_t len, void *buf)
{
    podi_buf_t  *b = buf;

    podi_buf_add(b, data, len);

    return b->failed ? -1 : 0;
}
