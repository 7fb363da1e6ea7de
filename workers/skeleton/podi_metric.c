/*
 * podi_metric: numbers, kept in a small table and written as a file.
 *
 *     add, set -> table -> every 5 s -> <dir>/<daemon>-<pid>.prom.tmp -> .prom
 *     of an instance: <daemon>:<name>-<pid>.prom, each row with unit="<name>"
 *
 * The file appears whole or not at all (rename) and goes when the child
 * ends, so that a reader never counts the dead.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "podi_json.h"
#include "podi_worker_int.h"
#include "banned.h"

#define METRIC_MAX         2048
#define METRIC_NAME_MAX    64
#define METRIC_LABELS_MAX  160

typedef struct {
    char      name[METRIC_NAME_MAX];
    char      labels[METRIC_LABELS_MAX];
    double    value;
    unsigned  counter:1;
} metric_t;

struct podi_metrics_s {
    char        path[512];
    char        tmp[520];
    unsigned    n;
    unsigned    failing:1;
    metric_t    rows[METRIC_MAX];
};


static metric_t *metric_row(podi_worker_t *w, const char *name,
    const char *labels);
static int metric_compare(const void *one, const void *two);
static podi_rc_t metric_text(podi_metrics_t *m, const char *unit,
    podi_buf_t *b);
static void metric_label(podi_buf_t *b, const char *name,
    const json_t *value);
static int metric_store(podi_metrics_t *m, const podi_str_t *text);


podi_rc_t
podi_metrics_create(podi_worker_t *w)
{
    podi_metrics_t  *m;

    m = podi_mem_calloc(w->mem, sizeof(podi_metrics_t));
    if (m == NULL) {
        return PODI_ERROR;
    }

    if (w->set->metrics_dir[0] != '\0') {
        (void) snprintf(m->path, sizeof(m->path), "%s/%s-%d.prom",
                        w->set->metrics_dir, w->name, (int) getpid());
        (void) snprintf(m->tmp, sizeof(m->tmp), "%s.tmp", m->path);
    }

    w->metrics = m;

    return PODI_OK;
}


void
podi_metrics_free(podi_worker_t *w)
{
    if (w->metrics == NULL) {
        return;
    }

    if (w->metrics->path[0] != '\0') {
        (void) unlink(w->metrics->path);
        (void) unlink(w->metrics->tmp);
    }

    w->metrics = NULL;
}


void
podi_metric_add(podi_worker_t *w, const char *name, const char *labels,
    double n)
{
    metric_t  *row;

    row = metric_row(w, name, labels);
    if (row != NULL) {
        row->counter = 1;
        row->value += n;
    }
}


void
podi_metric_set(podi_worker_t *w, const char *name, const char *labels,
    double value)
{
    metric_t  *row;

    row = metric_row(w, name, labels);
    if (row != NULL) {
        row->value = value;
    }
}


void
podi_metric_forget(podi_worker_t *w, const char *name)
{
    unsigned         i, kept;
    podi_metrics_t  *m = w->metrics;

    kept = 0;

    for (i = 0; i < m->n; i++) {
        if (strcmp(m->rows[i].name, name) != 0) {
            m->rows[kept++] = m->rows[i];
        }
    }

    m->n = kept;
}


/* NULL when the table is full: a number is lost, the work goes on */

static metric_t *
metric_row(podi_worker_t *w, const char *name, const char *labels)
{
    unsigned         i;
    metric_t        *row;
    podi_metrics_t  *m = w->metrics;

    for (i = 0; i < m->n; i++) {
        if (strcmp(m->rows[i].name, name) == 0
            && strcmp(m->rows[i].labels, labels) == 0)
        {
            return &m->rows[i];
        }
    }

    if (m->n == METRIC_MAX || strlen(name) >= METRIC_NAME_MAX
        || strlen(labels) >= METRIC_LABELS_MAX)
    {
        return NULL;
    }

    row = &m->rows[m->n++];
    memset(row, 0, sizeof(metric_t));
    (void) snprintf(row->name, METRIC_NAME_MAX, "%s", name);
    (void) snprintf(row->labels, METRIC_LABELS_MAX, "%s", labels);

    return row;
}


podi_rc_t
podi_metric_labels(podi_mem_t *mem, const podi_str_t *object,
    const char **ret_labels)
{
    json_t             *json, *value;
    podi_buf_t          b;
    podi_str_t          text;
    const char         *name;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { 4096, 2 };

    if (podi_json_parse(object, &limit, mem, &json, &fail) != PODI_OK
        || !json_is_object(json))
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);

    json_object_foreach(json, name, value) {
        if (b.len > 0) {
            podi_buf_add_byte(&b, ',');
        }

        metric_label(&b, name, value);
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_labels = (const char *) text.data;

    return PODI_OK;
}


/* the text format escapes \, " and the line end in a label's value */

static void
metric_label(podi_buf_t *b, const char *name, const json_t *value)
{
    size_t      i;
    podi_str_t  s;

    podi_buf_printf(b, "%s=\"", name);

    if (json_is_integer(value)) {
        podi_buf_printf(b, "%lld", (long long) json_integer_value(value));
    }

    s = podi_json_str(value);

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '\n') {
            podi_buf_add_c(b, "\\n");
            continue;
        }

        if (s.data[i] == '"' || s.data[i] == '\\') {
            podi_buf_add_byte(b, '\\');
        }

        podi_buf_add_byte(b, s.data[i]);
    }

    podi_buf_add_byte(b, '"');
}


void
podi_metrics_write(podi_worker_t *w)
{
    podi_buf_t       b;
    podi_str_t       text;
    podi_arena_t    *arena;
    podi_metrics_t  *m = w->metrics;

    podi_metric_set(w, "podi_worker_alive", "",
                    w->jobs == NULL || podi_jobs_are_alive(w->jobs));

    if (m->path[0] == '\0') {
        return;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    podi_buf_init(&b, podi_arena_mem(arena));

    if (metric_text(m, w->instance, &b) == PODI_OK
        && podi_buf_take(&b, &text) == PODI_OK)
    {

        if (metric_store(m, &text) == 0) {
            m->failing = 0;

        } else if (!m->failing) {
            m->failing = 1;
            podi_worker_log(w, PODI_LOG_WARN, "metrics.failed", NULL,
                            "%s: %s", m->path, strerror(errno));
        }
    }

    podi_arena_free(&arena);
}


/* an instance is told from others of its kind: `instance` is Prometheus's */

static podi_rc_t
metric_text(podi_metrics_t *m, const char *unit, podi_buf_t *b)
{
    unsigned     i;
    metric_t    *row;
    const char  *last;

    qsort(m->rows, m->n, sizeof(metric_t), metric_compare);

    last = "";

    for (i = 0; i < m->n; i++) {
        row = &m->rows[i];

        if (strcmp(last, row->name) != 0) {
            podi_buf_printf(b, "# TYPE %s %s\n", row->name,
                            row->counter ? "counter" : "gauge");
        }

        if (unit != NULL) {
            podi_buf_printf(b, "%s{%s%sunit=\"%s\"} %.15g\n", row->name,
                            row->labels, row->labels[0] != '\0' ? "," : "",
                            unit, row->value);
        } else {
            podi_buf_printf(b, "%s%s%s%s %.15g\n", row->name,
                            row->labels[0] != '\0' ? "{" : "", row->labels,
                            row->labels[0] != '\0' ? "}" : "", row->value);
        }

        last = row->name;
    }

    return b->failed ? PODI_ERROR : PODI_OK;
}


static int
metric_compare(const void *one, const void *two)
{
    int              order;
    const metric_t  *a = one, *b = two;

    order = strcmp(a->name, b->name);

    return order != 0 ? order : strcmp(a->labels, b->labels);
}


/* 0, or -1 with errno */

static int
metric_store(podi_metrics_t *m, const podi_str_t *text)
{
    int      fd;
    ssize_t  n;

    fd = open(m->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd == -1) {
        return -1;
    }

    n = write(fd, text->data, text->len);

    if (close(fd) == -1 || n != (ssize_t) text->len) {
        return -1;
    }

    return rename(m->tmp, m->path);
}
