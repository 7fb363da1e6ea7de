/*
 * guard: the headers by which a browser takes care of its user.
 *
 * On each answer of the main request, errors of nginx too.  What an upstream
 * says itself stays, because it knows its pages better.
 */

#include "ngx_http_podi_guard.h"


typedef struct {
    ngx_str_t    name;
    size_t       offset;            /* in ngx_http_podi_security_t */
} guard_security_t;

#define SECURITY_HEADERS  5


static ngx_int_t guard_security_filter(ngx_http_request_t *r);
static ngx_uint_t guard_security_said(ngx_http_request_t *r);
static ngx_uint_t guard_security_is(const ngx_table_elt_t *h);
static const ngx_str_t *guard_security_value(ngx_http_request_t *r,
    ngx_http_podi_security_t *security, ngx_uint_t i);
static ngx_uint_t guard_security_is_tls(ngx_http_request_t *r);


static ngx_str_t  guard_security_nosniff = ngx_string("nosniff");

static const guard_security_t  guard_security[SECURITY_HEADERS] = {
    { ngx_string("X-Content-Type-Options"), 0 },
    { ngx_string("X-Frame-Options"),
      offsetof(ngx_http_podi_security_t, frame) },
    { ngx_string("Referrer-Policy"),
      offsetof(ngx_http_podi_security_t, referrer) },
    { ngx_string("Content-Security-Policy"),
      offsetof(ngx_http_podi_security_t, csp) },
    { ngx_string("Strict-Transport-Security"),
      offsetof(ngx_http_podi_security_t, hsts) }
};

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


void
ngx_http_podi_guard_security_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = guard_security_filter;
}


static ngx_int_t
guard_security_filter(ngx_http_request_t *r)
{
    ngx_uint_t                       i, said;
    const ngx_str_t                 *value;
    ngx_table_elt_t                 *h;
    ngx_http_podi_guard_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_guard_module);

    if (glcf->security == NULL || glcf->security_off || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    said = guard_security_said(r);

    for (i = 0; i < SECURITY_HEADERS; i++) {

        value = guard_security_value(r, glcf->security, i);

        if (value->len == 0 || (said & (1u << i))) {
            continue;
        }

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = 1;
        h->key = guard_security[i].name;
        h->value = *value;
    }

    return ngx_http_next_header_filter(r);
}


/* a bit for each that the answer has already, all in one look */

static ngx_uint_t
guard_security_said(ngx_http_request_t *r)
{
    ngx_uint_t        i, said;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    said = 0;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash != 0 && h[i].key.len >= 15 && h[i].key.len <= 25) {
                said |= guard_security_is(&h[i]);
            }
        }
    }

    return said;
}


static ngx_uint_t
guard_security_is(const ngx_table_elt_t *h)
{
    ngx_uint_t        i;
    const ngx_str_t  *name;

    for (i = 0; i < SECURITY_HEADERS; i++) {
        name = &guard_security[i].name;

        if (h->key.len == name->len
            && ngx_strncasecmp(h->key.data, name->data, name->len) == 0)
        {
            return 1u << i;
        }
    }

    return 0;
}


static const ngx_str_t *
guard_security_value(ngx_http_request_t *r,
    ngx_http_podi_security_t *security, ngx_uint_t i)
{
    ngx_str_t         *value;
    static ngx_str_t   nothing = ngx_null_string;

    if (i == 0) {
        return &guard_security_nosniff;
    }

    value = (ngx_str_t *) (void *) ((u_char *) security
                                    + guard_security[i].offset);

    return (value == &security->hsts && !guard_security_is_tls(r)) ? &nothing
                                                                   : value;
}


static ngx_uint_t
guard_security_is_tls(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    return r->connection->ssl != NULL;
#else
    return 0;
#endif
}
