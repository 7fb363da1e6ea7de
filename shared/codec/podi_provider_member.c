/*
 * podi_provider_member: an object of a description, by a table of its members.
 *
 *     member -> its row -> its reader -> where it goes
 *
 * The place in the file is kept while reading; whatever is wrong becomes one
 * sentence with it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


#define PODI_PROVIDER_REGEX_MAX  200


static podi_rc_t podi_provider_sentence(podi_provider_load_t *l,
    const podi_provider_place_t *place, const char *fmt, va_list args);
static void podi_provider_spell(const podi_provider_place_t *place,
    char *dst, size_t size);
static void podi_provider_regex_free(void *thing);


podi_rc_t
podi_provider_members(podi_provider_load_t *l, const json_t *object,
    void *dst, const podi_provider_row_t *rows)
{
    void                       *iter;
    json_t                     *o = (json_t *) (uintptr_t) object;
    podi_rc_t                   rc;
    const char                 *key;
    const podi_provider_row_t  *row;

    if (!json_is_object(object)) {
        return podi_provider_wrong(l, "it must be an object");
    }

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (row = rows; row->name != NULL; row++) {
            if (strcmp(row->name, key) == 0) {
                break;
            }
        }

        if (podi_provider_enter(l, key, 0) != PODI_OK) {
            return PODI_ERROR;
        }

        if (row->name == NULL) {
            l->at_key = 1;
            return podi_provider_wrong(l, "there is no such member here");
        }

        rc = row->read(l, json_object_iter_value(iter),
                       (char *) dst + row->offset, row);
        if (rc != PODI_OK) {
            return rc;
        }

        podi_provider_leave(l);
    }

    return PODI_OK;
}


podi_rc_t
podi_provider_enter(podi_provider_load_t *l, const char *key, size_t index)
{
    if (l->place.n == PODI_PROVIDER_DEPTH) {
        return podi_provider_wrong(l, "it is nested too deep");
    }

    l->place.at[l->place.n].key = key;
    l->place.at[l->place.n].index = index;
    l->place.n++;

    return PODI_OK;
}


void
podi_provider_leave(podi_provider_load_t *l)
{
    l->place.n--;
}


/* keys belong to the json, which lives as long as mem */

podi_provider_place_t *
podi_provider_here(podi_provider_load_t *l)
{
    podi_provider_place_t  *place;

    place = podi_mem_alloc(l->mem, sizeof(podi_provider_place_t));

    if (place != NULL) {
        *place = l->place;
    }

    return place;
}


podi_rc_t
podi_provider_wrong(podi_provider_load_t *l, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) podi_provider_sentence(l, &l->place, fmt, args);
    va_end(args);

    return PODI_ERROR;
}


podi_rc_t
podi_provider_wrong_at(podi_provider_load_t *l,
    const podi_provider_place_t *place, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) podi_provider_sentence(l, place, fmt, args);
    va_end(args);

    return PODI_ERROR;
}


static podi_rc_t
podi_provider_sentence(podi_provider_load_t *l,
    const podi_provider_place_t *place, const char *fmt, va_list args)
{
    unsigned  line, column;
    char      member[64], sentence[160];

    podi_provider_where(&l->text, place, l->at_key, &line, &column);
    podi_provider_spell(place, member, sizeof(member));
    (void) vsnprintf(sentence, sizeof(sentence), fmt, args);

    return podi_fail(l->fail, PODI_E_CONFIG, member, "%s:%u:%u: %s: %s",
                     l->file, line, column, member, sentence);
}


/* errors[1].class; of a long one the end, which says more */

static void
podi_provider_spell(const podi_provider_place_t *place, char *dst,
    size_t size)
{
    int       n;
    char      part[64];
    size_t    len, used = 0;
    unsigned  i;

    dst[0] = '\0';

    for (i = 0; i < place->n; i++) {

        n = place->at[i].key != NULL
            ? snprintf(part, sizeof(part), "%s%s", i ? "." : "",
                       place->at[i].key)
            : snprintf(part, sizeof(part), "[%zu]", place->at[i].index);

        len = (n < 0) ? 0 : strlen(part);

        if (used + len >= size) {
            memcpy(dst, "...", 4);
            used = 3;
            len = len < size - 4 ? len : size - 4;
        }

        memcpy(dst + used, part, len);
        used += len;
        dst[used] = '\0';
    }

    if (used == 0) {
        memcpy(dst, "file", 5);
    }
}


podi_rc_t
podi_provider_no_memory(podi_fail_t *fail)
{
    return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
}


podi_rc_t
podi_provider_read_str(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t      i;
    podi_str_t  s;

    if (!json_is_string(value)) {
        return podi_provider_wrong(l, "it must be a string");
    }

    s = podi_json_str(value);

    if ((int64_t) s.len < row->min || (int64_t) s.len > row->max) {
        return podi_provider_wrong(l, "it must have %lld to %lld bytes",
                                   (long long) row->min,
                                   (long long) row->max);
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < 0x20 || s.data[i] == 0x7f) {
            return podi_provider_wrong(l, "a control character is in it");
        }
    }

    *(podi_str_t *) dst = s;

    return PODI_OK;
}


/* a-z, 0-9, _ and -: a name of ours */

podi_rc_t
podi_provider_read_name(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_str_t           s;
    static const char    abc[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    podi_provider_row_t  bounds = { NULL, NULL, 0, 1, 40, NULL };

    (void) row;

    if (podi_provider_read_str(l, value, dst, &bounds) != PODI_OK) {
        return PODI_ERROR;
    }

    s = *(podi_str_t *) dst;

    if (strspn((const char *) s.data, abc) != s.len) {
        return podi_provider_wrong(l, "it may have a-z, 0-9, _ and - only");
    }

    return PODI_OK;
}


/* no blank and nothing that ends a word on the wire */

podi_rc_t
podi_provider_read_word(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_str_t  s;

    if (podi_provider_read_str(l, value, dst, row) != PODI_OK) {
        return PODI_ERROR;
    }

    s = *(podi_str_t *) dst;

    if (strcspn((const char *) s.data, " \"'<>\\^`{|},;:=&") != s.len) {
        return podi_provider_wrong(l, "it must be one plain word");
    }

    return PODI_OK;
}


/* RFC 9110, 5.6.2 */

podi_rc_t
podi_provider_read_header(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t               i;
    podi_str_t           s;
    podi_provider_row_t  bounds = { NULL, NULL, 0, 1, 64, NULL };

    (void) row;

    if (podi_provider_read_str(l, value, dst, &bounds) != PODI_OK) {
        return PODI_ERROR;
    }

    s = *(podi_str_t *) dst;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] >= 0x7f
            || strchr("()<>@,;:\\\"/[]?={} ", s.data[i]) != NULL)
        {
            return podi_provider_wrong(l, "it is no name of a header");
        }
    }

    return PODI_OK;
}


podi_rc_t
podi_provider_read_int(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int64_t  n;

    n = json_integer_value(value);

    if (!json_is_integer(value) || n < row->min || n > row->max) {
        return podi_provider_wrong(l, "it must be an integer, %lld to %lld",
                                   (long long) row->min,
                                   (long long) row->max);
    }

    *(int64_t *) dst = n;

    return PODI_OK;
}


podi_rc_t
podi_provider_read_bool(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    (void) row;

    if (!json_is_boolean(value)) {
        return podi_provider_wrong(l, "it must be true or false");
    }

    *(int *) dst = json_is_true(value);

    return PODI_OK;
}


/* the index in row->arg; "-" there is a number that has no name */

podi_rc_t
podi_provider_read_enum(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int                 i, used;
    char                list[128];
    podi_str_t          s;
    const char *const  *names = row->arg;

    s = podi_json_str(value);
    list[0] = '\0';
    used = 0;

    for (i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], "-") == 0) {
            continue;
        }

        if (json_is_string(value) && podi_str_eq_c(&s, names[i])) {
            *(int *) dst = i;
            return PODI_OK;
        }

        used += snprintf(list + used, sizeof(list) - (size_t) used, "%s%s",
                         used ? ", " : "", names[i]);

        if (used >= (int) sizeof(list)) {
            break;
        }
    }

    return podi_provider_wrong(l, "it must be one of: %s", list);
}


/*
 * Neither intervals nor back references: the one grows without bound when it
 * is compiled, the other when it is matched.
 */

podi_rc_t
podi_provider_read_regex(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int                  rc;
    char                 why[80];
    size_t               i;
    regex_t             *regex;
    podi_str_t           s;
    podi_provider_row_t  bounds = { NULL, NULL, 0, 1,
                                    PODI_PROVIDER_REGEX_MAX, NULL };

    (void) row;

    if (podi_provider_read_str(l, value, &s, &bounds) != PODI_OK) {
        return PODI_ERROR;
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '{'
            || (s.data[i] == '\\' && s.data[i + 1] >= '0'
                && s.data[i + 1] <= '9'))
        {
            return podi_provider_wrong(l, "neither {n,m} nor \\1 may be in "
                                       "a regular expression");
        }
    }

    regex = podi_mem_calloc(l->mem, sizeof(regex_t));
    if (regex == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    rc = regcomp(regex, (const char *) s.data, REG_EXTENDED|REG_NOSUB);

    if (rc != 0) {
        (void) regerror(rc, regex, why, sizeof(why));
        return podi_provider_wrong(l, "no regular expression: %s", why);
    }

    if (podi_mem_own(l->mem, podi_provider_regex_free, regex) != PODI_OK) {
        return podi_provider_no_memory(l->fail);
    }

    *(regex_t **) dst = regex;

    return PODI_OK;
}


static void
podi_provider_regex_free(void *thing)
{
    regfree(thing);
}


podi_rc_t
podi_provider_read_json(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    (void) l;
    (void) row;

    *(const json_t **) dst = value;

    return PODI_OK;
}


podi_rc_t
podi_provider_read_section(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    return podi_provider_members(l, value, dst, row->arg);
}
