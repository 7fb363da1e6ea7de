/*
 * comfy_place: the inputs of a job, and the server that it is at.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


static void place_gone(void *thing);


podi_rc_t
comfy_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    if (run->has_end || run->head.n_inputs == 0) {
        return PODI_OK;
    }

    return runner_inputs_open(f, job) == PODI_OK ? runner_inputs_fetch(f, job)
                                                 : PODI_ERROR;
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
