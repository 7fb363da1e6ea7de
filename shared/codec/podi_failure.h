/*
 * podi_failure: what a failed job tells the one who asked for it.
 *
 *     {"code","returned","kept","from_segment","bar"}       made by SQL
 *       -> {"code","title","advice":{"do","text"},
 *           "points":{"returned","kept"},"can_retry","from_segment"}
 *
 * SQL knows the code and the numbers, podi_errors.def knows the words, and a
 * request knows its language: here they meet.  The JSON around a failure may
 * be long, and is copied as it is: only the failure itself is parsed.
 */

#ifndef PODI_FAILURE_H
#define PODI_FAILURE_H


#include "podi_problem.h"


/*
 * Puts words into every object that is a member "failure" of an object at
 * this depth (1: of the document itself; 3: of the elements of an array in
 * it).  The depth tells ours from what users name so.  *ret_json may be the
 * text itself.  INTERNAL when a failure is none, or without memory.
 */
PODI_MUSTCHECK podi_rc_t podi_failure_words(const podi_str_t *json,
    unsigned depth, podi_lang_e lang, podi_mem_t *mem, podi_str_t *ret_json,
    podi_fail_t *fail);


#endif /* PODI_FAILURE_H */
