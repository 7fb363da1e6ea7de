/*
 * POST /v1/auth/refresh: the refresh cookie for a new access token.
 *
 *     read the cookie -> rotate (PG, in the cookie's tenant) -> reply
 *
 * The cookie names its tenant under its MAC.  Neither podi_tenant nor a token
 * that came along may stand in for it: the session would not be found there,
 * and be taken for one that has ended.
 *
 * Two tabs may come at once: the one that is a step behind gets the current
 * token again, so nobody is logged out by a race (the rule is in
 * api.session_refresh).  A refusal never clears a cookie: the winner of the
 * race may have set it a moment ago.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_revoke.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_refresh_t       refresh;
} account_refresh_t;


static podi_rc_t refresh_read_cookie(podi_flow_t *f, void *ctx);
static podi_rc_t refresh_rotate(podi_flow_t *f, void *ctx);
static podi_rc_t refresh_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_refresh_steps[] = {
    { "reading the refresh cookie", refresh_read_cookie, 0 },
    { "rotating the token",         refresh_rotate,      0 },
    { "replying",                   refresh_reply,       0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_refresh(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_refresh_steps,
                               sizeof(account_refresh_t));
}


static podi_rc_t
refresh_read_cookie(podi_flow_t *f, void *ctx)
{
    podi_str_t          text;
    account_refresh_t  *a = ctx;

    if (ngx_podi_cookie(a->request, ACCOUNT_REFRESH_COOKIE, &text, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (text.data == NULL) {
        return podi_fail(&f->fail, PODI_E_REFRESH_INVALID, NULL,
                         "no refresh cookie");
    }

    return podi_refresh_verify(
               ngx_http_podi_account_conf(a->request)->refresh_key, &text,
               f->mem, &a->refresh, &f->fail);
}


static podi_rc_t
refresh_rotate(podi_flow_t *f, void *ctx)
{
    podi_str_t          id, tenant;
    podi_pg_call_t      call;
    account_refresh_t  *a = ctx;

    id = podi_id_str(&a->refresh.session);
    tenant = podi_id_str(&a->refresh.tenant);

    ngx_podi_pg_init(a->request, &call, PODI_SQL_SESSION_REFRESH);
    podi_arg_str(&call, &id);
    podi_arg_int64(&call, a->refresh.counter);
    podi_arg_int64(&call,
                   (int64_t) ngx_http_podi_account_conf(a->request)->idle);

    return ngx_podi_pg_call_tenant(f, &call, &tenant);
}


static podi_rc_t
refresh_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t          verdict, session, events, none = podi_null_str;
    account_refresh_t  *a = ctx;

    verdict = podi_row_str(f->result, 0, "verdict");

    if (!podi_str_eq_c(&verdict, "refused")) {
        return ngx_http_podi_account_reply_session(f, a->request, f->result);
    }

    /* it has ended, by a replay or before: its tokens end with it */

    session = podi_id_str(&a->refresh.session);
    ngx_podi_revoke_session(&session);

    events = podi_row_str(f->result, 0, "_events");
    ngx_podi_announce(a->request, &events, &none);

    return podi_fail(&f->fail, PODI_E_REFRESH_INVALID, NULL,
                     "the session or its counter is over");
}
