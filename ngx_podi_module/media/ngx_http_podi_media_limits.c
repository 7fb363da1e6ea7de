/*
 * GET /v1/media/limits: what may be uploaded, for a form to say beforehand.
 *
 *     reply
 */

#include "ngx_http_podi_media.h"
#include "ngx_podi_channel.h"


typedef struct {
    ngx_http_request_t  *request;
} media_limits_t;


static podi_rc_t limits_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  media_limits_steps[] = {
    { "replying", limits_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_media_limits(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, media_limits_steps, sizeof(media_limits_t));
}


static podi_rc_t
limits_reply(podi_flow_t *f, void *ctx)
{
    ngx_str_t                         *types;
    ngx_uint_t                         i, n;
    podi_buf_t                         b;
    podi_str_t                         text;
    media_limits_t                    *l = ctx;
    const ngx_http_podi_media_conf_t  *mlcf;

    mlcf = ngx_http_podi_media_conf(l->request);
    types = mlcf->types->elts;

    podi_buf_init(&b, f->mem);
    podi_buf_printf(&b, "{\"max_bytes\":%lld,\"batch\":%u,"
                    "\"upload_expires_in\":%lld,"
                    "\"download_expires_in\":%lld,\"types\":[",
                    (long long) ngx_podi_channel_upload_max(l->request,
                                                        mlcf->max_size),
                    (unsigned) mlcf->batch,
                    (long long) mlcf->upload_expires,
                    (long long) mlcf->download_expires);

    for (i = 0, n = 0; i < mlcf->types->nelts; i++) {

        if (!ngx_podi_channel_takes_type(l->request, (podi_str_t *) &types[i]))
        {
            continue;
        }

        podi_buf_add_c(&b, (n++ == 0) ? "" : ",");
        podi_buf_add_json(&b, (podi_str_t *) &types[i]);
    }

    podi_buf_add_c(&b, "]}");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, l->request, NGX_HTTP_OK, &text);
}
