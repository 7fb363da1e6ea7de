/*
 * check: what must be true after every transaction.
 *
 *     - a job moves only along the edges of its machine, each move with its
 *       evidence: who succeeded has done the work under that very fence, who
 *       failed was refused or lost, who was cancelled had been asked to be
 *     - a fence never falls, and each claim raises it; what ended stays so
 *     - the wallet is what the books make of the same facts
 *     - every hold is bounded, and nothing runs above its gates
 *
 * The facts are read off the jobs (a shadow is kept of each), not told by the
 * code under test; what was wanted is read off the orders.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


static void check_fact(sim_t *s, fact_e what, int a, int64_t amount);
static void check_freeze(sim_t *s, int hold);
static void check_job(sim_t *s, int job);
static void check_move(sim_t *s, int job, const lease_t *was);
static void check_requeue(sim_t *s, int job, const lease_t *was);
static void check_final(sim_t *s, int job, const lease_t *was);
static int is_cancelled(sim_t *s, int job);
static int64_t share_of(const wish_t *w, int segment);
static void check_money(sim_t *s, int job, const lease_t *was);
static void check_holds(sim_t *s);
static void check_gates(sim_t *s);


void
check_begin(sim_t *s)
{
    s->nshadows = 0;
}


void
check(sim_t *s, fact_e what, int a, int64_t amount)
{
    int  i;

    memset(s->touched, 0, sizeof(s->touched));

    check_fact(s, what, a, amount);

    for (i = 0; i < s->njobs; i++) {
        check_job(s, i);
    }

    for (i = 0; i < TENANTS; i++) {
        if (s->touched[i]) {
            books_lapse(s, i);
        }
    }

    books_compare(s);
    check_holds(s);
    check_gates(s);
}


static void
check_fact(sim_t *s, fact_e what, int a, int64_t amount)
{
    int         i;
    hold_t     *h;
    request_t  *r;

    switch (what) {

    case FACT_GRANT:
        books_lapse(s, s->lots[a].wallet);
        books_grant(s, a);
        break;

    case FACT_FREEZE:
        books_lapse(s, s->holds[a].wallet);

        if (s->holds[a].task >= 0) {
            check_freeze(s, a);

        } else if (s->holds[a].amount != amount) {
            sim_broken(s, "hold %d is not as large as was asked", a);
        }

        if (!books_freeze(s, a, s->holds[a].wallet, s->holds[a].amount)) {
            sim_broken(s, "hold %d was frozen without the points", a);
        }
        break;

    case FACT_REFUSED:
        if (books_live(s, a) >= amount) {
            sim_broken(s, "wallet %d was refused %lld and has %lld", a,
                       (long long) amount, (long long) books_live(s, a));
        }
        break;

    case FACT_REQUEST:
        r = &s->requests[a];
        s->touched[s->holds[r->hold].wallet] = 1;

        if (r->release) {
            books_release(s, r->hold, r->amount);
        } else {
            books_confirm(s, r->hold, r->amount);
        }
        break;

    case FACT_SWEEP:
        memset(s->touched, 1, sizeof(s->touched));

        for (i = 0; i < s->nholds; i++) {
            h = &s->holds[i];

            if (h->task < 0 && h->expires_at <= sim_pg_now(s)) {
                books_release(s, i, books_left(s, i));
            }
        }
        break;

    default:
        break;
    }
}


/* a round freezes what its jobs cost beyond the segments already paid */

static void
check_freeze(sim_t *s, int hold)
{
    int      i;
    hold_t  *h = &s->holds[hold];
    task_t  *t = &s->tasks[h->task];
    int64_t  price = 0;

    for (i = t->first; i < t->first + t->n; i++) {
        if (i >= s->nshadows || s->shadows[i].lease.state != LEASE_SUCCEEDED) {
            price += s->fate[i].wish.price;
            price -= i < s->nshadows ? s->shadows[i].paid : 0;
        }
    }

    if (h->amount != price) {
        sim_broken(s, "round %d of task %d froze %lld, not %lld", h->round,
                   h->task, (long long) h->amount, (long long) price);
    }
}


static void
check_job(sim_t *s, int job)
{
    job_t     *j = &s->jobs[job];
    lease_t    was;
    shadow_t  *old = &s->shadows[job];

    if (job == s->nshadows) {
        memset(old, 0, sizeof(*old));
        old->lease = j->lease;
        s->nshadows++;
        return;
    }

    if (memcmp(&old->lease, &j->lease, sizeof(lease_t)) == 0
        && old->segment == j->segment)
    {
        return;
    }

    was = old->lease;
    check_move(s, job, &was);
    check_money(s, job, &was);
    s->digest = s->digest * UINT64_C(1099511628211)
                ^ (uint64_t) (job * 64 + (int) j->lease.state * 8
                              + j->segment) ^ (uint64_t) s->now;

    old->lease = j->lease;
    old->segment = j->segment;

    if (was.state == LEASE_RUNNING && j->lease.state != LEASE_RUNNING) {
        s->fate[job].excused = 0;
    }
}


static void
check_move(sim_t *s, int job, const lease_t *was)
{
    const lease_t  *l = &s->jobs[job].lease;
    static const char  legal[6][6] = {
        /*              B  Q  R  S  F  C */
        /* blocked   */ { 1, 1, 0, 0, 1, 1 },
        /* queued    */ { 0, 1, 1, 0, 1, 1 },
        /* running   */ { 0, 1, 1, 1, 1, 1 },
        /* succeeded */ { 0, 0, 0, 1, 0, 0 },
        /* failed    */ { 1, 1, 0, 0, 1, 0 },
        /* cancelled */ { 1, 1, 0, 0, 0, 1 },
    };

    if (!legal[was->state][l->state]) {
        sim_broken(s, "job %d went from state %d to %d", job, was->state,
                   l->state);
    }

    if (l->fence < was->fence || l->attempts > l->max_attempts
        || (l->state == LEASE_RUNNING && was->state != LEASE_RUNNING
            && l->fence != was->fence + 1))
    {
        sim_broken(s, "job %d: fence %d after %d, %d attempts", job, l->fence,
                   was->fence, l->attempts);
    }

    if (was->state >= LEASE_SUCCEEDED && l->state < LEASE_SUCCEEDED
        && l->round != was->round + 1)
    {
        sim_broken(s, "job %d came to life in round %d", job, l->round);
    }

    if (was->state == LEASE_RUNNING && l->state == LEASE_QUEUED) {
        check_requeue(s, job, was);
    }

    if (l->state >= LEASE_SUCCEEDED && was->state < LEASE_SUCCEEDED) {
        check_final(s, job, was);
    }
}


static void
check_requeue(sim_t *s, int job, const lease_t *was)
{
    const lease_t  *l = &s->jobs[job].lease;
    const fate_t   *f = &s->fate[job];
    int             lost = l->crashes != was->crashes, w, dead = 1;

    for (w = 0; w < WORKERS; w++) {
        dead &= s->workers[w].life != s->jobs[job].worker;
    }

    if (lost && !dead && was->lease_until >= sim_pg_now(s)) {
        sim_broken(s, "job %d was taken from a holder in good standing", job);
    }

    if (lost && l->fence == was->fence) {
        sim_broken(s, "job %d was taken away and its fence stayed", job);
    }

    if (l->attempts == was->attempts && f->failed_fence != was->fence) {
        sim_broken(s, "job %d has an attempt for nothing", job);
    }

    if (l->attempts != was->attempts && l->attempts != was->attempts - 1) {
        sim_broken(s, "job %d went from %d to %d attempts", job,
                   was->attempts, l->attempts);
    }
}


static void
check_final(sim_t *s, int job, const lease_t *was)
{
    int             need = s->jobs[job].need, ok = 0;
    const lease_t  *l = &s->jobs[job].lease;
    const fate_t   *f = &s->fate[job];

    switch (l->error) {

    case LEASE_E_NONE:
        ok = l->state == LEASE_SUCCEEDED && was->state == LEASE_RUNNING
             && f->finished_fence == was->fence
             && l->digest == (uint64_t) job * 1000 + (uint64_t) was->fence
             && s->jobs[job].segment + 1 >= f->wish.segments;
        break;

    case LEASE_E_PROVIDER:
        ok = l->state == LEASE_FAILED && f->failed_fence == was->fence
             && (f->wish.permanent || l->attempts == 3);
        break;

    case LEASE_E_CRASHED:
        ok = l->state == LEASE_FAILED && l->crashes == 3 && l->set_aside;
        break;

    case LEASE_E_EXPIRED:
        ok = l->state == LEASE_FAILED && was->state == LEASE_QUEUED
             && was->start_by <= sim_pg_now(s);
        break;

    case LEASE_E_CANCELLED:
        ok = l->state == LEASE_CANCELLED && is_cancelled(s, job);
        break;

    case LEASE_E_DEPENDENCY:
        ok = l->state == LEASE_FAILED && need >= 0
             && s->jobs[need].lease.state > LEASE_SUCCEEDED;
    }

    if (!ok) {
        sim_broken(s, "job %d ended in state %d error %d without cause", job,
                   l->state, l->error);
    }
}


/* its user wanted it, or its task stops when one of its jobs fails */

static int
is_cancelled(sim_t *s, int job)
{
    int            i;
    const task_t  *t = &s->tasks[s->jobs[job].task];

    if (s->orders[t->order].cancelled) {
        return 1;
    }

    for (i = t->first; i < t->first + t->n; i++) {
        if (s->orders[t->order].stop
            && s->jobs[i].lease.state == LEASE_FAILED)
        {
            return 1;
        }
    }

    return 0;
}


static int64_t
share_of(const wish_t *w, int segment)
{
    return w->price * w->percent[segment - 1] / 100;
}


/* what this move of the job must cost, by the contract */

static void
check_money(sim_t *s, int job, const lease_t *was)
{
    job_t         *j = &s->jobs[job];
    shadow_t      *old = &s->shadows[job];
    int64_t        due = 0, rest;
    const wish_t  *w = &s->fate[job].wish;

    if (j->segment != old->segment) {
        if (j->segment != old->segment + 1
            || s->fate[job].made[j->segment] != was->fence)
        {
            sim_broken(s, "job %d has segment %d, which its holder has not"
                       " made", job, j->segment);
        }

        due = share_of(w, j->segment);

        /* a cancel at the full price may have paid for it already */
        due = due < w->price - old->paid ? due : w->price - old->paid;
        old->paid += due;

        if (due > 0) {
            s->touched[j->tenant] = 1;
            books_confirm(s, j->hold, due);
        }
    }

    if (j->lease.state < LEASE_SUCCEEDED || was->state >= LEASE_SUCCEEDED) {
        return;
    }

    rest = w->price - old->paid;

    /* delivered; or stopped by its holder, where that costs all of it */

    due = j->lease.state == LEASE_SUCCEEDED
          || (j->lease.state == LEASE_CANCELLED && w->cancel_full
              && was->state == LEASE_RUNNING
              && j->lease.settled_fence == was->fence
              && j->lease.given_fence == was->given_fence)
          ? rest : 0;

    if (rest > 0) {
        s->touched[j->tenant] = 1;
        books_confirm(s, j->hold, due);
        books_release(s, j->hold, rest - due);
    }

    old->paid += due;

    if (j->charged != old->paid) {
        sim_broken(s, "job %d says it was charged %lld, not %lld", job,
                   (long long) j->charged, (long long) old->paid);
    }
}


static void
check_holds(sim_t *s)
{
    int      i;
    hold_t  *h;

    for (i = 0; i < s->nholds; i++) {
        h = &s->holds[i];

        if (h->captured < 0 || h->released < 0
            || h->captured + h->released > h->amount)
        {
            sim_broken(s, "hold %d of %lld: %lld captured, %lld released", i,
                       (long long) h->amount, (long long) h->captured,
                       (long long) h->released);
        }

        if (h->amount - h->captured - h->released != books_left(s, i)) {
            sim_broken(s, "hold %d has %lld left, the books %lld", i,
                       (long long) (h->amount - h->captured - h->released),
                       (long long) books_left(s, i));
        }
    }
}


static void
check_gates(sim_t *s)
{
    int       i, k, n, scopes[4], all[SCOPES] = { 0 }, low[SCOPES] = { 0 };
    scope_t  *g;

    for (i = 0; i < s->njobs; i++) {
        if (s->jobs[i].lease.state != LEASE_RUNNING || s->fate[i].excused) {
            continue;
        }

        n = job_scopes(&s->jobs[i], scopes);

        for (k = 0; k < n; k++) {
            all[scopes[k]]++;
            low[scopes[k]] += s->jobs[i].class != PODI_CLASS_INTERACTIVE;

            if (s->queue.up && s->queue.ready
                && !queue_holds(s, scopes[k], i))
            {
                sim_broken(s, "job %d runs without a slot of scope %d", i,
                           scopes[k]);
            }
        }
    }

    for (i = 0; i < SCOPES; i++) {
        g = &s->scopes[i];

        if (g->slots > 0 && (all[i] > g->slots
                             || low[i] > g->slots - g->reserve))
        {
            sim_broken(s, "%d jobs, %d not interactive, run through %lld"
                       " slots of scope %d with %lld in reserve", all[i],
                       low[i], (long long) g->slots, i,
                       (long long) g->reserve);
        }
    }
}
