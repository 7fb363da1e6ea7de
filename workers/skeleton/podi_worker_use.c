/*
 * podi_worker_use: what a round or a job may use of its worker.
 */

#include <stdarg.h>

#include "podi_event.h"
#include "podi_worker_int.h"
#include "banned.h"


void *
podi_worker_data(podi_worker_t *w)
{
    return w->conf->data;
}


podi_io_t *
podi_worker_io(podi_worker_t *w)
{
    return w->io;
}


podi_pg_t *
podi_worker_pg(podi_worker_t *w)
{
    return w->pg;
}


podi_redis_t *
podi_worker_redis(podi_worker_t *w)
{
    return w->redis;
}


int
podi_worker_redis_is_up(const podi_worker_t *w)
{
    return w->redis != NULL && podi_redis_is_up(w->redis);
}


const char *
podi_worker_id(const podi_worker_t *w)
{
    return w->id;
}


const char *
podi_worker_queue(const podi_worker_t *w)
{
    return w->set->queue;
}


podi_mem_t *
podi_worker_mem(podi_worker_t *w)
{
    return w->mem;
}


int
podi_worker_is_draining(const podi_worker_t *w)
{
    return w->draining;
}


podi_msec_t
podi_worker_undo_timeout(const podi_worker_t *w)
{
    return w->set->undo_timeout;
}


void
podi_worker_publish(podi_worker_t *w, podi_mem_t *mem,
    const podi_str_t *events)
{
    if (podi_worker_redis_is_up(w)
        && podi_event_publish(w->redis, mem, events) == PODI_ERROR)
    {
        podi_worker_log(w, PODI_LOG_ERROR, "events.unreadable", NULL,
                        "%zu bytes of events could not be published",
                        events->len);
    }
}


void
podi_worker_log(podi_worker_t *w, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    podi_log_v(w->log, level, event, job, fmt, args);
    va_end(args);
}
