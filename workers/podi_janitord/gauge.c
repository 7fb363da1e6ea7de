/*
 * gauge: what only the database knows, as metrics.
 *
 *     sys.metrics -> name{labels} value
 *
 * A gauge that the database does not name any more is gone here, too.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"


static podi_rc_t gauge_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gauge_set(podi_flow_t *f, void *ctx);
static podi_rc_t gauge_one(podi_flow_t *f, podi_round_t *round,
    const podi_str_t *name, const podi_str_t *labels, const podi_str_t *value);


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
    int            i;
    unsigned       k;
    podi_str_t     name, value, labels;
    janitord_t    *conf;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);

    for (k = 0; k < conf->n_names; k++) {
        podi_metric_forget(round->worker, conf->names[k]);
    }

    conf->n_names = 0;

    for (i = 0; i < podi_rows(f->result); i++) {
        name = podi_row_str(f->result, i, "name");
        value = podi_row_str(f->result, i, "value");
        labels = podi_row_str(f->result, i, "labels");

        if (gauge_one(f, round, &name, &labels, &value) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                             "a gauge of sys.metrics cannot be read");
        }
    }

    return PODI_DONE;
}


static podi_rc_t
gauge_one(podi_flow_t *f, podi_round_t *round, const podi_str_t *name,
    const podi_str_t *labels, const podi_str_t *value)
{
    char         *number;
    unsigned      k;
    const char   *text;
    janitord_t   *conf;

    conf = podi_worker_data(round->worker);

    number = podi_mem_dup_c(f->mem, value);

    if (number == NULL || name->len >= JANITORD_NAME_MAX
        || podi_metric_labels(f->mem, labels, &text) != PODI_OK)
    {
        return PODI_ERROR;
    }

    for (k = 0; k < conf->n_names; k++) {
        if (podi_str_eq_c(name, conf->names[k])) {
            break;
        }
    }

    if (k == JANITORD_NAMES_MAX) {
        return PODI_ERROR;
    }

    if (k == conf->n_names) {
        (void) snprintf(conf->names[k], JANITORD_NAME_MAX, PODI_STR_FMT,
                        podi_str_arg(name));
        conf->n_names++;
    }

    podi_metric_set(round->worker, conf->names[k], text,
                    strtod(number, NULL));

    return PODI_OK;
}
