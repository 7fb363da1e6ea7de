/*
 * webhook: the token of the URL, out of every log.
 *
 *     /v1/providers/fal/webhook/<token> -> our ctx
 *     /v1/providers/fal/webhook/-------    for everybody else, from here on
 *
 * With some third parties the token is all that makes a call theirs, and the
 * request line stands in the access log and in each line of the error log.
 */

#include "ngx_http_podi_webhook.h"


#define WEBHOOK_BEFORE  "/webhook/"


typedef struct {
    podi_str_t  token;
} webhook_ctx_t;


static void webhook_hide_in(const ngx_str_t *text);


ngx_int_t
ngx_http_podi_webhook_hide(ngx_http_request_t *r)
{
    u_char                                  *p, *last;
    ngx_str_t                                uri;
    webhook_ctx_t                           *ctx;
    const ngx_http_podi_webhook_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_webhook_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_webhook_module);

    if (!wlcf->on || r != r->main || ctx != NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_palloc(r->pool, sizeof(webhook_ctx_t));
    uri.data = ngx_pstrdup(r->pool, &r->uri);

    if (ctx == NULL || uri.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    uri.len = r->uri.len;
    last = uri.data + uri.len;

    for (p = last; p > uri.data && p[-1] != '/'; p--) { /* void */ }

    ctx->token.data = p;
    ctx->token.len = last - p;
    ngx_http_set_ctx(r, ctx, ngx_http_podi_webhook_module);

    /* the path may lie in the request line, or in the configuration */

    r->uri.data = ngx_pstrdup(r->pool, &uri);
    if (r->uri.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memset(r->uri.data + (p - uri.data), '-', ctx->token.len);
    webhook_hide_in(&r->request_line);
    webhook_hide_in(&r->unparsed_uri);

    return NGX_DECLINED;
}


/* as it came: where the words before the token do not show, all goes */

static void
webhook_hide_in(const ngx_str_t *text)
{
    u_char  *p, *last = text->data + text->len;

    if (text->len == 0) {
        return;
    }

    p = ngx_strnstr(text->data, WEBHOOK_BEFORE, text->len);

    if (p != NULL) {
        p += sizeof(WEBHOOK_BEFORE) - 1;

    } else {
        for (p = text->data; p < last && *p != '/'; p++) { /* void */ }
    }

    while (p < last && *p != ' ' && *p != '?') {
        *p++ = '-';
    }
}


podi_str_t
ngx_http_podi_webhook_token(ngx_http_request_t *r)
{
    podi_str_t      none = podi_null_str;
    webhook_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_webhook_module);

    return (ctx == NULL) ? none : ctx->token;
}
