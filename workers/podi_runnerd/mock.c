/*
 * mock: actions that need nobody, for those who build a page.
 *
 *     input fetched -> slow: a second, progress, again -> delivered as it is
 *                   -> fail: ends with the code that it was asked for
 *
 * Whether there may be any is the database's to say (sys.action_put): here
 * they are carried out like all the others, points and events included.
 */

#include "runnerd.h"
#include "banned.h"

#define MOCK_TICK  1000             /* ms, between two tellings of progress */


static podi_rc_t mock_open(podi_flow_t *f, void *ctx);
static podi_rc_t mock_fetched(podi_flow_t *f, void *ctx);
static podi_rc_t mock_deliver(podi_flow_t *f, void *ctx);
static podi_rc_t mock_end(podi_flow_t *f, void *ctx);
static podi_rc_t mock_tick(podi_flow_t *f, void *ctx);
static podi_rc_t mock_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static podi_rc_t mock_fail(podi_job_t *job);


const podi_step_t  runner_mock_steps[] = {
    { "fetching the input",    mock_open,    PODI_MAY_FAIL },
    { "doing as if",           mock_fetched, 0 },
    { "storing the result",    mock_deliver, 0 },
    { "delivering",            mock_end,     0 },
    podi_null_step
};

static const podi_step_t  mock_ticks[] = {
    { "telling the progress", mock_tick, 0 },
    podi_null_step
};


static podi_rc_t
mock_open(podi_flow_t *f, void *ctx)
{
    podi_job_t  *job = ctx;
    mock_run_t  *m = job->data;

    if (podi_input_open(f, job, &runnerd.files, 0, &m->input) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_input_fetch(f, job, &runnerd.files, &m->input);
}


static podi_rc_t
mock_fetched(podi_flow_t *f, void *ctx)
{
    podi_rc_t    rc;
    podi_str_t   what;
    podi_job_t  *job = ctx;
    mock_run_t  *m = job->data;

    rc = podi_input_fetched(f, job, &m->input);
    if (rc != PODI_OK) {
        return rc;
    }

    what = podi_json_str(json_object_get(m->head.executor, "mock"));

    if (podi_str_eq_c(&what, "fail")) {
        return mock_fail(job);
    }

    if (!podi_str_eq_c(&what, "slow")) {
        return PODI_OK;
    }

    m->seconds = json_integer_value(json_object_get(job->params, "seconds"));

    if (m->seconds < 1) {
        return PODI_OK;
    }

    return runner_again(f, job->mem, mock_ticks, mock_next, job,
                        &m->again);
}


/* a code that there is not is told like any that nobody understands */

static podi_rc_t
mock_fail(podi_job_t *job)
{
    podi_str_t    code;
    podi_error_e  error;

    code = podi_json_str(json_object_get(job->params, "code"));
    error = podi_error_by_code(&code);

    if (error == PODI_E_NONE) {
        return podi_job_fail(job, PODI_E_BAD_FIELD,
                             "there is no code \"" PODI_STR_FMT "\"",
                             podi_str_arg(&code));
    }

    return podi_job_fail(job, error, "as it was asked to");
}


static podi_rc_t
mock_tick(podi_flow_t *f, void *ctx)
{
    podi_job_t  *job = ctx;
    mock_run_t  *m = job->data;

    (void) f;

    podi_job_progress(job, (unsigned) (70 * m->spent++ / m->seconds));

    return PODI_DONE;
}


static podi_rc_t
mock_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t  *job = ctx;
    mock_run_t  *m = job->data;

    (void) rc;
    (void) fail;

    *ret_wait = MOCK_TICK;

    return (m->spent > m->seconds || podi_worker_is_draining(job->worker))
           ? PODI_DONE : PODI_AGAIN;
}


static podi_rc_t
mock_deliver(podi_flow_t *f, void *ctx)
{
    podi_job_t         *job = ctx;
    mock_run_t         *m = job->data;
    podi_result_ask_t   ask = {
        .files = &runnerd.files,
        .picture = &runnerd.picture,
        .store = m->input.store,
        .fd = m->input.fd,
        .base = m->input.name,
    };

    if (m->seconds > 0 && m->spent <= m->seconds) {
        return podi_job_defer(job, MOCK_TICK, PODI_E_UNAVAILABLE,
                              "who did as if is stopping");
    }

    return podi_result_make(f, job, &ask);
}


static podi_rc_t
mock_end(podi_flow_t *f, void *ctx)
{
    podi_str_t            results;
    podi_job_t           *job = ctx;
    const podi_result_t  *result = f->result;

    if (podi_result_list(job->mem, &result, 1, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_job_succeed(job, &results);
}
