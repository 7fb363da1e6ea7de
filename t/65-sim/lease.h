/*
 * lease: one job from queued to its end, as the SQL functions move it.
 *
 *              .--- cancel, drop, expire ------------------------.
 *              |                                                 v
 *     BLOCKED -+-open-> QUEUED --claim (fence + 1)--> RUNNING  SUCCEEDED
 *                          ^                            |      FAILED
 *                          |-- retry, defer, return ----+      CANCELLED
 *                          |-- lost, crash (fence + 1) -'        |  ^
 *                          '---------- replay (failed, cancelled)'  |
 *                                        RUNNING ----settle---------'
 *
 * A model for the simulator; the truth is migrations/sys/job_*.sql and
 * migrations/internal/job_{give_back,requeue,end,start}.sql.  Times are
 * milliseconds of PostgreSQL's clock.
 */

#ifndef LEASE_H
#define LEASE_H


#include <stdint.h>


typedef enum {
    LEASE_BLOCKED = 0,
    LEASE_QUEUED,
    LEASE_RUNNING,
    LEASE_SUCCEEDED,
    LEASE_FAILED,
    LEASE_CANCELLED
} lease_state_e;

typedef enum {
    LEASE_OK = 0,
    LEASE_ALREADY,              /* done before, in the same way */
    LEASE_MISMATCH,             /* done before under this fence, otherwise */
    LEASE_STALE,                /* not the holder's any more */
    LEASE_REFUSED               /* not now */
} lease_verdict_e;

typedef enum {
    LEASE_OPEN = 0,             /* what it needs has succeeded */
    LEASE_CLAIM,
    LEASE_BEAT,
    LEASE_SETTLE,               /* by its holder: end, error, digest */
    LEASE_RETRY,                /* it failed, again after span */
    LEASE_DEFER,                /* it could not be tried */
    LEASE_RETURN,               /* the holder stops */
    LEASE_LOST,                 /* the lease has run out */
    LEASE_CRASH,                /* the holder is known to be dead */
    LEASE_EXPIRE,               /* not started in time */
    LEASE_CANCEL,               /* its user wants it no more */
    LEASE_DROP,                 /* what it needs did not succeed */
    LEASE_REPLAY                /* its user wants it again; end: its state */
} lease_event_e;

typedef enum {
    LEASE_E_NONE = 0,
    LEASE_E_PROVIDER,
    LEASE_E_CRASHED,
    LEASE_E_EXPIRED,
    LEASE_E_CANCELLED,
    LEASE_E_DEPENDENCY
} lease_error_e;

typedef struct {
    lease_state_e  state;
    lease_error_e  error;
    int            fence;
    int            attempts;
    int            crashes;
    int            deferrals;
    int            max_attempts;
    int            max_crashes;
    int            settled_fence;       /* 0: it has not ended */
    int            round;
    int            cancel_requested;
    int            set_aside;
    uint64_t       digest;              /* of what was settled */
    int            given_fence;         /* the last that was given back */
    int64_t        not_before;
    int64_t        start_by;
    int64_t        max_wait;
    int64_t        lease_until;
} lease_t;

typedef struct {
    lease_event_e  kind;
    int64_t        now;
    int            fence;
    int64_t        span;                /* lease, or delay */
    lease_state_e  end;
    lease_error_e  error;
    uint64_t       digest;
} lease_event_t;


lease_verdict_e lease_step(lease_t *l, const lease_event_t *e);

int lease_is_final(const lease_t *l);

/* prints TAP: a table of events and verdicts */
int lease_table(void);


#endif /* LEASE_H */
