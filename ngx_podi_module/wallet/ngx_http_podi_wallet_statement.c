/*
 * GET /v1/wallet/statement: what a period began with, what moved in it, what it
 * ended with, and the end of the chain that proves it.
 *
 *     parse the query -> add up (PG) -> reply
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_usec_t          from;
    podi_usec_t          to;
} wallet_statement_t;


static podi_rc_t statement_parse(podi_flow_t *f, void *ctx);
static podi_rc_t statement_read(podi_flow_t *f, void *ctx);
static podi_rc_t statement_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_statement_steps[] = {
    { "parsing the query",    statement_parse, 0 },
    { "adding up the period", statement_read,  0 },
    { "replying",             statement_reply, 0 },
    podi_null_step
};

static const ngx_podi_param_t  wallet_statement_params[] = {
    { "from", NGX_PODI_PARAM_TIME, offsetof(wallet_statement_t, from),
      0, 0, 0, NULL },
    { "to",   NGX_PODI_PARAM_TIME, offsetof(wallet_statement_t, to),
      0, 0, 0, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_wallet_statement(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_statement_steps,
                               sizeof(wallet_statement_t));
}


static podi_rc_t
statement_parse(podi_flow_t *f, void *ctx)
{
    wallet_statement_t  *w = ctx;

    return ngx_podi_params(w->request, wallet_statement_params, w, &f->fail);
}


static podi_rc_t
statement_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t       call;
    wallet_statement_t  *w = ctx;

    ngx_podi_pg_init(w->request, &call, PODI_SQL_WALLET_STATEMENT);
    ngx_podi_arg_time(&call, w->from);
    ngx_podi_arg_time(&call, w->to);

    return ngx_podi_pg_call(f, w->request, &call);
}


static podi_rc_t
statement_reply(podi_flow_t *f, void *ctx)
{
    wallet_statement_t  *w = ctx;

    return ngx_podi_reply_row(f, w->request, NGX_HTTP_OK, f->result, NULL);
}
