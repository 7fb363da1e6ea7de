/*
 * dispatchd: what the files of podi_dispatchd share.
 */

#ifndef DISPATCHD_H
#define DISPATCHD_H


#include "podi_queue.h"
#include "podi_reconcile.h"
#include "podi_time.h"
#include "podi_worker.h"


typedef struct {
    podi_msec_t   dispatch;
    podi_msec_t   sweep;
    podi_msec_t   watch;
    int64_t       batch;
    podi_msec_t   stale;
    podi_msec_t   patience;
    /*
     * Not settings: what was pushed before `rebuild_from` (monotonic) is
     * lost and is pushed again; 0: nothing was lost.
     */
    podi_msec_t   rebuild_from;
    char          generation[40];
} dispatchd_t;

/* a round of its own memory each */

typedef struct {
    int                 rows;
    podi_queue_hint_t  *hints;
    podi_str_t          ids;            /* "{id,...}" */
    podi_msec_t         rebuild_from;
} dispatch_t;

typedef struct {
    int64_t             freed;
    int64_t             taken;
    int64_t             young;          /* built anew not long ago */
} check_t;

extern const podi_step_t  dispatch_steps[];
extern const podi_step_t  sweep_steps[];
extern const podi_step_t  expire_steps[];
extern const podi_step_t  watch_steps[];
extern const podi_step_t  check_steps[];
extern const podi_step_t  wake_steps[];


/* main.c: breaks of a rule that were seen and put right */
void dispatchd_count(podi_worker_t *w, podi_rule_e rule, int64_t n);


#endif /* DISPATCHD_H */
