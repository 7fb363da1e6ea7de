/*
 * podi_limit_int: what the files of the engine for limits share.
 *
 *     podi_limit.c        the engine; what can be decided here
 *     podi_limit_key.c    keys that are remembered: leases, refusals
 *     podi_limit_call.c   script calls
 *     podi_limit_told.c   ... and what they answer
 *     podi_limit_back.c   what is given back; places that are held
 */

#ifndef PODI_LIMIT_INT_H
#define PODI_LIMIT_INT_H


#include "podi_list.h"
#include "podi_limit.h"


#define PODI_LIMIT_WAYS    8            /* keys that share a place in memory */
#define PODI_LIMIT_SLICE   500          /* ms in which asks are counted */
#define PODI_LIMIT_HOT     20           /* asks in a slice: it is leased */
#define PODI_LIMIT_SHARE   25           /* asks for each call, when drained */
#define PODI_LIMIT_LASTS   1000         /* ms: a lease that is not spent */
#define PODI_LIMIT_NO_MAX  5000         /* ms: a no that is not asked again */
#define PODI_LIMIT_CHUNKS  16           /* of a lease */
#define PODI_LIMIT_ID_LEN  16

/* how one ask is going to be decided */

typedef enum {
    PODI_LIMIT_BY_NO,                   /* it is known that it does not pass */
    PODI_LIMIT_BY_LEASE,
    PODI_LIMIT_BY_REDIS
} podi_limit_by_e;

/*
 * A key that is worth remembering: it was refused, or it is leased.  Units
 * are there to be spent until `until`; then they go back.  `drained`: the last
 * answer was less than was asked for, so the next call waits until `next`,
 * while the bucket fills.
 */
typedef struct {
    unsigned char       key[PODI_LIMIT_KEY_LEN];
    podi_limit_kind_e   kind;
    int64_t             rate;           /* all below is true for these */
    int64_t             period;
    int64_t             burst;
    podi_msec_t         used;           /* 0: nobody's */

    int64_t             no_cost;        /* a no for so much, or more, ... */
    podi_msec_t         no_until;       /* ... until then without asking */
    podi_msec_t         no_end;         /* ... when it passes, as Redis said */

    podi_msec_t         slice;          /* how often it is asked for */
    unsigned            seen;
    unsigned            seen_before;
    int64_t             units_seen;
    int64_t             units_before;

    podi_link_t         link;           /* in leases, the oldest first */
    int64_t             units;
    podi_msec_t         until;
    podi_msec_t         next;
    int64_t             left;           /* in Redis, at the last answer */
    podi_msec_t         full;           /* when nothing is used up */
    unsigned            asked:1;        /* a lease is on its way */
    unsigned            drained:1;
} podi_limit_key_t;

/* a place of a concurrency limit */

struct podi_limit_hold_s {
    podi_link_t         link;
    unsigned char       key[PODI_LIMIT_KEY_LEN];
    unsigned char       id[PODI_LIMIT_ID_LEN];
};

/* something to give back: limit_back.lua has it */

typedef struct {
    podi_limit_kind_e   kind;
    unsigned char       key[PODI_LIMIT_KEY_LEN];
    unsigned char       id[PODI_LIMIT_ID_LEN];
    int64_t             amount;         /* GCRA: microseconds; QUOTA: units */
    podi_usec_t         window;
} podi_limit_back_t;

/* one ask of a call */

typedef struct {
    podi_limit_ask_t     ask;
    podi_limit_by_e      by;
    int64_t              chunk;     /* units; chunks > 0: for a lease */
    int64_t              chunks;
    podi_limit_hold_t   *hold;
} podi_limit_part_t;

typedef struct {
    podi_link_t           link;     /* in calls, or in spare */
    podi_flow_t           flow;
    podi_op_t             op;       /* of who waits */
    podi_limit_t         *limit;
    podi_arena_t         *arena;
    podi_limit_answer_t  *answers;  /* NULL: nobody waits */
    podi_rc_t             rc;
    unsigned              starting:1;
    unsigned              ended:1;
    size_t                n;
    podi_limit_part_t           parts[PODI_LIMIT_ASKS];
} podi_limit_call_t;

struct podi_limit_s {
    podi_limit_conf_t    conf;
    podi_limit_stat_t    stat;
    podi_limit_key_t    *keys;
    podi_link_t          leases;
    podi_timer_t        *lasts;         /* of the oldest lease */
    podi_link_t          calls;         /* on their way */
    podi_link_t          spare;         /* memory of others */
    unsigned             n_spare;
    podi_link_t          holds;
    podi_timer_t        *beat;
    podi_post_t          soon;          /* give back what is in back */
    podi_limit_back_t   *back;
    size_t               n_back;
    size_t               room_back;
    unsigned char        id[PODI_LIMIT_ID_LEN];     /* of the newest place */
};


/* ceil(units * period / rate), never more than `most` */
int64_t podi_limit_step(const podi_limit_ask_t *ask, int64_t units,
    int64_t most);
int64_t podi_limit_span(const podi_limit_ask_t *ask);

/* what passes at most at once */
int64_t podi_limit_cap(const podi_limit_ask_t *ask);

/* a whole number as text, at most 20 bytes; gives its length */
size_t podi_limit_decimal(unsigned char *dst, int64_t n);

/* keys; find: NULL when it is not remembered; make: never NULL */
podi_limit_key_t *podi_limit_key_find(podi_limit_t *limit,
    const podi_limit_ask_t *ask, podi_msec_t now);
podi_limit_key_t *podi_limit_key_make(podi_limit_t *limit,
    const podi_limit_ask_t *ask, podi_msec_t now);
void podi_limit_key_seen(podi_limit_key_t *k, int64_t cost, podi_msec_t now);
/* how many units a lease should have; 0: it is not worth one */
int64_t podi_limit_key_want(const podi_limit_key_t *k,
    const podi_limit_ask_t *ask);
void podi_limit_key_no(podi_limit_key_t *k, int64_t cost, int64_t retry_after,
    podi_msec_t now);
/* units have come */
void podi_limit_key_add(podi_limit_t *limit, podi_limit_key_t *k,
    int64_t units, podi_msec_t now);
void podi_limit_key_spend(podi_limit_t *limit, podi_limit_key_t *k,
    int64_t units);
/* all units of a key go back */
void podi_limit_key_return(podi_limit_t *limit, podi_limit_key_t *k);
void podi_limit_lasts_timed(void *data);

/* calls; a refill has no flow and nobody waits for it */
podi_rc_t podi_limit_call(podi_limit_t *limit, podi_flow_t *f,
    const podi_limit_ask_t *asks, size_t n, podi_limit_answer_t *answers);
void podi_limit_refill(podi_limit_t *limit, podi_limit_key_t *k,
    const podi_limit_ask_t *ask);
void podi_limit_calls_free(podi_limit_t *limit);

/* an answer has come: DONE, or ERROR when it is none */
podi_rc_t podi_limit_told(podi_limit_call_t *call,
    const podi_redis_reply_t *reply, podi_fail_t *fail);

/* what one ask will be decided by */
podi_limit_by_e podi_limit_judge(podi_limit_t *limit,
    const podi_limit_ask_t *ask, podi_msec_t now, podi_limit_key_t **ret_k);
void podi_limit_answer_no(const podi_limit_ask_t *ask,
    const podi_limit_key_t *k, podi_msec_t now, podi_limit_answer_t *answer);
void podi_limit_answer_lease(const podi_limit_key_t *k, podi_msec_t now,
    podi_limit_answer_t *answer);

/* giving back */
void podi_limit_back(podi_limit_t *limit, const podi_limit_back_t *back);
void podi_limit_back_units(podi_limit_t *limit, const podi_limit_ask_t *ask,
    int64_t units);
void podi_limit_back_flush(void *data);
podi_limit_hold_t *podi_limit_hold_create(podi_limit_t *limit,
    const podi_limit_ask_t *ask);
/* Redis has it: it is kept from now on */
void podi_limit_hold_keep(podi_limit_t *limit, podi_limit_hold_t *hold);
void podi_limit_beat_timed(void *data);


#endif /* PODI_LIMIT_INT_H */
