/*
 * podi_limit_call: one script call for all asks that Redis has to decide; what
 * it answers is read by podi_limit_told.c.
 *
 *     asks -> leases pay in advance -> limit_take -> passed:  units, places
 *                                                    refused: leases get back
 *                                                    failed:  the same
 *
 * A call is a flow of its own, in memory of its own: who waits for it may go
 * away, and the places that it brings are then let go of.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_limit_int.h"
#include "banned.h"


#define CALL_ARGS   7               /* of one ask, as limit_take.lua has them */
#define CALL_SPARE  64

/* what is sent; read before the call returns */

typedef struct {
    size_t                argc;
    podi_str_t            argv[1 + PODI_LIMIT_ASKS * CALL_ARGS];
    size_t                used;
    unsigned char         text[PODI_LIMIT_ASKS * 4 * 20];
} call_args_t;


static podi_limit_call_t *call_create(podi_limit_t *limit);
static void call_free(podi_limit_call_t *call);
static podi_rc_t call_plan(podi_limit_call_t *call, const podi_limit_ask_t *ask,
    podi_msec_t now);
static void call_lease(podi_limit_part_t *part, podi_limit_key_t *k);
static podi_rc_t call_start(podi_limit_call_t *call);
static podi_rc_t call_send(podi_flow_t *f, void *ctx);
static podi_rc_t call_sent(podi_flow_t *f, void *ctx);
static void call_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void call_cancel(podi_op_t *op);
static void call_add(call_args_t *args, const podi_limit_part_t *part,
    podi_msec_t lease);
static void call_add_bytes(call_args_t *args, const void *data, size_t len);
static void call_add_number(call_args_t *args, int64_t n);
static void call_undo(podi_limit_call_t *call, int uncertain);


static const podi_step_t  call_steps[] = {
    { "asking for limits", call_send, 0 },
    { "reading the answer", call_sent, 0 },
    podi_null_step
};


podi_rc_t
podi_limit_call(podi_limit_t *limit, podi_flow_t *f,
    const podi_limit_ask_t *asks, size_t n, podi_limit_answer_t *answers)
{
    size_t         i;
    podi_msec_t    now;
    podi_limit_call_t  *call;

    call = call_create(limit);
    if (call == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    now = podi_time_mono();

    for (i = 0; i < n; i++) {
        if (call_plan(call, &asks[i], now) != PODI_OK) {
            call_undo(call, 0);
            call_free(call);
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    if (call_start(call) != PODI_OK) {
        f->fail = call->flow.fail;
        call_undo(call, 0);
        call_free(call);
        return PODI_ERROR;
    }

    call->answers = answers;

    return podi_flow_wait(f, &call->op, call_cancel);
}


/* units for a lease that runs out; when it fails, the next request asks */

void
podi_limit_refill(podi_limit_t *limit, podi_limit_key_t *k,
    const podi_limit_ask_t *ask)
{
    podi_limit_part_t   *part;
    podi_limit_call_t  *call;

    call = call_create(limit);
    if (call == NULL) {
        return;
    }

    part = &call->parts[call->n++];
    memset(part, 0, sizeof(podi_limit_part_t));

    part->ask = *ask;
    part->ask.cost = 0;
    part->by = PODI_LIMIT_BY_REDIS;
    call_lease(part, k);

    if (call_start(call) != PODI_OK) {
        call_undo(call, 0);
        call_free(call);
    }
}


void
podi_limit_calls_free(podi_limit_t *limit)
{
    podi_link_t   *x;
    podi_limit_call_t  *call;

    while (!podi_list_is_empty(&limit->calls)) {
        x = limit->calls.next;
        call = podi_list_owner(x, podi_limit_call_t, link);

        podi_flow_cancel(&call->flow);
        call_undo(call, 1);
        call_free(call);
    }

    while (!podi_list_is_empty(&limit->spare)) {
        call = podi_list_owner(limit->spare.next, podi_limit_call_t, link);

        podi_list_remove(&call->link);
        podi_arena_free(&call->arena);
        free(call);
    }
}


static podi_limit_call_t *
call_create(podi_limit_t *limit)
{
    podi_limit_call_t  *call;

    if (limit->n_spare > 0) {
        call = podi_list_owner(limit->spare.next, podi_limit_call_t, link);
        podi_list_remove(&call->link);
        limit->n_spare--;

    } else {
        call = calloc(1, sizeof(podi_limit_call_t));
        if (call == NULL) {
            return NULL;
        }

        podi_list_init(&call->link);

        call->limit = limit;
        call->arena = podi_arena_create();

        if (call->arena == NULL) {
            free(call);
            return NULL;
        }
    }

    call->answers = NULL;
    call->op.flow = NULL;
    call->ended = 0;
    call->n = 0;

    podi_list_append(&limit->calls, &call->link);

    return call;
}


static void
call_free(podi_limit_call_t *call)
{
    podi_limit_t  *limit = call->limit;

    podi_list_remove(&call->link);

    if (limit->n_spare >= CALL_SPARE) {
        podi_arena_free(&call->arena);
        free(call);
        return;
    }

    podi_arena_reset(call->arena);
    podi_list_append(&limit->spare, &call->link);
    limit->n_spare++;
}


static podi_rc_t
call_plan(podi_limit_call_t *call, const podi_limit_ask_t *ask, podi_msec_t now)
{
    podi_limit_part_t       *part;
    podi_limit_t      *limit = call->limit;
    podi_limit_key_t  *k;

    part = &call->parts[call->n];

    part->ask = *ask;
    part->by = podi_limit_judge(limit, ask, now, &k);
    part->chunk = 0;
    part->chunks = 0;
    part->hold = NULL;

    /* what is no now was not in podi_limit_try: let Redis say it */

    if (part->by == PODI_LIMIT_BY_NO && !ask->dry) {
        part->by = PODI_LIMIT_BY_REDIS;
    }

    if (ask->kind == PODI_LIMIT_CONN) {
        part->hold = podi_limit_hold_create(limit, ask);
        if (part->hold == NULL) {
            return PODI_ERROR;
        }
    }

    call->n++;

    if (part->by == PODI_LIMIT_BY_LEASE) {
        podi_limit_key_spend(limit, k, ask->cost);

    } else if (part->by == PODI_LIMIT_BY_REDIS && k != NULL && !k->asked) {
        call_lease(part, k);
    }

    return PODI_OK;
}


static void
call_lease(podi_limit_part_t *part, podi_limit_key_t *k)
{
    int64_t  want;

    want = podi_limit_key_want(k, &part->ask);
    if (want == 0) {
        return;
    }

    part->chunk = (want + PODI_LIMIT_CHUNKS - 1) / PODI_LIMIT_CHUNKS;

    if (part->chunk < part->ask.cost) {
        part->chunk = part->ask.cost;
    }

    part->chunks = want / part->chunk;
    k->asked = 1;
}


static podi_rc_t
call_start(podi_limit_call_t *call)
{
    call->starting = 1;

    podi_flow_start(&call->flow, call_steps, call,
                    podi_arena_mem(call->arena), call_end);

    call->starting = 0;

    return call->ended ? PODI_ERROR : PODI_OK;
}


static podi_rc_t
call_send(podi_flow_t *f, void *ctx)
{
    size_t         i;
    call_args_t    args;
    podi_limit_call_t  *call = ctx;
    podi_limit_t  *limit = call->limit;

    args.argc = 0;
    args.used = 0;

    call_add_bytes(&args, "podi:{l}:", sizeof("podi:{l}:") - 1);

    for (i = 0; i < call->n; i++) {
        if (call->parts[i].by == PODI_LIMIT_BY_REDIS) {
            call_add(&args, &call->parts[i], limit->conf.lease);
            limit->stat.exact++;
        }
    }

    limit->stat.calls++;

    /* what was given back before may be what this one needs */

    podi_limit_back_flush(limit);

    return podi_redis_script(limit->conf.redis, f, PODI_LUA_LIMIT_TAKE, 1,
                             args.argc, args.argv);
}


static podi_rc_t
call_sent(podi_flow_t *f, void *ctx)
{
    podi_limit_call_t  *call = ctx;

    return podi_limit_told(call, f->result, &f->fail);
}


static void
call_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    podi_limit_call_t  *call = ctx;

    if (call->starting) {
        call->ended = 1;
        return;
    }

    if (rc == PODI_ERROR) {
        call_undo(call, 1);
    }

    podi_op_done(&call->op, call, rc == PODI_ERROR ? &f->fail : NULL);
    call_free(call);
}


static void
call_cancel(podi_op_t *op)
{
    podi_list_owner(op, podi_limit_call_t, op)->answers = NULL;
}


static void
call_add(call_args_t *args, const podi_limit_part_t *part, podi_msec_t lease)
{
    int64_t                  span, cost;
    const podi_limit_ask_t  *ask = &part->ask;

    call_add_bytes(args, &"gqc"[ask->kind], 1);
    call_add_bytes(args, ask->key, PODI_LIMIT_KEY_LEN);
    call_add_bytes(args, ask->dry ? "1" : "0", 1);

    switch (ask->kind) {

    case PODI_LIMIT_GCRA:
        span = podi_limit_span(ask);

        call_add_number(args, span);
        call_add_number(args, podi_limit_step(ask, ask->cost, span + 1));
        call_add_number(args, podi_limit_step(ask, part->chunk, span + 1));
        call_add_number(args, part->chunks);
        break;

    case PODI_LIMIT_QUOTA:
        cost = ask->cost <= ask->rate ? ask->cost : ask->rate + 1;

        call_add_number(args, ask->rate);
        call_add_number(args, ask->period);
        call_add_number(args, cost);
        call_add_number(args, ask->offset);
        break;

    default:
        call_add_number(args, ask->rate);
        call_add_bytes(args, part->hold->id, PODI_LIMIT_ID_LEN);
        call_add_number(args, (int64_t) lease);
        call_add_bytes(args, "", 0);
    }
}


static void
call_add_bytes(call_args_t *args, const void *data, size_t len)
{
    args->argv[args->argc].data = (unsigned char *) (uintptr_t) data;
    args->argv[args->argc].len = len;
    args->argc++;
}


static void
call_add_number(call_args_t *args, int64_t n)
{
    unsigned char  *text = args->text + args->used;

    args->used += podi_limit_decimal(text, n);
    call_add_bytes(args, text, (size_t) (args->text + args->used - text));
}


/* nothing came of it; uncertain: but Redis may have done it */

static void
call_undo(podi_limit_call_t *call, int uncertain)
{
    size_t             i;
    podi_limit_part_t       *part;
    podi_msec_t        now = podi_time_mono();
    podi_limit_t      *limit = call->limit;
    podi_limit_key_t  *k;

    for (i = 0; i < call->n; i++) {
        part = &call->parts[i];

        if (part->by == PODI_LIMIT_BY_LEASE) {
            k = podi_limit_key_make(limit, &part->ask, now);
            podi_limit_key_add(limit, k, part->ask.cost, now);
        }

        if (part->chunks > 0) {
            k = podi_limit_key_find(limit, &part->ask, now);

            if (k != NULL) {
                k->asked = 0;
            }
        }

        if (part->hold != NULL && uncertain) {
            podi_limit_hold_keep(limit, part->hold);
            podi_limit_release(limit, &part->hold);
        }

        free(part->hold);
        part->hold = NULL;
    }
}
