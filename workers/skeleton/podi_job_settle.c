/*
 * podi_job_settle: telling PostgreSQL how a job ended, until it answers.
 *
 *     SETTLING -> asked with others (podi_job_batch)
 *                     -> OK | ALREADY        -> freed
 *                     -> MISMATCH | STALE    -> freed, somebody must look
 *                     -> no answer           -> back-off -> ask again
 *                     -> refused             -> settled as failed instead
 *
 * Sending it again is safe: the fence decides, and the same word twice is
 * answered ALREADY.  The job keeps its gates and its lease meanwhile.  While it
 * waits for its first answer the next may be claimed; who must ask again is in
 * the way, so that what waits here is bounded by twice the concurrency, and by
 * settle_timeout.
 */

#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_redact.h"
#include "podi_retry.h"
#include "podi_worker_int.h"
#include "banned.h"

#define SETTLE_BACKOFF      100
#define SETTLE_BACKOFF_MAX  2000
#define SETTLE_BUG_TRIES    5       /* of answers that only we can mend */


static void settle_clean(podi_held_t *held);
static void settle_give_in(podi_held_t *held, const char *text);
static void settle_count(podi_held_t *held);
static uint32_t settle_random(void);


/* by podi_job_end_e */
static const char *const  settle_names[] = {
    "none", "succeeded", "failed", "cancelled", "retried", "deferred",
    "returned", "lost"
};


const char *
podi_job_end_name(podi_job_end_e end)
{
    return settle_names[end];
}


void
podi_job_settle(podi_held_t *held)
{
    podi_jobs_t  *jobs = held->jobs;

    podi_assert(held->end != PODI_JOB_NONE && held->end != PODI_JOB_LOST);

    if (held->state != PODI_JOB_SETTLING) {
        held->state = PODI_JOB_SETTLING;
        held->settle_since = podi_time_mono();
        held->light = 1;
        jobs->n_light++;
        podi_breaker_report_all(held);
        settle_clean(held);

        if (held->end == PODI_JOB_RETRIED) {
            held->delay = podi_retry_delay(held->job.attempt,
                                           jobs->worker->set->retry_base,
                                           jobs->worker->set->retry_max,
                                           settle_random());
        }
    }

    if (held->end == PODI_JOB_SUCCEEDED || held->end == PODI_JOB_FAILED
        || held->end == PODI_JOB_CANCELLED)
    {
        podi_batch_add(&jobs->settles, held);

    } else {
        podi_batch_add(&jobs->retries, held);
    }

    podi_jobs_kick(jobs);
}


/* it ends up on the job and in its event: no secrets, nothing but text */

static void
settle_clean(podi_held_t *held)
{
    podi_str_t  detail;

    detail.data = (unsigned char *) held->detail;
    detail.len = podi_redact(held->detail, strlen(held->detail));
    podi_str_clean(&detail);
    held->detail[detail.len] = '\0';
}


void
podi_job_heavy(podi_held_t *held)
{
    held->jobs->n_light -= held->light;
    held->light = 0;
}


void
podi_settle_answered(podi_held_t *held, const podi_str_t *verdict)
{
    int  good;

    good = podi_str_eq_c(verdict, "OK") || podi_str_eq_c(verdict, "ALREADY");

    podi_worker_log(held->jobs->worker, good ? PODI_LOG_INFO : PODI_LOG_WARN,
                    good ? "job.settled" : "job.refused", &held->job,
                    "%s (%s) after %llu ms, attempt %u, fence %lld: "
                    PODI_STR_FMT,
                    settle_names[held->end], podi_error(held->error)->code,
                    (unsigned long long) (held->settle_since - held->started),
                    held->job.attempt, (long long) held->job.fence,
                    podi_str_arg(verdict));

    settle_count(held);
}


void
podi_settle_again(podi_held_t *held, const podi_fail_t *fail,
    const char *doing)
{
    char            text[512];
    podi_msec_t     delay;
    podi_error_e    error = fail->error;
    podi_worker_t  *w = held->jobs->worker;

    podi_job_heavy(held);
    held->settle_tries++;
    podi_metric_add(w, "podi_worker_settle_again_total", "", 1);
    podi_fail_text(fail, text, sizeof(text));

    if (held->settle_tries == 1) {
        podi_worker_log(w, PODI_LOG_WARN, "job.settle_again", &held->job,
                        "failed while %s: %s", doing, text);
    }

    if (podi_time_mono() - held->settle_since > w->set->settle_timeout) {
        podi_worker_log(w, PODI_LOG_ERROR, "job.unsettled", &held->job,
                        "left to its lease: %s", text);
        held->unsettled = 1;
        podi_job_free(held);
        return;
    }

    if (error != PODI_E_UNAVAILABLE && error != PODI_E_DEADLINE
        && (error != PODI_E_INTERNAL
            || held->settle_tries >= SETTLE_BUG_TRIES))
    {
        settle_give_in(held, text);
    }

    delay = podi_retry_delay(held->settle_tries + 1, SETTLE_BACKOFF,
                             SETTLE_BACKOFF_MAX, settle_random());
    w->io->arm(held->timer, delay);
}


/* what can be refused is left out: the result first, then what was used */

static void
settle_give_in(podi_held_t *held, const char *text)
{
    podi_worker_t  *w = held->jobs->worker;

    if (held->end != PODI_JOB_FAILED) {
        podi_worker_log(w, PODI_LOG_ERROR, "job.settle_refused", &held->job,
                        "%s: settled as failed instead", text);
        held->end = PODI_JOB_FAILED;
        held->error = PODI_E_INTERNAL;
        (void) snprintf(held->detail, sizeof(held->detail),
                        "the result was refused");
        held->settle_tries = 0;
        return;
    }

    if (held->usage[0].meter == NULL && held->cost < 0) {
        return;
    }

    podi_worker_log(w, PODI_LOG_ERROR, "job.settle_refused", &held->job,
                    "%s: settled without what it used instead", text);
    held->usage[0].meter = NULL;
    held->cost = -1;
    held->settle_tries = 0;
}


static void
settle_count(podi_held_t *held)
{
    char            labels[96];
    podi_worker_t  *w = held->jobs->worker;

    (void) snprintf(labels, sizeof(labels), "outcome=\"%s\"",
                    settle_names[held->end]);
    podi_metric_add(w, "podi_worker_jobs_total", labels, 1);
    podi_metric_add(w, "podi_worker_job_seconds_total", labels,
                    (double) (held->settle_since - held->started) / 1000);
}


static uint32_t
settle_random(void)
{
    uint32_t  random;

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = UINT32_MAX / 2;
    }

    return random;
}
