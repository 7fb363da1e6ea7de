/*
 * What the verbs of things with names have in common.
 */

#include "ngx_http_podi_admin.h"


static ngx_uint_t ngx_http_podi_admin_is_name(const podi_str_t *s);


ngx_int_t
ngx_http_podi_admin_flow(ngx_http_request_t *r, const podi_str_t *args,
    unsigned n, const podi_step_t *steps)
{
    podi_fail_t             fail;
    ngx_http_podi_admin_t  *a;

    if (!ngx_http_podi_admin_is_name(&args[0])) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no name");
        return ngx_podi_reply_fail(r, &fail);
    }

    a = ngx_pcalloc(r->pool, sizeof(ngx_http_podi_admin_t));
    if (a == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    a->request = r;
    a->name = args[0];

    if (n > 1) {
        a->part = args[1];
    }

    return ngx_podi_flow_content(r, steps, a);
}


static ngx_uint_t
ngx_http_podi_admin_is_name(const podi_str_t *s)
{
    size_t  i;
    u_char  c;

    if (s->len == 0 || s->len > ADMIN_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
              || c == '.' || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return 1;
}


podi_rc_t
ngx_http_podi_admin_read_body(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_admin_t  *a = ctx;

    return ngx_podi_read_body(f, a->request, ADMIN_BODY_MAX);
}


podi_rc_t
ngx_http_podi_admin_parse(podi_flow_t *f, void *ctx)
{
    json_t                 *body;
    ngx_http_podi_admin_t  *a = ctx;

    if (ngx_podi_body_json(f, a->request, &body) != PODI_OK) {
        return PODI_ERROR;
    }

    a->body = ngx_podi_body(a->request);

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_admin_call(podi_flow_t *f, ngx_http_podi_admin_t *a,
    podi_sql_e sql, const podi_str_t *text)
{
    podi_pg_call_t  call;

    ngx_podi_pg_init(a->request, &call, sql);
    podi_arg_str(&call, &a->name);

    if (text != NULL) {
        podi_arg_str(&call, text);
    }

    return ngx_podi_pg_call(f, a->request, &call);
}


podi_rc_t
ngx_http_podi_admin_reply(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_admin_t  *a = ctx;

    return ngx_podi_reply_row(f, a->request, NGX_HTTP_OK, f->result, NULL);
}
