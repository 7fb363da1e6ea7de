/*
 * podi_secret: bytes that must not be seen.
 *
 * There is no printf form and no str accessor by accident: whoever needs the
 * bytes says podi_secret_bytes.  Compared in constant time, wiped at the end.
 */

#ifndef PODI_SECRET_H
#define PODI_SECRET_H


#include "podi_fail.h"
#include "podi_mem.h"


typedef struct podi_secret_s  podi_secret_t;

/* copies `bytes` into memory of its own; `mem` wipes and frees it */
PODI_MUSTCHECK podi_rc_t podi_secret_make(podi_mem_t *mem,
    const podi_str_t *bytes, podi_secret_t **ret_secret);

/*
 * Reads a whole file of 1..4096 bytes, less one line end.  ERROR with CONFIG
 * and a sentence when it is missing, empty, too large, or readable by others.
 */
PODI_MUSTCHECK podi_rc_t podi_secret_read(podi_mem_t *mem, const char *path,
    podi_secret_t **ret_secret, podi_fail_t *fail);

podi_str_t podi_secret_bytes(const podi_secret_t *secret);

/* memory of any origin, overwritten so that the compiler cannot skip it */
void podi_wipe(void *data, size_t len);


#endif /* PODI_SECRET_H */
