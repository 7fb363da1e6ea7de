/*
 * ngx_podi_overlay: one worker asks, all read.
 *
 *     one worker:  IDLE --tick, half a second--> ASKING --answer--> publish
 *     each:        tick: newer in shared memory? -> read
 *
 * Leads whoever has the lease.  One whose question hangs does not renew it, so
 * that another one asks.  The text is the same for all tenants, so that it is
 * asked for without one.
 */

#include "ngx_podi_core.h"
#include "ngx_podi_lease.h"
#include "ngx_podi_lock.h"
#include "ngx_podi_overlay.h"
#include "podi_fault.h"


#define OVERLAY_TICK     200            /* ms */
#define OVERLAY_PERIOD   500            /* ms, from one question to the next */
#define OVERLAY_LEASE    1000           /* ms */
#define OVERLAY_AGAIN    5000           /* ms, to a text that was no good */
#define OVERLAY_TEXT     (512 * 1024)

typedef struct {
    size_t                        len;
    u_char                        bytes[OVERLAY_TEXT];
} overlay_text_t;

/*
 * A text is written beside the one that holds, and the version tells which of
 * them that is.  Who has copied one and finds the version as it was has a whole
 * one; only writers take the lock.
 */

typedef struct {
    ngx_podi_lease_t              lease;
    uint64_t                      lock;
    uint64_t                      version;  /* 0: no text yet */
    overlay_text_t                texts[2]; /* that of version n: n % 2 */
} overlay_shared_t;

struct ngx_podi_overlay_s {
    podi_flow_t                        flow;
    podi_io_t                         *io;
    podi_timer_t                      *tick;
    podi_arena_t                      *arena;   /* of one question */
    overlay_shared_t                  *shared;
    const ngx_podi_overlay_source_t   *source;
    void                              *data;    /* of its read */
    uint64_t                           seen;    /* version */
    uint64_t                           bad;     /* ... that is no good */
    ngx_msec_t                         tried;   /* when it was not */
    ngx_msec_t                         asked;
    unsigned                           said:1;  /* why nothing new is told */
};


static ngx_int_t overlay_zone_init(ngx_shm_zone_t *zone, void *data);
static podi_rc_t overlay_ask(podi_flow_t *f, void *ctx);
static podi_rc_t overlay_take(podi_flow_t *f, void *ctx);
static void overlay_tick(void *data);
static void overlay_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void overlay_publish(ngx_podi_overlay_t *o, const podi_str_t *text);
static void overlay_say(ngx_podi_overlay_t *o, const char *why);
static void overlay_write(overlay_shared_t *shared, const podi_str_t *text);
static void overlay_load(ngx_podi_overlay_t *o);
static ngx_int_t overlay_copy(const overlay_shared_t *shared,
    uint64_t version, podi_str_t *text);


static const podi_step_t  overlay_steps[] = {
    { "asking for an overlay", overlay_ask,  0 },
    { "taking an overlay",     overlay_take, 0 },
    podi_null_step
};


ngx_shm_zone_t *
ngx_podi_overlay_zone(ngx_conf_t *cf, const char *name, ngx_module_t *module)
{
    ngx_str_t        s;
    ngx_shm_zone_t  *zone;

    s.len = ngx_strlen(name);
    s.data = (u_char *) name;

    /* what a slab pool needs beside, rounded up */

    zone = ngx_shared_memory_add(cf, &s, 2 * sizeof(overlay_shared_t),
                                 module);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = overlay_zone_init;

    return zone;
}


/* kept over reloads, and shared with the workers that are leaving */

static ngx_int_t
overlay_zone_init(ngx_shm_zone_t *zone, void *data)
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
ngx_podi_overlay_check(ngx_conf_t *cf, const char *directive)
{
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    if (pmcf->pg.len != 0 && pmcf->context_key != NULL) {
        pmcf->needs_pg = 1;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%s\" needs podi_pg and podi_context_key_file",
                       directive);

    return NGX_ERROR;
}


ngx_podi_overlay_t *
ngx_podi_overlay_start(ngx_cycle_t *cycle, ngx_shm_zone_t *zone,
    const ngx_podi_overlay_source_t *source, void *data)
{
    ngx_slab_pool_t     *pool;
    ngx_podi_overlay_t  *o;

    o = ngx_pcalloc(cycle->pool, sizeof(ngx_podi_overlay_t));
    if (o == NULL) {
        return NULL;
    }

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    o->source = source;
    o->data = data;
    o->shared = pool->data;
    o->asked = ngx_current_msec - OVERLAY_PERIOD;

    o->io = ngx_podi_io();
    o->arena = podi_arena_create();
    o->tick = o->io->timer(o->io, PODI_TIMER_HOUSEKEEPING, overlay_tick, o);

    if (o->arena == NULL || o->tick == NULL) {
        return NULL;
    }

    overlay_load(o);
    o->io->arm(o->tick, 5);

    return o;
}


void
ngx_podi_overlay_stop(ngx_podi_overlay_t **overlay)
{
    ngx_podi_overlay_t  *o = *overlay;

    if (o == NULL) {
        return;
    }

    *overlay = NULL;

    ngx_podi_lease_give(&o->shared->lease);

    if (podi_flow_is_active(&o->flow)) {
        podi_flow_cancel(&o->flow);
    }

    o->io->timer_free(o->tick);
    podi_arena_free(&o->arena);
}


static void
overlay_tick(void *data)
{
    ngx_podi_overlay_t  *o = data;

    o->io->arm(o->tick, OVERLAY_TICK);

    overlay_load(o);

    if (ngx_exiting) {
        ngx_podi_lease_give(&o->shared->lease);     /* the next ones lead */
        return;
    }

    if (!podi_flow_is_active(&o->flow)
        && ngx_podi_lease_take(&o->shared->lease, OVERLAY_LEASE)
        && ngx_current_msec - o->asked >= OVERLAY_PERIOD)
    {
        o->asked = ngx_current_msec;
        podi_arena_reset(o->arena);
        podi_flow_start(&o->flow, overlay_steps, o, podi_arena_mem(o->arena),
                        overlay_end);
    }
}


static podi_rc_t
overlay_ask(podi_flow_t *f, void *ctx)
{
    podi_str_t           nobody = podi_string(PODI_CONTEXT_NOBODY);
    podi_pg_call_t       call;
    ngx_podi_overlay_t  *o = ctx;

    podi_pg_call_init(&call, o->source->sql, f->mem);

    return ngx_podi_pg_call_tenant(f, &call, &nobody);
}


static podi_rc_t
overlay_take(podi_flow_t *f, void *ctx)
{
    podi_str_t           text;
    ngx_podi_overlay_t  *o = ctx;

    text = podi_row_str(f->result, 0, o->source->column);

    overlay_publish(o, &text);

    return PODI_DONE;
}


/* that PostgreSQL is away or slow others tell; what it refuses nobody else */

static void
overlay_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_podi_overlay_t  *o = ctx;

    if (rc != PODI_ERROR) {
        overlay_load(o);

    } else if (f->fail.error != PODI_E_UNAVAILABLE
               && f->fail.error != PODI_E_DEADLINE)
    {
        overlay_say(o, f->fail.detail);
    }
}


static void
overlay_publish(ngx_podi_overlay_t *o, const podi_str_t *text)
{
    overlay_shared_t  *shared = o->shared;

    if (text->len > OVERLAY_TEXT) {
        overlay_say(o, "there are more than 512 kB of them");
        return;
    }

    if (ngx_podi_lock(&shared->lock) == NGX_BUSY) {
        overlay_say(o, "a worker stands still that was telling them");
        return;
    }

    overlay_write(shared, text);
    ngx_podi_unlock(&shared->lock);
    o->said = 0;
}


/* once, until they are told again: the next question is near */

static void
overlay_say(ngx_podi_overlay_t *o, const char *why)
{
    if (!o->said) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "podi: %s stay as they are: %s", o->source->what, why);
        o->said = 1;
    }
}


/*
 * An answer that came while somebody else leads is older than his: also of one
 * who stood still while he wrote.
 */

static void
overlay_write(overlay_shared_t *shared, const podi_str_t *text)
{
    uint64_t         version = shared->version;
    overlay_text_t  *last = &shared->texts[version % 2];
    overlay_text_t  *next = &shared->texts[(version + 1) % 2];

    if (version != 0 && last->len == text->len
        && ngx_memcmp(last->bytes, text->data, text->len) == 0)
    {
        return;
    }

    next->len = text->len;

    PODI_FAULT(overlay_publish);

    ngx_memcpy(next->bytes, text->data, text->len);

    if (ngx_podi_lease_is_ours(&shared->lease)) {
        __atomic_store_n(&shared->version, version + 1, __ATOMIC_RELEASE);
    }
}


static void
overlay_load(ngx_podi_overlay_t *o)
{
    uint64_t    version;
    podi_str_t  text;

    version = __atomic_load_n(&o->shared->version, __ATOMIC_ACQUIRE);

    if (version == o->seen
        || (version == o->bad && ngx_current_msec - o->tried < OVERLAY_AGAIN)
        || overlay_copy(o->shared, version, &text) != NGX_OK)
    {
        return;
    }

    if (o->source->read(o->data, &text) == NGX_OK) {
        o->seen = version;

    } else {
        o->bad = version;
        o->tried = ngx_current_msec;
    }

    ngx_free(text.data);
}


/* DECLINED: no memory, or there is a newer one by now; at the next tick */

static ngx_int_t
overlay_copy(const overlay_shared_t *shared, uint64_t version,
    podi_str_t *text)
{
    u_char                *bytes;
    const overlay_text_t  *known = &shared->texts[version % 2];

    text->len = known->len;

    if (text->len > OVERLAY_TEXT) {
        return NGX_DECLINED;
    }

    bytes = ngx_alloc(text->len + 1, ngx_cycle->log);
    if (bytes == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(bytes, known->bytes, text->len);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&shared->version, __ATOMIC_RELAXED) != version) {
        ngx_free(bytes);
        return NGX_DECLINED;
    }

    text->data = bytes;

    return NGX_OK;
}
