/*
 * podi_queue: hints in Redis about which jobs may be claimed.
 *
 *     PostgreSQL row 'queued' -> push -> per-tenant lists -> claim -> ids
 *
 * A hint is never truth: one that is missing is pushed again by the
 * dispatcher, one that is stale is refused by the claim in PostgreSQL.  This
 * file is the only one that knows the names of the keys; all keys of a queue
 * share one hash tag, podi:{q:<queue>}:, and the scripts beside it know the
 * rest.
 */

#ifndef PODI_QUEUE_H
#define PODI_QUEUE_H


#include "podi_redis.h"


#define PODI_QUEUE_NAME_MAX  32     /* [a-z0-9_] */

typedef struct {
    podi_str_t  job_id;
    podi_str_t  tenant_id;
    podi_str_t  queue;
    unsigned    weight;             /* of the tenant; 0: as it was, or 1 */
} podi_queue_hint_t;


/*
 * `hints` is the text of a `_hints` column: [{"job_id","tenant_id","queue",
 * "weight"?}].  One script call a queue; nobody waits for the answer.  OK
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
 * The same, waiting: one answer for all queues.  AGAIN: f->result will be
 * `hints` itself; the flow fails with the last failure when a call failed,
 * and then some hints may have been pushed.  n is at least 1.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_push(podi_redis_t *redis, podi_flow_t *f,
    podi_queue_hint_t *hints, size_t n);

/*
 * AGAIN: f->result will be what podi_queue_claimed reads: job ids, in turn,
 * at most `want`.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_claim(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, unsigned want);
size_t podi_queue_claimed(const podi_redis_reply_t *reply);
podi_str_t podi_queue_claimed_id(const podi_redis_reply_t *reply, size_t i);

/* the hints of jobs that are not queued any more; AGAIN: an integer reply */
PODI_MUSTCHECK podi_rc_t podi_queue_drop(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, const podi_str_t *job_ids, size_t n);

/* AGAIN: NIL after `wait`, an array when the queue got its first hint */
PODI_MUSTCHECK podi_rc_t podi_queue_wake_wait(podi_redis_t *blocking,
    podi_flow_t *f, const podi_str_t *queue, podi_msec_t wait);

/*
 * The generation of a queue's hints.  AGAIN: f->result will be a string, or
 * NIL when all hints are gone and every queued row must be pushed again.
 */
PODI_MUSTCHECK podi_rc_t podi_queue_generation(podi_redis_t *redis,
    podi_flow_t *f, const podi_str_t *queue);


#endif /* PODI_QUEUE_H */
