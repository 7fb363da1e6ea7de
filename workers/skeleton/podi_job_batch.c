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
 * Two of them, side by side: what is over is settled; what shall be tried
 * again, by us later or by another, goes back.
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
static void batch_item_settle(podi_buf_t *b, const podi_held_t *held);
static void batch_item_retry(podi_buf_t *b, const podi_held_t *held);
static void batch_why(podi_buf_t *b, const podi_held_t *held);
static podi_rc_t batch_read(podi_flow_t *f, void *ctx);
static void batch_read_settle(podi_worker_t *w, podi_flow_t *f);
static void batch_verdict(podi_batch_t *batch, podi_flow_t *f, int row);
static podi_held_t *batch_find(podi_batch_t *batch, const podi_str_t *id);
static void batch_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void batch_alone(podi_batch_t *batch);


static const podi_step_t  batch_settle_steps[] = {
    { "keeping log lines", batch_log, PODI_MAY_FAIL },
    { "settling jobs", batch_ask, 0 },
    { "reading the verdicts", batch_read, 0 },
    podi_null_step
};

static const podi_step_t  batch_retry_steps[] = {
    { "keeping log lines", batch_log, PODI_MAY_FAIL },
    { "giving jobs back", batch_ask, 0 },
    { "reading the verdicts", batch_read, 0 },
    podi_null_step
};


podi_rc_t
podi_batch_create(podi_jobs_t *jobs, podi_batch_t *batch, int retries)
{
    batch->jobs = jobs;
    batch->retries = (retries != 0);
    podi_list_init(&batch->ending);
    podi_list_init(&batch->sent);
    batch->post.run = batch_next;
    batch->post.data = batch;
    batch->arena = podi_arena_create();

    return batch->arena != NULL ? PODI_OK : PODI_ERROR;
}


void
podi_batch_free(podi_batch_t *batch)
{
    if (batch->jobs == NULL) {
        return;
    }

    batch->jobs->worker->io->unpost(&batch->post);
    podi_flow_cancel(&batch->flow);
    podi_arena_free(&batch->arena);
}


/* at the end of this turn of the loop: several jobs often end at once */

void
podi_batch_add(podi_batch_t *batch, podi_held_t *held)
{
    podi_io_t  *io = held->jobs->worker->io;

    podi_list_append(&batch->ending, &held->ending);
    io->post(io, &batch->post);
}


static void
batch_next(void *data)
{
    unsigned       n;
    podi_held_t   *held;
    podi_batch_t  *batch = data;
    podi_link_t   *link, *tmp;

    if (podi_flow_is_active(&batch->flow)
        || podi_list_is_empty(&batch->ending))
    {
        return;
    }

    n = 0;

    podi_list_each_safe(link, tmp, &batch->ending) {
        held = podi_list_owner(link, podi_held_t, ending);

        if (n > 0 && (n == BATCH_MAX || held->alone)) {
            break;
        }

        podi_list_remove(&held->ending);
        podi_list_append(&batch->sent, &held->ending);
        n++;

        if (held->alone) {
            break;
        }
    }

    podi_metric_add(batch->jobs->worker, batch->retries
                    ? "podi_worker_retry_calls_total"
                    : "podi_worker_settle_calls_total", "", 1);

    podi_arena_reset(batch->arena);
    podi_flow_start(&batch->flow, batch->retries ? batch_retry_steps
                                                 : batch_settle_steps,
                    batch, podi_arena_mem(batch->arena), batch_end);
}


/* while the fences are good; who cannot keep his lines ends all the same */

static podi_rc_t
batch_log(podi_flow_t *f, void *ctx)
{
    podi_batch_t  *batch = ctx;

    f->fail.error = PODI_E_NONE;

    return podi_job_log_flush(batch->jobs, f, &batch->sent);
}


static podi_rc_t
batch_ask(podi_flow_t *f, void *ctx)
{
    podi_buf_t       b;
    podi_str_t       text;
    podi_link_t     *link;
    podi_batch_t    *batch = ctx;
    podi_pg_call_t   call;

    podi_job_log_kept(batch->jobs->worker, f);
    podi_buf_init(&b, f->mem);

    podi_list_each(link, &batch->sent) {
        podi_buf_add_byte(&b, link == batch->sent.next ? '[' : ',');
        (batch->retries ? batch_item_retry : batch_item_settle)(&b,
            podi_list_owner(link, podi_held_t, ending));
    }

    podi_buf_add_byte(&b, ']');

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (batch->retries) {
        PODI_FAULT(retry_ask);
        podi_pg_call_init(&call, PODI_SQL_JOB_RETRY, f->mem);

    } else {
        PODI_FAULT(settle_ask);
        podi_pg_call_init(&call, PODI_SQL_JOB_SETTLE, f->mem);
    }

    podi_arg_str(&call, &text);

    return podi_pg_call(batch->jobs->worker->pg, f, &call);
}


static void
batch_item_settle(podi_buf_t *b, const podi_held_t *held)
{
    podi_buf_printf(b, "{\"job_id\":\"" PODI_STR_FMT "\",\"fence\":%lld,"
                    "\"state\":\"%s\"", podi_str_arg(&held->job.id),
                    (long long) held->job.fence, podi_job_end_name(held->end));

    if (held->end == PODI_JOB_SUCCEEDED) {
        podi_buf_add_c(b, ",\"results\":");
        podi_buf_add_c(b, held->results.len > 0 ? "" : "[]");
        podi_buf_add_str(b, &held->results);

    } else {
        batch_why(b, held);
    }

    podi_job_usage_write(b, held);
    podi_buf_add_byte(b, '}');
}


/* who stops has nothing to say about the job */

static void
batch_item_retry(podi_buf_t *b, const podi_held_t *held)
{
    const char  *kind;

    kind = (held->end == PODI_JOB_RETRIED) ? "attempt"
           : (held->end == PODI_JOB_DEFERRED) ? "deferral" : "return";

    podi_buf_printf(b, "{\"job_id\":\"" PODI_STR_FMT "\",\"fence\":%lld,"
                    "\"kind\":\"%s\",\"delay_ms\":%llu",
                    podi_str_arg(&held->job.id), (long long) held->job.fence,
                    kind, held->end == PODI_JOB_RETURNED
                          ? 0 : (unsigned long long) held->delay);

    if (held->end != PODI_JOB_RETURNED) {
        batch_why(b, held);
    }

    podi_job_usage_write(b, held);
    podi_buf_add_byte(b, '}');
}


static void
batch_why(podi_buf_t *b, const podi_held_t *held)
{
    podi_str_t  detail;

    detail = podi_str_c(held->detail);
    podi_buf_printf(b, ",\"error_code\":\"%s\",\"error_detail\":",
                    podi_error(held->error)->code);
    podi_buf_add_json(b, &detail);
}


static podi_rc_t
batch_read(podi_flow_t *f, void *ctx)
{
    int             i, rows;
    podi_str_t      events;
    podi_batch_t   *batch = ctx;
    podi_worker_t  *w = batch->jobs->worker;

    rows = podi_rows(f->result);

    if (batch->retries) {
        PODI_FAULT(retry_told);

    } else {
        PODI_FAULT(settle_told);
    }

    if (rows > 0) {
        events = podi_row_str(f->result, 0, "_events");
        podi_worker_publish(w, f->mem, &events);
    }

    if (rows > 0 && !batch->retries) {
        batch_read_settle(w, f);
    }

    for (i = 0; i < rows; i++) {
        batch_verdict(batch, f, i);
    }

    return PODI_DONE;
}


static void
batch_read_settle(podi_worker_t *w, podi_flow_t *f)
{
    podi_str_t  hints;

    if (podi_worker_redis_is_up(w)) {
        hints = podi_row_str(f->result, 0, "_hints");

        /* what is not pushed is in the rows for podi_dispatchd */
        (void) podi_queue_push_hints(w->redis, f->mem, &hints);
    }

    PODI_FAULT(settle_free);
}


static void
batch_verdict(podi_batch_t *batch, podi_flow_t *f, int row)
{
    podi_str_t    id, verdict, text;
    podi_held_t  *held;

    id = podi_row_str(f->result, row, "job_id");
    held = batch_find(batch, &id);

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
batch_find(podi_batch_t *batch, const podi_str_t *id)
{
    podi_held_t  *held;
    podi_link_t  *link;

    podi_list_each(link, &batch->sent) {
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
    podi_io_t     *io;
    podi_held_t   *held;
    podi_batch_t  *batch = ctx;

    if (rc == PODI_ERROR && f->fail.error != PODI_E_UNAVAILABLE
        && f->fail.error != PODI_E_DEADLINE
        && batch->sent.next->next != &batch->sent)
    {
        batch_alone(batch);
    }

    while (!podi_list_is_empty(&batch->sent)) {
        held = podi_list_owner(batch->sent.next, podi_held_t, ending);
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

            podi_settle_again(held, &held->refusal, f->now->name);
            held->refusal.error = PODI_E_NONE;
        }
    }

    io = batch->jobs->worker->io;
    io->post(io, &batch->post);
}


static void
batch_alone(podi_batch_t *batch)
{
    podi_held_t  *held;

    podi_metric_add(batch->jobs->worker, "podi_worker_settle_split_total", "",
                    1);

    while (!podi_list_is_empty(&batch->sent)) {
        held = podi_list_owner(batch->sent.next, podi_held_t, ending);
        held->alone = 1;
        podi_list_remove(&held->ending);
        podi_list_append(&batch->ending, &held->ending);
    }
}
