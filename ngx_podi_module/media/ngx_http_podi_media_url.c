/*
 * The members that let a browser fetch an object: a URL and its end.
 */

#include "ngx_http_podi_media.h"


podi_rc_t
ngx_http_podi_media_sign(podi_flow_t *f, ngx_http_request_t *r,
    const ngx_http_podi_media_object_t *object, podi_str_t *ret_url,
    podi_str_t *ret_expires_at)
{
    u_char                            *text;
    podi_usec_t                        now;
    const ngx_http_podi_store_t       *store;
    const ngx_http_podi_media_conf_t  *mlcf;

    store = ngx_http_podi_media_store(r, &object->store);

    if (store == NULL || object->key.len == 0) {
        return PODI_DECLINED;
    }

    mlcf = ngx_http_podi_media_conf(r);
    now = podi_time_now();
    now -= now % 1000000;               /* signatures have no fractions */
    text = ngx_pnalloc(r->pool, PODI_RFC3339_LEN);

    if (text == NULL
        || podi_object_get(&store->object, &object->key, object->type,
                           object->name, (unsigned) mlcf->download_expires,
                           now, f->mem, ret_url)
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "cannot sign");
    }

    podi_time_rfc3339(now + (podi_usec_t) mlcf->download_expires * 1000000,
                      text);

    ret_expires_at->data = text;
    ret_expires_at->len = PODI_RFC3339_LEN;

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_media_add_thumbnail(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const podi_pg_result_t *res, int row)
{
    podi_rc_t                     rc;
    podi_str_t                    url, expires_at;
    ngx_http_podi_media_object_t  object;

    object.store = podi_row_str(res, row, "_store");
    object.key = podi_row_str(res, row, "_thumb_key");
    object.type = NULL;
    object.name = NULL;

    rc = ngx_http_podi_media_sign(f, r, &object, &url, &expires_at);

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    if (rc == PODI_DECLINED) {
        podi_buf_add_c(b, "\"thumbnail_url\":null,"
                       "\"thumbnail_expires_at\":null");
        return PODI_OK;
    }

    podi_buf_add_c(b, "\"thumbnail_url\":");
    podi_buf_add_json(b, &url);
    podi_buf_add_c(b, ",\"thumbnail_expires_at\":");
    podi_buf_add_json(b, &expires_at);

    return PODI_OK;
}
