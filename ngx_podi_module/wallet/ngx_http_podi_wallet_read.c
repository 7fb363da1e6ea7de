/*
 * GET /v1/wallet: available and frozen points, and what expires soon.
 *
 *     read (PG) -> reply
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
} wallet_read_t;


static podi_rc_t wallet_read(podi_flow_t *f, void *ctx);
static podi_rc_t wallet_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_read_steps[] = {
    { "reading the wallet", wallet_read,  0 },
    { "replying",           wallet_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_wallet_read(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_read_steps, sizeof(wallet_read_t));
}


static podi_rc_t
wallet_read(podi_flow_t *f, void *ctx)
{
    wallet_read_t   *w = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_READ);

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
wallet_reply(podi_flow_t *f, void *ctx)
{
    wallet_read_t  *w = ctx;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no wallet");
    }

    return ngx_podi_reply_row(f, w->request, NGX_HTTP_OK, f->result, NULL);
}
