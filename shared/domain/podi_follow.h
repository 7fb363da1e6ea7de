/*
 * podi_follow: what to do next about a prompt that was sent.  Pure.
 *
 *      .------------- its time is up, or the socket tells of an end <----.
 *      v                                                                 |
 *   HISTORY --absent--> QUEUE --absent--> AGAIN --absent--> missed once: |
 *      |                  |                 |               REST --------'
 *      |                  |                 |   once more: OVER, lost
 *      |             waits, runs            |
 *      |                  +--> REST         |
 *      |                  '--> STOP: too long without a sign, or cancelled
 *      '------------- at its end -----------'--> OVER, finished
 *
 *     HISTORY  the history was asked
 *     QUEUE    the queue was asked, since the history did not know it
 *     AGAIN    the history once more: it may have ended in between
 *     REST     nothing is asked for a while
 *     STOP     the server is asked to stop it
 *     OVER     nothing is left to do
 *
 * Only the history says how a prompt ended.  Lost is what was twice in
 * neither of them, with a gap in between: a server takes a prompt out of
 * its queue a moment before it is in the history.  Three times, when it is not
 * known whether it got there: it may arrive a moment after it was sent.
 *
 * Gone is a server that gave no answer for a while, and none to three looks in
 * a row: who did not look meanwhile, since he was stopped himself, has not
 * missed anybody.
 *
 * One that waits while nothing before it moves, twice as long as one that runs
 * may be idle, leaves: it is taken out of the queue, and is lost then.  When it
 * runs after all, it stays.
 *
 * The caller does what he is told, and says what came of it.  What he says
 * that was not asked for changes nothing, so answers may be late.
 */

#ifndef PODI_FOLLOW_H
#define PODI_FOLLOW_H


#include "podi_time.h"


typedef enum {
    PODI_FOLLOW_HISTORY = 0,
    PODI_FOLLOW_QUEUE,
    PODI_FOLLOW_AGAIN,
    PODI_FOLLOW_REST,
    PODI_FOLLOW_STOP,
    PODI_FOLLOW_OVER
} podi_follow_state_e;

typedef enum {
    PODI_SEE_ABSENT = 0,        /* history or queue: it is not in there */
    PODI_SEE_END,               /* history: it is */
    PODI_SEE_WAITS,             /* queue */
    PODI_SEE_RUNS,
    PODI_SEE_STANDS,            /* queue: it waits, and nothing runs there */
    PODI_SEE_NOTHING,           /* no answer, or none that makes sense */
    PODI_SEE_STOPPED,           /* it was asked to stop, with success or not */
    PODI_SEE_TIME,              /* the time to wait is over */
    PODI_SEE_SIGN,              /* the socket: it is at work */
    PODI_SEE_HINT,              /* the socket: it is at its end; or, the server
                                   began anew */
    PODI_SEE_CANCEL             /* it is not wanted any more */
} podi_see_e;

typedef enum {
    PODI_ACT_NOTHING = 0,       /* what was asked for is still to come */
    PODI_ACT_HISTORY,           /* ask */
    PODI_ACT_QUEUE,
    PODI_ACT_WAIT,              /* so long, then say TIME */
    PODI_ACT_INTERRUPT,
    PODI_ACT_DELETE,            /* from the queue */
    PODI_ACT_FINISH,            /* the history has how it ended */
    PODI_ACT_LOST,              /* it is not there, or never was */
    PODI_ACT_GONE,              /* the server is not there */
    PODI_ACT_STUCK              /* the server does not stop it */
} podi_act_e;

typedef struct {
    podi_msec_t  poll;          /* the first wait; > 0 */
    podi_msec_t  poll_max;
    podi_msec_t  gap;           /* between missing it twice */
    podi_msec_t  idle;          /* it runs so long without a sign, or nothing
                                   runs while it waits: stuck */
    podi_msec_t  grace;         /* to stop */
    podi_msec_t  away;          /* without an answer, and three looks that
                                   got none: gone */
} podi_follow_conf_t;

typedef struct {
    podi_follow_state_e  state;
    podi_msec_t          delay;     /* of the last wait */
    podi_msec_t          missed_at; /* the last time that counts */
    podi_msec_t          heard_at;  /* the last answer */
    podi_msec_t          sign_at;   /* the last sign, or when it began */
    podi_msec_t          stop_at;   /* when it was first asked to stop */
    podi_msec_t          stands_at; /* since then nothing runs; with stands */
    podi_msec_t          moved_at;  /* since then so many are ahead */
    unsigned             ahead;     /* by the caller, before WAITS: so many
                                       are before it */
    unsigned             waited;    /* and were, at the last look; with waits */
    unsigned             missed;
    unsigned             silent;    /* looks without an answer, in a row */
    unsigned             known:1;   /* it got there */
    unsigned             runs:1;
    unsigned             stands:1;
    unsigned             waits:1;
    unsigned             leaves:1;  /* cancel, until it runs; by the caller,
                                       too, with cancel */
    unsigned             stop:1;
    unsigned             cancel:1;
    unsigned             deaf:1;    /* by the caller: no sign can come, and
                                       idle is four times as long */
} podi_follow_t;


/* known: the server said that it took it.  First the history is to be asked */
void podi_follow_begin(podi_follow_t *f, int known, podi_msec_t now);

/* *ret_wait is set with WAIT */
podi_act_e podi_follow_see(podi_follow_t *f, const podi_follow_conf_t *conf,
    podi_see_e see, podi_msec_t now, podi_msec_t *ret_wait);


#endif /* PODI_FOLLOW_H */
