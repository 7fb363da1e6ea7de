/*
 * Limits that several machines share: what Redis decides.
 *
 *     asks -> known here (lease, refusal)?  -> decided, no time passes
 *          -> breaker open?                 -> on_failure of each
 *          -> a worker that is just born?   -> parked until it is connected
 *          -> parked -> answer              -> decided
 *                    -> failed, or too late -> on_failure of each
 *
 * One connection a worker, of its own: its deadline is short, because a request
 * waits for it.  A request that ends while it is parked leaves a tombstone in
 * the engine, which lets go of the places it would have got.
 *
 * A parked request is found in its module context when the phase runs again;
 * nothing redirects it meanwhile.
 */

#include "ngx_http_podi_limit_remote.h"


#define REMOTE_KEYS      4096       /* remembered in a worker */
#define REMOTE_PATIENCE  6          /* deadlines until Redis is dead */
#define REMOTE_TICK      500        /* ms */

/* a request that waits, and afterwards the places that it holds */

typedef struct {
    podi_op_t                    op;        /* waits for the connection */
    podi_link_t                  link;
    ngx_http_podi_limit_set_t    set;
    podi_limit_ask_t             asks[PODI_LIMIT_ASKS];
    podi_limit_answer_t          answers[PODI_LIMIT_ASKS];
    ngx_int_t                    rc;
    uint64_t                     ticket;
    podi_msec_t                  since;
    unsigned                     asked:1;   /* the breaker waits for a report */
} limit_parked_t;


static ngx_int_t remote_engine(ngx_http_podi_limit_worker_t *w,
    const ngx_http_podi_limit_main_conf_t *lmcf, podi_redis_conf_t *redis);
static void remote_changed(void *data, const char *what,
    const podi_fail_t *fail);
static void remote_known(void *data);
static void remote_asks(const ngx_http_podi_limit_set_t *set,
    podi_limit_ask_t *asks);
static ngx_int_t remote_park(ngx_http_request_t *r,
    ngx_http_podi_limit_set_t *set, const podi_limit_ask_t *asks,
    uint64_t ticket);
static podi_rc_t remote_wait(podi_flow_t *f, void *ctx);
static void remote_waits_no_more(podi_op_t *op);
static podi_rc_t remote_take(podi_flow_t *f, void *ctx);
static podi_rc_t remote_told(podi_flow_t *f, void *ctx);
static void remote_report(limit_parked_t *p, podi_breaker_outcome_e outcome);
static void remote_gone(void *data);
static ngx_int_t remote_answer(ngx_http_podi_limit_set_t *set,
    const podi_limit_answer_t *answers);
static void remote_tick(void *data);


static const podi_step_t  remote_steps[] = {
    { "connecting to Redis", remote_wait, 0 },
    { "asking Redis for limits", remote_take, PODI_MAY_FAIL },
    { "reading what it answered", remote_told, 0 },
    podi_null_step
};

static ngx_http_podi_limit_worker_t  *limit_worker;


ngx_int_t
ngx_http_podi_limit_remote_start(ngx_cycle_t *cycle,
    const ngx_http_podi_limit_main_conf_t *lmcf)
{
    podi_redis_conf_t              redis;
    ngx_http_podi_limit_worker_t  *w;

    if (ngx_podi_io() == NULL || ngx_podi_redis_settings(&redis) != NGX_OK) {
        return NGX_OK;
    }

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_http_podi_limit_worker_t));

    if (w == NULL || remote_engine(w, lmcf, &redis) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_podi_limit_breaker_init(w, lmcf->deadline);

    limit_worker = w;
    w->io->arm(w->tick, REMOTE_TICK);
    w->io->arm(w->first, lmcf->deadline);

    return NGX_OK;
}


static ngx_int_t
remote_engine(ngx_http_podi_limit_worker_t *w,
    const ngx_http_podi_limit_main_conf_t *lmcf, podi_redis_conf_t *redis)
{
    podi_limit_conf_t  conf;

    w->io = ngx_podi_io();

    redis->role = PODI_REDIS_COMMANDS;
    redis->name = "podi_limit";
    redis->deadline = lmcf->deadline;
    redis->patience = lmcf->deadline * REMOTE_PATIENCE;
    redis->connect_timeout = 1000;
    redis->reconnect_max = 500;
    redis->in_flight = 4096;
    redis->on_change = remote_changed;
    redis->data = w;

    podi_list_init(&w->waiting);

    w->redis = podi_redis_create(w->io, redis);
    if (w->redis == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&conf, sizeof(podi_limit_conf_t));

    conf.redis = w->redis;
    conf.io = w->io;
    conf.lease = lmcf->lease;
    conf.keys = REMOTE_KEYS;

    w->limit = podi_limit_create(&conf);
    w->arena = podi_arena_create();
    w->tick = w->io->timer(w->io, PODI_TIMER_HOUSEKEEPING, remote_tick, w);

    w->first = w->io->timer(w->io, PODI_TIMER_WORK, remote_known, w);

    return (w->limit == NULL || w->arena == NULL || w->tick == NULL
            || w->first == NULL)
           ? NGX_ERROR : NGX_OK;
}


static void
remote_changed(void *data, const char *what, const podi_fail_t *fail)
{
    ngx_podi_log_state("Redis (limits)", what, fail);
    remote_known(data);
}


/* connected, or not, or it takes too long: nobody waits for that any more */

static void
remote_known(void *data)
{
    limit_parked_t                *p;
    ngx_http_podi_limit_worker_t  *w = data;

    w->known = 1;

    while (!podi_list_is_empty(&w->waiting)) {
        p = podi_list_owner(w->waiting.next, limit_parked_t, link);
        podi_list_remove(&p->link);
        podi_op_done(&p->op, NULL, NULL);
    }
}


/* leases go back to Redis, places too; cleanups that come later find nothing */

void
ngx_http_podi_limit_remote_stop(void)
{
    ngx_http_podi_limit_worker_t  *w = limit_worker;

    if (w == NULL) {
        return;
    }

    remote_tick(w);
    limit_worker = NULL;

    if (podi_flow_is_active(&w->probe)) {
        podi_flow_cancel(&w->probe);
    }

    w->io->timer_free(w->tick);
    w->io->timer_free(w->first);
    podi_limit_free(&w->limit);
    podi_redis_free(&w->redis);
    podi_arena_free(&w->arena);
}


ngx_int_t
ngx_http_podi_limit_remote(ngx_http_request_t *r,
    ngx_http_podi_limit_set_t *set)
{
    uint64_t             ticket;
    podi_limit_ask_t     asks[PODI_LIMIT_ASKS];
    podi_limit_answer_t  answers[PODI_LIMIT_ASKS];

    if (limit_worker == NULL) {
        return ngx_http_podi_limit_away(set);
    }

    remote_asks(set, asks);

    if (podi_limit_try(limit_worker->limit, asks, set->n - set->local,
                       answers)
        == PODI_OK)
    {
        return remote_answer(set, answers);
    }

    if (ngx_http_podi_limit_breaker(limit_worker, &ticket) != NGX_OK) {
        return ngx_http_podi_limit_away(set);
    }

    return remote_park(r, set, asks, ticket);
}


static void
remote_asks(const ngx_http_podi_limit_set_t *set, podi_limit_ask_t *asks)
{
    ngx_uint_t                         i;
    podi_limit_ask_t                  *ask;
    const ngx_podi_bucket_op_t        *op;
    const ngx_http_podi_limit_zone_t  *zone;

    for (i = set->local; i < set->n; i++) {
        op = &set->ops[i];
        zone = set->items[i].use->zone;
        ask = &asks[i - set->local];

        ngx_http_podi_limit_ask(op->rule, ask);
        ngx_memcpy(ask->key, op->key, PODI_LIMIT_KEY_LEN);

        ask->name.data = zone->bucket->name.data;
        ask->name.len = zone->bucket->name.len;
        ask->mode = zone->mode;
        ask->on_failure = zone->on_failure;
        ask->cost = op->cost;
        ask->dry = op->dry;
    }
}


static ngx_int_t
remote_park(ngx_http_request_t *r, ngx_http_podi_limit_set_t *set,
    const podi_limit_ask_t *asks, uint64_t ticket)
{
    ngx_int_t            rc;
    limit_parked_t      *p;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(limit_parked_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    p = cln->data;

    p->op.flow = NULL;
    podi_list_init(&p->link);
    ngx_memzero(p->answers, sizeof(p->answers));
    ngx_memcpy(p->asks, asks, (set->n - set->local)
                              * sizeof(podi_limit_ask_t));
    p->set = *set;
    p->rc = NGX_ERROR;
    p->ticket = ticket;
    p->since = podi_time_mono();
    p->asked = 1;

    cln->handler = remote_gone;

    ngx_http_set_ctx(r, p, ngx_http_podi_limit_module);

    rc = ngx_podi_flow_gate(r, "limit", remote_steps, p);

    if (rc != NGX_OK) {
        return rc;
    }

    /* it could not even be asked: decided at once */

    ngx_http_set_ctx(r, NULL, ngx_http_podi_limit_module);
    *set = p->set;

    return p->rc;
}


ngx_http_podi_limit_set_t *
ngx_http_podi_limit_parked(ngx_http_request_t *r, ngx_int_t *ret_rc)
{
    limit_parked_t  *p;

    p = ngx_http_get_module_ctx(r, ngx_http_podi_limit_module);

    if (p == NULL) {
        return NULL;
    }

    ngx_http_set_ctx(r, NULL, ngx_http_podi_limit_module);

    *ret_rc = p->rc;

    return &p->set;
}


/* so that a reload lets nobody through, nor refuses anybody, for a moment */

static podi_rc_t
remote_wait(podi_flow_t *f, void *ctx)
{
    limit_parked_t  *p = ctx;

    if (limit_worker->known) {
        return PODI_OK;
    }

    podi_list_append(&limit_worker->waiting, &p->link);

    return podi_flow_wait(f, &p->op, remote_waits_no_more);
}


static void
remote_waits_no_more(podi_op_t *op)
{
    podi_list_remove(&podi_list_owner(op, limit_parked_t, op)->link);
}


static podi_rc_t
remote_take(podi_flow_t *f, void *ctx)
{
    limit_parked_t  *p = ctx;

    return podi_limit_take(limit_worker->limit, f, p->asks,
                           p->set.n - p->set.local, p->answers);
}


static podi_rc_t
remote_told(podi_flow_t *f, void *ctx)
{
    limit_parked_t  *p = ctx;

    if (f->result != NULL) {
        remote_report(p, PODI_BREAKER_GOOD);
        p->rc = remote_answer(&p->set, p->answers);
        return PODI_DONE;
    }

    ngx_podi_count(NGX_PODI_COUNT_LIMIT_FAILURES);
    ngx_podi_flow_log(p->set.request, f);

    remote_report(p, PODI_BREAKER_BAD);
    p->rc = ngx_http_podi_limit_away(&p->set);

    return PODI_DONE;
}


static void
remote_report(limit_parked_t *p, podi_breaker_outcome_e outcome)
{
    if (!p->asked || limit_worker == NULL) {
        return;
    }

    p->asked = 0;
    ngx_http_podi_limit_report(limit_worker, p->ticket, outcome, p->since);
}


/* the request is over, parked or not */

static void
remote_gone(void *data)
{
    ngx_uint_t       i;
    limit_parked_t  *p = data;

    if (limit_worker == NULL) {
        return;
    }

    remote_report(p, PODI_BREAKER_UNKNOWN);

    for (i = 0; i < p->set.n - p->set.local; i++) {
        podi_limit_release(limit_worker->limit, &p->answers[i].hold);
    }
}


static ngx_int_t
remote_answer(ngx_http_podi_limit_set_t *set,
    const podi_limit_answer_t *answers)
{
    ngx_uint_t                   i;
    const podi_limit_answer_t   *a;
    ngx_http_podi_limit_item_t  *item;

    for (i = set->local; i < set->n; i++) {
        a = &answers[i - set->local];
        item = &set->items[i];

        item->mode = a->mode;
        item->answer.left = a->left;
        item->answer.reset_after = a->reset_after;
        item->answer.retry_after = a->retry_after;
        item->unknown = (a->left == PODI_LIMIT_UNKNOWN);

        set->ops[i].passed = a->passed;
    }

    return podi_limit_passed(answers, set->n - set->local) ? NGX_OK
                                                           : NGX_DECLINED;
}


/* counters are added up, so that they stay monotonic when a worker ends */

static void
remote_tick(void *data)
{
    ngx_podi_slot_t               *slot;
    podi_limit_stat_t              now;
    ngx_http_podi_limit_worker_t  *w = data;

    podi_limit_stat(w->limit, &now);

    ngx_podi_count_add(NGX_PODI_COUNT_LIMIT_CALLS, now.calls - w->seen.calls);
    ngx_podi_count_add(NGX_PODI_COUNT_LIMIT_LEASED,
                       now.leased - w->seen.leased);
    ngx_podi_count_add(NGX_PODI_COUNT_LIMIT_CACHED,
                       now.cached - w->seen.cached);
    ngx_podi_count_add(NGX_PODI_COUNT_LIMIT_TAKEN, now.taken - w->seen.taken);
    ngx_podi_count_add(NGX_PODI_COUNT_LIMIT_RETURNED,
                       now.returned - w->seen.returned);

    w->seen = now;

    if (ngx_podi_worker() == NULL) {            /* the process ends */
        return;
    }

    slot = ngx_podi_worker()->slot;

    if (slot != NULL) {
        slot->limit_open = (w->breaker.state != PODI_BREAKER_CLOSED);
    }

    w->io->arm(w->tick, REMOTE_TICK);
}
