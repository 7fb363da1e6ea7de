/*
 * books: the independent model of the wallets.
 *
 * It knows points, not sums: every point has a lot and is in one account at a
 * time, every move of points is posted twice, and a hold is a line of single
 * points of which a confirm takes the leftmost that is still held and a
 * release the rightmost.  It was written from the contract of the wallet:
 *
 *   - points are spent by priority, soonest expiry, oldest; dead lots never
 *   - what returns to a dead lot lapses, what is held of it can be confirmed
 *   - nothing is ever made or lost but by a grant
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "banned.h"


typedef enum { GRANTED = 0, AVAILABLE, HELD, REVENUE, LAPSED, ACCOUNTS }
    account_e;

typedef struct {
    int      n, wallet;
    short    lot[HOLD_POINTS];
    char     at[HOLD_POINTS];           /* account_e */
} line_t;

struct books_s {
    int64_t  account[LOTS][ACCOUNTS];
    line_t   lines[HOLDS];
};


static void post(sim_t *s, int lot, account_e from, account_e to,
    int64_t amount);
static int is_dead(const sim_t *s, int lot);
static int point_next(sim_t *s, int wallet);


books_t *
books_create(void)
{
    return calloc(1, sizeof(books_t));
}


void
books_clear(books_t *b)
{
    memset(b->account, 0, sizeof(b->account));
}


void
books_free(books_t *b)
{
    free(b);
}


void
books_grant(sim_t *s, int lot)
{
    post(s, lot, GRANTED, AVAILABLE, s->lots[lot].amount);
}


/* 0: there are not enough; then nothing is frozen */

int
books_freeze(sim_t *s, int hold, int wallet, int64_t amount)
{
    int      lot, i;
    line_t  *line = &s->books->lines[hold];

    if (amount > HOLD_POINTS) {
        sim_broken(s, "a hold of %lld points is none of ours",
                   (long long) amount);
    }

    if (books_live(s, wallet) < amount) {
        return 0;
    }

    line->n = (int) amount;
    line->wallet = wallet;

    for (i = 0; i < line->n; i++) {
        lot = point_next(s, wallet);
        post(s, lot, AVAILABLE, HELD, 1);
        line->lot[i] = (short) lot;
        line->at[i] = HELD;
    }

    return 1;
}


void
books_confirm(sim_t *s, int hold, int64_t amount)
{
    int      i;
    line_t  *line = &s->books->lines[hold];

    for (i = 0; i < line->n && amount > 0; i++) {
        if (line->at[i] == HELD) {
            post(s, line->lot[i], HELD, REVENUE, 1);
            line->at[i] = REVENUE;
            amount--;
        }
    }

    if (amount > 0) {
        sim_broken(s, "hold %d has not so much to confirm", hold);
    }
}


void
books_release(sim_t *s, int hold, int64_t amount)
{
    int      i;
    line_t  *line = &s->books->lines[hold];

    for (i = line->n - 1; i >= 0 && amount > 0; i--) {
        if (line->at[i] == HELD) {
            post(s, line->lot[i], HELD, AVAILABLE, 1);
            line->at[i] = AVAILABLE;
            amount--;
        }
    }

    if (amount > 0) {
        sim_broken(s, "hold %d has not so much to release", hold);
    }
}


void
books_lapse(sim_t *s, int wallet)
{
    int  lot;

    for (lot = 0; lot < s->nlots; lot++) {
        if (s->lots[lot].wallet == wallet && is_dead(s, lot)) {
            post(s, lot, AVAILABLE, LAPSED,
                 s->books->account[lot][AVAILABLE]);
        }
    }
}


/* points of a hold that are still held */

int64_t
books_left(sim_t *s, int hold)
{
    int            i;
    int64_t        left = 0;
    const line_t  *line = &s->books->lines[hold];

    for (i = 0; i < line->n; i++) {
        left += line->at[i] == HELD;
    }

    return left;
}


/* points that could be frozen now */

int64_t
books_live(sim_t *s, int wallet)
{
    int      lot;
    int64_t  live = 0;

    for (lot = 0; lot < s->nlots; lot++) {
        if (s->lots[lot].wallet == wallet && !is_dead(s, lot)) {
            live += s->books->account[lot][AVAILABLE];
        }
    }

    return live;
}


/* the store must have the same, lot by lot and wallet by wallet */

void
books_compare(sim_t *s)
{
    int             i;
    int64_t         available[TENANTS] = { 0 }, held[TENANTS] = { 0 };
    const lot_t    *l;
    const int64_t  *a;

    for (i = 0; i < s->nlots; i++) {
        l = &s->lots[i];
        a = s->books->account[i];

        if (a[GRANTED] + a[AVAILABLE] + a[HELD] + a[REVENUE] + a[LAPSED] != 0
            || -a[GRANTED] != l->amount)
        {
            sim_broken(s, "the books of lot %d do not balance", i);
        }

        if (l->avail != a[AVAILABLE] || l->held != a[HELD]
            || l->spent != a[REVENUE] || l->lapsed != a[LAPSED])
        {
            sim_broken(s, "lot %d has %lld available %lld held %lld spent"
                       " %lld lapsed, the books %lld %lld %lld %lld", i,
                       (long long) l->avail, (long long) l->held,
                       (long long) l->spent, (long long) l->lapsed,
                       (long long) a[AVAILABLE], (long long) a[HELD],
                       (long long) a[REVENUE], (long long) a[LAPSED]);
        }

        available[l->wallet] += a[AVAILABLE];
        held[l->wallet] += a[HELD];
    }

    for (i = 0; i < TENANTS; i++) {
        if (s->wallets[i].available != available[i]
            || s->wallets[i].held != held[i])
        {
            sim_broken(s, "wallet %d says %lld available %lld held, its"
                       " points %lld %lld", i,
                       (long long) s->wallets[i].available,
                       (long long) s->wallets[i].held,
                       (long long) available[i], (long long) held[i]);
        }
    }
}


static void
post(sim_t *s, int lot, account_e from, account_e to, int64_t amount)
{
    int64_t  *a = s->books->account[lot];

    a[from] -= amount;
    a[to] += amount;

    if (from != GRANTED && a[from] < 0) {
        sim_broken(s, "lot %d has %lld in account %d", lot,
                   (long long) a[from], from);
    }
}


static int
is_dead(const sim_t *s, int lot)
{
    int64_t  end = s->lots[lot].expires_at;

    return end != 0 && end <= sim_pg_now(s);
}


/* the lot whose point is spent next */

static int
point_next(sim_t *s, int wallet)
{
    int      lot, best = -1;
    int64_t  end, best_end = 0;

    for (lot = 0; lot < s->nlots; lot++) {
        if (s->lots[lot].wallet != wallet || is_dead(s, lot)
            || s->books->account[lot][AVAILABLE] == 0)
        {
            continue;
        }

        end = s->lots[lot].expires_at ? s->lots[lot].expires_at : INT64_MAX;

        if (best < 0 || s->lots[lot].priority < s->lots[best].priority
            || (s->lots[lot].priority == s->lots[best].priority
                && end < best_end))
        {
            best = lot;
            best_end = end;
        }
    }

    return best;
}
