/*
 * ngx_podi_module: the module that the .so is named after.
 *
 *     init_process: io -> PostgreSQL, Redis -> tick      (one set a worker)
 *     exit_process: Redis, PostgreSQL down, slot free
 *
 * Library handles are made after the fork and only in worker processes.
 * What a process owns hangs off its main configuration, which nothing else
 * writes to at run time.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_core.h"
#include "ngx_podi_shm.h"
#include "ngx_podi_thread.h"


#define NGX_PODI_TICK  500      /* ms, between two looks at the gauges */


static ngx_int_t ngx_podi_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_podi_init_process(ngx_cycle_t *cycle);
static void ngx_podi_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_podi_start_pg(ngx_podi_worker_t *w,
    const ngx_podi_main_conf_t *pmcf);
static ngx_int_t ngx_podi_start_redis(ngx_podi_worker_t *w,
    const ngx_podi_main_conf_t *pmcf);
static void ngx_podi_tick(void *data);
static ngx_int_t ngx_podi_late_slot(ngx_podi_worker_t *w);


static ngx_http_module_t  ngx_http_podi_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_podi_postconfiguration,            /* postconfiguration */

    ngx_podi_create_main_conf,             /* create main configuration */
    ngx_podi_init_main_conf,               /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_podi_create_loc_conf,              /* create location configuration */
    ngx_podi_merge_loc_conf                /* merge location configuration */
};


ngx_module_t  ngx_http_podi_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_module_ctx,             /* module context */
    ngx_podi_commands,                     /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_podi_init_process,                 /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_podi_exit_process,                 /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* a podi_str_t may be read as an ngx_str_t, a podi_rc_t as an nginx code */

_Static_assert(sizeof(podi_str_t) == sizeof(ngx_str_t)
               && offsetof(podi_str_t, len) == offsetof(ngx_str_t, len)
               && offsetof(podi_str_t, data) == offsetof(ngx_str_t, data),
               "podi_str_t is laid out as ngx_str_t");

_Static_assert(PODI_OK == NGX_OK && PODI_ERROR == NGX_ERROR
               && PODI_AGAIN == NGX_AGAIN && PODI_BUSY == NGX_BUSY
               && PODI_DONE == NGX_DONE && PODI_DECLINED == NGX_DECLINED,
               "podi_rc_t has the values of nginx");


static ngx_int_t
ngx_podi_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_podi_main_conf_t       *pmcf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    if (ngx_podi_conf_check(cf, pmcf) != NGX_CONF_OK) {
        return NGX_ERROR;
    }

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_podi_metric_log;

    return NGX_OK;
}


const ngx_podi_main_conf_t *
ngx_podi_conf(void)
{
    return ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_module);
}


/* NULL in processes that serve nobody */

ngx_podi_worker_t *
ngx_podi_worker(void)
{
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    return (pmcf == NULL) ? NULL : pmcf->worker;
}


podi_pg_t *
ngx_podi_pg(void)
{
    ngx_podi_worker_t  *w;

    w = ngx_podi_worker();

    return (w == NULL) ? NULL : w->pg;
}


podi_redis_t *
ngx_podi_redis(void)
{
    ngx_podi_worker_t  *w;

    w = ngx_podi_worker();

    return (w == NULL) ? NULL : w->redis;
}


podi_io_t *
ngx_podi_io(void)
{
    ngx_podi_worker_t  *w;

    w = ngx_podi_worker();

    return (w == NULL) ? NULL : w->io;
}


static ngx_int_t
ngx_podi_init_process(ngx_cycle_t *cycle)
{
    ngx_podi_worker_t     *w;
    ngx_podi_main_conf_t  *pmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_podi_module);
    if (pmcf == NULL) {
        return NGX_OK;
    }

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_podi_worker_t));
    if (w == NULL) {
        return NGX_ERROR;
    }

    pmcf->worker = w;

    w->io = ngx_podi_io_create(cycle);
    if (w->io == NULL) {
        return NGX_ERROR;
    }

    w->slot = ngx_podi_slot_take();

    if (w->slot == NULL && ngx_podi_shm() != NULL) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "podi: this worker has no slot: until it has one it "
                      "does no work in threads, and is not in the metrics");
    }

    w->tick = w->io->timer(w->io, PODI_TIMER_HOUSEKEEPING, ngx_podi_tick, w);

    if (w->tick == NULL
        || ngx_podi_bucket_start(cycle) != NGX_OK
        || ngx_podi_thread_init(w) != NGX_OK
        || ngx_podi_start_pg(w, pmcf) != NGX_OK
        || ngx_podi_start_redis(w, pmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    w->io->arm(w->tick, 1);

    return NGX_OK;
}


static ngx_int_t
ngx_podi_start_pg(ngx_podi_worker_t *w, const ngx_podi_main_conf_t *pmcf)
{
    podi_pg_conf_t  conf;

    if (pmcf->pg.len == 0) {
        return NGX_OK;
    }

    ngx_memzero(&conf, sizeof(podi_pg_conf_t));

    conf.conninfo = (char *) pmcf->pg.data;
    conf.password = pmcf->pg_password;
    conf.application_name = "podi_nginx";
    conf.who = PODI_PG_WEB;
    conf.pipelined = pmcf->pg_pipelined;
    conf.depth = pmcf->pg_depth;
    conf.slow = pmcf->pg_slow;
    conf.waiting = pmcf->pg_pipelined * pmcf->pg_depth * 16;
    conf.connect_timeout = 3000;
    conf.deadline = 5000;
    conf.statement_timeout = 4000;
    conf.reconnect_max = 2000;
    conf.on_change = ngx_podi_log_state;
    conf.data = "PostgreSQL";

    w->pg = podi_pg_create(w->io, &conf);

    return (w->pg == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_podi_start_redis(ngx_podi_worker_t *w, const ngx_podi_main_conf_t *pmcf)
{
    podi_redis_conf_t  conf;

    if (pmcf->redis.len == 0) {
        return NGX_OK;
    }

    ngx_podi_redis_settings(&conf);

    conf.role = PODI_REDIS_COMMANDS;
    conf.name = "podi_nginx";
    conf.on_change = ngx_podi_log_state;
    conf.data = "Redis";

    w->redis = podi_redis_create(w->io, &conf);

    return (w->redis == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_podi_redis_settings(podi_redis_conf_t *conf)
{
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    if (pmcf == NULL || pmcf->redis.len == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(conf, sizeof(podi_redis_conf_t));

    conf->address = (char *) pmcf->redis.data;
    conf->password = pmcf->redis_password;
    conf->connect_timeout = 2000;
    conf->deadline = 2000;
    conf->reconnect_max = 2000;
    conf->ping = 5000;
    conf->in_flight = 1024;

    return NGX_OK;
}


/*
 * Slots are read by whoever answers /metrics.  Counters are added up, so that
 * they stay monotonic when a worker ends.
 */

static void
ngx_podi_tick(void *data)
{
    podi_pg_stat_t      now;
    ngx_podi_worker_t  *w = data;

    w->io->arm(w->tick, NGX_PODI_TICK);

    if (w->slot == NULL && ngx_podi_late_slot(w) != NGX_OK) {
        return;
    }

    w->slot->redis_up = (w->redis != NULL && podi_redis_is_up(w->redis));

    if (w->pg == NULL) {
        return;
    }

    podi_pg_stat(w->pg, &now);

    w->slot->pg_up = now.up;
    w->slot->pg_all = now.all;
    w->slot->pg_in_flight = now.in_flight;
    w->slot->pg_waiting = now.waiting;
    w->slot->pg_tombstones = now.tombstones;

    ngx_podi_count_add(NGX_PODI_COUNT_PG_CALLS, now.calls - w->seen.calls);
    ngx_podi_count_add(NGX_PODI_COUNT_PG_FAILURES,
                       now.failures - w->seen.failures);
    ngx_podi_count_add(NGX_PODI_COUNT_PG_RECONNECTS,
                       now.reconnects - w->seen.reconnects);

    w->seen = now;
}


/* somebody stood still with the zone when this worker was born */

static ngx_int_t
ngx_podi_late_slot(ngx_podi_worker_t *w)
{
    w->slot = ngx_podi_slot_take();

    if (w->slot == NULL) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "podi: this worker has its slot");

    return NGX_OK;
}


static void
ngx_podi_exit_process(ngx_cycle_t *cycle)
{
    podi_pg_t             *pg;
    podi_redis_t          *redis;
    ngx_podi_worker_t     *w;
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_podi_module);

    if (pmcf == NULL || pmcf->worker == NULL) {
        return;
    }

    w = pmcf->worker;

    /* flows that end now must not find what is going away */

    redis = w->redis;
    w->redis = NULL;
    podi_redis_free(&redis);

    pg = w->pg;
    w->pg = NULL;
    podi_pg_free(&pg);

    ngx_podi_bucket_stop();
    ngx_podi_thread_exit(w);
    w->io->timer_free(w->tick);

    if (w->slot != NULL) {
        ngx_memzero(w->slot, sizeof(ngx_podi_slot_t));
    }

    pmcf->worker = NULL;
}


void
ngx_podi_log_state(void *data, const char *what, const podi_fail_t *fail)
{
    char         text[512];
    const char  *who = data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    if (fail == NULL) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "podi: %s: %s",
                      who, what);
        return;
    }

    podi_fail_text(fail, text, sizeof(text));

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "podi: %s: %s: %s",
                  who, what, text);
}
