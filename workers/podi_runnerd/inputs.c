/*
 * inputs: what a job begins with, whoever carries it out.
 *
 *     counted -> each: its store, a file for it -> each: fetched -> checked
 *
 * One after the other, as a job has little memory and the store many clients.
 */

#include "runnerd.h"
#include "banned.h"


static podi_rc_t inputs_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t inputs_fetched(podi_flow_t *f, void *ctx);
static podi_rc_t inputs_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);


static const podi_step_t  inputs_steps[] = {
    { "fetching an input",  inputs_fetch,   PODI_MAY_FAIL },
    { "checking an input",  inputs_fetched, 0 },
    podi_null_step
};


podi_rc_t
runner_inputs_count(podi_flow_t *f, podi_job_t *job)
{
    runner_head_t  *head = job->data;

    head->n_inputs = json_array_size(job->inputs);

    return head->n_inputs <= RUNNER_INPUTS_MAX
           ? PODI_OK
           : podi_fail(&f->fail, PODI_E_BAD_FIELD, "inputs", "more than %d",
                       RUNNER_INPUTS_MAX);
}


podi_rc_t
runner_inputs_open(podi_flow_t *f, podi_job_t *job)
{
    size_t          i;
    runner_head_t  *head = job->data;

    for (i = 0; i < head->n_inputs; i++) {
        if (podi_input_open(f, job, &runnerd.files, i, &head->inputs[i])
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


podi_rc_t
runner_inputs_fetch(podi_flow_t *f, podi_job_t *job)
{
    runner_head_t   *head = job->data;
    runner_again_t  *again;

    head->input = 0;
    podi_job_progress(job, 1);

    return runner_again(f, job->mem, inputs_steps, inputs_next, job, &again);
}


static podi_rc_t
inputs_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    runner_head_t  *head = job->data;

    return podi_input_fetch(f, job, &runnerd.files,
                            &head->inputs[head->input]);
}


static podi_rc_t
inputs_fetched(podi_flow_t *f, void *ctx)
{
    podi_rc_t       rc;
    podi_job_t     *job = ctx;
    runner_head_t  *head = job->data;

    rc = podi_input_fetched(f, job, &head->inputs[head->input]);

    head->over = rc == PODI_DONE;
    head->input++;

    return rc == PODI_OK ? PODI_DONE : rc;
}


static podi_rc_t
inputs_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t     *job = ctx;
    runner_head_t  *head = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return head->over || head->input == head->n_inputs ? PODI_DONE : PODI_OK;
}
