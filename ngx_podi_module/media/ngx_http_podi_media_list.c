/*
 * GET /v1/media: the caller's pictures, newest first, each with a permit for
 * its thumbnail.
 *
 *     parse the query -> read (PG) -> sign and reply
 */

#include "ngx_http_podi_media.h"
#include "ngx_podi_param.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           after;
    int64_t              limit;
    podi_str_t           kind;
    podi_str_t           state;
    podi_str_t           type;
    podi_str_t           task_id;
} media_list_t;


static podi_rc_t media_list_parse(podi_flow_t *f, void *ctx);
static podi_rc_t media_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t media_list_reply(podi_flow_t *f, void *ctx);
static podi_rc_t media_list_thumbnail(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const podi_pg_result_t *res, int row);


static const podi_step_t  media_list_steps[] = {
    { "parsing the query", media_list_parse, 0 },
    { "reading the media", media_list_read,  0 },
    { "replying",          media_list_reply, 0 },
    podi_null_step
};

static const char *const  media_kinds[] = { "upload", "result", NULL };

static const char *const  media_states[] = {
    "pending", "checking", "ready", "rejected", "expired", NULL
};

static const ngx_podi_param_t  media_list_params[] = {
    { "after",   NGX_PODI_PARAM_ID,   offsetof(media_list_t, after),
      0, 0, 0, NULL },
    { "limit",   NGX_PODI_PARAM_INT,  offsetof(media_list_t, limit),
      1, 200, 50, NULL },
    { "kind",    NGX_PODI_PARAM_WORD, offsetof(media_list_t, kind),
      0, 0, 0, media_kinds },
    { "state",   NGX_PODI_PARAM_WORD, offsetof(media_list_t, state),
      0, 0, 0, media_states },
    { "type",    NGX_PODI_PARAM_TEXT, offsetof(media_list_t, type),
      1, MEDIA_TYPE_MAX, 0, NULL },
    { "task_id", NGX_PODI_PARAM_ID,   offsetof(media_list_t, task_id),
      0, 0, 0, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_media_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, media_list_steps, sizeof(media_list_t));
}


static podi_rc_t
media_list_parse(podi_flow_t *f, void *ctx)
{
    media_list_t  *l = ctx;

    return ngx_podi_params(l->request, media_list_params, l, &f->fail);
}


static podi_rc_t
media_list_read(podi_flow_t *f, void *ctx)
{
    media_list_t    *l = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(l->request, &call, PODI_SQL_MEDIA_LIST);
    ngx_podi_arg_param(&call, &l->after);
    podi_arg_int64(&call, l->limit + 1);
    ngx_podi_arg_param(&call, &l->kind);
    ngx_podi_arg_param(&call, &l->state);
    ngx_podi_arg_param(&call, &l->type);
    ngx_podi_arg_param(&call, &l->task_id);

    return ngx_podi_pg_call(f, l->request, &call);
}


static podi_rc_t
media_list_reply(podi_flow_t *f, void *ctx)
{
    media_list_t  *l = ctx;

    return ngx_podi_reply_rows(f, l->request, f->result, l->limit,
                               "media_id", media_list_thumbnail);
}


static podi_rc_t
media_list_thumbnail(podi_flow_t *f, ngx_http_request_t *r, podi_buf_t *b,
    const podi_pg_result_t *res, int row)
{
    podi_buf_add_byte(b, ',');

    return ngx_http_podi_media_add_thumbnail(f, r, b, res, row);
}
