/*
 * podi_farm: which of many ComfyUI servers gets a prompt.  Pure.
 *
 *     all -> can do it -> is up -> has room
 *              -> the one that has the models loaded, unless it is behind the
 *                 best by more than a margin
 *              -> the least load -> the nearest
 *
 * A server has room for as many prompts of ours as run at once, and a few that
 * wait there: more would be lost with it.  What others sent there is load, but
 * takes no room.
 */

#ifndef PODI_FARM_H
#define PODI_FARM_H


#include "podi_str.h"
#include "podi_time.h"


typedef enum {
    PODI_FARM_ACTIVE = 0,
    PODI_FARM_DRAINING,         /* nothing new */
    PODI_FARM_DISABLED
} podi_farm_state_e;

typedef struct {
    podi_str_t          name;
    podi_farm_state_e   state;
    const podi_str_t   *labels;
    size_t              labels_n;
    unsigned            capable:1;  /* of what is asked: nodes and models */
    unsigned            shut:1;     /* by its breaker */
    unsigned            stale:1;    /* not seen for too long, or never */
    unsigned            tried:1;    /* by this job, and it failed there */
    unsigned            trial:1;    /* it was shut: one prompt, to begin with */
    unsigned            slots;      /* at once; 0 counts as 1 */
    unsigned            prefetch;
    unsigned            ours;       /* there, or on their way */
    unsigned            foreign;
    uint64_t            model_key;  /* of what ran there last; 0: none */
    podi_msec_t         latency;
    int64_t             vram;       /* bytes */
} podi_farm_server_t;

typedef struct {
    const podi_str_t  *labels;      /* all of which it must have */
    size_t             labels_n;
    uint64_t           model_key;   /* 0: of no models */
    unsigned           margin;      /* prompts for each slot */
    int64_t            vram_above;  /* bytes; memory was short with so many */
} podi_farm_ask_t;

typedef enum {
    PODI_FARM_FOUND = 0,
    PODI_FARM_NONE_CAPABLE,     /* waiting does not help */
    PODI_FARM_ALL_DOWN,
    PODI_FARM_ALL_FULL
} podi_farm_why_e;

typedef struct {
    podi_farm_why_e  why;
    unsigned         capable;       /* how many were left after each step */
    unsigned         up;
    unsigned         room;
    int              by_models;     /* it was chosen for its models */
} podi_farm_choice_t;


/*
 * Its place in servers, or -1; *ret_choice says why, for the log too.  Where
 * the job failed already comes last: it is chosen when no other is left.
 */
int podi_farm_choose(const podi_farm_server_t *servers, size_t n,
    const podi_farm_ask_t *ask, podi_farm_choice_t *ret_choice);

/* "none_capable", "all_down", "all_full" or "found" */
const char *podi_farm_why(podi_farm_why_e why);


/*
 * Whether a server began anew, and forgot what it had.  It does not say so:
 * it is told by what it no longer knows.
 */

typedef struct {
    podi_str_t  version;        /* "": not asked */
    unsigned    held:1;         /* it has a prompt of ours not at its end */
    unsigned    queue_empty:1;
    unsigned    history_empty:1;
    double      number;         /* of the last prompt it took; < 0: none yet */
} podi_farm_memory_t;

int podi_farm_restarted(const podi_farm_memory_t *was,
    const podi_farm_memory_t *is);


#endif /* PODI_FARM_H */
