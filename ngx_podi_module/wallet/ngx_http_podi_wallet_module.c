/*
 * wallet: what the caller has, and how it came to be so.
 *
 *     GET  /v1/wallet              available, frozen, expiring soon
 *     GET  /v1/wallet/entries      the ledger, newest first
 *     GET  /v1/wallet/export       the ledger as a file
 *     GET  /v1/wallet/statement    a period: opening, totals, closing
 *     GET  /v1/wallet/balance      what was there after an entry
 *     PUT  /v1/wallet/alert        when to be told that it runs low
 *     POST /v1/wallet/freeze       for servers of the tenant: points of a user
 *     POST /v1/wallet/confirm      ... are set aside, spent
 *     POST /v1/wallet/release      ... and given back
 *
 * A user moves no points here: his move when a task is submitted, when a job
 * is settled and by podictl; each of these is one function in PostgreSQL.
 */

#include "ngx_http_podi_wallet.h"


static ngx_int_t ngx_http_podi_wallet_handler(ngx_http_request_t *r);
static char *ngx_http_podi_wallet(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_wallet_routes[] = {
    { NGX_HTTP_GET, "/v1/wallet",
      ngx_http_podi_wallet_read, 0 },
    { NGX_HTTP_GET, "/v1/wallet/entries",
      ngx_http_podi_wallet_entries, 0 },
    { NGX_HTTP_GET, "/v1/wallet/export",
      ngx_http_podi_wallet_export, 0 },
    { NGX_HTTP_GET, "/v1/wallet/statement",
      ngx_http_podi_wallet_statement, 0 },
    { NGX_HTTP_GET, "/v1/wallet/balance",
      ngx_http_podi_wallet_balance, 0 },
    { NGX_HTTP_PUT, "/v1/wallet/alert",
      ngx_http_podi_wallet_alert, 0 },
    { NGX_HTTP_POST, "/v1/wallet/freeze",
      ngx_http_podi_wallet_freeze, 0 },
    { NGX_HTTP_POST, "/v1/wallet/confirm",
      ngx_http_podi_wallet_confirm, 0 },
    { NGX_HTTP_POST, "/v1/wallet/release",
      ngx_http_podi_wallet_release, 0 },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_wallet_commands[] = {

    { ngx_string("podi_wallet"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_wallet,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_wallet_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_wallet_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_wallet_module_ctx,      /* module context */
    ngx_http_podi_wallet_commands,         /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_wallet_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_wallet_routes);
}


static char *
ngx_http_podi_wallet(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_podi_route_directive(cf, ngx_http_podi_wallet_handler,
                                    ngx_http_podi_wallet_routes);
}
