/*
 * ngx_podi_reply_fail: a failure as application/problem+json, in the language
 * of the caller, with the headers that its status calls for.
 */

#include "ngx_podi_core.h"
#include "podi_problem.h"


static ngx_uint_t ngx_podi_fail_is_passing(const podi_fail_t *fail);
static ngx_int_t ngx_podi_fail_headers(ngx_http_request_t *r,
    const podi_fail_t *fail);
static const char *ngx_podi_challenge_error(podi_error_e error);
static ngx_int_t ngx_podi_fail_allow(ngx_http_request_t *r);


ngx_int_t
ngx_podi_reply_fail(ngx_http_request_t *r, const podi_fail_t *fail)
{
    podi_str_t           accept, body, lang;
    podi_fail_t          said;
    podi_lang_e          language;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pr->error = fail->error;
    said = *fail;

    if (ngx_podi_fail_is_passing(&said) && said.retry_after == 0) {
        said.retry_after = 1;
    }

    accept = ngx_podi_header(r, "accept-language");
    language = podi_lang_pick(&accept);
    lang = podi_str_c(podi_lang_name(language));

    if (podi_problem(&said, language, &pr->pub.trace_id, &pr->mem, &body)
        != PODI_OK
        || ngx_podi_header_add(r, "Content-Language", &lang) != PODI_OK
        || ngx_podi_fail_headers(r, &said) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, podi_error(fail->error)->http,
                         "application/problem+json", &body);
}


/* header and body tell the client when to come back */

static ngx_uint_t
ngx_podi_fail_is_passing(const podi_fail_t *fail)
{
    ngx_uint_t  status = podi_error(fail->error)->http;

    return status == NGX_HTTP_TOO_MANY_REQUESTS
           || status == NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_podi_fail_headers(ngx_http_request_t *r, const podi_fail_t *fail)
{
    podi_str_t           text, none = podi_null_str;
    ngx_podi_request_t  *pr = ngx_podi_request(r);

    switch (podi_error(fail->error)->http) {

    case NGX_HTTP_UNAUTHORIZED:
        return (ngx_podi_challenge(r, fail, &none) == NGX_HTTP_UNAUTHORIZED)
               ? NGX_OK : NGX_ERROR;

    case NGX_HTTP_NOT_ALLOWED:
        return ngx_podi_fail_allow(r);

    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_SERVICE_UNAVAILABLE:

        if (podi_mem_printf(&pr->mem, &text, "%u", fail->retry_after)
            != PODI_OK)
        {
            return NGX_ERROR;
        }

        return ngx_podi_header_add(r, "Retry-After", &text);

    default:
        return NGX_OK;
    }
}


/*
 * RFC 6750: error codes only when there was a token.  The typed pointer is
 * set, because with `satisfy any` nginx takes the header back.
 */

ngx_int_t
ngx_podi_challenge(ngx_http_request_t *r, const podi_fail_t *fail,
    const podi_str_t *scope)
{
    podi_buf_t            b;
    podi_str_t            text;
    const char           *more;
    ngx_table_elt_t      *h;
    ngx_podi_loc_conf_t  *plcf;
    ngx_podi_request_t   *pr = ngx_podi_request(r);

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
    more = ngx_podi_challenge_error(fail->error);

    podi_buf_init(&b, &pr->mem);
    podi_buf_add(&b, plcf->challenge.data, plcf->challenge.len);

    if (more != NULL) {
        podi_buf_printf(&b, ", error=%s", more);
    }

    if (scope->len != 0) {
        podi_buf_printf(&b, ", scope=\"" PODI_STR_FMT "\"",
                        podi_str_arg(scope));
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    ngx_str_set(&h->key, "WWW-Authenticate");
    h->value.len = text.len;
    h->value.data = text.data;
    h->hash = 1;

    r->headers_out.www_authenticate = h;

    return podi_error(fail->error)->http;
}


static const char *
ngx_podi_challenge_error(podi_error_e error)
{
    switch (error) {

    case PODI_E_BAD_REQUEST:
        return "\"invalid_request\"";

    case PODI_E_FORBIDDEN:
        return "\"insufficient_scope\"";

    case PODI_E_TOKEN_INVALID:
        return "\"invalid_token\", "
               "error_description=\"The token is not valid\"";

    case PODI_E_TOKEN_EXPIRED:
        return "\"invalid_token\", "
               "error_description=\"The token has expired\"";

    case PODI_E_TOKEN_REVOKED:
        return "\"invalid_token\", "
               "error_description=\"The session has ended\"";

    default:
        return NULL;
    }
}


static ngx_int_t
ngx_podi_fail_allow(ngx_http_request_t *r)
{
    podi_buf_t           b;
    podi_str_t           text;
    ngx_podi_request_t  *pr = ngx_podi_request(r);

    podi_buf_init(&b, &pr->mem);

    if (pr->allowed & NGX_HTTP_GET) {
        podi_buf_add_c(&b, ", GET, HEAD");
    }

    if (pr->allowed & NGX_HTTP_POST) {
        podi_buf_add_c(&b, ", POST");
    }

    if (pr->allowed & NGX_HTTP_PUT) {
        podi_buf_add_c(&b, ", PUT");
    }

    if (pr->allowed & NGX_HTTP_PATCH) {
        podi_buf_add_c(&b, ", PATCH");
    }

    if (pr->allowed & NGX_HTTP_DELETE) {
        podi_buf_add_c(&b, ", DELETE");
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return NGX_ERROR;
    }

    if (text.len > 2) {
        text.data += 2;
        text.len -= 2;
    }

    return ngx_podi_header_add(r, "Allow", &text);
}
