/*
 * channel: which one a request comes by.
 *
 *     app key -> host, whole -> host, *.suffix (the longest) -> path prefix
 *     (the longest)
 *
 * The first that finds a channel decides.  An app key is a claim: one that is
 * not known is refused, and not taken for none.  It is compared by its digest
 * with all there are, so that the time taken tells nothing.
 */

#include <openssl/crypto.h>

#include "ngx_http_podi_channel.h"


static podi_rc_t channel_key(ngx_http_request_t *r,
    const ngx_http_podi_channel_main_conf_t *cmcf, podi_str_t *ret_key,
    podi_fail_t *fail);
static ngx_http_podi_channel_t *channel_by_key(
    const ngx_http_podi_channel_set_t *set, const podi_str_t *key);
static ngx_http_podi_channel_t *channel_by_host(
    const ngx_http_podi_channel_set_t *set, const ngx_str_t *host);
static size_t channel_host_fits(const ngx_str_t *known, const ngx_str_t *host);
static ngx_http_podi_channel_t *channel_by_path(
    const ngx_http_podi_channel_set_t *set, const ngx_str_t *uri);
static ngx_uint_t channel_path_fits(const ngx_str_t *path,
    const ngx_str_t *uri);


podi_rc_t
ngx_http_podi_channel_find(ngx_http_request_t *r,
    const ngx_http_podi_channel_main_conf_t *cmcf,
    const ngx_http_podi_channel_set_t *set,
    const ngx_podi_channel_t **ret_channel, podi_fail_t *fail)
{
    podi_str_t                key = podi_null_str;
    ngx_http_podi_channel_t  *found;

    if (set->keyed && channel_key(r, cmcf, &key, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (key.data != NULL) {
        found = channel_by_key(set, &key);

        if (found == NULL) {
            return podi_fail(fail, PODI_E_APP_KEY_INVALID, NULL,
                             "no channel has this app key");
        }

    } else {
        found = channel_by_host(set, &r->headers_in.server);

        if (found == NULL) {
            found = channel_by_path(set, &r->uri);
        }
    }

    if (found == NULL) {
        return PODI_DECLINED;
    }

    *ret_channel = &found->pub;

    return PODI_OK;
}


static podi_rc_t
channel_key(ngx_http_request_t *r,
    const ngx_http_podi_channel_main_conf_t *cmcf, podi_str_t *ret_key,
    podi_fail_t *fail)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash != cmcf->header_hash
                || h[i].key.len != cmcf->header_lc.len
                || ngx_strncmp(h[i].lowcase_key, cmcf->header_lc.data,
                               cmcf->header_lc.len)
                   != 0)
            {
                continue;
            }

            if (ret_key->data != NULL) {
                return podi_fail(fail, PODI_E_BAD_REQUEST,
                                 (char *) cmcf->header.data,
                                 "the header comes twice");
            }

            ret_key->data = h[i].value.data;
            ret_key->len = h[i].value.len;
        }
    }

    return PODI_OK;
}


static ngx_http_podi_channel_t *
channel_by_key(const ngx_http_podi_channel_set_t *set, const podi_str_t *key)
{
    u_char                    digest[PODI_SHA256_LEN];
    ngx_uint_t                i, j;
    ngx_http_podi_digest_t   *known;
    ngx_http_podi_channel_t  *found;

    if (podi_sha256(key, digest) != PODI_OK) {
        return NULL;
    }

    found = NULL;

    for (i = 0; i < set->n; i++) {

        if (set->channels[i]->keys == NULL) {
            continue;
        }

        known = set->channels[i]->keys->elts;

        for (j = 0; j < set->channels[i]->keys->nelts; j++) {
            if (CRYPTO_memcmp(digest, known[j].bytes, PODI_SHA256_LEN) == 0
                && found == NULL)
            {
                found = set->channels[i];
            }
        }
    }

    return found;
}


/* nginx has checked the host, made it lower case, and taken port and dot off */

static ngx_http_podi_channel_t *
channel_by_host(const ngx_http_podi_channel_set_t *set, const ngx_str_t *host)
{
    size_t                    len, best;
    ngx_str_t                *known;
    ngx_uint_t                i, j;
    ngx_http_podi_channel_t  *found;

    found = NULL;
    best = 0;

    for (i = 0; i < set->n; i++) {

        if (set->channels[i]->hosts == NULL) {
            continue;
        }

        known = set->channels[i]->hosts->elts;

        for (j = 0; j < set->channels[i]->hosts->nelts; j++) {
            len = channel_host_fits(&known[j], host);

            if (len > best) {
                best = len;
                found = set->channels[i];
            }
        }
    }

    return found;
}


/* how much of it: a whole name counts more than any suffix; 0: not at all */

static size_t
channel_host_fits(const ngx_str_t *known, const ngx_str_t *host)
{
    if (host->len == known->len
        && ngx_memcmp(host->data, known->data, known->len) == 0)
    {
        return host->len + 1;
    }

    if (known->data[0] == '.' && host->len > known->len
        && ngx_memcmp(host->data + host->len - known->len, known->data,
                      known->len)
           == 0)
    {
        return known->len;
    }

    return 0;
}


static ngx_http_podi_channel_t *
channel_by_path(const ngx_http_podi_channel_set_t *set, const ngx_str_t *uri)
{
    size_t                    best;
    ngx_str_t                *known;
    ngx_uint_t                i, j;
    ngx_http_podi_channel_t  *found;

    found = NULL;
    best = 0;

    for (i = 0; i < set->n; i++) {

        if (set->channels[i]->paths == NULL) {
            continue;
        }

        known = set->channels[i]->paths->elts;

        for (j = 0; j < set->channels[i]->paths->nelts; j++) {
            if (known[j].len > best && channel_path_fits(&known[j], uri)) {
                best = known[j].len;
                found = set->channels[i];
            }
        }
    }

    return found;
}


/* /partner fits /partner and /partner/x, and not /partners */

static ngx_uint_t
channel_path_fits(const ngx_str_t *path, const ngx_str_t *uri)
{
    return uri->len >= path->len
           && ngx_memcmp(uri->data, path->data, path->len) == 0
           && (uri->len == path->len || path->data[path->len - 1] == '/'
               || uri->data[path->len] == '/');
}


const ngx_podi_channel_t *
ngx_http_podi_channel_named(const ngx_http_podi_channel_set_t *set,
    const podi_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < set->n; i++) {
        if (podi_str_eq(&set->channels[i]->pub.name, name)) {
            return &set->channels[i]->pub;
        }
    }

    return NULL;
}
