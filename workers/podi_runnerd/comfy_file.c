/*
 * comfy_file: the files that a prompt has made.
 *
 *     each that is asked for: fetched -> its texts taken out, where they are
 *                             not wanted -> stored -> a row
 *
 * Too many, too large, not there, or not to be read: none of them is kept, and
 * the run says why.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "runnerd.h"
#include "banned.h"


static int file_is_too_much(const comfy_run_t *run);
static podi_rc_t file_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t file_strip(podi_flow_t *f, void *ctx);
static podi_rc_t file_store(podi_flow_t *f, void *ctx);
static podi_rc_t file_keep(podi_flow_t *f, void *ctx);
static podi_rc_t file_unread(podi_flow_t *f, comfy_run_t *run);
static podi_rc_t file_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void file_measured(comfy_run_t *run, const podi_http_reply_t *reply);
static podi_str_t file_name(const comfy_run_t *run);


static const podi_step_t  file_steps[] = {
    { "fetching a file",      file_fetch, PODI_MAY_FAIL },
    { "taking its texts out", file_strip, 0 },
    { "storing a file",       file_store, PODI_MAY_FAIL },
    { "keeping its row",      file_keep,  0 },
    podi_null_step
};


int
comfy_has_files(const comfy_run_t *run)
{
    return !run->is_refused && !run->is_lost && !run->too_large
           && !run->is_empty && run->unread.len == 0
           && run->answer.class != PODI_COMFY_PARTIAL
           && run->history.end == PODI_COMFY_DONE;
}


/* before one of them is fetched: what was made is delivered whole */

static int
file_is_too_much(const comfy_run_t *run)
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

    if (comfy_has_files(run) && file_is_too_much(run)) {
        run->too_large = 1;
    }

    if (!comfy_has_files(run)) {
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

    return runner_again(f, job->mem, file_steps, file_next, job,
                        &run->again);
}


static podi_rc_t
file_fetch(podi_flow_t *f, void *ctx)
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
file_strip(podi_flow_t *f, void *ctx)
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
        file_measured(run, reply);
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
file_measured(comfy_run_t *run, const podi_http_reply_t *reply)
{
    run->made.bytes = reply->bytes;
    run->made.type = podi_files_sniff(run->fd);
    memcpy(run->made.sha256, reply->sha256, sizeof(run->made.sha256));
    run->has_made = 1;
}


static podi_rc_t
file_store(podi_flow_t *f, void *ctx)
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
    ask.base = file_name(run);
    ask.digest = run->has_made ? &run->made : NULL;

    return podi_result_make(f, job, &ask);
}


/* "out_00001_.png" says nothing to anybody: the name of the input, if any */

static podi_str_t
file_name(const comfy_run_t *run)
{
    podi_str_t  name;

    name = podi_json_str(json_object_get(json_array_get(run->job->inputs, 0),
                                         "name"));

    return name.len > 0 ? name : run->history.files[run->at].filename;
}


static podi_rc_t
file_keep(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    comfy_run_t          *run = job->data;
    const podi_result_t  *result = f->result;

    if (run->fd != -1 && result == NULL) {
        return file_unread(f, run);
    }

    if (run->fd != -1) {
        podi_buf_add_byte(&run->results, run->n_results++ ? ',' : '[');
        podi_buf_add_str(&run->results, &result->json);
    }

    run->at++;

    return PODI_DONE;
}


/* that a picture cannot be read is not the fault of the user's */

static podi_rc_t
file_unread(podi_flow_t *f, comfy_run_t *run)
{
    if (f->fail.error != PODI_E_PICTURE_INVALID
        && f->fail.error != PODI_E_PICTURE_TOO_LARGE)
    {
        return PODI_ERROR;
    }

    if (podi_mem_printf(run->job->mem, &run->unread, PODI_STR_FMT ": %s",
                        podi_str_arg(&run->history.files[run->at].filename),
                        f->fail.detail) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_DONE;
}


static podi_rc_t
file_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return run->too_large || run->is_empty || run->unread.len > 0
           || run->at >= run->history.files_n ? PODI_DONE : PODI_OK;
}
