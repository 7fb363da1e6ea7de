/*
 * podi_setting: one file, read into tables.
 *
 *     file -> lines -> (section, name, value) -> each row: check, then store
 *
 * Promises: a file that is refused changes nothing, because every row is
 * checked before the first one is stored.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_setting.h"
#include "banned.h"

#define SETTING_FILE_MAX  (256 * 1024)

/* a line of the file that concerns this daemon */

typedef struct setting_line_s  setting_line_t;

struct setting_line_s {
    setting_line_t  *next;
    unsigned         number;
    unsigned         is_own:1;          /* of [daemon], not of [common] */
    podi_str_t       name;
    const char      *value;
};

typedef struct {
    const char            *path;
    const char            *daemon;
    const podi_setting_t  *common;
    const podi_setting_t  *own;
    podi_mem_t            *mem;
    podi_fail_t           *fail;
    setting_line_t        *lines;       /* last first: the last one wins */
    unsigned               number;
    enum { SECTION_NONE, SECTION_COMMON, SECTION_OWN, SECTION_OTHER } section;
} setting_reader_t;

typedef struct {
    const char  *suffix;
    uint64_t     factor;
} setting_unit_t;


static podi_rc_t setting_load(setting_reader_t *r, podi_str_t *ret_text);
static podi_rc_t setting_line(setting_reader_t *r, podi_str_t line);
static podi_rc_t setting_section(setting_reader_t *r, const podi_str_t *line);
static podi_rc_t setting_expand(setting_reader_t *r, const podi_str_t *raw,
    const char **ret_value);
static const podi_setting_t *setting_find(const podi_setting_t *table,
    const podi_str_t *name);
static podi_rc_t setting_apply(setting_reader_t *r,
    const podi_setting_t *table, int store);
static podi_rc_t setting_row(const podi_setting_t *row, const char *value,
    int store, podi_str_t *ret_wrong, podi_mem_t *mem);
static podi_rc_t setting_number(podi_setting_e type, const char *text,
    uint64_t *ret_n);
static podi_str_t setting_trim(podi_str_t s);


static const setting_unit_t  setting_times[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
    { "d", 86400000 }, { NULL, 0 }
};

static const setting_unit_t  setting_sizes[] = {
    { "", 1 }, { "k", 1024 }, { "m", 1048576 }, { "g", 1073741824 },
    { NULL, 0 }
};


podi_rc_t
podi_settings_read(const char *path, const char *daemon,
    const podi_setting_t *common, const podi_setting_t *own, podi_mem_t *mem,
    podi_fail_t *fail)
{
    int               store;
    podi_str_t        text, line;
    setting_reader_t  r;

    memset(&r, 0, sizeof(setting_reader_t));

    r.path = path;
    r.daemon = daemon;
    r.common = common;
    r.own = own;
    r.mem = mem;
    r.fail = fail;

    if (setting_load(&r, &text) != PODI_OK) {
        return PODI_ERROR;
    }

    while (podi_str_split(&text, '\n', &line)) {
        r.number++;

        if (setting_line(&r, line) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    for (store = 0; store < 2; store++) {
        if (setting_apply(&r, common, store) != PODI_OK
            || (own != NULL && setting_apply(&r, own, store) != PODI_OK))
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
setting_load(setting_reader_t *r, podi_str_t *ret_text)
{
    FILE    *file;
    size_t   n;

    file = fopen(r->path, "re");
    if (file == NULL) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: %s", r->path,
                         strerror(errno));
    }

    ret_text->data = podi_mem_alloc(r->mem, SETTING_FILE_MAX);
    n = 0;

    if (ret_text->data != NULL) {
        n = fread(ret_text->data, 1, SETTING_FILE_MAX, file);
    }

    if (ret_text->data == NULL || ferror(file) || n == SETTING_FILE_MAX) {
        (void) fclose(file);
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s: cannot be read, or is larger than %d bytes",
                         r->path, SETTING_FILE_MAX);
    }

    (void) fclose(file);

    ret_text->len = n;

    return PODI_OK;
}


static podi_rc_t
setting_line(setting_reader_t *r, podi_str_t line)
{
    size_t           i;
    podi_str_t       name;
    setting_line_t  *l;

    for (i = 0; i < line.len; i++) {
        if (line.data[i] == '#'
            && (i == 0 || line.data[i - 1] == ' ' || line.data[i - 1] == '\t'))
        {
            line.len = i;
        }
    }

    line = setting_trim(line);

    if (line.len == 0) {
        return PODI_OK;
    }

    if (line.data[0] == '[') {
        return setting_section(r, &line);
    }

    if (r->section == SECTION_OTHER) {
        return PODI_OK;
    }

    if (memchr(line.data, '=', line.len) == NULL
        || !podi_str_split(&line, '=', &name))
    {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: write \"name = value\"", r->path, r->number);
    }

    name = setting_trim(name);
    line = setting_trim(line);

    if (r->section == SECTION_NONE) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: write [common] or [%s] in front of \""
                         PODI_STR_FMT "\"", r->path, r->number, r->daemon,
                         podi_str_arg(&name));
    }

    if (setting_find(r->common, &name) == NULL
        && (r->section == SECTION_COMMON
            || setting_find(r->own, &name) == NULL))
    {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: there is no setting \"" PODI_STR_FMT
                         "\" in [%s]", r->path, r->number,
                         podi_str_arg(&name),
                         r->section == SECTION_OWN ? r->daemon : "common");
    }

    l = podi_mem_calloc(r->mem, sizeof(setting_line_t));
    if (l == NULL) {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    l->number = r->number;
    l->is_own = (r->section == SECTION_OWN);
    l->name = name;
    l->next = r->lines;
    r->lines = l;

    return setting_expand(r, &line, &l->value);
}


static podi_rc_t
setting_section(setting_reader_t *r, const podi_str_t *line)
{
    podi_str_t  name;

    if (line->data[line->len - 1] != ']') {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: the section lacks its ]", r->path, r->number);
    }

    name.data = line->data + 1;
    name.len = line->len - 2;

    if (podi_str_eq_c(&name, "common")) {
        r->section = SECTION_COMMON;

    } else if (podi_str_eq_c(&name, r->daemon)) {
        r->section = SECTION_OWN;

    } else if (podi_str_has_prefix(&name, "podi")) {
        r->section = SECTION_OTHER;

    } else {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: no daemon is called \"" PODI_STR_FMT "\"",
                         r->path, r->number, podi_str_arg(&name));
    }

    return PODI_OK;
}


/* ${NAME} -> its value in the environment */

static podi_rc_t
setting_expand(setting_reader_t *r, const podi_str_t *raw,
    const char **ret_value)
{
    char        *name;
    size_t       i, end;
    podi_buf_t   b;
    podi_str_t   part, value;
    const char  *text;

    podi_buf_init(&b, r->mem);

    for (i = 0; i < raw->len; i++) {
        if (raw->data[i] != '$' || i + 1 == raw->len
            || raw->data[i + 1] != '{')
        {
            podi_buf_add_byte(&b, raw->data[i]);
            continue;
        }

        for (end = i + 2; end < raw->len && raw->data[end] != '}'; end++) {
            /* void */
        }

        part.data = raw->data + i + 2;
        part.len = end - i - 2;

        name = podi_mem_dup_c(r->mem, &part);
        text = (name != NULL && end < raw->len) ? getenv(name) : NULL;

        if (text == NULL) {
            return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                             "%s:%u: the environment has no " PODI_STR_FMT,
                             r->path, r->number, podi_str_arg(&part));
        }

        podi_buf_add_c(&b, text);
        i = end;
    }

    if (podi_buf_take(&b, &value) != PODI_OK) {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_value = (const char *) value.data;

    return PODI_OK;
}


static const podi_setting_t *
setting_find(const podi_setting_t *table, const podi_str_t *name)
{
    for ( /* void */ ; table != NULL && table->name != NULL; table++) {
        if (podi_str_eq_c(name, table->name)) {
            return table;
        }
    }

    return NULL;
}


static podi_rc_t
setting_apply(setting_reader_t *r, const podi_setting_t *table, int store)
{
    podi_str_t             wrong;
    const char            *value;
    setting_line_t        *l, *best;
    const podi_setting_t  *row;

    for (row = table; row->name != NULL; row++) {
        best = NULL;

        for (l = r->lines; l != NULL; l = l->next) {
            if (podi_str_eq_c(&l->name, row->name)
                && (best == NULL || (l->is_own && !best->is_own)))
            {
                best = l;
            }
        }

        value = (best != NULL) ? best->value : row->value;

        if (setting_row(row, value, store, &wrong, r->mem) != PODI_OK) {
            return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                             "%s:%u: %s = \"%s\": " PODI_STR_FMT, r->path,
                             best != NULL ? best->number : 0, row->name,
                             value, podi_str_arg(&wrong));
        }
    }

    return PODI_OK;
}


static podi_rc_t
setting_row(const podi_setting_t *row, const char *value, int store,
    podi_str_t *ret_wrong, podi_mem_t *mem)
{
    uint64_t  n, min, max;

    *ret_wrong = podi_str_c("wrong");

    switch (row->type) {

    case PODI_TEXT:
    case PODI_PATH:
        if (row->min != NULL && value[0] == '\0') {
            *ret_wrong = podi_str_c("it must be given");
            return PODI_ERROR;
        }

        if (row->type == PODI_PATH && value[0] != '\0' && value[0] != '/') {
            *ret_wrong = podi_str_c("write an absolute path");
            return PODI_ERROR;
        }

        if (store) {
            *(const char **) row->where = value;
        }

        return PODI_OK;

    case PODI_BOOL:
        if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
            *ret_wrong = podi_str_c("write on or off");
            return PODI_ERROR;
        }

        if (store) {
            *(int *) row->where = (value[1] == 'n');
        }

        return PODI_OK;

    default:
        break;
    }

    min = 0;
    max = INT64_MAX;

    if (setting_number(row->type, value, &n) != PODI_OK
        || (row->min != NULL
            && setting_number(row->type, row->min, &min) != PODI_OK)
        || (row->max != NULL
            && setting_number(row->type, row->max, &max) != PODI_OK)
        || n < min || n > max)
    {
        if (podi_mem_printf(mem, ret_wrong, "write a %s from %s to %s",
                            row->type == PODI_MSEC ? "time (ms s m h d)"
                            : row->type == PODI_SIZE ? "size (k m g)"
                            : "number",
                            row->min != NULL ? row->min : "0",
                            row->max != NULL ? row->max : "any") != PODI_OK)
        {
            *ret_wrong = podi_str_c("out of range");
        }

        return PODI_ERROR;
    }

    if (!store) {
        return PODI_OK;
    }

    if (row->type == PODI_INT) {
        *(int64_t *) row->where = (int64_t) n;

    } else {
        *(uint64_t *) row->where = n;       /* podi_msec_t is one, too */
    }

    return PODI_OK;
}


static podi_rc_t
setting_number(podi_setting_e type, const char *text, uint64_t *ret_n)
{
    size_t                 digits;
    int64_t                n;
    podi_str_t             s;
    const setting_unit_t  *unit;

    digits = strspn(text, "0123456789");

    s.data = (unsigned char *) text;
    s.len = digits;

    if (digits == 0 || podi_str_to_int64(&s, &n) != PODI_OK) {
        return PODI_ERROR;
    }

    if (type == PODI_INT) {
        *ret_n = (uint64_t) n;
        return text[digits] == '\0' ? PODI_OK : PODI_ERROR;
    }

    unit = (type == PODI_MSEC) ? setting_times : setting_sizes;

    for ( /* void */ ; unit->suffix != NULL; unit++) {
        if (strcmp(text + digits, unit->suffix) == 0
            && (uint64_t) n <= INT64_MAX / unit->factor)
        {
            *ret_n = (uint64_t) n * unit->factor;
            return PODI_OK;
        }
    }

    return PODI_ERROR;
}


static podi_str_t
setting_trim(podi_str_t s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len > 0
           && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'
               || s.data[s.len - 1] == '\r'))
    {
        s.len--;
    }

    return s;
}
