/*
 * store: what PostgreSQL's functions do, a transaction each.
 *
 * A job moves by lease_step(); what ends is settled with its hold, lets those
 * that need it start or drops them, and everything is checked at the end.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


#define MARK_SEGMENT  1000000


static void job_make(sim_t *s, int task, int ord);
static lease_verdict_e job_step(sim_t *s, int job, const lease_event_t *e);
static void job_ended(sim_t *s, int job, int64_t charge);
static void task_stop_idle(sim_t *s, const task_t *t);
static int64_t settle_charge(const job_t *j);
static lease_event_t event_of(const sim_t *s, lease_event_e kind);


/* the task, for the same order always the same; -1: not enough points */

int
store_submit(sim_t *s, int order)
{
    int       i, hold = -1;
    order_t  *o = &s->orders[order];
    task_t   *t;
    int64_t   price = 0;

    if (o->task >= 0) {
        s->seen[SEEN_TWICE]++;
        return o->task;
    }

    for (i = 0; i < o->n; i++) {
        price += o->jobs[i].price;
    }

    if (price > 0) {
        hold = hold_freeze(s, o->tenant, s->ntasks, 1, price, PATIENCE);

        if (hold < 0) {
            s->seen[SEEN_REFUSED]++;
            check(s, FACT_REFUSED, o->tenant, price);
            return -1;
        }
    }

    o->task = s->ntasks++;
    t = &s->tasks[o->task];
    t->order = order;
    t->tenant = o->tenant;
    t->first = s->njobs;
    t->n = o->n;
    t->hold = hold;
    t->round = 1;
    t->stop = o->stop;

    for (i = 0; i < o->n; i++) {
        job_make(s, o->task, i);
    }

    check(s, hold < 0 ? FACT_NONE : FACT_FREEZE, hold, price);

    return o->task;
}


static void
job_make(sim_t *s, int task, int ord)
{
    job_t         *j = &s->jobs[s->njobs];
    task_t        *t = &s->tasks[task];
    order_t       *o = &s->orders[t->order];
    const wish_t  *w = &o->jobs[ord];

    memset(j, 0, sizeof(*j));
    j->task = task;
    j->tenant = o->tenant;
    j->class = o->class;
    j->need = w->need < 0 ? -1 : t->first + w->need;
    j->key = w->key;
    j->cost = w->cost;
    j->price = w->price;
    j->charged = -1;
    j->segments = w->segments;
    memcpy(j->percent, w->percent, sizeof(j->percent));
    j->cancel_full = w->cancel_full;
    j->hold = t->hold;
    j->pushed_at = -1;

    j->lease.state = j->need < 0 ? LEASE_QUEUED : LEASE_BLOCKED;
    j->lease.max_attempts = 3;
    j->lease.max_crashes = 3;
    j->lease.round = 1;
    j->lease.not_before = sim_pg_now(s);
    j->lease.max_wait = o->max_wait;
    j->lease.start_by = sim_pg_now(s) + o->max_wait;

    memset(&s->fate[s->njobs], 0, sizeof(s->fate[0]));
    s->fate[s->njobs].wish = *w;
    s->njobs++;
}


void
store_cancel(sim_t *s, int task)
{
    int            i;
    task_t        *t = &s->tasks[task];
    lease_event_t  e = event_of(s, LEASE_CANCEL);

    for (i = t->first; i < t->first + t->n; i++) {
        if (!lease_is_final(&s->jobs[i].lease)) {
            (void) job_step(s, i, &e);
        }
    }

    check(s, FACT_SETTLE, 0, 0);
}


/* again from the failure point; 0: not now, -1: not enough points */

int
store_replay(sim_t *s, int task, int round)
{
    int            i, hold = -1;
    job_t         *j;
    task_t        *t = &s->tasks[task];
    int64_t        price = 0;
    lease_event_t  e = event_of(s, LEASE_REPLAY);

    if (t->round != round || !store_task_is_final(s, task)) {
        return 0;
    }

    for (i = t->first; i < t->first + t->n; i++) {
        j = &s->jobs[i];

        if (j->lease.state != LEASE_SUCCEEDED) {
            price += j->price;
            price -= s->mutate == MUTATE_SEGMENT ? 0 : j->charged;
        }
    }

    if (price > 0) {
        hold = hold_freeze(s, t->tenant, task, round + 1, price, PATIENCE);

        if (hold < 0) {
            check(s, FACT_REFUSED, t->tenant, price);
            return -1;
        }
    }

    for (i = t->first; i < t->first + t->n; i++) {
        j = &s->jobs[i];
        e.end = j->need >= 0
                && s->jobs[j->need].lease.state != LEASE_SUCCEEDED
                ? LEASE_BLOCKED : LEASE_QUEUED;

        if (lease_step(&j->lease, &e) == LEASE_OK) {
            s->seen[SEEN_ROUND]++;
            s->seen[SEEN_CHEAPER] += j->charged > 0;

            /* what was paid stays paid, a cancel at its full price too */
            j->confirmed = j->charged;
            j->hold = hold;
            j->charged = -1;
            j->pushed_at = -1;
        }
    }

    t->round++;
    check(s, hold < 0 ? FACT_NONE : FACT_FREEZE, hold, price);

    return 1;
}


lease_verdict_e
store_claim(sim_t *s, int job, int worker)
{
    lease_event_t    e = event_of(s, LEASE_CLAIM);
    lease_verdict_e  v;

    e.span = LEASE;
    v = job_step(s, job, &e);

    if (v == LEASE_OK) {
        s->jobs[job].worker = worker;
    }

    check(s, FACT_NONE, 0, 0);

    return v;
}


lease_verdict_e
store_beat(sim_t *s, int job, int fence, int *ret_cancel)
{
    lease_event_t    e = event_of(s, LEASE_BEAT);
    lease_verdict_e  v;

    e.fence = fence;
    e.span = LEASE;
    v = job_step(s, job, &e);
    *ret_cancel = s->jobs[job].lease.cancel_requested;
    check(s, FACT_NONE, 0, 0);

    return v;
}


lease_verdict_e
store_settle(sim_t *s, int job, int fence, const lease_event_t *end)
{
    job_t           *j = &s->jobs[job];
    lease_event_t    e = *end;
    lease_verdict_e  v;

    e.now = sim_pg_now(s);
    e.fence = s->mutate == MUTATE_FENCE && j->lease.state == LEASE_RUNNING
              ? j->lease.fence : fence;
    v = job_step(s, job, &e);

    s->seen[SEEN_ALREADY] += v == LEASE_ALREADY;
    s->seen[SEEN_STALE] += v == LEASE_STALE;

    if (v == LEASE_ALREADY && s->mutate == MUTATE_IDEM
        && j->charged > 0 && j->hold >= 0)
    {
        hold_settle(s, j->hold, job, fence, j->charged, j->charged);
    }

    check(s, FACT_SETTLE, 0, 0);

    return v;
}


/* a checkpoint with its part of the price; n counts from 1 */

lease_verdict_e
store_segment(sim_t *s, int job, int fence, int n)
{
    job_t    *j = &s->jobs[job];
    int64_t   share = store_share(j, n);

    if (j->lease.state != LEASE_RUNNING || j->lease.fence != fence) {
        return LEASE_STALE;
    }

    if (n <= j->segment) {
        return LEASE_ALREADY;
    }

    if (n != j->segment + 1 || n >= j->segments) {
        return LEASE_REFUSED;
    }

    if (share > 0) {
        hold_settle(s, j->hold, job, MARK_SEGMENT + n, share, share);
    }

    s->seen[SEEN_SEGMENT]++;
    j->segment = n;
    j->confirmed += share;
    check(s, FACT_SETTLE, 0, 0);

    return LEASE_OK;
}


int64_t
store_share(const job_t *j, int segment)
{
    int64_t  share = j->price * j->percent[segment - 1] / 100;

    return share < j->price - j->confirmed ? share : j->price - j->confirmed;
}


/* the holder gives the job up, or is known to be dead */

lease_verdict_e
store_give(sim_t *s, int job, int fence, const lease_event_t *end)
{
    lease_event_t    e = *end;
    lease_verdict_e  v;

    e.now = sim_pg_now(s);
    e.fence = fence;
    v = job_step(s, job, &e);
    check(s, FACT_SETTLE, 0, 0);

    return v;
}


int
store_lost(sim_t *s, int job)
{
    lease_event_t  e = event_of(s, LEASE_LOST);

    if (job_step(s, job, &e) != LEASE_OK) {
        return 0;
    }

    check(s, FACT_SETTLE, 0, 0);

    return 1;
}


int
store_expire(sim_t *s, int job)
{
    lease_event_t  e = event_of(s, LEASE_EXPIRE);

    if (job_step(s, job, &e) != LEASE_OK) {
        return 0;
    }

    check(s, FACT_SETTLE, 0, 0);

    return 1;
}


int
store_task_is_final(const sim_t *s, int task)
{
    int            i;
    const task_t  *t = &s->tasks[task];

    for (i = t->first; i < t->first + t->n; i++) {
        if (!lease_is_final(&s->jobs[i].lease)) {
            return 0;
        }
    }

    return 1;
}


/* rows that run and count at a scope, of this class or a lower one */

int
store_running(const sim_t *s, int scope, int class_from, int excused)
{
    int           i, k, n, count = 0, scopes[4];
    const job_t  *j;

    for (i = 0; i < s->njobs; i++) {
        j = &s->jobs[i];

        if (j->lease.state != LEASE_RUNNING || j->class < class_from
            || (s->fate[i].excused && !excused))
        {
            continue;
        }

        n = job_scopes(j, scopes);

        for (k = 0; k < n; k++) {
            count += scopes[k] == scope;
        }
    }

    return count;
}


static lease_verdict_e
job_step(sim_t *s, int job, const lease_event_t *e)
{
    job_t           *j = &s->jobs[job];
    lease_state_e    was = j->lease.state;
    lease_verdict_e  v;

    v = lease_step(&j->lease, e);

    if (v != LEASE_OK) {
        return v;
    }

    s->seen[SEEN_LOST] += e->kind == LEASE_LOST;
    s->seen[SEEN_CRASH] += e->kind == LEASE_CRASH;
    s->seen[SEEN_RETRIED] += e->kind == LEASE_RETRY;
    s->seen[SEEN_DEFERRED] += e->kind == LEASE_DEFER;

    if (was == LEASE_RUNNING && j->lease.state == LEASE_QUEUED) {
        j->pushed_at = -1;
    }

    if (lease_is_final(&j->lease)) {
        job_ended(s, job, e->kind == LEASE_SETTLE ? settle_charge(j)
                                                  : j->confirmed);
    }

    return v;
}


/* what a holder's settle costs: what was delivered, or what was agreed on */

static int64_t
settle_charge(const job_t *j)
{
    if (j->lease.state == LEASE_SUCCEEDED
        || (j->lease.state == LEASE_CANCELLED && j->cancel_full))
    {
        return j->price;
    }

    return j->confirmed;
}


static void
job_ended(sim_t *s, int job, int64_t charge)
{
    int            i;
    job_t         *j = &s->jobs[job];
    task_t        *t = &s->tasks[j->task];
    lease_event_t  e;

    j->charged = charge;
    s->seen[SEEN_ASIDE] += j->lease.set_aside != 0;
    s->seen[SEEN_EXPIRED] += j->lease.error == LEASE_E_EXPIRED;
    s->seen[SEEN_DROPPED] += j->lease.error == LEASE_E_DEPENDENCY;
    s->seen[SEEN_STOPPED] += j->lease.cancel_requested;
    s->seen[SEEN_PAID_STOP] += j->lease.state == LEASE_CANCELLED
                               && charge == j->price && charge > 0;

    if (j->hold >= 0) {
        hold_settle(s, j->hold, job, j->lease.settled_fence,
                    j->price - j->confirmed, charge - j->confirmed);
    }

    e = event_of(s, j->lease.state == LEASE_SUCCEEDED ? LEASE_OPEN
                                                      : LEASE_DROP);

    for (i = t->first; i < t->first + t->n; i++) {
        if (s->jobs[i].need == job) {
            (void) job_step(s, i, &e);
        }
    }

    if (t->stop && j->lease.state == LEASE_FAILED) {
        task_stop_idle(s, t);
    }
}


static void
task_stop_idle(sim_t *s, const task_t *t)
{
    int            i;
    lease_event_t  e = event_of(s, LEASE_CANCEL);

    for (i = t->first; i < t->first + t->n; i++) {
        if (s->jobs[i].lease.state == LEASE_QUEUED
            || s->jobs[i].lease.state == LEASE_BLOCKED)
        {
            (void) job_step(s, i, &e);
        }
    }
}


static lease_event_t
event_of(const sim_t *s, lease_event_e kind)
{
    lease_event_t  e;

    memset(&e, 0, sizeof(e));
    e.kind = kind;
    e.now = sim_pg_now(s);

    return e;
}
