/*
 * reconcile: do rows, money and providers agree?
 *
 *     rule by rule: sys.reconcile -> hits: counted, told -> the next at once
 *
 * A rule over many rows looks at a slice of them each time, from the place
 * where the last look ended; a pass is over when it has seen all.  Nothing is
 * repaired here: R6 is hold.c's, R10 is orphan.c's, and R1 and R2 are
 * podi_dispatchd's, so that a hit of these says that it does not do its work.
 */

#include <stdio.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"

#define RECONCILE_DEADLINE  30000
#define RECONCILE_TOLD      20          /* log lines in one look */


static podi_rc_t reconcile_ask(podi_flow_t *f, void *ctx);
static podi_rc_t reconcile_tell(podi_flow_t *f, void *ctx);
static podi_rule_e reconcile_next(podi_rule_e rule);
static void reconcile_place(podi_flow_t *f, podi_worker_t *w,
    podi_rule_e rule, int row, int hits);
static void reconcile_hit(podi_flow_t *f, podi_worker_t *w, podi_rule_e rule,
    int row);


const podi_step_t  reconcile_steps[] = {
    { "looking for breaks", reconcile_ask, PODI_MAY_FAIL },
    { "telling the breaks", reconcile_tell, 0 },
    podi_null_step
};


void
janitord_reconcile_init(podi_worker_t *w)
{
    podi_rule_e  rule;

    /* a counter that is not there cannot be alerted on */

    for (rule = 0; rule < PODI_RULES; rule++) {
        if (!podi_rules[rule].is_dispatchd) {
            podi_metric_add(w, PODI_RECONCILE_HITS, podi_rules[rule].labels,
                            0);
            podi_metric_set(w, PODI_RECONCILE_OPEN, podi_rules[rule].labels,
                            0);
        }
    }
}


void
janitord_repaired(podi_worker_t *w, podi_rule_e rule, int64_t hits,
    int64_t repaired)
{
    podi_metric_add(w, PODI_RECONCILE_HITS, podi_rules[rule].labels,
                    (double) hits);
    podi_metric_add(w, PODI_RECONCILE_REPAIRED, podi_rules[rule].labels,
                    (double) repaired);
}


static podi_rc_t
reconcile_ask(podi_flow_t *f, void *ctx)
{
    janitord_t      *conf;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;
    janitord_pass_t *pass;

    conf = podi_worker_data(round->worker);
    conf->rule = reconcile_next(conf->rule);
    pass = &conf->passes[conf->rule];

    podi_pg_call_init(&call, PODI_SQL_RECONCILE, f->mem);
    podi_arg_c(&call, podi_rules[conf->rule].name);
    podi_arg_c(&call, pass->place[0] != '\0' ? pass->place : NULL);
    podi_arg_int64(&call, conf->slice);
    call.deadline = RECONCILE_DEADLINE;

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rule_e
reconcile_next(podi_rule_e rule)
{
    while (podi_rules[rule].is_dispatchd) {
        rule = (rule + 1) % PODI_RULES;
    }

    return rule;
}


/* a rule that cannot be looked at does not keep the others from it */

static podi_rc_t
reconcile_tell(podi_flow_t *f, void *ctx)
{
    int            i, place, hits, losses;
    janitord_t    *conf;
    podi_str_t     kind;
    podi_rule_e    rule;
    podi_round_t  *round = ctx;

    conf = podi_worker_data(round->worker);
    rule = conf->rule;
    conf->rule = (rule + 1) % PODI_RULES;

    if (conf->rule != 0) {
        podi_round_again(round);
    }

    if (f->result == NULL) {
        return PODI_ERROR;
    }

    place = -1;
    hits = 0;
    losses = 0;

    for (i = 0; i < podi_rows(f->result); i++) {
        kind = podi_row_str(f->result, i, "kind");

        if (podi_str_eq_c(&kind, "place")) {
            place = i;
            continue;
        }

        if (podi_str_eq_c(&kind, "loss")) {
            losses++;

        } else {
            hits++;
        }

        if (hits + losses <= RECONCILE_TOLD) {
            reconcile_hit(f, round->worker, rule, i);
        }
    }

    if (rule == PODI_RULE_R9) {
        podi_metric_add(round->worker, "podi_platform_losses_total", "",
                        losses);
    }

    reconcile_place(f, round->worker, rule, place, hits);

    return PODI_DONE;
}


/* the gauge rises at once, and falls when a whole pass has seen less */

static void
reconcile_place(podi_flow_t *f, podi_worker_t *w, podi_rule_e rule, int row,
    int hits)
{
    podi_str_t         place;
    janitord_t        *conf;
    janitord_pass_t   *pass;
    const char        *labels = podi_rules[rule].labels;

    conf = podi_worker_data(w);
    pass = &conf->passes[rule];
    place = podi_row_str(f->result, row, "id");

    podi_metric_add(w, PODI_RECONCILE_HITS, labels, hits);

    pass->hits += hits;

    if (pass->hits > pass->open || !podi_row_bool(f->result, row, "more")) {
        pass->open = pass->hits;
        podi_metric_set(w, PODI_RECONCILE_OPEN, labels, pass->open);
    }

    if (!podi_row_bool(f->result, row, "more")) {
        pass->hits = 0;
    }

    (void) snprintf(pass->place, sizeof(pass->place), PODI_STR_FMT,
                    podi_str_arg(&place));
}


/* what a provider took for nothing is a loss, not a break */

static void
reconcile_hit(podi_flow_t *f, podi_worker_t *w, podi_rule_e rule, int row)
{
    int         is_loss;
    podi_str_t  kind, id, detail;

    kind = podi_row_str(f->result, row, "kind");
    id = podi_row_str(f->result, row, "id");
    detail = podi_row_str(f->result, row, "detail");

    is_loss = podi_str_eq_c(&kind, "loss");

    podi_worker_log(w, podi_rules[rule].is_bug && !is_loss ? PODI_LOG_ERROR
                                                           : PODI_LOG_WARN,
                    is_loss ? "reconcile.loss" : "reconcile.hit", NULL,
                    "%s %s: " PODI_STR_FMT " " PODI_STR_FMT " " PODI_STR_FMT,
                    podi_rules[rule].rule, podi_rules[rule].name,
                    podi_str_arg(&kind), podi_str_arg(&id),
                    podi_str_arg(&detail));
}
