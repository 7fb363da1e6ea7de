/*
 * podi_limit: limits that several machines share, in Redis.
 *
 *     asks --> try --> decided here: a lease has units, or it is known until
 *               |                    when the answer is no
 *               '----> take --> one script call for all asks --> answers
 *
 *     GCRA     `burst` units at once, refilled by `rate` in a period
 *              (podi_gcra)
 *     QUOTA    `rate` units in each window of the calendar (podi_quota)
 *     CONN     `rate` requests at the same time; each holds one until it is
 *              released, and loses it when its process is gone for `lease`
 *
 * Promises: all asks of a call pass and are charged, or none is (a dry one
 * never stands in the way).  EXACT: one round trip, Redis' clock, integer
 * microseconds.  LEASED: a key that is asked for often is charged for many
 * units at once; they are spent here without a round trip, and what is not
 * spent within a second is given back, so that from the start of a key no
 * more than rate * t / period + burst units pass, and once more the burst for
 * each time that Redis loses its state; in any window within a second more
 * rate.  Seldom asked keys are EXACT by themselves.  No answer comes inside
 * the call that asked.  Whether Redis is asked at all when it does not answer,
 * and what is decided then, is the caller's business: `on_failure` is carried
 * for him, and so are LOCAL asks, which must not be passed to this engine.
 *
 * Keys in Redis: podi:{l}:<g|q|c><16 bytes>.  They vanish when they are idle.
 */

#ifndef PODI_LIMIT_H
#define PODI_LIMIT_H


#include "podi_redis.h"


#define PODI_LIMIT_KEY_LEN  16
#define PODI_LIMIT_ASKS     16              /* in one call, at most */
#define PODI_LIMIT_NEVER    INT64_MAX       /* a cost above the limit */
#define PODI_LIMIT_UNKNOWN  (-1)            /* no left, no reset_after */
#define PODI_LIMIT_MONTH    (-1)            /* a period: the calendar's */

typedef enum {
    PODI_LIMIT_GCRA,
    PODI_LIMIT_QUOTA,
    PODI_LIMIT_CONN
} podi_limit_kind_e;

/* who decides; of an answer: who has decided */

typedef enum {
    PODI_LIMIT_LOCAL,               /* this machine's shared memory */
    PODI_LIMIT_EXACT,               /* Redis */
    PODI_LIMIT_LEASED,              /* units that were taken from Redis */
    PODI_LIMIT_CACHED,              /* answers only: a no that still holds */
    PODI_LIMIT_DEGRADED             /* answers only: on_failure */
} podi_limit_mode_e;

typedef enum {
    PODI_LIMIT_OPEN,                /* passes */
    PODI_LIMIT_CLOSED,              /* does not */
    PODI_LIMIT_TO_LOCAL             /* this machine decides, at its rate */
} podi_limit_failure_e;

typedef struct podi_limit_s       podi_limit_t;
typedef struct podi_limit_hold_s  podi_limit_hold_t;

/*
 * The key is the hash of the limit's name and of what it counts by: nothing
 * else tells two buckets apart.  rate, period and burst may change from one
 * ask to the next.
 */
typedef struct {
    podi_str_t            name;         /* borrowed; for who reads answers */
    unsigned char         key[PODI_LIMIT_KEY_LEN];
    podi_limit_kind_e     kind;
    podi_limit_mode_e     mode;         /* LOCAL, EXACT or LEASED */
    podi_limit_failure_e  on_failure;
    int64_t               rate;         /* units, > 0 */
    int64_t               period;       /* microseconds; QUOTA: whole seconds,
                                           or PODI_LIMIT_MONTH; CONN: 0 */
    int64_t               burst;        /* GCRA only, > 0 */
    int64_t               offset;       /* QUOTA: microseconds that its day
                                           begins before UTC's */
    int64_t               cost;         /* >= 0; CONN: 1 */
    unsigned              dry:1;        /* only wants to know */
} podi_limit_ask_t;

/*
 * left: whole units that would pass now, after this one when it was charged.
 * retry_after: when it is 0 the limit has no objection; a dry one that has
 * sets `would` and leaves the others alone.  For CONN nobody knows when a
 * place becomes free: a second.
 */
typedef struct {
    int64_t               left;
    int64_t               reset_after;  /* us until nothing is used up */
    int64_t               retry_after;  /* us, or PODI_LIMIT_NEVER */
    podi_limit_mode_e     mode;
    podi_usec_t           window;       /* QUOTA: its end, by Redis */
    podi_limit_hold_t    *hold;         /* CONN, charged: to be released */
    unsigned              passed:1;     /* retry_after == 0 */
    unsigned              would:1;      /* dry and not passed */
} podi_limit_answer_t;

typedef struct {
    podi_redis_t         *redis;        /* outlives the engine */
    podi_io_t            *io;
    podi_msec_t           lease;        /* of CONN; beaten in a third of it */
    unsigned              keys;         /* remembered here; a power of two */
} podi_limit_conf_t;

/* since the start of the engine */

typedef struct {
    uint64_t              calls;        /* script calls that were sent */
    uint64_t              exact;        /* asks in them */
    uint64_t              leased;       /* asks paid with a lease */
    uint64_t              cached;       /* calls refused from memory */
    uint64_t              taken;        /* units taken for leases */
    uint64_t              returned;     /* ... and given back */
    uint64_t              lost;         /* of them and of beats: not sent */
    uint64_t              evicted;      /* keys forgotten for others */
    unsigned              leases;       /* keys with units now */
    unsigned              holds;        /* places held now */
} podi_limit_stat_t;


/* NULL: no memory; conf is copied */
podi_limit_t *podi_limit_create(const podi_limit_conf_t *conf);

/*
 * Gives leases back and holds up, if Redis is there to hear it; calls in
 * flight are cancelled (their flows must be gone).
 */
void podi_limit_free(podi_limit_t **limit);

/*
 * NULL when it can be counted exactly, else what is wrong with it, for the
 * one who configures it.  The engine asserts it of every ask.
 */
const char *podi_limit_check(const podi_limit_ask_t *ask);

/*
 * Without Redis.  OK: decided, answers are filled, and charged if all passed.
 * AGAIN: it takes podi_limit_take.
 */
PODI_MUSTCHECK podi_rc_t podi_limit_try(podi_limit_t *limit,
    const podi_limit_ask_t *asks, size_t n, podi_limit_answer_t *answers);

/*
 * AGAIN: when the flow goes on, answers are filled.  ERROR: f->fail is set;
 * the same goes for a flow that fails later (UNAVAILABLE, DEADLINE, ...).
 * asks are copied, answers outlive the flow.  A flow that is cancelled lets go
 * of the places that it would have got; what it was charged stays charged.
 */
PODI_MUSTCHECK podi_rc_t podi_limit_take(podi_limit_t *limit, podi_flow_t *f,
    const podi_limit_ask_t *asks, size_t n, podi_limit_answer_t *answers);

/* did the asks that are not dry pass? */
int podi_limit_passed(const podi_limit_answer_t *answers, size_t n);

/*
 * It passed and was not used: units come back, places are released.  Nobody
 * waits.
 */
void podi_limit_refund(podi_limit_t *limit, const podi_limit_ask_t *asks,
    size_t n, podi_limit_answer_t *answers);

/* the request is over; *hold becomes NULL */
void podi_limit_release(podi_limit_t *limit, podi_limit_hold_t **hold);

void podi_limit_stat(const podi_limit_t *limit, podi_limit_stat_t *ret);


#endif /* PODI_LIMIT_H */
