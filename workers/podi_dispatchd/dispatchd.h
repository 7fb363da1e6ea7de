/*
 * dispatchd: what the files of podi_dispatchd share.
 */

#ifndef DISPATCHD_H
#define DISPATCHD_H


#include "podi_queue.h"
#include "podi_time.h"
#include "podi_worker.h"


#define DISPATCHD_QUEUES_MAX  16

typedef struct {
    podi_msec_t   dispatch;
    podi_msec_t   sweep;
    podi_msec_t   watch;
    int64_t       batch;
    podi_msec_t   stale;
    const char   *queues;               /* "image runner" */
    /*
     * Not settings: what was pushed before `rebuild_from` (monotonic) is
     * lost and is pushed again; 0: nothing was lost.
     */
    podi_msec_t   rebuild_from;
    char          generations[DISPATCHD_QUEUES_MAX][40];
    unsigned      turn;                 /* the queue that is watched next */
} dispatchd_t;

/* a round of its own memory each */

typedef struct {
    int                 rows;
    podi_queue_hint_t  *hints;
    podi_str_t          ids;            /* "{id,...}" */
    podi_msec_t         rebuild_from;
} dispatch_t;

typedef struct {
    unsigned      queue;
} watch_t;

extern const podi_step_t  dispatch_steps[];
extern const podi_step_t  sweep_steps[];
extern const podi_step_t  expire_steps[];
extern const podi_step_t  watch_steps[];


#endif /* DISPATCHD_H */
