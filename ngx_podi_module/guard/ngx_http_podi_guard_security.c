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


static ngx_int_t guard_security_filter(ngx_http_request_t *r);
static ngx_uint_t guard_security_has(ngx_http_request_t *r,
    const ngx_str_t *name);
static ngx_uint_t guard_security_is_tls(ngx_http_request_t *r);


static const guard_security_t  guard_security[] = {
    { ngx_string("X-Frame-Options"),
      offsetof(ngx_http_podi_security_t, frame) },
    { ngx_string("Referrer-Policy"),
      offsetof(ngx_http_podi_security_t, referrer) },
    { ngx_string("Content-Security-Policy"),
      offsetof(ngx_http_podi_security_t, csp) },
    { ngx_string("Strict-Transport-Security"),
      offsetof(ngx_http_podi_security_t, hsts) },
    { ngx_null_string, 0 }
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
    char                            *said;
    ngx_str_t                       *value;
    podi_str_t                       nosniff = podi_string("nosniff");
    ngx_str_t                        name;
    const guard_security_t          *s;
    ngx_http_podi_guard_loc_conf_t  *glcf;

    ngx_str_set(&name, "X-Content-Type-Options");

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_guard_module);

    if (glcf->security == NULL || glcf->security_off || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    if (!guard_security_has(r, &name)
        && ngx_podi_header_add(r, (char *) name.data, &nosniff) != PODI_OK)
    {
        return NGX_ERROR;
    }

    said = (char *) glcf->security;

    for (s = guard_security; s->name.len != 0; s++) {

        value = (ngx_str_t *) (void *) (said + s->offset);

        if (value->len == 0 || guard_security_has(r, &s->name)
            || (value == &glcf->security->hsts && !guard_security_is_tls(r)))
        {
            continue;
        }

        if (ngx_podi_header_add(r, (char *) s->name.data,
                                (podi_str_t *) (void *) value)
            != PODI_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_uint_t
guard_security_has(ngx_http_request_t *r, const ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash != 0 && h[i].key.len == name->len
                && ngx_strncasecmp(h[i].key.data, name->data, name->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
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
