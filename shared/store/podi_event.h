/*
 * podi_event: the names of the channels, and what is published on them.
 *
 *     podi:user:<user id>      events of a user, and progress of their jobs
 *     podi:worker:<worker id>  pokes: {"cancel":["<job id>",...]}
 *     podi:called              a third party has called: "<job> <key> <call>"
 *
 * What is published is a hint: PostgreSQL holds the event, its number and
 * its order, and whoever misses a message reads the gap there.  So nobody
 * waits for an answer, and a Redis that is down is no failure.
 */

#ifndef PODI_EVENT_H
#define PODI_EVENT_H


#include "podi_redis.h"


#define PODI_EVENT_CALLED  "podi:called"


/* where a job is on its way through a graph; what is not known is left out */

typedef struct {
    podi_str_t  node;           /* "": none */
    podi_str_t  class_type;
    podi_str_t  title;          /* or "" */
    unsigned    step;
    unsigned    steps;          /* 0: none */
    int         ahead;          /* run before it; 0: it runs; -1: not known */
} podi_event_where_t;

typedef struct {
    podi_str_t           user_id;
    podi_str_t           task_id;
    podi_str_t           job_id;
    unsigned             percent;
    podi_event_where_t   where;
    unsigned             preview;       /* the last one's number; 0: none */
} podi_event_progress_t;


/* OK, or ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_event_channel(podi_mem_t *mem,
    const podi_str_t *user_id, podi_str_t *ret_channel);
PODI_MUSTCHECK podi_rc_t podi_event_worker_channel(podi_mem_t *mem,
    const podi_str_t *worker_id, podi_str_t *ret_channel);

/*
 * `events` is the text of an `_events` column: each element goes, compact,
 * to the channel of its user_id.  OK when all were handed over, DECLINED
 * when Redis is down or the text is empty, ERROR when it is not such a text.
 * The caller decides nothing by it; it may go into a metric.
 */
podi_rc_t podi_event_publish(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *events);

/* a tick: no number, never stored, the last one wins */
podi_rc_t podi_event_progress(podi_redis_t *redis, podi_mem_t *mem,
    const podi_event_progress_t *tick);

/*
 * `pokes` is the text of a `_pokes` column: [{"job_id","worker"}].  Tells
 * each worker once which of its jobs somebody wants cancelled; the beat
 * would tell it too, later.
 */
podi_rc_t podi_event_poke(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *pokes);

/*
 * Somebody who carries out `job` says that it has changed: whoever follows it
 * under `key` looks sooner.  `call` is the same when the same is said again.
 */
podi_rc_t podi_event_called(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *job, const podi_str_t *key, const podi_str_t *call);


#endif /* PODI_EVENT_H */
