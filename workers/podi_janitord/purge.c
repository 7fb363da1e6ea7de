/*
 * purge: rows that nobody needs any more.
 *
 *     sys.purge -> what, n -> podi_purged_rows_total{what}
 *
 * A full batch of anything is followed by the next at once.
 */

#include <stdio.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"


static podi_rc_t purge_ask(podi_flow_t *f, void *ctx);
static podi_rc_t purge_count(podi_flow_t *f, void *ctx);


const podi_step_t  purge_steps[] = {
    { "purging", purge_ask, 0 },
    { "counting what was purged", purge_count, 0 },
    podi_null_step
};


static podi_rc_t
purge_ask(podi_flow_t *f, void *ctx)
{
    janitord_t      *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    conf = podi_worker_data(round->worker);

    podi_pg_call_init(&call, PODI_SQL_PURGE, f->mem);
    podi_arg_int64(&call, conf->batch);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
purge_count(podi_flow_t *f, void *ctx)
{
    int            i;
    char           labels[96];
    int64_t        n;
    janitord_t    *conf;
    podi_str_t     what;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);

    for (i = 0; i < podi_rows(f->result); i++) {
        what = podi_row_str(f->result, i, "what");
        n = podi_row_int64(f->result, i, "n");

        (void) snprintf(labels, sizeof(labels), "what=\"" PODI_STR_FMT "\"",
                        podi_str_arg(&what));
        podi_metric_add(round->worker, "podi_purged_rows_total", labels,
                        (double) n);

        if (n >= conf->batch) {
            podi_round_again(round);
        }
    }

    return PODI_DONE;
}
