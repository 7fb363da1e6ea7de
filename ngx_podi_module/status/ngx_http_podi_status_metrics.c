/*
 * GET /metrics: Prometheus text format 0.0.4.
 *
 *     cells (all routes, from zero) -> slots (living workers) -> counters
 *         -> *.prom files of the daemons
 *
 * Whichever worker is asked answers for all of them.
 */

#include "ngx_http_podi_status.h"
#include "ngx_podi_process.h"


typedef struct {
    const char        *name;
    const char        *help;
    ngx_podi_count_e   what;
} status_counter_t;

typedef struct {
    const char        *name;
    const char        *help;
    size_t             offset;      /* in ngx_podi_slot_t */
} status_gauge_t;


static void status_latencies(podi_buf_t *b);
static void status_request_class(podi_buf_t *b,
    const ngx_podi_metric_cell_t *cell, ngx_uint_t class);
static void status_durations(podi_buf_t *b,
    const ngx_podi_metric_cell_t *cell, ngx_uint_t class);
static ngx_uint_t status_is_alive(const ngx_podi_slot_t *slot);
static void status_gauges(podi_buf_t *b);
static void status_counters(podi_buf_t *b);
static void status_feed(podi_buf_t *b);


static const status_counter_t  status_counts[] = {
    { "podi_pg_calls_total", "Units sent to PostgreSQL",
      NGX_PODI_COUNT_PG_CALLS },
    { "podi_pg_failures_total", "Units that got no answer from PostgreSQL",
      NGX_PODI_COUNT_PG_FAILURES },
    { "podi_pg_reconnects_total", "Connections made again",
      NGX_PODI_COUNT_PG_RECONNECTS },
    { "podi_thread_runs_total", "Pieces of work run in threads",
      NGX_PODI_COUNT_THREAD_RUNS },
    { "podi_thread_refused_total", "Pieces of work refused: the queue is full",
      NGX_PODI_COUNT_THREAD_REFUSED },
    { "podi_auth_accepted_total", "Requests with an identity",
      NGX_PODI_COUNT_AUTH_OK },
    { "podi_auth_refused_total", "Requests refused by auth",
      NGX_PODI_COUNT_AUTH_REFUSED },
    { "podi_auth_lookups_total", "Sessions asked for in PostgreSQL",
      NGX_PODI_COUNT_AUTH_LOOKUPS },
    { "podi_announce_lost_total", "Announcements that Redis did not take",
      NGX_PODI_COUNT_ANNOUNCE_LOST },
    { "podi_would_refuse_total", "Requests that podi_dry_run let pass",
      NGX_PODI_COUNT_WOULD_REFUSE },
    { "podi_auth_cache_l1_hits_total", "Tokens known to the worker itself",
      NGX_PODI_COUNT_CACHE_L1 },
    { "podi_auth_cache_l2_hits_total", "Tokens known to another worker",
      NGX_PODI_COUNT_CACHE_L2 },
    { "podi_auth_cache_misses_total", "Tokens that had to be verified",
      NGX_PODI_COUNT_CACHE_MISSES },
    { "podi_auth_cache_l1_evictions_total",
      "Tokens that made room for others in a worker",
      NGX_PODI_COUNT_CACHE_L1_EVICTED },
    { "podi_auth_cache_l2_evictions_total",
      "Tokens that made room for others in shared memory",
      NGX_PODI_COUNT_CACHE_L2_EVICTED },
    { "podi_limit_redis_calls_total", "Calls to Redis that decide limits",
      NGX_PODI_COUNT_LIMIT_CALLS },
    { "podi_limit_redis_failures_total",
      "Requests whose limits Redis did not decide in time",
      NGX_PODI_COUNT_LIMIT_FAILURES },
    { "podi_limit_leased_total", "Limits paid with units taken before",
      NGX_PODI_COUNT_LIMIT_LEASED },
    { "podi_limit_cached_total",
      "Requests refused by what Redis had said before",
      NGX_PODI_COUNT_LIMIT_CACHED },
    { "podi_limit_units_taken_total", "Units taken from Redis for leases",
      NGX_PODI_COUNT_LIMIT_TAKEN },
    { "podi_limit_units_returned_total", "Units of leases given back",
      NGX_PODI_COUNT_LIMIT_RETURNED }
};

static const status_gauge_t  status_slots[] = {
    { "podi_pg_connections_up", "Connections ready",
      offsetof(ngx_podi_slot_t, pg_up) },
    { "podi_pg_connections", "Connections configured",
      offsetof(ngx_podi_slot_t, pg_all) },
    { "podi_pg_in_flight", "Units sent and not answered",
      offsetof(ngx_podi_slot_t, pg_in_flight) },
    { "podi_pg_waiting", "Units that wait for a connection",
      offsetof(ngx_podi_slot_t, pg_waiting) },
    { "podi_pg_tombstones", "Units whose caller went away",
      offsetof(ngx_podi_slot_t, pg_tombstones) },
    { "podi_redis_up", "Workers with a Redis connection",
      offsetof(ngx_podi_slot_t, redis_up) },
    { "podi_limit_breaker_open", "Workers that decide limits without Redis",
      offsetof(ngx_podi_slot_t, limit_open) },
    { "podi_threads_running", "Threads at work",
      offsetof(ngx_podi_slot_t, threads_running) },
    { "podi_threads_waiting", "Pieces of work that wait for a core",
      offsetof(ngx_podi_slot_t, threads_waiting) }
};


ngx_int_t
ngx_http_podi_status_metrics(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_buf_t  b;
    podi_str_t  body;

    podi_buf_init(&b, ngx_podi_mem(r));

    ngx_http_podi_status_requests(&b);
    status_latencies(&b);
    ngx_http_podi_status_rest(r, &b);

    if (podi_buf_take(&b, &body) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, NGX_HTTP_OK,
                         "text/plain; version=0.0.4; charset=utf-8", &body);
}


void
ngx_http_podi_status_rest(ngx_http_request_t *r, podi_buf_t *b)
{
    ngx_http_podi_status_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_status_module);

    status_gauges(b);
    status_counters(b);
    status_feed(b);
    ngx_podi_metric_sources(b);

    if (slcf->metrics_dir.len != 0) {
        ngx_http_podi_status_files(r, b, &slcf->metrics_dir);
    }
}


void
ngx_http_podi_status_requests(podi_buf_t *b)
{
    ngx_uint_t                     class;
    const ngx_podi_metric_cell_t  *cell;

    ngx_podi_metric_head(b, "podi_http_requests_total", "counter",
                         "Requests answered, by route and class of status");

    for (cell = ngx_podi_cells(); cell != NULL; cell = cell->next) {
        for (class = 1; class < NGX_PODI_CLASSES; class++) {
            status_request_class(b, cell, class);
        }
    }
}


static void
status_latencies(podi_buf_t *b)
{
    ngx_uint_t                     class;
    const ngx_podi_metric_cell_t  *cell;

    ngx_podi_metric_head(b, "podi_http_request_duration_seconds",
                         "histogram",
                         "From the first byte read to the last one written");

    for (cell = ngx_podi_cells(); cell != NULL; cell = cell->next) {
        for (class = 1; class < NGX_PODI_CLASSES; class++) {
            status_durations(b, cell, class);
        }
    }
}


static void
status_request_class(podi_buf_t *b, const ngx_podi_metric_cell_t *cell,
    ngx_uint_t class)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_PODI_BUCKETS; i++) {
        n += cell->classes[class].buckets[i];
    }

    podi_buf_printf(b, "podi_http_requests_total{method=\"%s\",route=\"%s\","
                    "class=\"%luxx\"} %lu\n", cell->method, cell->path,
                    (unsigned long) class + 1, (unsigned long) n);
}


static void
status_durations(podi_buf_t *b, const ngx_podi_metric_cell_t *cell,
    ngx_uint_t class)
{
    char                         labels[160];
    ngx_uint_t                   i, n;
    const ngx_podi_histogram_t  *h = &cell->classes[class];

    (void) snprintf(labels, sizeof(labels),
                    "method=\"%s\",route=\"%s\",class=\"%luxx\"",
                    cell->method, cell->path, (unsigned long) class + 1);

    n = 0;

    for (i = 0; i < NGX_PODI_BUCKETS - 1; i++) {
        n += h->buckets[i];

        podi_buf_printf(b, "podi_http_request_duration_seconds_bucket{%s,"
                        "le=\"%g\"} %lu\n", labels,
                        (double) ngx_podi_bounds[i] / 1e6,
                        (unsigned long) n);
    }

    n += h->buckets[i];

    podi_buf_printf(b, "podi_http_request_duration_seconds_bucket{%s,"
                    "le=\"+Inf\"} %lu\n"
                    "podi_http_request_duration_seconds_sum{%s} %.6f\n"
                    "podi_http_request_duration_seconds_count{%s} %lu\n",
                    labels, (unsigned long) n, labels,
                    (double) h->usec / 1e6, labels, (unsigned long) n);
}


static ngx_uint_t
status_is_alive(const ngx_podi_slot_t *slot)
{
    return slot->owner != 0 && !ngx_podi_process_is_dead(slot->owner);
}


/* all workers may have Redis, unless there is none */

void
ngx_http_podi_status_workers(podi_buf_t *b)
{
    size_t            n;
    unsigned long     pid, workers = 0;
    ngx_podi_slot_t  *slot;

    slot = ngx_podi_slots();

    for (n = 0; slot != NULL && n < NGX_PODI_SLOTS; n++) {

        if (!status_is_alive(&slot[n])) {
            continue;
        }

        pid = (unsigned long) ngx_podi_process_pid(slot[n].owner);
        workers++;

        podi_buf_printf(b, "status_worker_pg_up{pid=\"%lu\"} %lu\n"
                        "status_worker_pg{pid=\"%lu\"} %lu\n"
                        "status_worker_pg_in_flight{pid=\"%lu\"} %lu\n"
                        "status_worker_pg_waiting{pid=\"%lu\"} %lu\n"
                        "status_worker_threads{pid=\"%lu\"} %lu\n",
                        pid, (unsigned long) slot[n].pg_up,
                        pid, (unsigned long) slot[n].pg_all,
                        pid, (unsigned long) slot[n].pg_in_flight,
                        pid, (unsigned long) slot[n].pg_waiting,
                        pid, (unsigned long) slot[n].threads_running);
    }

    if (ngx_podi_redis() != NULL) {
        podi_buf_printf(b, "status_redis %lu\n", workers);
    }
}


static void
status_gauges(podi_buf_t *b)
{
    size_t            g, n;
    unsigned long     sum, workers;
    ngx_podi_slot_t  *slot;

    slot = ngx_podi_slots();
    if (slot == NULL) {
        return;
    }

    for (g = 0; g < sizeof(status_slots) / sizeof(status_slots[0]); g++) {

        sum = 0;
        workers = 0;

        for (n = 0; n < NGX_PODI_SLOTS; n++) {

            if (!status_is_alive(&slot[n])) {
                continue;
            }

            workers++;
            sum += *(ngx_atomic_t *) (void *)
                   ((char *) &slot[n] + status_slots[g].offset);
        }

        ngx_podi_metric_head(b, status_slots[g].name, "gauge",
                             status_slots[g].help);
        podi_buf_printf(b, "%s %lu\n", status_slots[g].name, sum);
    }

    ngx_podi_metric_head(b, "podi_nginx_workers", "gauge", "Worker processes");
    podi_buf_printf(b, "podi_nginx_workers %lu\n", workers);
}


static void
status_counters(podi_buf_t *b)
{
    size_t  i;

    for (i = 0; i < sizeof(status_counts) / sizeof(status_counts[0]); i++) {
        ngx_podi_metric_head(b, status_counts[i].name, "counter",
                             status_counts[i].help);
        podi_buf_printf(b, "%s %lu\n", status_counts[i].name,
                        (unsigned long)
                        ngx_podi_counted(status_counts[i].what));
    }
}


/*
 * Before the first feed the age is that of the machine: an alert, rightly; but
 * who has no PostgreSQL has nothing to be fed with.
 */

static void
status_feed(podi_buf_t *b)
{
    ngx_podi_feed_t  *feed;

    feed = ngx_podi_feed();
    if (feed == NULL || ngx_podi_pg() == NULL) {
        return;
    }

    ngx_podi_metric_head(b, "podi_revocation_feed_age_seconds", "gauge",
                         "Since the last complete look at ended sessions");
    podi_buf_printf(b, "podi_revocation_feed_age_seconds %ld\n",
                    (long) ngx_max((ngx_msec_int_t) (ngx_current_msec
                                                     - feed->synced),
                                   0) / 1000);

    ngx_podi_metric_head(b, "podi_revoked_sessions", "gauge",
                         "Revocations of which a token may still live");
    podi_buf_printf(b, "podi_revoked_sessions %lu\n",
                    (unsigned long) ngx_podi_revoked_count());
}

