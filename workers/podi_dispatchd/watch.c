/*
 * watch: has Redis lost the hints?
 *
 *     GET gen -> none, or another than last time -> push all again
 *
 * The generation is made by the first push into an empty Redis, so it is
 * missing after a loss, or a new one when somebody has pushed since.  What
 * this process has not seen before counts as new: it may have been away.
 */

#include <stdio.h>
#include <string.h>

#include "dispatchd.h"
#include "banned.h"

#define NO_GENERATION  "none"


static podi_rc_t watch_ask(podi_flow_t *f, void *ctx);
static podi_rc_t watch_judge(podi_flow_t *f, void *ctx);


const podi_step_t  watch_steps[] = {
    { "asking for the generation", watch_ask, 0 },
    { "comparing the generation", watch_judge, 0 },
    podi_null_step
};


static podi_rc_t
watch_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t  *round = ctx;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    return podi_queue_generation(podi_worker_redis(round->worker), f);
}


static podi_rc_t
watch_judge(podi_flow_t *f, void *ctx)
{
    char                      *last;
    char                       now[sizeof(((dispatchd_t *) 0)->generation)];
    dispatchd_t               *conf;
    podi_round_t              *round = ctx;
    const podi_redis_reply_t  *reply = f->result;

    conf = podi_worker_data(round->worker);
    last = conf->generation;

    (void) snprintf(now, sizeof(now), PODI_STR_FMT, podi_str_arg(&reply->str));

    if (reply->type == PODI_REDIS_STRING && strcmp(now, last) == 0) {
        return PODI_DONE;
    }

    conf->rebuild_from = podi_time_mono();

    /* where nothing was ever pushed, looking again and again is cheap */

    if (reply->type != PODI_REDIS_STRING && strcmp(last, NO_GENERATION) == 0) {
        return PODI_DONE;
    }

    (void) snprintf(last, sizeof(now), "%s",
                    reply->type == PODI_REDIS_STRING ? now : NO_GENERATION);

    podi_metric_add(round->worker, "podi_dispatch_rebuilds_total", "", 1);
    podi_worker_log(round->worker, PODI_LOG_NOTICE, "dispatch.rebuild", NULL,
                    "the hints are new or gone: pushing all");

    return PODI_DONE;
}
