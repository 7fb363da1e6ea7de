/*
 * The rates of the database: what podi.limit_rate says, put over the limits of
 * nginx.conf.
 *
 *     ngx_podi_overlay -> text -> set -> newest, for requests from here on
 */

#include "ngx_http_podi_limit_rates.h"


static ngx_int_t rates_read(void *data, const podi_str_t *text);


static const ngx_podi_overlay_source_t  rates_source = {
    PODI_SQL_LIMIT_RATES, "rates", "rates", rates_read
};


char *
ngx_http_podi_rates_on(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                             *rv;
    ngx_http_podi_limit_main_conf_t  *lmcf = conf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !lmcf->rates_on) {
        return rv;
    }

    lmcf->zone = ngx_podi_overlay_zone(cf, "podi_limit_rates_3",
                                       &ngx_http_podi_limit_module);

    return (lmcf->zone == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


ngx_int_t
ngx_http_podi_rates_check(ngx_conf_t *cf)
{
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_limit_module);

    return lmcf->rates_on ? ngx_podi_overlay_check(cf, "podi_limit_rates")
                          : NGX_OK;
}


ngx_int_t
ngx_http_podi_rates_start(ngx_cycle_t *cycle)
{
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_limit_module);

    if (lmcf == NULL || !lmcf->rates_on || ngx_podi_worker() == NULL) {
        return NGX_OK;
    }

    lmcf->overlay = ngx_podi_overlay_start(cycle, lmcf->zone, &rates_source,
                                           lmcf);

    return (lmcf->overlay == NULL) ? NGX_ERROR : NGX_OK;
}


void
ngx_http_podi_rates_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_limit_module);

    if (lmcf == NULL) {
        return;
    }

    ngx_podi_overlay_stop(&lmcf->overlay);

    ngx_http_podi_rate_set_free(lmcf->rates);
    lmcf->rates = NULL;
}


static ngx_int_t
rates_read(void *data, const podi_str_t *text)
{
    ngx_http_podi_rate_set_t         *set;
    ngx_http_podi_limit_main_conf_t  *lmcf = data;

    set = ngx_http_podi_rate_set_read(lmcf, text);
    if (set == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_podi_rate_set_free(lmcf->rates);
    lmcf->rates = set;

    return NGX_OK;
}


const ngx_http_podi_rate_set_t *
ngx_http_podi_rates(void)
{
    const ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_limit_module);

    return (lmcf == NULL) ? NULL : lmcf->rates;
}
