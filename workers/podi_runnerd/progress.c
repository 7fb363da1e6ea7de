/*
 * progress: how far a prompt is, as its user is told.
 *
 *     /queue   -> how many run before it: everybody's
 *     frames   -> percents, node, step   (the socket; without it there are
 *     pictures -> the last of them        none of these)
 *
 * A picture without the prompt's id belongs to the prompt that the socket
 * spoke of last: a server runs one at a time.  When that one has ended, or
 * another's runs, it is nobody's.
 */

#include "podi_assert.h"
#include "runnerd.h"
#include "banned.h"


#define PROGRESS_FROM   10              /* percent of the job */
#define PROGRESS_TO     89
#define PROGRESS_TITLE  100             /* bytes; longer ones are left out */


static void progress_tell(comfy_run_t *run);


void
runner_progress_ahead(comfy_run_t *run, unsigned ahead)
{
    int  n = ahead < 1000000 ? (int) ahead : 1000000;

    /* what is only to be removed is nobody's job: there is no one to tell */
    if (!run->follows || (run->is_placed && run->ahead == n)) {
        return;
    }

    run->is_placed = 1;
    run->ahead = n;
    progress_tell(run);
}


void
runner_progress_frame(comfy_run_t *run, const podi_comfy_frame_t *frame)
{
    int  is_new = podi_comfy_track(&run->track, frame);

    if (!run->follows) {
        return;
    }

    /* whatever the queue said: who works on it does not let it wait */
    if (is_new) {
        run->is_placed = 1;
        run->ahead = 0;
        progress_tell(run);
    }
}


static void
progress_tell(comfy_run_t *run)
{
    podi_comfy_node_t   node;
    podi_event_where_t  where = { .ahead = run->ahead };

    /* what is left of another job is in no podi_held_t, which is written to */
    podi_assert(run->follows);

    if (podi_comfy_node(run->graph, run->track.node, &node)) {
        where.node = node.id;
        where.class_type = node.class_type;
        where.step = run->track.step;
        where.steps = run->track.steps;

        if (node.title.len <= PROGRESS_TITLE) {
            where.title = node.title;
        }
    }

    podi_job_where(run->job, &where);

    if (run->track.percent > 0 || run->track.begun > 0) {
        podi_job_progress(run->job, PROGRESS_FROM + run->track.percent
                                    * (PROGRESS_TO - PROGRESS_FROM) / 99);
    }
}


void
runner_progress_preview(comfy_run_t *run, const podi_comfy_frame_t *frame)
{
    if (!run->follows) {
        return;
    }

    podi_metric_add(run->job->worker, "podi_runner_previews_total",
                    podi_job_preview(run->job, &frame->image) == PODI_OK
                    ? "outcome=\"taken\"" : "outcome=\"refused\"", 1);
}
