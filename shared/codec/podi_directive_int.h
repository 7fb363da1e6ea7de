/*
 * podi_directive: what its files know of each other.
 */

#ifndef PODI_DIRECTIVE_INT_H
#define PODI_DIRECTIVE_INT_H


#include "podi_directive.h"


typedef struct {
    const char          *file;
    podi_str_t           dir;           /* with its last "/" */
    podi_str_t           rest;
    podi_mem_t          *mem;
    podi_fail_t         *fail;
    unsigned             line;
    unsigned             depth;         /* of includes */
    unsigned             alone:1;       /* nothing is included */
} directive_reader_t;

typedef enum {
    DIRECTIVE_WORD,
    DIRECTIVE_END,                      /* ; */
    DIRECTIVE_OPEN,                     /* { */
    DIRECTIVE_CLOSE,                    /* } */
    DIRECTIVE_EOF
} directive_token_e;


/* the next one; WORD with its bytes, and a NUL behind them */
podi_rc_t podi_directive_token(directive_reader_t *r,
    directive_token_e *ret_token, podi_str_t *ret_word);

/* "file:line: what" */
podi_rc_t podi_directive_wrong(directive_reader_t *r, const char *what);


#endif /* PODI_DIRECTIVE_INT_H */
