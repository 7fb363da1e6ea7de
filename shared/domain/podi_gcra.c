/*
 * podi_gcra: one number and 128-bit sums, so that no order of limits, costs
 * and clocks overflows.
 */

#include "podi_gcra.h"
#include "podi_assert.h"
#include "banned.h"


typedef __int128  wide_t;


static wide_t gcra_step(const podi_gcra_t *g, int64_t cost);
static wide_t gcra_from(const podi_gcra_t *g, int64_t tat, podi_usec_t now);
static int64_t gcra_bound(wide_t n);
static void gcra_answer(const podi_gcra_t *g, wide_t tat, wide_t late,
    podi_usec_t now, podi_gcra_answer_t *ret);


int
podi_gcra_peek(const podi_gcra_t *g, int64_t tat, int64_t cost,
    podi_usec_t now, podi_gcra_answer_t *ret)
{
    wide_t  from, late;

    podi_assert(g->rate > 0 && g->period > 0 && g->burst > 0 && cost >= 0);

    from = gcra_from(g, tat, now);
    late = from + gcra_step(g, cost) - now - gcra_step(g, g->burst);

    if (cost > g->burst) {
        late = PODI_GCRA_NEVER;
    }

    if (ret != NULL) {
        gcra_answer(g, from, late, now, ret);
    }

    return late <= 0;
}


int
podi_gcra_take(const podi_gcra_t *g, int64_t *tat, int64_t cost,
    podi_usec_t now, podi_gcra_answer_t *ret)
{
    wide_t  to;

    if (cost == 0) {
        return podi_gcra_peek(g, *tat, cost, now, ret);
    }

    to = gcra_from(g, *tat, now);

    if (!podi_gcra_peek(g, *tat, cost, now, ret)) {
        /* back from where only another clock can have put it */
        *tat = *tat < to ? *tat : gcra_bound(to);
        return 0;
    }

    to += gcra_step(g, cost);
    *tat = gcra_bound(to);

    if (ret != NULL) {
        gcra_answer(g, to, 0, now, ret);
    }

    return 1;
}


/* how far a cost moves the TAT */

static wide_t
gcra_step(const podi_gcra_t *g, int64_t cost)
{
    return ((wide_t) cost * g->period + g->rate - 1) / g->rate;
}


/* the TAT to start from: not in the past, and no further than a full burst */

static wide_t
gcra_from(const podi_gcra_t *g, int64_t tat, podi_usec_t now)
{
    wide_t  most = now + gcra_step(g, g->burst);

    if (tat < now) {
        return now;
    }

    return tat < most ? tat : most;
}


static int64_t
gcra_bound(wide_t n)
{
    return n < INT64_MAX ? (int64_t) n : INT64_MAX;
}


static void
gcra_answer(const podi_gcra_t *g, wide_t tat, wide_t late, podi_usec_t now,
    podi_gcra_answer_t *ret)
{
    wide_t  room = now + gcra_step(g, g->burst) - tat, left;

    ret->retry_after = late > 0 ? gcra_bound(late) : 0;
    ret->reset_after = gcra_bound(tat - now);

    /* room may be a full burst of years: divide before it can overflow */

    left = room / g->period * g->rate
           + room % g->period * g->rate / g->period;

    ret->left = left < g->burst ? (int64_t) left : g->burst;
}
