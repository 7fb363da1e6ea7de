/*
 * podi_sub: steps of their own inside a step, at once, later, not at all.
 */

#include "tap.h"
#include "podi_mem.h"
#include "podi_sub.h"
#include "banned.h"


static podi_op_t     op;
static podi_flow_t   flow;
static podi_arena_t *arena;
static podi_fail_t   down = { .error = PODI_E_UNAVAILABLE };

static const podi_step_t  *inner;
static int                 answer = 7;
static int                 got;
static int                 cancelled;
static int                 ended;
static podi_rc_t           ended_rc;


static void begin(const podi_step_t *steps);
static void end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void op_cancel(podi_op_t *o);
static podi_rc_t outer_sub(podi_flow_t *f, void *ctx);
static podi_rc_t outer_read(podi_flow_t *f, void *ctx);
static podi_rc_t inner_ask(podi_flow_t *f, void *ctx);
static podi_rc_t inner_read(podi_flow_t *f, void *ctx);
static podi_rc_t inner_fail(podi_flow_t *f, void *ctx);


static const podi_step_t  outer[] = {
    { "running them", outer_sub,  0 },
    { "reading",      outer_read, 0 },
    podi_null_step
};

static const podi_step_t  at_once[] = {
    { "reading", inner_read, 0 }, podi_null_step
};

static const podi_step_t  later[] = {
    { "asking",  inner_ask,  0 },
    { "reading", inner_read, 0 },
    podi_null_step
};

static const podi_step_t  failing[] = {
    { "failing", inner_fail, 0 }, podi_null_step
};


int
main(void)
{
    arena = podi_arena_create();

    begin(at_once);
    ok(ended == 1 && ended_rc == PODI_DONE && got == 7,
       "steps that need not wait: on with their result");

    begin(later);
    ok(ended == 0, "steps that wait: so does the flow");
    podi_op_done(&op, &answer, NULL);
    ok(ended == 1 && ended_rc == PODI_DONE && got == 7,
       "then on with their result");

    begin(failing);
    ok(ended == 1 && ended_rc == PODI_ERROR
       && flow.fail.error == PODI_E_CONFLICT, "they fail at once: so does it");

    begin(later);
    podi_op_done(&op, NULL, &down);
    ok(ended == 1 && ended_rc == PODI_ERROR
       && flow.fail.error == PODI_E_UNAVAILABLE, "they fail later, and so on");

    begin(later);
    podi_flow_cancel(&flow);
    ok(cancelled == 1 && ended == 0 && op.flow == NULL,
       "cancelled: what they wait for is told");
    podi_op_done(&op, &answer, NULL);
    ok(ended == 0, "and a late answer finds nobody");

    podi_arena_free(&arena);

    return tap_done();
}


static void
begin(const podi_step_t *steps)
{
    inner = steps;
    got = 0;
    ended = 0;
    cancelled = 0;

    podi_flow_start(&flow, outer, &answer, podi_arena_mem(arena), end);
}


static void
end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ended += f == &flow && ctx == &answer;
    ended_rc = rc;
}


static void
op_cancel(podi_op_t *o)
{
    cancelled += o == &op;
}


static podi_rc_t
outer_sub(podi_flow_t *f, void *ctx)
{
    return podi_sub(f, inner, ctx);
}


static podi_rc_t
outer_read(podi_flow_t *f, void *ctx)
{
    (void) ctx;
    got = *(int *) f->result;

    return PODI_DONE;
}


static podi_rc_t
inner_ask(podi_flow_t *f, void *ctx)
{
    (void) ctx;

    return podi_flow_wait(f, &op, op_cancel);
}


static podi_rc_t
inner_read(podi_flow_t *f, void *ctx)
{
    f->result = ctx;

    return PODI_DONE;
}


static podi_rc_t
inner_fail(podi_flow_t *f, void *ctx)
{
    (void) ctx;

    return podi_fail(&f->fail, PODI_E_CONFLICT, NULL, "no");
}
