/*
 * ctl_reconcile: do rows, money and providers agree?
 *
 *     reconcile:  rule by rule, slice by slice -> the breaks, then a verdict
 *                 each, separated by tabs; of the ledger only a slice
 *     reconcile --verify: all of the ledger, too
 *
 * Exit: 0 nothing is broken, 1 something is, 2 it cannot be said.  What a
 * provider took for nothing is told as a loss and breaks nothing.
 */

#include <stdio.h>
#include <string.h>

#include "podi_reconcile.h"
#include "ctl.h"
#include "banned.h"

#define RECONCILE_SLICE      5000
#define RECONCILE_PLACE_MAX  128

typedef struct {
    podi_rule_e   rule;
    int           hits;                         /* of this rule */
    char          place[RECONCILE_PLACE_MAX];
} reconcile_t;


static podi_rc_t reconcile_ask(podi_flow_t *f, void *ctx);
static podi_rc_t reconcile_tell(podi_flow_t *f, void *ctx);
static int reconcile_row(reconcile_t *r, const podi_pg_result_t *res,
    int row);
static void reconcile_verdict(ctl_t *ctl, reconcile_t *r, int more);


const podi_step_t  ctl_reconcile_steps[] = {
    { "looking for breaks", reconcile_ask, 0 },
    { "telling the breaks", reconcile_tell, 0 },
    podi_null_step
};


static podi_rc_t
reconcile_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    reconcile_t     *r;
    podi_pg_call_t   call;

    if (ctl->state == NULL) {
        ctl->state = podi_mem_calloc(ctl->mem, sizeof(reconcile_t));
    }

    if (ctl->state == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    r = ctl->state;

    podi_pg_call_init(&call, PODI_SQL_RECONCILE, f->mem);
    podi_arg_c(&call, podi_rules[r->rule].name);
    podi_arg_c(&call, r->place[0] != '\0' ? r->place : NULL);
    podi_arg_int64(&call, RECONCILE_SLICE);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
reconcile_tell(podi_flow_t *f, void *ctx)
{
    int           row, more;
    ctl_t        *ctl = ctx;
    reconcile_t  *r = ctl->state;

    more = 0;

    for (row = 0; row < podi_rows(f->result); row++) {
        more |= reconcile_row(r, f->result, row);
    }

    if (more && (r->rule != PODI_RULE_R8 || ctl->values[0][0] != '\0')) {
        ctl->again = 1;
        return PODI_DONE;
    }

    reconcile_verdict(ctl, r, more);

    return PODI_DONE;
}


/* whether this is the place, and there is more */

static int
reconcile_row(reconcile_t *r, const podi_pg_result_t *res, int row)
{
    int         is_loss;
    podi_str_t  kind, id, detail;

    kind = podi_row_str(res, row, "kind");
    id = podi_row_str(res, row, "id");
    detail = podi_row_str(res, row, "detail");

    if (podi_str_eq_c(&kind, "place")) {
        (void) snprintf(r->place, sizeof(r->place), PODI_STR_FMT,
                        podi_str_arg(&id));
        return podi_row_bool(res, row, "more");
    }

    is_loss = podi_str_eq_c(&kind, "loss");
    r->hits += !is_loss;

    (void) printf("%s\t%s\t%s\t" PODI_STR_FMT "\t" PODI_STR_FMT "\t"
                  PODI_STR_FMT "\n", podi_rules[r->rule].rule,
                  podi_rules[r->rule].name, is_loss ? "loss" : "hit",
                  podi_str_arg(&kind), podi_str_arg(&id),
                  podi_str_arg(&detail));

    return 0;
}


/* and on to the next rule; those of Redis are podi_dispatchd's */

static void
reconcile_verdict(ctl_t *ctl, reconcile_t *r, int more)
{
    const podi_rule_t  *rule = &podi_rules[r->rule];

    if (r->hits > 0) {
        ctl->code = CTL_REFUSED;
        (void) printf("%s\t%s\tbroken\t%d\n", rule->rule, rule->name,
                      r->hits);

    } else {
        (void) printf("%s\t%s\t%s\n", rule->rule, rule->name,
                      more ? "ok in part" : "ok");
    }

    r->hits = 0;
    r->place[0] = '\0';

    for (r->rule++; r->rule < PODI_RULES; r->rule++) {
        rule = &podi_rules[r->rule];

        if (!rule->is_dispatchd) {
            ctl->again = 1;
            return;
        }

        (void) printf("%s\t%s\tnot here\tpodi_dispatchd looks\n", rule->rule,
                      rule->name);
    }
}
