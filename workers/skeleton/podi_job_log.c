/*
 * podi_job_log: what a job says while it runs, for its user to read.
 *
 *     podi_job_log -> redacted, kept -> with the beat, and before the ending
 *                                       -> sys.job_log
 *
 * Promises: a line costs no round trip; a job that talks too much is cut
 * short, here and there; no line is worth failing a job for: what cannot be
 * kept is counted and gone.
 */

#include <stdarg.h>
#include <stdio.h>

#include "podi_redact.h"
#include "podi_worker_int.h"
#include "banned.h"

#define LOG_LINES  200          /* of a job; sys.job_log keeps no more */
#define LOG_LINE   1000         /* bytes */


static podi_rc_t log_ask(podi_flow_t *f, void *ctx);
static podi_rc_t log_kept(podi_flow_t *f, void *ctx);
static void log_add(podi_buf_t *b, podi_held_t *held);
static podi_rc_t log_send(podi_jobs_t *jobs, podi_flow_t *f, podi_buf_t *b);


const podi_step_t  podi_job_log_steps[] = {
    { "keeping log lines", log_ask, PODI_MAY_FAIL },
    { "having kept them", log_kept, 0 },
    podi_null_step
};


void
podi_job_log(podi_job_t *job, podi_log_e level, const char *fmt, ...)
{
    char            line[LOG_LINE];
    int             n;
    va_list         args;
    podi_str_t      text;
    podi_held_t    *held;
    unsigned char   at[PODI_RFC3339_LEN + 1];

    held = podi_list_owner(job, podi_held_t, job);

    if (held->log_lines > LOG_LINES) {
        return;                         /* one more, so that it is seen */
    }

    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);

    if (n <= 0) {
        return;
    }

    if (held->log_arena == NULL) {
        held->log_arena = podi_arena_create();

        if (held->log_arena == NULL) {
            return;
        }

        podi_buf_init(&held->log, podi_arena_mem(held->log_arena));
    }

    podi_time_rfc3339(podi_time_now(), at);
    at[PODI_RFC3339_LEN] = '\0';

    text.data = (unsigned char *) line;
    text.len = podi_redact(line, (size_t) n < sizeof(line) ? (size_t) n
                                                           : sizeof(line) - 1);
    podi_str_clean(&text);

    podi_buf_printf(&held->log, "%s{\"at\":\"%s\",\"level\":\"%s\",\"line\":",
                    held->log.len > 0 ? "," : "", at,
                    level == PODI_LOG_ERROR ? "error"
                    : level == PODI_LOG_WARN ? "warn" : "info");
    podi_buf_add_json(&held->log, &text);
    podi_buf_add_byte(&held->log, '}');
    held->log_lines++;
}


/* ---- the round ----------------------------------------------------------- */

static podi_rc_t
log_ask(podi_flow_t *f, void *ctx)
{
    podi_buf_t     b;
    podi_jobs_t   *jobs;
    podi_link_t   *link;
    podi_round_t  *round = ctx;

    jobs = round->worker->jobs;
    podi_buf_init(&b, f->mem);

    podi_list_each(link, &jobs->held) {
        log_add(&b, podi_list_owner(link, podi_held_t, link));
    }

    return b.len == 0 ? PODI_DONE : log_send(jobs, f, &b);
}


static podi_rc_t
log_kept(podi_flow_t *f, void *ctx)
{
    podi_round_t  *round = ctx;

    podi_job_log_kept(round->worker, f);

    return PODI_DONE;
}


/* ---- before an ending ---------------------------------------------------- */

podi_rc_t
podi_job_log_flush(podi_jobs_t *jobs, podi_flow_t *f, podi_link_t *ending)
{
    podi_buf_t    b;
    podi_link_t  *link;

    podi_buf_init(&b, f->mem);

    podi_list_each(link, ending) {
        log_add(&b, podi_list_owner(link, podi_held_t, ending));
    }

    return b.len == 0 ? PODI_OK : log_send(jobs, f, &b);
}


/* in the step behind it */

void
podi_job_log_kept(podi_worker_t *w, podi_flow_t *f)
{
    if (f->fail.error != PODI_E_NONE) {
        podi_metric_add(w, "podi_worker_log_lost_total", "", 1);
        f->fail.error = PODI_E_NONE;
    }
}


void
podi_job_log_free(podi_held_t *held)
{
    podi_arena_free(&held->log_arena);
}


/* an item of the array; what it has said is not kept here any more */

static void
log_add(podi_buf_t *b, podi_held_t *held)
{
    podi_str_t  lines;

    if (held->log_arena == NULL || held->log.len == 0
        || podi_buf_take(&held->log, &lines) != PODI_OK)
    {
        return;
    }

    podi_buf_printf(b, "%c{\"job_id\":\"" PODI_STR_FMT "\",\"fence\":%lld,"
                    "\"lines\":[", b->len == 0 ? '[' : ',',
                    podi_str_arg(&held->job.id), (long long) held->job.fence);
    podi_buf_add_str(b, &lines);
    podi_buf_add_c(b, "]}");

    podi_arena_reset(held->log_arena);
    podi_buf_init(&held->log, podi_arena_mem(held->log_arena));
}


static podi_rc_t
log_send(podi_jobs_t *jobs, podi_flow_t *f, podi_buf_t *b)
{
    podi_str_t       text;
    podi_pg_call_t   call;

    podi_buf_add_byte(b, ']');

    if (podi_buf_take(b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    f->fail.error = PODI_E_NONE;
    podi_pg_call_init(&call, PODI_SQL_JOB_LOG_PUT, f->mem);
    podi_arg_str(&call, &text);

    return podi_pg_call(jobs->worker->pg, f, &call);
}
