/*
 * comfy_place: the inputs of a job, and the server that it goes to.
 *
 * The choice is by what was seen; the database has the last word, since
 * other runners send there as well.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_id.h"
#include "runnerd.h"
#include "banned.h"


#define PLACE_FULL    500           /* ms until it is tried again */
#define PLACE_WAIT    5000
#define PLACE_SERVERS 256


static podi_rc_t place_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t place_fetched(podi_flow_t *f, void *ctx);
static podi_rc_t place_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static runner_server_t *place_choose(comfy_run_t *run,
    podi_farm_choice_t *choice, podi_str_t *lacks);
static podi_rc_t place_wait(comfy_run_t *run, const podi_farm_choice_t *choice,
    const podi_str_t *lacks);
static podi_rc_t place_remote(comfy_run_t *run);
static void place_leave(void *thing);


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


podi_rc_t
comfy_choose(podi_flow_t *f, void *ctx)
{
    podi_id_t            id;
    podi_str_t           text, lacks = podi_string("");
    podi_job_t          *job = ctx;
    comfy_run_t         *run = job->data;
    runner_server_t     *server;
    podi_farm_choice_t   choice;

    if (run->over) {
        return PODI_DONE;
    }

    if (run->has_end) {
        return PODI_OK;
    }

    server = place_choose(run, &choice, &lacks);

    if (server == NULL) {
        return place_wait(run, &choice, &lacks);
    }

    if (comfy_is_at(run, server) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    text = podi_id_str(&id);

    if (podi_mem_dup(job->mem, &text, &run->prompt_id) != PODI_OK
        || place_remote(run) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return comfy_note(f, run, "intended", 1);
}


static runner_server_t *
place_choose(comfy_run_t *run, podi_farm_choice_t *choice, podi_str_t *lacks)
{
    int                  best;
    size_t               n = 0;
    podi_link_t         *link;
    runner_server_t     *server, *found[PLACE_SERVERS];
    podi_farm_ask_t      ask;
    podi_farm_server_t   servers[PLACE_SERVERS];

    memset(servers, 0, sizeof(servers));
    memset(&ask, 0, sizeof(ask));
    ask.model_key = run->model_key;
    ask.margin = (unsigned) runnerd.margin;

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (!server->listed || n == PLACE_SERVERS) {
            continue;
        }

        found[n] = server;
        servers[n].name = server->name;
        servers[n].state = server->state;
        servers[n].labels = server->labels;
        servers[n].labels_n = server->n_labels;
        servers[n].capable = server->info.nodes != NULL
                             && !podi_comfy_lacks(run->needs,
                                                  server->info.nodes,
                                                  server->info.models, lacks);
        servers[n].shut = runner_server_is_shut(server) != 0;
        servers[n].stale = runner_server_is_stale(server) != 0;
        servers[n].slots = server->slots;
        servers[n].prefetch = server->prefetch;
        servers[n].ours = server->ours;
        servers[n].foreign = server->remaining > server->ours
                             ? server->remaining - server->ours : 0;
        servers[n].model_key = server->model_key;
        servers[n].latency = server->latency;
        servers[n].vram = server->vram;
        n++;
    }

    best = podi_farm_choose(servers, n, &ask, choice);

    return best < 0 ? NULL : found[best];
}


/* the job waits in its queue, where it takes nobody's room */

static podi_rc_t
place_wait(comfy_run_t *run, const podi_farm_choice_t *choice,
    const podi_str_t *lacks)
{
    podi_worker_log(run->job->worker, PODI_LOG_INFO, "comfy.waits", run->job,
                    "%s: %u capable, %u up, %u with room; lacking: "
                    PODI_STR_FMT, podi_farm_why(choice->why), choice->capable,
                    choice->up, choice->room, podi_str_arg(lacks));

    switch (choice->why) {

    case PODI_FARM_ALL_FULL:
        return podi_job_defer(run->job, PLACE_FULL, PODI_E_UNAVAILABLE,
                              "all %u servers that could are busy",
                              choice->up);

    case PODI_FARM_ALL_DOWN:
        return podi_job_defer(run->job, PLACE_WAIT, PODI_E_UNAVAILABLE,
                              "none of %u servers that could is up",
                              choice->capable);

    default:
        return podi_job_defer(run->job, PLACE_WAIT, PODI_E_UNAVAILABLE,
                              lacks->len > 0 ? "no server has " PODI_STR_FMT
                              : "no server is known%.*s",
                              podi_str_arg(lacks));
    }
}


podi_rc_t
comfy_chosen(podi_flow_t *f, void *ctx)
{
    podi_str_t               reason;
    podi_job_t              *job = ctx;
    comfy_run_t             *run = job->data;
    const podi_pg_result_t  *row = f->result;

    if (run->has_end) {
        return PODI_OK;
    }

    if (podi_row_bool(row, 0, "ok")) {
        return PODI_OK;
    }

    reason = podi_row_str(row, 0, "reason");

    return podi_job_defer(job, PLACE_FULL, PODI_E_UNAVAILABLE,
                          "the server is " PODI_STR_FMT,
                          podi_str_arg(&reason));
}


static podi_rc_t
place_remote(comfy_run_t *run)
{
    podi_buf_t  b;

    podi_buf_init(&b, run->job->mem);
    podi_buf_add_c(&b, "{\"server\":");
    podi_buf_add_json(&b, &run->server->name);
    podi_buf_add_c(&b, ",\"prompt_id\":");
    podi_buf_add_json(&b, &run->prompt_id);
    podi_buf_printf(&b, ",\"version\":" PODI_STR_FMT "}",
                    podi_str_arg(&run->version));

    return podi_buf_take(&b, &run->remote);
}


podi_rc_t
comfy_note(podi_flow_t *f, comfy_run_t *run, const char *state, int with_slots)
{
    podi_job_t       *job = run->job;
    podi_pg_call_t    call;
    runner_server_t  *server = run->server;

    if (run->remote.len == 0 && place_remote(run) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_ATTEMPT_REMOTE, f->mem);
    podi_arg_str(&call, &job->id);
    podi_arg_int64(&call, job->fence);
    podi_arg_c(&call, state);
    podi_arg_str(&call, &server->provider);
    podi_arg_str(&call, &run->prompt_id);
    podi_arg_str(&call, &run->remote);

    if (with_slots) {
        podi_arg_int64(&call, (server->slots ? server->slots : 1)
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
        if (podi_mem_own(run->job->mem, place_leave, run) != PODI_OK) {
            return PODI_ERROR;
        }

        run->counted = 1;
    }

    place_leave(run);
    server->ours++;
    run->server = server;
    podi_list_append(&server->runs, &run->link);

    return PODI_OK;
}


/* the job goes, however it ended */

static void
place_leave(void *thing)
{
    comfy_run_t  *run = thing;

    if (run->server != NULL) {
        run->server->ours--;
        run->server = NULL;
        podi_list_remove(&run->link);
    }
}
