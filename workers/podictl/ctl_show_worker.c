/*
 * ctl_show: workers.conf, section by section.
 *
 *     lines -> the last one of each section and name -> rows
 *     [common]: what the file does not say, too
 *
 * podi_settings_read has judged the file before: here it is only looked
 * through.  Values stand as they are written, ${NAME} too, but for passwords.
 */

#include <string.h>

#include "ctl_show.h"
#include "banned.h"

#define SHOW_FILE_MAX  (256 * 1024)

typedef struct {
    const char  *path;
    podi_str_t   section;
    unsigned     number;
} show_reader_t;


static podi_rc_t show_setting(ctl_show_t *s, show_reader_t *r,
    podi_str_t line);
static podi_rc_t show_setting_put(ctl_show_t *s, const show_reader_t *r,
    podi_str_t name, podi_str_t value);
static podi_str_t show_comment(podi_str_t line);
static podi_str_t show_trim(podi_str_t s);
static podi_rc_t show_common(ctl_show_t *s);


podi_rc_t
ctl_show_workers(ctl_show_t *s, const char *path)
{
    podi_flow_t    f;
    podi_str_t     text, line;
    show_reader_t  r;

    memset(&f, 0, sizeof(podi_flow_t));
    memset(&r, 0, sizeof(show_reader_t));

    f.mem = s->mem;
    r.path = path;

    if (ctl_read_file(&f, path, SHOW_FILE_MAX, &text) != PODI_OK) {
        *s->fail = f.fail;
        return PODI_ERROR;
    }

    while (podi_str_split(&text, '\n', &line)) {
        r.number++;

        if (show_setting(s, &r, show_trim(show_comment(line))) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return show_common(s);
}


static podi_rc_t
show_setting(ctl_show_t *s, show_reader_t *r, podi_str_t line)
{
    podi_str_t  name;

    if (line.len == 0) {
        return PODI_OK;
    }

    if (line.data[0] == '[') {
        r->section.data = line.data + 1;
        r->section.len = line.len - 2;
        return PODI_OK;
    }

    (void) podi_str_split(&line, '=', &name);

    return show_setting_put(s, r, show_trim(name), show_trim(line));
}


static podi_rc_t
show_setting_put(ctl_show_t *s, const show_reader_t *r, podi_str_t name,
    podi_str_t value)
{
    char            *setting;
    ctl_show_row_t  *known, row;

    memset(&row, 0, sizeof(ctl_show_row_t));

    row.section = "workers";
    row.name = r->section;
    row.setting = name;
    row.from = CTL_SHOW_FILE;
    setting = podi_mem_dup_c(s->mem, &name);

    if (setting == NULL || podi_mem_dup(s->mem, &value, &row.value) != PODI_OK
        || podi_mem_printf(s->mem, &row.origin, "%s:%u", r->path, r->number)
           != PODI_OK)
    {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (ctl_show_hide(s, &name, &row.value) != PODI_OK) {
        return PODI_ERROR;
    }

    known = ctl_show_find(s, "workers", &row.name, setting);

    if (known == NULL) {
        return ctl_show_add(s, &row);
    }

    known->value = row.value;
    known->origin = row.origin;

    return PODI_OK;
}


static podi_str_t
show_comment(podi_str_t line)
{
    size_t  i;

    for (i = 0; i < line.len; i++) {
        if (line.data[i] == '#'
            && (i == 0 || line.data[i - 1] == ' ' || line.data[i - 1] == '\t'))
        {
            line.len = i;
        }
    }

    return line;
}


static podi_str_t
show_trim(podi_str_t s)
{
    while (s.len != 0 && strchr(" \t\r", s.data[0]) != NULL) {
        s.data++;
        s.len--;
    }

    while (s.len != 0 && strchr(" \t\r", s.data[s.len - 1]) != NULL) {
        s.len--;
    }

    return s;
}


static podi_rc_t
show_common(ctl_show_t *s)
{
    podi_str_t             name = podi_string("common");
    podi_common_t          set;
    const podi_setting_t  *row;

    for (row = podi_common_settings(&set, NULL); row->name != NULL; row++) {

        if (ctl_show_find(s, "workers", &name, row->name) == NULL
            && ctl_show_preset(s, "workers", &name, row->name,
                               row->value[0] != '\0' ? row->value : "none")
               != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}
