/*
 * users: what is wanted.
 *
 * Every seed draws its own odds, some of them nought, so that some runs are
 * quiet and some see one fault over and over.  After TROUBLE nothing goes
 * wrong any more: then everything has to come to its end.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


static void odds_draw(sim_t *s);
static void scopes_draw(sim_t *s);
static void order_draw(sim_t *s, order_t *o);
static void wish_draw(sim_t *s, wish_t *w, int place);
static void user_submit(sim_t *s, int order);
static void user_cancel(sim_t *s, int order);
static void user_replay(sim_t *s, int task, int round);
static void service_freeze(sim_t *s, int tenant);
static void service_request(sim_t *s, int hold, int release);
static void tick(sim_t *s);
static void push_waiting(sim_t *s);


void
users_begin(sim_t *s)
{
    int  i, n;

    odds_draw(s);
    scopes_draw(s);
    queue_flush(s);
    s->queue.up = 1;

    for (i = 0; i < TENANTS; i++) {
        s->weight[i] = sim_between(s, 1, 4);
        store_grant(s, i, 50, 0, sim_between(s, 20, 300));
    }

    for (i = 0; i < WORKERS; i++) {
        s->workers[i].life = ++s->serial;
        sim_at(s, i * 100, EV_UP, i, 0, 0, 0);
    }

    for (i = 0, n = sim_between(s, 8, 20); i < n; i++) {
        sim_at(s, sim_below(s, TROUBLE), EV_GRANT, sim_below(s, TENANTS),
               0, 0, 0);
    }

    for (i = 0, n = sim_between(s, 15, 60); i < n; i++) {
        sim_at(s, sim_below(s, TROUBLE), EV_SUBMIT, -1, 0, 0, 0);
    }

    for (i = 0, n = sim_below(s, 6); i < n; i++) {
        sim_at(s, sim_below(s, TROUBLE), EV_FREEZE, sim_below(s, TENANTS),
               0, 0, 0);
    }

    faults_plan(s);
    sim_at(s, 500, EV_TICK, 0, 0, 0, 0);
    sim_at(s, 5000, EV_SWEEP, 0, 0, 0, 0);
}


static void
odds_draw(sim_t *s)
{
    unsigned  i;
    int      *odds = (int *) &s->odds;
    static const int  levels[] = { 0, 0, 10, 40, 120 };

    for (i = 0; i < sizeof(odds_t) / sizeof(int); i++) {
        odds[i] = levels[sim_below(s, 5)];
    }
}


static void
scopes_draw(sim_t *s)
{
    int       i;
    scope_t  *g;

    for (i = 0; i < SCOPES; i++) {
        g = &s->scopes[i];
        g->slots = sim_chance(s, 700) ? sim_between(s, i < 2 ? 3 : 1, 8) : 0;
        g->reserve = g->slots > 1 && sim_chance(s, 400)
                     ? sim_between(s, 0, (int) g->slots - 1) : 0;
        memset(&g->rate, 0, sizeof(g->rate));

        if (i >= SCOPE_KEY && i < SCOPE_TENANT && sim_chance(s, 400)) {
            g->rate.rate = sim_between(s, 4, 30);
            g->rate.period = 10000000;
            g->rate.burst = sim_between(s, 3, 10);
        }
    }
}


static void
order_draw(sim_t *s, order_t *o)
{
    int  i;

    memset(o, 0, sizeof(*o));
    o->task = -1;
    o->tenant = sim_below(s, TENANTS);
    o->class = sim_below(s, PODI_CLASSES);
    o->n = sim_chance(s, 500) ? 1 : sim_between(s, 2, TASK_JOBS);
    o->max_wait = sim_chance(s, 100) ? sim_between(s, 1000, 8000) : PATIENCE;
    o->stop = sim_chance(s, 200);

    for (i = 0; i < o->n; i++) {
        wish_draw(s, &o->jobs[i], i);
    }
}


static void
wish_draw(sim_t *s, wish_t *w, int place)
{
    int  i, left = 100;

    w->price = sim_chance(s, 300) ? 0 : sim_between(s, 1, 40);
    w->need = place > 0 && sim_chance(s, 300) ? sim_below(s, place) : -1;
    w->key = sim_chance(s, 400) ? sim_below(s, KEYS) : -1;
    w->cost = sim_between(s, 1, 3);
    w->cancel_full = sim_chance(s, 300);
    w->duration = sim_chance(s, 800) ? sim_between(s, 50, 3000)
                                     : sim_between(s, 3000, 20000);
    w->fails = sim_chance(s, 100) ? sim_between(s, 1, 4) : 0;
    w->kills = sim_chance(s, 60) ? sim_between(s, 1, 4) : 0;
    w->permanent = sim_chance(s, 50);

    if (sim_chance(s, 300)) {
        w->segments = sim_between(s, 2, SEGMENTS);

        for (i = 0; i < w->segments; i++) {
            w->percent[i] = i + 1 < w->segments ? sim_below(s, left) : left;
            left -= w->percent[i];
        }
    }
}


void
users_event(sim_t *s, const event_t *e)
{
    switch (e->kind) {

    case EV_SUBMIT:
        user_submit(s, (int) e->a);
        break;

    case EV_CANCEL:
        user_cancel(s, (int) e->a);
        break;

    case EV_REPLAY:
        user_replay(s, (int) e->a, (int) e->b);
        break;

    case EV_GRANT:
        if (s->nlots < LOTS) {
            store_grant(s, (int) e->a, 10 * sim_between(s, 1, 6),
                        sim_chance(s, 600) ? sim_between(s, 1000, TROUBLE)
                                           : 0, sim_between(s, 1, 120));
        }
        break;

    case EV_FREEZE:
        service_freeze(s, (int) e->a);
        break;

    case EV_CONFIRM:
        service_request(s, (int) e->a, (int) e->b);
        break;

    case EV_TICK:
        tick(s);
        sim_at(s, 1000, EV_TICK, 0, 0, 0, 0);
        break;

    case EV_SWEEP:
        store_sweep(s);
        sim_at(s, 5000, EV_SWEEP, 0, 0, 0, 0);
        break;

    case EV_CLOCK:
        fault_clock(s);
        break;

    case EV_HEALTH:
        s->health[e->a] = (health_e) e->b;
        sim_trace(s, "provider of key %d: health %d", (int) e->a, (int) e->b);
        break;

    case EV_HINT:
        if (s->njobs > 0 && s->queue.ready) {
            queue_push(s, sim_below(s, s->njobs));
        }
        break;

    default: /* EV_FLUSH, EV_DOWN, EV_BACK */
        fault_queue(s, e->kind == EV_BACK && e->a ? EV_FLUSH : e->kind);
    }
}


/* an order, -1: a new one; the same one may come again */

static void
user_submit(sim_t *s, int order)
{
    int       i, burst = 1, was;
    order_t  *o;

    if (order < 0 && sim_chance(s, 60)) {
        burst = 20;                     /* somebody is noisy */
    }

    while (burst-- > 0) {
        if (order < 0
            && (s->norders == TASKS || s->njobs + TASK_JOBS > JOBS
                || s->nholds + 8 > HOLDS))
        {
            return;
        }

        i = order;

        if (i < 0) {
            i = s->norders++;
            o = &s->orders[i];
            order_draw(s, o);
        }

        o = &s->orders[i];
        was = o->task;

        if (store_submit(s, i) < 0) {
            continue;
        }

        sim_trace(s, "order %d of tenant %d class %d is task %d", i,
                  o->tenant, o->class, o->task);

        if (was < 0 && !sim_chance(s, s->odds.nohint * 4)) {
            push_waiting(s);
        }

        if (was < 0 && sim_chance(s, s->odds.noreply)) {
            sim_at(s, sim_between(s, 100, 5000), EV_SUBMIT, i, 0, 0, 0);
        }

        if (was < 0 && sim_chance(s, s->odds.cancel * 2)) {
            sim_at(s, sim_between(s, 1, 20000), EV_CANCEL, i, 0, 0, 0);
        }

        if (was < 0 && sim_chance(s, 100 + s->odds.replay * 6)) {
            sim_at(s, sim_between(s, 2000, 60000), EV_REPLAY, o->task, 1, 0,
                   0);
        }
    }
}


static void
user_cancel(sim_t *s, int order)
{
    order_t  *o = &s->orders[order];

    if (store_task_is_final(s, o->task)) {
        return;
    }

    sim_trace(s, "task %d is cancelled", o->task);
    o->cancelled = 1;
    store_cancel(s, o->task);
}


/* again, until it is over or he gives up; each request may come twice */

static void
user_replay(sim_t *s, int task, int round)
{
    order_t  *o = &s->orders[s->tasks[task].order];
    int       cancelled = o->cancelled, n;

    if (s->nholds + 2 > HOLDS || round > 3) {
        return;
    }

    if (!store_task_is_final(s, task)) {
        if (!s->calm) {
            sim_at(s, sim_between(s, 1000, 30000), EV_REPLAY, task, round, 0,
                   0);
        }
        return;
    }

    for (n = s->tasks[task].first;
         n < s->tasks[task].first + s->tasks[task].n; n++)
    {
        if (s->jobs[n].lease.state != LEASE_SUCCEEDED) {
            break;
        }
    }

    if (n == s->tasks[task].first + s->tasks[task].n) {
        return;
    }

    o->cancelled = 0;
    n = store_replay(s, task, round);

    if (n > 0) {
        sim_trace(s, "task %d begins round %d", task, round + 1);
        (void) store_replay(s, task, round);
        push_waiting(s);
        sim_at(s, sim_between(s, 1000, 60000), EV_REPLAY, task, round + 1, 0,
               0);
    } else {
        o->cancelled = cancelled;
    }
}


/* another server freezes, confirms in parts and forgets the rest */

static void
service_freeze(sim_t *s, int tenant)
{
    int  i, n, hold;

    if (s->nholds + 2 > HOLDS) {
        return;
    }

    hold = store_freeze(s, tenant, sim_between(s, 1, 60),
                        sim_between(s, 1000, 60000));

    if (hold < 0) {
        return;
    }

    for (i = 0, n = sim_below(s, 5); i < n; i++) {
        sim_at(s, sim_between(s, 10, 60000), EV_CONFIRM, hold,
               sim_below(s, 2), 0, 0);
    }
}


static void
service_request(sim_t *s, int hold, int release)
{
    request_t  *r;

    if (s->nrequests == REQUESTS) {
        return;
    }

    r = &s->requests[s->nrequests++];
    memset(r, 0, sizeof(*r));
    r->hold = hold;
    r->release = release;
    r->amount = sim_between(s, 1, 30);

    (void) store_request(s, s->nrequests - 1);

    if (sim_chance(s, 200)) {
        (void) store_request(s, s->nrequests - 1);
    }
}


/* the dispatcher's second */

static void
tick(sim_t *s)
{
    int  i;

    for (i = 0; i < s->njobs; i++) {
        if (s->jobs[i].lease.state == LEASE_RUNNING && store_lost(s, i)) {
            sim_trace(s, "the lease of job %d ran out", i);

            if (s->queue.up) {
                queue_forget(s, i, s->jobs[i].worker);
            }
        }

        if (s->jobs[i].lease.state == LEASE_QUEUED) {
            (void) store_expire(s, i);
        }
    }

    if (!s->queue.up) {
        return;
    }

    if (!s->queue.ready) {
        queue_rebuild(s);
    }

    push_waiting(s);
    queue_sweep(s);
    queue_check(s);
}


static void
push_waiting(sim_t *s)
{
    int     i;
    job_t  *j;

    if (!s->queue.up || !s->queue.ready) {
        return;
    }

    for (i = 0; i < s->njobs; i++) {
        j = &s->jobs[i];

        if (j->lease.state == LEASE_QUEUED
            && j->lease.not_before <= sim_pg_now(s)
            && (j->pushed_at < 0 || s->now - j->pushed_at > REPUSH))
        {
            queue_push(s, i);
            j->pushed_at = s->now;
        }
    }
}
