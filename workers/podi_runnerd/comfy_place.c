/*
 * comfy_place: the inputs of a job, and the server that it is at.
 */

#include <string.h>

#include "podi_fault.h"
#include "runnerd.h"
#include "banned.h"


static podi_rc_t place_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t place_fetched(podi_flow_t *f, void *ctx);
static podi_rc_t place_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void place_gone(void *thing);


static const podi_step_t  place_fetch_steps[] = {
    { "fetching an input",  place_fetch,   PODI_MAY_FAIL },
    { "checking an input",  place_fetched, 0 },
    podi_null_step
};


podi_rc_t
comfy_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    run->at = 0;

    if (run->has_end || run->n_inputs == 0) {
        return PODI_OK;
    }

    podi_job_progress(job, 1);

    return runner_again(f, job->mem, place_fetch_steps, place_next, job,
                        &run->again);
}


static podi_rc_t
place_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t    *job = ctx;
    comfy_run_t   *run = job->data;
    podi_input_t  *input = &run->inputs[run->at];

    if (podi_input_open(f, job, &runnerd.files, run->at, input) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_input_fetch(f, job, &runnerd.files, input);
}


static podi_rc_t
place_fetched(podi_flow_t *f, void *ctx)
{
    podi_rc_t     rc;
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    rc = podi_input_fetched(f, job, &run->inputs[run->at]);

    if (rc == PODI_DONE) {
        run->over = 1;
    }

    PODI_FAULT(comfy_fetched);
    run->at++;

    return rc == PODI_OK ? PODI_DONE : rc;
}


static podi_rc_t
place_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return run->over || run->at == run->n_inputs ? PODI_DONE : PODI_OK;
}


podi_rc_t
comfy_is_at(comfy_run_t *run, runner_server_t *server)
{
    if (!run->counted) {
        if (podi_mem_own(run->job->mem, place_gone, run) != PODI_OK) {
            return PODI_ERROR;
        }

        run->counted = 1;
    }

    comfy_leave(run);
    server->ours++;
    run->server = server;
    run->since = server->number;
    podi_list_append(&server->runs, &run->link);

    return PODI_OK;
}


/* the job goes, however it ended */

static void
place_gone(void *thing)
{
    comfy_run_t  *run = thing;

    /* it does what it says: it may have more than one again */
    if (run->server != NULL && run->has_end && !run->is_lost
        && !run->is_refused)
    {
        run->server->trial = 0;
    }

    comfy_leave(run);
}


void
comfy_leave(comfy_run_t *run)
{
    if (run->server != NULL) {
        run->server->ours--;
        run->server = NULL;
        podi_list_remove(&run->link);
    }
}
