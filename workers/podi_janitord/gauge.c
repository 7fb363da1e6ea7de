/*
 * gauge: what only the database knows, as metrics.
 *
 *     sys.metrics -> name{labels} value
 *
 * A gauge that the database does not name any more is gone here, too.
 */

#include <stdlib.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"


static podi_rc_t gauge_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gauge_set(podi_flow_t *f, void *ctx);


const podi_step_t  gauge_steps[] = {
    { "reading the gauges", gauge_ask, 0 },
    { "setting the gauges", gauge_set, 0 },
    podi_null_step
};


static podi_rc_t
gauge_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_METRICS, f->mem);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
gauge_set(podi_flow_t *f, void *ctx)
{
    int            i, rows;
    char          *name, *value;
    podi_str_t     s;
    const char    *labels;
    podi_round_t  *round = ctx;

    rows = podi_rows(f->result);

    for (i = 0; i < rows; i++) {
        s = podi_row_str(f->result, i, "name");

        name = podi_mem_dup_c(f->mem, &s);
        if (name != NULL) {
            podi_metric_forget(round->worker, name);
        }
    }

    for (i = 0; i < rows; i++) {
        s = podi_row_str(f->result, i, "name");
        name = podi_mem_dup_c(f->mem, &s);

        s = podi_row_str(f->result, i, "value");
        value = podi_mem_dup_c(f->mem, &s);

        s = podi_row_str(f->result, i, "labels");

        if (name == NULL || value == NULL
            || podi_metric_labels(f->mem, &s, &labels) != PODI_OK)
        {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                             "a gauge of sys.metrics cannot be read");
        }

        podi_metric_set(round->worker, name, labels, strtod(value, NULL));
    }

    return PODI_DONE;
}
