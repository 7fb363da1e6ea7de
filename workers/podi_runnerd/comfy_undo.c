/*
 * comfy_undo: the job ended, and its prompt did not.
 *
 *     cancelled, failed:  out of the queue, or interrupted; out of the history
 *     else:               whoever gets the job next looks for it, so it stays
 *
 * What was never sent is noted as ended, so that nobody looks for it.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


static podi_rc_t undo_look(podi_flow_t *f, void *ctx);
static podi_rc_t undo_stop(podi_flow_t *f, void *ctx);
static podi_rc_t undo_forget(podi_flow_t *f, void *ctx);
static podi_rc_t undo_note(podi_flow_t *f, void *ctx);
static podi_rc_t undo_over(podi_flow_t *f, void *ctx);
static int undo_is_wanted(const podi_job_t *job);


const podi_step_t  runner_comfy_undo[] = {
    { "looking where it is",   undo_look,   PODI_MAY_FAIL },
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

    return run->server != NULL && run->sent && podi_job_is_over(job);
}


static podi_rc_t
undo_look(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (!undo_is_wanted(job)) {
        return PODI_OK;
    }

    return runner_ask(f, run->server, "/queue", NULL);
}


static podi_rc_t
undo_stop(podi_flow_t *f, void *ctx)
{
    podi_job_t               *job = ctx;
    podi_str_t                body;
    comfy_run_t              *run = job->data;
    podi_comfy_queue_t        queue;
    const podi_http_reply_t  *reply;

    if (!undo_is_wanted(job)) {
        return PODI_OK;
    }

    reply = runner_answered(f);

    if (reply == NULL
        || podi_comfy_queue(&reply->body, &run->prompt_id, NULL, NULL, f->mem,
                            &queue) != PODI_OK
        || !queue.runs)
    {
        return runner_delete(f, run->server, "/queue", &run->prompt_id);
    }

    if (podi_mem_printf(f->mem, &body, "{\"prompt_id\":\"" PODI_STR_FMT "\"}",
                        podi_str_arg(&run->prompt_id)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return runner_ask(f, run->server, "/interrupt", &body);
}


static podi_rc_t
undo_forget(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (!undo_is_wanted(job)) {
        return PODI_OK;
    }

    return runner_delete(f, run->server, "/history", &run->prompt_id);
}


static podi_rc_t
undo_note(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->server == NULL || run->prompt_id.len == 0 || run->sent) {
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
