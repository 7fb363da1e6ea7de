/*
 * podi_queue: hints in Redis about which jobs may be claimed, and the gates
 * that they pass.
 *
 *     PostgreSQL row 'queued' -> push -> lines -> claim -> ids, tokens
 *                                                   |        |
 *                  slots of each gate <-------------'        v
 *                         ^------------------ beat, release -'
 *
 * A hint is never truth: one that is missing is pushed again by the
 * dispatcher, one that is stale is refused by the claim in PostgreSQL.  Nor
 * are slots: they run out by themselves, and the dispatcher holds them
 * against the rows.  The scripts in shared/store/lua know the keys; all of
 * them begin with podi:{q}: because gates cross queues.  The rules stand in
 * shared/domain/podi_gate.h.
 */

#ifndef PODI_QUEUE_H
#define PODI_QUEUE_H


#include "podi_redis.h"


#define PODI_QUEUE_PREFIX    "podi:{q}:"
#define PODI_QUEUE_NAME_MAX  32     /* [a-z0-9_:-] */

/*
 * G5, in milliseconds.  From the claim here to the claim of the row it takes
 * CLAIM_MAX, or the job is handed back; so a slot that nothing explains for
 * longer is nobody's, and one lives LATER longer than the job's lease.
 */
#define PODI_CLAIM_MAX       2000
#define PODI_SLOT_LATER      (PODI_CLAIM_MAX + 3000)

typedef struct {
    podi_str_t  job_id;
    podi_str_t  tenant_id;
    podi_str_t  queue;
    podi_str_t  plan;               /* whose bounds count; may be "" */
    podi_str_t  scopes;             /* "a,b" or "{a,b}"; "": no gates */
    unsigned    weight;             /* of the tenant; 0: as it was, or 1 */
    unsigned    priority;           /* podi_class_e */
    unsigned    cost;               /* in rates, > 0 */
} podi_queue_hint_t;

/*
 * A claim's hold on the gates of its job.  The token is "" when the job came
 * by its row, the fence 0 when no row was claimed.
 */
typedef struct {
    podi_str_t  job_id;
    podi_str_t  token;
    int64_t     fence;
} podi_queue_slot_t;

/* one gate, by the names of sys.gates */
typedef struct {
    podi_str_t  scope;
    int64_t     slots;              /* < 0: no bound; 0: shut */
    int64_t     reserve;
    int64_t     rate;               /* 0: none */
    podi_msec_t period;
    int64_t     burst;
} podi_queue_gate_t;

/* a job that runs, by sys.job_running */
typedef struct {
    podi_str_t  job_id;
    int64_t     fence;
    podi_str_t  scopes;
    int64_t     lease;              /* milliseconds that are left of it */
} podi_queue_running_t;


/*
 * `hints` is the text of a `_hints` column: [{"job_id","tenant_id","queue",
 * "priority", "weight", "cost", "plan", "scopes"}], those from "priority" on
 * may be left out.  Nobody waits for the answer.  OK
 * when all were handed over, DECLINED when Redis is down or there are none,
 * ERROR when the text is not of that form.  The dispatcher pushes what this
 * did not, so the caller need not look.
 */
podi_rc_t podi_queue_push_hints(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *hints);

/*
 * `dropped` is the text of a `_dropped` column: {"<queue>":["<job id>",...]}.
 * Saves a worker a claim that PostgreSQL would refuse; otherwise as above.
 */
podi_rc_t podi_queue_drop_hints(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *dropped);

/*
 * The same, waiting: one answer for all calls.  AGAIN: f->result will be
 * `hints` itself; the flow fails with the last failure when a call failed,
 * and then some hints may have been pushed.  n is at least 1.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_push(podi_redis_t *redis, podi_flow_t *f,
    podi_queue_hint_t *hints, size_t n);

/*
 * First gives back `over`, as podi_queue_release does.  AGAIN: f->result will
 * be what podi_queue_claimed reads: jobs in turn, at most `want`, each with
 * slots of all its gates for `lease`.  Not ready: the slots were lost and are
 * not built yet, so rows must be claimed instead.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_claim(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, unsigned want, podi_msec_t lease,
    const char *worker, const podi_queue_slot_t *over, size_t n);
int podi_queue_is_ready(const podi_redis_reply_t *reply);
size_t podi_queue_claimed(const podi_redis_reply_t *reply);
podi_queue_slot_t podi_queue_claimed_slot(const podi_redis_reply_t *reply,
    size_t i);

/* the hints of jobs that are not queued any more; AGAIN: an integer reply */
PODI_MUSTCHECK podi_rc_t podi_queue_drop(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, const podi_str_t *job_ids, size_t n);

/* AGAIN: NIL after `wait`, an array when the queue got its first hint */
PODI_MUSTCHECK podi_rc_t podi_queue_wake_wait(podi_redis_t *blocking,
    podi_flow_t *f, const podi_str_t *queue, podi_msec_t wait);

/*
 * The generation of the hints.  AGAIN: f->result will be a string, or NIL
 * when all hints are gone and every queued row must be pushed again.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_generation(podi_redis_t *redis,
    podi_flow_t *f);


/* ---- gates: podi_queue_gate.c -------------------------------------------- */

/*
 * Slots of claims that are over.  Each freed one wakes one who waits for it.
 * The flow may be NULL: nobody waits for the answer.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_release(podi_redis_t *redis,
    podi_flow_t *f, podi_mem_t *mem, const podi_queue_slot_t *slots, size_t n);

/* slots for jobs that were claimed by their rows; the flow may be NULL */
PODI_MUSTCHECK podi_rc_t podi_queue_take(podi_redis_t *redis, podi_flow_t *f,
    podi_mem_t *mem, podi_msec_t lease, const podi_queue_running_t *jobs,
    size_t n);

/*
 * Slots of claims that go on, for `lease` from now; the flow may be NULL.
 * `all_of` is a worker who has no others, so that those of a claim that he
 * never heard of are given back; or "".
 */
PODI_MUSTCHECK podi_rc_t podi_queue_beat(podi_redis_t *redis, podi_flow_t *f,
    podi_mem_t *mem, podi_msec_t lease, const char *all_of,
    const podi_queue_slot_t *slots, size_t n);

/* shuts a scope for `wait`; 0 opens it; the flow may be NULL */
PODI_MUSTCHECK podi_rc_t podi_queue_shut(podi_redis_t *redis, podi_flow_t *f,
    podi_mem_t *mem, const podi_str_t *scope, podi_msec_t wait);

/*
 * Changes the state of a scope's breaker from `was` ("": there is none) to
 * `next`, if it is `was`, and shuts the scope for `wait` milliseconds; 0 opens
 * it, -1 leaves it as it is.  AGAIN: [1 when it was, else 0; Redis's time in
 * milliseconds; the state now].
 */
PODI_MUSTCHECK podi_rc_t podi_queue_breaker(podi_redis_t *redis,
    podi_flow_t *f, const podi_str_t *scope, const podi_str_t *was,
    const podi_str_t *next, int64_t wait, podi_msec_t keep);

/* all gates there are; AGAIN: an integer, 1 when something has changed */
PODI_MUSTCHECK podi_rc_t podi_queue_gates(podi_redis_t *redis, podi_flow_t *f,
    const podi_queue_gate_t *gates, size_t n);

/* AGAIN: [slots whose time ran out, lines that had slept wrongly] */
PODI_MUSTCHECK podi_rc_t podi_queue_sweep(podi_redis_t *redis,
    podi_flow_t *f);

/*
 * What runs, all of it, against the slots; differences that last longer than
 * `patience` are repaired.  AGAIN: [1 when all was rebuilt, freed, taken, 1
 * when it was rebuilt not long ago, the holder of each that was freed].
 */
PODI_MUSTCHECK podi_rc_t podi_queue_check(podi_redis_t *redis, podi_flow_t *f,
    podi_msec_t patience, const podi_queue_running_t *running, size_t n);

/* "{a,b}" of PostgreSQL as "a,b" */
podi_str_t podi_queue_scopes(const podi_str_t *text);

/* "{holder,...}" of them */
PODI_MUSTCHECK podi_rc_t podi_queue_freed(podi_mem_t *mem,
    const podi_redis_reply_t *reply, podi_str_t *ret_ids);

/* the i-th number of such an answer */
int64_t podi_queue_count(const podi_redis_reply_t *reply, size_t i);


#endif /* PODI_QUEUE_H */
