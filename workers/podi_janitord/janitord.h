/*
 * janitord: what the files of podi_janitord share.
 */

#ifndef JANITORD_H
#define JANITORD_H


#include "podi_worker.h"


#define JANITORD_NAMES_MAX  32
#define JANITORD_NAME_MAX   64

typedef struct {
    podi_msec_t   uploads;
    podi_msec_t   purge;
    podi_msec_t   invariants;
    podi_msec_t   gauges;
    int64_t       batch;
    /* not a setting: the gauges of the last round */
    char          names[JANITORD_NAMES_MAX][JANITORD_NAME_MAX];
    unsigned      n_names;
} janitord_t;

extern const podi_step_t  upload_steps[];
extern const podi_step_t  purge_steps[];
extern const podi_step_t  invariant_steps[];
extern const podi_step_t  gauge_steps[];


#endif /* JANITORD_H */
