/*
 * worker: processes that claim, carry out and settle; and what befalls them.
 *
 *     poll -> queue_claim ~~> store_claim -> RUN ~~> [SEGMENT ~~> RUN ~~>]
 *                                            END (settle, retry, defer) ~~>
 *                                            RELEASE ~~> free
 *
 * ~~> may be lost, come late, come twice, or find the process dead.  Whoever
 * does not hear an answer asks again in the same words.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


static void worker_poll(sim_t *s, int w);
static void worker_claim_rows(sim_t *s, int w, int room);
static void worker_claimed(sim_t *s, const event_t *e);
static int worker_has(const sim_t *s, int w, int job);
static void worker_beat(sim_t *s, int w);
static void worker_gone(sim_t *s, int life);
static void worker_drain(sim_t *s, int w);


int64_t
sim_latency(sim_t *s)
{
    return sim_between(s, 1, 30);
}


int
worker_life(const sim_t *s, int w)
{
    return s->workers[w].life;
}


void
worker_event(sim_t *s, const event_t *e)
{
    int            w = (int) e->a;
    exec_t        *x;
    lease_event_t  end;

    if (e->kind == EV_FREE) {
        if (s->queue.up && s->queue.ready) {
            queue_release(s, (int) e->a, (int) e->b);
        }
        return;
    }

    if (e->kind == EV_GONE) {
        worker_gone(s, (int) e->a);
        return;
    }

    if (e->kind == EV_COPY) {
        /* a message that was on its way for long */
        memset(&end, 0, sizeof(end));
        end.kind = (lease_event_e) (e->c / 100);
        end.end = (lease_state_e) (e->c / 10 % 10);
        end.error = (lease_error_e) (e->c % 10);
        end.digest = (uint64_t) e->d;
        (void) store_say(s, (int) e->a, (int) e->b, &end);
        return;
    }

    if (e->kind == EV_CLAIM) {
        worker_claimed(s, e);
        return;
    }

    if (e->kind == EV_UP) {
        s->workers[w].up = 1;
        sim_at(s, sim_latency(s), EV_POLL, w, worker_life(s, w), 0, 0);
        sim_at(s, BEAT, EV_BEAT, w, worker_life(s, w), 0, 0);
        return;
    }

    if (!s->workers[w].up
        || (e->kind != EV_EXEC && e->kind != EV_CRASH && e->kind != EV_STALL
            && e->kind != EV_DRAIN && e->b != worker_life(s, w)))
    {
        return;
    }

    if (s->workers[w].stalled_until > s->now && e->kind != EV_CRASH) {
        sim_at(s, s->workers[w].stalled_until - s->now, e->kind, e->a, e->b,
               e->c, e->d);
        return;
    }

    switch (e->kind) {

    case EV_POLL:
        worker_poll(s, w);

        if (e->c == 0) {
            sim_at(s, sim_between(s, 200, 1000), EV_POLL, w, worker_life(s, w),
                   0, 0);
        }
        break;

    case EV_BEAT:
        worker_beat(s, w);
        sim_at(s, BEAT, EV_BEAT, w, worker_life(s, w), 0, 0);
        break;

    case EV_CRASH:
        worker_crash(s, w, (int) e->c);
        break;

    case EV_DRAIN:
        worker_drain(s, w);
        break;

    case EV_STALL:
        s->workers[w].stalled_until = s->now + e->c;
        sim_trace(s, "worker %d stalls for %lld ms", w, (long long) e->c);
        break;

    default: /* EV_EXEC */
        x = &s->workers[w].exec[e->b];

        if (x->phase != EXEC_FREE && x->serial == e->c) {
            exec_event(s, x);
        }
    }
}


static void
worker_poll(sim_t *s, int w)
{
    int  i, n, room = 0, jobs[EXECS], tokens[EXECS];

    for (i = 0; i < EXECS; i++) {
        room += s->workers[w].exec[i].phase == EXEC_FREE;
    }

    room -= s->workers[w].polls;

    if (room <= 0) {
        return;
    }

    if (!s->queue.up) {
        worker_claim_rows(s, w, room);
        return;
    }

    if (!s->queue.ready) {
        return;
    }

    n = queue_claim(s, worker_life(s, w), room, jobs, tokens);

    for (i = 0; i < n; i++) {
        if (sim_call(s) == CALL_NOREPLY) {
            /* taken out of the queue, and nobody knows */
            s->fate[jobs[i]].trouble_at = s->now;
            sim_trace(s, "worker %d never hears of job %d", w, jobs[i]);
            continue;
        }

        s->fate[jobs[i]].claiming++;
        s->workers[w].polls++;
        sim_at(s, sim_latency(s), EV_CLAIM, w, worker_life(s, w),
               (int64_t) tokens[i] * JOBS + jobs[i], s->now);
    }
}


/* without the queue: rows, with the same gates counted from what runs */

static void
worker_claim_rows(sim_t *s, int w, int room)
{
    int          i, k, n, scopes[4];
    podi_gate_t  gates[4];

    for (i = 0; i < s->njobs && room > 0; i++) {
        if (s->jobs[i].lease.state != LEASE_QUEUED || s->fate[i].claiming) {
            continue;
        }

        n = job_scopes(&s->jobs[i], scopes);

        for (k = 0; k < n; k++) {
            gates[k].slots = s->scopes[scopes[k]].slots;
            gates[k].reserve = s->scopes[scopes[k]].reserve;
            gates[k].taken = store_running(s, scopes[k], 0, 1);
            gates[k].opens_at = 0;
        }

        if (podi_gate_first_shut(gates, n, (podi_class_e) s->jobs[i].class,
                                 s->now) == PODI_GATE_NONE
            && store_claim(s, i, worker_life(s, w)) == LEASE_OK)
        {
            s->seen[SEEN_ROWS]++;
            exec_begin(s, w, i, ++s->queue.token);
            room--;
        }
    }
}


static void
worker_claimed(sim_t *s, const event_t *e)
{
    int     w = (int) e->a, job = (int) (e->c % JOBS);
    int     token = (int) (e->c / JOBS);
    call_e  fate;

    if (s->workers[w].up && worker_life(s, w) == e->b
        && s->workers[w].stalled_until > s->now)
    {
        sim_at(s, s->workers[w].stalled_until - s->now, EV_CLAIM, e->a, e->b,
               e->c, e->d);
        return;
    }

    s->fate[job].claiming--;

    if (!s->workers[w].up || worker_life(s, w) != e->b) {
        s->fate[job].trouble_at = s->now;
        return;
    }

    fate = sim_call(s);
    s->workers[w].polls--;

    if (fate == CALL_LOST || s->now - e->d > CLAIM_WAIT) {
        /* its slots may be another's by now (G5): not claimed any more */
        s->fate[job].trouble_at = s->now;
        return;
    }

    if (worker_has(s, w, job)
        || store_claim(s, job, worker_life(s, w)) != LEASE_OK)
    {
        s->seen[SEEN_HINT]++;

        /* only a hint: its slots go back, sooner or later */
        s->fate[job].excused &= s->jobs[job].lease.state == LEASE_RUNNING;
        s->fate[job].trouble_at = s->now;
        sim_at(s, fate == CALL_NOREPLY ? 1000 : sim_latency(s), EV_FREE, job,
               token, 0, 0);
        return;
    }

    if (fate == CALL_NOREPLY) {
        /* it holds the job and does not know: the lease will tell */
        s->fate[job].trouble_at = s->now;
        sim_trace(s, "worker %d has job %d and does not know", w, job);
        return;
    }

    exec_begin(s, w, job, token);
}


/* a hint of what it has in its hands is no news */

static int
worker_has(const sim_t *s, int w, int job)
{
    int  i;

    for (i = 0; i < EXECS; i++) {
        if (s->workers[w].exec[i].phase != EXEC_FREE
            && s->workers[w].exec[i].job == job)
        {
            return 1;
        }
    }

    return 0;
}


static void
worker_beat(sim_t *s, int w)
{
    int              i, cancel;
    exec_t          *x;
    lease_verdict_e  v;

    if (sim_call(s) == CALL_LOST) {
        return;
    }

    for (i = 0; i < EXECS; i++) {
        x = &s->workers[w].exec[i];

        if (x->phase != EXEC_RUN && x->phase != EXEC_SEGMENT) {
            continue;
        }

        v = store_beat(s, x->job, x->fence, &cancel);

        if (v != LEASE_OK) {
            sim_trace(s, "worker %d lost job %d", w, x->job);
            exec_report(s, x, PODI_BREAKER_UNKNOWN);
            x->phase = EXEC_FREE;
            continue;
        }

        if (s->queue.up) {
            queue_beat(s, x->job, x->token, worker_life(s, w));
        }

        if (cancel && x->phase == EXEC_RUN) {
            exec_report(s, x, PODI_BREAKER_UNKNOWN);
            exec_end(s, x, LEASE_SETTLE, LEASE_CANCELLED, LEASE_E_CANCELLED,
                     0);
        }
    }
}


/* dead at once; its parent tells, or nobody does */

void
worker_crash(sim_t *s, int w, int told)
{
    int        i;
    worker_t  *wk = &s->workers[w];

    sim_trace(s, "worker %d (life %d) dies", w, wk->life);

    for (i = 0; i < EXECS; i++) {
        if (wk->exec[i].phase != EXEC_FREE) {
            s->fate[wk->exec[i].job].trouble_at = s->now;
            wk->exec[i].phase = EXEC_FREE;
        }
    }

    wk->up = 0;
    wk->polls = 0;
    wk->stalled_until = 0;

    if (told) {
        sim_at(s, sim_between(s, 10, 900), EV_GONE, wk->life, 0, 0, 0);
    }

    wk->life = ++s->serial;
    sim_at(s, sim_between(s, 1000, 8000), EV_UP, w, 0, 0, 0);
}


static void
worker_gone(sim_t *s, int life)
{
    int            i;
    lease_event_t  end;

    memset(&end, 0, sizeof(end));
    end.kind = LEASE_CRASH;

    for (i = 0; i < s->njobs; i++) {
        if (s->jobs[i].lease.state == LEASE_RUNNING
            && s->jobs[i].worker == life
            && store_give(s, i, s->jobs[i].lease.fence, &end) == LEASE_OK
            && s->queue.up)
        {
            queue_forget(s, i, life);
        }
    }
}


/* asked to stop: gives back what it has not finished */

static void
worker_drain(sim_t *s, int w)
{
    int      i;
    exec_t  *x;

    for (i = 0; i < EXECS; i++) {
        x = &s->workers[w].exec[i];

        if (x->phase == EXEC_RUN) {
            exec_report(s, x, PODI_BREAKER_UNKNOWN);
            exec_end(s, x, LEASE_RETURN, LEASE_QUEUED, LEASE_E_NONE, 0);
        }
    }
}


call_e
sim_call(sim_t *s)
{
    if (sim_chance(s, s->odds.lost)) {
        return CALL_LOST;
    }

    return sim_chance(s, s->odds.noreply) ? CALL_NOREPLY : CALL_GOOD;
}
