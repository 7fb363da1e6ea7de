/*
 * podi_quota: so many units in each window of the calendar.  Pure.
 *
 *        start                                   end = the next one's start
 *     -----|---------- used ---------|---- left ---|------->  UTC
 *
 * A window is a span that begins with every whole multiple of `period` since
 * 1970-01-01T00:00Z (86,400 s: the UTC day), or the UTC month.  All that is
 * remembered is when the newest window began and what was used up in it.
 *
 * Promises: in one window no more than `units` pass; who waits retry_after
 * is in the next one.  A clock that is set back over a window's start goes on
 * in the newer window, so that stepping over midnight twice gives nobody a
 * second quota; one that is set back further than that starts anew.
 */

#ifndef PODI_QUOTA_H
#define PODI_QUOTA_H


#include "podi_time.h"


#define PODI_QUOTA_MONTH  (-1)          /* a period */
#define PODI_QUOTA_NEVER  INT64_MAX     /* a cost above the units */

typedef struct {
    int64_t  units;             /* > 0 */
    int64_t  period;            /* microseconds, > 0, or PODI_QUOTA_MONTH */
} podi_quota_t;

/* zeroed: nothing was used */
typedef struct {
    podi_usec_t  start;
    int64_t      used;
} podi_quota_cell_t;

typedef struct {
    int64_t  retry_after;       /* microseconds; 0: it passes */
    int64_t  reset_after;       /* microseconds until the window's end */
    int64_t  left;              /* units that would pass now */
} podi_quota_answer_t;


/* the window that `now` (>= 0) is in */
void podi_quota_window(int64_t period, podi_usec_t now,
    podi_usec_t *ret_start, podi_usec_t *ret_end);

/* as podi_gcra's: peek changes nothing, ret may be NULL, cost >= 0 */
int podi_quota_peek(const podi_quota_t *q, const podi_quota_cell_t *cell,
    int64_t cost, podi_usec_t now, podi_quota_answer_t *ret);
int podi_quota_take(const podi_quota_t *q, podi_quota_cell_t *cell,
    int64_t cost, podi_usec_t now, podi_quota_answer_t *ret);


#endif /* PODI_QUOTA_H */
