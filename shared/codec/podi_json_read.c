/*
 * podi_json_read: an object into a struct, by a table of fields.
 *
 *     no unknown member -> each row: there? -> type -> range -> stored
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_json.h"
#include "banned.h"


static podi_rc_t podi_json_known(const json_t *object,
    const podi_json_field_t *fields, podi_fail_t *fail);
static podi_rc_t podi_json_field(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_str(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_int64(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_bool(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_id(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_time(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_field_tree(const podi_json_field_t *field,
    const json_t *value, void *dst, podi_fail_t *fail);
static podi_rc_t podi_json_wrong(const podi_json_field_t *field,
    const char *want, podi_fail_t *fail);
static void podi_json_fallback(const podi_json_field_t *field, void *dst);


podi_rc_t
podi_json_read(const json_t *object, const podi_json_field_t *fields,
    void *dst, podi_fail_t *fail)
{
    json_t                   *value;
    const podi_json_field_t  *field;

    if (!json_is_object(object)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, NULL, "not an object");
    }

    if (podi_json_known(object, fields, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    for (field = fields; field->name != NULL; field++) {

        value = json_object_get(object, field->name);

        if (json_is_null(value) && field->flags & PODI_JSON_NULLABLE) {
            value = NULL;
        }

        if (value != NULL) {
            if (podi_json_field(field, value, (char *) dst + field->offset,
                                fail)
                != PODI_OK)
            {
                return PODI_ERROR;
            }

            continue;
        }

        if (field->flags & PODI_JSON_REQUIRED) {
            return podi_fail(fail, PODI_E_BAD_FIELD, field->name,
                             "the field is required");
        }

        if (field->fallback != NULL) {
            podi_json_fallback(field, (char *) dst + field->offset);
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_json_known(const json_t *object, const podi_json_field_t *fields,
    podi_fail_t *fail)
{
    void                     *iter;
    json_t                   *o;
    const char               *key;
    const podi_json_field_t  *field;

    /* iterating does not change the object; jansson has no const form */

    o = (json_t *) (uintptr_t) object;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (field = fields; field->name != NULL; field++) {
            if (strcmp(field->name, key) == 0) {
                break;
            }
        }

        if (field->name == NULL) {
            return podi_fail(fail, PODI_E_BAD_FIELD, key,
                             "there is no such field");
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_json_field(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    switch (field->type) {

    case PODI_JSON_STR:
        return podi_json_field_str(field, value, dst, fail);

    case PODI_JSON_INT64:
        return podi_json_field_int64(field, value, dst, fail);

    case PODI_JSON_BOOL:
        return podi_json_field_bool(field, value, dst, fail);

    case PODI_JSON_ID:
        return podi_json_field_id(field, value, dst, fail);

    case PODI_JSON_TIME:
        return podi_json_field_time(field, value, dst, fail);

    case PODI_JSON_OBJECT:
    case PODI_JSON_ARRAY:
        return podi_json_field_tree(field, value, dst, fail);
    }

    podi_assert(!"a type that the table can have");

    return PODI_ERROR;
}


static podi_rc_t
podi_json_field_str(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    size_t      i;
    int64_t     n = 0;
    podi_str_t  s;

    if (!json_is_string(value)) {
        return podi_json_wrong(field, "a string", fail);
    }

    s = podi_json_str(value);

    for (i = 0; i < s.len; i++) {
        n += (s.data[i] & 0xc0) != 0x80;
    }

    if ((field->min || field->max) && (n < field->min || n > field->max)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, field->name,
                         "must have %lld to %lld characters",
                         (long long) field->min, (long long) field->max);
    }

    *(podi_str_t *) dst = s;

    return PODI_OK;
}


static podi_rc_t
podi_json_field_int64(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    int64_t  n;

    if (!json_is_integer(value)) {
        return podi_json_wrong(field, "an integer", fail);
    }

    n = json_integer_value(value);

    if ((field->min || field->max) && (n < field->min || n > field->max)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, field->name,
                         "must be %lld to %lld",
                         (long long) field->min, (long long) field->max);
    }

    *(int64_t *) dst = n;

    return PODI_OK;
}


static podi_rc_t
podi_json_field_bool(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    if (!json_is_boolean(value)) {
        return podi_json_wrong(field, "true or false", fail);
    }

    *(int *) dst = json_is_true(value);

    return PODI_OK;
}


static podi_rc_t
podi_json_field_id(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    podi_str_t  s;

    s = podi_json_str(value);

    if (podi_id_parse(&s, dst) != PODI_OK) {
        return podi_json_wrong(field, "a UUID", fail);
    }

    return PODI_OK;
}


static podi_rc_t
podi_json_field_time(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    podi_str_t  s;

    s = podi_json_str(value);

    if (podi_time_parse(&s, dst) != PODI_OK) {
        return podi_json_wrong(field, "a time (RFC 3339, UTC)", fail);
    }

    return PODI_OK;
}


static podi_rc_t
podi_json_field_tree(const podi_json_field_t *field, const json_t *value,
    void *dst, podi_fail_t *fail)
{
    int64_t  n;

    if (field->type == PODI_JSON_OBJECT) {
        if (!json_is_object(value)) {
            return podi_json_wrong(field, "an object", fail);
        }

        n = (int64_t) json_object_size(value);

    } else {
        if (!json_is_array(value)) {
            return podi_json_wrong(field, "an array", fail);
        }

        n = (int64_t) json_array_size(value);
    }

    if ((field->min || field->max) && (n < field->min || n > field->max)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, field->name,
                         "must have %lld to %lld elements",
                         (long long) field->min, (long long) field->max);
    }

    *(json_t **) dst = (json_t *) (uintptr_t) value;

    return PODI_OK;
}


static podi_rc_t
podi_json_wrong(const podi_json_field_t *field, const char *want,
    podi_fail_t *fail)
{
    return podi_fail(fail, PODI_E_BAD_FIELD, field->name, "must be %s", want);
}


/* the table is ours: a fallback that cannot be read is a bug */

static void
podi_json_fallback(const podi_json_field_t *field, void *dst)
{
    podi_rc_t   rc = PODI_OK;
    podi_str_t  s;

    s = podi_str_c(field->fallback);

    switch (field->type) {

    case PODI_JSON_STR:
        *(podi_str_t *) dst = s;
        break;

    case PODI_JSON_INT64:
        rc = podi_str_to_int64(&s, dst);
        break;

    case PODI_JSON_BOOL:
        *(int *) dst = podi_str_eq_c(&s, "true");
        break;

    case PODI_JSON_ID:
        rc = podi_id_parse(&s, dst);
        break;

    case PODI_JSON_TIME:
        rc = podi_time_parse(&s, dst);
        break;

    default:
        rc = PODI_ERROR;
    }

    podi_assert(rc == PODI_OK);
}


podi_rc_t
podi_json_at(podi_fail_t *fail, const char *fmt, ...)
{
    va_list      args;
    podi_str_t   inner;
    char         path[sizeof(fail->field)];
    char         field[sizeof(fail->field)];

    va_start(args, fmt);
    (void) vsnprintf(path, sizeof(path), fmt, args);
    va_end(args);

    memcpy(field, fail->field, sizeof(field));
    inner = podi_str_c(field);

    /* too long a path loses its end: the caller sees where to look */

    if (snprintf(fail->field, sizeof(fail->field), "%s%s%s", path,
                 inner.len && field[0] != '[' ? "." : "", field)
        < 0)
    {
        fail->field[0] = '\0';
    }

    return PODI_ERROR;
}
