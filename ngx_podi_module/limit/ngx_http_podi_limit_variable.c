/*
 * What the log is told: $podi_limit_status as $limit_req_status of nginx, and
 * the limit that binds.
 */

#include "ngx_http_podi_limit.h"


static ngx_int_t limit_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t limit_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t limit_left(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t limit_mode(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static const ngx_podi_decision_t *limit_decision(ngx_http_request_t *r);
static void limit_found(ngx_http_variable_value_t *v, const void *data,
    size_t len);


static ngx_http_variable_t  limit_variables[] = {

    { ngx_string("podi_limit_status"), NULL, limit_status, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_limit"), NULL, limit_name, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_limit_left"), NULL, limit_left, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_limit_mode"), NULL, limit_mode, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};

static const char *const  limit_statuses[] = {
    NULL, "PASSED", "REJECTED_DRY_RUN", "REJECTED"
};

static const char *const  limit_modes[] = {
    "local", "exact", "leased", "cached", "degraded"
};


ngx_int_t
ngx_http_podi_limit_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = limit_variables; v->name.len != 0; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


void
ngx_http_podi_limit_binds(ngx_podi_decision_t *d,
    const ngx_http_podi_limit_set_t *set, ngx_uint_t i)
{
    const ngx_http_podi_limit_item_t  *item = &set->items[i];

    d->limit.data = item->use->zone->bucket->name.data;
    d->limit.len = item->use->zone->bucket->name.len;
    d->left = item->answer.left;
    d->mode = limit_modes[item->mode];
}


static ngx_int_t
limit_status(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const char          *text;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);
    text = (pr == NULL) ? NULL : limit_statuses[pr->limited];

    limit_found(v, text, (text == NULL) ? 0 : ngx_strlen(text));

    return NGX_OK;
}


static ngx_int_t
limit_name(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const ngx_podi_decision_t  *d;

    d = limit_decision(r);

    limit_found(v, (d == NULL) ? NULL : d->limit.data,
                (d == NULL) ? 0 : d->limit.len);

    return NGX_OK;
}


static ngx_int_t
limit_left(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                     *p;
    const ngx_podi_decision_t  *d;

    d = limit_decision(r);

    if (d == NULL) {
        limit_found(v, NULL, 0);
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    limit_found(v, p, ngx_sprintf(p, "%L", d->left) - p);

    return NGX_OK;
}


static ngx_int_t
limit_mode(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const ngx_podi_decision_t  *d;

    d = limit_decision(r);

    limit_found(v, (d == NULL) ? NULL : d->mode,
                (d == NULL) ? 0 : ngx_strlen(d->mode));

    return NGX_OK;
}


/* NULL: no limit has shown what is left */

static const ngx_podi_decision_t *
limit_decision(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    return (pr == NULL || pr->pub.decision.mode == NULL)
           ? NULL : &pr->pub.decision;
}


static void
limit_found(ngx_http_variable_value_t *v, const void *data, size_t len)
{
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (data == NULL);
    v->data = (u_char *) data;
    v->len = (unsigned) len;
}
