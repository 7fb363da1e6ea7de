/*
 * comfy_end: what came of a prompt, and the ending of the job.
 *
 *     ended         what becomes of the job
 *     done          succeeds with its files; without one it fails, and when
 *                   they are more, or larger, than is taken, or cannot be
 *                   read
 *     invalid, or an exception of a node: fails, as it would anywhere
 *     no memory     memory is freed there, another attempt
 *     interrupted, lost, gone, stuck, refused by a server that lacks
 *                   something: another attempt
 *     waited where nothing moved: put off, no attempt is lost
 *
 * Nothing is removed from the server here: what may be there stands in the row
 * of the attempt, and left.c removes it once the job has been settled.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "runnerd.h"
#include "banned.h"


#define END_LATER  500              /* ms */


static podi_rc_t end_refused(comfy_run_t *run);
static podi_rc_t end_lost(comfy_run_t *run);
static podi_rc_t end_failed(comfy_run_t *run);
static podi_rc_t end_done(podi_flow_t *f, comfy_run_t *run);


podi_rc_t
comfy_clean(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    podi_str_t    body = podi_string("{\"unload_models\":true,"
                                     "\"free_memory\":true}");
    comfy_run_t  *run = job->data;

    /* no row has its odd name: nobody could remove it later */
    if (run->is_refused && run->act == PODI_ACT_FINISH) {
        return runner_delete(f, run->server, "/history", &run->prompt_id);
    }

    if (!run->history.oom) {
        return PODI_OK;
    }

    return runner_ask(f, run->server, "/free", &body);
}


/*
 * What was made ends with its settle, in one commit, and stays there until
 * then: who is left with it when that does not come collects it again.
 */

podi_rc_t
comfy_cleaned(podi_flow_t *f, void *ctx)
{
    int           is_nowhere;
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (comfy_has_files(run)) {
        PODI_FAULT(comfy_got);
        return PODI_OK;
    }

    if (run->is_refused && run->is_own && run->act != PODI_ACT_FINISH
        && run->act != PODI_ACT_LOST)
    {
        comfy_untold(run);
    }

    is_nowhere = run->is_refused
                 || (run->is_lost && run->act == PODI_ACT_LOST);

    return comfy_note(f, run, is_nowhere ? "ended" : "left", 0);
}


podi_rc_t
comfy_end(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->is_refused || run->answer.class == PODI_COMFY_PARTIAL) {
        return end_refused(run);
    }

    if (run->is_lost) {
        return end_lost(run);
    }

    if (run->is_empty) {
        return podi_job_retry(run->job, PODI_E_EXECUTOR_FAILED,
                              "a file that was made is not there any more");
    }

    if (run->unread.len > 0) {
        return podi_job_fail(run->job, PODI_E_EXECUTOR_FAILED,
                             "a file that was made cannot be read: "
                             PODI_STR_FMT, podi_str_arg(&run->unread));
    }

    if (run->too_large) {
        return podi_job_fail(run->job, PODI_E_EXECUTOR_TOO_LARGE,
                             "what was made is more, or larger, than is "
                             "taken");
    }

    if (run->history.end != PODI_COMFY_DONE) {
        return end_failed(run);
    }

    return end_done(f, run);
}


static podi_rc_t
end_refused(comfy_run_t *run)
{
    podi_comfy_answer_t  *answer = &run->answer;

    switch (answer->class) {

    case PODI_COMFY_INVALID:
    case PODI_COMFY_PARTIAL:
        return podi_job_fail(run->job, PODI_E_EXECUTOR_REFUSED,
                             "node " PODI_STR_FMT " (" PODI_STR_FMT "): "
                             PODI_STR_FMT, podi_str_arg(&answer->node),
                             podi_str_arg(&answer->class_type),
                             podi_str_arg(&answer->sentence));

    case PODI_COMFY_TOO_LARGE:
    case PODI_COMFY_REFUSED:
        return podi_job_fail(run->job, PODI_E_EXECUTOR_REFUSED,
                             "the server cannot read the prompt");

    case PODI_COMFY_LACKS:
        /* what was seen of it is not so, or not any more */
        run->server->info.nodes = NULL;
        return podi_job_retry(run->job, PODI_E_EXECUTOR_FAILED,
                              PODI_STR_FMT " lacks what node " PODI_STR_FMT
                              " needs", podi_str_arg(&run->server->name),
                              podi_str_arg(&answer->node));

    default:
        return podi_job_retry(run->job, PODI_E_UNAVAILABLE,
                              PODI_STR_FMT " does not take the prompt",
                              podi_str_arg(&run->server->name));
    }
}


static podi_rc_t
end_lost(comfy_run_t *run)
{
    if (run->follow.leaves && run->act == PODI_ACT_LOST) {
        return podi_job_defer(run->job, END_LATER, PODI_E_UNAVAILABLE,
                              PODI_STR_FMT " stands still, before it began",
                              podi_str_arg(&run->server->name));
    }

    return podi_job_retry(run->job, PODI_E_UNAVAILABLE,
                          run->act == PODI_ACT_GONE
                          ? PODI_STR_FMT " does not answer any more"
                          : run->act == PODI_ACT_STUCK
                          ? PODI_STR_FMT " stands still"
                          : PODI_STR_FMT " has lost the prompt",
                          podi_str_arg(&run->server->name));
}


static podi_rc_t
end_failed(comfy_run_t *run)
{
    char                   why[1024];
    podi_comfy_history_t  *h = &run->history;

    if (h->end == PODI_COMFY_INTERRUPTED) {
        return podi_job_retry(run->job, PODI_E_EXECUTOR_FAILED,
                              "the prompt was interrupted");
    }

    if (h->oom) {
        return podi_job_retry(run->job, PODI_E_EXECUTOR_FAILED,
                              PODI_STR_FMT " ran out of memory",
                              podi_str_arg(&run->server->name));
    }

    (void) snprintf(why, sizeof(why), "node " PODI_STR_FMT " (" PODI_STR_FMT
                    "): " PODI_STR_FMT, podi_str_arg(&h->node),
                    podi_str_arg(&h->class_type), podi_str_arg(&h->sentence));

    return json_is_true(json_object_get(run->mapping, "retry_exceptions"))
           ? podi_job_retry(run->job, PODI_E_EXECUTOR_FAILED, "%s", why)
           : podi_job_fail(run->job, PODI_E_EXECUTOR_REFUSED, "%s", why);
}


static podi_rc_t
end_done(podi_flow_t *f, comfy_run_t *run)
{
    podi_str_t  results;

    if (run->n_results == 0) {
        return podi_job_fail(run->job, PODI_E_EXECUTOR_REFUSED,
                             "nothing that was asked for was made");
    }

    podi_buf_add_byte(&run->results, ']');

    if (podi_buf_take(&run->results, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_job_progress(run->job, 100);

    return podi_job_succeed(run->job, &results);
}
