/*
 * The rates of the database: what podi.limit_rate says, from PostgreSQL into
 * shared memory, and from there into a set of this worker.
 *
 *     one worker:  IDLE --tick, half a second--> ASKING --answer--> publish
 *     each:        tick: newer in shared memory? -> read -> newest set
 *
 * Leads whoever renews the lease; a dead one's is taken at once.  The table is
 * asked in the name of the first tenant that is there; it is the same for all.
 * While PostgreSQL is away what was read last holds; before anything was read,
 * the configuration alone.
 */

#include "ngx_http_podi_limit_rates.h"
#include "ngx_podi_lock.h"
#include "podi_fault.h"


#define RATES_TICK     200            /* ms */
#define RATES_PERIOD   500            /* ms, from one question to the next */
#define RATES_LEASE    3              /* seconds */

typedef struct {
    size_t                        len;
    u_char                        bytes[NGX_HTTP_PODI_RATES_TEXT];
} rates_text_t;

/*
 * A text is written beside the one that holds, and the version tells which of
 * them that is: whoever dies while he writes leaves a whole one.
 */

typedef struct {
    ngx_atomic_t                  leader;
    ngx_atomic_t                  lease;    /* until then, seconds */
    ngx_atomic_t                  version;  /* 0: no text yet */
    rates_text_t                  texts[2]; /* that of version n: n % 2 */
} rates_shared_t;

typedef enum {
    RATES_IDLE,
    RATES_ASKING
} rates_state_e;

typedef struct ngx_http_podi_rates_s  ngx_http_podi_rates_t;

struct ngx_http_podi_rates_s {
    podi_flow_t                        flow;
    rates_state_e                    state;
    podi_io_t                         *io;
    podi_timer_t                      *tick;
    podi_post_t                        next;    /* from a clean stack */
    podi_arena_t                      *arena;   /* of one question */
    ngx_slab_pool_t                   *pool;
    rates_shared_t                  *shared;
    ngx_http_podi_rate_set_t       *newest;  /* NULL: none was read */
    ngx_http_podi_limit_main_conf_t *conf;
    const podi_str_t                  *tenants;
    ngx_uint_t                         n;
    ngx_uint_t                         at;      /* tenant that is asked */
    ngx_uint_t                         seen;    /* version, good or not */
    ngx_msec_t                         asked;
};


static ngx_int_t rates_zone(ngx_shm_zone_t *zone, void *data);
static podi_rc_t rates_ask(podi_flow_t *f, void *ctx);
static podi_rc_t rates_take(podi_flow_t *f, void *ctx);
static void rates_tick(void *data);
static ngx_uint_t rates_lead(ngx_http_podi_rates_t *o);
static void rates_resign(ngx_http_podi_rates_t *o);
static void rates_next(void *data);
static void rates_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void rates_publish(ngx_http_podi_rates_t *o,
    const podi_str_t *text);
static void rates_load(ngx_http_podi_rates_t *o);


static const podi_step_t  rates_steps[] = {
    { "asking for rates", rates_ask,  0 },
    { "taking rates",     rates_take, 0 },
    podi_null_step
};


char *
ngx_http_podi_rates_on(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                             *rv;
    ngx_str_t                         name = ngx_string("podi_limit_rates_2");
    ngx_podi_main_conf_t             *pmcf;
    ngx_http_podi_limit_main_conf_t  *lmcf = conf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !lmcf->rates_on) {
        return rv;
    }

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    pmcf->needs_pg = 1;

    lmcf->zone = ngx_shared_memory_add(cf, &name, 2 * 1024 * 1024,
                                       &ngx_http_podi_limit_module);
    if (lmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    lmcf->zone->init = rates_zone;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_podi_rates_check(ngx_conf_t *cf)
{
    ngx_podi_main_conf_t             *pmcf;
    ngx_http_podi_limit_main_conf_t  *lmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_limit_module);

    if (lmcf->rates_on && pmcf->tenants.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_rates\" needs a podi_tenant: in its "
                           "name the database is asked");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* kept over reloads, and shared with the workers that are leaving */

static ngx_int_t
rates_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists || pool->data != NULL) {
        return NGX_OK;
    }

    pool->data = ngx_slab_calloc(pool, sizeof(rates_shared_t));

    return (pool->data == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_podi_rates_start(ngx_cycle_t *cycle)
{
    ngx_podi_main_conf_t               *pmcf;
    ngx_http_podi_rates_t            *o;
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_limit_module);

    if (lmcf == NULL || !lmcf->rates_on || ngx_podi_worker() == NULL) {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_podi_module);

    o = ngx_pcalloc(cycle->pool, sizeof(ngx_http_podi_rates_t));
    if (o == NULL) {
        return NGX_ERROR;
    }

    o->conf = lmcf;
    o->tenants = pmcf->tenants.elts;
    o->n = pmcf->tenants.nelts;
    o->pool = (ngx_slab_pool_t *) lmcf->zone->shm.addr;
    o->shared = o->pool->data;
    o->asked = ngx_current_msec - RATES_PERIOD;

    o->io = ngx_podi_io();
    o->next.run = rates_next;
    o->next.data = o;
    o->arena = podi_arena_create();
    o->tick = o->io->timer(o->io, PODI_TIMER_HOUSEKEEPING, rates_tick, o);

    if (o->arena == NULL || o->tick == NULL) {
        return NGX_ERROR;
    }

    rates_load(o);
    o->io->arm(o->tick, 5);

    lmcf->rates = o;

    return NGX_OK;
}


void
ngx_http_podi_rates_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_rates_t            *o;
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_limit_module);

    if (lmcf == NULL || lmcf->rates == NULL) {
        return;
    }

    o = lmcf->rates;
    lmcf->rates = NULL;

    rates_resign(o);

    if (podi_flow_is_active(&o->flow)) {
        podi_flow_cancel(&o->flow);
    }

    o->io->unpost(&o->next);
    o->io->timer_free(o->tick);
    podi_arena_free(&o->arena);

    if (o->newest != NULL) {
        ngx_http_podi_rate_set_free(o->newest);
    }
}


const ngx_http_podi_rate_set_t *
ngx_http_podi_rates(void)
{
    const ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_limit_module);

    return (lmcf == NULL || lmcf->rates == NULL) ? NULL : lmcf->rates->newest;
}


static void
rates_tick(void *data)
{
    ngx_http_podi_rates_t  *o = data;

    o->io->arm(o->tick, RATES_TICK);

    rates_load(o);

    if (ngx_exiting) {
        rates_resign(o);          /* the next cycle's workers lead */
        return;
    }

    if (o->state == RATES_IDLE && rates_lead(o)
        && ngx_current_msec - o->asked >= RATES_PERIOD)
    {
        o->asked = ngx_current_msec;
        o->at = 0;
        o->state = RATES_ASKING;
        rates_next(o);
    }
}


/* renews the lease, or takes one that has run out: one of two wins */

static ngx_uint_t
rates_lead(ngx_http_podi_rates_t *o)
{
    time_t             now;
    ngx_atomic_uint_t  pid, lease, leader;

    now = ngx_time();
    pid = (ngx_atomic_uint_t) ngx_pid;
    lease = o->shared->lease;
    leader = o->shared->leader;

    if (leader != pid && (time_t) lease >= now && !ngx_podi_is_dead(leader)) {
        return 0;
    }

    if (!ngx_atomic_cmp_set(&o->shared->lease, lease,
                            (ngx_atomic_uint_t) (now + RATES_LEASE))
        && o->shared->leader != pid)
    {
        return 0;
    }

    o->shared->leader = pid;

    return 1;
}


static void
rates_resign(ngx_http_podi_rates_t *o)
{
    if (o->shared->leader == (ngx_atomic_uint_t) ngx_pid) {
        o->shared->leader = 0;
        o->shared->lease = 0;
    }
}


static void
rates_next(void *data)
{
    ngx_http_podi_rates_t  *o = data;

    if (o->at == o->n) {
        o->state = RATES_IDLE;
        rates_load(o);
        return;
    }

    podi_arena_reset(o->arena);

    podi_flow_start(&o->flow, rates_steps, o, podi_arena_mem(o->arena),
                    rates_end);
}


static podi_rc_t
rates_ask(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t            call;
    ngx_http_podi_rates_t  *o = ctx;

    podi_pg_call_init(&call, PODI_SQL_LIMIT_RATES, f->mem);

    return ngx_podi_pg_call_tenant(f, &call, &o->tenants[o->at]);
}


static podi_rc_t
rates_take(podi_flow_t *f, void *ctx)
{
    podi_str_t                text;
    ngx_http_podi_rates_t  *o = ctx;

    text = podi_row_str(f->result, 0, "rates");

    rates_publish(o, &text);

    return PODI_DONE;
}


/* a tenant that is not there (yet) cannot be asked for: the next one */

static void
rates_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_http_podi_rates_t  *o = ctx;

    if (rc == PODI_ERROR && f->fail.error == PODI_E_NOT_FOUND) {
        o->at++;

    } else {
        o->at = o->n;
    }

    o->io->post(o->io, &o->next);
}


static void
rates_publish(ngx_http_podi_rates_t *o, const podi_str_t *text)
{
    ngx_uint_t       version;
    rates_text_t    *last, *next;
    rates_shared_t  *shared = o->shared;

    if (text->len > NGX_HTTP_PODI_RATES_TEXT) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "podi: %uz bytes of rates where %d may come",
                      text->len, NGX_HTTP_PODI_RATES_TEXT);
        return;
    }

    ngx_shmtx_lock(&o->pool->mutex);

    version = shared->version;
    last = &shared->texts[version % 2];
    next = &shared->texts[(version + 1) % 2];

    if (version == 0 || last->len != text->len
        || ngx_memcmp(last->bytes, text->data, text->len) != 0)
    {
        next->len = text->len;

        PODI_FAULT(rates_publish);

        ngx_memcpy(next->bytes, text->data, text->len);
        ngx_memory_barrier();

        shared->version = version + 1;
    }

    ngx_shmtx_unlock(&o->pool->mutex);
}


static void
rates_load(ngx_http_podi_rates_t *o)
{
    u_char                       *bytes;
    podi_str_t                    text;
    ngx_uint_t                    version;
    rates_text_t                 *known;
    ngx_http_podi_rate_set_t     *set;

    if (o->shared->version == o->seen) {
        return;
    }

    bytes = ngx_alloc(NGX_HTTP_PODI_RATES_TEXT, ngx_cycle->log);
    if (bytes == NULL) {
        return;
    }

    ngx_shmtx_lock(&o->pool->mutex);

    version = o->shared->version;
    known = &o->shared->texts[version % 2];
    text.len = known->len;
    text.data = bytes;
    ngx_memcpy(bytes, known->bytes, text.len);

    ngx_shmtx_unlock(&o->pool->mutex);

    set = ngx_http_podi_rate_set_read(o->conf, &text);

    ngx_free(bytes);

    o->seen = version;

    if (set == NULL) {
        return;
    }

    if (o->newest != NULL) {
        ngx_http_podi_rate_set_free(o->newest);
    }

    o->newest = set;
}
