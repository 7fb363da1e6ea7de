/*
 * invariant: what must never be.
 *
 *     part by part: sys.invariant_slice -> podi_invariant_breaks{inv}, one log
 *                                          line each -> the next at once
 *
 * Each look is at a slice of a part, from the place where the last look at it
 * ended; a pass is over when it has seen all.  A gauge rises at once, and falls
 * when a whole pass has seen less.  The last part are sums over everything:
 * they wait until each other part has been through.
 */

#include <stdio.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"

#define INVARIANT_DEADLINE  60000
#define INVARIANT_TOLD      20          /* log lines in one look */


static podi_rc_t invariant_ask(podi_flow_t *f, void *ctx);
static int invariant_is_due(const janitord_t *conf);
static podi_rc_t invariant_tell(podi_flow_t *f, void *ctx);
static void invariant_place(podi_flow_t *f, janitord_part_t *part);
static unsigned invariant_number(const podi_str_t *inv);
static void invariant_gauges(podi_worker_t *w);


const podi_step_t  invariant_steps[] = {
    { "looking for broken invariants", invariant_ask, PODI_MAY_FAIL },
    { "telling what is broken", invariant_tell, 0 },
    podi_null_step
};

static const char *const  invariant_parts[JANITORD_PARTS] = {
    "wallet", "entry", "user", "task", "hold", "attempt", "sum"
};


static podi_rc_t
invariant_ask(podi_flow_t *f, void *ctx)
{
    unsigned          k;
    janitord_t       *conf;
    podi_round_t     *round = ctx;
    podi_pg_call_t    call;
    janitord_part_t  *part;

    conf = podi_worker_data(round->worker);

    if (!invariant_is_due(conf)) {
        conf->part = 0;
        return PODI_DONE;
    }

    if (conf->part == JANITORD_PARTS - 1) {
        for (k = 0; k < JANITORD_PARTS; k++) {
            conf->parts[k].through = 0;
        }
    }

    part = &conf->parts[conf->part];

    podi_pg_call_init(&call, PODI_SQL_INVARIANT_SLICE, f->mem);
    podi_arg_c(&call, invariant_parts[conf->part]);
    podi_arg_c(&call, part->place[0] != '\0' ? part->place : NULL);
    podi_arg_int64(&call, conf->slice);
    call.deadline = INVARIANT_DEADLINE;

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


/* the sums; they are due anew when all have been through again */

static int
invariant_is_due(const janitord_t *conf)
{
    unsigned  k;

    if (conf->part != JANITORD_PARTS - 1) {
        return 1;
    }

    for (k = 0; k < JANITORD_PARTS - 1; k++) {
        if (!conf->parts[k].through) {
            return 0;
        }
    }

    return 1;
}


/* a part that cannot be looked at does not keep the others from it */

static podi_rc_t
invariant_tell(podi_flow_t *f, void *ctx)
{
    int               i;
    janitord_t       *conf;
    podi_str_t        inv, id;
    podi_round_t     *round = ctx;
    janitord_part_t  *part;

    conf = podi_worker_data(round->worker);
    part = &conf->parts[conf->part];
    conf->part = (conf->part + 1) % JANITORD_PARTS;

    if (conf->part != 0) {
        podi_round_again(round);
    }

    if (f->result == NULL) {
        return PODI_ERROR;
    }

    /* the first row says where to go on */

    for (i = 1; i < podi_rows(f->result); i++) {
        inv = podi_row_str(f->result, i, "kind");
        id = podi_row_str(f->result, i, "id");
        part->seen[invariant_number(&inv)]++;

        if (i <= INVARIANT_TOLD) {
            podi_worker_log(round->worker, PODI_LOG_ERROR, "invariant.broken",
                            NULL, PODI_STR_FMT ": " PODI_STR_FMT,
                            podi_str_arg(&inv), podi_str_arg(&id));
        }
    }

    invariant_place(f, part);
    invariant_gauges(round->worker);

    return PODI_DONE;
}


static void
invariant_place(podi_flow_t *f, janitord_part_t *part)
{
    podi_str_t  place;

    place = podi_row_str(f->result, 0, "id");
    (void) snprintf(part->place, sizeof(part->place), PODI_STR_FMT,
                    podi_str_arg(&place));

    if (podi_row_bool(f->result, 0, "more")) {
        return;
    }

    (void) memcpy(part->open, part->seen, sizeof(part->open));
    (void) memset(part->seen, 0, sizeof(part->seen));
    part->through = 1;
}


/* "I1 what it says": the number is its name */

static unsigned
invariant_number(const podi_str_t *inv)
{
    int64_t     n;
    podi_str_t  name, rest;

    rest = *inv;
    (void) podi_str_split(&rest, ' ', &name);

    if (name.len < 2) {
        return 0;
    }

    name.data++;
    name.len--;

    return podi_str_to_int64(&name, &n) == PODI_OK && n > 0
           && n < JANITORD_INVARIANTS ? (unsigned) n : 0;
}


static void
invariant_gauges(podi_worker_t *w)
{
    char                    labels[32];
    unsigned                i, k, n, all;
    janitord_t             *conf;
    const janitord_part_t  *part;

    conf = podi_worker_data(w);
    podi_metric_forget(w, "podi_invariant_breaks");
    all = 0;

    for (i = 0; i < JANITORD_INVARIANTS; i++) {
        n = 0;

        for (k = 0; k < JANITORD_PARTS; k++) {
            part = &conf->parts[k];
            n += part->seen[i] > part->open[i] ? part->seen[i] : part->open[i];
        }

        if (n > 0) {
            (void) snprintf(labels, sizeof(labels), "inv=\"I%u\"", i);
            podi_metric_set(w, "podi_invariant_breaks", labels, n);
        }

        all += n;
    }

    podi_metric_set(w, "podi_invariant_breaks", "inv=\"any\"", all);
}
