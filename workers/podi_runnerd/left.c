/*
 * left: what attempts have left elsewhere, and nobody waits for.
 *
 *     rows of sys.remote_left -> the one that is due: asked for, its answer
 *                                read (left_row.c) -> the next one that is due
 *                             -> all are over: counted
 *
 * One request at a time, however many there are: what waits for its next look
 * is in nobody's way.
 *
 * Promises: nothing that was noted is left for good; a server that is away, or
 * takes longer than LEFT_SLOW, costs one request of a turn; a turn begins
 * nothing new after LEFT_TURN; what it did not come to is not given up.
 */

#include <string.h>

#include "podi_fault.h"
#include "left.h"
#include "banned.h"


#define LEFT_MAX   32
#define LEFT_TURN  20000            /* ms */
#define LEFT_SLOW  2000             /* ms, of one request */


static podi_rc_t left_ask(podi_flow_t *f, void *ctx);
static podi_rc_t left_read(podi_flow_t *f, void *ctx);
static podi_rc_t left_over(podi_flow_t *f, void *ctx);
static podi_rc_t left_do(podi_flow_t *f, void *ctx);
static podi_rc_t left_seen(podi_flow_t *f, void *ctx);
static podi_rc_t left_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void left_stop(runner_left_t *left);
static runner_left_row_t *left_due(runner_left_t *left);


const podi_step_t  runner_left_steps[] = {
    { "asking what is left", left_ask,  0 },
    { "removing it",         left_read, 0 },
    { "counting",            left_over, 0 },
    podi_null_step
};

static const podi_step_t  left_row_steps[] = {
    { "asking for one",     left_do,   PODI_MAY_FAIL },
    { "reading the answer", left_seen, 0 },
    podi_null_step
};


static podi_rc_t
left_ask(podi_flow_t *f, void *ctx)
{
    podi_str_t       queue;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    if (!runnerd.servers_known) {
        return PODI_DONE;
    }

    queue = podi_str_c(podi_worker_queue(round->worker));

    podi_pg_call_init(&call, PODI_SQL_REMOTE_LEFT, f->mem);
    podi_arg_str(&call, &queue);
    podi_arg_int64(&call, LEFT_MAX);
    podi_arg_int64(&call, (int64_t) runnerd.left_wait);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
left_read(podi_flow_t *f, void *ctx)
{
    int             i, n = podi_rows(f->result);
    podi_round_t   *round = ctx;
    runner_left_t  *left = round->data;

    if (n == 0) {
        return PODI_OK;
    }

    PODI_FAULT(left_ask);

    left->worker = round->worker;
    left->mem = f->mem;
    left->until = podi_time_mono() + LEFT_TURN;
    left->rows = podi_mem_calloc(f->mem,
                                 (size_t) n * sizeof(runner_left_row_t));
    if (left->rows == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < n; i++) {
        if (left_row_make(f, left, i) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return runner_again(f, f->mem, left_row_steps, left_next, left,
                        &left->again);
}


static podi_rc_t
left_do(podi_flow_t *f, void *ctx)
{
    runner_left_t  *left = ctx;

    left->now = left_due(left);
    left->asked_at = podi_time_mono();

    if (left->now == NULL || left->now->due > left->asked_at) {
        return PODI_DONE;
    }

    left->now->asked = 1;

    return left_row_do(f, left->now);
}


static podi_rc_t
left_seen(podi_flow_t *f, void *ctx)
{
    runner_left_t  *left = ctx;

    left_row_seen(f, left, left->now);

    if (podi_time_mono() - left->asked_at > LEFT_SLOW) {
        left_away(left, &left->now->provider);
    }

    return PODI_DONE;
}


static podi_rc_t
left_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_msec_t         now = podi_time_mono();
    runner_left_t      *left = ctx;
    runner_left_row_t  *row;

    (void) rc;
    (void) fail;

    if (now >= left->until || podi_worker_is_draining(left->worker)) {
        left_stop(left);
    }

    row = left_due(left);

    if (row == NULL) {
        return PODI_DONE;
    }

    *ret_wait = row->due > now ? row->due - now : 0;

    return *ret_wait > 0 ? PODI_AGAIN : PODI_OK;
}


/* the turn is over: what was brought to its end is noted still */

static void
left_stop(runner_left_t *left)
{
    size_t              i;
    runner_left_row_t  *row;

    for (i = 0; i < left->n; i++) {
        row = &left->rows[i];

        if (row->state == LEFT_LOOK || row->state == LEFT_FORGET) {
            left_row_later(row);
        }
    }
}


/* the one whose time comes first; NULL: all are over */

static runner_left_row_t *
left_due(runner_left_t *left)
{
    size_t              i;
    runner_left_row_t  *row, *first = NULL;

    for (i = 0; i < left->n; i++) {
        row = &left->rows[i];

        if (row->state != LEFT_OVER
            && (first == NULL || row->due < first->due))
        {
            first = row;
        }
    }

    return first;
}


static podi_rc_t
left_over(podi_flow_t *f, void *ctx)
{
    size_t              i;
    podi_round_t       *round = ctx;
    runner_left_t      *left = round->data;
    runner_left_row_t  *row;
    static const char *const  labels[] = {
        "outcome=\"later\"", "outcome=\"ended\"", "outcome=\"given_up\""
    };

    (void) f;

    for (i = 0; i < left->n; i++) {
        row = &left->rows[i];
        podi_metric_add(round->worker, "podi_runner_left_total",
                        labels[row->end], 1);
    }

    if (left->n == LEFT_MAX) {
        podi_round_again(round);
    }

    return PODI_DONE;
}
