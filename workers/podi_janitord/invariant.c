/*
 * invariant: what must never be.
 *
 *     sys.invariant_breaks -> podi_invariant_breaks{inv}, one log line each
 *
 * The scan is long, so it runs in the slow lane.
 */

#include <stdio.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"

#define INVARIANT_DEADLINE  60000
#define INVARIANT_TOLD      20          /* log lines in one round */


static podi_rc_t invariant_ask(podi_flow_t *f, void *ctx);
static podi_rc_t invariant_tell(podi_flow_t *f, void *ctx);


const podi_step_t  invariant_steps[] = {
    { "looking for broken invariants", invariant_ask, 0 },
    { "telling what is broken", invariant_tell, 0 },
    podi_null_step
};


static podi_rc_t
invariant_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_INVARIANT_BREAKS, f->mem);
    call.deadline = INVARIANT_DEADLINE;

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
invariant_tell(podi_flow_t *f, void *ctx)
{
    int             i, k, n, rows;
    char            labels[96];
    podi_str_t      inv, id, other, rest, name;
    podi_round_t   *round = ctx;
    podi_worker_t  *w = round->worker;

    rows = podi_rows(f->result);

    podi_metric_forget(w, "podi_invariant_breaks");
    podi_metric_set(w, "podi_invariant_breaks", "inv=\"any\"", rows);

    for (i = 0; i < rows; i++) {
        inv = podi_row_str(f->result, i, "inv");
        id = podi_row_str(f->result, i, "id");
        n = 0;

        for (k = 0; k < rows; k++) {
            other = podi_row_str(f->result, k, "inv");
            n += podi_str_eq(&inv, &other);
        }

        /* "I1 what it says": the number is its name */

        rest = inv;
        (void) podi_str_split(&rest, ' ', &name);

        (void) snprintf(labels, sizeof(labels), "inv=\"" PODI_STR_FMT "\"",
                        podi_str_arg(&name));
        podi_metric_set(w, "podi_invariant_breaks", labels, n);

        if (i < INVARIANT_TOLD) {
            podi_worker_log(w, PODI_LOG_ERROR, "invariant.broken", NULL,
                            PODI_STR_FMT ": " PODI_STR_FMT,
                            podi_str_arg(&inv), podi_str_arg(&id));
        }
    }

    return PODI_DONE;
}
