/*
 * The members that let a browser fetch an object: a URL and its end.
 */

#include "ngx_http_podi_media.h"


podi_rc_t
ngx_http_podi_media_add_url(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const char *what, const podi_str_t *store,
    const podi_str_t *key, const podi_str_t *type, const podi_str_t *name)
{
    u_char                             text[PODI_RFC3339_LEN];
    podi_str_t                         url;
    podi_usec_t                        now;
    const ngx_http_podi_store_t       *from;
    const ngx_http_podi_media_conf_t  *mlcf;

    from = ngx_http_podi_media_store(r, store);

    if (from == NULL || key->len == 0) {
        podi_buf_printf(b, "\"%s_url\":null,\"%s_expires_at\":null", what,
                        what);
        return PODI_OK;
    }

    mlcf = ngx_http_podi_media_conf(r);
    now = podi_time_now();

    if (podi_object_get(&from->object, key, type, name,
                        (unsigned) mlcf->download_expires, now, f->mem, &url)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "cannot sign");
    }

    podi_time_rfc3339(now + (podi_usec_t) mlcf->download_expires * 1000000,
                      text);

    podi_buf_printf(b, "\"%s_url\":", what);
    podi_buf_add_json(b, &url);
    podi_buf_printf(b, ",\"%s_expires_at\":\"%.*s\"", what,
                    PODI_RFC3339_LEN, text);

    return PODI_OK;
}
