/*
 * podi_base64: RFC 4648, strict in both alphabets.
 *
 * base64url has no padding; base64 must have it.  Line ends, blanks, the
 * other alphabet and unused bits that are not zero are refused, so that a
 * value has exactly one text.
 */

#ifndef PODI_BASE64_H
#define PODI_BASE64_H


#include "podi_mem.h"


PODI_MUSTCHECK podi_rc_t podi_base64url_encode(podi_mem_t *mem,
    const podi_str_t *bytes, podi_str_t *ret_text);
PODI_MUSTCHECK podi_rc_t podi_base64_encode(podi_mem_t *mem,
    const podi_str_t *bytes, podi_str_t *ret_text);

/* DECLINED: not the text of any value; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_base64url_decode(podi_mem_t *mem,
    const podi_str_t *text, podi_str_t *ret_bytes);
PODI_MUSTCHECK podi_rc_t podi_base64_decode(podi_mem_t *mem,
    const podi_str_t *text, podi_str_t *ret_bytes);


#endif /* PODI_BASE64_H */
