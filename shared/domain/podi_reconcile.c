/*
 * podi_reconcile: the rules of reconciliation as a table.
 */

#include "podi_reconcile.h"
#include "banned.h"

#define JANITORD   0
#define DISPATCHD  1
#define REPAIRED   0
#define BUG        1


const podi_rule_t  podi_rules[PODI_RULES] = {
#define PODI_RULE(rule, name, looker, hit)                                   \
    { #rule, name, "rule=\"" #rule "\",name=\"" name "\"", hit, looker },
#include "podi_reconcile.def"
#undef PODI_RULE
};
