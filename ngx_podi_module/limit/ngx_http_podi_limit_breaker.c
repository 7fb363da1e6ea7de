/*
 * Is it worth asking Redis?
 *
 *     CLOSED: yes; calls that fail or come too late are bad
 *     OPEN:   no; its time is over -> a probe, which no request waits for
 *             -> good: closed; bad: open for longer
 *
 * The probe is a dry limit with a key of its own: so it finds out whatever
 * would stop the others, too (a replica, no memory, a script that runs).
 */

#include "ngx_http_podi_limit_remote.h"


static void breaker_probe(ngx_http_podi_limit_worker_t *w, uint64_t ticket);
static podi_rc_t breaker_ask(podi_flow_t *f, void *ctx);
static podi_rc_t breaker_told(podi_flow_t *f, void *ctx);
static void breaker_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void breaker_state(ngx_http_podi_limit_worker_t *w);


static const podi_step_t  breaker_steps[] = {
    { "probing Redis", breaker_ask, 0 },
    { "reading its answer", breaker_told, 0 },
    podi_null_step
};


/*
 * A short window: what was good a second ago says nothing about now.  Calls
 * that are late fail, so none has to be called slow.
 */

void
ngx_http_podi_limit_breaker_init(ngx_http_podi_limit_worker_t *w,
    ngx_msec_t deadline)
{
    podi_breaker_conf_t  *conf = &w->conf;

    conf->window = 400;
    conf->calls_min = 3;
    conf->bad_percent = 50;
    conf->open = 250;
    conf->open_max = 1000;
    conf->probe = 2 * deadline;
    conf->probe_max = 2 * deadline;
}


ngx_int_t
ngx_http_podi_limit_breaker(ngx_http_podi_limit_worker_t *w,
    uint64_t *ret_ticket)
{
    switch (podi_breaker_ask(&w->breaker, &w->conf, podi_time_mono(),
                             (uint32_t) ngx_random(), ret_ticket))
    {

    case PODI_BREAKER_PASS:
        return NGX_OK;

    case PODI_BREAKER_PROBE:
        breaker_probe(w, *ret_ticket);
        return NGX_DECLINED;

    default:
        return NGX_DECLINED;
    }
}


void
ngx_http_podi_limit_report(ngx_http_podi_limit_worker_t *w, uint64_t ticket,
    podi_breaker_outcome_e outcome, podi_msec_t since)
{
    podi_msec_t  now = podi_time_mono();

    podi_breaker_report(&w->breaker, &w->conf, ticket, outcome, now - since,
                        now, (uint32_t) ngx_random());
    breaker_state(w);
}


static void
breaker_probe(ngx_http_podi_limit_worker_t *w, uint64_t ticket)
{
    if (podi_flow_is_active(&w->probe)) {
        return;
    }

    w->ticket = ticket;
    w->since = podi_time_mono();

    podi_arena_reset(w->arena);
    podi_flow_start(&w->probe, breaker_steps, w, podi_arena_mem(w->arena),
                    breaker_end);
}


static podi_rc_t
breaker_ask(podi_flow_t *f, void *ctx)
{
    podi_limit_ask_t               ask;
    ngx_http_podi_limit_worker_t  *w = ctx;

    ngx_memzero(&ask, sizeof(podi_limit_ask_t));

    ask.kind = PODI_LIMIT_GCRA;
    ask.mode = PODI_LIMIT_EXACT;
    ask.rate = 1;
    ask.period = 1000;
    ask.burst = 1000;
    ask.cost = 1;
    ask.dry = 1;

    return podi_limit_take(w->limit, f, &ask, 1, &w->answer);
}


static podi_rc_t
breaker_told(podi_flow_t *f, void *ctx)
{
    return PODI_DONE;
}


static void
breaker_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_http_podi_limit_worker_t  *w = ctx;

    ngx_http_podi_limit_report(w, w->ticket,
                               (rc == PODI_ERROR) ? PODI_BREAKER_BAD
                                                  : PODI_BREAKER_GOOD,
                               w->since);
}


/* one line when it opens and one when it closes, however long that takes */

static void
breaker_state(ngx_http_podi_limit_worker_t *w)
{
    podi_breaker_state_e  state = w->breaker.state;

    if (state == PODI_BREAKER_HALF_OPEN || state == w->told) {
        return;
    }

    w->told = state;

    if (state == PODI_BREAKER_OPEN) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "podi: Redis does not answer for limits: they are "
                      "decided by on_failure");
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "podi: Redis answers for limits again");
}
