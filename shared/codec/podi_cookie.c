/*
 * podi_cookie: what may be taken and what is left out are found by one rule,
 * so that a token that we take never stays for the upstream.
 */

#include <string.h>

#include "podi_cookie.h"
#include "banned.h"


static void cookie_add(podi_str_t *to, unsigned char separator,
    podi_str_t part);
static void cookie_part(podi_str_t part, podi_str_t *ret_name,
    podi_str_t *ret_value);


podi_rc_t
podi_cookie_find(const podi_str_t *header, const char *name,
    podi_str_t *value)
{
    podi_str_t  rest = *header, part, key, found;

    while (podi_str_split(&rest, ';', &part)) {

        cookie_part(part, &key, &found);

        if (found.data == NULL || !podi_str_eq_c(&key, name)) {
            continue;
        }

        if (value->data != NULL) {
            return PODI_ERROR;
        }

        *value = found;
    }

    return PODI_OK;
}


void
podi_cookie_split(const podi_str_t *text, unsigned char separator,
    const podi_str_t *name, podi_str_t *rest, podi_str_t *taken)
{
    podi_str_t  left = *text, part, key, value;

    rest->len = 0;
    taken->len = 0;

    while (podi_str_split(&left, separator, &part)) {

        cookie_part(part, &key, &value);

        if (podi_str_eq(&key, name)) {
            cookie_add(taken, separator, part);
            continue;
        }

        if (rest->len == 0 && separator == ';') {
            part.len -= (size_t) (key.data - part.data);
            part.data = key.data;
        }

        cookie_add(rest, separator, part);
    }
}


static void
cookie_add(podi_str_t *to, unsigned char separator, podi_str_t part)
{
    if (to->len != 0) {
        to->data[to->len++] = separator;
    }

    if (part.len != 0) {
        memcpy(to->data + to->len, part.data, part.len);
        to->len += part.len;
    }
}


/* blanks before a name are not of it; no '=': the value has NULL data */

static void
cookie_part(podi_str_t part, podi_str_t *ret_name, podi_str_t *ret_value)
{
    while (part.len != 0 && part.data[0] == ' ') {
        part.data++;
        part.len--;
    }

    (void) podi_str_split(&part, '=', ret_name);

    *ret_value = part;
}
