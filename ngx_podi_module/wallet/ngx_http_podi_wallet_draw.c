/*
 * POST /v1/wallet/confirm and /v1/wallet/release: another server spends points
 * of a hold that it made, or gives them back.
 *
 *     read body -> parse -> confirm | release (PG) -> announce (Redis), reply
 *
 * Both may come any number of times while something is left.  A repetition of
 * the same request moves nothing and is answered the same.
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           key;
    podi_str_t           hash;
    int64_t              hold_id;        /* 0: by ref */
    podi_str_t           ref;
    int64_t              amount;         /* 0: all that is left */
    int                  final;
} wallet_draw_t;


static podi_rc_t draw_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t draw_parse_confirm(podi_flow_t *f, void *ctx);
static podi_rc_t draw_parse_release(podi_flow_t *f, void *ctx);
static podi_rc_t draw_parse(podi_flow_t *f, wallet_draw_t *w,
    const podi_json_field_t *fields);
static podi_rc_t draw_confirm(podi_flow_t *f, void *ctx);
static podi_rc_t draw_release(podi_flow_t *f, void *ctx);
static void draw_args(podi_pg_call_t *call, const wallet_draw_t *w);
static podi_rc_t draw_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_confirm_steps[] = {
    { "reading the body",      draw_read_body,     0 },
    { "parsing the body",      draw_parse_confirm, 0 },
    { "confirming the points", draw_confirm,       0 },
    { "replying",              draw_reply,         0 },
    podi_null_step
};

static const podi_step_t  wallet_release_steps[] = {
    { "reading the body",      draw_read_body,     0 },
    { "parsing the body",      draw_parse_release, 0 },
    { "releasing the points",  draw_release,       0 },
    { "replying",              draw_reply,         0 },
    podi_null_step
};

static const podi_json_field_t  wallet_confirm_fields[] = {
    { "hold_id", PODI_JSON_INT64, offsetof(wallet_draw_t, hold_id),
      PODI_JSON_NULLABLE, 1, INT64_MAX, NULL },
    { "ref",     PODI_JSON_STR,   offsetof(wallet_draw_t, ref),
      PODI_JSON_NULLABLE, 1, WALLET_REF_MAX, NULL },
    { "amount",  PODI_JSON_INT64, offsetof(wallet_draw_t, amount),
      PODI_JSON_NULLABLE, 1, WALLET_POINTS_MAX, NULL },
    { "final",   PODI_JSON_BOOL,  offsetof(wallet_draw_t, final),
      0, 0, 0, "false" },
    podi_null_json_field
};

static const podi_json_field_t  wallet_release_fields[] = {
    { "hold_id", PODI_JSON_INT64, offsetof(wallet_draw_t, hold_id),
      PODI_JSON_NULLABLE, 1, INT64_MAX, NULL },
    { "ref",     PODI_JSON_STR,   offsetof(wallet_draw_t, ref),
      PODI_JSON_NULLABLE, 1, WALLET_REF_MAX, NULL },
    { "amount",  PODI_JSON_INT64, offsetof(wallet_draw_t, amount),
      PODI_JSON_NULLABLE, 1, WALLET_POINTS_MAX, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_wallet_confirm(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_confirm_steps,
                               sizeof(wallet_draw_t));
}


ngx_int_t
ngx_http_podi_wallet_release(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_release_steps,
                               sizeof(wallet_draw_t));
}


static podi_rc_t
draw_read_body(podi_flow_t *f, void *ctx)
{
    wallet_draw_t  *w = ctx;

    return ngx_podi_read_body(f, w->request, WALLET_BODY_MAX);
}


static podi_rc_t
draw_parse_confirm(podi_flow_t *f, void *ctx)
{
    return draw_parse(f, ctx, wallet_confirm_fields);
}


static podi_rc_t
draw_parse_release(podi_flow_t *f, void *ctx)
{
    return draw_parse(f, ctx, wallet_release_fields);
}


static podi_rc_t
draw_parse(podi_flow_t *f, wallet_draw_t *w, const podi_json_field_t *fields)
{
    json_t  *body;

    if (ngx_http_podi_wallet_key(f, w->request, &w->key, &w->hash) != PODI_OK
        || ngx_podi_body_json(f, w->request, &body) != PODI_OK
        || podi_json_read(body, fields, w, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (w->hold_id == 0 && w->ref.data == NULL) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "hold_id",
                         "hold_id or ref is required");
    }

    return PODI_OK;
}


static podi_rc_t
draw_confirm(podi_flow_t *f, void *ctx)
{
    wallet_draw_t   *w = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_CONFIRM);
    draw_args(&call, w);
    podi_arg_bool(&call, w->final);
    podi_arg_str(&call, &w->key);
    podi_arg_bytea(&call, &w->hash);

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
draw_release(podi_flow_t *f, void *ctx)
{
    wallet_draw_t   *w = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_RELEASE);
    draw_args(&call, w);
    podi_arg_str(&call, &w->key);
    podi_arg_bytea(&call, &w->hash);

    return ngx_podi_pg_call(f, w->request, &call);
}


/* which hold, and how much of it */

static void
draw_args(podi_pg_call_t *call, const wallet_draw_t *w)
{
    if (w->hold_id == 0) {
        podi_arg_null(call);
    } else {
        podi_arg_int64(call, w->hold_id);
    }

    ngx_podi_arg_param(call, &w->ref);

    if (w->amount == 0) {
        podi_arg_null(call);
    } else {
        podi_arg_int64(call, w->amount);
    }
}


static podi_rc_t
draw_reply(podi_flow_t *f, void *ctx)
{
    wallet_draw_t  *w = ctx;

    return ngx_http_podi_wallet_hold_reply(f, w->request, NGX_HTTP_OK);
}
