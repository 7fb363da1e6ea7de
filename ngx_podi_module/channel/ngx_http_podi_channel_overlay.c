/*
 * The overlay: what podi.channel says, from PostgreSQL into shared memory,
 * and from there into a set of this worker.
 *
 *     one worker:  IDLE --tick, half a second--> ASKING --answer--> publish
 *     each:        tick: newer in shared memory? -> read -> newest set
 *
 * Leads whoever renews the lease; a dead one's is taken at once.  The table is
 * asked in the name of the first tenant that is there; it is the same for all.
 * While PostgreSQL is away what was read last holds; before anything was read,
 * the configuration alone.
 */

#include "ngx_http_podi_channel.h"
#include "ngx_podi_lock.h"
#include "podi_fault.h"


#define OVERLAY_TICK     200            /* ms */
#define OVERLAY_PERIOD   500            /* ms, from one question to the next */
#define OVERLAY_LEASE    1              /* seconds, renewed each tick */
#define OVERLAY_AGAIN    5000           /* ms, to a text that was no good */
#define OVERLAY_TEXT     (512 * 1024)

typedef struct {
    size_t                        len;
    u_char                        bytes[OVERLAY_TEXT];
} overlay_text_t;

/*
 * A text is written beside the one that holds, and the version tells which of
 * them that is: whoever dies while he writes leaves a whole one.
 */

typedef struct {
    ngx_atomic_t                  leader;
    ngx_atomic_t                  lease;    /* until then, seconds */
    ngx_atomic_t                  version;  /* 0: no text yet */
    overlay_text_t                texts[2]; /* that of version n: n % 2 */
} overlay_shared_t;

typedef enum {
    OVERLAY_IDLE,
    OVERLAY_ASKING
} overlay_state_e;

struct ngx_http_podi_overlay_s {
    podi_flow_t                        flow;
    overlay_state_e                    state;
    podi_io_t                         *io;
    podi_timer_t                      *tick;
    podi_post_t                        next;    /* from a clean stack */
    podi_arena_t                      *arena;   /* of one question */
    ngx_slab_pool_t                   *pool;
    overlay_shared_t                  *shared;
    ngx_http_podi_channel_set_t       *newest;  /* NULL: none was read */
    ngx_http_podi_channel_main_conf_t *conf;
    const podi_str_t                  *tenants;
    ngx_uint_t                         n;
    ngx_uint_t                         at;      /* tenant that is asked */
    ngx_uint_t                         seen;    /* version */
    ngx_uint_t                         bad;     /* ... that is no good */
    ngx_msec_t                         tried;   /* when it was not */
    ngx_msec_t                         asked;
};


static podi_rc_t overlay_ask(podi_flow_t *f, void *ctx);
static podi_rc_t overlay_take(podi_flow_t *f, void *ctx);
static void overlay_tick(void *data);
static ngx_uint_t overlay_lead(ngx_http_podi_overlay_t *o);
static void overlay_resign(ngx_http_podi_overlay_t *o);
static void overlay_next(void *data);
static void overlay_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void overlay_publish(ngx_http_podi_overlay_t *o,
    const podi_str_t *text);
static void overlay_load(ngx_http_podi_overlay_t *o);


static const podi_step_t  overlay_steps[] = {
    { "asking for channels", overlay_ask,  0 },
    { "taking channels",     overlay_take, 0 },
    podi_null_step
};


/* kept over reloads, and shared with the workers that are leaving */

ngx_int_t
ngx_http_podi_overlay_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists || pool->data != NULL) {
        return NGX_OK;
    }

    pool->data = ngx_slab_calloc(pool, sizeof(overlay_shared_t));

    return (pool->data == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_podi_overlay_start(ngx_cycle_t *cycle)
{
    ngx_podi_main_conf_t               *pmcf;
    ngx_http_podi_overlay_t            *o;
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_channel_module);

    if (cmcf == NULL || !cmcf->overlay_on || ngx_podi_worker() == NULL) {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_podi_module);

    o = ngx_pcalloc(cycle->pool, sizeof(ngx_http_podi_overlay_t));
    if (o == NULL) {
        return NGX_ERROR;
    }

    o->conf = cmcf;
    o->tenants = pmcf->tenants.elts;
    o->n = pmcf->tenants.nelts;
    o->pool = (ngx_slab_pool_t *) cmcf->zone->shm.addr;
    o->shared = o->pool->data;
    o->asked = ngx_current_msec - OVERLAY_PERIOD;

    o->io = ngx_podi_io();
    o->next.run = overlay_next;
    o->next.data = o;
    o->arena = podi_arena_create();
    o->tick = o->io->timer(o->io, PODI_TIMER_HOUSEKEEPING, overlay_tick, o);

    if (o->arena == NULL || o->tick == NULL) {
        return NGX_ERROR;
    }

    overlay_load(o);
    o->io->arm(o->tick, 5);

    cmcf->overlay = o;

    return NGX_OK;
}


void
ngx_http_podi_overlay_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_overlay_t            *o;
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_channel_module);

    if (cmcf == NULL || cmcf->overlay == NULL) {
        return;
    }

    o = cmcf->overlay;
    cmcf->overlay = NULL;

    overlay_resign(o);

    if (podi_flow_is_active(&o->flow)) {
        podi_flow_cancel(&o->flow);
    }

    o->io->unpost(&o->next);
    o->io->timer_free(o->tick);
    podi_arena_free(&o->arena);

    if (o->newest != NULL) {
        ngx_http_podi_channel_set_release(o->newest);
    }
}


ngx_http_podi_channel_set_t *
ngx_http_podi_overlay_newest(ngx_http_podi_overlay_t *o)
{
    return o->newest;
}


static void
overlay_tick(void *data)
{
    ngx_http_podi_overlay_t  *o = data;

    o->io->arm(o->tick, OVERLAY_TICK);

    overlay_load(o);

    if (ngx_exiting) {
        overlay_resign(o);          /* the next cycle's workers lead */
        return;
    }

    if (o->state == OVERLAY_IDLE && overlay_lead(o)
        && ngx_current_msec - o->asked >= OVERLAY_PERIOD)
    {
        o->asked = ngx_current_msec;
        o->at = 0;
        o->state = OVERLAY_ASKING;
        overlay_next(o);
    }
}


/* renews the lease, or takes one that has run out: one of two wins */

static ngx_uint_t
overlay_lead(ngx_http_podi_overlay_t *o)
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
                            (ngx_atomic_uint_t) (now + OVERLAY_LEASE))
        && o->shared->leader != pid)
    {
        return 0;
    }

    o->shared->leader = pid;

    return 1;
}


static void
overlay_resign(ngx_http_podi_overlay_t *o)
{
    if (o->shared->leader == (ngx_atomic_uint_t) ngx_pid) {
        o->shared->leader = 0;
        o->shared->lease = 0;
    }
}


static void
overlay_next(void *data)
{
    ngx_http_podi_overlay_t  *o = data;

    if (o->at == o->n) {
        o->state = OVERLAY_IDLE;
        overlay_load(o);
        return;
    }

    podi_arena_reset(o->arena);

    podi_flow_start(&o->flow, overlay_steps, o, podi_arena_mem(o->arena),
                    overlay_end);
}


static podi_rc_t
overlay_ask(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t            call;
    ngx_http_podi_overlay_t  *o = ctx;

    podi_pg_call_init(&call, PODI_SQL_CHANNEL_OVERLAY, f->mem);

    return ngx_podi_pg_call_tenant(f, &call, &o->tenants[o->at]);
}


static podi_rc_t
overlay_take(podi_flow_t *f, void *ctx)
{
    podi_str_t                text;
    ngx_http_podi_overlay_t  *o = ctx;

    text = podi_row_str(f->result, 0, "channels");

    overlay_publish(o, &text);

    return PODI_DONE;
}


/* a tenant that is not there (yet) cannot be asked for: the next one */

static void
overlay_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_http_podi_overlay_t  *o = ctx;

    if (rc == PODI_ERROR && f->fail.error == PODI_E_NOT_FOUND) {
        o->at++;

    } else {
        o->at = o->n;
    }

    o->io->post(o->io, &o->next);
}


static void
overlay_publish(ngx_http_podi_overlay_t *o, const podi_str_t *text)
{
    ngx_uint_t         version;
    overlay_text_t    *last, *next;
    overlay_shared_t  *shared = o->shared;

    if (text->len > OVERLAY_TEXT) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "podi: %uz bytes of channels where %d may come",
                      text->len, OVERLAY_TEXT);
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

        PODI_FAULT(channel_publish);

        ngx_memcpy(next->bytes, text->data, text->len);
        ngx_memory_barrier();

        shared->version = version + 1;
    }

    ngx_shmtx_unlock(&o->pool->mutex);
}


static void
overlay_load(ngx_http_podi_overlay_t *o)
{
    u_char                       *bytes;
    podi_str_t                    text;
    ngx_uint_t                    version;
    overlay_text_t               *known;
    ngx_http_podi_channel_set_t  *set;

    version = o->shared->version;

    if (version == o->seen
        || (version == o->bad && ngx_current_msec - o->tried < OVERLAY_AGAIN))
    {
        return;
    }

    bytes = ngx_alloc(OVERLAY_TEXT, ngx_cycle->log);
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

    set = ngx_http_podi_overlay_read(o->conf, &text, version);

    ngx_free(bytes);

    if (set == NULL) {
        o->bad = version;
        o->tried = ngx_current_msec;
        return;
    }

    o->seen = version;

    if (o->newest != NULL) {
        ngx_http_podi_channel_set_release(o->newest);
    }

    o->newest = set;
}
