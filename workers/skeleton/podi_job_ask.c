/*
 * podi_job_ask: what a job asks the breakers of its gates, and tells them.
 *
 *     ask -> PASS, PROBE -> the next breaker, or its steps
 *         -> SHUT        -> deferred
 *     its steps are over -> report;  a probe, meanwhile -> beat
 *
 * Promises: who was given a ticket reports, though he was stopped while he
 * asked; a stop waits for the answer.
 */

#include <stddef.h>

#include "podi_job_breaker.h"
#include "banned.h"

#define BREAKER_AGAIN  1000             /* ms, behind a gate that is shut */


static void ask_start(podi_held_t *held);
static void ask_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void ask_over(breaking_t *x);
static podi_msec_t ask_delay(const breaking_t *x);
static breaking_t *report_create(const podi_held_t *held,
    const podi_ask_t *ask);
static void report_start(breaking_t *x);
static void report_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void report_free(breaking_t *x);


void
podi_breakers_free(podi_jobs_t *jobs)
{
    while (!podi_list_is_empty(&jobs->reports)) {
        report_free(podi_list_owner(jobs->reports.next, breaking_t, link));
    }
}


/* podi_job_go when all let it pass; else it is deferred */

void
podi_breaker_ask_all(podi_held_t *held)
{
    if (held->asked == held->n_asks) {
        podi_job_go(held);
        return;
    }

    ask_start(held);
}


static void
ask_start(podi_held_t *held)
{
    breaking_t  *x;

    x = podi_mem_calloc(held->job.mem, sizeof(breaking_t));
    if (x == NULL) {
        podi_job_go(held);              /* nobody is asked without memory */
        return;
    }

    x->jobs = held->jobs;
    x->held = held;
    x->breaker = held->asks[held->asked].breaker;

    podi_flow_start(&held->flow, podi_breaker_steps, x, held->job.mem,
                    ask_end);
}


static void
ask_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    int           faster;
    breaking_t   *x = ctx;
    podi_ask_t   *ask;
    podi_held_t  *held = x->held;

    faster = (rc == PODI_ERROR && f->fail.error == PODI_E_CONFLICT);

    if (!faster && x->verdict != PODI_BREAKER_SHUT) {
        ask = &held->asks[held->asked++];
        ask->ticket = x->ticket;
        ask->probes = (x->verdict == PODI_BREAKER_PROBE);
    }

    if (held->end != PODI_JOB_NONE) {
        podi_job_halt(held);            /* x may be gone */
        return;
    }

    if (faster) {
        podi_flow_start(&held->flow, podi_breaker_steps, x, held->job.mem,
                        ask_end);
        return;
    }

    ask_over(x);
}


static void
ask_over(breaking_t *x)
{
    podi_held_t  *held = x->held;

    if (x->verdict != PODI_BREAKER_SHUT) {
        podi_breaker_ask_all(held);
        return;
    }

    podi_metric_add(x->jobs->worker, "podi_breaker_deferred_total", "", 1);
    (void) podi_job_defer(&held->job, ask_delay(x), PODI_E_UNAVAILABLE,
                          "%s does not answer", x->breaker->scope);
    podi_job_settle(held);
}


/*
 * With Redis it is soon behind its gate, which opens when the breaker does: a
 * probe may be good long before it is overdue.
 */

static podi_msec_t
ask_delay(const breaking_t *x)
{
    podi_msec_t          wait, most;
    podi_breaker_conf_t  conf;

    conf = podi_breaker_conf(x);
    wait = podi_breaker_wait(&x->breaker->state, &conf,
                             podi_breaker_now(x->jobs)) + 1;
    most = BREAKER_AGAIN;

    if (!podi_worker_redis_is_up(x->jobs->worker)) {
        most = x->breaker->state.state == PODI_BREAKER_OPEN ? wait : conf.open;
    }

    return wait < most ? wait : most;
}


/* once, when it is known how the job ended */

void
podi_breaker_report_all(podi_held_t *held)
{
    unsigned     i, n;
    breaking_t  *x;

    n = held->asked;
    held->asked = 0;
    held->n_asks = 0;

    for (i = 0; i < n; i++) {
        x = report_create(held, &held->asks[i]);

        if (x != NULL) {
            x->outcome = held->went ? podi_job_outcome(held)
                                    : PODI_BREAKER_UNKNOWN;
            report_start(x);
        }
    }
}


/* with the beat of the jobs: who waits for a probe of ours waits on */

void
podi_breakers_beat(podi_jobs_t *jobs)
{
    unsigned      i;
    breaking_t   *x;
    podi_held_t  *held;
    podi_link_t  *link;

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        for (i = 0; i < held->asked; i++) {
            x = held->asks[i].probes ? report_create(held, &held->asks[i])
                                     : NULL;

            if (x != NULL) {
                x->beats = 1;
                report_start(x);
            }
        }
    }
}


/* NULL: without memory nothing is said */

static breaking_t *
report_create(const podi_held_t *held, const podi_ask_t *ask)
{
    breaking_t    *x;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return NULL;
    }

    x = podi_mem_calloc(podi_arena_mem(arena), sizeof(breaking_t));
    if (x == NULL) {
        podi_arena_free(&arena);
        return NULL;
    }

    x->arena = arena;
    x->jobs = held->jobs;
    x->breaker = ask->breaker;
    x->ticket = ask->ticket;
    x->took = podi_time_mono() - held->started;
    podi_list_append(&x->jobs->reports, &x->link);

    return x;
}


static void
report_start(breaking_t *x)
{
    podi_flow_start(&x->flow, podi_breaker_steps, x,
                    podi_arena_mem(x->arena), report_end);
}


static void
report_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    breaking_t  *x = ctx;

    if (rc == PODI_ERROR && f->fail.error == PODI_E_CONFLICT) {
        report_start(x);
        return;
    }

    report_free(x);
}


static void
report_free(breaking_t *x)
{
    podi_arena_t  *arena = x->arena;

    podi_flow_cancel(&x->flow);
    podi_list_remove(&x->link);
    podi_arena_free(&arena);            /* x is gone */
}
