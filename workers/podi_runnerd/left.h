/*
 * left: what left.c and left_row.c share.
 */

#ifndef LEFT_H
#define LEFT_H


#include "provider.h"


typedef enum {
    LEFT_LOOK = 0,
    LEFT_FORGET,
    LEFT_NOTE,
    LEFT_OVER
} left_state_e;

typedef enum {
    LEFT_LATER = 0,
    LEFT_ENDED,
    LEFT_GIVEN_UP
} left_end_e;

/* what is at one server, or third party */

struct runner_left_lane_s {
    podi_flow_t         flow;
    runner_left_t      *left;
    podi_str_t          provider;
    runner_left_row_t  *now;        /* the one that is dealt with */
    runner_again_t     *again;
};

struct runner_left_row_s {
    podi_job_t       job;           /* for those who drive jobs; nobody holds
                                       it */
    runner_run_t     run;
    left_state_e     state;
    left_end_e       end;           /* what it becomes with OVER */
    podi_str_t       provider;      /* which lane it is in */
    podi_str_t       ref;
    json_t          *remote;
    json_t          *params;
    podi_msec_t      due;
    podi_msec_t      age;
    unsigned         comfy:1;
    unsigned         made:1;        /* it succeeded */
    unsigned         told:1;
    unsigned         asked:1;       /* they were, in this turn */
};


/* row i of f->result becomes one of left's; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t left_row_make(podi_flow_t *f, runner_left_t *left,
    int i);

/* the request that is due; then its answer, whatever it is */
podi_rc_t left_row_do(podi_flow_t *f, runner_left_row_t *row);
void left_row_seen(podi_flow_t *f, runner_left_t *left,
    runner_left_row_t *row);

/* not now; and never, when it was tried for long enough, if it was */
void left_row_later(runner_left_row_t *row);


#endif /* LEFT_H */
