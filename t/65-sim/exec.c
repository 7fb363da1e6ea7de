/*
 * exec: one job in one worker's hands, from its claim to its last word.
 *
 * What it says at its end is fixed when the work ends and is said in the same
 * words until an answer is heard.  A provider is called only after its breaker
 * was asked; evidence for check.c is noted where the work is done.
 */

#include <string.h>

#include "podi_retry.h"
#include "sim.h"
#include "banned.h"


static const podi_breaker_conf_t  breaker_conf = {
    .window = 20000, .calls_min = 4, .bad_percent = 50, .slow = 15000,
    .open = 3000, .open_max = 30000, .probe = 20000,
    .probe_max = 20000
};


static void exec_call(sim_t *s, exec_t *x);
static void exec_run(sim_t *s, exec_t *x);
static int exec_fails(sim_t *s, exec_t *x);
static void exec_segment(sim_t *s, exec_t *x);
static void exec_next(sim_t *s, exec_t *x);
static void exec_say(sim_t *s, exec_t *x);
static void exec_release(sim_t *s, exec_t *x);
static void exec_at(sim_t *s, const exec_t *x, int64_t delay);


/* evidence; a zombie's is older than the holder's */

static void
note(int *fence, int mine)
{
    *fence = mine > *fence ? mine : *fence;
}


void
exec_begin(sim_t *s, int w, int job, int token)
{
    int      i;
    exec_t  *x = NULL;

    for (i = 0; i < EXECS; i++) {
        if (s->workers[w].exec[i].phase == EXEC_FREE) {
            x = &s->workers[w].exec[i];
        }
    }

    if (x == NULL) {
        sim_broken(s, "worker %d has no hand free for job %d", w, job);
    }

    memset(x, 0, sizeof(*x));
    x->phase = EXEC_RUN;
    x->worker = w;
    x->job = job;
    x->token = token;
    x->fence = s->jobs[job].lease.fence;
    x->segment = s->jobs[job].segment;
    x->serial = ++s->serial;

    sim_trace(s, "worker %d runs job %d fence %d segment %d", w, job,
              x->fence, x->segment);

    if (s->jobs[job].key >= 0) {
        exec_call(s, x);
    } else {
        exec_next(s, x);
    }
}


/* the breaker is asked before the provider is */

static void
exec_call(sim_t *s, exec_t *x)
{
    int                     key = s->jobs[x->job].key, i, k, probes = 0;
    int64_t                 wait;
    podi_breaker_t         *b = &s->breaker[key];
    podi_breaker_verdict_e  v;

    v = podi_breaker_ask(b, &breaker_conf,
                         (podi_msec_t) sim_redis_now(s), sim_random(s),
                         &x->ticket);

    if (v == PODI_BREAKER_SHUT && s->mutate == MUTATE_PROBE
        && b->state == PODI_BREAKER_HALF_OPEN)
    {
        v = PODI_BREAKER_PROBE;
        x->ticket = b->epoch;
    }

    wait = (int64_t) podi_breaker_wait(b, &breaker_conf,
                                       (podi_msec_t) sim_redis_now(s));

    if (wait > 0) {
        queue_shut(s, SCOPE_KEY + key, wait);
    }

    if (v == PODI_BREAKER_SHUT) {
        exec_end(s, x, LEASE_DEFER, LEASE_QUEUED, LEASE_E_NONE, wait);
        return;
    }

    if (b->state == PODI_BREAKER_OPEN) {
        sim_broken(s, "job %d calls key %d, whose breaker is open", x->job,
                   key);
    }

    x->calling = 1;
    x->called_at = s->now;
    x->probing = b->state == PODI_BREAKER_HALF_OPEN;
    s->seen[SEEN_PROBE] += (uint64_t) x->probing;

    for (i = 0; i < WORKERS; i++) {
        for (k = 0; k < EXECS; k++) {
            probes += s->workers[i].exec[k].phase != EXEC_FREE
                      && s->workers[i].exec[k].calling
                      && s->workers[i].exec[k].probing
                      && s->workers[i].exec[k].ticket == b->epoch
                      && s->jobs[s->workers[i].exec[k].job].key == key;
        }
    }

    if (x->probing && probes != 1) {
        sim_broken(s, "%d probes of key %d are out", probes, key);
    }

    exec_next(s, x);
}


void
exec_event(sim_t *s, exec_t *x)
{
    switch (x->phase) {

    case EXEC_RUN:
        exec_run(s, x);
        break;

    case EXEC_SEGMENT:
        exec_segment(s, x);
        break;

    case EXEC_END:
        exec_say(s, x);
        break;

    default:
        exec_release(s, x);
    }
}


/* a piece of the work is over */

static void
exec_run(sim_t *s, exec_t *x)
{
    job_t   *j = &s->jobs[x->job];
    fate_t  *f = &s->fate[x->job];

    if (f->wish.kills > 0) {
        f->wish.kills--;
        worker_crash(s, x->worker, sim_chance(s, 700));
        return;
    }

    if (exec_fails(s, x)) {
        return;
    }

    if (x->segment + 1 < j->segments) {
        note(&f->made[x->segment + 1], x->fence);
        x->phase = EXEC_SEGMENT;
        exec_segment(s, x);
        return;
    }

    exec_report(s, x, PODI_BREAKER_GOOD);
    note(&f->finished_fence, x->fence);
    exec_end(s, x, LEASE_SETTLE, LEASE_SUCCEEDED, LEASE_E_NONE, 0);
}


static int
exec_fails(sim_t *s, exec_t *x)
{
    job_t    *j = &s->jobs[x->job];
    fate_t   *f = &s->fate[x->job];
    int64_t   delay;

    if (j->key >= 0 && sim_chance(s, s->odds.busy)) {
        /* 429: not now; it was not tried */
        delay = sim_between(s, 500, 5000);
        queue_shut(s, SCOPE_KEY + j->key, delay);
        exec_report(s, x, PODI_BREAKER_UNKNOWN);
        exec_end(s, x, LEASE_DEFER, LEASE_QUEUED, LEASE_E_NONE, delay);
        return 1;
    }

    if (f->wish.permanent) {
        note(&f->failed_fence, x->fence);
        exec_report(s, x, PODI_BREAKER_GOOD);
        exec_end(s, x, LEASE_SETTLE, LEASE_FAILED, LEASE_E_PROVIDER, 0);
        return 1;
    }

    if (f->wish.fails > 0
        || (j->key >= 0 && s->health[j->key] == HEALTH_DOWN))
    {
        f->wish.fails -= f->wish.fails > 0;
        note(&f->failed_fence, x->fence);
        exec_report(s, x, PODI_BREAKER_BAD);
        delay = (int64_t) podi_retry_delay((unsigned) j->lease.attempts, 1000,
                                           60000, sim_random(s));
        exec_end(s, x, LEASE_RETRY, LEASE_QUEUED, LEASE_E_PROVIDER, delay);
        return 1;
    }

    return 0;
}


static void
exec_segment(sim_t *s, exec_t *x)
{
    int              n = x->segment + 1;
    call_e           fate = sim_call(s);
    lease_verdict_e  v;

    if (fate == CALL_LOST) {
        exec_at(s, x, 1000);
        return;
    }

    v = store_segment(s, x->job, x->fence, n);

    if (fate == CALL_NOREPLY) {
        exec_at(s, x, 1000);
        return;
    }

    if (v != LEASE_OK && v != LEASE_ALREADY) {
        exec_report(s, x, PODI_BREAKER_UNKNOWN);
        x->phase = EXEC_FREE;
        return;
    }

    x->segment = n;
    x->phase = EXEC_RUN;
    exec_next(s, x);
}


/* the next piece takes its time */

static void
exec_next(sim_t *s, exec_t *x)
{
    job_t    *j = &s->jobs[x->job];
    int64_t   time = s->fate[x->job].wish.duration;

    if (j->key >= 0 && s->health[j->key] == HEALTH_SLOW) {
        time *= 8;
    }

    exec_at(s, x, time + sim_latency(s));
}


void
exec_end(sim_t *s, exec_t *x, lease_event_e kind, lease_state_e end,
    lease_error_e error, int64_t span)
{
    x->phase = EXEC_END;
    memset(&x->end, 0, sizeof(x->end));
    x->end.kind = kind;
    x->end.end = end;
    x->end.error = error;
    x->end.span = span;

    if (end == LEASE_SUCCEEDED) {
        x->end.digest = (uint64_t) x->job * 1000 + (uint64_t) x->fence;
    }

    exec_at(s, x, sim_latency(s));
}


static void
exec_say(sim_t *s, exec_t *x)
{
    int              w = x->worker;
    call_e           fate = sim_call(s);
    lease_verdict_e  v;

    if (fate == CALL_LOST) {
        exec_at(s, x, 1000);
        return;
    }

    v = store_say(s, x->job, x->fence, &x->end);

    if (sim_chance(s, s->odds.twice)) {
        (void) store_say(s, x->job, x->fence, &x->end);
    }

    if (sim_chance(s, s->odds.late)) {
        sim_at(s, sim_between(s, 1, 40000), EV_COPY, x->job, x->fence,
               x->end.kind * 100 + (int) x->end.end * 10 + (int) x->end.error,
               (int64_t) x->end.digest);
    }

    if (fate == CALL_NOREPLY) {
        s->fate[x->job].trouble_at = s->now;
        exec_at(s, x, 1000);

        if (sim_chance(s, 200)) {
            worker_crash(s, w, sim_chance(s, 700));
        }

        return;
    }

    if (v == LEASE_MISMATCH && s->mutate == MUTATE_NONE) {
        sim_broken(s, "job %d fence %d said two things", x->job, x->fence);
    }

    x->phase = EXEC_RELEASE;
    exec_release(s, x);
}


static void
exec_release(sim_t *s, exec_t *x)
{
    if (sim_call(s) == CALL_LOST) {
        s->fate[x->job].trouble_at = s->now;
        exec_at(s, x, 1000);
        return;
    }

    if (s->queue.up) {
        queue_release(s, x->job, x->token);
    }

    if (sim_chance(s, s->odds.late)) {
        sim_at(s, sim_between(s, 1, 40000), EV_FREE, x->job, x->token, 0, 0);
    }

    x->phase = EXEC_FREE;
    sim_at(s, sim_latency(s), EV_POLL, x->worker, worker_life(s, x->worker),
           1, 0);
}


void
exec_report(sim_t *s, exec_t *x, podi_breaker_outcome_e outcome)
{
    int              key = s->jobs[x->job].key;
    uint64_t         epoch;
    podi_breaker_t  *b;

    if (!x->calling) {
        return;
    }

    x->calling = 0;
    b = &s->breaker[key];
    epoch = b->epoch;

    podi_breaker_report(b, &breaker_conf, x->ticket, outcome,
                        (podi_msec_t) (s->now - x->called_at),
                        (podi_msec_t) sim_redis_now(s), sim_random(s));

    if (b->epoch != epoch) {
        s->seen[SEEN_OPENED] += b->state == PODI_BREAKER_OPEN;
        sim_trace(s, "breaker of key %d: state %u", key, b->state);
        queue_shut(s, SCOPE_KEY + key, (int64_t) podi_breaker_wait(b,
                   &breaker_conf, (podi_msec_t) sim_redis_now(s)));
    }
}


static void
exec_at(sim_t *s, const exec_t *x, int64_t delay)
{
    sim_at(s, delay, EV_EXEC, x->worker,
           x - s->workers[x->worker].exec, x->serial, 0);
}


lease_verdict_e
store_say(sim_t *s, int job, int fence, const lease_event_t *end)
{
    lease_verdict_e  v;

    v = end->kind == LEASE_SETTLE ? store_settle(s, job, fence, end)
                                  : store_give(s, job, fence, end);

    sim_trace(s, "job %d fence %d: event %d end %d -> verdict %d state %d",
              job, fence, end->kind, end->end, v, s->jobs[job].lease.state);

    return v;
}
