/*
 * janitord: what the files of podi_janitord share.
 */

#ifndef JANITORD_H
#define JANITORD_H


#include "podi_objects.h"
#include "podi_worker.h"


#define JANITORD_NAMES_MAX  32
#define JANITORD_NAME_MAX   64
#define JANITORD_ID_MAX     40          /* a UUID as text */

typedef struct {
    podi_msec_t     uploads;
    podi_msec_t     objects;
    podi_msec_t     object_grace;
    podi_msec_t     store_timeout;
    podi_msec_t     purge;
    podi_msec_t     invariants;
    podi_msec_t     gauges;
    int64_t         batch;
    /* not a setting: the gauges of the last round */
    char            names[JANITORD_NAMES_MAX][JANITORD_NAME_MAX];
    unsigned        n_names;
    /* nor these: the store whose turn it is, and where each pass stands */
    podi_objects_t  stores;
    size_t          turn;
    char            after[PODI_OBJECTS_MAX][JANITORD_ID_MAX];
} janitord_t;

typedef struct {
    podi_objects_store_t  *store;
    char                  *after;       /* where the pass over it is */
} janitord_object_t;

extern const podi_step_t  upload_steps[];
extern const podi_step_t  object_steps[];
extern const podi_step_t  purge_steps[];
extern const podi_step_t  invariant_steps[];
extern const podi_step_t  gauge_steps[];


#endif /* JANITORD_H */
