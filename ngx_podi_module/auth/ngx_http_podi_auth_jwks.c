/*
 * GET /.well-known/jwks.json: the public halves of podi_token_key_file.
 */

#include "ngx_http_podi_auth.h"


static ngx_int_t ngx_http_podi_auth_jwks_get(ngx_http_request_t *r,
    const podi_str_t *args);
static ngx_int_t ngx_http_podi_auth_jwks_handler(ngx_http_request_t *r);


static const ngx_podi_route_t  ngx_http_podi_auth_routes[] = {
    { NGX_HTTP_GET, "/.well-known/jwks.json", ngx_http_podi_auth_jwks_get,
      NGX_PODI_ANON },
    ngx_podi_null_route
};


char *
ngx_http_podi_auth_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_podi_token_needed(cf);

    return ngx_podi_route_plain(cf, ngx_http_podi_auth_jwks_handler,
                                ngx_http_podi_auth_routes);
}


static ngx_int_t
ngx_http_podi_auth_jwks_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_auth_routes);
}


static ngx_int_t
ngx_http_podi_auth_jwks_get(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_str_t  text, cache = podi_string("public, max-age=300");

    if (ngx_podi_token_jwks(r, &text) != PODI_OK
        || ngx_podi_header_add(r, "Cache-Control", &cache) != PODI_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, NGX_HTTP_OK, "application/jwk-set+json", &text);
}
