/*
 * podi_auth_login: a person without a good credential is shown where to sign
 * in, and comes back; a program is told 401.
 *
 *     401 -> GET or HEAD of a page, by a browser? -> 302 login?next=/path
 *
 * What a browser loads for a page, or a script asks, is not a person: it would
 * take the login page for its picture or its data.  `next` is a path of this
 * host and never more, so nobody is sent elsewhere by it.
 */

#include "ngx_http_podi_auth.h"


#define AUTH_NEXT_MAX  2048


static ngx_uint_t auth_is_navigation(ngx_http_request_t *r);
static ngx_int_t auth_login_location(ngx_http_request_t *r,
    const ngx_str_t *login, podi_str_t *ret_text);


ngx_int_t
ngx_http_podi_auth_to_login(ngx_http_request_t *r,
    const ngx_http_podi_auth_ctx_t *ctx, const podi_fail_t *fail)
{
    podi_str_t        text;
    const ngx_str_t  *login = &ctx->conf->login;

    if (login->len == 0
        || (ctx->credential != NGX_PODI_CREDENTIAL_NONE
            && ctx->credential != NGX_PODI_CREDENTIAL_COOKIE)
        || !auth_is_navigation(r))
    {
        return NGX_DECLINED;
    }

    /* relative: nginx would write the port that it listens on */

    if (auth_login_location(r, login, &text) != NGX_OK
        || ngx_podi_header_add(r, "Location", &text) != PODI_OK)
    {
        return NGX_DECLINED;
    }

    (void) ngx_podi_refuse_note(r, "auth", fail, 0);

    ngx_http_finalize_request(r, ngx_podi_send(r, NGX_HTTP_MOVED_TEMPORARILY,
                                               NULL, NULL));
    return NGX_DONE;
}


static ngx_uint_t
auth_is_navigation(ngx_http_request_t *r)
{
    podi_str_t  accept, mode;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        || r->headers_in.upgrade != NULL)
    {
        return 0;
    }

    mode = ngx_podi_header(r, "sec-fetch-mode");

    if (mode.len != 0 && !podi_str_eq_c(&mode, "navigate")) {
        return 0;
    }

    accept = ngx_podi_header(r, "accept");

    return accept.len != 0
           && ngx_strlcasestrn(accept.data, accept.data + accept.len,
                               (u_char *) "text/html",
                               sizeof("text/html") - 2)
              != NULL;
}


static ngx_int_t
auth_login_location(ngx_http_request_t *r, const ngx_str_t *login,
    podi_str_t *ret_text)
{
    size_t       len;
    u_char      *p;
    podi_str_t   next;

    next.data = r->unparsed_uri.data;
    next.len = r->unparsed_uri.len;

    if (next.len > AUTH_NEXT_MAX || !ngx_podi_is_path(&next)) {
        next = podi_str_c("/");
    }

    len = login->len + sizeof("?next=") - 1 + next.len
          + 2 * ngx_escape_uri(NULL, next.data, next.len,
                               NGX_ESCAPE_URI_COMPONENT);

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ret_text->data = p;
    ret_text->len = len;

    p = ngx_cpymem(p, login->data, login->len);
    p = ngx_cpymem(p, "?next=", sizeof("?next=") - 1);
    (void) ngx_escape_uri(p, next.data, next.len, NGX_ESCAPE_URI_COMPONENT);

    return NGX_OK;
}


char *
ngx_http_podi_auth_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    podi_str_t                      path;
    ngx_http_podi_auth_loc_conf_t  *alcf = conf;

    if (alcf->login.data != NULL) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&alcf->login, "");
        return NGX_CONF_OK;
    }

    path = podi_str_c((char *) value[1].data);

    if (!ngx_podi_is_path(&path)
        || strpbrk((char *) value[1].data, "?# ") != NULL)
    {
        return "must be a path of this host, such as /login, or off";
    }

    alcf->login = value[1];

    return NGX_CONF_OK;
}
