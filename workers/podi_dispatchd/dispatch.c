/*
 * dispatch: rows that Redis does not know -> hints.
 *
 *     sys.job_dispatch -> sys.job_pushed -> push
 *
 * Noted first, pushed then.  The other way round a worker could take the
 * hint, run the job and put it back while we note: the row would look pushed
 * and no hint would be there.  What was noted and could not be pushed is
 * taken again (rebuild_from), at the latest by the next one that starts.
 *
 * A full batch is followed by the next at once.  While the hints are being
 * rebuilt, everything that was pushed before the loss is taken again.  With
 * Redis down there is nothing to do: workers claim rows themselves.
 */

#include "podi_fault.h"
#include "dispatchd.h"
#include "banned.h"


static podi_rc_t dispatch_ask(podi_flow_t *f, void *ctx);
static podi_rc_t dispatch_note(podi_flow_t *f, void *ctx);
static podi_rc_t dispatch_push(podi_flow_t *f, void *ctx);
static podi_rc_t dispatch_done(podi_flow_t *f, void *ctx);
static podi_rc_t dispatch_read(podi_flow_t *f, dispatch_t *d);


const podi_step_t  dispatch_steps[] = {
    { "asking what to push", dispatch_ask, 0 },
    { "noting what is pushed", dispatch_note, 0 },
    { "pushing hints", dispatch_push, PODI_MAY_FAIL },
    { "counting", dispatch_done, 0 },
    podi_null_step
};


static podi_rc_t
dispatch_ask(podi_flow_t *f, void *ctx)
{
    podi_msec_t      again;
    dispatch_t      *d;
    dispatchd_t     *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);
    d = round->data;

    if (!podi_worker_redis_is_up(round->worker)) {
        return PODI_DONE;
    }

    again = conf->stale;
    d->rebuild_from = conf->rebuild_from;

    if (d->rebuild_from != 0) {
        again = podi_time_mono() - d->rebuild_from;
    }

    podi_pg_call_init(&call, PODI_SQL_JOB_DISPATCH, f->mem);
    podi_arg_int64(&call, conf->batch);
    podi_arg_int64(&call, (int64_t) again);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
dispatch_note(podi_flow_t *f, void *ctx)
{
    dispatch_t      *d;
    dispatchd_t     *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);
    d = round->data;
    d->rows = podi_rows(f->result);

    if (d->rows < conf->batch && conf->rebuild_from == d->rebuild_from) {
        /* the last batch of a rebuild: after it nothing old is left */
        conf->rebuild_from = 0;
    }

    if (d->rows == 0) {
        return PODI_DONE;
    }

    if (dispatch_read(f, d) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    PODI_FAULT(dispatch_ask);
    podi_pg_call_init(&call, PODI_SQL_JOB_PUSHED, f->mem);
    podi_arg_str(&call, &d->ids);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


/* the rows as hints, and their ids as "{id,...}"; borrowed from the result */

static podi_rc_t
dispatch_read(podi_flow_t *f, dispatch_t *d)
{
    int                 i;
    podi_buf_t          b;
    podi_queue_hint_t  *hint;

    d->hints = podi_mem_calloc(f->mem,
                               (size_t) d->rows * sizeof(podi_queue_hint_t));
    if (d->hints == NULL) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, f->mem);

    for (i = 0; i < d->rows; i++) {
        hint = &d->hints[i];
        hint->job_id = podi_row_str(f->result, i, "job_id");
        hint->tenant_id = podi_row_str(f->result, i, "tenant_id");
        hint->queue = podi_row_str(f->result, i, "queue");
        hint->plan = podi_row_str(f->result, i, "plan");
        hint->scopes = podi_row_str(f->result, i, "scopes");
        hint->weight = (unsigned) podi_row_int64(f->result, i, "weight");
        hint->priority = (unsigned) podi_row_int64(f->result, i, "priority");
        hint->cost = (unsigned) podi_row_int64(f->result, i, "cost");

        podi_buf_add_byte(&b, i == 0 ? '{' : ',');
        podi_buf_add_str(&b, &hint->job_id);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, &d->ids);
}


static podi_rc_t
dispatch_push(podi_flow_t *f, void *ctx)
{
    dispatch_t    *d;
    podi_round_t  *round = ctx;

    d = round->data;
    f->fail.error = PODI_E_NONE;
    PODI_FAULT(dispatch_push);

    return podi_queue_push(podi_worker_redis(round->worker), f, d->hints,
                           (size_t) d->rows);
}


static podi_rc_t
dispatch_done(podi_flow_t *f, void *ctx)
{
    dispatch_t    *d;
    dispatchd_t   *conf;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);
    d = round->data;

    if (f->fail.error != PODI_E_NONE) {
        conf->rebuild_from = podi_time_mono();
        return PODI_ERROR;
    }

    PODI_FAULT(dispatch_told);
    podi_metric_add(round->worker, "podi_dispatch_pushed_total", "", d->rows);

    if (d->rows >= conf->batch) {
        podi_round_again(round);
    }

    return PODI_DONE;
}
