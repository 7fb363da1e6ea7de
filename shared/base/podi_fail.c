/*
 * podi_fail: the table of errors, and how a failure is written down.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_fail.h"
#include "banned.h"


static void podi_fail_one_line(char *text);


static const podi_error_t  podi_errors[] = {
#define PODI_E(id, code, sqlstate, http, retry, en, zh, todo, advice)        \
    { code, sqlstate, http, PODI_RETRY_##retry, en, zh, todo,                \
      PODI_ADVICE_##advice },
#define PODI_ADVICE(id, word, en, zh)
#include "podi_errors.def"
#undef PODI_ADVICE
#undef PODI_E
};

static const podi_advice_t  podi_advices[] = {
#define PODI_E(id, code, sqlstate, http, retry, en, zh, todo, advice)
#define PODI_ADVICE(id, word, en, zh)  { word, en, zh },
#include "podi_errors.def"
#undef PODI_ADVICE
#undef PODI_E
};


const podi_error_t *
podi_error(podi_error_e error)
{
    if ((unsigned) error >= PODI_E_LAST) {
        error = PODI_E_INTERNAL;
    }

    return &podi_errors[error];
}


podi_error_e
podi_error_by_sqlstate(const char *sqlstate)
{
    unsigned  i;

    if (sqlstate == NULL || sqlstate[0] == '\0') {
        return PODI_E_NONE;
    }

    for (i = 0; i < PODI_E_LAST; i++) {
        if (strcmp(podi_errors[i].sqlstate, sqlstate) == 0) {
            return (podi_error_e) i;
        }
    }

    return PODI_E_NONE;
}


podi_error_e
podi_error_by_code(const podi_str_t *code)
{
    unsigned  i;

    for (i = 0; i < PODI_E_LAST; i++) {
        if (podi_str_eq_c(code, podi_errors[i].code)) {
            return (podi_error_e) i;
        }
    }

    return PODI_E_NONE;
}


const podi_advice_t *
podi_advice(podi_advice_e advice)
{
    if ((unsigned) advice >= PODI_ADVICE_LAST) {
        advice = PODI_ADVICE_CONTACT_OPERATOR;
    }

    return &podi_advices[advice];
}


podi_advice_e
podi_advice_by_word(const podi_str_t *word)
{
    unsigned  i;

    for (i = 0; i < PODI_ADVICE_LAST; i++) {
        if (podi_str_eq_c(word, podi_advices[i].word)) {
            break;
        }
    }

    return (podi_advice_e) i;
}


podi_rc_t
podi_fail(podi_fail_t *fail, podi_error_e error, const char *field,
    const char *fmt, ...)
{
    va_list      args;
    podi_fail_t  fresh;

    memset(&fresh, 0, sizeof(fresh));

    fresh.error = error;

    if (field != NULL) {
        (void) snprintf(fresh.field, sizeof(fresh.field), "%s", field);
    }

    va_start(args, fmt);
    (void) vsnprintf(fresh.detail, sizeof(fresh.detail), fmt, args);
    va_end(args);

    /* last, because field or an argument may point into *fail */

    *fail = fresh;

    return PODI_ERROR;
}


/* a name that a client has sent must not begin a line of its own in a log */

static void
podi_fail_one_line(char *text)
{
    for ( /* void */ ; *text != '\0'; text++) {
        if ((unsigned char) *text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}


void
podi_fail_text(const podi_fail_t *fail, char *dst, size_t size)
{
    int          n;
    const char  *open = " (";
    size_t       len;
    char         tail[128] = "";

    podi_assert(size > 0);

    if (fail->field[0]) {
        n = snprintf(tail, sizeof(tail), "%sfield %s", open, fail->field);
        len = n > 0 ? (size_t) n : 0;
        open = ", ";

    } else {
        len = 0;
    }

    if (fail->sqlstate[0]) {
        n = snprintf(tail + len, sizeof(tail) - len, "%ssqlstate %s", open,
                     fail->sqlstate);
        len += n > 0 ? (size_t) n : 0;
    }

    if (len) {
        (void) snprintf(tail + len, sizeof(tail) - len, ")");
    }

    (void) snprintf(dst, size, "%s%s%s%s", podi_error(fail->error)->code,
                    fail->detail[0] ? ": " : "", fail->detail, tail);

    podi_fail_one_line(dst);
}
