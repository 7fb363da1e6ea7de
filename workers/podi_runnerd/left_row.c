/*
 * left_row: one attempt that has left something elsewhere.
 *
 *     LOOK --at its end--> FORGET --removed--> NOTE --noted--> OVER
 *      |  '--nowhere, nothing to be done--------^
 *      |--it waits, it runs: stopped, and looked at again
 *      '--not to be reached--> OVER, asked for again later; or, after left_max,
 *                              NOTE: it is given up, and somebody is told
 *
 * What succeeded needs no look: it is in the history of its server.  Of a third
 * party nothing is forgotten, only cancelled.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_sub.h"
#include "left.h"
#include "banned.h"


#define LEFT_JSON_MAX  (16 * 1024 * 1024)   /* as who begins them */
#define LEFT_GAP       500          /* ms, also when nothing could be asked */


static podi_rc_t left_comfy(runner_left_row_t *row);
static podi_rc_t left_provider(podi_flow_t *f, runner_left_row_t *row);
static void left_unknown(const runner_left_row_t *row);
static podi_rc_t left_unread(runner_left_row_t *row, const podi_fail_t *fail);
static void left_nowhere(runner_left_row_t *row);
static void left_looked(runner_left_t *left, runner_left_row_t *row);
static void left_away(runner_left_t *left, const podi_str_t *provider);
static void left_is_over(runner_left_row_t *row);
static void left_leave(void *thing);


podi_rc_t
left_row_make(podi_flow_t *f, runner_left_t *left, int i)
{
    podi_str_t               remote, params, outcome;
    podi_fail_t              fail;
    podi_job_t              *job;
    runner_left_row_t       *row = &left->rows[left->n];
    const podi_pg_result_t  *rows = f->result;
    static const podi_json_limit_t  limit = { LEFT_JSON_MAX, 64 };

    job = &row->job;
    job->worker = left->worker;
    job->mem = left->mem;
    job->data = &row->run;
    job->id = podi_row_str(rows, i, "job_id");
    job->fence = podi_row_int64(rows, i, "fence");

    row->provider = podi_row_str(rows, i, "provider");
    row->ref = podi_row_str(rows, i, "ref");
    row->age = (podi_msec_t) podi_row_int64(rows, i, "age_ms");
    row->told = podi_row_bool(rows, i, "told") != 0;
    row->comfy = podi_str_has_prefix(&row->provider, "comfy:") != 0;

    outcome = podi_row_str(rows, i, "outcome");
    row->made = podi_str_eq_c(&outcome, "succeeded");

    remote = podi_row_str(rows, i, "remote");
    params = podi_row_str(rows, i, "params");

    /* the result goes with its step */
    if (podi_mem_dup(left->mem, &job->id, &job->id) != PODI_OK
        || podi_mem_dup(left->mem, &row->provider, &row->provider) != PODI_OK
        || podi_mem_dup(left->mem, &row->ref, &row->ref) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    left->n++;

    if (podi_json_parse(&remote, &limit, left->mem, &row->remote, &fail)
        != PODI_OK
        || podi_json_parse(&params, &limit, left->mem, &row->params, &fail)
           != PODI_OK)
    {
        return left_unread(row, &fail);
    }

    return row->comfy ? left_comfy(row) : left_provider(f, row);
}


/* others of the turn can be read */

static podi_rc_t
left_unread(runner_left_row_t *row, const podi_fail_t *fail)
{
    podi_worker_log(row->job.worker, PODI_LOG_ERROR, "left.unread", &row->job,
                    PODI_STR_FMT " at " PODI_STR_FMT ": %s",
                    podi_str_arg(&row->ref), podi_str_arg(&row->provider),
                    fail->detail);
    left_nowhere(row);

    return PODI_OK;
}


/* nobody can be asked about it: as if it had been in vain */

static void
left_nowhere(runner_left_row_t *row)
{
    row->asked = 1;
    left_row_later(row);
}


/*
 * Its record is kept as long as something is asked of it.  One that is disabled
 * is not looked after by anybody else, so nobody knows how it is.
 */

static podi_rc_t
left_comfy(runner_left_row_t *row)
{
    comfy_run_t      *run = &row->run.comfy;
    runner_server_t  *server = runner_server_find(&row->provider);

    if (server == NULL
        || (server->state != PODI_FARM_DISABLED && server->seen_at > 0
            && runner_server_is_stale(server)))
    {
        left_nowhere(row);
        return PODI_OK;
    }

    run->job = &row->job;
    run->prompt_id = row->ref;
    run->ref = row->ref;
    run->server = server;
    server->kept++;

    if (podi_mem_own(row->job.mem, left_leave, row) != PODI_OK) {
        return PODI_ERROR;
    }

    comfy_look_begin(run, 0);
    run->follow.cancel = 1;
    row->state = row->made ? LEFT_FORGET : LEFT_LOOK;

    return PODI_OK;
}


static void
left_leave(void *thing)
{
    runner_left_row_t  *row = thing;

    if (row->run.comfy.server != NULL) {
        row->run.comfy.server->kept--;
        row->run.comfy.server = NULL;
    }
}


/* what has no id there cannot be asked for; its results are kept, at most */

static podi_rc_t
left_provider(podi_flow_t *f, runner_left_row_t *row)
{
    podi_str_t  id;

    id = podi_json_str(json_object_get(row->remote, "id"));

    if (id.len == 0) {

        if (!row->told && json_object_get(row->remote, "items") == NULL) {
            left_unknown(row);
        }

        row->state = LEFT_NOTE;
        row->end = LEFT_ENDED;
        return PODI_OK;
    }

    switch (provider_stop_begin(&row->job, &row->provider, row->remote,
                                row->params)) {

    case PODI_OK:
        return PODI_OK;

    case PODI_DECLINED:
        left_nowhere(row);
        return PODI_OK;

    default:
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }
}


static void
left_unknown(const runner_left_row_t *row)
{
    podi_worker_log(row->job.worker, PODI_LOG_ERROR, "provider.unknown",
                    &row->job, "an attempt under " PODI_STR_FMT " at "
                    PODI_STR_FMT " was cut off, and its job has ended: look "
                    "whether it was begun", podi_str_arg(&row->ref),
                    podi_str_arg(&row->provider));
}


void
left_row_later(runner_left_row_t *row)
{
    if (row->age < runnerd.left_max || !row->asked) {
        row->end = LEFT_LATER;
        left_is_over(row);
        return;
    }

    podi_worker_log(row->job.worker, PODI_LOG_WARN, "left.given_up", &row->job,
                    PODI_STR_FMT " at " PODI_STR_FMT " could not be brought to "
                    "its end: it may run there still",
                    podi_str_arg(&row->ref), podi_str_arg(&row->provider));

    row->end = LEFT_GIVEN_UP;
    row->state = LEFT_NOTE;
}


static void
left_is_over(runner_left_row_t *row)
{
    row->state = LEFT_OVER;

    if (row->comfy) {
        left_leave(row);
    }
}


podi_rc_t
left_row_do(podi_flow_t *f, runner_left_row_t *row)
{
    podi_pg_call_t  call;

    f->result = NULL;

    switch (row->state) {

    case LEFT_LOOK:
        return podi_sub(f, row->comfy ? comfy_look_steps : provider_stop_steps,
                        &row->job);

    case LEFT_FORGET:
        PODI_FAULT(left_forget);
        return runner_delete(f, row->run.comfy.server, "/history", &row->ref);

    default:
        PODI_FAULT(left_note);
        podi_pg_call_init(&call, PODI_SQL_REMOTE_END, f->mem);
        podi_arg_str(&call, &row->job.id);
        podi_arg_int64(&call, row->job.fence);

        return podi_pg_call(podi_worker_pg(row->job.worker), f, &call);
    }
}


void
left_row_seen(podi_flow_t *f, runner_left_t *left, runner_left_row_t *row)
{
    switch (row->state) {

    case LEFT_LOOK:
        left_looked(left, row);
        return;

    case LEFT_FORGET:
        row->asked = 1;

        if (runner_answered(f) == NULL) {
            left_away(left, &row->provider);
            return;
        }

        row->state = LEFT_NOTE;
        row->end = LEFT_ENDED;
        return;

    default:
        if (f->result == NULL) {
            row->end = LEFT_LATER;
        }

        left_is_over(row);
    }
}


static void
left_looked(runner_left_t *left, runner_left_row_t *row)
{
    comfy_run_t     *comfy = &row->run.comfy;
    provider_run_t  *provider = &row->run.provider;

    row->due = podi_time_mono();

    if (!row->comfy) {
        row->asked |= provider->asked;
        row->due += provider->wait > LEFT_GAP ? provider->wait : LEFT_GAP;
        row->end = provider->stopped ? LEFT_ENDED : LEFT_LATER;
        row->state = provider->stopped ? LEFT_NOTE : LEFT_LOOK;

        if (row->state == LEFT_LOOK && row->due > left->until) {
            left_row_later(row);
        }

        return;
    }

    row->asked = 1;

    switch (comfy->act) {

    case PODI_ACT_FINISH:
        row->state = LEFT_FORGET;
        return;

    case PODI_ACT_LOST:
        row->state = LEFT_NOTE;
        row->end = LEFT_ENDED;
        return;

    case PODI_ACT_GONE:
    case PODI_ACT_STUCK:
        left_row_later(row);
        return;

    case PODI_ACT_WAIT:
        row->due += comfy->wait;
        break;

    default:
        break;
    }

    if (comfy->follow.silent > 0) {
        left_away(left, &row->provider);
    }
}


/* others that are there need not be asked for */

static void
left_away(runner_left_t *left, const podi_str_t *provider)
{
    size_t              i;
    runner_left_row_t  *row;

    for (i = 0; i < left->n; i++) {
        row = &left->rows[i];

        if (podi_str_eq(&row->provider, provider)
            && (row->state == LEFT_LOOK || row->state == LEFT_FORGET))
        {
            left_row_later(row);
        }
    }
}
