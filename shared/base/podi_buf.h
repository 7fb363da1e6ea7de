/*
 * podi_buf: bytes that grow, on a podi_mem_t.
 *
 * An append that finds no memory marks the buffer as failed and every later
 * append is a no-op: a builder checks once, at the end, with podi_buf_take.
 */

#ifndef PODI_BUF_H
#define PODI_BUF_H


#include <stdarg.h>

#include "podi_mem.h"


typedef struct {
    podi_mem_t     *mem;
    unsigned char  *data;
    size_t          len;
    size_t          size;
    unsigned        failed:1;
} podi_buf_t;


void podi_buf_init(podi_buf_t *b, podi_mem_t *mem);

void podi_buf_add(podi_buf_t *b, const void *data, size_t len);
void podi_buf_add_str(podi_buf_t *b, const podi_str_t *s);
void podi_buf_add_c(podi_buf_t *b, const char *s);
void podi_buf_add_byte(podi_buf_t *b, unsigned char c);
void podi_buf_printf(podi_buf_t *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD */
void podi_buf_add_json(podi_buf_t *b, const podi_str_t *s);

/*
 * s percent-encoded: all but the unreserved characters of RFC 3986 (and '/'
 * when keep_slash) as %XX in upper case.
 */
void podi_buf_add_uri(podi_buf_t *b, const podi_str_t *s, int keep_slash);

/* lower-case hex */
void podi_buf_add_hex(podi_buf_t *b, const unsigned char *data, size_t len);

/* the bytes so far, followed by a NUL that is not counted; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_buf_take(podi_buf_t *b, podi_str_t *ret);


#endif /* PODI_BUF_H */
