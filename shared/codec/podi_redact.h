/*
 * podi_redact: what looks like a secret becomes ***, in place.
 *
 *     "Authorization: Bearer abc.def"   -> "Authorization: ***"
 *     "GET /x?api_key=abc&n=1"          -> "GET /x?api_key=***&n=1"
 *     "sk-live-0123456789abcdef..."     -> "***"
 *
 * So do the user and password of a URL.  A net, not a promise: who logs a
 * secret without its name is not saved by it.  It errs on the side of hiding:
 * "token: 12" loses its number.
 */

#ifndef PODI_REDACT_H
#define PODI_REDACT_H


#include <stddef.h>


/* gives the new length; the text need not end in NUL and is never longer */
size_t podi_redact(char *text, size_t len);


#endif /* PODI_REDACT_H */
