/*
 * podi_problem: a failure as application/problem+json (RFC 9457).
 *
 *     {"type":"/errors#insufficient_points","title":"...","status":402,
 *      "code":"insufficient_points","detail":...,"field":...,
 *      "trace_id":...,"retry_after":..., and the members of fail->extra}
 *
 * Details of failures that are ours (5xx) stay in the log.
 */

#ifndef PODI_PROBLEM_H
#define PODI_PROBLEM_H


#include "podi_fail.h"
#include "podi_mem.h"


typedef enum {
    PODI_LANG_EN,
    PODI_LANG_ZH
} podi_lang_e;


/* trace_id may be NULL */
PODI_MUSTCHECK podi_rc_t podi_problem(const podi_fail_t *fail,
    podi_lang_e lang, const podi_str_t *trace_id, podi_mem_t *mem,
    podi_str_t *ret_body);

/* the better of en and zh by an Accept-Language value (NULL, "": en) */
podi_lang_e podi_lang_pick(const podi_str_t *accept);

/* "en", "zh-CN" for Content-Language */
const char *podi_lang_name(podi_lang_e lang);


#endif /* PODI_PROBLEM_H */
