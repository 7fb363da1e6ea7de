/*
 * ngx_podi_conf_tenant: slugs of tenants in the configuration, each of them
 * remembered, for those that ask the database for all of them.
 */

#include "ngx_podi_core.h"


char *
ngx_podi_set_tenant(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t            *value;
    ngx_podi_loc_conf_t  *plcf = conf;

    if (plcf->tenant.len != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_podi_conf_tenant(cf, &value[1], &plcf->tenant) != PODI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_tenant\" needs the slug of a tenant: write "
                           "1 to 63 of a-z, 0-9 and \"-\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


podi_rc_t
ngx_podi_conf_tenant(ngx_conf_t *cf, const ngx_str_t *slug,
    podi_str_t *ret_tenant)
{
    u_char      *p, ch;
    ngx_uint_t   i;
    podi_str_t  *known;

    ngx_podi_main_conf_t  *pmcf;

    for (i = 0; i < slug->len; i++) {
        ch = slug->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
              || (ch == '-' && i != 0)))
        {
            return PODI_ERROR;
        }
    }

    if (i == 0 || i > 63) {
        return PODI_ERROR;
    }

    p = ngx_pnalloc(cf->pool, slug->len + 1);
    if (p == NULL) {
        return PODI_ERROR;
    }

    p[0] = '@';
    ngx_memcpy(p + 1, slug->data, slug->len);

    ret_tenant->data = p;
    ret_tenant->len = slug->len + 1;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    known = pmcf->tenants.elts;

    for (i = 0; i < pmcf->tenants.nelts; i++) {
        if (podi_str_eq(&known[i], ret_tenant)) {
            return PODI_OK;
        }
    }

    known = ngx_array_push(&pmcf->tenants);
    if (known == NULL) {
        return PODI_ERROR;
    }

    *known = *ret_tenant;

    return PODI_OK;
}
