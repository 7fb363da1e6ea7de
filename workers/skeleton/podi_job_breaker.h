/*
 * podi_job_breaker: one question or word about one breaker, on its way.
 *
 *     podi_job_ask.c      who asks and tells, and what he does then
 *     podi_job_breaker.c  the steps: read -> podi_breaker -> written
 */

#ifndef PODI_JOB_BREAKER_H
#define PODI_JOB_BREAKER_H


#include "podi_queue.h"
#include "podi_worker_int.h"


struct podi_known_breaker_s {
    podi_link_t     link;
    char            scope[PODI_SCOPE_MAX];
    char            text[PODI_BREAKER_TEXT_MAX];
    podi_breaker_t  state;
};

typedef podi_known_breaker_t  breaker_t;

/* one question, report or beat about one breaker */

typedef struct {
    podi_link_t              link;          /* of jobs->reports */
    podi_jobs_t             *jobs;
    podi_arena_t            *arena;         /* of a report */
    podi_flow_t              flow;          /* of a report */
    podi_held_t             *held;          /* who asks; NULL: a report */
    unsigned                 beats:1;       /* no report: it is under way */
    breaker_t               *breaker;
    breaker_t                next;
    unsigned                 tries;
    uint64_t                 ticket;
    podi_breaker_outcome_e   outcome;
    podi_msec_t              took;
    podi_breaker_verdict_e   verdict;
} breaking_t;


/* CONFLICT: somebody was faster; to be started again */
extern const podi_step_t  podi_breaker_steps[];

podi_breaker_conf_t podi_breaker_conf(const breaking_t *x);
podi_msec_t podi_breaker_now(const podi_jobs_t *jobs);


#endif /* PODI_JOB_BREAKER_H */
