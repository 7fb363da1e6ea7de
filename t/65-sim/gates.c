/*
 * gates: slots by claim and whom a free one wakes (G1 to G5, T6).
 *
 * Slots that were rebuilt from what runs carry no claim's token; the holder's
 * next beat, or his release, makes them his.
 */

#include "sim.h"
#include "banned.h"


static podi_gate_t gate_view(sim_t *s, int scope, int cost);
static int gate_wakes(sim_t *s, int scope, int *ret_class, int *ret_tenant);


int
job_scopes(const job_t *j, int scopes[4])
{
    int  n = 0;

    scopes[n++] = 0;                    /* global */
    scopes[n++] = 1;                    /* the queue */
    scopes[n++] = SCOPE_TENANT + j->tenant;

    if (j->key >= 0) {
        scopes[n++] = SCOPE_KEY + j->key;
    }

    return n;
}


int
gates_shut(sim_t *s, int job, int *scopes, int *ret_n)
{
    int          i, n;
    podi_gate_t  gates[4];

    n = job_scopes(&s->jobs[job], scopes);

    for (i = 0; i < n; i++) {
        gate_purge(s, scopes[i]);
        gates[i] = gate_view(s, scopes[i], s->jobs[job].cost);
    }

    *ret_n = n;

    return podi_gate_first_shut(gates, s->mutate == MUTATE_OVER ? 1 : n,
                                (podi_class_e) s->jobs[job].class,
                                sim_redis_now(s));
}


/* times are milliseconds here, but for the rates */

static podi_gate_t
gate_view(sim_t *s, int scope, int cost)
{
    scope_t             *g = &s->scopes[scope];
    int64_t              at, now = sim_redis_now(s);
    podi_gate_t          gate;
    podi_gcra_answer_t   answer;

    gate.slots = g->slots;
    gate.reserve = g->reserve;
    gate.taken = g->n;
    gate.opens_at = g->opens_at;

    if (g->rate.rate > 0
        && !podi_gcra_peek(&g->rate, g->tat, cost, now * 1000, &answer))
    {
        s->seen[SEEN_RATE]++;
        at = now + (answer.retry_after + 999) / 1000;
        gate.opens_at = at > gate.opens_at ? at : gate.opens_at;
    }

    return gate;
}


void
gate_take(sim_t *s, int scope, int job, int token, int life)
{
    scope_t   *g = &s->scopes[scope];
    holder_t  *h;

    if (g->n == HOLDERS) {
        sim_broken(s, "scope %d has %d holders", scope, g->n);
    }

    h = &g->holders[g->n++];
    h->job = job;
    h->token = token;
    h->life = life;
    h->suspect = 0;
    h->until = sim_redis_now(s) + GATE_LEASE;

    if (token > 0 && g->rate.rate > 0
        && !podi_gcra_take(&g->rate, &g->tat, s->jobs[job].cost,
                           sim_redis_now(s) * 1000, NULL)
        && s->mutate != MUTATE_OVER)
    {
        sim_broken(s, "scope %d let job %d pass above its rate", scope, job);
    }
}


int
gate_give(sim_t *s, int scope, int job, int token)
{
    int       i, given = 0;
    scope_t  *g = &s->scopes[scope];

    for (i = 0; i < g->n; i++) {
        if (g->holders[i].job == job
            && (g->holders[i].token == token || g->holders[i].token == 0
                || token < 0))
        {
            g->holders[i--] = g->holders[--g->n];
            given++;
        }
    }

    return given;
}


void
gate_forget(sim_t *s, int scope, int job, int life)
{
    int       i;
    scope_t  *g = &s->scopes[scope];

    for (i = 0; i < g->n; i++) {
        if (g->holders[i].job == job
            && (g->holders[i].life == life || g->holders[i].token == 0))
        {
            g->holders[i--] = g->holders[--g->n];
        }
    }
}


void
gate_purge(sim_t *s, int scope)
{
    int       i;
    scope_t  *g = &s->scopes[scope];

    for (i = 0; i < g->n; i++) {
        if (g->holders[i].until <= sim_redis_now(s)) {
            g->holders[i--] = g->holders[--g->n];
        }
    }
}


/* gives back the slots of one claim; those of another stay */

void
queue_release(sim_t *s, int job, int token)
{
    int  i, n, class, tenant, scopes[4];

    n = job_scopes(&s->jobs[job], scopes);

    if (s->mutate == MUTATE_GATE) {
        n--;
    }

    if (s->mutate == MUTATE_LATE) {
        token = -1;
    }

    for (i = 0; i < n; i++) {
        if (gate_give(s, scopes[i], job, token) == 0) {
            continue;
        }

        if (s->mutate != MUTATE_WAKE) {
            gate_wake(s, scopes[i]);
        }

        if (gate_wakes(s, scopes[i], &class, &tenant)) {
            sim_broken(s, "a slot of scope %d is free, tenant %d waits for"
                       " it and sleeps", scopes[i], tenant);
        }
    }
}


/*
 * The worker is known not to run the job any more.  Its slots go, and nobody
 * else's: another may be between queue and store with the same job.
 */

void
queue_forget(sim_t *s, int job, int life)
{
    int  i, n, scopes[4];

    n = job_scopes(&s->jobs[job], scopes);

    for (i = 0; i < n; i++) {
        gate_forget(s, scopes[i], job, life);
        gate_wake(s, scopes[i]);
    }
}


void
queue_beat(sim_t *s, int job, int token, int life)
{
    int       i, k, n, mine, scopes[4];
    scope_t  *g;

    n = job_scopes(&s->jobs[job], scopes);

    for (i = 0; i < n; i++) {
        g = &s->scopes[scopes[i]];
        mine = 0;

        for (k = 0; k < g->n; k++) {
            if (g->holders[k].job == job
                && (g->holders[k].token == token || g->holders[k].token == 0))
            {
                g->holders[k].token = token;
                g->holders[k].life = life;
                g->holders[k].until = sim_redis_now(s) + GATE_LEASE;
                mine = 1;
            }
        }

        if (!mine && s->queue.ready) {
            gate_take(s, scopes[i], job, 0, life);
            g->holders[g->n - 1].token = token;
        }
    }
}


void
queue_shut(sim_t *s, int scope, int64_t wait)
{
    s->scopes[scope].opens_at = sim_redis_now(s) + wait;
    sim_trace(s, "queue: scope %d shut for %lld ms", scope,
              (long long) wait);

    if (wait == 0) {
        gate_wake(s, scope);
    }
}


/* T6: whom a slot that is free wakes; 0: nobody, or enough are awake */

static int
gate_wakes(sim_t *s, int scope, int *ret_class, int *ret_tenant)
{
    int             class, tenant, awake = 0;
    int64_t         passes[TENANTS];
    turn_t         *r;
    queue_t        *q = &s->queue;
    podi_gate_t     gate;
    unsigned char   ready[PODI_CLASSES] = { 0 }, parked[TENANTS];

    for (class = 0; class < PODI_CLASSES; class++) {
        for (tenant = 0; tenant < TENANTS; tenant++) {
            awake += q->turn[class][tenant].state == ROW_ACTIVE
                     && q->turn[class][tenant].woken_by == scope;
        }
    }

    gate = gate_view(s, scope, 1);
    gate.taken += awake;

    if (gate.slots == 0 && awake > 0) {
        return 0;                       /* one after the other */
    }

    for (class = 0; class < PODI_CLASSES; class++) {
        if (!podi_gate_is_open(&gate, (podi_class_e) class,
                               sim_redis_now(s)))
        {
            continue;
        }

        for (tenant = 0; tenant < TENANTS; tenant++) {
            r = &q->turn[class][tenant];
            ready[class] |= r->state == ROW_PARKED && r->gate == scope;
        }
    }

    class = podi_turn_next(q->class_pass, ready, PODI_CLASSES);

    if (class < 0) {
        return 0;
    }

    for (tenant = 0; tenant < TENANTS; tenant++) {
        r = &q->turn[class][tenant];
        parked[tenant] = r->state == ROW_PARKED && r->gate == scope;
        passes[tenant] = r->pass;
    }

    *ret_class = class;
    *ret_tenant = podi_turn_next(passes, parked, TENANTS);

    /* a rate must let the cost of its oldest job pass */

    gate = gate_view(s, scope,
                     s->jobs[q->turn[class][*ret_tenant].head].cost);

    return gate.opens_at <= sim_redis_now(s);
}


void
gate_wake(sim_t *s, int scope)
{
    int  class, tenant;

    while (gate_wakes(s, scope, &class, &tenant)) {
        turn_come(s, class, tenant, scope);
        s->seen[SEEN_WOKEN]++;
        sim_trace(s, "queue: scope %d wakes tenant %d class %d", scope,
                  tenant, class);
    }
}


int
queue_holds(const sim_t *s, int scope, int job)
{
    int             i, n = 0;
    const scope_t  *g = &s->scopes[scope];

    for (i = 0; i < g->n; i++) {
        n += g->holders[i].job == job;
    }

    return n;
}
