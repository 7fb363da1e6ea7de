/*
 * podi_sub: steps of their own, as one operation of a flow.
 *
 *     step -> podi_sub -> its steps ... DONE -> next step, with their result
 *
 * What several flows have in common is a list of steps that each of them
 * runs in one of its own.  Cancelling the flow cancels the steps.
 */

#ifndef PODI_SUB_H
#define PODI_SUB_H


#include "podi_flow.h"


/*
 * Runs the steps, with ctx, in f->mem.  AGAIN: f->result will be what they
 * leave in their flow's result when they are DONE; their ERROR is that of the
 * operation.  OK: they are DONE already, f->result is there.  ERROR: f->fail
 * says why.
 */
PODI_MUSTCHECK podi_rc_t podi_sub(podi_flow_t *f, const podi_step_t *steps,
    void *ctx);


#endif /* PODI_SUB_H */
