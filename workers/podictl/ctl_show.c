/*
 * ctl_show: config show, from the question to the table.
 *
 *     read nginx.conf -> ask what is put over channels -> put
 *         -> ask the same of rates -> put -> workers.conf -> tell
 */

#include <stdio.h>
#include <string.h>

#include "ctl_show.h"
#include "podi_buf.h"
#include "banned.h"


static podi_rc_t show_read(podi_flow_t *f, void *ctx);
static podi_rc_t show_channels(podi_flow_t *f, void *ctx);
static podi_rc_t show_rest(podi_flow_t *f, void *ctx);
static void show_table(ctl_show_t *s, podi_buf_t *b);
static void show_json(const ctl_show_t *s, podi_buf_t *b);
static int show_same(const ctl_show_row_t *a, const ctl_show_row_t *b);


const podi_step_t  ctl_config_show_steps[] = {
    { "reading nginx.conf", show_read, 0 },
    { "putting the channels over it", show_channels, 0 },
    { "putting the rates over it", show_rest, 0 },
    podi_null_step
};

static const char *const  show_froms[] = { "file", "database", "default" };


static podi_rc_t
show_read(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    ctl_show_t      *s;
    podi_pg_call_t   call;

    s = podi_mem_calloc(ctl->mem, sizeof(ctl_show_t));

    if (s == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ctl->state = s;
    s->mem = ctl->mem;
    s->fail = &f->fail;
    s->end = &s->first;

    if (podi_directives_read(ctl->values[0], s->mem, &s->root, s->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    s->http = podi_directive_next(s->root, NULL, "http");

    if (s->http == NULL) {
        return podi_fail(s->fail, PODI_E_CONFIG, NULL,
                         "\"%s\" has no http block: name nginx's main "
                         "configuration file", ctl->values[0]);
    }

    if (ctl_show_gateway(s) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_CHANNEL_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
show_channels(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    ctl_show_t      *s = ctl->state;
    podi_pg_call_t   call;

    if (ctl_show_channels(s, f->result) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_LIMIT_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
show_rest(podi_flow_t *f, void *ctx)
{
    ctl_t       *ctl = ctx;
    podi_buf_t   b;
    podi_str_t   text;
    ctl_show_t  *s = ctl->state;

    if (ctl_show_limits(s, f->result) != PODI_OK
        || ctl_show_workers(s, ctl->path) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, s->mem);

    if (ctl->values[1][0] != '\0') {
        show_json(s, &b);

    } else {
        show_table(s, &b);
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) fwrite(text.data, 1, text.len, stdout);

    return PODI_DONE;
}


static void
show_table(ctl_show_t *s, podi_buf_t *b)
{
    const ctl_show_row_t  *r, *before;

    before = NULL;

    for (r = s->first; r != NULL; r = r->next) {

        if (before == NULL || !show_same(before, r)) {
            podi_buf_printf(b, "%s%s " PODI_STR_FMT "\n",
                            before == NULL ? "" : "\n", r->section,
                            podi_str_arg(&r->name));
        }

        podi_buf_printf(b, "    %-24.*s  %-36.*s  " PODI_STR_FMT "\n",
                        podi_str_arg(&r->setting), podi_str_arg(&r->value),
                        podi_str_arg(&r->origin));
        before = r;
    }
}


static void
show_json(const ctl_show_t *s, podi_buf_t *b)
{
    podi_str_t             section;
    const ctl_show_row_t  *r;

    for (r = s->first; r != NULL; r = r->next) {

        section = podi_str_c(r->section);

        podi_buf_add_c(b, "{\"section\":");
        podi_buf_add_json(b, &section);
        podi_buf_add_c(b, ",\"name\":");
        podi_buf_add_json(b, &r->name);
        podi_buf_add_c(b, ",\"setting\":");
        podi_buf_add_json(b, &r->setting);
        podi_buf_add_c(b, ",\"value\":");
        podi_buf_add_json(b, &r->value);
        podi_buf_printf(b, ",\"from\":\"%s\",\"origin\":",
                        show_froms[r->from]);
        podi_buf_add_json(b, &r->origin);
        podi_buf_add_c(b, "}\n");
    }
}


static int
show_same(const ctl_show_row_t *a, const ctl_show_row_t *b)
{
    return strcmp(a->section, b->section) == 0
           && podi_str_eq(&a->name, &b->name);
}


/* ---- the list ----------------------------------------------------------- */

podi_rc_t
ctl_show_add(ctl_show_t *s, const ctl_show_row_t *row)
{
    ctl_show_row_t  *r, **at, **last;

    r = podi_mem_alloc(s->mem, sizeof(ctl_show_row_t));

    if (r == NULL
        || podi_mem_dup(s->mem, &row->name, &r->name) != PODI_OK
        || podi_mem_dup(s->mem, &row->setting, &r->setting) != PODI_OK
        || podi_mem_dup(s->mem, &row->value, &r->value) != PODI_OK
        || podi_mem_dup(s->mem, &row->origin, &r->origin) != PODI_OK)
    {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    r->section = row->section;
    r->from = row->from;
    last = s->end;

    for (at = &s->first; *at != NULL; at = &(*at)->next) {
        if (show_same(*at, r)) {
            last = &(*at)->next;
        }
    }

    r->next = *last;
    *last = r;

    if (r->next == NULL) {
        s->end = &r->next;
    }

    return PODI_OK;
}


ctl_show_row_t *
ctl_show_find(const ctl_show_t *s, const char *section,
    const podi_str_t *name, const char *setting)
{
    ctl_show_row_t  *r;

    for (r = s->first; r != NULL; r = r->next) {
        if (strcmp(r->section, section) == 0 && podi_str_eq(&r->name, name)
            && (setting == NULL || podi_str_eq_c(&r->setting, setting)))
        {
            return r;
        }
    }

    return NULL;
}


podi_rc_t
ctl_show_words(ctl_show_t *s, const podi_directive_t *d, size_t first,
    podi_str_t *ret_text)
{
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, s->mem);

    for (i = first; i < d->n; i++) {
        podi_buf_add_c(&b, i == first ? "" : " ");
        podi_buf_add_str(&b, &d->words[i]);
    }

    return (podi_buf_take(&b, ret_text) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


podi_rc_t
ctl_show_line(ctl_show_t *s, const podi_directive_t *d,
    podi_str_t *ret_origin)
{
    return (podi_mem_printf(s->mem, ret_origin, "%s:%u", d->file, d->line)
            == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


podi_rc_t
ctl_show_file(ctl_show_t *s, const char *section, const podi_str_t *name,
    const podi_str_t *setting, const podi_str_t *value,
    const podi_directive_t *d)
{
    ctl_show_row_t  row;

    memset(&row, 0, sizeof(ctl_show_row_t));

    row.section = section;
    row.name = *name;
    row.setting = *setting;
    row.value = *value;
    row.from = CTL_SHOW_FILE;

    return (ctl_show_hide(s, setting, &row.value) == PODI_OK
            && ctl_show_line(s, d, &row.origin) == PODI_OK)
           ? ctl_show_add(s, &row) : PODI_ERROR;
}


podi_rc_t
ctl_show_preset(ctl_show_t *s, const char *section, const podi_str_t *name,
    const char *setting, const char *value)
{
    ctl_show_row_t  row;

    memset(&row, 0, sizeof(ctl_show_row_t));

    row.section = section;
    row.name = *name;
    row.setting = podi_str_c(setting);
    row.value = podi_str_c(value);
    row.from = CTL_SHOW_DEFAULT;
    row.origin = podi_str_c("default");

    return ctl_show_add(s, &row);
}


int
ctl_show_is_on(const ctl_show_t *s, const char *name)
{
    const podi_directive_t  *d;

    d = podi_directive_next(s->http, NULL, name);

    return d != NULL && strcmp(podi_directive_word(d, 1), "on") == 0;
}


podi_rc_t
ctl_show_directives(ctl_show_t *s, const char *name,
    podi_rc_t (*show)(ctl_show_t *s, const podi_directive_t *d))
{
    const podi_directive_t  *d;

    for (d = podi_directive_next(s->http, NULL, name); d != NULL;
         d = podi_directive_next(s->http, d, name))
    {
        if (show(s, d) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


podi_rc_t
ctl_show_rows(ctl_show_t *s, const podi_pg_result_t *res,
    podi_rc_t (*show)(ctl_show_t *s, const podi_pg_result_t *res, int row))
{
    int  row;

    for (row = 0; row < podi_rows(res); row++) {
        if (show(s, res, row) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}
