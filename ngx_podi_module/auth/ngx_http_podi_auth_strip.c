/*
 * `podi_auth_strip`: the token is for us, not for the upstream.
 *
 *     Authorization: Bearer, named headers   leave the list
 *     Cookie: a=b; token=x; c=d              a=b; c=d
 *     ?token=x&c=d                           ?c=d
 *
 * In PRECONTENT, because with `satisfy any` the ACCESS phase may end before
 * anybody looked for a token.  What is taken out is kept as it came: after a
 * redirect another location looks for it there as if it were still in place.
 */

#include "ngx_http_podi_auth.h"
#include "podi_cookie.h"


static ngx_int_t strip_keep(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, const ngx_http_podi_auth_loc_conf_t *alcf);
static ngx_uint_t strip_is_token(const ngx_table_elt_t *h, void *data);
static ngx_int_t strip_cookies(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, const ngx_http_podi_source_t *source);
static ngx_int_t strip_query(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, const ngx_http_podi_source_t *source);
static ngx_int_t strip_parts(ngx_pool_t *pool, ngx_str_t *text,
    u_char separator, const ngx_str_t *name, ngx_str_t *kept);
static ngx_int_t strip_keep_part(ngx_pool_t *pool, ngx_str_t *kept,
    u_char separator, const podi_str_t *part);


ngx_int_t
ngx_http_podi_auth_strip_handler(ngx_http_request_t *r)
{
    ngx_uint_t                            i;
    ngx_http_podi_auth_ctx_t             *ctx;
    const ngx_http_podi_source_t         *source;
    const ngx_http_podi_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_auth_module);

    if (!alcf->strip || alcf->mode == NGX_HTTP_PODI_AUTH_OFF || r != r->main)
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_podi_auth_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    source = alcf->sources->elts;

    for (i = 0; i < alcf->sources->nelts; i++) {

        if (strip_cookies(r, ctx, &source[i]) != NGX_OK
            || strip_query(r, ctx, &source[i]) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (strip_keep(r, ctx, alcf) != NGX_OK
        || ngx_podi_unlink(r, strip_is_token, (void *) alcf) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* an empty Cookie header goes, but says nothing to anybody */

static ngx_int_t
strip_keep(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    const ngx_http_podi_auth_loc_conf_t *alcf)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *kept;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].value.len == 0 || !strip_is_token(&h[i], (void *) alcf))
            {
                continue;
            }

            if (ctx->kept == NULL) {
                ctx->kept = ngx_array_create(r->pool, 2,
                                             sizeof(ngx_table_elt_t));
            }

            kept = (ctx->kept == NULL) ? NULL : ngx_array_push(ctx->kept);
            if (kept == NULL) {
                return NGX_ERROR;
            }

            *kept = h[i];
        }
    }

    return NGX_OK;
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
strip_cookies(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    const ngx_http_podi_source_t *source)
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
                && strip_parts(r->pool, &h[i].value, ';', &source->name,
                               &ctx->kept_cookies)
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
strip_query(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    const ngx_http_podi_source_t *source)
{
    size_t  len;

    if (source->kind != NGX_HTTP_PODI_SOURCE_QUERY || r->args.len == 0) {
        return NGX_OK;
    }

    len = r->args.len;

    if (strip_parts(r->pool, &r->args, '&', &source->name, &ctx->kept_args)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->args.len != len) {
        r->valid_unparsed_uri = 0;
    }

    return NGX_OK;
}


/* "a=b; name=x; c=d" without the part of that name, which is kept */

static ngx_int_t
strip_parts(ngx_pool_t *pool, ngx_str_t *text, u_char separator,
    const ngx_str_t *name, ngx_str_t *kept)
{
    podi_str_t  whole, part, rest, taken;

    whole.data = text->data;
    whole.len = text->len;
    part.data = name->data;
    part.len = name->len;

    rest.data = ngx_pnalloc(pool, text->len + 1);
    taken.data = ngx_pnalloc(pool, text->len + 1);

    if (rest.data == NULL || taken.data == NULL) {
        return NGX_ERROR;
    }

    podi_cookie_split(&whole, separator, &part, &rest, &taken);

    rest.data[rest.len] = '\0';
    text->data = rest.data;
    text->len = rest.len;

    return strip_keep_part(pool, kept, separator, &taken);
}


static ngx_int_t
strip_keep_part(ngx_pool_t *pool, ngx_str_t *kept, u_char separator,
    const podi_str_t *part)
{
    u_char  *p, *dst;

    if (part->len == 0) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, kept->len + part->len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    p = dst;

    if (kept->len != 0) {
        p = ngx_cpymem(p, kept->data, kept->len);
        *p++ = separator;
    }

    p = ngx_cpymem(p, part->data, part->len);

    kept->data = dst;
    kept->len = p - dst;

    return NGX_OK;
}
