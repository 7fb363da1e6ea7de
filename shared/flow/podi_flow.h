/*
 * podi_flow: a request, or a job, as a list of named steps.
 *
 *     start -> step -> step -> (AGAIN ... op done) -> step -> DONE
 *
 * Promises: steps run in the order of the list; a step starts at most one
 * operation; an operation answers once and never inside the call that
 * started it; `end` is called once, unless the flow was cancelled.  Knows no
 * I/O.  A flow never loops: what repeats is an engine.
 */

#ifndef PODI_FLOW_H
#define PODI_FLOW_H


#include "podi_fail.h"
#include "podi_mem.h"


typedef struct podi_flow_s  podi_flow_t;
typedef struct podi_op_s    podi_op_t;

typedef podi_rc_t (*podi_step_pt)(podi_flow_t *f, void *ctx);
typedef void (*podi_flow_end_pt)(podi_flow_t *f, podi_rc_t rc, void *ctx);
typedef void (*podi_op_cancel_pt)(podi_op_t *op);

#define PODI_MAY_FAIL  1        /* a failed operation leads to the next step */

typedef struct {
    const char    *name;        /* a gerund: "creating the task" */
    podi_step_pt   run;         /* OK next, AGAIN waits, DONE and ERROR end */
    unsigned       flags;
} podi_step_t;

#define podi_null_step  { NULL, NULL, 0 }


/*
 * An operation in flight.  It belongs to its engine, never to the flow; it
 * holds the only pointer back, and a cancelled flow clears it (a tombstone).
 */

struct podi_op_s {
    podi_flow_t        *flow;       /* NULL: nobody is waiting any more */
    podi_op_cancel_pt   cancel;     /* told that the flow went away; or NULL */
};

struct podi_flow_s {
    unsigned            magic;
    const podi_step_t  *step;       /* runs next */
    const podi_step_t  *now;        /* ran last: for the log line */
    podi_op_t          *op;         /* at most one */
    void               *result;     /* what the last operation gave, or NULL */
    void               *ctx;
    podi_mem_t         *mem;        /* lives as long as the flow */
    podi_flow_end_pt    end;
    podi_fail_t         fail;
    unsigned            running:1;
};


/*
 * Runs from the first step until one waits or the flow ends.  `end` may be
 * called before this returns.  All four pointers outlive the flow.
 */
void podi_flow_start(podi_flow_t *f, const podi_step_t *steps, void *ctx,
    podi_mem_t *mem, podi_flow_end_pt end);

/*
 * For engines: the flow's current step waits for op; gives AGAIN.  cancel
 * may be NULL.
 */
podi_rc_t podi_flow_wait(podi_flow_t *f, podi_op_t *op,
    podi_op_cancel_pt cancel);

/*
 * For engines: op is over.  With fail the flow ends (or goes on, when the
 * step MAY_FAIL, with a NULL result and f->fail set).  Does nothing when
 * nobody waits.  Never call it inside the call that started the operation.
 */
void podi_op_done(podi_op_t *op, void *result, const podi_fail_t *fail);

/* the owner is gone: the operation is told, `end` is not called */
void podi_flow_cancel(podi_flow_t *f);

/* for owners that hold a flow in memory that may not have been started */
int podi_flow_is_active(const podi_flow_t *f);


#endif /* PODI_FLOW_H */
