/*
 * comfy_follow: a prompt is looked at until it is at its end, or lost.
 *
 * What to do next is podi_follow's; here it is done, one request a run.
 */

#include <string.h>

#include "podi_buf.h"
#include "runnerd.h"
#include "banned.h"


#define FOLLOW_LATER  1000          /* ms */


static podi_rc_t follow_begin(podi_flow_t *f, comfy_run_t *run, int known);
static podi_rc_t follow_do(podi_flow_t *f, void *ctx);
static podi_rc_t follow_seen(podi_flow_t *f, void *ctx);
static podi_see_e follow_history(podi_flow_t *f, comfy_run_t *run);
static podi_see_e follow_queue(podi_flow_t *f, comfy_run_t *run);
static podi_rc_t follow_interrupt(podi_flow_t *f, comfy_run_t *run);
static void follow_over(comfy_run_t *run);


const podi_step_t  comfy_look_steps[] = {
    { "noting that it is there", comfy_take,  PODI_MAY_FAIL },
    { "reading whether it is",   comfy_taken, 0 },
    { "asking after the prompt", follow_do,   PODI_MAY_FAIL },
    { "reading the answer",      follow_seen, 0 },
    podi_null_step
};


/* the answer to its being taken over: a prompt of an earlier attempt */

podi_rc_t
comfy_adopt(podi_flow_t *f, void *ctx)
{
    podi_job_t              *job = ctx;
    comfy_run_t             *run = job->data;
    const podi_pg_result_t  *row = f->result;

    if (!run->adopts) {
        return PODI_OK;
    }

    if (!podi_row_bool(row, 0, "ok")) {
        return podi_job_retry(job, PODI_E_CONFLICT, "it is another's by now");
    }

    return follow_begin(f, run, 0);
}


podi_rc_t
comfy_adopted(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (!run->adopts) {
        return PODI_OK;
    }

    follow_over(run);

    run->has_end = !run->is_lost || run->answer.class == PODI_COMFY_PARTIAL;

    if (run->has_end) {
        return PODI_OK;
    }

    return comfy_note(f, run, run->act == PODI_ACT_LOST ? "ended" : "left", 0);
}


/*
 * Lost, so it begins anew, under another id.  One that may be there still has
 * the row of this attempt, by which it is brought to its end: the next one
 * begins anew.
 */

podi_rc_t
comfy_left(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) f;

    run->adopts = 0;

    if (run->has_end) {
        return PODI_OK;
    }

    if (run->is_lost && run->act != PODI_ACT_LOST) {
        return podi_job_defer(job, FOLLOW_LATER, PODI_E_UNAVAILABLE,
                              PODI_STR_FMT " is away, or stands still",
                              podi_str_arg(&run->server->name));
    }

    if (run->is_lost) {
        podi_worker_log(job->worker, PODI_LOG_WARN, "comfy.lost", job,
                        "prompt " PODI_STR_FMT " is not found any more",
                        podi_str_arg(&run->prompt_id));
    }

    run->is_lost = 0;
    run->adopted = 0;
    run->sent = 0;

    return PODI_OK;
}


podi_rc_t
comfy_follow(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->has_end) {
        return PODI_OK;
    }

    if (run->unnoted) {
        comfy_noted(f, run);
    }

    return follow_begin(f, run, run->answer.class != PODI_COMFY_UNKNOWN);
}


podi_rc_t
comfy_followed(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) f;

    if (!run->has_end) {
        follow_over(run);
        run->has_end = 1;
    }

    return PODI_OK;
}


static podi_rc_t
follow_begin(podi_flow_t *f, comfy_run_t *run, int known)
{
    comfy_look_begin(run, known);
    run->track.nodes = podi_comfy_nodes(run->graph);
    run->follows = 1;
    run->follow.cancel = run->answer.class == PODI_COMFY_PARTIAL
                         || run->is_refused;

    return runner_again(f, run->job->mem, comfy_look_steps, comfy_look_next,
                        run->job, &run->again);
}


void
comfy_look_begin(comfy_run_t *run, int known)
{
    run->follow_conf = runnerd.follow;
    run->follow_conf.idle = run->idle;
    run->act = PODI_ACT_HISTORY;

    podi_follow_begin(&run->follow, known, podi_time_mono());
    run->follow.deaf = !run->heard || !run->server->hears;
}


static podi_rc_t
follow_do(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    podi_buf_t    b;
    podi_str_t    path;
    comfy_run_t  *run = job->data;

    switch (run->act) {

    case PODI_ACT_HISTORY:
        podi_buf_init(&b, f->mem);
        podi_buf_add_c(&b, "/history/");
        podi_buf_add_uri(&b, &run->prompt_id, 0);

        if (podi_buf_take(&b, &path) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        return runner_ask(f, run->server, (const char *) path.data, NULL);

    case PODI_ACT_QUEUE:
        return runner_ask(f, run->server, "/queue", NULL);

    case PODI_ACT_DELETE:
        return runner_delete(f, run->server, "/queue", &run->prompt_id);

    case PODI_ACT_INTERRUPT:
        return follow_interrupt(f, run);

    default:
        return PODI_OK;
    }
}


/*
 * It was just seen running.  An older server stops whatever runs: what it
 * begins in that moment is hit in its place, which is the price of its age, and
 * counted where that may be a stranger's.
 */

static podi_rc_t
follow_interrupt(podi_flow_t *f, comfy_run_t *run)
{
    podi_buf_t  b;
    podi_str_t  body;

    int  is_blind = !run->server->targeted && !run->server->single;

    podi_worker_log(run->job->worker, PODI_LOG_WARN, "comfy.interrupt",
                    run->job, "prompt " PODI_STR_FMT " at " PODI_STR_FMT "%s",
                    podi_str_arg(&run->ref), podi_str_arg(&run->server->name),
                    is_blind ? ", or what has begun there since" : "");

    if (is_blind) {
        runner_farm_count("podi_runner_blind_interrupts_total", "server",
                          &run->server->name);
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"prompt_id\":");
    podi_buf_add_json(&b, &run->prompt_id);
    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &body) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return runner_ask(f, run->server, "/interrupt", &body);
}


static podi_rc_t
follow_seen(podi_flow_t *f, void *ctx)
{
    podi_see_e    see;
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    switch (run->act) {

    case PODI_ACT_HISTORY:
        see = follow_history(f, run);
        break;

    case PODI_ACT_QUEUE:
        see = follow_queue(f, run);
        break;

    case PODI_ACT_DELETE:
    case PODI_ACT_INTERRUPT:
        see = PODI_SEE_STOPPED;
        break;

    default:
        see = PODI_SEE_TIME;
    }

    run->act = podi_follow_see(&run->follow, &run->follow_conf, see,
                               podi_time_mono(), &run->wait);

    return PODI_DONE;
}


/* what is larger than it may be is an end, too: the job fails by that */

static podi_see_e
follow_history(podi_flow_t *f, comfy_run_t *run)
{
    const podi_http_reply_t  *reply = runner_answered(f);

    if (runner_is_too_large(f)) {
        run->too_large = 1;
        return PODI_SEE_END;
    }

    if (reply == NULL
        || podi_comfy_history(&reply->body, &run->prompt_id, run->job->mem,
                              &run->history) != PODI_OK)
    {
        return PODI_SEE_NOTHING;
    }

    return run->history.end == PODI_COMFY_ABSENT ? PODI_SEE_ABSENT
                                                 : PODI_SEE_END;
}


static podi_see_e
follow_queue(podi_flow_t *f, comfy_run_t *run)
{
    podi_comfy_queue_t        queue;
    const podi_http_reply_t  *reply = runner_answered(f);

    /* so much waits there that it may well be among it: the history decides */
    if (runner_is_too_large(f)) {
        run->follow.waits = 0;      /* nor is it known whether it moves */
        return PODI_SEE_WAITS;
    }

    if (reply == NULL
        || podi_comfy_queue(&reply->body, &run->prompt_id, NULL, NULL, f->mem,
                            &queue) != PODI_OK)
    {
        return PODI_SEE_NOTHING;
    }

    run->server->remaining = queue.running + queue.pending;

    if (queue.runs) {
        runner_progress_ahead(run, 0);
        return PODI_SEE_RUNS;
    }

    if (!queue.waits) {
        return PODI_SEE_ABSENT;
    }

    runner_progress_ahead(run, queue.running + queue.before);
    run->follow.ahead = queue.running + queue.before;

    /* nothing there goes on: it need not find that out by itself */
    if (run->server->stuck && run->follows && !run->follow.cancel) {
        run->follow.cancel = 1;
        run->follow.leaves = 1;
    }

    return queue.running == 0 ? PODI_SEE_STANDS : PODI_SEE_WAITS;
}


podi_rc_t
comfy_look_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    switch (run->act) {

    case PODI_ACT_WAIT:
        *ret_wait = run->hint ? 0 : run->wait;
        run->hint = 0;
        return PODI_AGAIN;

    case PODI_ACT_HISTORY:
    case PODI_ACT_QUEUE:
    case PODI_ACT_INTERRUPT:
    case PODI_ACT_DELETE:
        return PODI_OK;

    default:
        return PODI_DONE;
    }
}


/* one that does not stop what it was asked to gets nothing new */

static void
follow_over(comfy_run_t *run)
{
    run->follows = 0;
    run->is_lost = run->act != PODI_ACT_FINISH;

    if (run->act == PODI_ACT_STUCK) {
        runner_server_stuck(run->server);
        podi_worker_log(run->job->worker, PODI_LOG_ERROR, "server.stuck",
                        run->job, PODI_STR_FMT " does not work, nor stop its "
                        "prompt; it gets nothing new until it is restarted",
                        podi_str_arg(&run->server->name));
    }
}
