/*
 * podi_sub: a flow inside a step of another (podi_sub.h).
 */

#include "podi_list.h"
#include "podi_sub.h"
#include "banned.h"

typedef struct {
    podi_op_t    op;
    podi_flow_t  flow;
    podi_rc_t    rc;            /* of steps that did not have to wait */
} sub_t;


static void sub_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void sub_cancel(podi_op_t *op);


podi_rc_t
podi_sub(podi_flow_t *f, const podi_step_t *steps, void *ctx)
{
    sub_t  *sub;

    sub = podi_mem_calloc(f->mem, sizeof(sub_t));
    if (sub == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_flow_start(&sub->flow, steps, ctx, f->mem, sub_end);

    if (podi_flow_is_active(&sub->flow)) {
        return podi_flow_wait(f, &sub->op, sub_cancel);
    }

    if (sub->rc == PODI_ERROR) {
        f->fail = sub->flow.fail;
        return PODI_ERROR;
    }

    f->result = sub->flow.result;

    return PODI_OK;
}


static void
sub_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    sub_t  *sub = podi_list_owner(f, sub_t, flow);

    (void) ctx;

    sub->rc = rc;
    podi_op_done(&sub->op, f->result, rc == PODI_ERROR ? &f->fail : NULL);
}


static void
sub_cancel(podi_op_t *op)
{
    sub_t  *sub = podi_list_owner(op, sub_t, op);

    podi_flow_cancel(&sub->flow);
}
