/*
 * podi_reconcile: the rules of reconciliation as a table.
 *
 * Who looks counts with the labels of the rule:
 *
 *     podi_reconcile_hits_total{rule,name}      breaks that were seen
 *     podi_reconcile_repaired_total{rule,name}  those that were put right
 *     podi_reconcile_open{rule,name}            in the last pass
 */

#ifndef PODI_RECONCILE_H
#define PODI_RECONCILE_H


#define PODI_RECONCILE_HITS      "podi_reconcile_hits_total"
#define PODI_RECONCILE_REPAIRED  "podi_reconcile_repaired_total"
#define PODI_RECONCILE_OPEN      "podi_reconcile_open"

typedef enum {
#define PODI_RULE(rule, name, looker, hit)  PODI_RULE_##rule,
#include "podi_reconcile.def"
#undef PODI_RULE
    PODI_RULES
} podi_rule_e;

typedef struct {
    const char  *rule;              /* "R1" */
    const char  *name;              /* "expired_lease" */
    const char  *labels;            /* of all its metrics */
    unsigned     is_bug:1;
    unsigned     is_dispatchd:1;    /* who looks; else podi_janitord */
} podi_rule_t;

/* by podi_rule_e */
extern const podi_rule_t  podi_rules[PODI_RULES];


#endif /* PODI_RECONCILE_H */
