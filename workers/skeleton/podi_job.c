/*
 * podi_job: a held job, from its row to its ending.
 *
 *     row -> RUNNING -> (ending said) ---------------> SETTLING -> freed
 *               |                                        ^
 *               +--> failed, cancelled, lost, late --> UNDOING
 *
 * Promises: one ending counts, the first, but for a lost lease, which counts
 * most; undo runs unless the steps said the ending; a lost job is never
 * settled; the memory of a job goes when PostgreSQL has answered for it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_event.h"
#include "podi_fault.h"
#include "podi_id.h"
#include "podi_json.h"
#include "podi_queue.h"
#include "podi_retry.h"
#include "podi_worker_int.h"
#include "banned.h"

#define JOB_JSON_MAX  (1024 * 1024)


static void job_begin(podi_held_t *held);
static podi_rc_t job_read(podi_held_t *held, const podi_pg_result_t *res,
    int row);
static podi_rc_t job_text(podi_held_t *held, const podi_pg_result_t *res,
    int row, const char *name, podi_str_t *ret_text);
static podi_rc_t job_json(podi_held_t *held, const podi_pg_result_t *res,
    int row, const char *name, json_t **ret_json);
static const podi_action_t *job_action(podi_held_t *held);
static void job_run_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void job_judge(podi_held_t *held, const podi_fail_t *fail);
static void job_undo(podi_held_t *held);
static void job_undo_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void job_undone(podi_held_t *held);
static void job_late(void *data);
static void job_stop_now(void *data);


/*
 * From here on PostgreSQL believes that we hold the job: whatever goes wrong
 * is an ending, too.  Only without memory is it left to its lease.
 */

void
podi_job_start(podi_jobs_t *jobs, const podi_pg_result_t *res, int row,
    podi_slot_t slot)
{
    podi_held_t    *held;
    podi_arena_t   *arena;
    podi_worker_t  *w = jobs->worker;

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    held = podi_mem_calloc(podi_arena_mem(arena), sizeof(podi_held_t));
    if (held == NULL) {
        podi_arena_free(&arena);
        return;
    }

    held->arena = arena;
    held->jobs = jobs;
    held->slot = slot;
    held->job.worker = w;
    held->job.mem = podi_arena_mem(arena);
    held->started = podi_time_mono();
    held->post.run = job_stop_now;
    held->post.data = held;
    held->cost = -1;
    held->where.ahead = -1;
    podi_list_init(&held->ending);

    held->timer = w->io->timer(w->io, PODI_TIMER_WORK, job_late, held);

    podi_list_append(&jobs->held, &held->link);
    jobs->n++;

    if (held->timer == NULL || job_read(held, res, row) != PODI_OK) {
        podi_worker_log(w, PODI_LOG_ERROR, "job.unreadable", &held->job,
                        "no memory, or a row that is not a job");
        held->unsettled = 1;
        podi_job_free(held);
        return;
    }

    job_begin(held);
}


static void
job_begin(podi_held_t *held)
{
    podi_worker_t  *w = held->jobs->worker;

    held->slot.fence = held->job.fence;
    held->action = job_action(held);

    if (held->action == NULL) {
        (void) podi_job_fail(&held->job, PODI_E_UNKNOWN_ACTION,
                             "%s does not know " PODI_STR_FMT, w->conf->name,
                             podi_str_arg(&held->job.action));
        podi_job_settle(held);
        return;
    }

    if (w->draining || held->jobs->late) {
        held->end = PODI_JOB_RETURNED;
        podi_job_settle(held);
        return;
    }

    podi_breaker_ask_all(held);
}


void
podi_job_go(podi_held_t *held)
{
    podi_worker_t  *w = held->jobs->worker;

    held->went = 1;
    PODI_FAULT(job_begin);

    podi_worker_log(w, PODI_LOG_DEBUG, "job.started", &held->job,
                    "attempt %u of %u", held->job.attempt,
                    held->job.attempts_max);

    w->io->arm(held->timer, held->job.timeout);
    podi_flow_start(&held->flow, held->action->steps, &held->job,
                    held->job.mem, job_run_end);
}


static podi_rc_t
job_read(podi_held_t *held, const podi_pg_result_t *res, int row)
{
    podi_str_t   kind, scopes;
    podi_job_t  *job = &held->job;

    if (job_text(held, res, row, "job_id", &job->id) != PODI_OK
        || job_text(held, res, row, "tenant_id", &job->tenant_id) != PODI_OK
        || job_text(held, res, row, "user_id", &job->user_id) != PODI_OK
        || job_text(held, res, row, "task_id", &job->task_id) != PODI_OK
        || job_text(held, res, row, "trace_id", &job->trace_id) != PODI_OK
        || job_text(held, res, row, "action", &job->action) != PODI_OK
        || job_json(held, res, row, "params", &job->params) != PODI_OK
        || job_json(held, res, row, "inputs", &job->inputs) != PODI_OK)
    {
        return PODI_ERROR;
    }

    kind = podi_row_str(res, row, "kind");

    job->fence = podi_row_int64(res, row, "fence");
    job->attempt = (unsigned) podi_row_int64(res, row, "attempts");
    job->attempts_max = (unsigned) podi_row_int64(res, row, "max_attempts");
    job->price = podi_row_int64(res, row, "price");
    job->timeout = (podi_msec_t) podi_row_int64(res, row, "timeout_ms");
    job->is_system = podi_str_eq_c(&kind, "system");

    job->segment = (unsigned) podi_row_int64(res, row, "segment");

    if (!podi_row_is_null(res, row, "checkpoint")
        && job_json(held, res, row, "checkpoint", &job->checkpoint) != PODI_OK)
    {
        return PODI_ERROR;
    }

    scopes = podi_row_str(res, row, "scopes");
    scopes = podi_queue_scopes(&scopes);

    if (podi_mem_dup(job->mem, &scopes, &held->scopes) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_breaker_scopes(held, &scopes);
}


static podi_rc_t
job_text(podi_held_t *held, const podi_pg_result_t *res, int row,
    const char *name, podi_str_t *ret_text)
{
    podi_str_t  s;

    s = podi_row_str(res, row, name);

    return podi_mem_dup(held->job.mem, &s, ret_text);
}


static podi_rc_t
job_json(podi_held_t *held, const podi_pg_result_t *res, int row,
    const char *name, json_t **ret_json)
{
    podi_str_t          s;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { JOB_JSON_MAX, 0 };

    s = podi_row_str(res, row, name);

    return podi_json_parse(&s, &limit, held->job.mem, ret_json, &fail);
}


/* the row of its name, or the one for all others, wherever they stand */

static const podi_action_t *
job_action(podi_held_t *held)
{
    const podi_action_t  *row, *action = NULL;

    row = held->jobs->worker->conf->actions;

    for ( /* void */ ; row->action != NULL; row++) {

        if (podi_str_eq_c(&held->job.action, row->action)) {
            action = row;
            break;
        }

        if (strcmp(row->action, PODI_ACTION_ANY) == 0) {
            action = row;
        }
    }

    if (action != NULL) {
        held->job.data = podi_mem_calloc(held->job.mem, action->size + 1);
    }

    return held->job.data != NULL ? action : NULL;
}


static void
job_run_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    int           stopped;
    podi_held_t  *held;

    held = podi_list_owner(ctx, podi_held_t, job);

    /* a stop came first, and was about to cancel the flow */

    stopped = held->post.posted;

    held->jobs->worker->io->disarm(held->timer);
    held->jobs->worker->io->unpost(&held->post);
    PODI_FAULT(job_over);

    if (rc != PODI_ERROR && !stopped) {
        if (held->end == PODI_JOB_NONE) {
            (void) podi_job_fail(&held->job, PODI_E_INTERNAL,
                                 "the steps ended without an ending");
        }

        podi_job_settle(held);
        return;
    }

    if (held->end == PODI_JOB_NONE) {
        job_judge(held, &f->fail);
    }

    job_undo(held);
}


/* a step failed: is it worth another attempt? */

static void
job_judge(podi_held_t *held, const podi_fail_t *fail)
{
    held->error = (fail->error != PODI_E_NONE) ? fail->error
                                               : PODI_E_INTERNAL;
    (void) snprintf(held->detail, sizeof(held->detail), "%s", fail->detail);

    held->end = podi_retry_is_wanted(held->error, held->job.attempt,
                                     held->job.attempts_max)
                ? PODI_JOB_RETRIED : PODI_JOB_FAILED;
}


void
podi_job_stop(podi_held_t *held, podi_job_end_e end, podi_error_e error,
    const char *detail)
{
    if (held->state == PODI_JOB_SETTLING) {
        return;                         /* it ended by itself: PostgreSQL
                                           will say whose word counts */
    }

    if (held->end == PODI_JOB_NONE || end == PODI_JOB_LOST) {
        held->end = end;
        held->error = error;
        (void) snprintf(held->detail, sizeof(held->detail), "%s", detail);
    }

    if (held->state == PODI_JOB_RUNNING) {
        held->jobs->worker->io->post(held->jobs->worker->io, &held->post);
    }
}


/* posted, because a step may be running further up the stack */

static void
job_stop_now(void *data)
{
    podi_held_t  *held = data;

    if (!held->went && podi_flow_is_active(&held->flow)) {
        return;                         /* a breaker that may have made it its
                                           probe must hear that it is none */
    }

    podi_flow_cancel(&held->flow);
    job_undo(held);
}


void
podi_job_halt(podi_held_t *held)
{
    held->jobs->worker->io->unpost(&held->post);
    job_undo(held);
}


static void
job_undo(podi_held_t *held)
{
    podi_worker_t  *w = held->jobs->worker;

    podi_assert(held->state == PODI_JOB_RUNNING);

    held->state = PODI_JOB_UNDOING;

    if (held->action->undo == NULL || !held->went) {
        job_undone(held);
        return;
    }

    PODI_FAULT(job_undo);
    w->io->arm(held->timer, w->set->undo_timeout);
    podi_flow_start(&held->flow, held->action->undo, &held->job,
                    held->job.mem, job_undo_end);
}


static void
job_undo_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    char          text[512];
    podi_held_t  *held;

    held = podi_list_owner(ctx, podi_held_t, job);

    if (rc == PODI_ERROR) {
        podi_fail_text(&f->fail, text, sizeof(text));
        podi_worker_log(held->jobs->worker, PODI_LOG_ERROR, "job.undo_failed",
                        &held->job, "failed while %s: %s", f->now->name, text);
    }

    job_undone(held);
}


static void
job_undone(podi_held_t *held)
{
    held->jobs->worker->io->disarm(held->timer);

    if (held->end == PODI_JOB_LOST) {
        podi_worker_log(held->jobs->worker, PODI_LOG_WARN, "job.lost",
                        &held->job, "the lease has gone: %s", held->detail);
        podi_metric_add(held->jobs->worker, "podi_worker_jobs_total",
                        "outcome=\"lost\"", 1);
        podi_job_free(held);
        return;
    }

    podi_job_settle(held);
}


/* the timer of RUNNING and UNDOING; settling has its own use for it */

static void
job_late(void *data)
{
    podi_held_t  *held = data;

    switch (held->state) {

    case PODI_JOB_RUNNING:
        podi_job_stop(held, held->job.attempt < held->job.attempts_max
                            ? PODI_JOB_RETRIED : PODI_JOB_FAILED,
                      PODI_E_JOB_TIMEOUT, "the time of the action is over");
        break;

    case PODI_JOB_UNDOING:
        podi_worker_log(held->jobs->worker, PODI_LOG_ERROR, "job.undo_late",
                        &held->job, "did not end while %s",
                        held->flow.now->name);
        podi_flow_cancel(&held->flow);
        job_undone(held);
        break;

    case PODI_JOB_SETTLING:
        podi_job_settle(held);
        break;
    }
}


void
podi_job_free(podi_held_t *held)
{
    podi_jobs_t   *jobs = held->jobs;
    podi_io_t     *io = jobs->worker->io;
    podi_arena_t  *arena = held->arena;

    io->unpost(&held->post);
    podi_flow_cancel(&held->flow);

    if (held->timer != NULL) {
        io->timer_free(held->timer);
    }

    podi_job_log_free(held);
    podi_tick_free(held);
    podi_list_remove(&held->ending);
    podi_list_remove(&held->link);
    jobs->n--;

    podi_breaker_report_all(held);
    podi_job_heavy(held);

    /* in this order: a claim takes along what is free */

    podi_jobs_kick(jobs);

    if (!held->unsettled) {
        podi_gate_free(jobs, &held->slot);
    }

    podi_arena_free(&arena);            /* held is gone */

    podi_worker_drain_check(jobs->worker);
}


podi_held_t *
podi_job_find(podi_jobs_t *jobs, const podi_str_t *id, int64_t fence)
{
    podi_held_t  *held;
    podi_link_t  *link;

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (podi_str_eq(&held->job.id, id)
            && fence == held->job.fence)
        {
            return held;
        }
    }

    return NULL;
}
