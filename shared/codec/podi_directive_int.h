/*
 * podi_directive: what its files know of each other.
 */

#ifndef PODI_DIRECTIVE_INT_H
#define PODI_DIRECTIVE_INT_H


#include "podi_buf.h"
#include "podi_directive.h"


typedef struct {
    const char          *file;
    podi_str_t           dir;           /* with its last "/" */
    podi_str_t           rest;          /* and one byte before it, ours */
    podi_buf_t          *words;         /* of the directive that is read */
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


/* the next one; WORD: a part of what is read, and a NUL behind it */
podi_rc_t podi_directive_token(directive_reader_t *r,
    directive_token_e *ret_token, podi_str_t *ret_word);

/* a block of other people's words (geo, Lua): past its "}", nothing is kept */
int podi_directive_is_foreign(const podi_directive_t *d);
podi_rc_t podi_directive_skip(directive_reader_t *r,
    const podi_directive_t *block);

/* what it says, in memory of the reader */
podi_rc_t podi_directive_load(directive_reader_t *r);

/* "file:line: what" */
podi_rc_t podi_directive_wrong(directive_reader_t *r, const char *what);


#endif /* PODI_DIRECTIVE_INT_H */
