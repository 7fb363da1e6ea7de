/*
 * podi_job_hints: asking Redis which jobs may be claimed.
 *
 *     slots that are over -> QUEUE_CLAIM -> hints with slots
 *                                        -> of a job that we hold: given back
 *
 * Promises: what was claimed without Redis has its slots before anything is
 * asked for; a claim whose answer was lost leaves none behind.
 */

#include <stdio.h>
#include <string.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "podi_queue.h"
#include "podi_worker_int.h"
#include "banned.h"


static podi_rc_t claim_hints_ask(podi_flow_t *f, void *ctx);
static podi_rc_t claim_hints_take(podi_flow_t *f, void *ctx);
static void claim_hint(podi_jobs_t *jobs, podi_queue_slot_t hint);


const podi_step_t  podi_claim_hints_steps[] = {
    { "asking for hints", claim_hints_ask, 0 },
    { "taking the hints", claim_hints_take, 0 },
    podi_null_step
};


static podi_rc_t
claim_hints_ask(podi_flow_t *f, void *ctx)
{
    size_t              n;
    podi_jobs_t        *jobs = ctx;
    podi_queue_slot_t  *over;

    podi_gates_take(jobs);

    if (jobs->unheard) {
        podi_gates_beat(jobs, f->mem, 1);
        jobs->unheard = 0;
    }

    if (podi_gates_over(jobs, f->mem, &over, &n) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    jobs->carries = (n > 0);
    jobs->hinted = podi_time_mono();
    jobs->wanted = podi_jobs_free_slots(jobs);
    PODI_FAULT(claim_hints);

    return podi_queue_claim(jobs->worker->redis, f, &jobs->queue,
                            jobs->wanted,
                            podi_gate_lease(jobs), jobs->worker->id, over, n);
}


static podi_rc_t
claim_hints_take(podi_flow_t *f, void *ctx)
{
    size_t        i, n;
    podi_jobs_t  *jobs = ctx;

    n = podi_queue_claimed(f->result);
    jobs->unready = !podi_queue_is_ready(f->result);
    jobs->dry = (n < jobs->wanted);

    for (i = 0; i < n && i < (size_t) jobs->worker->set->concurrency; i++) {
        claim_hint(jobs, podi_queue_claimed_slot(f->result, i));
    }

    return PODI_DONE;
}


/* a hint that was there twice is of no use while we are at work on its job */

static void
claim_hint(podi_jobs_t *jobs, podi_queue_slot_t hint)
{
    podi_id_t     id;
    podi_slot_t  *slot;
    podi_held_t  *held;

    if (podi_id_parse(&hint.job_id, &id) != PODI_OK) {
        return;                         /* not one of ours */
    }

    slot = &jobs->slots[jobs->n_hints];
    slot->fence = 0;
    memcpy(slot->id, id.text, PODI_ID_LEN);
    slot->id[PODI_ID_LEN] = '\0';
    (void) snprintf(slot->token, sizeof(slot->token), PODI_STR_FMT,
                    podi_str_arg(&hint.token));

    held = podi_job_find(jobs, &hint.job_id, 0);

    if (held != NULL && held->state != PODI_JOB_SETTLING) {
        podi_metric_add(jobs->worker, "podi_worker_hints_doubled_total", "",
                        1);
        podi_gate_free(jobs, slot);
        return;
    }

    jobs->n_hints++;
}
