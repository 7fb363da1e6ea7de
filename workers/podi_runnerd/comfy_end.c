/*
 * comfy_end: what came of a prompt: its files, and the ending of the job.
 *
 *     ended         what becomes of the job
 *     done          succeeds with its files; without one it fails, and when
 *                   they are more, or larger, than is taken
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


static int end_is_too_much(const comfy_run_t *run);
static podi_rc_t end_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t end_strip(podi_flow_t *f, void *ctx);
static podi_rc_t end_store_it(podi_flow_t *f, void *ctx);
static podi_rc_t end_keep(podi_flow_t *f, void *ctx);
static podi_rc_t end_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void end_measured(comfy_run_t *run, const podi_http_reply_t *reply);
static podi_str_t end_name(const comfy_run_t *run);
static podi_rc_t end_refused(comfy_run_t *run);
static podi_rc_t end_lost(comfy_run_t *run);
static podi_rc_t end_failed(comfy_run_t *run);
static podi_rc_t end_done(podi_flow_t *f, comfy_run_t *run);


static const podi_step_t  end_file_steps[] = {
    { "fetching a file",      end_fetch,    PODI_MAY_FAIL },
    { "taking its texts out", end_strip,    0 },
    { "storing a file",       end_store_it, 0 },
    { "keeping its row",      end_keep,     0 },
    podi_null_step
};


static int
end_has_files(const comfy_run_t *run)
{
    return !run->is_refused && !run->is_lost && !run->too_large
           && !run->is_empty
           && run->answer.class != PODI_COMFY_PARTIAL
           && run->history.end == PODI_COMFY_DONE;
}


/* before one of them is fetched: what was made is delivered whole */

static int
end_is_too_much(const comfy_run_t *run)
{
    size_t   i;
    int64_t  n = 0;

    for (i = 0; i < run->history.files_n; i++) {
        n += podi_comfy_wants(run->mapping, &run->history.files[i]) != 0;
    }

    return run->history.more || n > runnerd.results_max;
}


podi_rc_t
comfy_collect(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    run->at = 0;

    if (end_has_files(run) && end_is_too_much(run)) {
        run->too_large = 1;
    }

    if (!end_has_files(run)) {
        return PODI_OK;
    }

    PODI_FAULT(comfy_made);
    podi_job_progress(job, 90);
    podi_buf_init(&run->results, job->mem);

    run->store = runner_store(job);

    if (run->store == NULL) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "there is no store for what was made");
    }

    return runner_again(f, job->mem, end_file_steps, end_next, job,
                        &run->again);
}


static podi_rc_t
end_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    podi_str_t            path;
    comfy_run_t          *run = job->data;
    podi_http_request_t   request;
    podi_comfy_file_t    *file = &run->history.files[run->at];

    run->fd = -1;

    if (run->history.files_n == 0 || !podi_comfy_wants(run->mapping, file)) {
        return PODI_OK;
    }

    if (podi_files_temp(&runnerd.files, f->mem, &run->fd, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_comfy_view(file, f->mem, &path) != PODI_OK
        || runner_call(f, run->server, "GET", &path, &request) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* what is stripped is measured afterwards */
    request.sha256 = !json_is_true(json_object_get(run->mapping, "strip"));
    request.into_fd = run->fd;
    request.max = (int64_t) (runnerd.results_bytes - run->bytes);

    if (request.max > (int64_t) runnerd.files.result_max) {
        request.max = (int64_t) runnerd.files.result_max;
    }

    request.timeout = runnerd.files.store_timeout;
    request.idle_timeout = runnerd.files.store_idle;

    return podi_http_send(run->server->http, f, &request);
}


/*
 * A length that is not what was said is a failure of the transfer already.
 * ComfyUI writes the whole workflow into its PNGs.
 */

static podi_rc_t
end_strip(podi_flow_t *f, void *ctx)
{
    podi_job_t               *job = ctx;
    comfy_run_t              *run = job->data;
    podi_picture_ask_t        ask = { podi_string("media.strip"), NULL, NULL,
                                      1, -1 };
    const podi_http_reply_t  *reply;

    run->bare = -1;
    run->has_made = 0;

    if (run->fd == -1) {
        return PODI_OK;
    }

    if (runner_is_too_large(f)) {
        run->too_large = 1;
        return PODI_DONE;
    }

    reply = f->result;

    /* twice: it will not come, and what made it has to be begun anew */
    if (run->adopted && reply != NULL
        && (reply->status == 404 || reply->status == 410))
    {
        run->is_empty = 1;
        return PODI_DONE;
    }

    reply = runner_answered(f);

    if (reply == NULL || reply->bytes == 0) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "a file that was made could not be fetched");
    }

    run->bytes += (uint64_t) reply->bytes;

    if (!json_is_true(json_object_get(run->mapping, "strip"))) {
        end_measured(run, reply);
        return PODI_OK;
    }

    if (podi_files_sniff(run->fd) != PODI_MEDIA_PNG) {
        return PODI_OK;
    }

    if (podi_files_temp(&runnerd.files, f->mem, &run->bare, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    ask.in = &run->fd;
    ask.out = run->bare;

    return podi_picture_run(f, &runnerd.picture, &ask);
}


/* by who took it off the wire: the file need not be read for it */

static void
end_measured(comfy_run_t *run, const podi_http_reply_t *reply)
{
    run->made.bytes = reply->bytes;
    run->made.type = podi_files_sniff(run->fd);
    memcpy(run->made.sha256, reply->sha256, sizeof(run->made.sha256));
    run->has_made = 1;
}


static podi_rc_t
end_store_it(podi_flow_t *f, void *ctx)
{
    podi_job_t                   *job = ctx;
    comfy_run_t                  *run = job->data;
    podi_result_ask_t             ask;
    const podi_picture_answer_t  *answer = f->result;

    if (run->fd == -1) {
        return PODI_OK;
    }

    if (run->bare != -1 && answer->error != PODI_E_NONE) {
        return podi_fail(&f->fail, answer->error, NULL,
                         "a file that was made: %s", answer->detail);
    }

    memset(&ask, 0, sizeof(ask));
    ask.files = &runnerd.files;
    ask.picture = &runnerd.picture;
    ask.store = run->store;
    ask.fd = (run->bare != -1) ? run->bare : run->fd;
    ask.base = end_name(run);
    ask.digest = run->has_made ? &run->made : NULL;

    return podi_result_make(f, job, &ask);
}


/* "out_00001_.png" says nothing to anybody: the name of the input, if any */

static podi_str_t
end_name(const comfy_run_t *run)
{
    podi_str_t  name;

    name = podi_json_str(json_object_get(json_array_get(run->job->inputs, 0),
                                         "name"));

    return name.len > 0 ? name : run->history.files[run->at].filename;
}


static podi_rc_t
end_keep(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    comfy_run_t          *run = job->data;
    const podi_result_t  *result = f->result;

    if (run->fd != -1) {
        podi_buf_add_byte(&run->results, run->n_results++ ? ',' : '[');
        podi_buf_add_str(&run->results, &result->json);
    }

    run->at++;

    return PODI_DONE;
}


static podi_rc_t
end_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return run->too_large || run->is_empty
           || run->at >= run->history.files_n ? PODI_DONE : PODI_OK;
}


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

    if (end_has_files(run)) {
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
