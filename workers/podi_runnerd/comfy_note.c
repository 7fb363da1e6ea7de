/*
 * comfy_note: what is kept of an attempt in its row, for who comes next.
 *
 *     before it is sent      intended   under an id of ours
 *     taken                  submitted  under the id that it has there
 *     nobody waits for it    left
 *     nothing is left        ended
 *
 * What was taken is there, whether it can be noted or not: it is followed, and
 * noted again before each look.  Under our id it is found by the next attempt
 * without that.  Under an id of the server's own nobody else would find it: it
 * is told in the log, and stopped when the job ends before it is noted.
 */

#include <string.h>

#include "podi_buf.h"
#include "runnerd.h"
#include "banned.h"


#define NOTE_NAME  256              /* bytes of a class's name */
#define NOTE_ID    200              /* bytes of an id, in the log */


static podi_rc_t note_remote(comfy_run_t *run);
static void note_partial(podi_buf_t *b, const podi_comfy_answer_t *answer);


static podi_rc_t
note_remote(comfy_run_t *run)
{
    json_t      *degraded;
    podi_buf_t   b;

    podi_buf_init(&b, run->job->mem);
    podi_buf_add_c(&b, "{\"server\":");
    podi_buf_add_json(&b, &run->server->name);
    podi_buf_add_c(&b, ",\"prompt_id\":");
    podi_buf_add_json(&b, &run->ref);
    podi_buf_printf(&b, ",\"version\":" PODI_STR_FMT,
                    podi_str_arg(&run->version));

    if (run->history.oom) {
        podi_buf_printf(&b, ",\"vram\":%lld", (long long) run->server->vram);
    }

    degraded = json_object_get(run->head.executor, "degraded");

    if (degraded != NULL) {
        podi_buf_add_c(&b, ",\"degraded\":");
        podi_json_add(&b, degraded);
    }

    if (run->answer.class == PODI_COMFY_PARTIAL) {
        note_partial(&b, &run->answer);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, &run->remote);
}


/* a name that is no name is a stranger's, and left out */

static void
note_partial(podi_buf_t *b, const podi_comfy_answer_t *answer)
{
    podi_str_t  node = answer->node, class_type = answer->class_type;

    node.len = node.len > PODI_COMFY_NODE_MAX ? 0 : node.len;
    class_type.len = class_type.len > NOTE_NAME ? 0 : class_type.len;

    podi_buf_add_c(b, ",\"partial\":{\"node\":");
    podi_buf_add_json(b, &node);
    podi_buf_add_c(b, ",\"class\":");
    podi_buf_add_json(b, &class_type);
    podi_buf_add_c(b, ",\"sentence\":");
    podi_buf_add_json(b, &answer->sentence);
    podi_buf_add_byte(b, '}');
}


podi_rc_t
comfy_note(podi_flow_t *f, comfy_run_t *run, const char *state, int with_slots)
{
    podi_job_t       *job = run->job;
    podi_pg_call_t    call;
    runner_server_t  *server = run->server;

    /* whoever gets the job next asks for more memory than was short here */
    if ((run->remote.len == 0 || run->history.oom)
        && note_remote(run) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_ATTEMPT_REMOTE, f->mem);
    podi_arg_str(&call, &job->id);
    podi_arg_int64(&call, job->fence);
    podi_arg_c(&call, state);
    podi_arg_str(&call, &server->provider);
    podi_arg_str(&call, &run->ref);
    podi_arg_str(&call, &run->remote);

    if (with_slots) {
        podi_arg_int64(&call, server->trial ? 1
                              : (server->slots ? server->slots : 1)
                                + server->prefetch);
    } else {
        podi_arg_null(&call);
    }

    return podi_pg_call(podi_worker_pg(job->worker), f, &call);
}


podi_rc_t
comfy_take(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    f->result = NULL;

    return run->unnoted ? comfy_note(f, run, "submitted", 0) : PODI_OK;
}


podi_rc_t
comfy_taken(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->unnoted) {
        comfy_noted(f, run);
    }

    return PODI_OK;
}


void
comfy_noted(podi_flow_t *f, comfy_run_t *run)
{
    if (f->result != NULL && podi_row_bool(f->result, 0, "ok")) {

        if (run->is_told_lost) {
            podi_worker_log(run->job->worker, PODI_LOG_INFO, "comfy.noted",
                            run->job, "prompt " PODI_STR_FMT " is noted at "
                            "last", podi_str_arg(&run->prompt_id));
        }

        run->unnoted = 0;
        return;
    }

    if (run->is_own) {
        comfy_untold(run);
    }
}


void
comfy_untold(comfy_run_t *run)
{
    podi_str_t  id = run->answer.prompt_id;

    if (run->is_told_lost) {
        return;
    }

    id.len = id.len > NOTE_ID ? NOTE_ID : id.len;
    run->is_told_lost = 1;
    podi_worker_log(run->job->worker, PODI_LOG_ERROR, "comfy.unnoted",
                    run->job, "prompt " PODI_STR_FMT " at " PODI_STR_FMT
                    " is ours, and no row says so", podi_str_arg(&id),
                    podi_str_arg(&run->server->name));
}
