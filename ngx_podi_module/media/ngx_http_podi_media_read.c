/*
 * GET /v1/media/{id} and GET /v1/media/{id}/download: one picture, and a
 * permit to fetch it.
 *
 *     read (PG) -> sign and reply
 *
 * Somebody else's media gets the answer of one that does not exist.
 */

#include "ngx_http_podi_media.h"


static podi_rc_t media_read(podi_flow_t *f, void *ctx);
static podi_rc_t media_read_reply(podi_flow_t *f, void *ctx);
static podi_rc_t media_download_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  media_read_steps[] = {
    { "reading the media", media_read,       0 },
    { "replying",          media_read_reply, 0 },
    podi_null_step
};

static const podi_step_t  media_download_steps[] = {
    { "reading the media", media_read,           0 },
    { "replying",          media_download_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_media_read(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "media", media_read_steps,
                                  sizeof(ngx_podi_of_t));
}


ngx_int_t
ngx_http_podi_media_download(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "media", media_download_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
media_read(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_MEDIA_READ);
}


static podi_rc_t
media_read_reply(podi_flow_t *f, void *ctx)
{
    podi_buf_t      b;
    podi_str_t      more;
    ngx_podi_of_t  *m = ctx;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such media");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, ',');

    if (ngx_http_podi_media_add_thumbnail(f, m->request, &b, f->result, 0)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_buf_take(&b, &more) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_row(f, m->request, NGX_HTTP_OK, f->result, &more);
}


static podi_rc_t
media_download_reply(podi_flow_t *f, void *ctx)
{
    podi_rc_t                      rc;
    podi_buf_t                     b;
    podi_str_t                     state, type, name, url, ends, text;
    ngx_podi_of_t                 *m = ctx;
    ngx_http_podi_media_object_t   object;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such media");
    }

    state = podi_row_str(f->result, 0, "state");

    if (!podi_str_eq_c(&state, "ready")) {
        return podi_fail(&f->fail, PODI_E_MEDIA_NOT_READY, NULL,
                         "it is " PODI_STR_FMT, podi_str_arg(&state));
    }

    type = podi_row_str(f->result, 0, "type");
    name = podi_row_str(f->result, 0, "name");

    object.store = podi_row_str(f->result, 0, "_store");
    object.key = podi_row_str(f->result, 0, "_object_key");
    object.type = &type;
    object.name = &name;

    rc = ngx_http_podi_media_sign(f, m->request, &object, &url, &ends);

    if (rc == PODI_DECLINED) {
        return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                         "store " PODI_STR_FMT " is not configured",
                         podi_str_arg(&object.store));
    }

    if (rc != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"url\":");
    podi_buf_add_json(&b, &url);
    podi_buf_add_c(&b, ",\"expires_at\":");
    podi_buf_add_json(&b, &ends);
    podi_buf_add_c(&b, ",\"name\":");
    podi_buf_add_json(&b, &name);
    podi_buf_add_c(&b, ",\"type\":");
    podi_buf_add_json(&b, &type);
    podi_buf_printf(&b, ",\"bytes\":%lld}",
                    (long long) podi_row_int64(f->result, 0, "bytes"));

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, m->request, NGX_HTTP_OK, &text);
}
