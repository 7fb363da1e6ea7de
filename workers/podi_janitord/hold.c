/*
 * hold: points that were frozen and whose time is over (R6).
 *
 *     sys.hold_expire -> holds, points -> their users are told
 *
 * Whoever submits and dies, or never confirms, leaves a hold behind: to give
 * it back is the rule, not a fault, but each is counted and told.
 */

#include "janitord.h"
#include "banned.h"


static podi_rc_t hold_ask(podi_flow_t *f, void *ctx);
static podi_rc_t hold_tell(podi_flow_t *f, void *ctx);


const podi_step_t  hold_steps[] = {
    { "giving back expired holds", hold_ask, 0 },
    { "telling what went back", hold_tell, 0 },
    podi_null_step
};


static podi_rc_t
hold_ask(podi_flow_t *f, void *ctx)
{
    janitord_t      *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);

    podi_pg_call_init(&call, PODI_SQL_HOLD_EXPIRE, f->mem);
    podi_arg_int64(&call, conf->batch);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
hold_tell(podi_flow_t *f, void *ctx)
{
    int64_t        holds, points;
    janitord_t    *conf;
    podi_str_t     events;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);
    holds = podi_row_int64(f->result, 0, "holds");
    points = podi_row_int64(f->result, 0, "points");
    events = podi_row_str(f->result, 0, "_events");

    janitord_repaired(round->worker, PODI_RULE_R6, holds, holds);

    if (holds == 0) {
        return PODI_DONE;
    }

    podi_worker_publish(round->worker, f->mem, &events);
    podi_worker_log(round->worker, PODI_LOG_WARN, "reconcile.repaired", NULL,
                    "R6 expired_hold: %lld holds, %lld points went back",
                    (long long) holds, (long long) points);

    if (holds >= conf->batch) {
        podi_round_again(round);
    }

    return PODI_DONE;
}
