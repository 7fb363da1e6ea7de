/*
 * podi_flow: the step runner.
 *
 *     run -> step() -> OK:    the next one
 *                      AGAIN: returns; podi_op_done runs on
 *                      DONE:  end(DONE)
 *                      ERROR: end(ERROR)
 *
 * Broken rules are bugs of ours and abort: an answer inside the call that
 * asked, a second operation, AGAIN without one, a list that ran out.
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_flow.h"
#include "banned.h"


#define PODI_FLOW_MAGIC  0x666c6f77


static void podi_flow_run(podi_flow_t *f);
static void podi_flow_finish(podi_flow_t *f, podi_rc_t rc);


void
podi_flow_start(podi_flow_t *f, const podi_step_t *steps, void *ctx,
    podi_mem_t *mem, podi_flow_end_pt end)
{
    memset(f, 0, sizeof(podi_flow_t));

    f->magic = PODI_FLOW_MAGIC;
    f->step = steps;
    f->ctx = ctx;
    f->mem = mem;
    f->end = end;

    podi_flow_run(f);
}


podi_rc_t
podi_flow_wait(podi_flow_t *f, podi_op_t *op, podi_op_cancel_pt cancel)
{
    podi_assert(f->magic == PODI_FLOW_MAGIC && f->running && f->op == NULL);

    op->flow = f;
    op->cancel = cancel;
    f->op = op;

    return PODI_AGAIN;
}


void
podi_op_done(podi_op_t *op, void *result, const podi_fail_t *fail)
{
    podi_flow_t  *f = op->flow;

    if (f == NULL) {                    /* nobody is waiting any more */
        return;
    }

    podi_assert(f->magic == PODI_FLOW_MAGIC && f->op == op && !f->running);

    op->flow = NULL;
    f->op = NULL;
    f->result = result;

    if (fail == NULL) {
        podi_flow_run(f);
        return;
    }

    f->fail = *fail;
    f->result = NULL;

    if (f->now->flags & PODI_MAY_FAIL) {
        podi_flow_run(f);
        return;
    }

    podi_flow_finish(f, PODI_ERROR);
}


void
podi_flow_cancel(podi_flow_t *f)
{
    podi_op_t  *op = f->op;

    if (f->magic != PODI_FLOW_MAGIC) {
        return;
    }

    podi_assert(!f->running);

    f->magic = 0;
    f->op = NULL;

    if (op == NULL) {
        return;
    }

    op->flow = NULL;

    if (op->cancel != NULL) {
        op->cancel(op);
    }
}


int
podi_flow_is_active(const podi_flow_t *f)
{
    return f->magic == PODI_FLOW_MAGIC;
}


static void
podi_flow_run(podi_flow_t *f)
{
    podi_rc_t  rc;

    do {
        f->now = f->step++;

        podi_assert(f->now->run != NULL);   /* a flow must end in a reply */

        f->running = 1;
        rc = f->now->run(f, f->ctx);
        f->running = 0;

        /* a step that could not even start its operation */

        if (rc == PODI_ERROR && f->op == NULL
            && f->now->flags & PODI_MAY_FAIL)
        {
            f->result = NULL;
            rc = PODI_OK;
        }

    } while (rc == PODI_OK && f->op == NULL);

    if (rc == PODI_AGAIN) {
        podi_assert(f->op != NULL);
        return;
    }

    podi_assert(f->op == NULL);
    podi_assert(rc == PODI_DONE || rc == PODI_ERROR);

    podi_flow_finish(f, rc);
}


/* end may free the flow's memory: nothing is touched after it */

static void
podi_flow_finish(podi_flow_t *f, podi_rc_t rc)
{
    f->magic = 0;
    f->end(f, rc, f->ctx);
}
