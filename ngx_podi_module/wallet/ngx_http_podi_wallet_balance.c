/*
 * GET /v1/wallet/balance: what was there right after an entry of the ledger.
 *
 *     parse the query -> read (PG) -> reply
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
    int64_t              seq;
} wallet_balance_t;


static podi_rc_t balance_parse(podi_flow_t *f, void *ctx);
static podi_rc_t balance_read(podi_flow_t *f, void *ctx);
static podi_rc_t balance_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_balance_steps[] = {
    { "parsing the query",   balance_parse, 0 },
    { "reading the balance", balance_read,  0 },
    { "replying",            balance_reply, 0 },
    podi_null_step
};

static const ngx_podi_param_t  wallet_balance_params[] = {
    { "seq", NGX_PODI_PARAM_INT, offsetof(wallet_balance_t, seq),
      0, INT64_MAX, -1, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_wallet_balance(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_balance_steps,
                               sizeof(wallet_balance_t));
}


static podi_rc_t
balance_parse(podi_flow_t *f, void *ctx)
{
    wallet_balance_t  *w = ctx;

    if (ngx_podi_params(w->request, wallet_balance_params, w, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (w->seq < 0) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "seq",
                         "the parameter is required");
    }

    return PODI_OK;
}


static podi_rc_t
balance_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t     call;
    wallet_balance_t  *w = ctx;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_BALANCE_AT);
    podi_arg_int64(&call, w->seq);

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
balance_reply(podi_flow_t *f, void *ctx)
{
    wallet_balance_t  *w = ctx;

    return ngx_podi_reply_row(f, w->request, NGX_HTTP_OK, f->result, NULL);
}
