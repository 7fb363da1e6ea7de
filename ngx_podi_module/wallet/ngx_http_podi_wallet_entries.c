/*
 * GET /v1/wallet/entries: the ledger of the caller's wallet, newest first,
 * with the balance after each row.
 *
 *     parse the query -> read (PG) -> reply
 *
 * The cursor is the sequence number of the last row shown: the ledger is
 * dense and only grows, so a page never shifts under its reader.
 */

#include "ngx_http_podi_wallet.h"


typedef struct {
    ngx_http_request_t  *request;
    int64_t              after;         /* 0: from the newest */
    int64_t              limit;
    podi_str_t           type;
    podi_str_t           task_id;
    podi_usec_t          from;
    podi_usec_t          to;
} wallet_entries_t;


static podi_rc_t entries_parse(podi_flow_t *f, void *ctx);
static podi_rc_t entries_read(podi_flow_t *f, void *ctx);
static podi_rc_t entries_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  wallet_entries_steps[] = {
    { "parsing the query",  entries_parse, 0 },
    { "reading the ledger", entries_read,  0 },
    { "replying",           entries_reply, 0 },
    podi_null_step
};

static const char *const  wallet_entry_types[] = {
    "grant", "freeze", "confirm", "release", "lapse", "refund", "adjust", NULL
};

static const ngx_podi_param_t  wallet_entries_params[] = {
    { "after",   NGX_PODI_PARAM_INT,  offsetof(wallet_entries_t, after),
      1, INT64_MAX, 0, NULL },
    { "limit",   NGX_PODI_PARAM_INT,  offsetof(wallet_entries_t, limit),
      1, 200, 50, NULL },
    { "type",    NGX_PODI_PARAM_WORD, offsetof(wallet_entries_t, type),
      0, 0, 0, wallet_entry_types },
    { "task_id", NGX_PODI_PARAM_ID,   offsetof(wallet_entries_t, task_id),
      0, 0, 0, NULL },
    { "from",    NGX_PODI_PARAM_TIME, offsetof(wallet_entries_t, from),
      0, 0, 0, NULL },
    { "to",      NGX_PODI_PARAM_TIME, offsetof(wallet_entries_t, to),
      0, 0, 0, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_wallet_entries(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, wallet_entries_steps,
                               sizeof(wallet_entries_t));
}


static podi_rc_t
entries_parse(podi_flow_t *f, void *ctx)
{
    wallet_entries_t  *e = ctx;

    return ngx_podi_params(e->request, wallet_entries_params, e, &f->fail);
}


static podi_rc_t
entries_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t     call;
    wallet_entries_t  *e = ctx;

    ngx_podi_pg_init(e->request, &call, PODI_SQL_WALLET_ENTRIES);

    if (e->after == 0) {
        podi_arg_null(&call);
    } else {
        podi_arg_int64(&call, e->after);
    }

    podi_arg_int64(&call, e->limit + 1);
    ngx_podi_arg_param(&call, &e->type);
    ngx_podi_arg_time(&call, e->from);
    ngx_podi_arg_time(&call, e->to);
    ngx_podi_arg_param(&call, &e->task_id);

    return ngx_podi_pg_call(f, e->request, &call);
}


static podi_rc_t
entries_reply(podi_flow_t *f, void *ctx)
{
    wallet_entries_t  *e = ctx;

    return ngx_podi_reply_rows(f, e->request, f->result, e->limit, "seq",
                               NULL);
}
