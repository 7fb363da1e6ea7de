/*
 * ngx_podi_bucket: limits in shared memory, for all workers of one nginx.
 *
 *     key parts -> hash (128 bits) -> set of 8 cells, with a lock of its own
 *
 *     take(ops): lock all sets, in the order of their addresses
 *                   -> all pass? -> charge all : charge none
 *                -> unlock
 *
 * Used by limit, and by whoever counts failures (auth, account): a zone is
 * made by podi_limit_zone and found by its name.
 *
 * Promises: several limits are decided as one; who is refused moves nothing.
 * Memory that is full makes a key be forgotten, never a request be refused,
 * and is counted and logged.  A worker that dies with a lock in its hand is
 * found out by the next one who wants it; what it held of a limit of
 * concurrency comes back as well.  One that stands still with a lock in its
 * hand makes nobody wait for long: what cannot be counted is decided by the
 * limit's on_failure, and counted and logged as such.  Everything survives a
 * reload as long as the zone's size and kind stay.
 */

#ifndef NGX_PODI_BUCKET_H
#define NGX_PODI_BUCKET_H


#include "ngx_podi.h"
#include "podi_cell.h"
#include "podi_secret.h"
#include "podi_siphash.h"


#define NGX_PODI_BUCKET_OPS    16       /* in one decision */
#define NGX_PODI_BUCKET_LINES  32       /* counters are spread over */

typedef enum {
    NGX_PODI_BUCKET_ALLOWED = 0,
    NGX_PODI_BUCKET_REFUSED,
    NGX_PODI_BUCKET_DRY,                /* would have been refused */
    NGX_PODI_BUCKET_DEGRADED,           /* decided by on_failure */
    NGX_PODI_BUCKET_SKIPPED,            /* there was nothing to count by */
    NGX_PODI_BUCKET_EVICTED,            /* keys forgotten while in use */
    NGX_PODI_BUCKET_CHARGED,            /* failures */
    NGX_PODI_BUCKET_FILLED,             /* cells that were free */
    NGX_PODI_BUCKET_COUNTS
} ngx_podi_bucket_count_e;

/* one place inside a limit of concurrency, remembered for its worker */

typedef struct {
    u_char                     key[PODI_CELL_KEY];
    uint32_t                   set;
    uint32_t                   next;    /* of the owner's free ones, + 1 */
    uint64_t                   used;
} ngx_podi_hold_t;

typedef struct {
    uint64_t                   owner;   /* a process; 0: nobody's */
    uint64_t                   spare[3];
    ngx_podi_hold_t            holds[63];
} ngx_podi_hold_chunk_t;

/* in shared memory */

typedef struct {
    podi_cell_set_t           *sets;
    uint64_t                   n;
    ngx_podi_hold_chunk_t     *chunks;
    uint64_t                   nchunks;
    uint64_t                   top;     /* no chunk beyond was ever used */
    ngx_atomic_t               said;    /* when the log was told: it is full */
    ngx_atomic_t               stuck;   /* ... that it cannot be counted */
    u_char                     secret[PODI_SIPHASH_LEN];
    ngx_atomic_t               counts[NGX_PODI_BUCKET_LINES]
                                     [NGX_PODI_BUCKET_COUNTS];
} ngx_podi_bucket_shm_t;

/* of one worker */

typedef struct {
    podi_window_t              window;
    ngx_msec_t                 reaped;
    uint32_t                   free;    /* a hold's number + 1 */
    uint32_t                   late;    /* the same: over, not counted off */
    podi_timer_t              *again;   /* for these */
} ngx_podi_bucket_local_t;

typedef struct ngx_podi_bucket_s  ngx_podi_bucket_t;

struct ngx_podi_bucket_s {
    ngx_str_t                  name;
    podi_rule_t                rule;
    ngx_shm_zone_t            *zone;    /* NULL: only its name is known */
    ngx_podi_bucket_shm_t     *shm;
    ngx_podi_bucket_local_t   *local;   /* written by init_process only */
    const podi_secret_t       *password;    /* of Redis, or NULL */
    u_char                     secret[PODI_SIPHASH_LEN];
    podi_siphash_t             seed;    /* secret and name, hashed */
    unsigned                   shared:1;    /* one secret on all machines */
    unsigned                   failures:1;  /* counts them */
};

typedef struct ngx_podi_bucket_op_s {
    ngx_podi_bucket_t         *bucket;
    const podi_rule_t         *rule;
    u_char                     key[PODI_CELL_KEY];
    int64_t                    cost;
    podi_cell_set_t           *set;     /* from here on: of take */
    podi_cell_t                seen;    /* afterwards */
    podi_cell_clock_t          now;
    ngx_podi_hold_t           *hold;
    unsigned                   dry:1;   /* its no does not count */
    unsigned                   open:1;  /* passes when it cannot be counted */
    unsigned                   lost:1;  /* afterwards: it could not */
    unsigned                   passed:1;
    unsigned                   taken:1;
} ngx_podi_bucket_op_t;

typedef enum {
    NGX_PODI_KEY_TEXT = 0,
    NGX_PODI_KEY_IP,
    NGX_PODI_KEY_USER,
    NGX_PODI_KEY_SESSION,
    NGX_PODI_KEY_TENANT,
    NGX_PODI_KEY_CHANNEL,
    NGX_PODI_KEY_PLAN
} ngx_podi_key_e;


/*
 * At configuration time: the bucket of that name, which may be defined later
 * on (what never is stops the start), and its definition, with the rule set.
 */
ngx_podi_bucket_t *ngx_podi_bucket_named(ngx_conf_t *cf, ngx_str_t *name);
char *ngx_podi_bucket_define(ngx_conf_t *cf, ngx_podi_bucket_t *b,
    size_t size);

/* podi_auth_failures */
char *ngx_podi_set_failures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* the key of an op: parts of any bytes, none of which can look like two */
void ngx_podi_key_begin(const ngx_podi_bucket_t *b, podi_siphash_t *h);
void ngx_podi_key_part(podi_siphash_t *h, ngx_podi_key_e kind,
    const void *data, size_t len);
/* the client's address; of an IPv6 one its network of 64 bits */
void ngx_podi_key_address(podi_siphash_t *h, ngx_http_request_t *r);

/*
 * OK: all passed and are charged.  DECLINED: one that is not dry did not, and
 * none is.  No bucket may be there twice.  One that is lost is not charged, and
 * passes if it is open; peek, charge and undo may find it lost as well.
 */
ngx_int_t ngx_podi_bucket_take(ngx_podi_bucket_op_t *ops, ngx_uint_t n);

/* the same of one, and nothing is charged; charged, whether it passes or not */
ngx_int_t ngx_podi_bucket_peek(ngx_podi_bucket_op_t *op);
void ngx_podi_bucket_charge(ngx_podi_bucket_op_t *op);

/* what is left, and when to come back; computed only when it is shown */
void ngx_podi_bucket_answer(const ngx_podi_bucket_op_t *op,
    podi_cell_answer_t *answer);

/* takes back what was taken; of concurrency: the request is over */
void ngx_podi_bucket_undo(ngx_podi_bucket_op_t *op);

/*
 * Failed logins and forged tokens, by the client's address, where
 * podi_auth_failures names a limit; else these do nothing.  peek: may he try
 * at all?  take, before what costs much: the same, and a failure is charged in
 * advance.  ERROR: no, and fail says until when.  charge: he has failed, which
 * was taken or not.  forgive: he has not, so what was taken is given back.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_failures_peek(ngx_http_request_t *r,
    podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t ngx_podi_failures_take(ngx_http_request_t *r,
    podi_fail_t *fail);
void ngx_podi_failures_charge(ngx_http_request_t *r);
void ngx_podi_failures_forgive(ngx_http_request_t *r);

void ngx_podi_bucket_count(const ngx_podi_bucket_t *b,
    ngx_podi_bucket_count_e what);
ngx_uint_t ngx_podi_bucket_counted(const ngx_podi_bucket_t *b,
    ngx_podi_bucket_count_e what);

/* ngx_podi_bucket_t *, of this cycle */
const ngx_array_t *ngx_podi_buckets(void);


/* ---- what its own files know of each other ----------------------------- */

/* every definition is there; NGX_CONF_ERROR otherwise */
char *ngx_podi_bucket_check(ngx_conf_t *cf, ngx_array_t *buckets,
    const podi_secret_t *password);
ngx_int_t ngx_podi_bucket_start(ngx_cycle_t *cycle);
void ngx_podi_bucket_stop(void);

/* BUSY: it is not to be had; the log knows */
ngx_int_t ngx_podi_bucket_lock(ngx_podi_bucket_t *b, podi_cell_set_t *set);
void ngx_podi_bucket_unlock(podi_cell_set_t *set);

/* NULL: no room; then the place is not given back when the worker dies */
ngx_podi_hold_t *ngx_podi_hold_take(ngx_podi_bucket_t *b);
void ngx_podi_hold_give(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold);
/* it is over, and could not be counted off: as soon as it can be */
void ngx_podi_hold_late(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold);
/* the timer that does so */
void ngx_podi_hold_again(void *data);
/* places of dead workers come back; 1: there were some */
ngx_uint_t ngx_podi_hold_reap(ngx_podi_bucket_t *b, ngx_uint_t born);
/* of this worker, which ends */
void ngx_podi_hold_leave(ngx_podi_bucket_t *b);
/* a dead one's lock was taken over: counts the places of the set again */
void ngx_podi_hold_recount(ngx_podi_bucket_t *b, podi_cell_set_t *set);


#endif /* NGX_PODI_BUCKET_H */
