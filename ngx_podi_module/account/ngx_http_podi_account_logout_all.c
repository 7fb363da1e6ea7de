/*
 * POST /v1/auth/logout-all: the end of all the caller's sessions, this one too.
 *
 *     end them (PG) -> revoke each (shared memory) and reply
 *
 * Like a logout, on all devices: other nginx hear of it through the feed.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_revoke.h"


typedef struct {
    ngx_http_request_t  *request;
} account_logout_all_t;


static podi_rc_t logout_all_end(podi_flow_t *f, void *ctx);
static podi_rc_t logout_all_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_logout_all_steps[] = {
    { "ending the sessions", logout_all_end,   0 },
    { "replying",            logout_all_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_logout_all(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_logout_all_steps,
                               sizeof(account_logout_all_t));
}


static podi_rc_t
logout_all_end(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t         call;
    account_logout_all_t  *a = ctx;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_SESSION_END_ALL);
    podi_arg_c(&call, "logout");

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
logout_all_reply(podi_flow_t *f, void *ctx)
{
    size_t                    i;
    json_t                   *ended;
    podi_str_t                text, session, events, none = podi_null_str;
    account_logout_all_t     *a = ctx;
    const podi_json_limit_t   limit = { 4 * 1024 * 1024, 2 };

    text = podi_row_str(f->result, 0, "ended");

    if (podi_json_parse(&text, &limit, f->mem, &ended, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    for (i = 0; i < json_array_size(ended); i++) {
        session = podi_json_str(json_array_get(ended, i));
        ngx_podi_revoke_session(&session);
    }

    events = podi_row_str(f->result, 0, "_events");
    ngx_podi_announce(a->request, &events, &none);

    if (ngx_http_podi_account_clear_cookies(a->request) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_empty(f, a->request, NGX_HTTP_NO_CONTENT);
}
