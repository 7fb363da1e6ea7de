/*
 * provider_undo: a job that a third party carries out was stopped.
 *
 *     its request is under way  the answer is waited for: without it nobody
 *                               knows what is to be cancelled
 *     it is over                cancelled there, then noted (ended)
 *     it goes on elsewhere      its id is noted, who comes next looks for it
 *
 * What is not stopped in time stays in its row, for left.c.
 */

#include "provider.h"
#include "banned.h"


#define UNDO_SLACK  500             /* ms, to note it */


static podi_rc_t provider_undo_wait(podi_flow_t *f, void *ctx);
static podi_rc_t provider_undo(podi_flow_t *f, void *ctx);
static podi_rc_t provider_undo_next(void *ctx, podi_rc_t rc,
    podi_fail_t *fail, podi_msec_t *ret_wait);
static podi_rc_t provider_undo_note(podi_flow_t *f, void *ctx);
static podi_rc_t provider_undone(podi_flow_t *f, void *ctx);


const podi_step_t  runner_provider_undo[] = {
    { "waiting for its answer", provider_undo_wait, PODI_MAY_FAIL },
    { "cancelling it there",    provider_undo,      PODI_MAY_FAIL },
    { "noting its end",         provider_undo_note, PODI_MAY_FAIL },
    { "ending",                 provider_undone,    0 },
    podi_null_step
};


/* cut off, it might run on, and nobody would know its id */

static podi_rc_t
provider_undo_wait(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_msec_t      time = podi_worker_undo_timeout(job->worker);
    provider_run_t  *run = job->data;

    run->undo_until = podi_time_mono()
                      + (time > 2 * UNDO_SLACK ? time - UNDO_SLACK : time / 2);

    if (!run->flies) {
        return PODI_OK;
    }

    podi_worker_log(job->worker, PODI_LOG_INFO, "provider.awaits", job,
                    "the job is over, the answer of " PODI_STR_FMT " to "
                    PODI_STR_FMT " is waited for",
                    podi_str_arg(&run->provider->name),
                    podi_str_arg(&run->key));

    return runner_again_wait(f, run->again,
                             run->undo_until - podi_time_mono());
}


/* nobody will go on with it; else whoever gets it next looks for it */

static podi_rc_t
provider_undo(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (!run->submitted || !podi_job_is_over(job)) {
        return PODI_OK;
    }

    return runner_again(f, job->mem, provider_stop_steps, provider_undo_next,
                        job, &run->again);
}


static podi_rc_t
provider_undo_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait)
{
    podi_job_t      *job = ctx;
    podi_msec_t      now = podi_time_mono();
    provider_run_t  *run = job->data;

    (void) fail;

    if (run->stopped || now >= run->undo_until) {
        return PODI_DONE;
    }

    /* PostgreSQL may answer again */
    *ret_wait = rc == PODI_ERROR ? UNDO_SLACK : run->wait;

    return *ret_wait < run->undo_until - now ? PODI_AGAIN : PODI_DONE;
}


static podi_rc_t
provider_undo_note(podi_flow_t *f, void *ctx)
{
    podi_job_t        *job = ctx;
    provider_run_t    *run = job->data;
    static podi_str_t  why = podi_string("the job was stopped before");

    if (!run->noted) {
        return PODI_OK;
    }

    if (!run->sent) {
        return run->keeps ? PODI_OK : provider_note(f, run, "ended");
    }

    if (run->submitted && run->unnoted && !run->stopped) {
        provider_untold(run, &why);
        return provider_note(f, run, "submitted");
    }

    if (!podi_job_is_over(job) || (run->submitted && !run->stopped)) {
        return PODI_OK;
    }

    if (run->flies || (run->keeps && run->fate == PROVIDER_RETRIES)) {
        podi_worker_log(job->worker, PODI_LOG_ERROR, "provider.unknown", job,
                        "no answer of " PODI_STR_FMT " to " PODI_STR_FMT
                        " until the job ended: look whether it was begun",
                        podi_str_arg(&run->provider->name),
                        podi_str_arg(&run->key));
    }

    return provider_note(f, run, "ended");
}


static podi_rc_t
provider_undone(podi_flow_t *f, void *ctx)
{
    podi_job_t  *job = ctx;

    (void) f;

    if (podi_job_is_over(job)) {
        provider_cost(job->data);
    }

    return PODI_DONE;
}
