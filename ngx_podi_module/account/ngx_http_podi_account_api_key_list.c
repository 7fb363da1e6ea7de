/*
 * GET /v1/me/api-keys: the caller's keys, newest first, without secrets.
 *
 *     parse the query -> read (PG) -> reply
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_param.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           after;
    int64_t              limit;
} account_api_keys_t;


static podi_rc_t api_keys_read(podi_flow_t *f, void *ctx);
static podi_rc_t api_keys_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_api_keys_steps[] = {
    { "reading the API keys", api_keys_read,  0 },
    { "replying",             api_keys_reply, 0 },
    podi_null_step
};

static const ngx_podi_param_t  account_api_keys_params[] = {
    { "after", NGX_PODI_PARAM_ID,  offsetof(account_api_keys_t, after),
      0, 0, 0, NULL },
    { "limit", NGX_PODI_PARAM_INT, offsetof(account_api_keys_t, limit),
      1, 200, 50, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_account_api_key_list(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_api_keys_steps,
                               sizeof(account_api_keys_t));
}


static podi_rc_t
api_keys_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t       call;
    account_api_keys_t  *a = ctx;

    if (ngx_http_podi_account_is_person(a->request, &f->fail) != PODI_OK
        || ngx_podi_params(a->request, account_api_keys_params, a, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    ngx_podi_pg_init(a->request, &call, PODI_SQL_API_KEY_LIST);
    ngx_podi_arg_param(&call, &a->after);
    podi_arg_int64(&call, a->limit + 1);

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
api_keys_reply(podi_flow_t *f, void *ctx)
{
    account_api_keys_t  *a = ctx;

    return ngx_podi_reply_rows(f, a->request, f->result, a->limit, "key_id",
                               NULL);
}
