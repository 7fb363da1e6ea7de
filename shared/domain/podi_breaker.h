/*
 * podi_breaker: stop calling who does not answer; ask again with one call.
 * Pure: times and random bits are passed in.
 *
 *                 too many bad calls in the window
 *        CLOSED ------------------------------------> OPEN <--------.
 *          ^                                            |           |
 *          |                        its time is up: who asks first  |
 *          |                        becomes the probe   |           |
 *          |      the probe was good                    v           |
 *          '--------------------------------------- HALF_OPEN ------'
 *                                       the probe was bad, or is overdue:
 *                                       open longer; it never came to
 *                                       anything: the next may probe at once
 *
 *     CLOSED     calls pass and are counted
 *     OPEN       no call passes before `until`
 *     HALF_OPEN  exactly one call is out; until = when it is overdue, which
 *                its beats put off
 *
 * A bad call is one that failed, or took longer than `slow`.  How long it is
 * open: open * 2^(n - 1) for the n-th time in a row, at most open_max; of
 * that at least half, the rest by the random bits, so that many breakers do
 * not ask at once.
 *
 * A caller asks before the call, keeps the ticket and reports after it.  A
 * ticket is good for the state in which it was given: late reports of calls
 * that began before are ignored, so they cannot close or open anything.  Nor
 * can those from before the state was lost: epochs are no smaller than the
 * time at which they begin.
 *
 * An open breaker parks work, it does not fail it.  Where work comes through
 * a gate: after any ask or report shut the gate for podi_breaker_wait(), and
 * open it when that is 0.
 *
 * Times are milliseconds of any clock that all users of one breaker share;
 * should it be set back, nobody waits longer than max(open_max, probe_max)
 * from the first ask after that.
 *
 * Ownership: podi_breaker_t is plain data that the caller holds (in shared
 * memory, behind his lock), or keeps as a text (in Redis, changed by
 * compare-and-set on the text).  Zeroed memory is a new, closed breaker.
 */

#ifndef PODI_BREAKER_H
#define PODI_BREAKER_H


#include "podi_time.h"


#define PODI_BREAKER_SLICES    8        /* the window moves in such steps */
#define PODI_BREAKER_TEXT_MAX  320

typedef enum {
    PODI_BREAKER_CLOSED = 0,
    PODI_BREAKER_OPEN,
    PODI_BREAKER_HALF_OPEN
} podi_breaker_state_e;

typedef enum {
    PODI_BREAKER_PASS = 0,      /* call, then report */
    PODI_BREAKER_PROBE,         /* the same; everybody waits for this call */
    PODI_BREAKER_SHUT           /* do not call */
} podi_breaker_verdict_e;

typedef enum {
    PODI_BREAKER_GOOD = 0,
    PODI_BREAKER_BAD,
    PODI_BREAKER_UNKNOWN        /* given up before it could tell */
} podi_breaker_outcome_e;

typedef struct {
    podi_msec_t  window;        /* calls of this last while count; >= 8 */
    uint32_t     calls_min;     /* fewer calls decide nothing; > 0 */
    uint32_t     bad_percent;   /* bad calls that open it; 1..100 */
    podi_msec_t  slow;          /* a longer call is bad; 0: none is */
    podi_msec_t  open;          /* how long it is open the first time; > 0 */
    podi_msec_t  open_max;
    podi_msec_t  probe;         /* how long this caller's may take; > 0 */
    podi_msec_t  probe_max;     /* ... and anybody's */
} podi_breaker_conf_t;

typedef struct {
    uint32_t  calls;
    uint32_t  bad;
} podi_breaker_slice_t;

typedef struct {
    uint32_t              state;        /* podi_breaker_state_e */
    uint32_t              opened;       /* times in a row */
    uint64_t              epoch;        /* grows with each change of state */
    podi_msec_t           until;        /* of OPEN and HALF_OPEN, else 0 */
    uint64_t              slice;        /* number of the newest slice */
    podi_breaker_slice_t  slices[PODI_BREAKER_SLICES];
} podi_breaker_t;


/* may a call be made now?  *ret_ticket is set unless SHUT */
podi_breaker_verdict_e podi_breaker_ask(podi_breaker_t *b,
    const podi_breaker_conf_t *conf, podi_msec_t now, uint32_t random,
    uint64_t *ret_ticket);

/* the call of that ticket is under way: a probe's may take conf->probe more */
void podi_breaker_beat(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    uint64_t ticket, podi_msec_t now);

/* how the call of that ticket ended, and how long it took */
void podi_breaker_report(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    uint64_t ticket, podi_breaker_outcome_e outcome, podi_msec_t took,
    podi_msec_t now, uint32_t random);

/* milliseconds until an ask may pass; 0: now */
podi_msec_t podi_breaker_wait(const podi_breaker_t *b,
    const podi_breaker_conf_t *conf, podi_msec_t now);

/* the state as one line of decimal numbers; gives its length */
size_t podi_breaker_write(const podi_breaker_t *b,
    char dst[PODI_BREAKER_TEXT_MAX]);

/* ERROR when the text is none of write's */
PODI_MUSTCHECK podi_rc_t podi_breaker_read(const podi_str_t *text,
    podi_breaker_t *ret_b);


#endif /* PODI_BREAKER_H */
