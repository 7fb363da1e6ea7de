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

/* AGAIN: f->result will be an integer reply, the number of new hints */
PODI_MUSTCHECK podi_rc_t podi_queue_push(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, const podi_queue_hint_t *hints, size_t n);

/* AGAIN: f->result will be an array of job ids, at most `want`, in turn */
PODI_MUSTCHECK podi_rc_t podi_queue_claim(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue, unsigned want);

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
