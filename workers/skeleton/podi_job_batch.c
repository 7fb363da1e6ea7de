/*
 * podi_job_batch: the endings of several jobs, told in one call.
 *
 *     ending -> waiting -> sent: at most 32, one call at a time -> answered
 *                  ^         |
 *                  |         |-- no answer: each after its back-off
 *                  |         |-- what one of them says sinks the call: all of
 *                  |         v   them again, each alone
 *                  '---------'
 *
 * Nobody waits for others to end: a call takes what has ended by then, and
 * what ends while it is under way goes with the next.
 *
 * Promises: an item that PostgreSQL refuses is only its own matter; events and
 * hints are told after the commit.
 */

#include <stdio.h>

#include "podi_assert.h"
#include "podi_fault.h"
#include "podi_queue.h"
#include "podi_worker_int.h"
#include "banned.h"

#define BATCH_MAX  32


static void batch_next(void *data);
static podi_rc_t batch_log(podi_flow_t *f, void *ctx);
static podi_rc_t batch_ask(podi_flow_t *f, void *ctx);
static void batch_item(podi_buf_t *b, const podi_held_t *held);
static podi_rc_t batch_read(podi_flow_t *f, void *ctx);
static void batch_verdict(podi_jobs_t *jobs, podi_flow_t *f, int row);
static podi_held_t *batch_find(podi_jobs_t *jobs, const podi_str_t *id);
static void batch_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void batch_alone(podi_jobs_t *jobs);


static const podi_step_t  batch_steps[] = {
    { "keeping log lines", batch_log, PODI_MAY_FAIL },
    { "settling jobs", batch_ask, 0 },
    { "reading the verdicts", batch_read, 0 },
    podi_null_step
};


podi_rc_t
podi_batch_create(podi_jobs_t *jobs)
{
    podi_list_init(&jobs->ending);
    podi_list_init(&jobs->sent);
    jobs->batch_post.run = batch_next;
    jobs->batch_post.data = jobs;
    jobs->batch_arena = podi_arena_create();

    return jobs->batch_arena != NULL ? PODI_OK : PODI_ERROR;
}


void
podi_batch_free(podi_jobs_t *jobs)
{
    jobs->worker->io->unpost(&jobs->batch_post);
    podi_flow_cancel(&jobs->batch);
    podi_arena_free(&jobs->batch_arena);
}


/* at the end of this turn of the loop: several jobs often end at once */

void
podi_batch_add(podi_held_t *held)
{
    podi_jobs_t  *jobs = held->jobs;

    podi_list_append(&jobs->ending, &held->ending);
    jobs->worker->io->post(jobs->worker->io, &jobs->batch_post);
}


static void
batch_next(void *data)
{
    unsigned      n;
    podi_held_t  *held;
    podi_jobs_t  *jobs = data;
    podi_link_t  *link, *tmp;

    if (podi_flow_is_active(&jobs->batch)
        || podi_list_is_empty(&jobs->ending))
    {
        return;
    }

    n = 0;

    podi_list_each_safe(link, tmp, &jobs->ending) {
        held = podi_list_owner(link, podi_held_t, ending);

        if (n > 0 && (n == BATCH_MAX || held->alone)) {
            break;
        }

        podi_list_remove(&held->ending);
        podi_list_append(&jobs->sent, &held->ending);
        n++;

        if (held->alone) {
            break;
        }
    }

    podi_metric_add(jobs->worker, "podi_worker_settle_calls_total", "", 1);

    podi_arena_reset(jobs->batch_arena);
    podi_flow_start(&jobs->batch, batch_steps, jobs,
                    podi_arena_mem(jobs->batch_arena), batch_end);
}


/* while the fences are good; who cannot keep his lines ends all the same */

static podi_rc_t
batch_log(podi_flow_t *f, void *ctx)
{
    podi_jobs_t  *jobs = ctx;

    f->fail.error = PODI_E_NONE;

    return podi_job_log_flush(jobs, f, &jobs->sent);
}


static podi_rc_t
batch_ask(podi_flow_t *f, void *ctx)
{
    podi_buf_t       b;
    podi_str_t       text;
    podi_jobs_t     *jobs = ctx;
    podi_link_t     *link;
    podi_pg_call_t   call;

    podi_job_log_kept(jobs->worker, f);
    podi_buf_init(&b, f->mem);

    podi_list_each(link, &jobs->sent) {
        podi_buf_add_byte(&b, link == jobs->sent.next ? '[' : ',');
        batch_item(&b, podi_list_owner(link, podi_held_t, ending));
    }

    podi_buf_add_byte(&b, ']');

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    PODI_FAULT(settle_ask);
    podi_pg_call_init(&call, PODI_SQL_JOB_SETTLE, f->mem);
    podi_arg_str(&call, &text);

    return podi_pg_call(jobs->worker->pg, f, &call);
}


static void
batch_item(podi_buf_t *b, const podi_held_t *held)
{
    podi_str_t  text;

    podi_buf_printf(b, "{\"job_id\":\"" PODI_STR_FMT "\",\"fence\":%lld,"
                    "\"state\":\"%s\"", podi_str_arg(&held->job.id),
                    (long long) held->job.fence, podi_job_end_name(held->end));

    if (held->end == PODI_JOB_SUCCEEDED) {
        podi_buf_add_c(b, ",\"results\":");
        podi_buf_add_c(b, held->results.len > 0 ? "" : "[]");
        podi_buf_add_str(b, &held->results);

    } else {
        text = podi_str_c(held->detail);
        podi_buf_printf(b, ",\"error_code\":\"%s\",\"error_detail\":",
                        podi_error(held->error)->code);
        podi_buf_add_json(b, &text);
    }

    podi_job_usage_write(b, held);
    podi_buf_add_byte(b, '}');
}


static podi_rc_t
batch_read(podi_flow_t *f, void *ctx)
{
    int             i, rows;
    podi_str_t      events, hints;
    podi_jobs_t    *jobs = ctx;
    podi_worker_t  *w = jobs->worker;

    rows = podi_rows(f->result);
    PODI_FAULT(settle_told);

    if (rows > 0) {
        events = podi_row_str(f->result, 0, "_events");
        hints = podi_row_str(f->result, 0, "_hints");
        podi_worker_publish(w, f->mem, &events);

        if (podi_worker_redis_is_up(w)) {
            /* what is not pushed is in the rows for podi_dispatchd */
            (void) podi_queue_push_hints(w->redis, f->mem, &hints);
        }
    }

    PODI_FAULT(settle_free);

    for (i = 0; i < rows; i++) {
        batch_verdict(jobs, f, i);
    }

    return PODI_DONE;
}


static void
batch_verdict(podi_jobs_t *jobs, podi_flow_t *f, int row)
{
    podi_str_t    id, verdict, text;
    podi_held_t  *held;

    id = podi_row_str(f->result, row, "job_id");
    held = batch_find(jobs, &id);

    if (held == NULL) {
        return;
    }

    verdict = podi_row_str(f->result, row, "verdict");
    held->heard = 1;

    if (podi_str_eq_c(&verdict, "REFUSED")) {
        text = podi_row_str(f->result, row, "error_detail");
        (void) podi_fail(&held->refusal, PODI_E_BAD_FIELD, NULL, PODI_STR_FMT,
                         podi_str_arg(&text));
        return;
    }

    held->answered = 1;
    podi_settle_answered(held, &verdict);
}


static podi_held_t *
batch_find(podi_jobs_t *jobs, const podi_str_t *id)
{
    podi_held_t  *held;
    podi_link_t  *link;

    podi_list_each(link, &jobs->sent) {
        held = podi_list_owner(link, podi_held_t, ending);

        if (!held->heard && podi_str_eq(&held->job.id, id)) {
            return held;
        }
    }

    return NULL;
}


static void
batch_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    podi_held_t  *held;
    podi_jobs_t  *jobs = ctx;

    if (rc == PODI_ERROR && f->fail.error != PODI_E_UNAVAILABLE
        && f->fail.error != PODI_E_DEADLINE
        && jobs->sent.next->next != &jobs->sent)
    {
        batch_alone(jobs);
    }

    while (!podi_list_is_empty(&jobs->sent)) {
        held = podi_list_owner(jobs->sent.next, podi_held_t, ending);
        podi_list_remove(&held->ending);
        held->heard = 0;

        if (held->answered) {
            podi_job_free(held);

        } else if (rc == PODI_ERROR) {
            podi_settle_again(held, &f->fail, f->now->name);

        } else {
            if (held->refusal.error == PODI_E_NONE) {
                (void) podi_fail(&held->refusal, PODI_E_INTERNAL, NULL,
                                 "no verdict");
            }

            podi_settle_again(held, &held->refusal, "settling jobs");
            held->refusal.error = PODI_E_NONE;
        }
    }

    jobs->worker->io->post(jobs->worker->io, &jobs->batch_post);
}


static void
batch_alone(podi_jobs_t *jobs)
{
    podi_held_t  *held;

    podi_metric_add(jobs->worker, "podi_worker_settle_split_total", "", 1);

    while (!podi_list_is_empty(&jobs->sent)) {
        held = podi_list_owner(jobs->sent.next, podi_held_t, ending);
        held->alone = 1;
        podi_list_remove(&held->ending);
        podi_list_append(&jobs->ending, &held->ending);
    }
}
