/*
 * POST /v1/wallet/freeze: another server of the tenant sets points of a user
 * aside, for work that is no task of ours.
 *
 *     read body -> parse -> freeze (PG) -> announce (Redis) and reply
 *
 * Who may is decided in PostgreSQL.  The Idempotency-Key is wanted, and holds
 * for ever: the ledger keeps it.
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           key;
    podi_str_t           hash;
    podi_id_t            user_id;
    int64_t              amount;
    int64_t              ttl_ms;
    podi_str_t           ref;
    podi_str_t           reason;
} wallet_freeze_t;


static podi_rc_t freeze_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t freeze_parse(podi_flow_t *f, void *ctx);
static podi_rc_t freeze_write(podi_flow_t *f, void *ctx);
static podi_rc_t freeze_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_freeze_steps[] = {
    { "reading the body",    freeze_read_body, 0 },
    { "parsing the body",    freeze_parse,     0 },
    { "freezing the points", freeze_write,     0 },
    { "replying",            freeze_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  wallet_freeze_fields[] = {
    { "user_id", PODI_JSON_ID,    offsetof(wallet_freeze_t, user_id),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "amount",  PODI_JSON_INT64, offsetof(wallet_freeze_t, amount),
      PODI_JSON_REQUIRED, 1, WALLET_POINTS_MAX, NULL },
    { "ref",     PODI_JSON_STR,   offsetof(wallet_freeze_t, ref),
      PODI_JSON_REQUIRED, 1, WALLET_REF_MAX, NULL },
    { "ttl_ms",  PODI_JSON_INT64, offsetof(wallet_freeze_t, ttl_ms),
      PODI_JSON_REQUIRED, 1000, WALLET_TTL_MAX, NULL },
    { "reason",  PODI_JSON_STR,   offsetof(wallet_freeze_t, reason),
      PODI_JSON_NULLABLE, 1, WALLET_REASON_MAX, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_wallet_freeze(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_freeze_steps,
                               sizeof(wallet_freeze_t));
}


static podi_rc_t
freeze_read_body(podi_flow_t *f, void *ctx)
{
    wallet_freeze_t  *w = ctx;

    return ngx_podi_read_body(f, w->request, WALLET_BODY_MAX);
}


static podi_rc_t
freeze_parse(podi_flow_t *f, void *ctx)
{
    json_t           *body;
    wallet_freeze_t  *w = ctx;

    if (ngx_http_podi_wallet_key(f, w->request, &w->key, &w->hash) != PODI_OK
        || ngx_podi_body_json(f, w->request, &body) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_json_read(body, wallet_freeze_fields, w, &f->fail);
}


static podi_rc_t
freeze_write(podi_flow_t *f, void *ctx)
{
    podi_str_t        id;
    podi_pg_call_t    call;
    wallet_freeze_t  *w = ctx;

    id = podi_id_str(&w->user_id);

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_FREEZE);
    podi_arg_str(&call, &id);
    podi_arg_int64(&call, w->amount);
    podi_arg_str(&call, &w->ref);
    podi_arg_int64(&call, w->ttl_ms);
    ngx_podi_arg_param(&call, &w->reason);
    podi_arg_str(&call, &w->key);
    podi_arg_bytea(&call, &w->hash);

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
freeze_reply(podi_flow_t *f, void *ctx)
{
    ngx_uint_t        status;
    wallet_freeze_t  *w = ctx;

    status = podi_row_bool(f->result, 0, "is_new") ? NGX_HTTP_CREATED
                                                   : NGX_HTTP_OK;

    return ngx_http_podi_wallet_hold_reply(f, w->request, status);
}
