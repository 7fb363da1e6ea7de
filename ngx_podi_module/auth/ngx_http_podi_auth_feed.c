/*
 * The feed: what has been revoked, from PostgreSQL into shared memory.
 *
 *     IDLE --tick, leader--> ASKING --answer--> ASKING (the next tenant)
 *       ^                       |
 *       +--- all tenants, or a failure
 *
 * One worker of all leads: whoever has the lease.  It asks four times a second:
 * a question costs PostgreSQL less than a request does, needs nobody to
 * remember telling us, and cannot be lost as a hint through Redis can.  A
 * revocation is stamped before its commit, so each question reaches back some
 * seconds behind the newest stamp seen.  Logouts through this nginx do not wait
 * for the feed.
 *
 * The tenants are those that podi_tenant names, anywhere.  An answer says
 * which tenant it is of: its people need not be asked for one by one, while
 * those of others must.  With each comes what is revoked for all tenants; where
 * none answers, or none is named, that is asked for on behalf of nobody.  How
 * long an answer is good for is not told by the wall clock, which may be set
 * back.  As long as the table has no room for something, all is asked for again
 * now and then: when there is room, nobody need go without it.
 */

#include "ngx_http_podi_auth.h"
#include "podi_context.h"


#define FEED_TICK     250           /* ms; a revocation may be so old */
#define FEED_LEASE    3000          /* ms */

typedef enum {
    FEED_IDLE,
    FEED_ASKING
} ngx_http_podi_auth_feed_e;

struct ngx_http_podi_auth_feed_s {
    podi_flow_t                 flow;
    ngx_http_podi_auth_feed_e   state;
    podi_io_t                  *io;
    podi_timer_t               *tick;
    podi_post_t                 next;       /* from a clean stack */
    podi_arena_t               *arena;      /* of one question */
    podi_str_t                 *tenants;    /* and, last, nobody */
    podi_usec_t                *newest;     /* stamp seen, by tenant */
    ngx_uint_t                  n;          /* without nobody */
    ngx_uint_t                  at;         /* tenant that is asked about */
    time_t                      started;    /* of the round */
    ngx_msec_t                  begun;      /* the same, of no wall clock */
    ngx_msec_t                  all;        /* begun then: everything */
    ngx_msec_t                  stale;      /* podi_revocation_stale */
    unsigned                    failed:1;
    unsigned                    answered:1; /* by one tenant at least */
};


static podi_rc_t feed_ask(podi_flow_t *f, void *ctx);
static podi_rc_t feed_take(podi_flow_t *f, void *ctx);
static podi_rc_t feed_take_row(const podi_pg_result_t *res, int row);
static void feed_tick(void *data);
static void feed_again(ngx_http_podi_auth_feed_t *feed);
static void feed_begin(ngx_http_podi_auth_feed_t *feed);
static void feed_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void feed_next(void *data);


static const podi_step_t  feed_steps[] = {
    { "asking for revocations", feed_ask,  0 },
    { "taking revocations",     feed_take, 0 },
    podi_null_step
};

static const char *const  feed_kinds[NGX_PODI_MARKS] = {
    "tenant", "user", "session", "token", "channel"
};


ngx_int_t
ngx_http_podi_auth_feed_start(ngx_cycle_t *cycle)
{
    ngx_podi_main_conf_t            *pmcf;
    ngx_http_podi_auth_feed_t       *feed;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_auth_module);

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_podi_module);

    if (amcf == NULL || !amcf->used || !ngx_podi_has_pg()
        || ngx_podi_worker() == NULL || ngx_podi_feed() == NULL)
    {
        return NGX_OK;
    }

    feed = ngx_pcalloc(cycle->pool, sizeof(ngx_http_podi_auth_feed_t));
    if (feed == NULL) {
        return NGX_ERROR;
    }

    feed->n = pmcf->tenants.nelts;
    feed->stale = (ngx_msec_t) amcf->stale * 1000;

    feed->io = ngx_podi_io();
    feed->next.run = feed_next;
    feed->next.data = feed;

    feed->tenants = ngx_palloc(cycle->pool,
                               (feed->n + 1) * sizeof(podi_str_t));
    feed->newest = ngx_pcalloc(cycle->pool,
                               (feed->n + 1) * sizeof(podi_usec_t));
    feed->arena = podi_arena_create();
    feed->tick = feed->io->timer(feed->io, PODI_TIMER_HOUSEKEEPING,
                                 feed_tick, feed);

    if (feed->tenants == NULL || feed->newest == NULL || feed->arena == NULL
        || feed->tick == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(feed->tenants, pmcf->tenants.elts,
               feed->n * sizeof(podi_str_t));
    feed->tenants[feed->n] = podi_str_c(PODI_CONTEXT_NOBODY);

    if (ngx_podi_feed() != NULL) {
        ngx_podi_feed()->stale = feed->stale;
    }

    amcf->feed = feed;

    feed->io->arm(feed->tick, 10);

    return NGX_OK;
}


void
ngx_http_podi_auth_feed_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_auth_feed_t       *feed;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_auth_module);

    if (amcf == NULL || amcf->feed == NULL) {
        return;
    }

    feed = amcf->feed;
    amcf->feed = NULL;

    ngx_podi_lease_give(&ngx_podi_feed()->lease);

    if (podi_flow_is_active(&feed->flow)) {
        podi_flow_cancel(&feed->flow);
    }

    feed->io->unpost(&feed->next);
    feed->io->timer_free(feed->tick);
    podi_arena_free(&feed->arena);
}


static void
feed_tick(void *data)
{
    ngx_http_podi_auth_feed_t  *feed = data;

    if (ngx_exiting) {
        ngx_podi_lease_give(&ngx_podi_feed()->lease);   /* the next ones lead */
        return;
    }

    feed->io->arm(feed->tick, FEED_TICK);

    if (feed->state == FEED_IDLE
        && ngx_podi_lease_take(&ngx_podi_feed()->lease, FEED_LEASE))
    {
        feed->started = ngx_time();
        feed->begun = ngx_current_msec;
        feed->at = 0;
        feed->failed = 0;
        feed->answered = 0;
        feed->state = FEED_ASKING;
        feed_again(feed);
        feed_next(feed);
    }
}


static void
feed_next(void *data)
{
    ngx_http_podi_auth_feed_t  *feed = data;

    if (feed->failed) {
        feed->state = FEED_IDLE;
        return;
    }

    if (feed->at > feed->n || (feed->at == feed->n && feed->answered)) {
        feed->state = FEED_IDLE;
        ngx_podi_feed_fresh(feed->begun, feed->begun + feed->stale);
        return;
    }

    feed_begin(feed);
}


/* as at first, when something had no room since then */

static void
feed_again(ngx_http_podi_auth_feed_t *feed)
{
    ngx_podi_feed_t  *shared;

    shared = ngx_podi_feed();

    if (feed->all == 0
        || (shared != NULL && feed->begun - feed->all >= NGX_PODI_FEED_AGAIN
            && shared->lost_until
               >= feed->all + NGX_PODI_FEED_AGAIN + feed->stale))
    {
        ngx_memzero(feed->newest, (feed->n + 1) * sizeof(podi_usec_t));
        feed->all = feed->begun;
    }
}


static void
feed_begin(ngx_http_podi_auth_feed_t *feed)
{
    podi_arena_reset(feed->arena);

    podi_flow_start(&feed->flow, feed_steps, feed,
                    podi_arena_mem(feed->arena), feed_end);
}


static podi_rc_t
feed_ask(podi_flow_t *f, void *ctx)
{
    podi_usec_t                 ended, since;
    podi_pg_call_t              call;
    ngx_http_podi_auth_feed_t  *feed = ctx;

    /* at first: everything of which a token may still live */

    ended = (podi_usec_t) (feed->started - NGX_PODI_TOKEN_LIFE
                           - NGX_PODI_TOKEN_LEEWAY
                           - NGX_PODI_FEED_OVERLAP) * 1000000;
    since = 0;

    if (feed->newest[feed->at] != 0) {
        since = feed->newest[feed->at]
                - (podi_usec_t) NGX_PODI_FEED_OVERLAP * 1000000;
        ended = ngx_max(ended, since);
    }

    podi_pg_call_init(&call, PODI_SQL_REVOCATION_FEED, f->mem);
    podi_arg_time(&call, ended);
    podi_arg_time(&call, since);

    return ngx_podi_pg_call_tenant(f, &call, &feed->tenants[feed->at]);
}


static podi_rc_t
feed_take(podi_flow_t *f, void *ctx)
{
    int                         row;
    podi_str_t                  tenant;
    podi_usec_t                 at;
    ngx_http_podi_auth_feed_t  *feed = ctx;

    for (row = 0; row < podi_rows(f->result); row++) {

        if (podi_row_is_null(f->result, row, "kind")) {
            break;                  /* nothing is revoked */
        }

        if (feed_take_row(f->result, row) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                             "a revocation cannot be written");
        }

        at = podi_row_time(f->result, row, "at");
        feed->newest[feed->at] = ngx_max(feed->newest[feed->at], at);
    }

    feed->answered = 1;
    tenant = podi_row_str(f->result, 0, "tenant_id");

    if (tenant.len != 0) {
        ngx_podi_feed_covers(&tenant, feed->begun + feed->stale);
    }

    return PODI_DONE;
}


/* tokens say in whole seconds when they were issued, so up to the next one */

static podi_rc_t
feed_take_row(const podi_pg_result_t *res, int row)
{
    podi_str_t             kind;
    podi_usec_t            t;
    ngx_uint_t             i;
    ngx_podi_revocation_t  what;

    kind = podi_row_str(res, row, "kind");

    for (i = NGX_PODI_MARK_USER; i < NGX_PODI_MARKS; i++) {
        if (podi_str_eq_c(&kind, feed_kinds[i])) {
            break;
        }
    }

    if (i == NGX_PODI_MARKS) {
        return PODI_OK;             /* of a newer database */
    }

    what.kind = i;
    what.issuer = podi_row_str(res, row, "issuer");
    what.id = podi_row_str(res, row, "id");
    what.before = 0;
    what.until = ngx_time() + NGX_PODI_TOKEN_LIFE + NGX_PODI_TOKEN_LEEWAY;

    if (!podi_row_is_null(res, row, "not_before")) {
        t = podi_row_time(res, row, "not_before");
        what.before = (time_t) ((t + 999999) / 1000000);
    }

    if (!podi_row_is_null(res, row, "until")) {
        t = podi_row_time(res, row, "until");
        what.until = (time_t) ((t + 999999) / 1000000);
    }

    return ngx_podi_revoke(&what);
}


/* a tenant that is not there (yet) has no sessions to end; nobody is always */

static void
feed_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_http_podi_auth_feed_t  *feed = ctx;

    if (rc == PODI_ERROR
        && (f->fail.error != PODI_E_NOT_FOUND || feed->at == feed->n))
    {
        feed->failed = 1;
    }

    feed->at++;
    feed->io->post(feed->io, &feed->next);
}
