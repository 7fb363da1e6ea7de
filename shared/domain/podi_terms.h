/*
 * podi_terms: a limit as people write it, "rate=10r/s" "burst=20".  Pure.
 *
 *     rate=10r/s     or r/m, r/h, r/d; with burst=20
 *     quota=1000/day or /hour, /month; with offset=+08:00
 *     conn=5
 *
 * The same words in podi_limit_zone, in podi_limit_plan and in the rates of
 * the database.
 */

#ifndef PODI_TERMS_H
#define PODI_TERMS_H


#include "podi_cell.h"


/* zeroed: nothing has been said */

typedef struct {
    podi_cell_kind_e  kind;
    unsigned          kinds;            /* how many were said */
    int64_t           rate;             /* or the quota, or places */
    int64_t           period;           /* microseconds, or a month */
    int64_t           burst;            /* 0: not said */
    int               offset;           /* seconds east */
} podi_terms_t;


/* one word.  DECLINED: it is none of these; ERROR: with a wrong value */
PODI_MUSTCHECK podi_rc_t podi_terms_read(podi_terms_t *terms,
    const podi_str_t *word);

/* the rule that all words make; NULL, or what is wrong with them together */
const char *podi_terms_rule(const podi_terms_t *terms, podi_rule_t *rule);


#endif /* PODI_TERMS_H */
