/*
 * podi_claim: rules about the claims of a token.
 *
 *     NAME OP VALUE...      realm_access.roles  in  editor owner
 *
 * NAME is a path of members, joined by dots; a name that has dots of its own
 * (an URL, say) is quoted with brackets: [https://a.example/roles].first.
 *
 *     exists                 the member is there and not null
 *     eq ne                  the one value (a number, true, or a text)
 *     in                     one of the values; of a list: one of its elements
 *     any                    the same, and the words of a text count as a list
 *     gt ge lt le            numbers
 *     match-prefix           a text, or an element, begins with one of them
 *
 * What is not there, or of another type, holds no rule but `ne`.  No regular
 * expressions: a rule's cost is bounded by the sizes of token and rule.
 */

#ifndef PODI_CLAIM_H
#define PODI_CLAIM_H


#include <jansson.h>

#include "podi_fail.h"
#include "podi_mem.h"


#define PODI_CLAIM_DEPTH   8
#define PODI_CLAIM_VALUES  64

typedef struct podi_claim_path_s  podi_claim_path_t;
typedef struct podi_claim_rule_s  podi_claim_rule_t;


/* CONFIG says what is wrong with it */
PODI_MUSTCHECK podi_rc_t podi_claim_path(const podi_str_t *text,
    podi_mem_t *mem, const podi_claim_path_t **ret_path, podi_fail_t *fail);

/* words: NAME, OP and the values */
PODI_MUSTCHECK podi_rc_t podi_claim_rule(const podi_str_t *words, size_t n,
    podi_mem_t *mem, const podi_claim_rule_t **ret_rule, podi_fail_t *fail);

/* borrowed; NULL: there is none */
const json_t *podi_claim_find(const podi_claim_path_t *path,
    const json_t *claims);

int podi_claim_holds(const podi_claim_rule_t *rule, const json_t *claims);

/* as it was written, with single blanks; of no two rules the same */
podi_str_t podi_claim_text(const podi_claim_rule_t *rule);


#endif /* PODI_CLAIM_H */
