/*
 * The token that a request carries, or carried until podi_auth_strip took it
 * out: it counts only where this location would have looked for it.
 *
 *     Authorization: Bearer <token>      any method
 *     another header, the query          any method, where configured
 *     X-Api-Key: <key>                   any method
 *     Cookie: __Host-podi_s=<token>      GET and HEAD; where podi_csrf guards,
 *                                        any method
 *
 * Who sends two different tokens is refused: this gateway might take one and
 * an upstream the other.  A cookie is sent by the browser, not by the page, so
 * it may be of another age than the page's token when both speak for the same
 * session; then the page's counts.
 */

#include "ngx_http_podi_auth.h"


/* of each source that is a cookie, at its index; NULL data: it did not come */
typedef podi_str_t  credential_cookies_t[NGX_HTTP_PODI_SOURCES_MAX];


static podi_rc_t credential_headers(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, credential_cookies_t cookies,
    podi_fail_t *fail);
static podi_rc_t credential_header(const ngx_table_elt_t *h,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);
static podi_rc_t credential_query(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);
static podi_rc_t credential_scan(const ngx_str_t *text,
    const ngx_http_podi_auth_ctx_t *ctx, credential_cookies_t cookies,
    podi_fail_t *fail);
static podi_rc_t credential_cookie(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, credential_cookies_t cookies,
    podi_fail_t *fail);
static podi_rc_t credential_beside(ngx_http_podi_auth_ctx_t *ctx,
    const podi_str_t *token, podi_fail_t *fail);
static podi_rc_t credential_take(ngx_http_podi_auth_ctx_t *ctx,
    podi_str_t *token, ngx_podi_credential_e credential, podi_fail_t *fail);
static ngx_uint_t credential_may_be_cookie(ngx_http_request_t *r);
static ngx_uint_t credential_same_session(const podi_str_t *a,
    const podi_str_t *b, podi_mem_t *mem);
static podi_str_t credential_bearer(const ngx_str_t *value);


podi_rc_t
ngx_http_podi_auth_credential(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail)
{
    credential_cookies_t  cookies;

    ngx_memzero(cookies, sizeof(credential_cookies_t));

    if (credential_headers(r, ctx, cookies, fail) != PODI_OK
        || credential_query(r, ctx, fail) != PODI_OK
        || credential_cookie(r, ctx, cookies, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return (ctx->token.len == 0) ? PODI_DECLINED : PODI_OK;
}


/* HTTP/2 clients may send a Cookie header for each cookie */

static podi_rc_t
credential_headers(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    credential_cookies_t cookies, podi_fail_t *fail)
{
    podi_rc_t         rc;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].lowcase_key == NULL) {
                continue;
            }

            rc = (h[i].key.len == 6
                  && ngx_strncmp(h[i].lowcase_key, "cookie", 6) == 0)
                 ? credential_scan(&h[i].value, ctx, cookies, fail)
                 : credential_header(&h[i], ctx, fail);

            if (rc != PODI_OK) {
                return PODI_ERROR;
            }
        }
    }

    h = (ctx->kept == NULL) ? NULL : ctx->kept->elts;

    for (i = 0; h != NULL && i < ctx->kept->nelts; i++) {
        if (credential_header(&h[i], ctx, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return credential_scan(&ctx->kept_cookies, ctx, cookies, fail);
}


static podi_rc_t
credential_header(const ngx_table_elt_t *h, ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail)
{
    ngx_uint_t                     i;
    podi_str_t                     token;
    ngx_podi_credential_e          credential;
    const ngx_http_podi_source_t  *source = ctx->conf->sources->elts;

    for (i = 0; i < ctx->conf->sources->nelts; i++, source++) {

        if (source->name.len != h->key.len
            || source->kind == NGX_HTTP_PODI_SOURCE_COOKIE
            || source->kind == NGX_HTTP_PODI_SOURCE_QUERY
            || ngx_strncmp(source->name.data, h->lowcase_key, h->key.len)
               != 0)
        {
            continue;
        }

        credential = NGX_PODI_CREDENTIAL_HEADER;
        token = credential_bearer(&h->value);

        if (token.data == NULL
            && source->kind != NGX_HTTP_PODI_SOURCE_BEARER)
        {
            token.data = h->value.data;
            token.len = h->value.len;
        }

        if (source->kind == NGX_HTTP_PODI_SOURCE_API_KEY) {
            credential = NGX_PODI_CREDENTIAL_API_KEY;
        }

        return credential_take(ctx, &token, credential, fail);
    }

    return PODI_OK;
}


/* NULL data: another scheme is somebody else's: auth_basic's, an upstream's */

static podi_str_t
credential_bearer(const ngx_str_t *value)
{
    podi_str_t  token = podi_null_str;

    if (value->len < 7
        || (ngx_memcmp(value->data, "Bearer ", 7) != 0
            && ngx_strncasecmp(value->data, (u_char *) "Bearer ", 7) != 0))
    {
        return token;
    }

    token.data = value->data + 7;
    token.len = value->len - 7;

    while (token.len != 0 && token.data[0] == ' ') {
        token.data++;
        token.len--;
    }

    return token;
}


/*
 * The one place that says what a token is.  A key is a program's: in a cookie
 * it would pass for a browser's session.
 */

static podi_rc_t
credential_take(ngx_http_podi_auth_ctx_t *ctx, podi_str_t *token,
    ngx_podi_credential_e credential, podi_fail_t *fail)
{
    if (token->len == 0) {
        return PODI_OK;
    }

    if (ctx->token.len != 0 && !podi_str_eq(&ctx->token, token)) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                         "two different tokens");
    }

    ctx->credential = credential;

    if (ngx_podi_is_api_key(token)) {

        if (credential == NGX_PODI_CREDENTIAL_COOKIE) {
            return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                             "an API key in a cookie");
        }

        ctx->credential = NGX_PODI_CREDENTIAL_API_KEY;
    }

    ctx->token = *token;

    return PODI_OK;
}


static podi_rc_t
credential_query(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail)
{
    podi_str_t                     token, kept;
    ngx_uint_t                     i;
    const ngx_http_podi_source_t  *source = ctx->conf->sources->elts;

    if (r->args.len == 0 && ctx->kept_args.len == 0) {
        return PODI_OK;
    }

    for (i = 0; i < ctx->conf->sources->nelts; i++, source++) {

        if (source->kind != NGX_HTTP_PODI_SOURCE_QUERY) {
            continue;
        }

        if (ngx_podi_query_in(r, &r->args, (char *) source->name.data, &token,
                              fail)
            != PODI_OK
            || ngx_podi_query_in(r, &ctx->kept_args,
                                 (char *) source->name.data, &kept, fail)
               != PODI_OK)
        {
            return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                             "a token in the query that comes twice, or "
                             "cannot be read");
        }

        if (credential_take(ctx, &token, NGX_PODI_CREDENTIAL_QUERY, fail)
            != PODI_OK
            || credential_take(ctx, &kept, NGX_PODI_CREDENTIAL_QUERY, fail)
               != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
credential_scan(const ngx_str_t *text, const ngx_http_podi_auth_ctx_t *ctx,
    credential_cookies_t cookies, podi_fail_t *fail)
{
    ngx_uint_t                     i;
    const ngx_http_podi_source_t  *source = ctx->conf->sources->elts;

    for (i = 0; i < ctx->conf->sources->nelts; i++) {

        if (source[i].kind == NGX_HTTP_PODI_SOURCE_COOKIE
            && ngx_podi_cookie_in(text, (char *) source[i].name.data,
                                  &cookies[i], fail)
               != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
credential_cookie(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    credential_cookies_t cookies, podi_fail_t *fail)
{
    podi_rc_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < ctx->conf->sources->nelts; i++) {

        if (cookies[i].len == 0 || podi_str_eq(&cookies[i], &ctx->token)) {
            continue;
        }

        if (ctx->token.len != 0) {
            rc = credential_beside(ctx, &cookies[i], fail);

        } else if (credential_may_be_cookie(r)) {
            rc = credential_take(ctx, &cookies[i], NGX_PODI_CREDENTIAL_COOKIE,
                                 fail);
        } else {
            rc = PODI_OK;
        }

        if (rc != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* compared later: who has failed too often is not even decoded */

static podi_rc_t
credential_beside(ngx_http_podi_auth_ctx_t *ctx, const podi_str_t *token,
    podi_fail_t *fail)
{
    if (ctx->beside.len != 0 && !podi_str_eq(&ctx->beside, token)) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                         "three different tokens");
    }

    ctx->beside = *token;

    return PODI_OK;
}


/*
 * Another site can make a browser send a cookie, so by itself it is no
 * permission to change anything: the guard module's checks are.
 */

static ngx_uint_t
credential_may_be_cookie(ngx_http_request_t *r)
{
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    return (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
           || plcf->csrf != NGX_PODI_CSRF_OFF;
}


/*
 * By what both say of themselves: nothing is believed because of it, and a lie
 * gets in no further than the token that counts.
 */

podi_rc_t
ngx_http_podi_auth_beside(const ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail)
{
    ngx_uint_t     same;
    podi_arena_t  *arena;

    if (ctx->beside.len == 0) {
        return PODI_OK;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    same = ngx_max(ctx->token.len, ctx->beside.len)
           <= ctx->conf->policy->token_max
           && credential_same_session(&ctx->token, &ctx->beside,
                                      podi_arena_mem(arena));

    podi_arena_free(&arena);

    return same ? PODI_OK
                : podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                            "two different tokens");
}


static ngx_uint_t
credential_same_session(const podi_str_t *a, const podi_str_t *b,
    podi_mem_t *mem)
{
    ngx_uint_t           i, same;
    podi_str_t           left, right;
    const json_t        *x, *y;
    static const char   *names[] = { "iss", "sub", "sid" };

    left = ngx_http_podi_auth_payload(a);
    right = ngx_http_podi_auth_payload(b);

    x = ngx_http_podi_auth_claims(&left, mem);
    y = ngx_http_podi_auth_claims(&right, mem);

    same = x != NULL && y != NULL;

    for (i = 0; i < 3 && same; i++) {
        same = json_is_string(json_object_get(x, names[i]))
               && json_equal(json_object_get(x, names[i]),
                             json_object_get(y, names[i]));
    }

    return same;
}
