/*
 * podi_fail: why it failed.
 *
 * The code comes from one table, podi_errors.def, which also knows the HTTP
 * status, the SQLSTATE, the texts and whether trying again can help.  Whoever
 * detects a failure fills the fail; whoever decides logs it, once.
 */

#ifndef PODI_FAIL_H
#define PODI_FAIL_H


#include "podi_str.h"


typedef enum {
#define PODI_E(id, code, sqlstate, http, retry, en, zh, todo, advice)        \
    PODI_E_##id,
#define PODI_ADVICE(id, word, en, zh)
#include "podi_errors.def"
#undef PODI_ADVICE
#undef PODI_E
    PODI_E_LAST
} podi_error_e;

typedef enum {
#define PODI_E(id, code, sqlstate, http, retry, en, zh, todo, advice)
#define PODI_ADVICE(id, word, en, zh)  PODI_ADVICE_##id,
#include "podi_errors.def"
#undef PODI_ADVICE
#undef PODI_E
    PODI_ADVICE_LAST
} podi_advice_e;

typedef enum {
    PODI_RETRY_NEVER,       /* the same again gives the same */
    PODI_RETRY_LATER,       /* the same again, after a while, may succeed */
    PODI_RETRY_AFTER_FIX    /* once the user changed something (money) */
} podi_retry_e;

typedef struct {
    podi_error_e  error;            /* PODI_E_NONE: nothing failed */
    char          field[64];        /* JSON path of the input at fault, or "" */
    char          detail[256];      /* for the log and the reply's detail */
    char          extra[512];       /* JSON members of the reply: "a":1,"b":2 */
    char          sqlstate[6];      /* what PostgreSQL said, or "" */
    int           sys;              /* errno, or 0 */
    unsigned      retry_after;      /* seconds, or 0 */
    unsigned      uncertain:1;      /* a write may or may not have happened */
} podi_fail_t;

typedef struct {
    const char    *code;            /* "insufficient_points" */
    const char    *sqlstate;        /* "U0402", or "" */
    int            http;
    podi_retry_e   retry;
    const char    *en;
    const char    *zh;
    const char    *todo;            /* what a page should do */
    podi_advice_e  advice;          /* for a job that failed so */
} podi_error_t;

typedef struct {
    const char    *word;            /* "choose_another_input" */
    const char    *en;
    const char    *zh;
} podi_advice_t;


/* never NULL */
const podi_error_t *podi_error(podi_error_e error);

/* by SQLSTATE ("U0402") or by code; PODI_E_NONE when there is none */
podi_error_e podi_error_by_sqlstate(const char *sqlstate);
podi_error_e podi_error_by_code(const podi_str_t *code);

/* never NULL; by its word, PODI_ADVICE_LAST when there is none */
const podi_advice_t *podi_advice(podi_advice_e advice);
podi_advice_e podi_advice_by_word(const podi_str_t *word);

/*
 * Fill *fail and return PODI_ERROR, so that a caller writes
 *     return podi_fail(fail, PODI_E_BAD_FIELD, "limit", "not a number");
 * `field` may be NULL.  An earlier failure in *fail is overwritten.
 */
podi_rc_t podi_fail(podi_fail_t *fail, podi_error_e error, const char *field,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "code: detail (field x, sqlstate y)" for a log line; always NUL-terminated */
void podi_fail_text(const podi_fail_t *fail, char *dst, size_t size);


#endif /* PODI_FAIL_H */
