/*
 * podi_setting: one file, read into tables.
 *
 *     file -> lines -> (section, name, value) -> each row: check
 *          -> common: store -> check of the caller -> own: store
 *
 * Promises: a file that is refused changes nothing of own, because every
 * row is checked before the first one is stored; nor of common, unless the
 * caller's check refuses what he is shown.
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
    unsigned         section;           /* the higher one wins */
    podi_str_t       name;
    const char      *value;
};

typedef struct {
    const char            *path;
    const char            *daemon;
    const char            *instance;
    const podi_setting_t  *common;
    const podi_setting_t  *own;
    podi_mem_t            *mem;
    podi_fail_t           *fail;
    setting_line_t        *lines;       /* last first: the last one wins */
    unsigned               number;
    unsigned               has_instance:1;
    enum {
        SECTION_NONE, SECTION_OTHER, SECTION_COMMON, SECTION_OWN,
        SECTION_INSTANCE
    } section;
} setting_reader_t;


static podi_rc_t setting_load(setting_reader_t *r, podi_str_t *ret_text);
static podi_rc_t setting_line(setting_reader_t *r, podi_str_t line);
static podi_rc_t setting_keep(setting_reader_t *r, const podi_str_t *name,
    const podi_str_t *value);
static podi_rc_t setting_section(setting_reader_t *r, const podi_str_t *line);
static podi_rc_t setting_instance(setting_reader_t *r,
    const podi_str_t *name);
static podi_rc_t setting_expand(setting_reader_t *r, const podi_str_t *raw,
    const char **ret_value);
static const podi_setting_t *setting_find(const podi_setting_t *table,
    const podi_str_t *name);
static podi_rc_t setting_apply(setting_reader_t *r,
    const podi_setting_t *table, int store);
static podi_str_t setting_trim(podi_str_t s);


podi_rc_t
podi_settings_read(const podi_settings_t *settings, podi_mem_t *mem,
    podi_fail_t *fail)
{
    podi_str_t        text, line;
    setting_reader_t  r;

    memset(&r, 0, sizeof(setting_reader_t));

    r.path = settings->path;
    r.daemon = settings->daemon;
    r.instance = settings->instance;
    r.common = settings->common;
    r.own = settings->own;
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

    if (r.instance != NULL && !r.has_instance) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "%s: there is no section [%s:%s]", r.path, r.daemon,
                         r.instance);
    }

    if (setting_apply(&r, r.common, 0) != PODI_OK
        || setting_apply(&r, r.own, 0) != PODI_OK
        || setting_apply(&r, r.common, 1) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (settings->check != NULL
        && settings->check(settings->data, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return setting_apply(&r, r.own, 1);
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
    size_t      i;
    podi_str_t  name;

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
                         r->section == SECTION_COMMON ? "common" : r->daemon);
    }

    return setting_keep(r, &name, &line);
}


static podi_rc_t
setting_keep(setting_reader_t *r, const podi_str_t *name,
    const podi_str_t *value)
{
    setting_line_t  *l;

    l = podi_mem_calloc(r->mem, sizeof(setting_line_t));
    if (l == NULL) {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    l->number = r->number;
    l->section = r->section;
    l->name = *name;
    l->next = r->lines;
    r->lines = l;

    return setting_expand(r, value, &l->value);
}


static podi_rc_t
setting_section(setting_reader_t *r, const podi_str_t *line)
{
    podi_str_t  name, daemon, instance;

    if (line->data[line->len - 1] != ']') {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: the section lacks its ]", r->path, r->number);
    }

    name.data = line->data + 1;
    name.len = line->len - 2;

    instance = name;

    if (memchr(name.data, ':', name.len) != NULL
        && podi_str_split(&instance, ':', &daemon)
        && podi_str_has_prefix(&daemon, "podi"))
    {
        r->section = podi_str_eq_c(&daemon, r->daemon) ? SECTION_INSTANCE
                                                       : SECTION_OTHER;
        return setting_instance(r, &instance);
    }

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


/* behind the ':' of a section; its lines are for that one alone */

static podi_rc_t
setting_instance(setting_reader_t *r, const podi_str_t *name)
{
    if (!podi_setting_is_instance(name)) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s:%u: \"" PODI_STR_FMT "\" is no name of an "
                         "instance: write a-z 0-9 _ -", r->path, r->number,
                         podi_str_arg(name));
    }

    if (r->section == SECTION_INSTANCE && r->instance != NULL
        && podi_str_eq_c(name, r->instance))
    {
        r->has_instance = 1;
        return PODI_OK;
    }

    r->section = SECTION_OTHER;

    return PODI_OK;
}


int
podi_setting_is_instance(const podi_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (!((name->data[i] >= 'a' && name->data[i] <= 'z')
              || (name->data[i] >= '0' && name->data[i] <= '9')
              || (i > 0 && (name->data[i] == '_' || name->data[i] == '-'))))
        {
            return 0;
        }
    }

    return name->len > 0 && name->len <= 32;
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

    for (row = table; row != NULL && row->name != NULL; row++) {
        best = NULL;

        for (l = r->lines; l != NULL; l = l->next) {
            if (podi_str_eq_c(&l->name, row->name)
                && (best == NULL || l->section > best->section))
            {
                best = l;
            }
        }

        value = (best != NULL) ? best->value : row->value;

        if (podi_setting_value(row, value, store, &wrong, r->mem) != PODI_OK) {
            return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                             "%s:%u: %s = \"%s\": " PODI_STR_FMT, r->path,
                             best != NULL ? best->number : 0, row->name,
                             value, podi_str_arg(&wrong));
        }
    }

    return PODI_OK;
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
