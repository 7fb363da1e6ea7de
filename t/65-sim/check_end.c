/*
 * check_end: what must be true at the end of time: nothing is left open, held
 * or taken, and the ledger adds up.
 */

#include "sim.h"
#include "banned.h"


static void check_ledger(sim_t *s);


void
check_end(sim_t *s)
{
    int      i;
    hold_t  *h;

    for (i = 0; i < s->njobs; i++) {
        if (!lease_is_final(&s->jobs[i].lease)) {
            sim_broken(s, "job %d is still in state %d", i,
                       s->jobs[i].lease.state);
        }
    }

    for (i = 0; i < s->nholds; i++) {
        h = &s->holds[i];

        if (h->captured + h->released != h->amount) {
            sim_broken(s, "hold %d is not exhausted", i);
        }
    }

    for (i = 0; i < SCOPES; i++) {
        if (s->scopes[i].n != 0) {
            sim_broken(s, "scope %d has %d slots taken and nothing runs", i,
                       s->scopes[i].n);
        }
    }

    for (i = 0; i < TENANTS; i++) {
        if (s->wallets[i].held != 0) {
            sim_broken(s, "wallet %d still holds %lld", i,
                       (long long) s->wallets[i].held);
        }
    }

    check_ledger(s);
}


/* every row adds up, by hold and by job, and no job was paid twice */

static void
check_ledger(sim_t *s)
{
    int             i;
    int64_t         by_job[JOBS] = { 0 }, by_hold[HOLDS] = { 0 };
    int64_t         back[HOLDS] = { 0 };
    const entry_t  *e;

    for (i = 0; i < s->nledger; i++) {
        e = &s->ledger[i];

        if (e->op == 'c') {
            by_hold[e->hold] += e->amount;

            if (e->job >= 0) {
                by_job[e->job] += e->amount;
            }

        } else if (e->op == 'r') {
            back[e->hold] += e->amount;
        }
    }

    for (i = 0; i < s->njobs; i++) {
        if (by_job[i] != s->jobs[i].charged
            || by_job[i] > s->fate[i].wish.price)
        {
            sim_broken(s, "the ledger charges job %d %lld of %lld", i,
                       (long long) by_job[i],
                       (long long) s->fate[i].wish.price);
        }
    }

    for (i = 0; i < s->nholds; i++) {
        if (by_hold[i] != s->holds[i].captured
            || back[i] != s->holds[i].released)
        {
            sim_broken(s, "the ledger of hold %d does not add up", i);
        }
    }
}
