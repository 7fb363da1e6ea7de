/*
 * provider_try: something is asked for, of one choice after the other.
 *
 *     keys -> may it be asked? -> noted (intended) -> sent -> its answer
 *       taken                  noted (submitted), or its results are
 *       no room, no key, down  the next choice, if nothing was begun
 *       too many               deferred, as long as they say
 *       refused                fails
 *       no answer              never again: fails, and the row stays
 *
 * Where a third party knows our keys for attempts, no answer is no trouble:
 * the next attempt asks under the same key.
 */

#include <string.h>

#include "podi_fault.h"
#include "provider.h"
#include "banned.h"


#define TRY_WAIT_MAX  2000          /* ms; more is waited for in the queue */


static podi_rc_t try_choose(podi_flow_t *f, void *ctx);
static podi_rc_t try_may(podi_flow_t *f, void *ctx);
static podi_rc_t try_noted(podi_flow_t *f, void *ctx);
static podi_rc_t try_send(podi_flow_t *f, void *ctx);
static podi_rc_t try_sent(podi_flow_t *f, void *ctx);
static podi_rc_t try_accepted(podi_flow_t *f, void *ctx);
static podi_rc_t try_over(podi_flow_t *f, void *ctx);
static int try_flies(void *ctx);
static podi_rc_t try_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void try_another(provider_run_t *run, const char *class,
    podi_error_e error, const char *why);
static void try_later(provider_run_t *run, podi_msec_t wait);
static podi_rc_t try_read(podi_flow_t *f, provider_run_t *run,
    const podi_http_reply_t *reply);
static podi_rc_t try_taken(podi_flow_t *f, provider_run_t *run);
static void try_unknown(provider_run_t *run);
static void try_uncount(provider_run_t *run);
static void try_leave(void *thing);


static const podi_step_t  try_steps[] = {
    { "choosing who is asked",  try_choose,         0 },
    { "asking for its keys",    provider_keys,      0 },
    { "opening them",           provider_keys_read, 0 },
    { "noting what is meant",   try_may,            0 },
    { "reading whether it was", try_noted,          0 },
    { "sending it",             try_send,           PODI_MAY_FAIL },
    { "parsing the answer",     provider_read,      0 },
    { "reading the answer",     try_sent,           0 },
    { "noting that it is there", try_accepted,      PODI_MAY_FAIL },
    { "going on",               try_over,           0 },
    podi_null_step
};


podi_rc_t
provider_try(podi_flow_t *f, void *ctx)
{
    podi_rc_t        rc;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->submitted || run->fate != PROVIDER_GOES_ON) {
        return PODI_OK;
    }

    podi_job_progress(job, 3);

    if (!run->resumes) {
        run->choice = 0;
    }

    rc = runner_again(f, job->mem, try_steps, try_next, job, &run->again);

    if (rc == PODI_AGAIN) {
        runner_again_keep(run->again, try_flies);
    }

    return rc;
}


/* what was asked for may be begun: its answer says under which id */

static int
try_flies(void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    return run->flies;
}


static podi_rc_t
try_choose(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    run->wait = 0;

    switch (run->resumes ? PODI_OK : provider_choose(run, run->choice)) {

    case PODI_OK:
        return provider_params(run) == PODI_OK
               ? PODI_OK
               : podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");

    case PODI_DECLINED:
        /* try_another has said why */
        return PODI_DONE;

    default:
        try_another(run, "unavailable", PODI_E_CONFIG,
                    "no description has this operation");
        return PODI_DONE;
    }
}


/* *class is the word that `when` of a fallback has for it */

static void
try_another(provider_run_t *run, const char *class, podi_error_e error,
    const char *why)
{
    if (provider_another(run, class, error, why)) {
        return;
    }

    provider_fate(run, error == PODI_E_CONFIG ? PROVIDER_FAILS
                                              : PROVIDER_RETRIES, error,
                  "%s", why);
}


/* no attempt is lost: later, as soon as it may be asked again */

static void
try_later(provider_run_t *run, podi_msec_t wait)
{
    if (provider_another(run, "throttled", PODI_E_UNAVAILABLE, "it is busy")) {
        return;
    }

    run->delay = wait;
    provider_fate(run, PROVIDER_DEFERS, PODI_E_UNAVAILABLE,
                  PODI_STR_FMT " is busy", podi_str_arg(&run->provider->name));
}


static podi_rc_t
try_may(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_msec_t      wait;
    podi_error_e     error;
    provider_run_t  *run = job->data;

    if (run->n_keys == 0
        && podi_provider_secret(run->provider->description, 0).len > 0)
    {
        try_another(run, "auth", PODI_E_PROVIDER_AUTH,
                    "there is no key for it");
        return PODI_DONE;
    }

    error = runner_provider_may(run->provider, run, &wait);

    if (error != PODI_E_NONE && wait == 0) {
        try_another(run, error == PODI_E_PROVIDER_QUOTA ? "quota"
                         : error == PODI_E_PROVIDER_AUTH ? "auth"
                         : "unavailable", error, "it is not asked for now");
        return PODI_DONE;
    }

    if (wait > 0) {
        run->waited += wait;

        if (run->waited > TRY_WAIT_MAX) {
            try_later(run, wait);

        } else {
            run->wait = wait;
        }

        return PODI_DONE;
    }

    if (!run->counted && podi_mem_own(job->mem, try_leave, run) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    try_uncount(run);
    run->counted = 1;
    run->counted_at = run->provider;
    run->provider->running++;

    if (provider_remote(run, NULL) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return provider_note(f, run, "intended");
}


static void
try_uncount(provider_run_t *run)
{
    if (run->counted_at != NULL) {
        run->counted_at->running--;
        run->counted_at = NULL;
    }
}


/* the job goes, however it ended: it may have been stopped at any step */

static void
try_leave(void *thing)
{
    provider_run_t  *run = thing;

    runner_provider_spared(run->provider, run);
    try_uncount(run);
}


static podi_rc_t
try_noted(podi_flow_t *f, void *ctx)
{
    podi_str_t       reason;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (podi_row_bool(f->result, 0, "ok")) {
        run->noted = 1;
        return PODI_OK;
    }

    runner_provider_spared(run->provider, run);
    reason = podi_row_str(f->result, 0, "reason");
    run->keeps = 1;
    provider_fate(run, PROVIDER_RETRIES, PODI_E_CONFLICT,
                  "it could not be noted: " PODI_STR_FMT,
                  podi_str_arg(&reason));

    return PODI_DONE;
}


/* what does not fit is found here, before anything goes out */

static podi_rc_t
try_send(podi_flow_t *f, void *ctx)
{
    podi_rc_t        rc;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (provider_hook_url(run) != PODI_OK) {
        runner_provider_spared(run->provider, run);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    PODI_FAULT(third_ask);
    rc = provider_call(f, run, PODI_PROVIDER_SUBMIT);

    if (rc == PODI_AGAIN) {
        run->sent = 1;
        run->flies = 1;
        return PODI_AGAIN;
    }

    runner_provider_spared(run->provider, run);

    switch (f->fail.error) {

    case PODI_E_BAD_FIELD:
    case PODI_E_BODY_TOO_LARGE:
        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_REFUSED,
                      "%s: %s", f->fail.field, f->fail.detail);
        return PODI_DONE;

    case PODI_E_CONFIG:
        try_another(run, "auth", PODI_E_PROVIDER_AUTH, f->fail.detail);
        return PODI_DONE;

    default:
        return PODI_ERROR;
    }
}


static podi_rc_t
try_sent(podi_flow_t *f, void *ctx)
{
    podi_job_t               *job = ctx;
    provider_run_t           *run = job->data;
    const podi_http_reply_t  *reply = f->result;

    run->flies = 0;
    PODI_FAULT(third_told);

    if (provider_answer(f, run, job->mem, &run->answer)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (run->answer.class == PODI_PROVIDER_AUTH
        && provider_clock(run, &run->answer))
    {
        /* nothing was begun, and it is there */
        runner_provider_heard(run->provider, run, PODI_PROVIDER_OK);
        return PODI_DONE;
    }

    runner_provider_heard(run->provider, run, run->answer.class);

    return try_read(f, run, reply);
}


static podi_rc_t
try_read(podi_flow_t *f, provider_run_t *run, const podi_http_reply_t *reply)
{
    podi_provider_answer_t  *a = &run->answer;

    switch (a->class) {

    case PODI_PROVIDER_OK:
        return try_taken(f, run);

    case PODI_PROVIDER_THROTTLED:
        try_later(run, run->provider->paused_until - podi_time_mono());
        return PODI_OK;

    case PODI_PROVIDER_UNKNOWN:
        try_unknown(run);
        return PODI_OK;

    case PODI_PROVIDER_RETRYABLE:
        if (run->facts->repeatable && (reply != NULL || f->fail.uncertain)) {
            run->keeps = 1;
            provider_fate(run, PROVIDER_RETRIES, PODI_E_UNAVAILABLE,
                          "it is asked again, under the same key");
            return PODI_OK;
        }

        try_another(run, "retryable", PODI_E_UNAVAILABLE,
                    reply == NULL ? f->fail.detail : "it cannot be reached");
        return PODI_OK;

    case PODI_PROVIDER_QUOTA:
        try_another(run, "quota", PODI_E_PROVIDER_QUOTA,
                    "it has no room left for us");
        return PODI_OK;

    case PODI_PROVIDER_AUTH:
        try_another(run, "auth", PODI_E_PROVIDER_AUTH,
                    a->clock ? "its clock and ours differ"
                             : "it does not accept our key");
        return PODI_OK;

    case PODI_PROVIDER_INVALID:
        if (provider_another(run, "invalid", PODI_E_EXECUTOR_REFUSED,
                             "it refuses what is asked for"))
        {
            return PODI_OK;
        }

        provider_judge(run, a);
        return PODI_OK;

    default:
        provider_judge(run, a);
        return PODI_OK;
    }
}


static podi_rc_t
try_taken(podi_flow_t *f, provider_run_t *run)
{
    json_t      *set = json_object_get(run->degraded, "set");
    podi_str_t   text = podi_string("{}");

    podi_job_usage(run->job, "calls", 1);
    run->cost = run->answer.cost;

    if (run->degraded != NULL) {
        if (set != NULL && podi_json_dump(set, f->mem, &text) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        podi_job_log(run->job, PODI_LOG_WARN, "carried out in another way than "
                     "usual (%s), with " PODI_STR_FMT,
                     json_string_value(json_object_get(run->degraded, "why")),
                     podi_str_arg(&text));
    }

    run->submitted = run->facts->has_poll || provider_is_kept(run);
    run->fresh = run->facts->has_poll;

    if (!run->facts->has_poll) {
        provider_made(run, podi_time_now());
    }

    if (run->submitted && provider_remote(run, &run->answer) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    run->unnoted = run->submitted;

    return PODI_OK;
}


static void
try_unknown(provider_run_t *run)
{
    run->keeps = 1;
    podi_worker_log(run->job->worker, PODI_LOG_ERROR, "provider.unknown",
                    run->job, "no answer of " PODI_STR_FMT " to " PODI_STR_FMT
                    ": look whether it was begun",
                    podi_str_arg(&run->provider->name),
                    podi_str_arg(&run->key));
    provider_fate(run, PROVIDER_FAILS, PODI_E_PROVIDER_UNKNOWN,
                  PODI_STR_FMT " did not answer",
                  podi_str_arg(&run->provider->name));
}


static podi_rc_t
try_accepted(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    return run->submitted ? provider_note(f, run, "submitted") : PODI_OK;
}


static podi_rc_t
try_over(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->submitted) {
        provider_noted(f, run);
    }

    return PODI_DONE;
}


static podi_rc_t
try_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    (void) fail;

    if (rc == PODI_ERROR) {
        runner_provider_spared(run->provider, run);
        return PODI_ERROR;
    }

    if (run->submitted || run->fate != PROVIDER_GOES_ON) {
        return PODI_DONE;
    }

    *ret_wait = run->wait;

    return run->wait > 0 ? PODI_AGAIN : PODI_OK;
}
