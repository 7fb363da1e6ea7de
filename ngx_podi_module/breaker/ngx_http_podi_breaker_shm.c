/*
 * The breakers of a zone, in shared memory: one a key, for all workers.
 *
 *     key -> set of 8 cells, with a lock of its own -> podi_breaker
 *
 *     ask:    closed -> pass      open -> until when      its time is up ->
 *             this one is the probe, and no other
 *     report: by the same key; one that was forgotten meanwhile is nobody's
 *
 * A probe whose worker has died came to nothing: whoever asks next takes its
 * place.  When all cells of a set are taken, the closed one that was asked
 * longest ago is forgotten, else one whose time is up; when there is none, or
 * when a worker stands still that has locked the set, the call passes
 * unguarded, which is counted and logged, as is a report that cannot be made.
 *
 * A worker that dies within a write leaves counts or a state that podi_breaker
 * can go on from: at worst a breaker opens or closes once too often.
 */

#include "ngx_http_podi_breaker.h"
#include "ngx_podi_lock.h"
#include "ngx_podi_process.h"
#include "podi_id.h"


#define BREAKER_SAID   60           /* seconds between two lines in the log */
#define BREAKER_AGAIN  1000         /* ms: nobody knows when a probe ends */
#define BREAKER_LOOK   100          /* ms, from one look at it to the next */

#define BREAKER_FULL   "it is full of open ones; give podi_breaker_zone more " \
                       "memory"
#define BREAKER_STUCK  "a worker stands still that has locked some of it"


typedef struct {
    podi_breaker_t  before;
    podi_breaker_t  after;
} breaker_change_t;


static ngx_http_podi_breaker_set_t *breaker_set(
    const ngx_http_podi_breaker_call_t *call);
static ngx_http_podi_breaker_cell_t *breaker_cell(
    ngx_http_podi_breaker_set_t *set, const u_char *key);
static ngx_http_podi_breaker_cell_t *breaker_begin(
    ngx_http_podi_breaker_set_t *set,
    const ngx_http_podi_breaker_call_t *call, podi_msec_t now);
static ngx_http_podi_breaker_cell_t *breaker_victim(
    ngx_http_podi_breaker_set_t *set, podi_msec_t now);
static void breaker_judge(ngx_http_podi_breaker_cell_t *cell,
    ngx_http_podi_breaker_call_t *call, podi_msec_t now);
static void breaker_lapse(ngx_http_podi_breaker_cell_t *cell,
    const podi_breaker_conf_t *conf, podi_msec_t now);
static void breaker_pass(ngx_http_podi_breaker_call_t *call, const char *why);
static void breaker_unguarded(const ngx_http_podi_breaker_zone_t *zone,
    const char *why);
static void breaker_changed(const ngx_http_podi_breaker_call_t *call,
    const breaker_change_t *change, podi_msec_t now, ngx_log_t *log);
static void breaker_opened(const ngx_http_podi_breaker_call_t *call,
    const breaker_change_t *change, podi_msec_t now, ngx_log_t *log);


ngx_int_t
ngx_http_podi_breaker_shm_init(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t                         size;
    ngx_slab_pool_t               *pool;
    ngx_http_podi_breaker_shm_t   *shm;
    ngx_http_podi_breaker_zone_t  *zone = shm_zone->data;

    pool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (pool->data != NULL) {
        zone->shm = pool->data;
        return NGX_OK;
    }

    shm = ngx_slab_calloc(pool, sizeof(ngx_http_podi_breaker_shm_t));
    size = pool->pfree * ngx_pagesize;

    if (shm != NULL && size != 0) {
        shm->sets = ngx_slab_calloc(pool, size);
        shm->n = size / sizeof(ngx_http_podi_breaker_set_t);
    }

    if (shm == NULL || shm->sets == NULL || shm->n == 0
        || podi_random(shm->secret, PODI_SIPHASH_LEN) != PODI_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "\"podi_breaker_zone\" %V is too small: write "
                      "podi_breaker_zone %V 64k;", &zone->name, &zone->name);
        return NGX_ERROR;
    }

    pool->log_nomem = 0;
    pool->data = shm;
    zone->shm = shm;

    return NGX_OK;
}


void
ngx_http_podi_breaker_ask(ngx_http_podi_breaker_call_t *call, ngx_log_t *log)
{
    podi_msec_t                    now = ngx_current_msec;
    breaker_change_t               change;
    ngx_http_podi_breaker_set_t   *set;
    ngx_http_podi_breaker_cell_t  *cell;

    set = breaker_set(call);

    if (ngx_podi_lock(&set->lock) == NGX_BUSY) {
        breaker_pass(call, BREAKER_STUCK);
        return;
    }

    cell = breaker_cell(set, call->key);

    if (cell == NULL) {
        cell = breaker_begin(set, call, now);
    }

    if (cell == NULL) {
        ngx_podi_unlock(&set->lock);

        breaker_pass(call, BREAKER_FULL);
        return;
    }

    change.before = cell->breaker;
    cell->used = now;

    breaker_judge(cell, call, now);

    change.after = cell->breaker;

    ngx_podi_unlock(&set->lock);

    call->open = (call->verdict != PODI_BREAKER_SHUT);
    breaker_changed(call, &change, now, log);
}


static void
breaker_judge(ngx_http_podi_breaker_cell_t *cell,
    ngx_http_podi_breaker_call_t *call, podi_msec_t now)
{
    podi_breaker_t             *b = &cell->breaker;
    const podi_breaker_conf_t  *conf = &call->zone->conf;

    if (b->state == PODI_BREAKER_HALF_OPEN) {
        breaker_lapse(cell, conf, now);
    }

    call->verdict = podi_breaker_ask(b, conf, now, (uint32_t) ngx_random(),
                                     &call->ticket);

    switch (call->verdict) {

    case PODI_BREAKER_PROBE:
        cell->prober = ngx_podi_process();
        break;

    case PODI_BREAKER_SHUT:
        call->wait = podi_breaker_wait(b, conf, now);

        if (b->state == PODI_BREAKER_HALF_OPEN) {
            call->wait = ngx_min(call->wait, BREAKER_AGAIN);
        }

        break;

    default:
        break;
    }
}


/* a look costs more than all the rest, and many ask while one call is out */

static void
breaker_lapse(ngx_http_podi_breaker_cell_t *cell,
    const podi_breaker_conf_t *conf, podi_msec_t now)
{
    podi_breaker_t  *b = &cell->breaker;

    if (cell->prober == ngx_podi_process()
        || now - cell->looked < BREAKER_LOOK)
    {
        return;
    }

    cell->looked = now;

    if (ngx_podi_process_is_dead(cell->prober)) {
        podi_breaker_report(b, conf, b->epoch, PODI_BREAKER_UNKNOWN, 0, now,
                            0);
    }
}


/* a probe that cannot be reported is overdue, some time */

void
ngx_http_podi_breaker_report(ngx_http_podi_breaker_call_t *call,
    const ngx_http_podi_breaker_told_t *told, ngx_log_t *log)
{
    podi_msec_t                    now = ngx_current_msec;
    breaker_change_t               change;
    ngx_http_podi_breaker_set_t   *set;
    ngx_http_podi_breaker_cell_t  *cell;

    call->open = 0;
    set = breaker_set(call);

    if (ngx_podi_lock(&set->lock) == NGX_BUSY) {
        breaker_unguarded(call->zone, BREAKER_STUCK);
        return;
    }

    cell = breaker_cell(set, call->key);

    if (cell == NULL) {
        ngx_podi_unlock(&set->lock);
        return;
    }

    change.before = cell->breaker;

    podi_breaker_report(&cell->breaker, &call->zone->conf, call->ticket,
                        told->outcome, told->took, now,
                        (uint32_t) ngx_random());

    change.after = cell->breaker;

    ngx_podi_unlock(&set->lock);

    breaker_changed(call, &change, now, log);
}


static ngx_http_podi_breaker_set_t *
breaker_set(const ngx_http_podi_breaker_call_t *call)
{
    uint32_t                            hash;
    const ngx_http_podi_breaker_shm_t  *shm = call->zone->shm;

    ngx_memcpy(&hash, call->key, sizeof(hash));

    return &shm->sets[(hash * shm->n) >> 32];
}


static ngx_http_podi_breaker_cell_t *
breaker_cell(ngx_http_podi_breaker_set_t *set, const u_char *key)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_PODI_BREAKER_WAYS; i++) {
        if (set->cells[i].used != 0
            && ngx_memcmp(set->cells[i].key, key, PODI_SIPHASH_LEN) == 0)
        {
            return &set->cells[i];
        }
    }

    return NULL;
}


static ngx_http_podi_breaker_cell_t *
breaker_begin(ngx_http_podi_breaker_set_t *set,
    const ngx_http_podi_breaker_call_t *call, podi_msec_t now)
{
    ngx_http_podi_breaker_cell_t  *cell;

    cell = breaker_victim(set, now);

    if (cell == NULL) {
        return NULL;
    }

    if (cell->used != 0) {
        ngx_http_podi_breaker_count(call->zone,
                                    NGX_HTTP_PODI_BREAKER_EVICTED);
    }

    ngx_memzero(cell, sizeof(ngx_http_podi_breaker_cell_t));
    ngx_memcpy(cell->key, call->key, PODI_SIPHASH_LEN);
    ngx_memcpy(cell->label, call->label, NGX_HTTP_PODI_BREAKER_LABEL);

    return cell;
}


/* a free one, the closed one that is used least, one whose time is up */

static ngx_http_podi_breaker_cell_t *
breaker_victim(ngx_http_podi_breaker_set_t *set, podi_msec_t now)
{
    ngx_uint_t                     i;
    ngx_http_podi_breaker_cell_t  *cell, *closed = NULL, *over = NULL;

    for (i = 0; i < NGX_HTTP_PODI_BREAKER_WAYS; i++) {
        cell = &set->cells[i];

        if (cell->used == 0) {
            return cell;
        }

        if (cell->breaker.state == PODI_BREAKER_CLOSED) {
            if (closed == NULL || cell->used < closed->used) {
                closed = cell;
            }

        } else if (cell->breaker.until <= now
                   && (over == NULL || cell->used < over->used))
        {
            over = cell;
        }
    }

    return (closed != NULL) ? closed : over;
}


static void
breaker_pass(ngx_http_podi_breaker_call_t *call, const char *why)
{
    call->verdict = PODI_BREAKER_PASS;
    call->open = 0;

    breaker_unguarded(call->zone, why);
}


/* a call that is not asked for, or not heard of */

static void
breaker_unguarded(const ngx_http_podi_breaker_zone_t *zone, const char *why)
{
    time_t             now = ngx_time();
    ngx_atomic_uint_t  said = zone->shm->said;

    ngx_http_podi_breaker_count(zone, NGX_HTTP_PODI_BREAKER_UNGUARDED);

    if (now < (time_t) said + BREAKER_SAID
        || !ngx_atomic_cmp_set(&zone->shm->said, said,
                               (ngx_atomic_uint_t) now))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "podi: the breaker \"%V\" lets calls pass unguarded: %s",
                  &zone->name, why);
}


void
ngx_http_podi_breaker_count(const ngx_http_podi_breaker_zone_t *zone,
    ngx_http_podi_breaker_count_e what)
{
    (void) ngx_atomic_fetch_add(&zone->shm->counts[what], 1);
}


static void
breaker_changed(const ngx_http_podi_breaker_call_t *call,
    const breaker_change_t *change, podi_msec_t now, ngx_log_t *log)
{
    if (change->after.epoch == change->before.epoch) {
        return;
    }

    switch (change->after.state) {

    case PODI_BREAKER_OPEN:
        breaker_opened(call, change, now, log);
        return;

    case PODI_BREAKER_HALF_OPEN:
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "podi: the breaker \"%V\" of \"%s\" asks with one call",
                      &call->zone->name, call->label);
        return;

    default:
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "podi: the breaker \"%V\" of \"%s\" is closed again",
                      &call->zone->name, call->label);
        return;
    }
}


static void
breaker_opened(const ngx_http_podi_breaker_call_t *call,
    const breaker_change_t *change, podi_msec_t now, ngx_log_t *log)
{
    uint64_t               calls = 0, bad = 0;
    ngx_uint_t             i;
    const podi_breaker_t  *b = &change->after;

    if (b->opened == change->before.opened) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "podi: the breaker \"%V\" of \"%s\" has learnt nothing "
                      "from its call, and may ask again", &call->zone->name,
                      call->label);
        return;
    }

    ngx_http_podi_breaker_count(call->zone, NGX_HTTP_PODI_BREAKER_OPENED);

    if (change->before.state == PODI_BREAKER_HALF_OPEN) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "podi: the breaker \"%V\" of \"%s\" stays open for "
                      "%uLms: the call that asked was bad, or is overdue",
                      &call->zone->name, call->label, b->until - now);
        return;
    }

    for (i = 0; i < PODI_BREAKER_SLICES; i++) {
        calls += b->slices[i].calls;
        bad += b->slices[i].bad;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "podi: the breaker \"%V\" of \"%s\" opens for %uLms: of "
                  "%uL calls %uL were bad", &call->zone->name, call->label,
                  b->until - now, calls, bad);
}
