/*
 * podi_base64: one encoder, one decoder, two alphabets.
 */

#include <stdint.h>
#include <string.h>

#include "podi_base64.h"
#include "banned.h"


static const char  podi_base64_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char  podi_base64_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


static podi_rc_t podi_base64_write(podi_mem_t *mem, const char *alphabet,
    const podi_str_t *bytes, podi_str_t *ret_text);
static podi_rc_t podi_base64_read(podi_mem_t *mem, const char *alphabet,
    const podi_str_t *text, podi_str_t *ret_bytes);
static int podi_base64_value(const char *alphabet, unsigned char c);


podi_rc_t
podi_base64url_encode(podi_mem_t *mem, const podi_str_t *bytes,
    podi_str_t *ret_text)
{
    return podi_base64_write(mem, podi_base64_url, bytes, ret_text);
}


podi_rc_t
podi_base64_encode(podi_mem_t *mem, const podi_str_t *bytes,
    podi_str_t *ret_text)
{
    if (podi_base64_write(mem, podi_base64_std, bytes, ret_text) != PODI_OK) {
        return PODI_ERROR;
    }

    while (ret_text->len % 4) {
        ret_text->data[ret_text->len++] = '=';
    }

    return PODI_OK;
}


podi_rc_t
podi_base64url_decode(podi_mem_t *mem, const podi_str_t *text,
    podi_str_t *ret_bytes)
{
    return podi_base64_read(mem, podi_base64_url, text, ret_bytes);
}


podi_rc_t
podi_base64_decode(podi_mem_t *mem, const podi_str_t *text,
    podi_str_t *ret_bytes)
{
    podi_str_t  bare = *text;

    if (text->len % 4) {
        return PODI_DECLINED;
    }

    while (bare.len && text->len - bare.len < 2
           && bare.data[bare.len - 1] == '=')
    {
        bare.len--;
    }

    return podi_base64_read(mem, podi_base64_std, &bare, ret_bytes);
}


/* room for the padding is left at the end */

static podi_rc_t
podi_base64_write(podi_mem_t *mem, const char *alphabet,
    const podi_str_t *bytes, podi_str_t *ret_text)
{
    size_t          i, n;
    uint32_t        v;
    unsigned char  *p, *start;

    if (bytes->len > SIZE_MAX / 2) {
        return PODI_ERROR;
    }

    start = podi_mem_alloc(mem, bytes->len / 3 * 4 + 4);
    if (start == NULL) {
        return PODI_ERROR;
    }

    p = start;

    for (i = 0; i < bytes->len; i += 3) {
        n = bytes->len - i < 3 ? bytes->len - i : 3;

        v = (uint32_t) bytes->data[i] << 16;
        v |= n > 1 ? (uint32_t) bytes->data[i + 1] << 8 : 0;
        v |= n > 2 ? (uint32_t) bytes->data[i + 2] : 0;

        *p++ = (unsigned char) alphabet[v >> 18];
        *p++ = (unsigned char) alphabet[v >> 12 & 63];

        if (n > 1) {
            *p++ = (unsigned char) alphabet[v >> 6 & 63];
        }

        if (n > 2) {
            *p++ = (unsigned char) alphabet[v & 63];
        }
    }

    ret_text->data = start;
    ret_text->len = (size_t) (p - start);

    return PODI_OK;
}


static podi_rc_t
podi_base64_read(podi_mem_t *mem, const char *alphabet,
    const podi_str_t *text, podi_str_t *ret_bytes)
{
    int             digit;
    size_t          i;
    unsigned        bits = 0;
    uint32_t        v = 0;
    unsigned char  *p, *start;

    if (text->len % 4 == 1) {
        return PODI_DECLINED;
    }

    start = podi_mem_alloc(mem, text->len / 4 * 3 + 3);
    if (start == NULL) {
        return PODI_ERROR;
    }

    p = start;

    for (i = 0; i < text->len; i++) {
        digit = podi_base64_value(alphabet, text->data[i]);
        if (digit < 0) {
            return PODI_DECLINED;
        }

        v = (v << 6 | (uint32_t) digit) & 0xffffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *p++ = (unsigned char) (v >> bits);
        }
    }

    if (v & ((1u << bits) - 1)) {
        return PODI_DECLINED;           /* unused bits: a second text */
    }

    ret_bytes->data = start;
    ret_bytes->len = (size_t) (p - start);

    return PODI_OK;
}


static int
podi_base64_value(const char *alphabet, unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == (unsigned char) alphabet[62]) {
        return 62;
    }

    return c == (unsigned char) alphabet[63] ? 63 : -1;
}
