/*
 * left: what attempts have left elsewhere, and nobody waits for.
 *
 *     rows of sys.remote_left -> a lane for each server and third party
 *     lane: the one that is due: asked for, its answer read (left_row.c)
 *           -> the next one that is due ... -> all of the lane are over
 *     all lanes are over -> counted
 *
 * One request at a time of each server, however much there is: what waits for
 * its next look is in nobody's way, who is slow only in his own.
 *
 * Promises: nothing that was noted is left for good; a server that is away
 * costs one request of a turn; a turn begins nothing new after LEFT_TURN; what
 * it did not come to is not given up.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_list.h"
#include "left.h"
#include "banned.h"


#define LEFT_MAX   32
#define LEFT_TURN  20000            /* ms */


static podi_rc_t left_ask(podi_flow_t *f, void *ctx);
static podi_rc_t left_read(podi_flow_t *f, void *ctx);
static podi_rc_t left_over(podi_flow_t *f, void *ctx);
static void left_lane(runner_left_t *left, const podi_str_t *provider);
static podi_rc_t left_open(podi_flow_t *f, runner_left_t *left);
static void left_cancel(podi_op_t *op);
static podi_rc_t lane_begin(podi_flow_t *f, void *ctx);
static podi_rc_t lane_over(podi_flow_t *f, void *ctx);
static void lane_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static podi_rc_t lane_do(podi_flow_t *f, void *ctx);
static podi_rc_t lane_seen(podi_flow_t *f, void *ctx);
static podi_rc_t lane_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static void lane_stop(const runner_left_lane_t *lane);
static runner_left_row_t *lane_due(const runner_left_lane_t *lane);
static int lane_has(const runner_left_lane_t *lane,
    const runner_left_row_t *row);


const podi_step_t  runner_left_steps[] = {
    { "asking what is left", left_ask,  0 },
    { "removing it",         left_read, 0 },
    { "counting",            left_over, 0 },
    podi_null_step
};

static const podi_step_t  lane_steps[] = {
    { "seeing to one after the other", lane_begin, PODI_MAY_FAIL },
    { "leaving the lane",              lane_over,  0 },
    podi_null_step
};

static const podi_step_t  lane_row_steps[] = {
    { "asking for one",     lane_do,   PODI_MAY_FAIL },
    { "reading the answer", lane_seen, 0 },
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
    left->lanes = podi_mem_calloc(f->mem,
                                  (size_t) n * sizeof(runner_left_lane_t));

    if (left->rows == NULL || left->lanes == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < n; i++) {
        if (left_row_make(f, left, i) != PODI_OK) {
            return PODI_ERROR;
        }

        left_lane(left, &left->rows[i].provider);
    }

    return left_open(f, left);
}


/* there is one from now on */

static void
left_lane(runner_left_t *left, const podi_str_t *provider)
{
    size_t               i;
    runner_left_lane_t  *lane;

    for (i = 0; i < left->n_lanes; i++) {
        if (podi_str_eq(&left->lanes[i].provider, provider)) {
            return;
        }
    }

    lane = &left->lanes[left->n_lanes++];
    lane->left = left;
    lane->provider = *provider;
}


/* one that cannot even begin is over at once */

static podi_rc_t
left_open(podi_flow_t *f, runner_left_t *left)
{
    size_t  i;

    left->n_open = left->n_lanes;

    for (i = 0; i < left->n_lanes; i++) {
        podi_flow_start(&left->lanes[i].flow, lane_steps, &left->lanes[i],
                        f->mem, lane_end);
    }

    return left->n_open > 0 ? podi_flow_wait(f, &left->op, left_cancel)
                            : PODI_OK;
}


static void
left_cancel(podi_op_t *op)
{
    size_t          i;
    runner_left_t  *left = podi_list_owner(op, runner_left_t, op);

    for (i = 0; i < left->n_lanes; i++) {
        podi_flow_cancel(&left->lanes[i].flow);
    }
}


static podi_rc_t
lane_begin(podi_flow_t *f, void *ctx)
{
    runner_left_lane_t  *lane = ctx;

    return runner_again(f, f->mem, lane_row_steps, lane_next, lane,
                        &lane->again);
}


static podi_rc_t
lane_over(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


/* the last one ends the turn, and with it the memory of all */

static void
lane_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    runner_left_lane_t  *lane = ctx;

    (void) f;
    (void) rc;

    if (--lane->left->n_open == 0) {
        podi_op_done(&lane->left->op, NULL, NULL);
    }
}


static podi_rc_t
lane_do(podi_flow_t *f, void *ctx)
{
    runner_left_lane_t  *lane = ctx;

    lane->now = lane_due(lane);

    if (lane->now == NULL || lane->now->due > podi_time_mono()) {
        return PODI_DONE;
    }

    return left_row_do(f, lane->now);
}


static podi_rc_t
lane_seen(podi_flow_t *f, void *ctx)
{
    runner_left_lane_t  *lane = ctx;

    left_row_seen(f, lane->left, lane->now);

    return PODI_DONE;
}


static podi_rc_t
lane_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_msec_t          now = podi_time_mono();
    runner_left_row_t   *row;
    runner_left_lane_t  *lane = ctx;

    (void) rc;
    (void) fail;

    if (now >= lane->left->until
        || podi_worker_is_draining(lane->left->worker))
    {
        lane_stop(lane);
    }

    row = lane_due(lane);

    if (row == NULL) {
        return PODI_DONE;
    }

    *ret_wait = row->due > now ? row->due - now : 0;

    return *ret_wait > 0 ? PODI_AGAIN : PODI_OK;
}


/* the turn is over: what was brought to its end is noted still */

static void
lane_stop(const runner_left_lane_t *lane)
{
    size_t              i;
    runner_left_row_t  *row;

    for (i = 0; i < lane->left->n; i++) {
        row = &lane->left->rows[i];

        if (lane_has(lane, row)
            && (row->state == LEFT_LOOK || row->state == LEFT_FORGET))
        {
            left_row_later(row);
        }
    }
}


/* the one whose time comes first; NULL: all are over */

static runner_left_row_t *
lane_due(const runner_left_lane_t *lane)
{
    size_t              i;
    runner_left_row_t  *row, *first = NULL;

    for (i = 0; i < lane->left->n; i++) {
        row = &lane->left->rows[i];

        if (lane_has(lane, row) && row->state != LEFT_OVER
            && (first == NULL || row->due < first->due))
        {
            first = row;
        }
    }

    return first;
}


static int
lane_has(const runner_left_lane_t *lane, const runner_left_row_t *row)
{
    return podi_str_eq(&lane->provider, &row->provider);
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
