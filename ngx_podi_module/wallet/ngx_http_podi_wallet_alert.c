/*
 * PUT /v1/wallet/alert: below how many points the caller wants to be told.
 *
 *     read body -> parse -> set (PG) -> reply
 */

#include "ngx_http_podi_wallet.h"


#define WALLET_ALERT_PLAN  (-1)          /* as the plan of the tenant says */


typedef struct {
    ngx_http_request_t  *request;
    int64_t              threshold;
} wallet_alert_t;


static podi_rc_t alert_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t alert_parse(podi_flow_t *f, void *ctx);
static podi_rc_t alert_write(podi_flow_t *f, void *ctx);
static podi_rc_t alert_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_alert_steps[] = {
    { "reading the body",  alert_read_body, 0 },
    { "parsing the body",  alert_parse,     0 },
    { "setting the alert", alert_write,     0 },
    { "replying",          alert_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  wallet_alert_fields[] = {
    { "threshold", PODI_JSON_INT64, offsetof(wallet_alert_t, threshold),
      PODI_JSON_NULLABLE, 0, WALLET_POINTS_MAX, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_wallet_alert(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_alert_steps, sizeof(wallet_alert_t));
}


static podi_rc_t
alert_read_body(podi_flow_t *f, void *ctx)
{
    wallet_alert_t  *w = ctx;

    return ngx_podi_read_body(f, w->request, WALLET_BODY_MAX);
}


static podi_rc_t
alert_parse(podi_flow_t *f, void *ctx)
{
    json_t          *body;
    wallet_alert_t  *w = ctx;

    w->threshold = WALLET_ALERT_PLAN;

    if (ngx_podi_body_json(f, w->request, &body) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_json_read(body, wallet_alert_fields, w, &f->fail);
}


static podi_rc_t
alert_write(podi_flow_t *f, void *ctx)
{
    wallet_alert_t  *w = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_ALERT);

    if (w->threshold == WALLET_ALERT_PLAN) {
        podi_arg_null(&call);
    } else {
        podi_arg_int64(&call, w->threshold);
    }

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
alert_reply(podi_flow_t *f, void *ctx)
{
    wallet_alert_t  *w = ctx;

    return ngx_podi_reply_row(f, w->request, NGX_HTTP_OK, f->result, NULL);
}
