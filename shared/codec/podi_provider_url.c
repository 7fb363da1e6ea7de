/*
 * podi_provider_url: where a URL leads, and whether it may.
 *
 * Nothing is normalised: what has a user, a bracket, a blank or a character
 * that two parsers could read in two ways is no URL here.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


podi_rc_t
podi_provider_origin(const podi_str_t *url, podi_str_t *ret_origin,
    podi_str_t *ret_host)
{
    size_t          i, start, end, digits;
    unsigned char   c;

    start = podi_str_has_prefix(url, "https://") ? 8
            : podi_str_has_prefix(url, "http://") ? 7 : 0;

    if (start == 0 || url->len > PODI_PROVIDER_URL_MAX) {
        return PODI_ERROR;
    }

    for (i = start; i < url->len; i++) {
        if (url->data[i] <= 0x20 || url->data[i] >= 0x7f
            || strchr("\\\"<>^`{|}#", url->data[i]) != NULL)
        {
            return PODI_ERROR;
        }
    }

    for (i = start; i < url->len; i++) {
        c = url->data[i] | 0x20;

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
            && url->data[i] != '.')
        {
            break;
        }
    }

    end = i;

    if (end == start || url->data[start] == '.') {
        return PODI_ERROR;
    }

    if (i < url->len && url->data[i] == ':') {

        for (digits = ++i; i < url->len && url->data[i] >= '0'
                           && url->data[i] <= '9'; i++)
        {
            /* void */
        }

        if (i == digits || i - digits > 5) {
            return PODI_ERROR;
        }
    }

    if (i < url->len && url->data[i] != '/' && url->data[i] != '?') {
        return PODI_ERROR;
    }

    ret_host->data = url->data + start;
    ret_host->len = end - start;
    ret_origin->data = url->data;
    ret_origin->len = i;

    return PODI_OK;
}


/* ".fal.media" is every host below it */

int
podi_provider_host_in(const podi_provider_names_t *hosts,
    const podi_str_t *host)
{
    size_t       i;
    podi_str_t   tail;
    const char  *name;

    for (i = 0; i < hosts->n; i++) {

        name = (const char *) hosts->v[i].data;
        tail = *host;

        if (name[0] == '.' && host->len > hosts->v[i].len) {
            tail.data += host->len - hosts->v[i].len;
            tail.len = hosts->v[i].len;
        }

        if (podi_text_is(&tail, name)) {
            return 1;
        }
    }

    return 0;
}


int
podi_provider_may_fetch(const podi_provider_op_t *op, const podi_str_t *url)
{
    podi_str_t  origin, host;

    if (podi_provider_origin(url, &origin, &host) != PODI_OK) {
        return 0;
    }

    /* plain HTTP only for a provider that is itself asked so */

    if (!podi_str_has_prefix(url, "https:")
        && podi_str_has_prefix(&op->provider->base_url, "https:"))
    {
        return 0;
    }

    return op->c.hosts.n == 0 || podi_provider_host_in(&op->c.hosts, &host);
}
