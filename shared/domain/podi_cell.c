/*
 * podi_cell: sets of cells, and three ways to count in one.
 *
 * The sums are those of podi_gcra; what stays the same for all keys of a limit
 * is worked out once, so that a cost of 1 is decided without a division.
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_cell.h"
#include "banned.h"


#define CELL_MOST   (INT64_C(1) << 53)      /* units */
#define CELL_SPAN   (INT64_C(1) << 60)      /* microseconds */
#define CELL_TICK   1000                    /* microseconds, of the clocks */
#define CELL_AGAIN  SECOND                  /* CONN: nobody knows when */

#define SECOND      INT64_C(1000000)
#define DAY         86400                   /* seconds */


typedef __int128  wide_t;


static uint32_t cell_tag(const unsigned char *key);
static int64_t cell_weight(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now);
static int64_t cell_used(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now);
static int64_t cell_from(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now);
static int64_t cell_step(const podi_rule_t *rule, int64_t cost);


podi_rc_t
podi_rule_rate(podi_rule_t *rule, int64_t rate, int64_t period,
    int64_t burst)
{
    wide_t   span;
    int64_t  tick;

    if (rate <= 0 || rate > CELL_MOST || period <= 0 || period > CELL_SPAN
        || burst <= 0 || burst > CELL_MOST)
    {
        return PODI_ERROR;
    }

    /* what comes between two ticks of the clock cannot come one by one */

    tick = (int64_t) (((wide_t) rate * CELL_TICK + period - 1) / period);
    burst = (burst > tick) ? burst : tick;

    span = ((wide_t) burst * period + rate - 1) / rate;

    if (span > CELL_SPAN) {
        return PODI_ERROR;
    }

    memset(rule, 0, sizeof(*rule));

    rule->kind = PODI_CELL_RATE;
    rule->gcra.rate = rate;
    rule->gcra.period = period;
    rule->gcra.burst = burst;
    rule->step = (period + rate - 1) / rate;
    rule->span = (int64_t) span;
    rule->wide = (span > INT64_MAX / rate);

    return PODI_OK;
}


podi_rc_t
podi_rule_quota(podi_rule_t *rule, int64_t most, int64_t period, int offset)
{
    if (most <= 0 || most > CELL_MOST
        || (period != PODI_QUOTA_MONTH
            && (period < SECOND || period > CELL_SPAN))
        || offset <= -DAY || offset >= DAY)
    {
        return PODI_ERROR;
    }

    memset(rule, 0, sizeof(*rule));

    rule->kind = PODI_CELL_QUOTA;
    rule->gcra.burst = most;
    rule->period = period;
    rule->offset = offset * SECOND;

    return PODI_OK;
}


podi_rc_t
podi_rule_conn(podi_rule_t *rule, int64_t most)
{
    if (most <= 0 || most > CELL_MOST) {
        return PODI_ERROR;
    }

    memset(rule, 0, sizeof(*rule));

    rule->kind = PODI_CELL_CONN;
    rule->gcra.burst = most;

    return PODI_OK;
}


podi_window_t
podi_rule_window(const podi_rule_t *rule, podi_usec_t wall)
{
    podi_window_t  w;

    podi_quota_window(rule->period, wall + rule->offset, &w.start, &w.end);

    w.start -= rule->offset;
    w.end -= rule->offset;

    return w;
}


podi_cell_t *
podi_cell_find(podi_cell_set_t *set, const unsigned char key[PODI_CELL_KEY])
{
    int       i;
    uint32_t  tag = cell_tag(key);

    for (i = 0; i < PODI_CELL_WAYS; i++) {
        if (set->tags[i] == tag
            && memcmp(set->cells[i].key, key, PODI_CELL_KEY) == 0)
        {
            return &set->cells[i];
        }
    }

    return NULL;
}


podi_cell_t *
podi_cell_victim(podi_cell_set_t *set, const podi_rule_t *rule,
    const podi_cell_clock_t *now, int *ret_live)
{
    int           i;
    int64_t       weight, least = 0;
    podi_cell_t  *cell, *found = NULL;

    *ret_live = 0;

    for (i = 0; i < PODI_CELL_WAYS; i++) {
        cell = &set->cells[i];

        weight = (set->tags[i] == 0) ? 0 : cell_weight(rule, cell, now);

        if (weight <= 0) {
            return cell;
        }

        if (found == NULL || weight < least) {
            found = cell;
            least = weight;
        }
    }

    *ret_live = 1;

    return found;
}


/* while the tag is 0 nobody takes what is half written for anybody's */

void
podi_cell_begin(podi_cell_set_t *set, podi_cell_t *cell,
    const unsigned char key[PODI_CELL_KEY])
{
    size_t  i = (size_t) (cell - set->cells);

    podi_assert(i < PODI_CELL_WAYS);

    __atomic_store_n(&set->tags[i], 0, __ATOMIC_SEQ_CST);

    memcpy(cell->key, key, PODI_CELL_KEY);
    cell->value = 0;
    cell->mark = 0;

    __atomic_store_n(&set->tags[i], cell_tag(key), __ATOMIC_RELEASE);
}


int
podi_cell_peek(const podi_rule_t *rule, const podi_cell_t *cell,
    int64_t cost, const podi_cell_clock_t *now, podi_cell_answer_t *answer)
{
    int64_t             late, most = rule->gcra.burst;
    podi_cell_answer_t  a;

    podi_assert(cost >= 0);

    if (rule->kind == PODI_CELL_RATE) {
        late = cell_from(rule, cell, now) - now->mono - rule->span;
        late = (cost > most) ? PODI_GCRA_NEVER : late + cell_step(rule, cost);

    } else if (cost > most) {
        late = PODI_GCRA_NEVER;

    } else if (cell_used(rule, cell, now) > most - cost) {
        late = (rule->kind == PODI_CELL_CONN) ? CELL_AGAIN
                                              : now->window.end - now->wall;

    } else {
        late = 0;
    }

    if (answer != NULL) {
        podi_cell_answer(rule, cell, now, &a);
        a.retry_after = (late > 0) ? late : 0;
        *answer = a;
    }

    return late <= 0;
}


void
podi_cell_answer(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now, podi_cell_answer_t *answer)
{
    int64_t  used, room, n;

    if (rule->kind == PODI_CELL_RATE) {
        answer->reset_after = cell_from(rule, cell, now) - now->mono;
        room = rule->span - answer->reset_after;

        n = rule->wide ? (int64_t) ((wide_t) room * rule->gcra.rate
                                    / rule->gcra.period)
                       : room * rule->gcra.rate / rule->gcra.period;

        answer->left = (n < rule->gcra.burst) ? n : rule->gcra.burst;

    } else {
        used = cell_used(rule, cell, now);

        answer->left = (used < rule->gcra.burst) ? rule->gcra.burst - used
                                                 : 0;
        answer->reset_after = (rule->kind == PODI_CELL_CONN) ? 0
                              : now->window.end - now->wall;
    }

    answer->retry_after = 0;
}


void
podi_cell_take(const podi_rule_t *rule, podi_cell_t *cell, int64_t cost,
    const podi_cell_clock_t *now)
{
    int64_t  used, to, most;

    if (cost == 0) {
        return;
    }

    if (rule->kind == PODI_CELL_RATE) {

        /* charged anyhow: no further than to an empty bucket */

        cost = (cost < rule->gcra.burst) ? cost : rule->gcra.burst;
        to = cell_from(rule, cell, now) + cell_step(rule, cost);
        most = now->mono + rule->span;

        cell->value = (to < most) ? to : most;

        return;
    }

    used = cell_used(rule, cell, now);
    cost = (cost < CELL_MOST - used) ? cost : CELL_MOST - used;

    cell->value = used + cost;

    if (rule->kind == PODI_CELL_QUOTA && cell->mark < now->window.start) {
        cell->mark = now->window.start;
    }
}


void
podi_cell_undo(const podi_rule_t *rule, podi_cell_t *cell, int64_t cost,
    const podi_cell_clock_t *now)
{
    int64_t  used;

    if (cost == 0) {
        return;
    }

    if (rule->kind == PODI_CELL_RATE) {
        cell->value = cell_from(rule, cell, now) - cell_step(rule, cost);
        return;
    }

    if (rule->kind == PODI_CELL_QUOTA && cell->mark < now->window.start) {
        return;                     /* of a window that is over */
    }

    used = cell_used(rule, cell, now);

    cell->value = (used > cost) ? used - cost : 0;
}


/* how much is forgotten with it; comparable within one zone */

static int64_t
cell_weight(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now)
{
    return (rule->kind == PODI_CELL_RATE) ? cell->value - now->mono
                                          : cell_used(rule, cell, now);
}


/* after a clock was set back, what was used later still counts */

static int64_t
cell_used(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now)
{
    if (cell == NULL
        || (rule->kind == PODI_CELL_QUOTA && cell->mark < now->window.start))
    {
        return 0;
    }

    return cell->value;
}


/* as in podi_gcra: not in the past, and no further than a full burst */

static int64_t
cell_from(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now)
{
    int64_t  most = now->mono + rule->span;

    if (cell == NULL || cell->value < now->mono) {
        return now->mono;
    }

    return (cell->value < most) ? cell->value : most;
}


/* cost <= burst, so that it is at most the span */

static int64_t
cell_step(const podi_rule_t *rule, int64_t cost)
{
    const podi_gcra_t  *g = &rule->gcra;

    if (cost == 1) {
        return rule->step;
    }

    return (int64_t) (((wide_t) cost * g->period + g->rate - 1) / g->rate);
}


/* never 0, which is a free cell's */

static uint32_t
cell_tag(const unsigned char *key)
{
    uint32_t  tag;

    memcpy(&tag, key, sizeof(tag));

    return tag | 1;
}
