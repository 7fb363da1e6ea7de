/*
 * POST /v1/media/uploads: permits to upload, one or a batch.
 *
 *     read body -> parse -> register (PG) -> sign and reply
 *
 * {"items": [{"name": "cat.jpg", "type": "image/jpeg", "bytes": 123}]}
 *
 * The permit fixes type and size, and that nothing is overwritten: what was
 * judged stays what it was.  The key is made of our own ids, never of a name
 * that somebody sent.
 */

#include "ngx_http_podi_media.h"
#include "ngx_podi_channel.h"


typedef struct {
    podi_str_t   name;
    podi_str_t   type;
    int64_t      bytes;
} media_item_t;

typedef struct {
    ngx_http_request_t  *request;
    json_t              *items;
    podi_str_t           items_text;     /* for PostgreSQL */
    podi_str_t           key;
    podi_str_t           hash;
} media_uploads_t;


static podi_rc_t uploads_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t uploads_parse(podi_flow_t *f, void *ctx);
static podi_rc_t uploads_items(podi_flow_t *f, media_uploads_t *u);
static podi_rc_t uploads_item(podi_flow_t *f, media_uploads_t *u,
    const json_t *object, podi_buf_t *b);
static podi_rc_t uploads_judge(ngx_http_request_t *r,
    const media_item_t *item, podi_fail_t *fail);
static podi_rc_t uploads_write(podi_flow_t *f, void *ctx);
static podi_rc_t uploads_reply(podi_flow_t *f, void *ctx);
static podi_rc_t uploads_permit(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const podi_pg_result_t *res, int row);


static const podi_step_t  media_uploads_steps[] = {
    { "reading the body",        uploads_read_body, 0 },
    { "parsing the body",        uploads_parse,     0 },
    { "registering the uploads", uploads_write,     0 },
    { "replying",                uploads_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  media_uploads_fields[] = {
    { "items", PODI_JSON_ARRAY, offsetof(media_uploads_t, items),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    podi_null_json_field
};

static const podi_json_field_t  media_item_fields[] = {
    { "name",  PODI_JSON_STR,   offsetof(media_item_t, name),
      PODI_JSON_REQUIRED, 1, MEDIA_NAME_MAX, NULL },
    { "type",  PODI_JSON_STR,   offsetof(media_item_t, type),
      PODI_JSON_REQUIRED, 1, MEDIA_TYPE_MAX, NULL },
    { "bytes", PODI_JSON_INT64, offsetof(media_item_t, bytes),
      PODI_JSON_REQUIRED, 1, INT64_MAX, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_media_uploads(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, media_uploads_steps, sizeof(media_uploads_t));
}


static podi_rc_t
uploads_read_body(podi_flow_t *f, void *ctx)
{
    media_uploads_t  *u = ctx;

    return ngx_podi_read_body(f, u->request, MEDIA_BODY_MAX);
}


static podi_rc_t
uploads_parse(podi_flow_t *f, void *ctx)
{
    json_t           *body;
    media_uploads_t  *u = ctx;

    if (ngx_podi_idempotency_key(u->request, &u->key, &f->fail) != PODI_OK
        || ngx_podi_request_hash(u->request, &u->hash, &f->fail) != PODI_OK
        || ngx_podi_body_json(f, u->request, &body) != PODI_OK
        || podi_json_read(body, media_uploads_fields, u, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return uploads_items(f, u);
}


static podi_rc_t
uploads_items(podi_flow_t *f, media_uploads_t *u)
{
    size_t      i, n;
    podi_buf_t  b;

    n = json_array_size(u->items);

    if (n == 0 || n > ngx_http_podi_media_conf(u->request)->batch) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "items",
                         "must have 1 to %u items", (unsigned)
                         ngx_http_podi_media_conf(u->request)->batch);
    }

    podi_buf_init(&b, f->mem);

    for (i = 0; i < n; i++) {

        podi_buf_add_byte(&b, (i == 0) ? '[' : ',');

        if (uploads_item(f, u, json_array_get(u->items, i), &b) != PODI_OK) {
            return podi_json_at(&f->fail, "items[%zu]", i);
        }
    }

    podi_buf_add_byte(&b, ']');

    if (podi_buf_take(&b, &u->items_text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
uploads_item(podi_flow_t *f, media_uploads_t *u, const json_t *object,
    podi_buf_t *b)
{
    podi_id_t        id;
    podi_str_t       media_id;
    media_item_t     item;
    ngx_podi_ctx_t  *pc;

    if (!json_is_object(object)) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "", "not an object");
    }

    if (podi_json_read(object, media_item_fields, &item, &f->fail) != PODI_OK
        || uploads_judge(u->request, &item, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    pc = ngx_podi_ctx(u->request);

    if (pc == NULL || podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no id");
    }

    media_id = podi_id_str(&id);

    podi_buf_printf(b, "{\"media_id\":\"" PODI_STR_FMT "\","
                    "\"object_key\":\"" PODI_STR_FMT "/u/" PODI_STR_FMT "\","
                    "\"bytes\":%lld,\"store\":",
                    podi_str_arg(&media_id),
                    podi_str_arg(&pc->identity.tenant),
                    podi_str_arg(&media_id), (long long) item.bytes);
    podi_buf_add_json(b, &ngx_http_podi_media_conf(u->request)
                             ->upload->object.name);
    podi_buf_add_c(b, ",\"name\":");
    podi_buf_add_json(b, &item.name);
    podi_buf_add_c(b, ",\"type\":");
    podi_buf_add_json(b, &item.type);
    podi_buf_add_byte(b, '}');

    return PODI_OK;
}


static podi_rc_t
uploads_judge(ngx_http_request_t *r, const media_item_t *item,
    podi_fail_t *fail)
{
    off_t                              max;
    ngx_uint_t                         i;
    ngx_str_t                         *types;
    const ngx_http_podi_media_conf_t  *mlcf;

    mlcf = ngx_http_podi_media_conf(r);
    max = ngx_podi_channel_upload_max(r, mlcf->max_size);

    if (item->bytes > max) {
        (void) podi_fail(fail, PODI_E_MEDIA_TOO_LARGE, "bytes",
                         "at most %lld bytes", (long long) max);
        return PODI_ERROR;
    }

    types = mlcf->types->elts;

    for (i = 0; i < mlcf->types->nelts; i++) {
        if (podi_str_eq(&item->type, (podi_str_t *) &types[i])
            && ngx_podi_channel_takes_type(r, &item->type))
        {
            return PODI_OK;
        }
    }

    return podi_fail(fail, PODI_E_MEDIA_TYPE, "type",
                     "not one of the types in /v1/media/limits");
}


static podi_rc_t
uploads_write(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t    call;
    media_uploads_t  *u = ctx;

    ngx_podi_pg_init(u->request, &call, PODI_SQL_MEDIA_UPLOAD);
    podi_arg_str(&call, &u->items_text);
    podi_arg_int64(&call, (int64_t) ngx_http_podi_media_conf(u->request)
                              ->upload_expires * 1000);

    if (u->key.data == NULL) {
        podi_arg_null(&call);
    } else {
        podi_arg_str(&call, &u->key);
    }

    podi_arg_bytea(&call, &u->hash);

    return ngx_podi_pg_call(f, u->request, &call);
}


static podi_rc_t
uploads_reply(podi_flow_t *f, void *ctx)
{
    int               row;
    ngx_uint_t        status;
    podi_buf_t        b;
    podi_str_t        text;
    media_uploads_t  *u = ctx;

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"items\":[");

    for (row = 0; row < podi_rows(f->result); row++) {

        podi_buf_add_c(&b, (row == 0) ? "{" : ",{");
        podi_row_json(&b, f->result, row);

        if (uploads_permit(f, u->request, &b, f->result, row) != PODI_OK) {
            return PODI_ERROR;
        }

        podi_buf_add_byte(&b, '}');
    }

    podi_buf_add_c(&b, "]}");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    status = podi_row_bool(f->result, 0, "is_new") ? NGX_HTTP_CREATED
                                                   : NGX_HTTP_OK;

    return ngx_podi_reply(f, u->request, status, &text);
}


/* ,"upload":{"method","url","headers":{...},"expires_at"} or null */

static podi_rc_t
uploads_permit(podi_flow_t *f, ngx_http_request_t *r, podi_buf_t *b,
    const podi_pg_result_t *res, int row)
{
    size_t                        i;
    u_char                        ends[PODI_RFC3339_LEN];
    podi_str_t                    name, key, type;
    podi_usec_t                   now, left;
    podi_object_permit_t          permit;
    const ngx_http_podi_store_t  *store;

    name = podi_row_str(res, row, "_store");
    key = podi_row_str(res, row, "_object_key");
    type = podi_row_str(res, row, "type");

    now = podi_time_now();
    now -= now % 1000000;               /* signatures have no fractions */
    left = (podi_row_time(res, row, "upload_expires_at") - now) / 1000000;
    store = ngx_http_podi_media_store(r, &name);

    if (store == NULL || left < 1) {
        podi_buf_add_c(b, ",\"upload\":null");
        return PODI_OK;
    }

    if (podi_object_put(&store->object, &key, &type,
                        podi_row_int64(res, row, "bytes"), (unsigned) left,
                        now, f->mem, &permit)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "cannot sign");
    }

    podi_time_rfc3339(now + left * 1000000, ends);

    podi_buf_add_c(b, ",\"upload\":{\"method\":\"PUT\",\"url\":");
    podi_buf_add_json(b, &permit.url);
    podi_buf_add_c(b, ",\"headers\":{");

    for (i = 0; i < permit.n_headers; i++) {
        podi_buf_add_c(b, (i == 0) ? "" : ",");
        podi_buf_add_json(b, &permit.headers[i].name);
        podi_buf_add_byte(b, ':');
        podi_buf_add_json(b, &permit.headers[i].value);
    }

    podi_buf_printf(b, "},\"expires_at\":\"%.*s\"}", PODI_RFC3339_LEN, ends);

    return PODI_OK;
}
