/*
 * upload: announced, and never completed in time.
 *
 *     sys.upload_expire -> expired
 *
 * What may lie in the store under the key of such an upload is object.c's.
 */

#include "janitord.h"
#include "banned.h"


static podi_rc_t upload_ask(podi_flow_t *f, void *ctx);
static podi_rc_t upload_count(podi_flow_t *f, void *ctx);


const podi_step_t  upload_steps[] = {
    { "expiring uploads", upload_ask, 0 },
    { "counting the uploads", upload_count, 0 },
    podi_null_step
};


static podi_rc_t
upload_ask(podi_flow_t *f, void *ctx)
{
    janitord_t      *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);

    podi_pg_call_init(&call, PODI_SQL_UPLOAD_EXPIRE, f->mem);
    podi_arg_int64(&call, conf->batch);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
upload_count(podi_flow_t *f, void *ctx)
{
    int            rows;
    janitord_t    *conf;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);
    rows = podi_rows(f->result);

    podi_metric_add(round->worker, "podi_uploads_expired_total", "", rows);

    if (rows >= conf->batch) {
        podi_round_again(round);
    }

    return PODI_DONE;
}
