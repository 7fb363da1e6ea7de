/*
 * POST /v1/auth/logout: the end of the caller's session.
 *
 *     end (PG) -> revoke (shared memory) and reply
 *
 * From the answer on, every worker of this nginx refuses the session's
 * tokens; other nginx hear of it through the revocation feed.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_revoke.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           session;
} account_logout_t;


static podi_rc_t logout_end(podi_flow_t *f, void *ctx);
static podi_rc_t logout_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_logout_steps[] = {
    { "ending the session", logout_end,   0 },
    { "replying",           logout_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_logout(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_logout_steps,
                               sizeof(account_logout_t));
}


static podi_rc_t
logout_end(podi_flow_t *f, void *ctx)
{
    ngx_podi_ctx_t    *pc;
    podi_pg_call_t     call;
    account_logout_t  *a = ctx;

    pc = ngx_podi_ctx(a->request);
    if (pc == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    a->session = pc->identity.session;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_SESSION_END);
    podi_arg_str(&call, &a->session);
    podi_arg_c(&call, "logout");

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
logout_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t         events, none = podi_null_str;
    account_logout_t  *a = ctx;

    ngx_podi_revoke_session(&a->session);

    if (podi_rows(f->result) > 0) {
        events = podi_row_str(f->result, 0, "_events");
        ngx_podi_announce(a->request, &events, &none);
    }

    if (ngx_http_podi_account_clear_cookies(a->request) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_empty(f, a->request, NGX_HTTP_NO_CONTENT);
}
