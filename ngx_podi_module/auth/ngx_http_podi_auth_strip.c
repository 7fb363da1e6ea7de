/*
 * `podi_auth_strip`: the token is for us, not for the upstream.
 *
 *     Authorization: Bearer, named headers   leave the list
 *     Cookie: a=b; token=x; c=d              a=b; c=d
 *     ?token=x&c=d                           ?c=d
 *
 * In PRECONTENT, because with `satisfy any` the ACCESS phase may end before
 * anybody looked for a token.  What is taken out is kept: after a redirect
 * another location may ask for it.
 */

#include "ngx_http_podi_auth.h"


static ngx_uint_t strip_is_token(const ngx_table_elt_t *h, void *data);
static ngx_int_t strip_cookies(ngx_http_request_t *r,
    const ngx_http_podi_source_t *source);
static ngx_int_t strip_query(ngx_http_request_t *r,
    const ngx_http_podi_source_t *source);
static ngx_int_t strip_parts(ngx_pool_t *pool, ngx_str_t *text,
    u_char separator, const ngx_str_t *name);


ngx_int_t
ngx_http_podi_auth_strip_handler(ngx_http_request_t *r)
{
    ngx_uint_t                            i;
    ngx_podi_request_t                   *pr;
    const ngx_http_podi_source_t         *source;
    const ngx_http_podi_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_auth_module);

    if (!alcf->strip || alcf->mode == NGX_HTTP_PODI_AUTH_OFF || r != r->main)
    {
        return NGX_DECLINED;
    }

    source = alcf->sources->elts;

    for (i = 0; i < alcf->sources->nelts; i++) {

        if (strip_cookies(r, &source[i]) != NGX_OK
            || strip_query(r, &source[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    pr = ngx_podi_request(r);

    if (pr == NULL || ngx_podi_unlink(r, strip_is_token, (void *) alcf)
                      != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (pr->auth != NULL) {
        pr->auth->stripped = 1;
    }

    return NGX_DECLINED;
}


/* a Basic scheme stays, being another's; so do cookies, if any are left */

static ngx_uint_t
strip_is_token(const ngx_table_elt_t *h, void *data)
{
    ngx_uint_t                            i;
    const ngx_http_podi_source_t         *source;
    const ngx_http_podi_auth_loc_conf_t  *alcf = data;

    if (h->key.len == 6 && h->value.len == 0
        && ngx_strncasecmp(h->key.data, (u_char *) "cookie", 6) == 0)
    {
        return 1;
    }

    source = alcf->sources->elts;

    for (i = 0; i < alcf->sources->nelts; i++) {

        if (source[i].kind == NGX_HTTP_PODI_SOURCE_COOKIE
            || source[i].kind == NGX_HTTP_PODI_SOURCE_QUERY
            || h->lowcase_key == NULL || h->key.len != source[i].name.len
            || ngx_strncmp(h->lowcase_key, source[i].name.data, h->key.len)
               != 0)
        {
            continue;
        }

        if (source[i].kind != NGX_HTTP_PODI_SOURCE_BEARER
            || (h->value.len >= 6
                && ngx_strncasecmp(h->value.data, (u_char *) "Bearer", 6)
                   == 0))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
strip_cookies(ngx_http_request_t *r, const ngx_http_podi_source_t *source)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (source->kind != NGX_HTTP_PODI_SOURCE_COOKIE) {
        return NGX_OK;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == 6
                && ngx_strncasecmp(h[i].key.data, (u_char *) "cookie", 6) == 0
                && strip_parts(r->pool, &h[i].value, ';', &source->name)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* proxy_pass must make the URI anew, and not take the one that came */

static ngx_int_t
strip_query(ngx_http_request_t *r, const ngx_http_podi_source_t *source)
{
    size_t  len;

    if (source->kind != NGX_HTTP_PODI_SOURCE_QUERY || r->args.len == 0) {
        return NGX_OK;
    }

    len = r->args.len;

    if (strip_parts(r->pool, &r->args, '&', &source->name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->args.len != len) {
        r->valid_unparsed_uri = 0;
    }

    return NGX_OK;
}


/* "a=b; name=x; c=d" without the part of that name */

static ngx_int_t
strip_parts(ngx_pool_t *pool, ngx_str_t *text, u_char separator,
    const ngx_str_t *name)
{
    u_char      *p, *dst;
    podi_str_t   rest, part, value, key;

    dst = ngx_pnalloc(pool, text->len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    p = dst;
    rest.data = text->data;
    rest.len = text->len;

    while (podi_str_split(&rest, separator, &part)) {

        value = part;

        while (value.len != 0 && value.data[0] == ' ') {
            value.data++;
            value.len--;
        }

        if (p == dst && separator == ';') {
            part = value;
        }

        (void) podi_str_split(&value, '=', &key);

        if (key.len == name->len
            && ngx_strncmp(key.data, name->data, key.len) == 0)
        {
            continue;
        }

        if (p != dst) {
            *p++ = separator;
        }

        p = ngx_cpymem(p, part.data, part.len);
    }

    *p = '\0';

    text->data = dst;
    text->len = p - dst;

    return NGX_OK;
}
