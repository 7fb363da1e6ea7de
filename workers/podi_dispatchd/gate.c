/*
 * check, wake: the gates of Redis, told and held against the truth.
 *
 *     sys.gates       -> what there is            -> who may go now is woken
 *     sys.job_running -> slots of what runs (R3)  -> freed, or taken
 *     time            -> leases and gates (R4)    -> who may go now is woken
 *
 * Redis that has lost the slots answers no claim until `check` has built them;
 * meanwhile workers claim rows.  A difference that stays is repaired, and
 * counted as drift when nothing explains it: a holder that is gone, or a
 * rebuild not long ago.
 */

#include "podi_fault.h"
#include "dispatchd.h"
#include "banned.h"



static podi_rc_t gates_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gates_tell(podi_flow_t *f, void *ctx);
static podi_rc_t gates_told(podi_flow_t *f, void *ctx);
static podi_rc_t check_ask(podi_flow_t *f, void *ctx);
static podi_rc_t check_compare(podi_flow_t *f, void *ctx);
static podi_rc_t check_excuse(podi_flow_t *f, void *ctx);
static podi_rc_t check_count(podi_flow_t *f, void *ctx);
static void check_drift(podi_round_t *round, const char *labels, int64_t n);
static podi_rc_t wake_ask(podi_flow_t *f, void *ctx);
static podi_rc_t wake_count(podi_flow_t *f, void *ctx);


/* gates first: no claim is answered before they are told */

const podi_step_t  check_steps[] = {
    { "asking for the gates", gates_ask, 0 },
    { "telling the gates", gates_tell, 0 },
    { "having told the gates", gates_told, 0 },
    { "asking what runs", check_ask, 0 },
    { "comparing the slots", check_compare, 0 },
    { "asking who has died", check_excuse, 0 },
    { "counting the difference", check_count, 0 },
    podi_null_step
};

const podi_step_t  wake_steps[] = {
    { "sweeping the gates", wake_ask, 0 },
    { "counting who slept", wake_count, 0 },
    podi_null_step
};


static podi_rc_t
gates_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    podi_pg_call_init(&call, PODI_SQL_GATES, f->mem);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
gates_tell(podi_flow_t *f, void *ctx)
{
    int                 i, n;
    podi_round_t       *round = ctx;
    podi_queue_gate_t  *gates, *g;

    n = podi_rows(f->result);

    gates = podi_mem_calloc(f->mem, (size_t) (n + 1)
                                    * sizeof(podi_queue_gate_t));
    if (gates == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < n; i++) {
        g = &gates[i];
        g->scope = podi_row_str(f->result, i, "scope");
        g->slots = podi_row_is_null(f->result, i, "slots")
                   ? -1 : podi_row_int64(f->result, i, "slots");
        g->reserve = podi_row_int64(f->result, i, "reserve");

        if (!podi_row_is_null(f->result, i, "rate")) {
            g->rate = podi_row_int64(f->result, i, "rate");
            g->period = (podi_msec_t)
                        podi_row_int64(f->result, i, "period_ms");
            g->burst = podi_row_int64(f->result, i, "burst");
        }
    }

    return podi_queue_gates(podi_worker_redis(round->worker), f, gates,
                            (size_t) n);
}


static podi_rc_t
gates_told(podi_flow_t *f, void *ctx)
{
    podi_round_t              *round = ctx;
    const podi_redis_reply_t  *reply = f->result;

    if (reply->integer != 0) {
        podi_worker_log(round->worker, PODI_LOG_NOTICE, "gates.changed", NULL,
                        "Redis has the gates that there are now");
    }

    return PODI_OK;
}


static podi_rc_t
check_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    podi_pg_call_init(&call, PODI_SQL_JOB_RUNNING, f->mem);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
check_compare(podi_flow_t *f, void *ctx)
{
    int                    i, n;
    dispatchd_t           *conf;
    podi_round_t          *round = ctx;
    podi_queue_running_t  *running;

    conf = podi_worker_data(round->worker);
    n = podi_rows(f->result);

    running = podi_mem_calloc(f->mem, (size_t) (n + 1)
                                      * sizeof(podi_queue_running_t));
    if (running == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < n; i++) {
        running[i].job_id = podi_row_str(f->result, i, "job_id");
        running[i].fence = podi_row_int64(f->result, i, "fence");
        running[i].scopes = podi_row_str(f->result, i, "scopes");
        running[i].lease = podi_row_int64(f->result, i, "lease_ms");
    }

    PODI_FAULT(check_ask);

    return podi_queue_check(podi_worker_redis(round->worker), f,
                            conf->patience, running, (size_t) n);
}


/* a slot whose holder died is nobody's fault: R3 is how it comes back */

static podi_rc_t
check_excuse(podi_flow_t *f, void *ctx)
{
    check_t                   *check;
    podi_str_t                 holders;
    dispatchd_t               *conf;
    podi_round_t              *round = ctx;
    podi_pg_call_t             call;
    const podi_redis_reply_t  *reply = f->result;

    conf = podi_worker_data(round->worker);
    check = round->data;
    check->freed = podi_queue_count(reply, 1);
    check->taken = podi_queue_count(reply, 2);
    check->young = podi_queue_count(reply, 3);

    if (podi_queue_count(reply, 0) != 0) {
        podi_worker_log(round->worker, PODI_LOG_NOTICE, "gates.rebuilt", NULL,
                        "Redis had no slots: %lld of what runs are taken",
                        (long long) check->taken);
        check->taken = 0;
    }

    if (check->freed == 0) {
        return check_count(f, ctx);
    }

    if (podi_queue_freed(f->mem, reply, &holders) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_JOB_CRASHED, f->mem);
    podi_arg_str(&call, &holders);
    podi_arg_int64(&call, (int64_t) conf->patience);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
check_count(podi_flow_t *f, void *ctx)
{
    int64_t        leaked, missing;
    check_t       *check;
    podi_round_t  *round = ctx;

    check = round->data;
    leaked = check->freed;
    missing = check->taken;

    if (leaked > 0) {
        leaked -= podi_row_int64(f->result, 0, "n");
    }

    if (check->young) {
        leaked = 0;
        missing = 0;
    }

    podi_metric_add(round->worker, "podi_gate_repaired_total",
                    "way=\"freed\"", (double) check->freed);
    podi_metric_add(round->worker, "podi_gate_repaired_total",
                    "way=\"taken\"", (double) check->taken);

    dispatchd_count(round->worker, PODI_RULE_R3, leaked + missing);
    check_drift(round, "way=\"freed\"", leaked);
    check_drift(round, "way=\"taken\"", missing);

    return PODI_DONE;
}


static void
check_drift(podi_round_t *round, const char *labels, int64_t n)
{
    podi_metric_set(round->worker, "podi_gate_drift", labels, (double) n);

    if (n > 0) {
        podi_metric_add(round->worker, "podi_gate_drift_total", labels,
                        (double) n);
        podi_worker_log(round->worker, PODI_LOG_ERROR, "gates.drift", NULL,
                        "slots and what runs differed: %s, %lld", labels,
                        (long long) n);
    }
}


static podi_rc_t
wake_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t  *round = ctx;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    return podi_queue_sweep(podi_worker_redis(round->worker), f);
}


static podi_rc_t
wake_count(podi_flow_t *f, void *ctx)
{
    int64_t        expired, slept;
    podi_round_t  *round = ctx;

    expired = podi_queue_count(f->result, 0);
    slept = podi_queue_count(f->result, 1);

    podi_metric_add(round->worker, "podi_gate_expired_total", "",
                    (double) expired);
    podi_metric_add(round->worker, "podi_gate_slept_total", "",
                    (double) slept);

    dispatchd_count(round->worker, PODI_RULE_R4, slept);

    if (slept > 0) {
        podi_worker_log(round->worker, PODI_LOG_ERROR, "gates.slept", NULL,
                        "%lld lines slept before an open gate",
                        (long long) slept);
    }

    return PODI_DONE;
}
