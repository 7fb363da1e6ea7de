/*
 * ctl_queue: queues, gates, and the jobs that nobody could do.
 *
 *     queue put, gate put:    a JSON file -> put -> the row
 *     queue list, gate list:  a JSON object each
 *     job aside:              the dead letters, a JSON object each
 *     job dismiss:            one leaves the list; it stays failed
 *     job replay:             one begins again -> hints, events (Redis)
 */

#include <stdio.h>
#include <string.h>

#include "podi_id.h"
#include "podi_queue.h"
#include "ctl.h"
#include "banned.h"

#define QUEUE_ASIDE_MAX  1000


static podi_rc_t queue_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gate_ask(podi_flow_t *f, void *ctx);
static podi_rc_t queue_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gate_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t aside_ask(podi_flow_t *f, void *ctx);
static podi_rc_t dismiss_ask(podi_flow_t *f, void *ctx);
static podi_rc_t dismiss_tell(podi_flow_t *f, void *ctx);
static podi_rc_t replay_ask(podi_flow_t *f, void *ctx);
static podi_rc_t replay_tell(podi_flow_t *f, void *ctx);
static podi_rc_t letter_ask(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql);


const podi_step_t  ctl_queue_steps[] = {
    { "putting the queue", queue_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_gate_steps[] = {
    { "putting the gate", gate_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_queue_list_steps[] = {
    { "listing the queues", queue_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_gate_list_steps[] = {
    { "listing the gates", gate_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_aside_steps[] = {
    { "listing the jobs", aside_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_dismiss_steps[] = {
    { "dismissing the job", dismiss_ask, 0 },
    { "telling", dismiss_tell, 0 },
    podi_null_step
};

const podi_step_t  ctl_replay_steps[] = {
    { "reaching Redis", ctl_redis_wait, 0 },
    { "replaying the job", replay_ask, 0 },
    { "announcing the job", replay_tell, PODI_MAY_FAIL },
    { "ending", ctl_wallet_end, 0 },
    podi_null_step
};


static podi_rc_t
queue_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_QUEUE_TYPE_PUT);
}


static podi_rc_t
gate_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_GATE_PUT);
}


static podi_rc_t
queue_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_QUEUE_TYPE_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
gate_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_GATES, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
aside_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_JOB_ASIDE, f->mem);
    podi_arg_c(&call, ctl->values[0][0] != '\0' ? ctl->values[0] : NULL);
    podi_arg_int64(&call, QUEUE_ASIDE_MAX);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
dismiss_ask(podi_flow_t *f, void *ctx)
{
    return letter_ask(f, ctx, PODI_SQL_JOB_DISMISS);
}


static podi_rc_t
replay_ask(podi_flow_t *f, void *ctx)
{
    return letter_ask(f, ctx, PODI_SQL_JOB_REPLAY);
}


static podi_rc_t
letter_ask(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql)
{
    podi_id_t        id;
    podi_str_t       text;
    podi_pg_call_t   call;

    text = podi_str_c(ctl->values[0]);

    if (podi_id_parse(&text, &id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "job", "not a UUID");
    }

    podi_pg_call_init(&call, sql, f->mem);
    podi_arg_str(&call, &text);
    podi_arg_c(&call, ctl->values[1]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
dismiss_tell(podi_flow_t *f, void *ctx)
{
    ctl_t  *ctl = ctx;

    if (!podi_row_bool(f->result, 0, "job_dismiss")) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL,
                         "%s is not on the list", ctl->values[0]);
    }

    (void) printf("job_id=%s\n", ctl->values[0]);

    return PODI_DONE;
}


/* hints only save time: the dispatcher finds what is not told */

static podi_rc_t
replay_tell(podi_flow_t *f, void *ctx)
{
    ctl_t       *ctl = ctx;
    podi_str_t   hints;

    hints = podi_row_str(f->result, 0, "_hints");

    if (ctl->redis != NULL) {
        (void) podi_queue_push_hints(ctl->redis, f->mem, &hints);
    }

    return ctl_wallet_tell(f, ctx);
}
