/*
 * Samples as HTML: lists of a few numbers, and tables with a row for each
 * limit, breaker, queue.
 *
 *     section -> rows (the labels of its first item) -> cells (its items)
 *
 * Counters of several processes are added up; of a gauge that several of them
 * tell the largest is shown.  Whatever comes from outside this file, names of
 * the configuration and of daemons too, is escaped.
 */

#include "ngx_http_podi_status.h"


typedef struct {
    podi_buf_t                     *b;
    const ngx_array_t              *samples;
    const ngx_http_podi_section_t  *section;
    const ngx_http_podi_sample_t   *row;        /* NULL: of a list */
} tables_t;


static ngx_uint_t tables_list(tables_t *t);
static ngx_uint_t tables_table(tables_t *t);
static void tables_row(tables_t *t);
static ngx_uint_t tables_is_new(const tables_t *t,
    const ngx_http_podi_sample_t *row);
static ngx_uint_t tables_same(const ngx_http_podi_section_t *section,
    const ngx_http_podi_sample_t *one, const ngx_http_podi_sample_t *other);
static ngx_uint_t tables_find(const tables_t *t, const char *family,
    const char *match, double *ret_value);
static ngx_uint_t tables_match(const ngx_http_podi_sample_t *s,
    const char *family, const char *match);
static void tables_label(const ngx_http_podi_sample_t *s, const char *name,
    podi_str_t *ret_value);
static ngx_uint_t tables_value(tables_t *t, const ngx_http_podi_item_t *item);
static void tables_number(podi_buf_t *b, const ngx_http_podi_item_t *item,
    double value);
static void tables_age(podi_buf_t *b, double seconds);
static void tables_text(podi_buf_t *b, const podi_str_t *text);


void
ngx_http_podi_tables(podi_buf_t *b, const ngx_array_t *samples,
    const ngx_http_podi_section_t *sections)
{
    size_t      mark;
    tables_t    t;
    ngx_uint_t  some;

    t.b = b;
    t.samples = samples;
    t.row = NULL;

    for (t.section = sections; t.section->title != NULL; t.section++) {

        mark = b->len;

        podi_buf_printf(b, "<section><h2>%s</h2><table>", t.section->title);

        some = (t.section->keys[0] == NULL) ? tables_list(&t)
                                            : tables_table(&t);

        podi_buf_add_c(b, "</table></section>\n");

        if (!some) {
            b->len = mark;
        }
    }
}


static ngx_uint_t
tables_list(tables_t *t)
{
    size_t                       mark;
    ngx_uint_t                   some = 0;
    const ngx_http_podi_item_t  *item;

    for (item = t->section->items; item->title != NULL; item++) {

        mark = t->b->len;

        podi_buf_printf(t->b, "<tr><th scope=\"row\">%s</th>", item->title);

        if (!tables_value(t, item)) {
            t->b->len = mark;
            continue;
        }

        podi_buf_add_c(t->b, "</tr>\n");
        some = 1;
    }

    return some;
}


static ngx_uint_t
tables_table(tables_t *t)
{
    ngx_uint_t                     i, some = 0;
    const ngx_http_podi_item_t    *item = t->section->items;
    const ngx_http_podi_sample_t  *s = t->samples->elts;

    podi_buf_add_c(t->b, "<thead><tr><td></td>");

    for ( /* void */ ; item->title != NULL; item++) {
        podi_buf_printf(t->b, "<th scope=\"col\">%s</th>", item->title);
    }

    podi_buf_add_c(t->b, "</tr></thead>\n");

    item = t->section->items;

    for (i = 0; i < t->samples->nelts; i++) {

        if (tables_match(&s[i], item->family, item->match)
            && tables_is_new(t, &s[i]))
        {
            t->row = &s[i];
            tables_row(t);
            t->row = NULL;
            some = 1;
        }
    }

    return some;
}


static void
tables_row(tables_t *t)
{
    ngx_uint_t                   i;
    podi_str_t                   name;
    const ngx_http_podi_item_t  *item;

    podi_buf_add_c(t->b, "<tr><th scope=\"row\">");

    for (i = 0; i < 2 && t->section->keys[i] != NULL; i++) {
        tables_label(t->row, t->section->keys[i], &name);
        podi_buf_add_c(t->b, (i == 0) ? "" : " ");
        tables_text(t->b, &name);
    }

    podi_buf_add_c(t->b, "</th>");

    for (item = t->section->items; item->title != NULL; item++) {
        if (!tables_value(t, item)) {
            podi_buf_add_c(t->b, "<td></td>");
        }
    }

    podi_buf_add_c(t->b, "</tr>\n");
}


/* two daemons tell of one queue */

static ngx_uint_t
tables_is_new(const tables_t *t, const ngx_http_podi_sample_t *row)
{
    const ngx_http_podi_item_t    *item = t->section->items;
    const ngx_http_podi_sample_t  *s;

    for (s = t->samples->elts; s < row; s++) {
        if (tables_match(s, item->family, item->match)
            && tables_same(t->section, s, row))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
tables_same(const ngx_http_podi_section_t *section,
    const ngx_http_podi_sample_t *one, const ngx_http_podi_sample_t *other)
{
    ngx_uint_t  i;
    podi_str_t  a, b;

    for (i = 0; i < 2 && section->keys[i] != NULL; i++) {

        tables_label(one, section->keys[i], &a);
        tables_label(other, section->keys[i], &b);

        if (!podi_str_eq(&a, &b)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
tables_find(const tables_t *t, const char *family, const char *match,
    double *ret_value)
{
    size_t                         len = ngx_strlen(family);
    ngx_uint_t                     i, some, adds;
    const ngx_http_podi_sample_t  *s = t->samples->elts;

    some = 0;
    adds = (len > 6 && ngx_strcmp(family + len - 6, "_total") == 0);

    for (i = 0; i < t->samples->nelts; i++) {

        if (!tables_match(&s[i], family, match)
            || (t->row != NULL && !tables_same(t->section, t->row, &s[i])))
        {
            continue;
        }

        if (!some) {
            *ret_value = s[i].value;

        } else if (adds) {
            *ret_value += s[i].value;

        } else {
            *ret_value = ngx_max(*ret_value, s[i].value);
        }

        some = 1;
    }

    return some;
}


static ngx_uint_t
tables_match(const ngx_http_podi_sample_t *s, const char *family,
    const char *match)
{
    const u_char  *p;

    if (!podi_str_eq_c(&s->name, family)) {
        return 0;
    }

    if (match == NULL) {
        return 1;
    }

    p = memmem(s->labels.data, s->labels.len, match, ngx_strlen(match));

    return p != NULL && (p == s->labels.data || p[-1] == ',');
}


/* "": there is none of that name; escapes stay as they are */

static void
tables_label(const ngx_http_podi_sample_t *s, const char *name,
    podi_str_t *ret_value)
{
    size_t         len = ngx_strlen(name);
    const u_char  *p, *key, *last;

    ret_value->data = s->labels.data;
    ret_value->len = 0;

    last = s->labels.data + s->labels.len;

    for (key = s->labels.data; key < last; key = p + 2) {

        p = memchr(key, '"', last - key);
        if (p == NULL) {
            return;
        }

        ret_value->data = (u_char *) (uintptr_t) ++p;

        while (p < last && *p != '"') {
            p += (*p == '\\') ? 2 : 1;
        }

        p = ngx_min(p, last);

        if (ngx_strncmp(key, name, len) == 0 && key[len] == '=') {
            ret_value->len = p - ret_value->data;
            return;
        }
    }
}


/* nothing of nothing is not told */

static ngx_uint_t
tables_value(tables_t *t, const ngx_http_podi_item_t *item)
{
    double      value, whole = 0;
    ngx_uint_t  bad;

    if (!tables_find(t, item->family, item->match, &value)
        || (item->of != NULL
            && (!tables_find(t, item->of, NULL, &whole) || whole == 0)))
    {
        return 0;
    }

    bad = (item->above >= 0 && value > (double) item->above)
          || (item->all && value < whole) || (item->some && value == 0);

    podi_buf_add_c(t->b, bad ? "<td><b>" : "<td>");
    tables_number(t->b, item, value);

    if (item->of != NULL) {
        podi_buf_printf(t->b, " of %.0f", whole);
    }

    podi_buf_add_c(t->b, bad ? "</b></td>" : "</td>");

    return 1;
}


static void
tables_number(podi_buf_t *b, const ngx_http_podi_item_t *item, double value)
{
    switch (item->unit) {

    case NGX_HTTP_PODI_UNIT_AGE:
        tables_age(b, value);
        break;

    case NGX_HTTP_PODI_UNIT_BREAKER:
        podi_buf_add_c(b, (value == 0) ? "closed"
                          : (value == 1) ? "open" : "asking");
        break;

    case NGX_HTTP_PODI_UNIT_CHANNEL:
        podi_buf_add_c(b, (value == 0) ? "open" : "killed");
        break;

    case NGX_HTTP_PODI_UNIT_NUMBER:
        podi_buf_printf(b, "%.0f", value);
        break;
    }
}


static void
tables_age(podi_buf_t *b, double seconds)
{
    if (seconds < 180) {
        podi_buf_printf(b, "%.0f s", seconds);

    } else if (seconds < 3 * 3600) {
        podi_buf_printf(b, "%.0f min", seconds / 60);

    } else if (seconds < 3 * 86400) {
        podi_buf_printf(b, "%.0f h", seconds / 3600);

    } else {
        podi_buf_printf(b, "%.0f days", seconds / 86400);
    }
}


static void
tables_text(podi_buf_t *b, const podi_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        switch (text->data[i]) {

        case '&':
            podi_buf_add_c(b, "&amp;");
            break;

        case '<':
            podi_buf_add_c(b, "&lt;");
            break;

        case '>':
            podi_buf_add_c(b, "&gt;");
            break;

        case '"':
            podi_buf_add_c(b, "&quot;");
            break;

        default:
            podi_buf_add_byte(b, text->data[i]);
        }
    }
}
