/*
 * podi_id: names for things.
 *
 * Public ids are UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74
 * random bits; ids made by one process in one millisecond still ascend.
 * They name, they do not protect: secrets come from podi_random.
 */

#ifndef PODI_ID_H
#define PODI_ID_H


#include "podi_str.h"


#define PODI_ID_LEN  36

typedef struct {
    unsigned char  text[PODI_ID_LEN];      /* lower case, no NUL */
} podi_id_t;


/* ERROR only when the system has no randomness to give */
PODI_MUSTCHECK podi_rc_t podi_id_make(podi_id_t *ret_id);

/* any UUID in its 36-character form; upper case is folded */
PODI_MUSTCHECK podi_rc_t podi_id_parse(const podi_str_t *s, podi_id_t *ret_id);

podi_str_t podi_id_str(const podi_id_t *id);

/* bytes from the kernel's generator (getrandom(2)) */
PODI_MUSTCHECK podi_rc_t podi_random(void *dst, size_t len);

/* the same from this thread's stock, without a system call for each: names */
PODI_MUSTCHECK podi_rc_t podi_random_name(void *dst, size_t len);


#endif /* PODI_ID_H */
