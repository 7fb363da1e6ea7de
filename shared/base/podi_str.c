/*
 * podi_str: comparing, cutting and reading runs of bytes.
 */

#include <string.h>

#include "podi_str.h"
#include "banned.h"


static int podi_hex_digit(unsigned char c);
static size_t podi_utf8_len(const unsigned char *p, size_t left);


podi_str_t
podi_str_c(const char *s)
{
    podi_str_t  str = podi_null_str;

    if (s != NULL) {
        str.len = strlen(s);
        str.data = (unsigned char *) (uintptr_t) s;
    }

    return str;
}


int
podi_str_eq(const podi_str_t *a, const podi_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


int
podi_str_eq_c(const podi_str_t *a, const char *b)
{
    podi_str_t  s;

    s = podi_str_c(b);

    return podi_str_eq(a, &s);
}


int
podi_str_eq_ct(const podi_str_t *a, const podi_str_t *b)
{
    size_t                  i;
    volatile unsigned char  diff = 0;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {
        diff |= a->data[i] ^ b->data[i];
    }

    return diff == 0;
}


int
podi_str_has_prefix(const podi_str_t *s, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    return s->len >= len && (len == 0 || memcmp(s->data, prefix, len) == 0);
}


podi_rc_t
podi_str_to_int64(const podi_str_t *s, int64_t *ret_n)
{
    size_t   i = 0;
    int64_t  n = 0;
    int      digit, minus;

    minus = s->len > 0 && s->data[0] == '-';
    i = minus ? 1 : 0;

    if (i == s->len) {
        return PODI_ERROR;
    }

    /* built up as a negative number: INT64_MIN has no positive twin */

    for ( /* void */ ; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return PODI_ERROR;
        }

        digit = s->data[i] - '0';

        if (__builtin_mul_overflow(n, 10, &n)
            || __builtin_sub_overflow(n, digit, &n))
        {
            return PODI_ERROR;
        }
    }

    if (!minus && n == INT64_MIN) {
        return PODI_ERROR;
    }

    *ret_n = minus ? n : -n;

    return PODI_OK;
}


int
podi_str_is_utf8(const podi_str_t *s)
{
    size_t  i, n;

    for (i = 0; i < s->len; i += n) {
        n = podi_utf8_len(s->data + i, s->len - i);
        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


void
podi_str_clean(podi_str_t *s)
{
    size_t  i, n;

    for (i = 0; i < s->len; i += n) {
        n = podi_utf8_len(s->data + i, s->len - i);

        if (n == 0 || s->data[i] == '\0') {
            s->data[i] = '?';
            n = 1;
        }
    }
}


/* the length of the character at p, 0 when there is no valid one */

static size_t
podi_utf8_len(const unsigned char *p, size_t left)
{
    size_t         i, n;
    unsigned char  low = 0x80, high = 0xbf;

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n > left) {
        return 0;
    }

    switch (p[0]) {
    case 0xe0: low = 0xa0; break;       /* overlong */
    case 0xed: high = 0x9f; break;      /* surrogates */
    case 0xf0: low = 0x90; break;       /* overlong */
    case 0xf4: high = 0x8f; break;      /* > U+10FFFF */
    }

    if (p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


int
podi_str_split(podi_str_t *rest, unsigned char sep, podi_str_t *ret_part)
{
    unsigned char  *p;

    if (rest->data == NULL) {
        return 0;
    }

    ret_part->data = rest->data;
    p = rest->len ? memchr(rest->data, sep, rest->len) : NULL;

    if (p == NULL) {
        ret_part->len = rest->len;
        rest->len = 0;
        rest->data = NULL;          /* so that "a." still gives "" */
        return 1;
    }

    ret_part->len = (size_t) (p - rest->data);
    rest->len -= ret_part->len + 1;
    rest->data = p + 1;

    return 1;
}


void
podi_hex_encode(unsigned char *dst, const unsigned char *src, size_t len)
{
    size_t             i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < len; i++) {
        *dst++ = (unsigned char) hex[src[i] >> 4];
        *dst++ = (unsigned char) hex[src[i] & 15];
    }
}


podi_rc_t
podi_hex_decode(unsigned char *dst, size_t len, const podi_str_t *src)
{
    int     high, low;
    size_t  i;

    if (src->len != 2 * len) {
        return PODI_ERROR;
    }

    for (i = 0; i < len; i++) {
        high = podi_hex_digit(src->data[2 * i]);
        low = podi_hex_digit(src->data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return PODI_ERROR;
        }

        dst[i] = (unsigned char) (high << 4 | low);
    }

    return PODI_OK;
}


static int
podi_hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
