/*
 * comfy_undo: the job ended, and its prompt did not.
 *
 *     taken, not noted:   noted, if that can be now
 *     cancelled, failed:  stopped, until it is seen to be at its end or the
 *                         time of an undo is over; out of the history; noted
 *     else:               whoever gets the job next looks for it, so it stays,
 *                         unless nobody would find it
 *
 * What is not brought to its end here stays open in its row: left.c goes on
 * with it.  What was never sent is noted as ended, so that nobody looks for it.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


#define UNDO_SLACK  500             /* ms, to note it */


static podi_rc_t undo_take(podi_flow_t *f, void *ctx);
static podi_rc_t undo_stop(podi_flow_t *f, void *ctx);
static podi_rc_t undo_forget(podi_flow_t *f, void *ctx);
static podi_rc_t undo_note(podi_flow_t *f, void *ctx);
static podi_rc_t undo_over(podi_flow_t *f, void *ctx);
static podi_rc_t undo_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static int undo_is_wanted(const podi_job_t *job);


const podi_step_t  runner_comfy_undo[] = {
    { "noting that it is",     undo_take,   PODI_MAY_FAIL },
    { "reading whether it is", comfy_taken, 0 },
    { "stopping it",           undo_stop,   PODI_MAY_FAIL },
    { "forgetting it",         undo_forget, PODI_MAY_FAIL },
    { "noting that it is not", undo_note,   PODI_MAY_FAIL },
    { "ending",                undo_over,   0 },
    podi_null_step
};


static int
undo_is_wanted(const podi_job_t *job)
{
    const comfy_run_t  *run = job->data;

    return run->server != NULL && run->sent
           && (podi_job_is_over(job) || (run->unnoted && run->is_own));
}


static podi_rc_t
undo_take(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    podi_msec_t   time = podi_worker_undo_timeout(job->worker);
    comfy_run_t  *run = job->data;

    run->undo_until = podi_time_mono()
                      + (time > 2 * UNDO_SLACK ? time - UNDO_SLACK : time / 2);

    if (run->unnoted && run->is_own) {
        comfy_untold(run);
    }

    return comfy_take(f, ctx);
}


static podi_rc_t
undo_stop(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (!undo_is_wanted(job)) {
        return PODI_OK;
    }

    run->follows = 0;
    comfy_look_begin(run, run->follow.known);
    run->follow.cancel = 1;

    return runner_again(f, job->mem, comfy_look_steps, undo_next, job,
                        &run->again);
}


static podi_rc_t
undo_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    podi_msec_t   now = podi_time_mono();
    comfy_run_t  *run = job->data;

    rc = comfy_look_next(ctx, rc, fail, ret_wait);

    if (rc == PODI_ERROR || rc == PODI_DONE) {
        return rc;
    }

    if (now >= run->undo_until) {
        return PODI_DONE;
    }

    if (rc == PODI_AGAIN && *ret_wait > run->undo_until - now) {
        *ret_wait = run->undo_until - now;
    }

    return rc;
}


static podi_rc_t
undo_forget(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    f->result = NULL;

    return undo_is_wanted(job) && run->act == PODI_ACT_FINISH
           ? runner_delete(f, run->server, "/history", &run->prompt_id)
           : PODI_OK;
}


static podi_rc_t
undo_note(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->server == NULL || run->ref.len == 0) {
        return PODI_OK;
    }

    if (run->sent
        && !(undo_is_wanted(job)
             && (run->act == PODI_ACT_LOST || runner_answered(f) != NULL)))
    {
        return PODI_OK;
    }

    return comfy_note(f, run, "ended", 0);
}


static podi_rc_t
undo_over(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}
