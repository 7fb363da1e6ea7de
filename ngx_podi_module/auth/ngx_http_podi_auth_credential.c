/*
 * The token that a request carries.
 *
 *     Authorization: Bearer <token>      any method
 *     Cookie: __Host-podi_s=<token>      GET and HEAD
 *
 * The header comes first: a page that has just refreshed in another tab may
 * still send an older token of the same session than its cookie.  A cookie
 * is no permission to change anything, because any site can make a browser
 * send it; that needs the guard module's checks.
 */

#include "ngx_http_podi_auth.h"


static podi_rc_t ngx_http_podi_auth_bearer(const ngx_str_t *value,
    podi_str_t *token, podi_fail_t *fail);


podi_rc_t
ngx_http_podi_auth_credential(ngx_http_request_t *r, podi_str_t *ret_token,
    podi_fail_t *fail)
{
    ngx_uint_t        i;
    podi_str_t        token = podi_null_str;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("Authorization") - 1
                && ngx_strncmp(h[i].lowcase_key, "authorization",
                               sizeof("authorization") - 1)
                   == 0
                && ngx_http_podi_auth_bearer(&h[i].value, &token, fail)
                   != PODI_OK)
            {
                return PODI_ERROR;
            }
        }
    }

    if (token.data == NULL && (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        && ngx_podi_cookie(r, NGX_PODI_ACCESS_COOKIE, &token, fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (token.len == 0) {
        return PODI_DECLINED;
    }

    *ret_token = token;

    return PODI_OK;
}


/* another scheme is somebody else's business: auth_basic, an upstream */

static podi_rc_t
ngx_http_podi_auth_bearer(const ngx_str_t *value, podi_str_t *token,
    podi_fail_t *fail)
{
    podi_str_t  found;

    if (value->len < 7
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ", 7) != 0)
    {
        return PODI_OK;
    }

    found.data = value->data + 7;
    found.len = value->len - 7;

    while (found.len != 0 && found.data[0] == ' ') {
        found.data++;
        found.len--;
    }

    if (token->data != NULL && !podi_str_eq(token, &found)) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, "Authorization",
                         "two different tokens");
    }

    *token = found;

    return PODI_OK;
}
