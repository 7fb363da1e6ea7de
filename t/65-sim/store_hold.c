/*
 * store_hold: the transactions of the wallet alone: grants, holds of a server
 * and what it says of them, the sweep.
 */

#include "sim.h"
#include "banned.h"


void
store_grant(sim_t *s, int wallet, int priority, int64_t ttl, int64_t amount)
{
    wallet_grant(s, wallet, priority, ttl ? sim_pg_now(s) + ttl : 0, amount);
    check(s, FACT_GRANT, s->nlots - 1, amount);
}


int
store_freeze(sim_t *s, int wallet, int64_t amount, int64_t ttl)
{
    int  hold;

    hold = hold_freeze(s, wallet, -1, s->nholds, amount, ttl);
    check(s, hold < 0 ? FACT_REFUSED : FACT_FREEZE, hold < 0 ? wallet : hold,
          amount);

    return hold;
}


/* a confirm or release of an external hold; the same one always answers so */

int
store_request(sim_t *s, int request)
{
    request_t  *r = &s->requests[request];
    hold_t     *h = &s->holds[r->hold];
    int         first = !r->answered;

    if (!first && s->mutate != MUTATE_IDEM) {
        return r->accepted;
    }

    r->answered = 1;
    r->accepted = h->captured + h->released + r->amount <= h->amount
                  && h->expires_at > sim_pg_now(s);

    if (r->accepted) {
        hold_settle(s, r->hold, -1, request, r->amount,
                    r->release ? 0 : r->amount);
    }

    check(s, r->accepted && first ? FACT_REQUEST : FACT_NONE, request, 0);

    return r->accepted;
}


/* dead lots lapse; what is left of holds past their time goes back */

void
store_sweep(sim_t *s)
{
    int      i;
    hold_t  *h;

    for (i = 0; i < TENANTS; i++) {
        lot_lapse(s, i);
    }

    for (i = 0; i < s->nholds; i++) {
        h = &s->holds[i];

        if (h->expires_at <= sim_pg_now(s)
            && h->captured + h->released < h->amount
            && (h->task < 0 || store_task_is_final(s, h->task)))
        {
            s->seen[SEEN_UNHELD]++;
            hold_settle(s, i, -1, REQUESTS,
                        h->amount - h->captured - h->released, 0);
        }
    }

    check(s, FACT_SWEEP, 0, 0);
}
