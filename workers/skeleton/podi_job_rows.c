/*
 * podi_job_rows: asking PostgreSQL for jobs.
 *
 *     hints with slots -> sys.job_claim      -> held jobs; other slots freed
 *                                            -> too late: handed back
 *     no Redis         -> sys.job_claim_next -> held jobs
 */

#include <stdio.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "podi_worker_int.h"
#include "banned.h"


static podi_rc_t claim_rows_ask(podi_flow_t *f, void *ctx);
static podi_msec_t claim_deadline(const podi_jobs_t *jobs);
static podi_rc_t claim_ids(podi_jobs_t *jobs, podi_mem_t *mem,
    podi_str_t *ret_ids);
static podi_rc_t claim_rows_take(podi_flow_t *f, void *ctx);
static podi_slot_t claim_slot(podi_jobs_t *jobs, const podi_str_t *id);


const podi_step_t  podi_claim_rows_steps[] = {
    { "claiming jobs", claim_rows_ask, 0 },
    { "starting the jobs", claim_rows_take, 0 },
    podi_null_step
};


static podi_rc_t
claim_rows_ask(podi_flow_t *f, void *ctx)
{
    podi_str_t        ids;
    podi_jobs_t      *jobs = ctx;
    podi_worker_t    *w = jobs->worker;
    podi_pg_call_t    call;

    if (jobs->n_hints > 0) {
        PODI_FAULT(claim_ask);

        if (claim_ids(jobs, f->mem, &ids) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        podi_pg_call_init(&call, PODI_SQL_JOB_CLAIM, f->mem);
        podi_arg_str(&call, &ids);
        podi_arg_c(&call, w->id);
        podi_arg_int64(&call, (int64_t) w->set->lease);
        call.deadline = claim_deadline(jobs);

    } else {
        podi_pg_call_init(&call, PODI_SQL_JOB_CLAIM_NEXT, f->mem);
        podi_arg_c(&call, w->set->queue);
        podi_arg_int64(&call, podi_jobs_free_slots(jobs));
        podi_arg_c(&call, w->id);
        podi_arg_int64(&call, (int64_t) w->set->lease);
        podi_arg_int64(&call, w->set->global_limit);
    }

    return podi_pg_call(w->pg, f, &call);
}


/* what is left of CLAIM_MAX, but no more than any call has */

static podi_msec_t
claim_deadline(const podi_jobs_t *jobs)
{
    podi_msec_t  most, gone;

    most = jobs->worker->set->pg_deadline;
    gone = podi_time_mono() - jobs->hinted;

    if (gone >= PODI_CLAIM_MAX) {
        return 1;
    }

    return PODI_CLAIM_MAX - gone < most ? PODI_CLAIM_MAX - gone : most;
}


/* "{id,...}" */

static podi_rc_t
claim_ids(podi_jobs_t *jobs, podi_mem_t *mem, podi_str_t *ret_ids)
{
    unsigned    i;
    podi_buf_t  b;

    podi_buf_init(&b, mem);

    for (i = 0; i < jobs->n_hints; i++) {
        podi_buf_printf(&b, "%c%s", i == 0 ? '{' : ',', jobs->slots[i].id);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_ids);
}


/* each row is a job now and has its slot; who got no row gives his back */

static podi_rc_t
claim_rows_take(podi_flow_t *f, void *ctx)
{
    int           i;
    podi_str_t    id, events;
    podi_jobs_t  *jobs = ctx;

    jobs->claimed = (unsigned) podi_rows(f->result);
    jobs->late = jobs->n_hints > 0 && podi_claim_is_late(jobs);

    if (jobs->claimed > 0) {
        PODI_FAULT(claim_told);
    }

    for (i = 0; i < (int) jobs->claimed; i++) {
        id = podi_row_str(f->result, i, "job_id");
        podi_job_start(jobs, f->result, i, claim_slot(jobs, &id));
    }

    /* work comes before words */

    for (i = 0; i < (int) jobs->claimed; i++) {
        events = podi_row_str(f->result, i, "_events");
        podi_worker_publish(jobs->worker, f->mem, &events);
    }

    for (i = 0; i < (int) jobs->n_hints; i++) {
        podi_gate_free(jobs, &jobs->slots[i]);
    }

    return PODI_DONE;
}


/* of the first hint of that id; it is the job's from now on */

static podi_slot_t
claim_slot(podi_jobs_t *jobs, const podi_str_t *id)
{
    unsigned     i;
    podi_slot_t  slot = { "", "", 0 };

    for (i = 0; i < jobs->n_hints; i++) {
        if (podi_str_eq_c(id, jobs->slots[i].id)) {
            slot = jobs->slots[i];
            jobs->slots[i].id[0] = '\0';
            return slot;
        }
    }

    (void) snprintf(slot.id, sizeof(slot.id), PODI_STR_FMT, podi_str_arg(id));

    return slot;
}
