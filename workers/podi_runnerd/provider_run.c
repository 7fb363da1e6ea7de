/*
 * provider_run: a job that a third party carries out.
 *
 *     what did an earlier attempt leave?
 *       an id:               followed
 *       nothing but a wish:  under the same key again, where they know keys;
 *                            else it may have been begun: fails, not paid
 *     inputs -> asked for -> followed -> collected -> noted (ended) -> ending
 *
 * However it ends, fate says so; what is left there is left only when the
 * next attempt is to look for it, or left.c is to cancel it.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "podi_id.h"
#include "provider.h"
#include "banned.h"


static podi_rc_t provider_open(podi_flow_t *f, void *ctx);
static podi_rc_t provider_earlier(podi_flow_t *f, provider_run_t *run);
static void provider_price(provider_run_t *run, const json_t *cost);
static void provider_wished(provider_run_t *run, const podi_str_t *key);
static void provider_cut_off(provider_run_t *run);
static podi_rc_t provider_adopt(podi_flow_t *f, void *ctx);
static podi_rc_t provider_adopt_read(podi_flow_t *f, void *ctx);
static podi_rc_t provider_adopt_note(podi_flow_t *f, void *ctx);
static podi_rc_t provider_adopted(podi_flow_t *f, void *ctx);
static podi_rc_t provider_cancel(podi_flow_t *f, void *ctx);
static podi_rc_t provider_end_note(podi_flow_t *f, void *ctx);
static podi_rc_t provider_end(podi_flow_t *f, void *ctx);
static podi_rc_t provider_succeed(podi_flow_t *f, provider_run_t *run);
static void provider_usage(provider_run_t *run);


const podi_step_t  runner_provider_steps[] = {
    { "reading what to ask",     provider_open,      0 },
    { "taking over",             provider_adopt,     0 },
    { "reading its keys",        provider_adopt_read, 0 },
    { "noting who has it",       provider_adopt_note, PODI_MAY_FAIL },
    { "reading whether it was",  provider_adopted,   0 },
    { "fetching the inputs",     provider_fetch,     0 },
    { "preparing the inputs",    provider_fetched,   0 },
    { "asking for it",           provider_try,       0 },
    { "following it",            provider_poll,      0 },
    { "noting it again",         provider_note_again,  PODI_MAY_FAIL },
    { "reading whether it was",  provider_noted_again, 0 },
    { "collecting what it made", provider_collect,   0 },
    { "cancelling it",           provider_cancel,    PODI_MAY_FAIL },
    { "noting its end",          provider_end_note,  0 },
    { "ending",                  provider_end,       0 },
    podi_null_step
};


static podi_rc_t
provider_open(podi_flow_t *f, void *ctx)
{
    podi_id_t        id;
    podi_str_t       text;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    run->job = job;
    run->cost = -1;
    run->ahead = -1;
    run->inputs = json_array();

    if (runner_inputs_count(f, job) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    text = podi_id_str(&id);

    if (podi_mem_dup(job->mem, &text, &run->key) != PODI_OK
        || podi_json_own(job->mem, run->inputs) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    run->degraded = json_object_get(run->head.executor, "degraded");

    if (provider_earlier(f, run) != PODI_OK) {
        return PODI_ERROR;
    }

    if (provider_params(run) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    run->about = json_pack("{s:s%,s:s%}", "id", job->id.data, job->id.len,
                           "key", run->key.data, run->key.len);

    if (podi_json_own(job->mem, run->about) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* the newest of what earlier attempts left: it stands for those before it */

static podi_rc_t
provider_earlier(podi_flow_t *f, provider_run_t *run)
{
    json_t      *entry = json_array_get(run->head.adopt, 0), *remote;
    podi_str_t   provider, operation, key, state;

    if (entry == NULL) {
        return PODI_OK;
    }

    remote = json_object_get(entry, "remote");
    provider = podi_json_str(json_object_get(entry, "provider"));
    state = podi_json_str(json_object_get(entry, "remote_state"));
    operation = podi_json_str(json_object_get(remote, "operation"));
    key = podi_json_str(json_object_get(remote, "key"));
    run->degraded = json_object_get(remote, "degraded");

    if (provider_is_at(run, &provider, &operation) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "no description has " PODI_STR_FMT " any more, where "
                         "it was begun", podi_str_arg(&provider));
    }

    if (!podi_str_eq_c(&state, "submitted")) {
        provider_wished(run, &key);
        return PODI_OK;
    }

    run->key = key;
    run->remote = remote;
    run->ref = podi_json_str(json_object_get(entry, "ref"));
    provider_price(run, json_object_get(remote, "cost"));
    run->noted_at = run->provider->name;
    run->answer.state = PODI_REMOTE_QUEUED;
    run->noted = 1;
    run->sent = 1;
    run->submitted = 1;
    run->adopts = 1;

    if (!run->facts->has_poll) {
        switch (provider_kept(run)) {

        case PODI_OK:
            break;

        case PODI_DECLINED:
            run->submitted = 0;
            run->adopts = 0;
            provider_cut_off(run);
            return PODI_OK;

        default:
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    podi_worker_log(run->job->worker, PODI_LOG_INFO, "provider.adopt",
                    run->job, PODI_STR_FMT " at " PODI_STR_FMT,
                    podi_str_arg(&run->ref), podi_str_arg(&provider));

    return PODI_OK;
}


/* as it was told when it was taken */

static void
provider_price(provider_run_t *run, const json_t *cost)
{
    if (json_is_integer(cost) && json_integer_value(cost) >= 0) {
        run->cost = json_integer_value(cost);
    }
}


/* whether it went out is not known */

static void
provider_wished(provider_run_t *run, const podi_str_t *key)
{
    if (run->facts->repeatable && key->len > 0) {
        run->key = *key;
        run->resumes = 1;
        return;
    }

    run->key = *key;
    provider_cut_off(run);
}


static void
provider_cut_off(provider_run_t *run)
{
    podi_worker_log(run->job->worker, PODI_LOG_ERROR, "provider.unknown",
                    run->job, "an attempt under " PODI_STR_FMT " at "
                    PODI_STR_FMT " was cut off: look whether it was begun",
                    podi_str_arg(&run->key),
                    podi_str_arg(&run->provider->name));

    run->keeps = 1;
    provider_fate(run, PROVIDER_FAILS, PODI_E_PROVIDER_UNKNOWN,
                  "an attempt at " PODI_STR_FMT " was cut off",
                  podi_str_arg(&run->provider->name));
}


/* from now on it is looked for under this attempt */

static podi_rc_t
provider_adopt(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    return run->adopts ? provider_keys(f, ctx) : PODI_OK;
}


static podi_rc_t
provider_adopt_read(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    return run->adopts ? provider_keys_read(f, ctx) : PODI_OK;
}


static podi_rc_t
provider_adopt_note(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    run->unnoted = run->adopts;

    return run->adopts ? provider_note(f, run, "submitted") : PODI_OK;
}


static podi_rc_t
provider_adopted(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->adopts) {
        provider_noted(f, run);
    }

    return PODI_OK;
}


static podi_rc_t
provider_cancel(podi_flow_t *f, void *ctx)
{
    podi_rc_t        rc;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (!run->cancels || !run->facts->has_cancel
        || (run->facts->cancel_states & 1u << run->answer.state) == 0)
    {
        return PODI_OK;
    }

    rc = provider_call(f, run, PODI_PROVIDER_CANCEL);

    return rc == PODI_ERROR ? PODI_OK : rc;
}


static podi_rc_t
provider_end_note(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    /*
     * What is done ends with its settle, in one commit: who is left with it
     * when that does not come collects it, and nobody pays for it again.
     */

    if (run->fate == PROVIDER_DONE) {
        return PODI_OK;
    }

    /* what may have been begun under that key is asked for under it again */

    if (run->resumes && !run->submitted
        && (run->fate == PROVIDER_RETRIES || run->fate == PROVIDER_DEFERS))
    {
        return PODI_OK;
    }

    return run->noted && !run->keeps
           ? provider_note(f, run, run->cancels ? "left" : "ended") : PODI_OK;
}


static podi_rc_t
provider_end(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    provider_cost(run);

    switch (run->fate) {

    case PROVIDER_FAILS:
        return podi_job_fail(job, run->error, "%s", run->detail);

    case PROVIDER_RETRIES:
        return podi_job_retry(job, run->error, "%s", run->detail);

    case PROVIDER_DEFERS:
        return podi_job_defer(job, run->delay, run->error, "%s", run->detail);

    default:
        return provider_succeed(f, run);
    }
}


static podi_rc_t
provider_succeed(podi_flow_t *f, provider_run_t *run)
{
    podi_str_t  results;

    PODI_FAULT(third_end);
    podi_buf_add_byte(&run->results, ']');

    if (podi_buf_take(&run->results, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (run->answer.n_missing > 0) {
        podi_job_log(run->job, PODI_LOG_WARN, "%zu results are missing",
                     run->answer.n_missing);
    }

    provider_usage(run);
    podi_job_progress(run->job, 100);

    return podi_job_succeed(run->job, &results);
}


static void
provider_usage(provider_run_t *run)
{
    json_t                         *usage, *tokens;
    podi_fail_t                     fail;
    static const podi_json_limit_t  limit = { 65536, 8 };

    if (run->answer.usage.len == 0
        || podi_json_parse(&run->answer.usage, &limit, run->job->mem, &usage,
                           &fail) != PODI_OK)
    {
        return;
    }

    tokens = json_object_get(usage, "total_tokens");

    if (json_is_integer(tokens) && json_integer_value(tokens) > 0) {
        podi_job_usage(run->job, "tokens", json_integer_value(tokens));
    }
}
