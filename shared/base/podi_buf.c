/*
 * podi_buf: appending, and the two escapes that PODI writes.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "podi_buf.h"
#include "banned.h"


#define PODI_BUF_FIRST  256


static unsigned char *podi_buf_room(podi_buf_t *b, size_t len);
static void podi_buf_add_json_byte(podi_buf_t *b, unsigned char c);
static size_t podi_buf_json_run(const unsigned char *p, size_t left);


void
podi_buf_init(podi_buf_t *b, podi_mem_t *mem)
{
    memset(b, 0, sizeof(podi_buf_t));
    b->mem = mem;
}


/* len bytes at the end, and one more for the NUL of podi_buf_take */

static unsigned char *
podi_buf_room(podi_buf_t *b, size_t len)
{
    size_t          size;
    unsigned char  *p;

    if (b->failed) {
        return NULL;
    }

    if (b->size - b->len > len) {
        return b->data + b->len;
    }

    if (len > SIZE_MAX / 4 - b->len) {
        b->failed = 1;
        return NULL;
    }

    size = b->size ? b->size : PODI_BUF_FIRST;

    while (size - b->len <= len) {
        size *= 2;
    }

    p = podi_mem_alloc(b->mem, size);
    if (p == NULL) {
        b->failed = 1;
        return NULL;
    }

    if (b->len) {
        memcpy(p, b->data, b->len);
    }

    b->data = p;
    b->size = size;

    return p + b->len;
}


void
podi_buf_add(podi_buf_t *b, const void *data, size_t len)
{
    unsigned char  *p;

    p = podi_buf_room(b, len);

    if (p != NULL && len) {
        memcpy(p, data, len);
        b->len += len;
    }
}


void
podi_buf_add_str(podi_buf_t *b, const podi_str_t *s)
{
    podi_buf_add(b, s->data, s->len);
}


void
podi_buf_add_c(podi_buf_t *b, const char *s)
{
    podi_buf_add(b, s, strlen(s));
}


void
podi_buf_add_byte(podi_buf_t *b, unsigned char c)
{
    podi_buf_add(b, &c, 1);
}


void
podi_buf_printf(podi_buf_t *b, const char *fmt, ...)
{
    int             n;
    va_list         args;
    unsigned char  *p;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0) {
        b->failed = 1;
        return;
    }

    p = podi_buf_room(b, (size_t) n);
    if (p == NULL) {
        return;
    }

    va_start(args, fmt);
    (void) vsnprintf((char *) p, (size_t) n + 1, fmt, args);
    va_end(args);

    b->len += (size_t) n;
}


void
podi_buf_add_json(podi_buf_t *b, const podi_str_t *s)
{
    size_t      i, n;
    podi_str_t  rest;

    podi_buf_add_byte(b, '"');

    for (i = 0; i < s->len; i += n) {
        rest.data = s->data + i;
        n = podi_buf_json_run(rest.data, s->len - i);

        if (n) {
            podi_buf_add(b, rest.data, n);
            continue;
        }

        podi_buf_add_json_byte(b, rest.data[0]);
        n = 1;
    }

    podi_buf_add_byte(b, '"');
}


/* bytes that stand as they are: ASCII without escapes, or one character */

static size_t
podi_buf_json_run(const unsigned char *p, size_t left)
{
    size_t      n;
    podi_str_t  s;

    for (n = 0; n < left; n++) {
        if (p[n] < 0x20 || p[n] >= 0x7f || p[n] == '"' || p[n] == '\\') {
            break;
        }
    }

    if (n || p[0] < 0x80) {
        return n;
    }

    for (n = 2; n <= 4 && n <= left; n++) {
        s.data = (unsigned char *) (uintptr_t) p;
        s.len = n;

        if (podi_str_is_utf8(&s)) {
            return n;
        }
    }

    return 0;
}


static void
podi_buf_add_json_byte(podi_buf_t *b, unsigned char c)
{
    switch (c) {
    case '"': podi_buf_add_c(b, "\\\""); break;
    case '\\': podi_buf_add_c(b, "\\\\"); break;
    case '\b': podi_buf_add_c(b, "\\b"); break;
    case '\f': podi_buf_add_c(b, "\\f"); break;
    case '\n': podi_buf_add_c(b, "\\n"); break;
    case '\r': podi_buf_add_c(b, "\\r"); break;
    case '\t': podi_buf_add_c(b, "\\t"); break;

    default:
        if (c < 0x80) {
            podi_buf_printf(b, "\\u%04x", c);

        } else {
            podi_buf_add_c(b, "\xef\xbf\xbd");
        }
    }
}


void
podi_buf_add_uri(podi_buf_t *b, const podi_str_t *s, int keep_slash)
{
    size_t             i;
    unsigned char      c, escape[3];
    static const char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'
            || c == '~' || (c == '/' && keep_slash))
        {
            podi_buf_add_byte(b, c);
            continue;
        }

        escape[0] = '%';
        escape[1] = (unsigned char) hex[c >> 4];
        escape[2] = (unsigned char) hex[c & 15];

        podi_buf_add(b, escape, 3);
    }
}


void
podi_buf_add_hex(podi_buf_t *b, const unsigned char *data, size_t len)
{
    unsigned char  *p;

    p = podi_buf_room(b, 2 * len);

    if (p != NULL) {
        podi_hex_encode(p, data, len);
        b->len += 2 * len;
    }
}


podi_rc_t
podi_buf_take(podi_buf_t *b, podi_str_t *ret)
{
    unsigned char  *p;

    p = podi_buf_room(b, 0);
    if (p == NULL) {
        return PODI_ERROR;
    }

    *p = '\0';

    ret->data = b->data;
    ret->len = b->len;

    return PODI_OK;
}
