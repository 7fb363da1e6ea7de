/*
 * podi_job_tick: how far a job is, shown live.
 *
 *     percent, where, picture  -> held: the last of each
 *     every 250 ms: of jobs of which something is new, and which were not told
 *     of within TICK_EVERY:  picture -> Redis, the rest -> its user's channel
 *
 * Promises: however often a job says how far it is, two events a second are
 * the most that come of it, and no row; a picture goes when its job is over.
 * What is told never falls while the job is held.  Who listens later hears it
 * again after progress_again.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_preview.h"
#include "podi_worker_int.h"
#include "banned.h"

#define TICK_EVERY  500                 /* ms */


static podi_rc_t tick_publish(podi_flow_t *f, void *ctx);
static int tick_is_due(const podi_held_t *held, podi_msec_t now);
static void tick_preview(podi_held_t *held, podi_mem_t *mem);
static void tick_tell(podi_held_t *held, podi_mem_t *mem);


const podi_step_t  podi_tick_steps[] = {
    { "publishing progress", tick_publish, 0 },
    podi_null_step
};


/*
 * Several parts of a job tell it, each for itself: of its second file, the one
 * that stores files knows nothing.  What was reached before is not undone.
 */

void
podi_job_progress(podi_job_t *job, unsigned percent)
{
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);
    percent = (percent > 100) ? 100 : percent;

    if (percent > held->progress) {
        held->progress = percent;
    }
}


void
podi_job_where(podi_job_t *job, const podi_event_where_t *where)
{
    podi_held_t  *held;

    held = podi_list_owner(job, podi_held_t, job);
    held->where = *where;
    held->moved = 1;
}


podi_rc_t
podi_job_preview(podi_job_t *job, const podi_str_t *image)
{
    podi_held_t    *held;
    unsigned char  *copy;

    held = podi_list_owner(job, podi_held_t, job);

    if (podi_preview_type(image) == PODI_MEDIA_UNKNOWN) {
        return PODI_DECLINED;
    }

    if (held->job.is_system || held->state != PODI_JOB_RUNNING
        || !podi_worker_redis_is_up(job->worker))
    {
        return PODI_OK;
    }

    copy = realloc(held->preview.data, image->len);
    if (copy == NULL) {
        return PODI_OK;
    }

    memcpy(copy, image->data, image->len);
    held->preview.data = copy;
    held->preview.len = image->len;

    return PODI_OK;
}


static podi_rc_t
tick_publish(podi_flow_t *f, void *ctx)
{
    podi_msec_t    now = podi_time_mono();
    podi_held_t   *held;
    podi_link_t   *link;
    podi_round_t  *round = ctx;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    podi_list_each(link, &round->worker->jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (tick_is_due(held, now)) {
            held->ticked = now;
            tick_preview(held, f->mem);
            tick_tell(held, f->mem);
        }
    }

    return PODI_DONE;
}


static int
tick_is_due(const podi_held_t *held, podi_msec_t now)
{
    if (held->job.is_system || held->state != PODI_JOB_RUNNING) {
        return 0;
    }

    if (held->ticked != 0 && now - held->ticked < TICK_EVERY) {
        return 0;
    }

    return held->progress != held->progress_told || held->moved
           || held->preview.len > 0
           || (held->ticked != 0
               && now - held->ticked
                  >= held->jobs->worker->set->progress_again);
}


/* what Redis did not take is not told of; the next one will do as well */

static void
tick_preview(podi_held_t *held, podi_mem_t *mem)
{
    if (held->preview.len == 0) {
        return;
    }

    if (podi_preview_put(held->jobs->worker->redis, mem, &held->job.id,
                         &held->preview) == PODI_OK)
    {
        held->previews++;
    }

    free(held->preview.data);
    held->preview.data = NULL;
    held->preview.len = 0;
}


static void
tick_tell(podi_held_t *held, podi_mem_t *mem)
{
    podi_event_progress_t  tick;

    tick.user_id = held->job.user_id;
    tick.task_id = held->job.task_id;
    tick.job_id = held->job.id;
    tick.percent = held->progress;
    tick.where = held->where;
    tick.preview = held->previews;

    (void) podi_event_progress(held->jobs->worker->redis, mem, &tick);

    held->progress_told = held->progress;
    held->moved = 0;
}


void
podi_tick_free(podi_held_t *held)
{
    podi_worker_t  *w = held->jobs->worker;

    free(held->preview.data);

    if (held->previews > 0 && podi_worker_redis_is_up(w)) {
        (void) podi_preview_drop(w->redis, held->job.mem, &held->job.id);
    }
}
