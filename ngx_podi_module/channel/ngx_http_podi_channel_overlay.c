/*
 * The overlay: what podi.channel says, put over the channels of nginx.conf.
 *
 *     ngx_podi_overlay -> text -> set -> newest, for requests from here on
 */

#include "ngx_http_podi_channel.h"


static ngx_int_t overlay_read(void *data, const podi_str_t *text);


static const ngx_podi_overlay_source_t  overlay_source = {
    PODI_SQL_CHANNEL_OVERLAY, "channels", "channels", overlay_read
};


ngx_int_t
ngx_http_podi_overlay_start(ngx_cycle_t *cycle)
{
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_channel_module);

    if (cmcf == NULL || !cmcf->overlay_on || ngx_podi_worker() == NULL) {
        return NGX_OK;
    }

    cmcf->overlay = ngx_podi_overlay_start(cycle, cmcf->zone, &overlay_source,
                                           cmcf);

    return (cmcf->overlay == NULL) ? NGX_ERROR : NGX_OK;
}


void
ngx_http_podi_overlay_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_channel_module);

    if (cmcf == NULL) {
        return;
    }

    ngx_podi_overlay_stop(&cmcf->overlay);

    if (cmcf->newest != NULL) {
        ngx_http_podi_channel_set_release(cmcf->newest);
        cmcf->newest = NULL;
    }
}


static ngx_int_t
overlay_read(void *data, const podi_str_t *text)
{
    ngx_http_podi_channel_set_t        *set;
    ngx_http_podi_channel_main_conf_t  *cmcf = data;

    set = ngx_http_podi_channel_set_read(cmcf, text);
    if (set == NULL) {
        return NGX_DECLINED;
    }

    if (cmcf->newest != NULL) {
        ngx_http_podi_channel_set_release(cmcf->newest);
    }

    cmcf->newest = set;

    return NGX_OK;
}
