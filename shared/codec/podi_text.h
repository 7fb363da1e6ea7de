/*
 * podi_text: words of headers, in any case.
 */

#ifndef PODI_TEXT_H
#define PODI_TEXT_H


#include "podi_str.h"


/* without blanks and tabs at both ends */
podi_str_t podi_text_trim(podi_str_t s);

/* the whole, or the begin of it; ASCII letters of either case are the same */
int podi_text_is(const podi_str_t *s, const char *word);
int podi_text_begins(const podi_str_t *s, const char *word);

/* the first place of it; NULL: it is not there */
unsigned char *podi_text_find(const podi_str_t *s, const char *word);


#endif /* PODI_TEXT_H */
