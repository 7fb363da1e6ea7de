/*
 * ngx_podi_param: reads a query string by a route's table.
 *
 *     names known? -> each parameter: find, decode, check, store
 */

#include "ngx_podi_param.h"
#include "podi_assert.h"


#define NGX_PODI_PARAMS_MAX  16


static podi_rc_t ngx_podi_param_read(ngx_http_request_t *r,
    const ngx_podi_param_t *p, void *dst, podi_fail_t *fail);
static podi_rc_t ngx_podi_param_time(const ngx_podi_param_t *p,
    const podi_str_t *value, podi_usec_t *dst, podi_fail_t *fail);
static podi_rc_t ngx_podi_param_id(ngx_http_request_t *r,
    const ngx_podi_param_t *p, const podi_str_t *value, podi_str_t *dst,
    podi_fail_t *fail);
static podi_rc_t ngx_podi_param_word(const ngx_podi_param_t *p,
    const podi_str_t *value, podi_str_t *dst, podi_fail_t *fail);
static podi_rc_t ngx_podi_param_text(const ngx_podi_param_t *p,
    const podi_str_t *value, podi_str_t *dst, podi_fail_t *fail);


podi_rc_t
ngx_podi_params(ngx_http_request_t *r, const ngx_podi_param_t *params,
    void *dst, podi_fail_t *fail)
{
    size_t       n;
    const char  *names[NGX_PODI_PARAMS_MAX + 1];

    for (n = 0; params[n].name != NULL; n++) {
        podi_assert(n < NGX_PODI_PARAMS_MAX);
        names[n] = params[n].name;
    }

    names[n] = NULL;

    if (ngx_podi_query_only(r, names, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    for (n = 0; params[n].name != NULL; n++) {
        if (ngx_podi_param_read(r, &params[n], dst, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_param_read(ngx_http_request_t *r, const ngx_podi_param_t *p,
    void *dst, podi_fail_t *fail)
{
    void        *at;
    podi_str_t   value;

    at = (u_char *) dst + p->offset;

    if (p->type == NGX_PODI_PARAM_INT) {
        return ngx_podi_query_int(r, p->name, p->min, p->max, p->preset, at,
                                  fail);
    }

    if (ngx_podi_query(r, p->name, &value, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (value.data == NULL) {
        return PODI_OK;
    }

    switch (p->type) {

    case NGX_PODI_PARAM_TIME:
        return ngx_podi_param_time(p, &value, at, fail);

    case NGX_PODI_PARAM_ID:
        return ngx_podi_param_id(r, p, &value, at, fail);

    case NGX_PODI_PARAM_WORD:
        return ngx_podi_param_word(p, &value, at, fail);

    default:
        return ngx_podi_param_text(p, &value, at, fail);
    }
}


static podi_rc_t
ngx_podi_param_time(const ngx_podi_param_t *p, const podi_str_t *value,
    podi_usec_t *dst, podi_fail_t *fail)
{
    if (podi_time_parse(value, dst) != PODI_OK) {
        return podi_fail(fail, PODI_E_BAD_FIELD, p->name,
                         "not a time as in 2026-01-31T12:00:00Z");
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_param_id(ngx_http_request_t *r, const ngx_podi_param_t *p,
    const podi_str_t *value, podi_str_t *dst, podi_fail_t *fail)
{
    podi_id_t   id;
    podi_str_t  text;

    if (podi_id_parse(value, &id) != PODI_OK) {
        return podi_fail(fail, PODI_E_BAD_FIELD, p->name, "not a UUID");
    }

    text = podi_id_str(&id);

    if (podi_mem_dup(ngx_podi_mem(r), &text, dst) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_param_word(const ngx_podi_param_t *p, const podi_str_t *value,
    podi_str_t *dst, podi_fail_t *fail)
{
    size_t  i;

    for (i = 0; p->words[i] != NULL; i++) {
        if (podi_str_eq_c(value, p->words[i])) {
            *dst = podi_str_c(p->words[i]);
            return PODI_OK;
        }
    }

    return podi_fail(fail, PODI_E_BAD_FIELD, p->name,
                     "not one of the known words");
}


static podi_rc_t
ngx_podi_param_text(const ngx_podi_param_t *p, const podi_str_t *value,
    podi_str_t *dst, podi_fail_t *fail)
{
    if (value->len < (size_t) p->min || value->len > (size_t) p->max) {
        return podi_fail(fail, PODI_E_BAD_FIELD, p->name,
                         "must have %lld to %lld bytes",
                         (long long) p->min, (long long) p->max);
    }

    if (!podi_str_is_utf8(value)
        || memchr(value->data, '\0', value->len) != NULL)
    {
        return podi_fail(fail, PODI_E_BAD_FIELD, p->name, "not plain UTF-8");
    }

    *dst = *value;

    return PODI_OK;
}


void
ngx_podi_arg_time(podi_pg_call_t *call, podi_usec_t t)
{
    if (t == 0) {
        podi_arg_null(call);
        return;
    }

    podi_arg_time(call, t);
}


void
ngx_podi_arg_param(podi_pg_call_t *call, const podi_str_t *s)
{
    if (s->data == NULL) {
        podi_arg_null(call);
        return;
    }

    podi_arg_str(call, s);
}
