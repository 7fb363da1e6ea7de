/*
 * podi_flow: order, answers, and the rules whose breach aborts.
 */

#include "tap.h"
#include "podi_flow.h"
#include "banned.h"


/* a fake engine with one operation, answered by hand */

static podi_op_t     op;
static podi_op_t     second;
static podi_flow_t   flow;
static podi_fail_t   down = { .error = PODI_E_UNAVAILABLE };

static char          trail[64];
static int           ended;
static podi_rc_t     ended_rc;
static int           cancelled;
static int           answer = 7;


static void begin(const podi_step_t *steps);
static void end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void op_cancel(podi_op_t *o);
static podi_rc_t step_a(podi_flow_t *f, void *ctx);
static podi_rc_t step_b(podi_flow_t *f, void *ctx);
static podi_rc_t step_ask(podi_flow_t *f, void *ctx);
static podi_rc_t step_read(podi_flow_t *f, void *ctx);
static podi_rc_t step_done(podi_flow_t *f, void *ctx);
static podi_rc_t step_fail(podi_flow_t *f, void *ctx);
static podi_rc_t step_inside(podi_flow_t *f, void *ctx);
static podi_rc_t step_twice(podi_flow_t *f, void *ctx);
static podi_rc_t step_idle(podi_flow_t *f, void *ctx);
static podi_rc_t step_lost(podi_flow_t *f, void *ctx);
static podi_rc_t step_odd(podi_flow_t *f, void *ctx);
static void run_inside(void);
static void run_twice(void);
static void run_idle(void);
static void run_lost(void);
static void run_odd(void);
static void run_short(void);
static void run_outside(void);


static const podi_step_t  straight[] = {
    { "a", step_a, 0 }, { "b", step_b, 0 }, { "done", step_done, 0 },
    podi_null_step
};

static const podi_step_t  early[] = {
    { "a", step_a, 0 }, { "done", step_done, 0 }, { "b", step_b, 0 },
    podi_null_step
};

static const podi_step_t  failing[] = {
    { "a", step_a, 0 }, { "failing", step_fail, 0 }, { "b", step_b, 0 },
    podi_null_step
};

static const podi_step_t  shrugging[] = {
    { "failing", step_fail, PODI_MAY_FAIL }, { "read", step_read, 0 },
    { "done", step_done, 0 },
    podi_null_step
};

static const podi_step_t  asking[] = {
    { "asking", step_ask, 0 }, { "reading", step_read, 0 },
    { "asking again", step_ask, PODI_MAY_FAIL }, { "reading", step_read, 0 },
    { "done", step_done, 0 },
    podi_null_step
};


int
main(void)
{
    begin(straight);
    is_str(str(trail), "abD", "steps run in order");
    ok(ended == 1 && ended_rc == PODI_DONE, "the end is told once");
    ok(!podi_flow_is_active(&flow), "and the flow is over");

    begin(early);
    is_str(str(trail), "aD", "an early reply ends it");

    begin(failing);
    is_str(str(trail), "aF", "a failing step ends it");
    ok(ended_rc == PODI_ERROR && flow.fail.error == PODI_E_CONFLICT,
       "with its reason");
    is_str(str(flow.now->name), "failing", "and its name");

    begin(shrugging);
    is_str(str(trail), "F0D", "a step that may fail goes on, with no result");

    begin(asking);
    is_str(str(trail), "?", "a step that asks waits");
    ok(podi_flow_is_active(&flow) && !ended, "the flow is alive");
    podi_op_done(&op, &answer, NULL);
    is_str(str(trail), "?7?", "the answer is what the next step reads");
    podi_op_done(&op, NULL, &down);
    is_str(str(trail), "?7?0D", "a failed answer of one that may fail");
    ok(ended == 1 && ended_rc == PODI_DONE
       && flow.fail.error == PODI_E_UNAVAILABLE, "its reason is kept");

    begin(asking);
    podi_op_done(&op, &answer, &down);
    ok(ended == 1 && ended_rc == PODI_ERROR
       && flow.fail.error == PODI_E_UNAVAILABLE,
       "a failed answer ends the flow");
    podi_op_done(&op, &answer, NULL);
    ok(ended == 1, "a second answer finds nobody");

    begin(asking);
    podi_flow_cancel(&flow);
    ok(cancelled == 1 && !ended && op.flow == NULL,
       "cancelled: the operation is told, the end is not");
    podi_op_done(&op, &answer, NULL);
    is_str(str(trail), "?", "a late answer finds nobody");
    podi_flow_cancel(&flow);
    is_int(cancelled, 1, "cancelling twice does no harm");

    memset(&flow, 0, sizeof(flow));
    podi_flow_cancel(&flow);
    ok(!podi_flow_is_active(&flow), "nor cancelling what never started");

    ok(tap_aborts(run_inside), "an answer inside the asking call aborts");
    ok(tap_aborts(run_twice), "two operations at once abort");
    ok(tap_aborts(run_idle), "AGAIN without an operation aborts");
    ok(tap_aborts(run_lost), "OK with an operation aborts");
    ok(tap_aborts(run_odd), "BUSY from a step aborts");
    ok(tap_aborts(run_short), "a list that runs out aborts");
    ok(tap_aborts(run_outside), "waiting outside of a step aborts");

    return tap_done();
}


static void
begin(const podi_step_t *steps)
{
    trail[0] = '\0';
    ended = 0;
    cancelled = 0;

    podi_flow_start(&flow, steps, trail, NULL, end);
}


static void
end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ended += f == &flow && ctx == trail;
    ended_rc = rc;
}


static void
op_cancel(podi_op_t *o)
{
    cancelled += o == &op;
}


static podi_rc_t
mark(void *ctx, char c, podi_rc_t rc)
{
    char    *p = ctx;
    size_t   len = strlen(p);

    p[len] = c;
    p[len + 1] = '\0';

    return rc;
}


static podi_rc_t
step_a(podi_flow_t *f, void *ctx)
{
    (void) f;

    return mark(ctx, 'a', PODI_OK);
}


static podi_rc_t
step_b(podi_flow_t *f, void *ctx)
{
    (void) f;

    return mark(ctx, 'b', PODI_OK);
}


static podi_rc_t
step_ask(podi_flow_t *f, void *ctx)
{
    (void) mark(ctx, '?', PODI_OK);

    return podi_flow_wait(f, &op, op_cancel);
}


static podi_rc_t
step_read(podi_flow_t *f, void *ctx)
{
    int  n;

    n = f->result == NULL ? 0 : *(int *) f->result;

    return mark(ctx, (char) ('0' + n), PODI_OK);
}


static podi_rc_t
step_done(podi_flow_t *f, void *ctx)
{
    (void) f;

    return mark(ctx, 'D', PODI_DONE);
}


static podi_rc_t
step_fail(podi_flow_t *f, void *ctx)
{
    (void) mark(ctx, 'F', PODI_OK);

    return podi_fail(&f->fail, PODI_E_CONFLICT, NULL, "no");
}


static podi_rc_t
step_inside(podi_flow_t *f, void *ctx)
{
    podi_rc_t  rc;

    (void) ctx;

    rc = podi_flow_wait(f, &op, NULL);
    podi_op_done(&op, NULL, NULL);

    return rc;
}


static podi_rc_t
step_twice(podi_flow_t *f, void *ctx)
{
    (void) ctx;
    (void) podi_flow_wait(f, &op, NULL);

    return podi_flow_wait(f, &second, NULL);
}


static podi_rc_t
step_idle(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_AGAIN;
}


static podi_rc_t
step_lost(podi_flow_t *f, void *ctx)
{
    (void) ctx;
    (void) podi_flow_wait(f, &op, NULL);

    return PODI_OK;
}


static podi_rc_t
step_odd(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_BUSY;
}


static void
run_one(podi_step_pt run)
{
    podi_step_t  steps[] = { { "one", run, 0 }, podi_null_step };

    begin(steps);
}


static void
run_inside(void)
{
    run_one(step_inside);
}


static void
run_twice(void)
{
    run_one(step_twice);
}


static void
run_idle(void)
{
    run_one(step_idle);
}


static void
run_lost(void)
{
    run_one(step_lost);
}


static void
run_odd(void)
{
    run_one(step_odd);
}


static void
run_short(void)
{
    run_one(step_a);
}


static void
run_outside(void)
{
    begin(asking);
    (void) podi_flow_wait(&flow, &second, NULL);
}
