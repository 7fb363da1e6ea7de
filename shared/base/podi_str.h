/*
 * podi_str: a counted run of bytes that somebody else owns.
 *
 * Same layout as nginx's ngx_str_t (held by a static assertion in core), so
 * one can be read as the other.  Never NUL-terminated by contract.
 */

#ifndef PODI_STR_H
#define PODI_STR_H


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "podi_rc.h"


typedef struct {
    size_t          len;
    unsigned char  *data;
} podi_str_t;


#define podi_string(lit)  { sizeof(lit) - 1, (unsigned char *) (lit) }
#define podi_null_str     { 0, NULL }

#define PODI_STR_FMT      "%.*s"
#define podi_str_arg(s)   (int) (s)->len, (const char *) (s)->data


/* borrow a C string; NULL gives the empty string */
podi_str_t podi_str_c(const char *s);

/* equal bytes; podi_str_eq_ct takes a time that depends on the length only */
int podi_str_eq(const podi_str_t *a, const podi_str_t *b);
int podi_str_eq_c(const podi_str_t *a, const char *b);
int podi_str_eq_ct(const podi_str_t *a, const podi_str_t *b);
int podi_str_has_prefix(const podi_str_t *s, const char *prefix);

/*
 * The whole of s as a decimal integer: an optional '-', digits, nothing else.
 * ERROR on anything else and on overflow; *ret_n is then untouched.
 */
PODI_MUSTCHECK podi_rc_t podi_str_to_int64(const podi_str_t *s,
    int64_t *ret_n);

/* valid UTF-8 (RFC 3629: no surrogates, no overlong forms, <= U+10FFFF) */
int podi_str_is_utf8(const podi_str_t *s);

/* makes it a text that any store takes: what is no UTF-8, or NUL, is a '?' */
void podi_str_clean(podi_str_t *s);

/*
 * Cuts the part before the first `sep` off the front of *rest.  Gives 0 when
 * nothing is left.  "a..b" gives "a", "", "b".
 */
int podi_str_split(podi_str_t *rest, unsigned char sep, podi_str_t *ret_part);

/* lower-case hex; dst has room for 2 * len bytes (no NUL is written) */
void podi_hex_encode(unsigned char *dst, const unsigned char *src, size_t len);

/* accepts both cases; ERROR unless src is exactly 2 * len hex digits */
PODI_MUSTCHECK podi_rc_t podi_hex_decode(unsigned char *dst, size_t len,
    const podi_str_t *src);


#endif /* PODI_STR_H */
