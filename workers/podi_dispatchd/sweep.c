/*
 * sweep, expire: jobs that time has decided about.
 *
 *     sys.job_sweep  -> leases that ran out: queued again, or failed
 *     sys.job_expire -> not started in time: failed, points released
 *
 * What comes back to the queue is pushed by the next dispatch.
 */

#include <stdio.h>

#include "podi_fault.h"
#include "dispatchd.h"
#include "banned.h"


static podi_rc_t sweep_ask(podi_flow_t *f, void *ctx);
static podi_rc_t expire_ask(podi_flow_t *f, void *ctx);
static podi_rc_t sweep_call(podi_flow_t *f, podi_round_t *round,
    podi_sql_e sql);
static podi_rc_t sweep_publish(podi_flow_t *f, void *ctx);


const podi_step_t  sweep_steps[] = {
    { "sweeping leases", sweep_ask, 0 },
    { "publishing what was swept", sweep_publish, 0 },
    podi_null_step
};

const podi_step_t  expire_steps[] = {
    { "expiring jobs", expire_ask, 0 },
    { "publishing what has expired", sweep_publish, 0 },
    podi_null_step
};


static podi_rc_t
sweep_ask(podi_flow_t *f, void *ctx)
{
    return sweep_call(f, ctx, PODI_SQL_JOB_SWEEP);
}


static podi_rc_t
expire_ask(podi_flow_t *f, void *ctx)
{
    return sweep_call(f, ctx, PODI_SQL_JOB_EXPIRE);
}


static podi_rc_t
sweep_call(podi_flow_t *f, podi_round_t *round, podi_sql_e sql)
{
    dispatchd_t     *conf;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);

    podi_pg_call_init(&call, sql, f->mem);
    podi_arg_int64(&call, conf->batch);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
sweep_publish(podi_flow_t *f, void *ctx)
{
    int            i, rows;
    char           labels[64];
    dispatchd_t   *conf;
    podi_str_t     events;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);
    rows = podi_rows(f->result);

    if (rows > 0) {
        PODI_FAULT(sweep_told);
    }

    for (i = 0; i < rows; i++) {
        events = podi_row_str(f->result, i, "_events");
        podi_worker_publish(round->worker, f->mem, &events);
    }

    if (round->conf->steps == sweep_steps) {
        dispatchd_count(round->worker, PODI_RULE_R1, rows);
    }

    if (rows == 0) {
        return PODI_DONE;
    }

    (void) snprintf(labels, sizeof(labels), "round=\"%s\"",
                    round->conf->name);
    podi_metric_add(round->worker, "podi_dispatch_swept_total", labels, rows);
    podi_worker_log(round->worker, PODI_LOG_WARN, "dispatch.swept", NULL,
                    "%s: %d jobs", round->conf->name, rows);

    if (rows >= conf->batch) {
        podi_round_again(round);
    }

    return PODI_DONE;
}
