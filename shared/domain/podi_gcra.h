/*
 * podi_gcra: how fast may something happen?  Pure.
 *
 * The generic cell rate algorithm: a bucket of `burst` units that fills by
 * `rate` units in a period.  All that it remembers is one number, the
 * theoretical arrival time (TAT): when the bucket will be full again.
 *
 *              now                TAT           now + span
 *     ----------|------------------|-----------------|------->  time
 *                `---- used up ---' `---- left -----'
 *
 *     span       what a whole burst takes to fill again
 *     a cost c   moves the TAT right by ceil(c * period / rate), and passes
 *                when the TAT then is not beyond now + span
 *
 * Promises: in any time t no more than rate * (t + 1 us) / period + burst
 * units pass (to that microsecond the span of a burst is rounded up); who
 * waits retry_after passes, one microsecond earlier he does not, unless
 * others were faster.  Nothing overflows: what does not fit is bounded.
 * A TAT beyond now + span can only come from a clock that was set back; it is
 * read as now + span, and the next take of anything stores that, passing or
 * not: so no step of a clock shuts anybody out for longer than a full burst
 * takes.
 *
 * Times are microseconds of any clock that all users of one TAT share.  A
 * step is rounded up to a whole microsecond: above some 10,000 units a second
 * take many units at once rather than one by one (one rounding for all).
 */

#ifndef PODI_GCRA_H
#define PODI_GCRA_H


#include "podi_time.h"


#define PODI_GCRA_NEVER  INT64_MAX      /* a cost above the burst */

typedef struct {
    int64_t  rate;              /* units in a period, > 0 */
    int64_t  period;            /* microseconds, > 0 */
    int64_t  burst;             /* units that may come at once, > 0 */
} podi_gcra_t;

typedef struct {
    int64_t  retry_after;       /* microseconds; 0: it passes */
    int64_t  reset_after;       /* microseconds until nothing is used up */
    int64_t  left;              /* whole units that would pass now */
} podi_gcra_answer_t;


/*
 * Does a cost (>= 0) pass?  take moves *tat when it does, and then answers
 * what is left after it; peek changes nothing (where several things must
 * pass, peek at all of them first), and so does a take of nothing.  A bucket
 * that nobody has used has TAT 0.  ret may be NULL.
 */
int podi_gcra_peek(const podi_gcra_t *g, int64_t tat, int64_t cost,
    podi_usec_t now, podi_gcra_answer_t *ret);
int podi_gcra_take(const podi_gcra_t *g, int64_t *tat, int64_t cost,
    podi_usec_t now, podi_gcra_answer_t *ret);


#endif /* PODI_GCRA_H */
