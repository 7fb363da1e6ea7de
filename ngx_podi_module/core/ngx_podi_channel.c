/*
 * ngx_podi_channel: what the rest of PODI asks of a request's channel, and
 * which origins are trusted with its answers.
 *
 * The channel itself is found by the channel module; without that module, or
 * without a channel, everything is as it would be without channels.
 */

#include "ngx_podi_core.h"


static const ngx_podi_channel_t *ngx_podi_channel(ngx_http_request_t *r);
static ngx_uint_t ngx_podi_origin_is_in(const ngx_array_t *origins,
    const podi_str_t *origin);


static const ngx_podi_channel_t *
ngx_podi_channel(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    return (pr == NULL) ? NULL : pr->pub.channel;
}


podi_str_t
ngx_podi_channel_name(ngx_http_request_t *r)
{
    const ngx_podi_channel_t  *channel;

    channel = ngx_podi_channel(r);

    return (channel == NULL) ? podi_str_c(NGX_PODI_CHANNEL_DEFAULT)
                             : channel->name;
}


podi_str_t
ngx_podi_channel_prices(ngx_http_request_t *r)
{
    const ngx_podi_channel_t  *channel;

    channel = ngx_podi_channel(r);

    return (channel == NULL || channel->price_list.len == 0)
           ? ngx_podi_channel_name(r) : channel->price_list;
}


/* names of actions need no quotes in an array; they were checked when read */

podi_rc_t
ngx_podi_channel_actions(ngx_http_request_t *r, podi_str_t *ret_array)
{
    ngx_uint_t                 i;
    podi_buf_t                 b;
    podi_str_t                *actions;
    const ngx_podi_channel_t  *channel;

    channel = ngx_podi_channel(r);

    if (channel == NULL || channel->actions == NULL) {
        ret_array->len = 0;
        ret_array->data = NULL;
        return PODI_OK;
    }

    actions = channel->actions->elts;

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_add_byte(&b, '{');

    for (i = 0; i < channel->actions->nelts; i++) {
        podi_buf_add_c(&b, (i == 0) ? "" : ",");
        podi_buf_add_str(&b, &actions[i]);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_array);
}


off_t
ngx_podi_channel_upload_max(ngx_http_request_t *r, off_t own)
{
    const ngx_podi_channel_t  *channel;

    channel = ngx_podi_channel(r);

    return (channel == NULL || channel->upload_max == 0)
           ? own : ngx_min(own, channel->upload_max);
}


ngx_uint_t
ngx_podi_channel_takes_type(ngx_http_request_t *r, const podi_str_t *type)
{
    ngx_uint_t                 i;
    podi_str_t                *types;
    const ngx_podi_channel_t  *channel;

    channel = ngx_podi_channel(r);

    if (channel == NULL || channel->upload_types == NULL) {
        return 1;
    }

    types = channel->upload_types->elts;

    for (i = 0; i < channel->upload_types->nelts; i++) {
        if (podi_str_eq(&types[i], type)) {
            return 1;
        }
    }

    return 0;
}


podi_rc_t
ngx_podi_channel_bind(ngx_http_request_t *r, ngx_podi_identity_t *who,
    podi_fail_t *fail)
{
    ngx_podi_bind_pt  bind;

    bind = ngx_podi_conf()->bind;

    return (bind == NULL) ? PODI_OK : bind(r, who, fail);
}


ngx_uint_t
ngx_podi_origin_is_listed(ngx_http_request_t *r, const podi_str_t *origin)
{
    ngx_podi_loc_conf_t       *plcf;
    const ngx_podi_channel_t  *channel;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
    channel = ngx_podi_channel(r);

    return ngx_podi_origin_is_in(plcf->origins, origin)
           || (channel != NULL && !plcf->origins_off
               && ngx_podi_origin_is_in(channel->origins, origin));
}


static ngx_uint_t
ngx_podi_origin_is_in(const ngx_array_t *origins, const podi_str_t *origin)
{
    ngx_uint_t   i;
    podi_str_t  *known;

    if (origins == NULL) {
        return 0;
    }

    known = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (podi_str_eq(&known[i], origin)) {
            return 1;
        }
    }

    return 0;
}


/* scheme://host[:port] in lower case: what browsers send */

ngx_uint_t
ngx_podi_origin_is_valid(const ngx_str_t *s)
{
    size_t      skip;
    ngx_uint_t  i;

    if (s->len > 8 && ngx_strncmp(s->data, "https://", 8) == 0) {
        skip = 8;

    } else if (s->len > 7 && ngx_strncmp(s->data, "http://", 7) == 0) {
        skip = 7;

    } else {
        return 0;
    }

    for (i = skip; i < s->len; i++) {
        if (s->data[i] <= ' ' || s->data[i] >= 0x7f
            || (s->data[i] >= 'A' && s->data[i] <= 'Z')
            || ngx_strchr("/*,;?#@\"'", s->data[i]) != NULL)
        {
            return 0;
        }
    }

    return 1;
}
