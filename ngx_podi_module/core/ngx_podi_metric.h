/*
 * ngx_podi_metric: what the workers of one nginx count together.
 *
 *     request -> cell of its route: class x {count, sum, buckets}
 *     worker  -> its slot: gauges, written by nobody else
 *
 * All of it lives in the zone of podi_zone and survives a reload: old and
 * new workers write together.  A cell is found by method and path, is made
 * with zeros and never goes away; a slot belongs to a living process.
 */

#ifndef NGX_PODI_METRIC_H
#define NGX_PODI_METRIC_H


#include "ngx_podi.h"


#define NGX_PODI_CLASSES   5            /* 1xx .. 5xx */
#define NGX_PODI_BUCKETS   14           /* the last one: +Inf */
#define NGX_PODI_SLOTS     128
#define NGX_PODI_LABEL     96

/* what is counted once for all workers, besides requests */

typedef enum {
    NGX_PODI_COUNT_PG_CALLS,
    NGX_PODI_COUNT_PG_FAILURES,
    NGX_PODI_COUNT_PG_RECONNECTS,
    NGX_PODI_COUNT_THREAD_RUNS,
    NGX_PODI_COUNT_THREAD_REFUSED,
    NGX_PODI_COUNT_AUTH_OK,
    NGX_PODI_COUNT_AUTH_REFUSED,
    NGX_PODI_COUNT_AUTH_LOOKUPS,
    NGX_PODI_COUNT_ANNOUNCE_LOST,
    NGX_PODI_COUNT_WOULD_REFUSE,
    NGX_PODI_COUNT_CACHE_L1,
    NGX_PODI_COUNT_CACHE_L2,
    NGX_PODI_COUNT_CACHE_MISSES,
    NGX_PODI_COUNT_CACHE_L1_EVICTED,
    NGX_PODI_COUNT_CACHE_L2_EVICTED,
    NGX_PODI_COUNT_LIMIT_CALLS,
    NGX_PODI_COUNT_LIMIT_FAILURES,
    NGX_PODI_COUNT_LIMIT_LEASED,
    NGX_PODI_COUNT_LIMIT_CACHED,
    NGX_PODI_COUNT_LIMIT_TAKEN,
    NGX_PODI_COUNT_LIMIT_RETURNED,
    NGX_PODI_COUNT_LAST
} ngx_podi_count_e;

typedef struct {
    ngx_atomic_t             usec;
    ngx_atomic_t             buckets[NGX_PODI_BUCKETS];
} ngx_podi_histogram_t;

typedef struct ngx_podi_metric_cell_s  ngx_podi_metric_cell_t;

struct ngx_podi_metric_cell_s {
    ngx_podi_metric_cell_t  *next;
    char                     method[8];
    char                     path[NGX_PODI_LABEL];
    ngx_podi_histogram_t     classes[NGX_PODI_CLASSES];
};

/* gauges of one worker process */

typedef struct {
    uint64_t                 owner;      /* a process; 0: free */
    ngx_atomic_t             pg_up;
    ngx_atomic_t             pg_all;
    ngx_atomic_t             pg_in_flight;
    ngx_atomic_t             pg_waiting;
    ngx_atomic_t             pg_tombstones;
    ngx_atomic_t             redis_up;
    ngx_atomic_t             limit_open;    /* limits without Redis */
    ngx_atomic_t             threads_running;
    ngx_atomic_t             threads_waiting;
} ngx_podi_slot_t;


/* upper bounds in microseconds, NGX_PODI_BUCKETS - 1 of them */
extern const ngx_uint_t  ngx_podi_bounds[];

/*
 * A feature's own families: `source` appends them, whole, at each scrape.
 * Told to core at configuration time.
 */
typedef void (*ngx_podi_metric_pt)(podi_buf_t *b);

ngx_int_t ngx_podi_metric_source(ngx_conf_t *cf, ngx_podi_metric_pt source);
void ngx_podi_metric_sources(podi_buf_t *b);

/* the two lines before the samples of a family; type: counter, gauge, ... */
void ngx_podi_metric_head(podi_buf_t *b, const char *name, const char *type,
    const char *help);

/* no-ops when there is no zone */
void ngx_podi_count(ngx_podi_count_e what);
void ngx_podi_count_add(ngx_podi_count_e what, ngx_uint_t n);
ngx_uint_t ngx_podi_counted(ngx_podi_count_e what);

/* the first cell, in no order; and all slots (NGX_PODI_SLOTS) */
ngx_podi_metric_cell_t *ngx_podi_cells(void);
ngx_podi_slot_t *ngx_podi_slots(void);

/* the LOG phase: counts the request in the cell of its route */
ngx_int_t ngx_podi_metric_log(ngx_http_request_t *r);

/* takes a free slot, or that of a process which is no more */
ngx_podi_slot_t *ngx_podi_slot_take(void);


#endif /* NGX_PODI_METRIC_H */
