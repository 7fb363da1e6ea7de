/*
 * comfy_place: the inputs of a job, and where it is, as it is noted.
 */

#include <string.h>

#include "podi_buf.h"
#include "runnerd.h"
#include "banned.h"


#define PLACE_NAME  256             /* bytes of a class's name */


static podi_rc_t place_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t place_fetched(podi_flow_t *f, void *ctx);
static podi_rc_t place_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static podi_rc_t place_remote(comfy_run_t *run);
static void place_partial(podi_buf_t *b, const podi_comfy_answer_t *answer);
static void place_gone(void *thing);


static const podi_step_t  place_fetch_steps[] = {
    { "fetching an input",  place_fetch,   PODI_MAY_FAIL },
    { "checking an input",  place_fetched, 0 },
    podi_null_step
};


podi_rc_t
comfy_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    run->at = 0;

    if (run->has_end || run->n_inputs == 0) {
        return PODI_OK;
    }

    podi_job_progress(job, 1);

    return runner_again(f, job->mem, place_fetch_steps, place_next, job,
                        &run->again);
}


static podi_rc_t
place_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t    *job = ctx;
    comfy_run_t   *run = job->data;
    podi_input_t  *input = &run->inputs[run->at];

    if (podi_input_open(f, job, &runnerd.files, run->at, input) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_input_fetch(f, job, &runnerd.files, input);
}


static podi_rc_t
place_fetched(podi_flow_t *f, void *ctx)
{
    podi_rc_t     rc;
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    rc = podi_input_fetched(f, job, &run->inputs[run->at]);

    if (rc == PODI_DONE) {
        run->over = 1;
    }

    run->at++;

    return rc == PODI_OK ? PODI_DONE : rc;
}


static podi_rc_t
place_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    (void) fail;
    (void) ret_wait;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    return run->over || run->at == run->n_inputs ? PODI_DONE : PODI_OK;
}


static podi_rc_t
place_remote(comfy_run_t *run)
{
    podi_buf_t  b;

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

    if (run->answer.class == PODI_COMFY_PARTIAL) {
        place_partial(&b, &run->answer);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, &run->remote);
}


/* a name that is no name is a stranger's, and left out */

static void
place_partial(podi_buf_t *b, const podi_comfy_answer_t *answer)
{
    podi_str_t  node = answer->node, class_type = answer->class_type;

    node.len = node.len > PODI_COMFY_NODE_MAX ? 0 : node.len;
    class_type.len = class_type.len > PLACE_NAME ? 0 : class_type.len;

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
        && place_remote(run) != PODI_OK)
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
comfy_is_at(comfy_run_t *run, runner_server_t *server)
{
    if (!run->counted) {
        if (podi_mem_own(run->job->mem, place_gone, run) != PODI_OK) {
            return PODI_ERROR;
        }

        run->counted = 1;
    }

    comfy_leave(run);
    server->ours++;
    run->server = server;
    run->since = server->number;
    podi_list_append(&server->runs, &run->link);

    return PODI_OK;
}


/* the job goes, however it ended */

static void
place_gone(void *thing)
{
    comfy_run_t  *run = thing;

    /* it does what it says: it may have more than one again */
    if (run->server != NULL && run->has_end && !run->is_lost
        && !run->is_refused)
    {
        run->server->trial = 0;
    }

    comfy_leave(run);
}


void
comfy_leave(comfy_run_t *run)
{
    if (run->server != NULL) {
        run->server->ours--;
        run->server = NULL;
        podi_list_remove(&run->link);
    }
}
