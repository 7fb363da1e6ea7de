/*
 * again: steps that are run again and again, as one operation of a flow.
 *
 *     start -> RUNS --steps are over--> post -> next --DONE, ERROR--> answered
 *                ^                               |
 *                '------- OK, or its time -------'
 *
 *     cancelled -> is what is under way kept?
 *         no:   it is cancelled
 *         yes:  this run of the steps goes on, and is the last; whoever undoes
 *               may wait for it
 *
 * A flow never loops; this is the engine of what repeats within a job: one
 * input after the other, one look after the other.  Each run has memory of its
 * own, so a job that is followed for hours grows no larger.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


struct runner_again_s {
    podi_op_t           op;
    podi_flow_t         flow;
    podi_post_t         post;
    podi_io_t          *io;
    podi_timer_t       *timer;          /* NULL: it is over */
    podi_arena_t       *arena;          /* of one run */
    const podi_step_t  *steps;
    runner_next_pt      next;
    void               *ctx;
    runner_kept_pt      is_kept;        /* NULL: never */
    podi_rc_t           rc;
    podi_fail_t         fail;
    podi_msec_t         due;            /* while it waits */
    unsigned            waits:1;
    unsigned            kept:1;
};


static void again_run(runner_again_t *again);
static void again_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void again_next(void *data);
static void again_time(void *data);
static void again_over(runner_again_t *again);
static void again_cancel(podi_op_t *op);
static void again_cancel_run(runner_again_t *again);
static void again_wait_cancel(podi_op_t *op);
static void again_release(void *thing);


podi_rc_t
runner_again(podi_flow_t *f, podi_mem_t *mem, const podi_step_t *steps,
    runner_next_pt next, void *ctx, runner_again_t **ret)
{
    runner_again_t  *again;

    again = podi_mem_calloc(mem, sizeof(runner_again_t));
    if (again == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    again->io = podi_worker_io(runnerd.worker);
    again->steps = steps;
    again->next = next;
    again->ctx = ctx;
    again->post.run = again_next;
    again->post.data = again;
    again->arena = podi_arena_create();

    if (again->arena == NULL
        || podi_mem_own(mem, again_release, again) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    again->timer = again->io->timer(again->io, PODI_TIMER_WORK, again_time,
                                    again);
    if (again->timer == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret = again;
    again_run(again);

    return podi_flow_wait(f, &again->op, again_cancel);
}


/* what was kept, and is under way still, ends with its owner */

static void
again_release(void *thing)
{
    runner_again_t  *again = thing;

    if (again->timer != NULL) {
        again_cancel_run(again);
    }

    podi_arena_free(&again->arena);
}


void
runner_again_keep(runner_again_t *again, runner_kept_pt is_kept)
{
    again->is_kept = is_kept;
}


podi_rc_t
runner_again_wait(podi_flow_t *f, runner_again_t *again, podi_msec_t most)
{
    if (again->timer == NULL || !again->kept) {
        return PODI_OK;
    }

    again->io->arm(again->timer, most);

    return podi_flow_wait(f, &again->op, again_wait_cancel);
}


/* it goes on without him who waited for it */

static void
again_wait_cancel(podi_op_t *op)
{
    runner_again_t  *again = podi_list_owner(op, runner_again_t, op);

    again->io->disarm(again->timer);
}


static void
again_run(runner_again_t *again)
{
    podi_arena_reset(again->arena);
    podi_flow_start(&again->flow, again->steps, again->ctx,
                    podi_arena_mem(again->arena), again_end);
}


/* posted, because the steps may end inside the call that began them */

static void
again_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    runner_again_t  *again = podi_list_owner(f, runner_again_t, flow);

    (void) ctx;

    again->rc = rc;
    again->fail = f->fail;
    again->io->post(again->io, &again->post);
}


static void
again_next(void *data)
{
    podi_rc_t        rc;
    podi_msec_t      wait = 0;
    runner_again_t  *again = data;

    if (again->kept) {
        again_over(again);
        podi_op_done(&again->op, NULL, NULL);
        return;
    }

    rc = again->next(again->ctx, again->rc, &again->fail, &wait);

    if (rc == PODI_AGAIN) {
        /* what was answered may be large, and the wait long */
        podi_arena_reset(again->arena);
        again->waits = 1;
        again->due = podi_time_mono() + wait;
        again->io->arm(again->timer, wait);
        return;
    }

    if (rc == PODI_OK) {
        again_run(again);
        return;
    }

    again_over(again);
    podi_op_done(&again->op, NULL, rc == PODI_ERROR ? &again->fail : NULL);
}


static void
again_time(void *data)
{
    runner_again_t  *again = data;

    if (again->kept) {
        podi_op_done(&again->op, NULL, NULL);
        return;
    }

    again->waits = 0;
    again_run(again);
}


void
runner_again_now(runner_again_t *again)
{
    (void) runner_again_within(again, 0);
}


int
runner_again_within(runner_again_t *again, podi_msec_t wait)
{
    podi_msec_t  due = podi_time_mono() + wait;

    if (again->timer == NULL || !again->waits) {
        return 0;
    }

    if (due < again->due) {
        again->due = due;
        again->io->arm(again->timer, wait);
    }

    return 1;
}


static void
again_over(runner_again_t *again)
{
    again->io->timer_free(again->timer);
    again->timer = NULL;
}


static void
again_cancel(podi_op_t *op)
{
    runner_again_t  *again = podi_list_owner(op, runner_again_t, op);

    if (again->is_kept != NULL && again->is_kept(again->ctx)) {
        again->kept = 1;
        return;
    }

    again_cancel_run(again);
}


static void
again_cancel_run(runner_again_t *again)
{
    again->io->unpost(&again->post);
    podi_flow_cancel(&again->flow);
    again_over(again);
}
