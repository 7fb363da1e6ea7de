/*
 * What the limits have decided, of all workers and since the zones were made.
 */

#include "ngx_http_podi_limit.h"


static void limit_decisions(podi_buf_t *b, const ngx_podi_bucket_t *limit);
static void limit_cells(podi_buf_t *b);
static void limit_family(podi_buf_t *b, const char *name, const char *type,
    const char *help, ngx_podi_bucket_count_e what);


static const char *const  limit_words[] = {
    "allowed", "refused", "dry_run", "degraded", "skipped"
};


void
ngx_http_podi_limit_metrics(podi_buf_t *b)
{
    ngx_uint_t           i;
    const ngx_array_t   *limits;
    ngx_podi_bucket_t  **limit;

    limits = ngx_podi_buckets();
    limit = limits->elts;

    if (limits->nelts == 0) {
        return;
    }

    ngx_podi_metric_head(b, "podi_limit_decisions_total", "counter",
                         "What a limit has said to requests");

    for (i = 0; i < limits->nelts; i++) {
        limit_decisions(b, limit[i]);
    }

    limit_family(b, "podi_limit_evicted_total", "counter",
                 "Keys forgotten while they counted: the zone is full",
                 NGX_PODI_BUCKET_EVICTED);
    limit_family(b, "podi_limit_failures_total", "counter",
                 "Failed logins and bad tokens, charged to addresses",
                 NGX_PODI_BUCKET_CHARGED);

    /* a place that was used once stays somebody's */

    limit_family(b, "podi_limit_cells_used", "gauge",
                 "Keys that have a place in the zone",
                 NGX_PODI_BUCKET_FILLED);
    limit_cells(b);
}


static void
limit_decisions(podi_buf_t *b, const ngx_podi_bucket_t *limit)
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_PODI_BUCKET_EVICTED; n++) {
        podi_buf_printf(b, "podi_limit_decisions_total{limit=\"%.*s\","
                        "decision=\"%s\"} %lu\n",
                        (int) limit->name.len, limit->name.data,
                        limit_words[n],
                        (unsigned long) ngx_podi_bucket_counted(limit, n));
    }
}


static void
limit_cells(podi_buf_t *b)
{
    ngx_uint_t           i;
    const ngx_array_t   *limits;
    ngx_podi_bucket_t  **limit;

    limits = ngx_podi_buckets();
    limit = limits->elts;

    ngx_podi_metric_head(b, "podi_limit_cells", "gauge",
                         "Keys for which the zone has room");

    for (i = 0; i < limits->nelts; i++) {
        podi_buf_printf(b, "podi_limit_cells{limit=\"%.*s\"} %lu\n",
                        (int) limit[i]->name.len, limit[i]->name.data,
                        (unsigned long) (limit[i]->shm->n * PODI_CELL_WAYS));
    }
}


static void
limit_family(podi_buf_t *b, const char *name, const char *type,
    const char *help, ngx_podi_bucket_count_e what)
{
    ngx_uint_t           i;
    const ngx_array_t   *limits;
    ngx_podi_bucket_t  **limit;

    limits = ngx_podi_buckets();
    limit = limits->elts;

    ngx_podi_metric_head(b, name, type, help);

    for (i = 0; i < limits->nelts; i++) {
        podi_buf_printf(b, "%s{limit=\"%.*s\"} %lu\n", name,
                        (int) limit[i]->name.len, limit[i]->name.data,
                        (unsigned long)
                        ngx_podi_bucket_counted(limit[i], what));
    }
}
