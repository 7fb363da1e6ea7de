/*
 * janitord: what the files of podi_janitord share.
 */

#ifndef JANITORD_H
#define JANITORD_H


#include "podi_object.h"
#include "podi_objects.h"
#include "podi_reconcile.h"
#include "podi_worker.h"


#define JANITORD_NAMES_MAX  32
#define JANITORD_NAME_MAX   64
#define JANITORD_ID_MAX     40          /* a UUID as text */
#define JANITORD_PLACE_MAX  128         /* of sys.reconcile, invariant_slice */
#define JANITORD_PARTS      7           /* of sys.invariant_slice */
#define JANITORD_INVARIANTS 32          /* numbers; 0: one without */
#define JANITORD_KEY_MAX    (PODI_OBJECT_KEY_MAX + 1)

/* of one rule: where its pass is, and what it and the one before have seen */

typedef struct {
    char    place[JANITORD_PLACE_MAX];
    int     hits;
    int     open;
} janitord_pass_t;

/* of one part: where its pass is, what it and the one before have seen */

typedef struct {
    char      place[JANITORD_PLACE_MAX];
    unsigned  seen[JANITORD_INVARIANTS];
    unsigned  open[JANITORD_INVARIANTS];
    unsigned  through:1;                /* a pass ended since the last sums */
} janitord_part_t;

typedef struct {
    podi_msec_t     uploads;
    podi_msec_t     objects;
    podi_msec_t     object_grace;
    podi_msec_t     store_timeout;
    podi_msec_t     purge;
    podi_msec_t     invariants;
    podi_msec_t     gauges;
    podi_msec_t     holds;
    podi_msec_t     reconcile;
    int64_t         batch;
    int64_t         slice;
    /* not a setting: the gauges of the last round */
    char            names[JANITORD_NAMES_MAX][JANITORD_NAME_MAX];
    unsigned        n_names;
    /* nor these: the store whose turn it is, and where each pass stands */
    podi_objects_t  stores;
    size_t          turn;
    char            after[PODI_OBJECTS_MAX][JANITORD_ID_MAX];
    size_t          orphan_turn;
    char            orphan_after[PODI_OBJECTS_MAX][JANITORD_KEY_MAX];
    /* nor these: the rule whose turn it is, and where their passes stand */
    podi_rule_e     rule;
    janitord_pass_t  passes[PODI_RULES];
    unsigned         part;
    janitord_part_t  parts[JANITORD_PARTS];
} janitord_t;

typedef struct {
    podi_objects_store_t  *store;
    char                  *after;       /* where the pass over it is */
} janitord_object_t;

typedef struct {
    podi_objects_store_t  *store;
    char                  *after;
    podi_str_t             key;
    podi_str_t             job;
    unsigned               answer;      /* 0: it is gone */
} janitord_orphan_t;

extern const podi_step_t  upload_steps[];
extern const podi_step_t  object_steps[];
extern const podi_step_t  purge_steps[];
extern const podi_step_t  invariant_steps[];
extern const podi_step_t  gauge_steps[];
extern const podi_step_t  hold_steps[];
extern const podi_step_t  orphan_steps[];
extern const podi_step_t  reconcile_steps[];


/* reconcile.c: all counters are there from the beginning */
void janitord_reconcile_init(podi_worker_t *w);

/* counts breaks of a rule that a round of ours puts right */
void janitord_repaired(podi_worker_t *w, podi_rule_e rule, int64_t hits,
    int64_t repaired);


#endif /* JANITORD_H */
