/*
 * guard: may this request of a browser change anything?
 *
 *     Sec-Fetch-Site -> Origin -> podi_csrf_header
 *
 * The first that is there decides.  Only what a browser adds by itself, a
 * cookie, makes the question arise; a WebSocket's handshake is asked as well,
 * because the pages of all sites may open one.  A header that comes twice, or
 * says what no browser says, is taken as the worst that it could be.
 */

#include "ngx_http_podi_guard.h"


typedef enum {
    SITE_ABSENT,
    SITE_SAME,                      /* or none: a person typed it */
    SITE_OTHER
} guard_site_e;


static ngx_uint_t guard_is_unsafe(ngx_http_request_t *r);
static guard_site_e guard_site(ngx_http_request_t *r);
static ngx_uint_t guard_origin_is_ours(ngx_http_request_t *r,
    const podi_str_t *origin);
static ngx_uint_t guard_host_is(ngx_http_request_t *r, const u_char *host,
    size_t len);
static ngx_uint_t guard_header(ngx_http_request_t *r, const char *name,
    podi_str_t *ret_value);


podi_rc_t
ngx_http_podi_guard_csrf(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail)
{
    podi_str_t    origin, own;
    ngx_uint_t    n;
    guard_site_e  site;

    if (ngx_podi_ctx(r)->identity.credential != NGX_PODI_CREDENTIAL_COOKIE
        || !guard_is_unsafe(r))
    {
        return PODI_OK;
    }

    site = guard_site(r);

    if (site == SITE_SAME) {
        return PODI_OK;
    }

    n = guard_header(r, "origin", &origin);

    if (n == 1 && (ngx_podi_origin_is_listed(r, &origin)
                   || (site == SITE_ABSENT
                       && guard_origin_is_ours(r, &origin))))
    {
        return PODI_OK;
    }

    if (n == 0 && site == SITE_ABSENT
        && guard_header(r, (char *) glcf->csrf_header.data, &own) != 0)
    {
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_CSRF_REFUSED,
                     (site == SITE_OTHER) ? "Sec-Fetch-Site" : "Origin",
                     "neither Sec-Fetch-Site nor Origin says that it comes "
                     "from here");
}


static ngx_uint_t
guard_is_unsafe(ngx_http_request_t *r)
{
    return !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS
                          |NGX_HTTP_TRACE))
           || r->headers_in.upgrade != NULL;
}


/* what no specification names is as good as absent: Origin decides */

static guard_site_e
guard_site(ngx_http_request_t *r)
{
    ngx_uint_t  n;
    podi_str_t  value;

    n = guard_header(r, "sec-fetch-site", &value);

    if (n == 0) {
        return SITE_ABSENT;
    }

    if (n > 1 || podi_str_eq_c(&value, "cross-site")
        || podi_str_eq_c(&value, "same-site"))
    {
        return SITE_OTHER;
    }

    return (podi_str_eq_c(&value, "same-origin")
            || podi_str_eq_c(&value, "none"))
           ? SITE_SAME : SITE_ABSENT;
}


/* our scheme, and host and port as the client has asked for them */

static ngx_uint_t
guard_origin_is_ours(ngx_http_request_t *r, const podi_str_t *origin)
{
    size_t       len;
    u_char      *host;
    const char  *scheme, *port;

    scheme = "http://";
    port = ":80";

#if (NGX_HTTP_SSL)
    if (r->connection->ssl != NULL) {
        scheme = "https://";
        port = ":443";
    }
#endif

    if (!podi_str_has_prefix(origin, scheme)) {
        return 0;
    }

    host = origin->data + ngx_strlen(scheme);
    len = origin->len - ngx_strlen(scheme);

    if (guard_host_is(r, host, len)) {
        return 1;
    }

    /* browsers leave the usual port out; others may name it in Host */

    return r->headers_in.host != NULL
           && r->headers_in.host->value.len == len + ngx_strlen(port)
           && ngx_strncmp(r->headers_in.host->value.data + len, port,
                          ngx_strlen(port))
              == 0
           && ngx_strncasecmp(r->headers_in.host->value.data, host, len) == 0;
}


static ngx_uint_t
guard_host_is(ngx_http_request_t *r, const u_char *host, size_t len)
{
    ngx_table_elt_t  *h = r->headers_in.host;

    return h != NULL && len != 0 && h->value.len == len
           && ngx_strncasecmp(h->value.data, (u_char *) host, len) == 0;
}


/* how many there are, and the first one's value; name: any case */

static ngx_uint_t
guard_header(ngx_http_request_t *r, const char *name, podi_str_t *ret_value)
{
    size_t            len;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;
    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == len && h[i].value.len != 0
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0
                && n++ == 0)
            {
                ret_value->data = h[i].value.data;
                ret_value->len = h[i].value.len;
            }
        }
    }

    return n;
}
