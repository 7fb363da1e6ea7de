/*
 * Which channels there are, of the newest set that this worker has, and which
 * of them are closed.
 */

#include "ngx_http_podi_channel.h"


void
ngx_http_podi_channel_metrics(podi_buf_t *b)
{
    ngx_uint_t                          i;
    const ngx_podi_channel_t           *channel;
    ngx_http_podi_channel_set_t        *set;
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_channel_module);
    set = ngx_http_podi_channel_set(cmcf);

    ngx_podi_metric_head(b, "podi_channel_killed", "gauge",
                         "1: nothing comes by this channel");

    for (i = 0; i < set->n; i++) {
        channel = &set->channels[i]->pub;

        podi_buf_printf(b, "podi_channel_killed{channel=\"" PODI_STR_FMT
                        "\"} %lu\n", podi_str_arg(&channel->name),
                        (unsigned long) channel->killed);
    }
}
