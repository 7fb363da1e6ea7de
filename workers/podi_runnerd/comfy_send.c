/*
 * comfy_send: the inputs go to the server, and the prompt after them.
 *
 * A file is uploaded into a folder of its attempt, and named by the server's
 * answer: it may be another name than the one that was asked for.
 *
 * Uploads take their time, in which somebody else may have been given the job:
 * PostgreSQL is asked once more, and what it says is the last word before the
 * prompt goes out.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "runnerd.h"
#include "banned.h"


#define SEND_PARTS    4
#define SEND_ODD_MAX  200
#define SEND_LATER    500           /* ms */


static podi_rc_t send_upload(podi_flow_t *f, void *ctx);
static podi_rc_t send_uploaded(podi_flow_t *f, void *ctx);
static podi_rc_t send_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static podi_rc_t send_body(podi_flow_t *f, comfy_run_t *run);
static void send_taken(comfy_run_t *run);
static void send_refuse(comfy_run_t *run);


static const podi_step_t  send_upload_steps[] = {
    { "uploading an input",     send_upload,   0 },
    { "reading what it became", send_uploaded, 0 },
    podi_null_step
};


podi_rc_t
comfy_upload(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    run->at = 0;

    if (run->has_end || run->head.n_inputs == 0) {
        return PODI_OK;
    }

    podi_job_progress(job, 3);

    return runner_again(f, job->mem, send_upload_steps, send_next, job,
                        &run->again);
}


static podi_rc_t
send_upload(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    podi_str_t            path = podi_string("/upload/image"), name, folder;
    comfy_run_t          *run = job->data;
    podi_input_t         *input = &run->head.inputs[run->at];
    podi_http_part_t     *parts;
    podi_http_request_t   request;
    const char           *suffix;

    suffix = podi_media_suffix(podi_files_sniff(input->fd));
    parts = podi_mem_calloc(f->mem, SEND_PARTS * sizeof(podi_http_part_t));

    if (parts == NULL
        || podi_mem_printf(f->mem, &name, "in%zu.%s", run->at + 1, suffix)
           != PODI_OK
        || podi_mem_printf(f->mem, &folder, "podi/" PODI_STR_FMT,
                           podi_str_arg(&run->prompt_id)) != PODI_OK
        || runner_call(f, run->server, "POST", &path, &request) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    parts[0].name = podi_str_c("type");
    parts[0].body = podi_str_c("input");
    parts[1].name = podi_str_c("subfolder");
    parts[1].body = folder;
    parts[2].name = podi_str_c("overwrite");
    parts[2].body = podi_str_c("true");
    parts[3].name = podi_str_c("image");
    parts[3].filename = name;
    parts[3].bytes = input->bytes;

    parts[0].fd = parts[1].fd = parts[2].fd = -1;
    parts[3].fd = input->fd;

    request.parts = parts;
    request.n_parts = SEND_PARTS;
    request.timeout = runnerd.files.store_timeout;
    request.idle_timeout = runnerd.files.store_idle;

    return podi_http_send(run->server->http, f, &request);
}


static podi_rc_t
send_uploaded(podi_flow_t *f, void *ctx)
{
    podi_job_t               *job = ctx;
    comfy_run_t              *run = job->data;
    const podi_http_reply_t  *reply = f->result;

    if (reply->status != 200
        || podi_comfy_uploaded(&reply->body, job->mem, &run->names[run->at])
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "the server did not take a picture (status %u)",
                         reply->status);
    }

    PODI_FAULT(comfy_uploaded);
    run->at++;

    return PODI_DONE;
}


static podi_rc_t
send_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return run->at == run->head.n_inputs ? PODI_DONE : PODI_OK;
}


podi_rc_t
comfy_fence(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    return run->has_end ? PODI_OK : comfy_note(f, run, "intended", 0);
}


podi_rc_t
comfy_send(podi_flow_t *f, void *ctx)
{
    podi_job_t       *job = ctx;
    comfy_run_t      *run = job->data;
    runner_server_t  *server;

    if (run->has_end) {
        return PODI_OK;
    }

    if (!podi_row_bool(f->result, 0, "ok")) {
        return podi_job_retry(job, PODI_E_CONFLICT, "it is another's by now");
    }

    server = runner_server_find(&run->server->provider);

    if (server == NULL || server->state != PODI_FARM_ACTIVE) {
        return podi_job_defer(job, SEND_LATER, PODI_E_UNAVAILABLE,
                              PODI_STR_FMT " takes nothing new since",
                              podi_str_arg(&run->server->name));
    }

    PODI_FAULT(comfy_ask);
    podi_job_progress(job, 5);
    memset(&run->answer, 0, sizeof(run->answer));
    run->answer.class = PODI_COMFY_UNKNOWN;
    run->sent = 1;

    if (send_body(f, run) != PODI_OK) {
        run->head.over = 1;
        return PODI_ERROR;
    }

    return runner_ask(f, run->server, "/prompt", &run->body);
}


static podi_rc_t
send_body(podi_flow_t *f, comfy_run_t *run)
{
    uint32_t          seed;
    podi_comfy_job_t  job;

    memset(&job, 0, sizeof(job));
    job.graph = run->graph;
    job.mapping = run->mapping;
    job.params = run->params;
    job.inputs = run->names;
    job.inputs_n = run->head.n_inputs;
    job.prompt_id = run->prompt_id;

    run->heard = run->server->hears;

    if (run->heard) {
        job.client_id = podi_str_c(run->server->client_id);
    }

    if (podi_random(&seed, sizeof(seed)) != PODI_OK
        || podi_mem_printf(f->mem, &job.prefix, "podi/" PODI_STR_FMT "/out",
                           podi_str_arg(&run->prompt_id)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    job.seed = seed;

    return podi_comfy_prompt(&job, run->job->mem, &run->body, &f->fail);
}


podi_rc_t
comfy_sent(podi_flow_t *f, void *ctx)
{
    podi_job_t               *job = ctx;
    comfy_run_t              *run = job->data;
    const podi_http_reply_t  *reply = f->result;
    static const podi_str_t   nothing = podi_null_str;

    if (run->has_end) {
        return PODI_OK;
    }

    if (run->head.over) {
        return podi_job_fail(job, f->fail.error, "%s: %s", f->fail.field,
                             f->fail.detail);
    }

    if (podi_comfy_answer(reply != NULL ? (int) reply->status : 0,
                          reply != NULL ? &reply->type : &nothing,
                          reply != NULL ? &reply->body : &nothing,
                          job->mem, &run->answer) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* a connection that was never made has brought nothing there */
    if (reply == NULL && !f->fail.uncertain) {
        run->answer.class = PODI_COMFY_BUSY;
    }

    PODI_FAULT(comfy_told);

    switch (run->answer.class) {

    case PODI_COMFY_ACCEPTED:
    case PODI_COMFY_PARTIAL:
        send_taken(run);
        return PODI_OK;

    case PODI_COMFY_UNKNOWN:
        podi_worker_log(job->worker, PODI_LOG_WARN, "comfy.unknown", job,
                        "no answer from " PODI_STR_FMT ": it is looked for",
                        podi_str_arg(&run->server->name));
        return PODI_OK;

    default:
        run->has_end = 1;
        run->is_refused = 1;
        return PODI_OK;
    }
}


/* it should be under our id; where it is not, under the one that it gave it */

static void
send_taken(comfy_run_t *run)
{
    podi_str_t  *id = &run->answer.prompt_id;

    runner_server_took(run, run->answer.number);

    if (!podi_str_eq(id, &run->prompt_id)) {
        podi_worker_log(run->job->worker, PODI_LOG_WARN, "comfy.other_id",
                        run->job, PODI_STR_FMT " has given prompt "
                        PODI_STR_FMT " an id of its own",
                        podi_str_arg(&run->server->name),
                        podi_str_arg(&run->prompt_id));

        run->is_own = 1;

        if (!podi_comfy_is_id(id)) {
            send_refuse(run);
            return;
        }

        run->prompt_id = *id;
        run->ref = *id;
    }

    run->remote.len = 0;
    run->unnoted = 1;
}


/* what cannot be noted cannot be found again: it is taken back at once */

static void
send_refuse(comfy_run_t *run)
{
    run->is_refused = 1;
    run->has_end = run->answer.prompt_id.len > SEND_ODD_MAX;
    run->prompt_id = run->has_end ? run->prompt_id : run->answer.prompt_id;
    run->answer.class = PODI_COMFY_DENIED;
    run->server->info.nodes = NULL;
}
