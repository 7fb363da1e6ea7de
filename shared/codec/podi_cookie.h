/*
 * podi_cookie: cookies as a client sends them, "a=b; name=x; c=d".
 *
 * Names are compared byte by byte; a value is what stands between '=' and the
 * next ';', as it is.  A part without '=' is nobody's value.
 */

#ifndef PODI_COOKIE_H
#define PODI_COOKIE_H


#include "podi_str.h"


/*
 * Looks for a cookie in one header.  *value, podi_null_str at first, goes
 * through all Cookie headers of a request, for HTTP/2 may send one for each
 * cookie.  ERROR: the cookie comes twice.
 */
PODI_MUSTCHECK podi_rc_t podi_cookie_find(const podi_str_t *header,
    const char *name, podi_str_t *value);

/*
 * A text of parts with a separator between them (';', or '&' of a query): the
 * parts of that name, with a value or without, go to *taken, all others to
 * *rest.  Both come with room for text->len bytes, and leave with a length.
 */
void podi_cookie_split(const podi_str_t *text, unsigned char separator,
    const podi_str_t *name, podi_str_t *rest, podi_str_t *taken);


#endif /* PODI_COOKIE_H */
