/*
 * podi_worker_hear: what a worker is told over Redis, for as long as it is up.
 *
 *     podi:worker:<id>       pokes: which of its jobs are to stop
 *     the daemon's channel   the daemon's business
 *
 * Nothing of it is needed: what is missed is found out later.
 */

#include "podi_event.h"
#include "podi_worker_int.h"
#include "banned.h"


static void worker_message(void *data, const podi_str_t *channel,
    const podi_str_t *payload);


podi_rc_t
podi_worker_listen(podi_worker_t *w, podi_redis_conf_t *conf)
{
    podi_str_t  id, channel;

    conf->role = PODI_REDIS_SUBSCRIBER;
    conf->on_message = worker_message;
    w->subscriber = podi_redis_create(w->io, conf);

    id = podi_str_c(w->id);

    if (w->subscriber == NULL
        || podi_event_worker_channel(w->mem, &id, &channel) != PODI_OK
        || podi_redis_subscribe(w->subscriber, &channel) != PODI_OK)
    {
        return PODI_ERROR;
    }

    channel = podi_str_c(w->conf->channel);

    return channel.len > 0 ? podi_redis_subscribe(w->subscriber, &channel)
                           : PODI_OK;
}


static void
worker_message(void *data, const podi_str_t *channel,
    const podi_str_t *payload)
{
    podi_worker_t  *w = data;

    if (w->conf->channel != NULL && podi_str_eq_c(channel, w->conf->channel)) {
        w->conf->heard(w, payload);
        return;
    }

    if (w->jobs != NULL) {
        podi_job_control(w, payload);
    }
}
