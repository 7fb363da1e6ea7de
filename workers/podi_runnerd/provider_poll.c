/*
 * provider_poll: a third party is asked how it is, until it is at its end.
 *
 *     queued, running  again after a while, which grows
 *     done             its result is asked for, where that is one more step
 *     failed           by the class of what they say
 *     no answer        again, until its time is over
 *     not known there  it may be shown late: lost when it was not there twice,
 *                      three times when it never was, each time after a gap
 *     our key, money   the next attempt looks again: it is there still
 *     they have called the wait is shorter (provider_hook.c)
 */

#include <string.h>

#include "podi_fault.h"
#include "provider.h"
#include "banned.h"


#define POLL_MISSES  2              /* of what was seen there; else one more */
#define POLL_GAP     2000           /* ms, between them */
#define POLL_AWAY    5000           /* ms, when they do not answer */
#define POLL_AHEAD   1000000        /* more are as many */


static podi_rc_t poll_ask(podi_flow_t *f, void *ctx);
static podi_rc_t poll_read(podi_flow_t *f, void *ctx);
static podi_rc_t poll_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static podi_rc_t poll_state(podi_flow_t *f, provider_run_t *run,
    const podi_provider_answer_t *a);
static podi_rc_t poll_done(podi_flow_t *f, provider_run_t *run);
static void poll_other(provider_run_t *run, const podi_provider_answer_t *a);
static void poll_told(provider_run_t *run, const podi_provider_answer_t *a);
static void poll_missed(provider_run_t *run);
static void poll_later(provider_run_t *run);


static const podi_step_t  poll_steps[] = {
    { "noting it again",        provider_note_again,  PODI_MAY_FAIL },
    { "reading whether it was", provider_noted_again, 0 },
    { "looking for its keys",   provider_keys_again,  PODI_MAY_FAIL },
    { "opening new ones",       provider_keys_seen,   0 },
    { "asking how it is",       poll_ask,             PODI_MAY_FAIL },
    { "parsing the answer",     provider_read,        0 },
    { "reading the answer",     poll_read,            0 },
    podi_null_step
};


podi_rc_t
provider_poll(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_msec_t      now = podi_time_mono();
    provider_run_t  *run = job->data;

    if (run->fate != PROVIDER_GOES_ON) {
        return PODI_OK;
    }

    PODI_FAULT(third_begun);
    podi_job_progress(job, 5);

    run->step = PODI_PROVIDER_POLL;
    run->pace = (podi_msec_t) run->facts->first_ms;
    run->miss_due = now + run->pace + POLL_GAP;
    run->deadline = now + (podi_msec_t) run->facts->deadline_s * 1000;

    if (provider_hook_follow(run) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return runner_again(f, job->mem, poll_steps, poll_next, job,
                        &run->hook.poll);
}


static podi_rc_t
poll_ask(podi_flow_t *f, void *ctx)
{
    podi_rc_t        rc;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->fresh) {
        run->fresh = 0;
        run->wait = (podi_msec_t) run->facts->first_ms;
        return PODI_DONE;
    }

    run->wait = runner_provider_poll(run->provider, run->facts, 0);

    if (run->wait > 0) {
        return PODI_DONE;
    }

    provider_hook_polls(run);
    rc = provider_call(f, run, run->step);

    if (rc == PODI_ERROR) {
        run->keeps = 1;
        provider_fate(run, PROVIDER_RETRIES,
                      f->fail.error == PODI_E_CONFIG ? PODI_E_PROVIDER_AUTH
                                                     : PODI_E_EXECUTOR_FAILED,
                      "%s", f->fail.detail);
        return PODI_DONE;
    }

    return rc;
}


static podi_rc_t
poll_read(podi_flow_t *f, void *ctx)
{
    podi_rc_t                rc;
    podi_job_t              *job = ctx;
    provider_run_t          *run = job->data;
    podi_provider_answer_t   a;

    PODI_FAULT(third_seen);

    if (provider_answer(f, run, f->mem, &a) != PODI_OK) {
        return PODI_ERROR;
    }

    if (a.cost >= 0) {
        run->cost = a.cost;
    }

    poll_later(run);
    rc = poll_state(f, run, &a);

    return rc == PODI_OK ? PODI_DONE : rc;
}


static podi_rc_t
poll_state(podi_flow_t *f, provider_run_t *run,
    const podi_provider_answer_t *a)
{
    switch (a->state) {

    case PODI_REMOTE_QUEUED:
    case PODI_REMOTE_RUNNING:
        run->misses = 0;
        run->seen = 1;
        run->answer.state = a->state;
        poll_told(run, a);
        return PODI_OK;

    case PODI_REMOTE_DONE:
        return poll_done(f, run);

    case PODI_REMOTE_FAILED:
        provider_judge(run, a);
        return PODI_OK;

    case PODI_REMOTE_CANCELED:
        provider_fate(run, PROVIDER_RETRIES, PODI_E_EXECUTOR_FAILED,
                      "somebody has cancelled it at " PODI_STR_FMT,
                      podi_str_arg(&run->provider->name));
        return PODI_OK;

    default:
        poll_other(run, a);
        return PODI_OK;
    }
}


/* how far it is, and how many are before it, as they say */

static void
poll_told(provider_run_t *run, const podi_provider_answer_t *a)
{
    podi_event_where_t  where = { .ahead = -1 };

    podi_job_progress(run->job, a->progress > 5 ? (unsigned) a->progress : 5);

    if (a->state == PODI_REMOTE_RUNNING) {
        where.ahead = 0;

    } else if (a->position >= 0) {
        where.ahead = a->position < POLL_AHEAD ? (int) a->position
                                               : POLL_AHEAD;
    }

    if (where.ahead != run->ahead) {
        run->ahead = where.ahead;
        podi_job_where(run->job, &where);
    }
}


/* read once more, into memory that lasts */

static podi_rc_t
poll_done(podi_flow_t *f, provider_run_t *run)
{
    if (run->facts->has_result && run->step == PODI_PROVIDER_POLL) {
        run->step = PODI_PROVIDER_RESULT;
        run->wait = 0;
        return PODI_OK;
    }

    provider_made(run, podi_time_now());

    return provider_answer(f, run, run->job->mem, &run->answer);
}


static void
poll_other(provider_run_t *run, const podi_provider_answer_t *a)
{
    podi_msec_t  after;

    switch (a->class) {

    case PODI_PROVIDER_EXPIRED:
        poll_missed(run);
        return;

    case PODI_PROVIDER_OK:
    case PODI_PROVIDER_RETRYABLE:
    case PODI_PROVIDER_UNKNOWN:
        run->wait = run->wait > POLL_AWAY ? run->wait : POLL_AWAY;
        run->wait = run->wait > (podi_msec_t) run->facts->max_ms
                    ? (podi_msec_t) run->facts->max_ms : run->wait;
        return;

    case PODI_PROVIDER_THROTTLED:
        after = provider_after(run, a->retry_after);
        run->wait = after > run->wait ? after : run->wait;
        runner_provider_throttled(run->provider, run->wait);
        provider_hook_pause(run, run->wait);
        return;

    case PODI_PROVIDER_QUOTA:
    case PODI_PROVIDER_AUTH:

        if (provider_clock(run, a)) {
            return;
        }

        run->keeps = 1;
        provider_judge(run, a);
        return;

    default:
        provider_judge(run, a);
    }
}


/* who takes a late one for lost asks for it again, and pays twice */

static void
poll_missed(provider_run_t *run)
{
    unsigned     most = run->seen ? POLL_MISSES : POLL_MISSES + 1;
    podi_msec_t  now = podi_time_mono();

    if (now < run->miss_due) {
        return;
    }

    run->miss_due = now + POLL_GAP;

    if (++run->misses == most) {
        provider_fate(run, PROVIDER_RETRIES, PODI_E_EXECUTOR_FAILED,
                      PODI_STR_FMT " does not know it any more",
                      podi_str_arg(&run->provider->name));
    }
}


static void
poll_later(provider_run_t *run)
{
    run->wait = run->pace;
    run->pace = run->pace * (podi_msec_t) run->facts->factor / 100;

    if (run->pace > (podi_msec_t) run->facts->max_ms) {
        run->pace = (podi_msec_t) run->facts->max_ms;
    }
}


static podi_rc_t
poll_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t      *job = ctx;
    podi_msec_t      now = podi_time_mono();
    provider_run_t  *run = job->data;

    (void) fail;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    if (run->fate != PROVIDER_GOES_ON) {
        return PODI_DONE;
    }

    if (run->facts->deadline_s > 0 && now >= run->deadline) {
        run->cancels = 1;
        provider_fate(run, PROVIDER_FAILS, PODI_E_DEADLINE,
                      PODI_STR_FMT " did not end in time",
                      podi_str_arg(&run->provider->name));
        return PODI_DONE;
    }

    if (run->facts->deadline_s > 0 && run->wait > run->deadline - now) {
        run->wait = run->deadline - now;
    }

    *ret_wait = provider_hook_wait(run, run->wait);

    return *ret_wait > 0 ? PODI_AGAIN : PODI_OK;
}
