/*
 * queue: whose turn it is, by the rules T1 to T7 of podi_gate.h, as the
 * scripts in Redis do it; hints in lists, one of each class and tenant.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


static const char  *const rows[] = { "absent", "active", "parked" };


static void turn_leave(sim_t *s, turn_t *r);
static int turn_pick(sim_t *s, int *ret_class);
static void turn_serve(sim_t *s, int class, int tenant);
static void hint_drop_head(sim_t *s, turn_t *r);
static void turns_count(sim_t *s, int class, int tenant);
static int turn_could_run(sim_t *s, const turn_t *r);


void
queue_push(sim_t *s, int job)
{
    job_t   *j = &s->jobs[job];
    turn_t  *r = &s->queue.turn[j->class][j->tenant];

    if (!s->queue.up || s->queue.hinted[job]) {
        return;
    }

    s->queue.hinted[job] = 1;
    s->queue.next_hint[job] = -1;

    if (r->head < 0) {
        r->head = job;
    } else {
        s->queue.next_hint[r->tail] = job;
    }

    r->tail = job;

    if (r->state == ROW_ABSENT) {
        turn_come(s, j->class, j->tenant, -1);
    }
}


/* T4 or T5 for the tenant and, when it is the first, T4 for the class */

void
turn_come(sim_t *s, int class, int tenant, int woken_by)
{
    int       i, busy = 0;
    queue_t  *q = &s->queue;
    turn_t   *r = &q->turn[class][tenant];

    for (i = 0; i < TENANTS; i++) {
        busy |= q->turn[class][i].state == ROW_ACTIVE;
    }

    if (!busy) {
        q->class_pass[class] = podi_turn_return(q->class_pass[class],
                                                q->class_time);
    }

    r->state = ROW_ACTIVE;
    r->woken_by = woken_by;
    r->over = 0;
    r->pass = woken_by < 0
              ? podi_turn_return(r->pass, q->time[class])
              : podi_turn_wake(r->pass, s->weight[tenant], q->time[class]);
}


/* up to `want` jobs whose gates are all open, with the tokens of their slots */

int
queue_claim(sim_t *s, int life, int want, int *jobs, int *tokens)
{
    int      n = 0, class, tenant, job, i, k, shut, by, scopes[4];
    int      looks = 200;
    turn_t  *r;

    while (n < want && looks-- > 0) {
        tenant = turn_pick(s, &class);

        if (tenant < 0) {
            break;
        }

        r = &s->queue.turn[class][tenant];
        by = r->woken_by;
        job = r->head;

        if (job < 0) {
            turn_leave(s, r);
            continue;
        }

        shut = gates_shut(s, job, scopes, &k);

        if (shut != PODI_GATE_NONE) {
            r->state = ROW_PARKED;
            r->gate = scopes[shut];
            r->woken_by = -1;
            s->seen[SEEN_PARKED]++;
            sim_trace(s, "queue: tenant %d class %d parks at %d", tenant,
                      class, r->gate);
        } else {
            turns_count(s, class, tenant);
            turn_serve(s, class, tenant);
            hint_drop_head(s, r);
            tokens[n] = ++s->queue.token;

            for (i = 0; i < k; i++) {
                gate_take(s, scopes[i], job, tokens[n], life);
            }

            r->woken_by = -1;
            jobs[n++] = job;

            if (r->head < 0) {
                turn_leave(s, r);
            }
        }

        if (by >= 0) {
            /* the slot it was woken for is taken, or is another's now */
            gate_wake(s, by);
        }
    }

    return n;
}


static void
turn_leave(sim_t *s, turn_t *r)
{
    int  by = r->woken_by;

    r->state = ROW_ABSENT;
    r->woken_by = -1;

    if (by >= 0) {
        gate_wake(s, by);
    }
}


/* T1, T2 */

static int
turn_pick(sim_t *s, int *ret_class)
{
    int             class, tenant;
    int64_t         passes[TENANTS];
    queue_t        *q = &s->queue;
    unsigned char   ready[PODI_CLASSES] = { 0 }, active[TENANTS];

    for (class = 0; class < PODI_CLASSES; class++) {
        for (tenant = 0; tenant < TENANTS; tenant++) {
            ready[class] |= q->turn[class][tenant].state == ROW_ACTIVE;
        }
    }

    class = podi_turn_next(q->class_pass, ready, PODI_CLASSES);

    if (s->mutate == MUTATE_STARVE) {
        class = ready[0] ? 0 : ready[1] ? 1 : ready[2] ? 2 : -1;
    }

    if (class < 0) {
        return -1;
    }

    for (tenant = 0; tenant < TENANTS; tenant++) {
        active[tenant] = q->turn[class][tenant].state == ROW_ACTIVE;
        passes[tenant] = q->turn[class][tenant].pass;
    }

    *ret_class = class;

    return podi_turn_next(passes, active, TENANTS);
}


static void
turn_serve(sim_t *s, int class, int tenant)
{
    queue_t  *q = &s->queue;
    turn_t   *r = &q->turn[class][tenant];

    q->class_time = podi_turn_return(q->class_time, q->class_pass[class]);
    q->class_pass[class] = podi_turn_step(q->class_pass[class],
                                          podi_class_shares[class]);
    q->time[class] = podi_turn_return(q->time[class], r->pass);
    r->pass = podi_turn_step(r->pass, s->weight[tenant]);
}


static void
hint_drop_head(sim_t *s, turn_t *r)
{
    s->queue.hinted[r->head] = 0;
    r->head = s->queue.next_hint[r->head];

    if (r->head < 0) {
        r->tail = -1;
    }
}


/* each second: slots whose lease ran out, and gates whose time has come */

void
queue_sweep(sim_t *s)
{
    int  scope;

    for (scope = 0; scope < SCOPES; scope++) {
        gate_purge(s, scope);
        gate_wake(s, scope);
    }
}


void
queue_flush(sim_t *s)
{
    int      i, k;
    turn_t  *r;

    for (i = 0; i < SCOPES; i++) {
        s->scopes[i].n = 0;
        s->scopes[i].tat = 0;
        s->scopes[i].opens_at = 0;
    }

    for (i = 0; i < PODI_CLASSES; i++) {
        s->queue.class_pass[i] = 0;
        s->queue.time[i] = 0;
        s->queue.class_over[i] = 0;

        for (k = 0; k < TENANTS; k++) {
            r = &s->queue.turn[i][k];
            memset(r, 0, sizeof(*r));
            r->head = -1;
            r->tail = -1;
            r->woken_by = -1;
        }
    }

    s->queue.class_time = 0;
    s->queue.ready = 0;
    memset(s->queue.hinted, 0, sizeof(s->queue.hinted));
}


/* from the store's rows: slots of what runs (R3), hints of what waits */

void
queue_rebuild(sim_t *s)
{
    int  i, k, n, scopes[4];

    for (i = 0; i < s->njobs; i++) {
        n = job_scopes(&s->jobs[i], scopes);

        for (k = 0; k < n; k++) {
            if (s->jobs[i].lease.state != LEASE_RUNNING) {
                (void) gate_give(s, scopes[k], i, -1);

            } else if (!queue_holds(s, scopes[k], i)) {
                gate_take(s, scopes[k], i, 0, 0);
            }
        }

        if (s->jobs[i].lease.state == LEASE_QUEUED) {
            queue_push(s, i);
        }
    }

    s->queue.ready = 1;
    s->seen[SEEN_REBUILT]++;
    queue_sweep(s);
    sim_trace(s, "queue: rebuilt");
}


/*
 * Fairness, counted at every start: turns that others got while this class,
 * or this tenant of the same class, could have run.
 */

static void
turns_count(sim_t *s, int class, int tenant)
{
    int       c, t, could, weights = 0;
    turn_t   *r;
    queue_t  *q = &s->queue;

    for (t = 0; t < TENANTS; t++) {
        weights += s->weight[t];
    }

    for (c = 0; c < PODI_CLASSES; c++) {
        could = 0;

        for (t = 0; t < TENANTS; t++) {
            r = &q->turn[c][t];

            if (!turn_could_run(s, r) || (c == class && t == tenant)) {
                r->over = 0;
                continue;
            }

            could = 1;
            r->over += c == class;

            if (r->over > weights / s->weight[t] + 2 * TENANTS + 2) {
                sim_broken(s, "tenant %d of class %d (%s) was passed over"
                           " %d times", t, c, rows[r->state], r->over);
            }
        }

        q->class_over[c] = could && c != class ? q->class_over[c] + 1 : 0;

        if (q->class_over[c] > 12 / podi_class_shares[c] + 4) {
            sim_broken(s, "class %d was passed over %d times", c,
                       q->class_over[c]);
        }
    }
}


static int
turn_could_run(sim_t *s, const turn_t *r)
{
    int  n, scopes[4];

    return r->state == ROW_ACTIVE && r->head >= 0
           && gates_shut(s, r->head, scopes, &n) == PODI_GATE_NONE;
}


/*
 * R3, as the dispatcher does it each second: a slot without a job that runs,
 * seen twice, is freed; a job that runs without a slot gets one.  Without a
 * fault that explains it, either is a bug.
 */

void
queue_check(sim_t *s)
{
    int        scope, i, k, n, scopes[4];
    scope_t   *g;
    fate_t    *f;
    holder_t  *h;

    for (scope = 0; scope < SCOPES; scope++) {
        g = &s->scopes[scope];

        for (i = 0; i < g->n; i++) {
            h = &g->holders[i];
            f = &s->fate[h->job];

            if (s->jobs[h->job].lease.state == LEASE_RUNNING
                || f->claiming > 0)
            {
                h->suspect = 0;
                continue;
            }

            if (++h->suspect < 3) {
                continue;
            }

            /* a slot that a fault left behind lasts as long as its lease */

            if (f->trouble_at == 0
                || s->now - f->trouble_at > 60000 + s->set_back)
            {
                sim_broken(s, "scope %d: job %d has a slot and does not run",
                           scope, h->job);
            }

            g->holders[i--] = g->holders[--g->n];
        }
    }

    for (i = 0; i < s->njobs; i++) {
        n = job_scopes(&s->jobs[i], scopes);

        for (k = 0; k < n; k++) {
            if (s->jobs[i].lease.state == LEASE_RUNNING
                && !queue_holds(s, scopes[k], i))
            {
                gate_take(s, scopes[k], i, 0, 0);
            }
        }
    }
}
