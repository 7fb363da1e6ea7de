/*
 * wallet: what migrations/internal/{lot,hold,wallet}_*.sql do, in C.
 *
 * The hold is a line cut into allocations; its totals alone say which part of
 * each is captured and which is released.
 */

#include <string.h>

#include "sim.h"
#include "banned.h"


static void ledger_put(sim_t *s, char op, int wallet, int hold, int job,
    int mark, int64_t amount);
static int lot_next(const sim_t *s, int wallet);
static int64_t least(int64_t a, int64_t b);
static int64_t part(int64_t amount, int64_t reach);
static void hold_split(sim_t *s, hold_t *h);


void
wallet_grant(sim_t *s, int wallet, int priority, int64_t expires_at,
    int64_t amount)
{
    lot_t  *l;

    lot_lapse(s, wallet);

    l = &s->lots[s->nlots++];
    memset(l, 0, sizeof(*l));
    l->wallet = wallet;
    l->priority = priority;
    l->expires_at = expires_at;
    l->amount = amount;
    l->avail = amount;

    s->wallets[wallet].available += amount;
    ledger_put(s, 'g', wallet, -1, -1, s->nlots, amount);
}


int
hold_freeze(sim_t *s, int wallet, int task, int round, int64_t amount,
    int64_t ttl)
{
    int       lot;
    int64_t   left = amount, take, live = 0;
    hold_t   *h;
    lot_t    *l;

    for (lot = 0; lot < s->nlots; lot++) {
        l = &s->lots[lot];
        live += l->wallet == wallet
                && (l->expires_at == 0 || l->expires_at > sim_pg_now(s))
                ? l->avail : 0;
    }

    if (live < amount) {
        return -1;
    }

    lot_lapse(s, wallet);

    h = &s->holds[s->nholds++];
    memset(h, 0, sizeof(*h));
    h->wallet = wallet;
    h->task = task;
    h->round = round;
    h->amount = amount;
    h->expires_at = sim_pg_now(s) + ttl;

    while (left > 0) {
        lot = lot_next(s, wallet);
        l = &s->lots[lot];
        take = least(left, l->avail);

        l->avail -= take;
        l->held += take;
        h->alloc[h->n].lot = lot;
        h->alloc[h->n].amount = take;
        h->n++;
        left -= take;
    }

    s->wallets[wallet].available -= amount;
    s->wallets[wallet].held += amount;
    ledger_put(s, 'f', wallet, s->nholds - 1, -1, round, amount);

    return s->nholds - 1;
}


/* ends `price` of a hold: a charge of it is captured, the rest goes back */

void
hold_settle(sim_t *s, int hold, int job, int mark, int64_t price,
    int64_t charge)
{
    hold_t    *h = &s->holds[hold];
    int64_t    back = price - charge;
    wallet_t  *w = &s->wallets[h->wallet];

    if (price == 0) {
        return;
    }

    h->captured += charge;
    h->released += back;
    lot_lapse(s, h->wallet);
    hold_split(s, h);
    s->seen[SEEN_PARTS] += h->n > 1 && h->captured > 0 && h->released > 0;

    w->held -= price;
    w->available += back;

    if (charge > 0) {
        ledger_put(s, 'c', h->wallet, hold, job, mark, charge);
    }

    if (back > 0) {
        ledger_put(s, 'r', h->wallet, hold, job, mark, back);

        if (s->mutate != MUTATE_LAPSE) {
            lot_lapse(s, h->wallet);
        }
    }
}


void
lot_lapse(sim_t *s, int wallet)
{
    int     i;
    lot_t  *l;

    for (i = 0; i < s->nlots; i++) {
        l = &s->lots[i];

        if (l->wallet == wallet && l->avail > 0 && l->expires_at > 0
            && l->expires_at <= sim_pg_now(s))
        {
            s->wallets[wallet].available -= l->avail;
            s->seen[SEEN_DEAD_LOT] += l->spent + l->held + l->lapsed > 0;
            l->lapsed += l->avail;
            ledger_put(s, 'l', wallet, -1, i, (int) l->lapsed, l->avail);
            l->avail = 0;
        }
    }
}


/* one row a movement; the same one twice is what the unique key refuses */

static void
ledger_put(sim_t *s, char op, int wallet, int hold, int job, int mark,
    int64_t amount)
{
    int       i;
    entry_t  *e;

    for (i = 0; i < s->nledger && s->mutate != MUTATE_IDEM; i++) {
        e = &s->ledger[i];

        if (e->op == op && e->wallet == wallet && e->hold == hold
            && e->job == job && e->mark == mark)
        {
            sim_broken(s, "the ledger has row %c of hold %d job %d twice",
                       op, hold, job);
        }
    }

    if (s->nledger == LEDGER) {
        sim_broken(s, "the ledger is full");
    }

    e = &s->ledger[s->nledger++];
    e->op = op;
    e->wallet = wallet;
    e->hold = hold;
    e->job = job;
    e->mark = mark;
    e->amount = amount;
}


/* the order of spending: priority, soonest expiry, oldest */

static int
lot_next(const sim_t *s, int wallet)
{
    int           i, best = -1;
    const lot_t  *l, *b;

    for (i = 0; i < s->nlots; i++) {
        l = &s->lots[i];

        if (l->wallet != wallet || l->avail == 0
            || (l->expires_at && l->expires_at <= sim_pg_now(s)))
        {
            continue;
        }

        b = best < 0 ? NULL : &s->lots[best];

        if (b == NULL || l->priority < b->priority
            || (l->priority == b->priority
                && l->expires_at && (b->expires_at == 0
                                     || l->expires_at < b->expires_at)))
        {
            best = i;
        }
    }

    return best;
}


static void
hold_split(sim_t *s, hold_t *h)
{
    int       i;
    int64_t   upto = 0, captured, released;
    lot_t    *l;
    alloc_t  *a;

    for (i = 0; i < h->n; i++) {
        a = &h->alloc[i];
        l = &s->lots[a->lot];
        upto += a->amount;

        captured = part(a->amount, h->captured - (upto - a->amount));
        released = part(a->amount, upto - (h->amount - h->released));

        if (s->mutate == MUTATE_LEFT) {
            released = part(a->amount - captured,
                            h->released - (upto - a->amount));
        }

        l->held -= captured - a->captured + released - a->released;
        l->spent += captured - a->captured;
        l->avail += released - a->released;
        a->captured = captured;
        a->released = released;
    }
}


static int64_t
part(int64_t amount, int64_t reach)
{
    return reach < 0 ? 0 : least(amount, reach);
}


static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
