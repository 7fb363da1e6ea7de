/*
 * podi_quota: the calendar, and one sum.
 */

#include "podi_quota.h"
#include "podi_assert.h"
#include "banned.h"


#define QUOTA_DAY  86400000000LL


static int64_t quota_month_days(int64_t month);
static podi_usec_t quota_cell(const podi_quota_t *q,
    const podi_quota_cell_t *cell, podi_usec_t now, podi_quota_cell_t *ret);


int
podi_quota_peek(const podi_quota_t *q, const podi_quota_cell_t *cell,
    int64_t cost, podi_usec_t now, podi_quota_answer_t *ret)
{
    int64_t            left;
    podi_usec_t        end;
    podi_quota_cell_t  c;

    podi_assert(q->units > 0 && cost >= 0 && now >= 0);

    end = quota_cell(q, cell, now, &c);
    left = c.used < q->units ? q->units - c.used : 0;

    if (ret != NULL) {
        ret->left = left;
        ret->reset_after = end - now;
        ret->retry_after = cost <= left ? 0
                           : cost > q->units ? PODI_QUOTA_NEVER : end - now;
    }

    return cost <= left;
}


int
podi_quota_take(const podi_quota_t *q, podi_quota_cell_t *cell, int64_t cost,
    podi_usec_t now, podi_quota_answer_t *ret)
{
    podi_quota_cell_t  c;

    if (!podi_quota_peek(q, cell, cost, now, ret)) {
        return 0;
    }

    (void) quota_cell(q, cell, now, &c);

    c.used += cost;
    *cell = c;

    if (ret != NULL) {
        ret->left -= cost;
    }

    return 1;
}


void
podi_quota_window(int64_t period, podi_usec_t now, podi_usec_t *ret_start,
    podi_usec_t *ret_end)
{
    int64_t  days, month;

    podi_assert(now >= 0 && (period > 0 || period == PODI_QUOTA_MONTH));

    if (period != PODI_QUOTA_MONTH) {
        *ret_start = now - now % period;
        *ret_end = *ret_start + period;
        return;
    }

    /* months of the mean length are a good guess */

    days = now / QUOTA_DAY;
    month = days * 4800 / 146097;

    while (quota_month_days(month + 1) <= days) {
        month++;
    }

    while (quota_month_days(month) > days) {
        month--;
    }

    *ret_start = quota_month_days(month) * QUOTA_DAY;
    *ret_end = quota_month_days(month + 1) * QUOTA_DAY;
}


/* days from 1970-01-01 to the first of a month, counted from that one */

static int64_t
quota_month_days(int64_t month)
{
    int64_t  year, from_march;

    /* years that begin in March, so that the leap day is their last */

    from_march = month + 1970 * 12 - 2;
    year = from_march / 12;

    return year * 365 + year / 4 - year / 100 + year / 400
           + (from_march % 12 * 153 + 2) / 5 - 719468;
}


/* what counts at `now`; gives the end of that window */

static podi_usec_t
quota_cell(const podi_quota_t *q, const podi_quota_cell_t *cell,
    podi_usec_t now, podi_quota_cell_t *ret)
{
    podi_usec_t  start, end, next;

    podi_quota_window(q->period, now, &start, &end);

    if (cell->start == end) {
        podi_quota_window(q->period, end, &start, &next);
        *ret = *cell;
        return next;
    }

    ret->start = start;
    ret->used = cell->start == start ? cell->used : 0;

    return end;
}
