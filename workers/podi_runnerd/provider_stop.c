/*
 * provider_stop: what was begun at a third party, and is not wanted.
 *
 *     its keys -> how is it?
 *       at its end           over
 *       not known there      over, when that is so three times, or it was to
 *                            stop
 *       it may be cancelled  asked to, and looked at again
 *       it may not           over: it runs to its end there
 *       no answer            looked at again
 *
 * Each run is one look.  A cancel that was answered is no end: what they say
 * of it afterwards is.  It is asked for once, if they take it.
 *
 * Who still has the job looks as often as its undo has time for.  What is left
 * waits: each time twice as long, until they want to be asked again, and mostly
 * behind the polls of jobs that somebody waits for.
 */

#include <string.h>

#include "podi_id.h"
#include "provider.h"
#include "banned.h"


#define STOP_WAIT    500            /* ms, between two looks */
#define STOP_UNSEEN  3


static podi_rc_t stop_look(podi_flow_t *f, void *ctx);
static podi_rc_t stop_seen(podi_flow_t *f, void *ctx);
static podi_rc_t stop_asked(podi_flow_t *f, void *ctx);
static podi_rc_t stop_cancel(podi_flow_t *f, provider_run_t *run);
static void stop_later(provider_run_t *run);
static void stop_throttled(provider_run_t *run,
    const podi_provider_answer_t *a);


const podi_step_t  provider_stop_steps[] = {
    { "asking for its keys",  provider_keys,      0 },
    { "opening them",         provider_keys_read, 0 },
    { "asking how it is",     stop_look,          PODI_MAY_FAIL },
    { "parsing the answer",   provider_read,      0 },
    { "asking it to stop",    stop_seen,          PODI_MAY_FAIL },
    { "parsing what is said", provider_read,      0 },
    { "looking again, later", stop_asked,         0 },
    podi_null_step
};


podi_rc_t
provider_stop_begin(podi_job_t *job, const podi_str_t *provider,
    json_t *remote, json_t *params)
{
    podi_str_t       operation;
    provider_run_t  *run = job->data;

    operation = podi_json_str(json_object_get(remote, "operation"));

    if (provider_is_at(run, provider, &operation) != PODI_OK) {
        return PODI_DECLINED;
    }

    run->job = job;
    run->is_left = 1;
    run->remote = remote;
    run->key = podi_json_str(json_object_get(remote, "key"));
    run->params = params;
    run->inputs = json_array();
    run->about = json_pack("{s:s%,s:s%}", "id", job->id.data, job->id.len,
                           "key", run->key.len > 0 ? (char *) run->key.data
                                                   : "", run->key.len);

    return podi_json_own(job->mem, run->inputs) == PODI_OK
           && podi_json_own(job->mem, run->about) == PODI_OK
           ? PODI_OK : PODI_ERROR;
}


static podi_rc_t
stop_look(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    run->wait = runner_provider_poll(run->provider, run->facts, run->is_left);

    if (run->wait > 0) {
        return PODI_DONE;
    }

    stop_later(run);

    if (!run->facts->has_poll) {
        run->stopped = 1;
        return PODI_DONE;
    }

    run->asked = 1;

    return provider_call(f, run, PODI_PROVIDER_POLL);
}


static void
stop_later(provider_run_t *run)
{
    podi_msec_t  most = (podi_msec_t) run->facts->max_ms;

    if (!run->is_left) {
        run->wait = STOP_WAIT;
        return;
    }

    run->wait = run->pace > STOP_WAIT ? run->pace : STOP_WAIT;
    run->pace = 2 * run->wait > most ? most : 2 * run->wait;
}


static podi_rc_t
stop_seen(podi_flow_t *f, void *ctx)
{
    podi_job_t              *job = ctx;
    provider_run_t          *run = job->data;
    podi_provider_answer_t   a;

    if (f->result == NULL) {
        return PODI_DONE;
    }

    if (provider_answer(f, run, f->mem, &a) != PODI_OK) {
        return PODI_ERROR;
    }

    switch (a.state) {

    case PODI_REMOTE_QUEUED:
    case PODI_REMOTE_RUNNING:
        run->answer.state = a.state;
        return stop_cancel(f, run);

    case PODI_REMOTE_DONE:
    case PODI_REMOTE_FAILED:
    case PODI_REMOTE_CANCELED:
        run->stopped = 1;
        return PODI_DONE;

    default:
        /* it may be shown late; what was to stop, and went, has stopped */
        run->unseen += a.class == PODI_PROVIDER_EXPIRED;
        run->stopped = run->unseen >= STOP_UNSEEN
                       || (run->heard && run->unseen > 0);
        stop_throttled(run, &a);
        return PODI_DONE;
    }
}


static void
stop_throttled(provider_run_t *run, const podi_provider_answer_t *a)
{
    podi_msec_t  after;

    if (a->class != PODI_PROVIDER_THROTTLED) {
        return;
    }

    after = provider_after(run, a->retry_after);
    run->wait = after > run->wait ? after : run->wait;
    runner_provider_throttled(run->provider, run->wait);
}


static podi_rc_t
stop_cancel(podi_flow_t *f, provider_run_t *run)
{
    if (!run->facts->has_cancel
        || (run->facts->cancel_states & 1u << run->answer.state) == 0)
    {
        run->stopped = 1;
        podi_worker_log(run->job->worker, PODI_LOG_WARN, "provider.runs_on",
                        run->job, PODI_STR_FMT " has no way to cancel what is "
                        "%s: it runs to its end",
                        podi_str_arg(&run->provider->name),
                        podi_remote_name(run->answer.state));
        return PODI_DONE;
    }

    return run->heard ? PODI_DONE
                      : provider_call(f, run, PODI_PROVIDER_CANCEL);
}


static podi_rc_t
stop_asked(podi_flow_t *f, void *ctx)
{
    podi_job_t              *job = ctx;
    provider_run_t          *run = job->data;
    podi_provider_answer_t   a;

    if (f->result == NULL) {
        return PODI_DONE;
    }

    if (provider_answer(f, run, f->mem, &a) != PODI_OK) {
        return PODI_ERROR;
    }

    run->heard = a.class == PODI_PROVIDER_OK;
    stop_throttled(run, &a);

    return PODI_DONE;
}
