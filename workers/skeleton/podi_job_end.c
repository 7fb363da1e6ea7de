/*
 * podi_job_end: what an action says to the skeleton about its job.
 *
 * The first ending counts; a job that was stopped meanwhile has had its own.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_worker_int.h"
#include "banned.h"


static podi_rc_t job_end(podi_job_t *job, podi_job_end_e end,
    podi_error_e error, const char *fmt, va_list args);


static podi_rc_t
job_end(podi_job_t *job, podi_job_end_e end, podi_error_e error,
    const char *fmt, va_list args)
{
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);

    if (held->end == PODI_JOB_NONE) {
        held->end = end;
        held->error = error;
        (void) vsnprintf(held->detail, sizeof(held->detail), fmt, args);
    }

    return PODI_DONE;
}


podi_rc_t
podi_job_succeed(podi_job_t *job, const podi_str_t *results)
{
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);

    if (held->end == PODI_JOB_NONE) {
        held->end = PODI_JOB_SUCCEEDED;

        if (results != NULL
            && podi_mem_dup(job->mem, results, &held->results) != PODI_OK)
        {
            held->end = PODI_JOB_RETRIED;
            held->error = PODI_E_INTERNAL;
        }
    }

    return PODI_DONE;
}


podi_rc_t
podi_job_fail(podi_job_t *job, podi_error_e error, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) job_end(job, PODI_JOB_FAILED, error, fmt, args);
    va_end(args);

    return PODI_DONE;
}


podi_rc_t
podi_job_retry(podi_job_t *job, podi_error_e error, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) job_end(job, PODI_JOB_RETRIED, error, fmt, args);
    va_end(args);

    return PODI_DONE;
}


podi_rc_t
podi_job_defer(podi_job_t *job, podi_msec_t delay, podi_error_e error,
    const char *fmt, ...)
{
    va_list       args;
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);

    if (held->end == PODI_JOB_NONE) {
        held->delay = delay;
    }

    va_start(args, fmt);
    (void) job_end(job, PODI_JOB_DEFERRED, error, fmt, args);
    va_end(args);

    return PODI_DONE;
}


void
podi_job_usage(podi_job_t *job, const char *meter, int64_t n)
{
    unsigned      i;
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);

    for (i = 0; i < PODI_USAGE_MAX; i++) {
        if (held->usage[i].meter == NULL
            || strcmp(held->usage[i].meter, meter) == 0)
        {
            held->usage[i].meter = meter;
            held->usage[i].n += n;
            return;
        }
    }

    podi_assert(!"a job has more meters than there are");
}


void
podi_job_cost(podi_job_t *job, int64_t micros)
{
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);
    held->cost = (held->cost < 0) ? micros : held->cost + micros;
}


void
podi_job_usage_json(podi_buf_t *b, const podi_held_t *held)
{
    unsigned  i;

    podi_buf_add_byte(b, '{');

    for (i = 0; i < PODI_USAGE_MAX && held->usage[i].meter != NULL; i++) {
        podi_buf_printf(b, "%s\"%s\":%lld", i == 0 ? "" : ",",
                        held->usage[i].meter, (long long) held->usage[i].n);
    }

    podi_buf_add_byte(b, '}');
}


void
podi_job_usage_write(podi_buf_t *b, const podi_held_t *held)
{
    podi_buf_add_c(b, ",\"usage\":");
    podi_job_usage_json(b, held);

    if (held->cost >= 0) {
        podi_buf_printf(b, ",\"cost_micros\":%lld",
                        (long long) held->cost);
    }
}


int
podi_job_is_wanted(const podi_job_t *job)
{
    const podi_held_t  *held;

    held = (const podi_held_t *) (const void *)
           ((const char *) job - offsetof(podi_held_t, job));

    return held->end == PODI_JOB_NONE;
}


int
podi_job_is_over(const podi_job_t *job)
{
    const podi_held_t  *held;

    held = (const podi_held_t *) (const void *)
           ((const char *) job - offsetof(podi_held_t, job));

    return held->end == PODI_JOB_CANCELLED || held->end == PODI_JOB_FAILED;
}


/*
 * What may pass by itself is the server's trouble; any other end is an answer
 * of his, too.
 */

podi_breaker_outcome_e
podi_job_outcome(const podi_held_t *held)
{
    switch (held->end) {

    case PODI_JOB_SUCCEEDED:
        return PODI_BREAKER_GOOD;

    case PODI_JOB_FAILED:
    case PODI_JOB_RETRIED:
    case PODI_JOB_DEFERRED:
        return podi_error(held->error)->retry == PODI_RETRY_LATER
               ? PODI_BREAKER_BAD : PODI_BREAKER_GOOD;

    default:
        return PODI_BREAKER_UNKNOWN;
    }
}
