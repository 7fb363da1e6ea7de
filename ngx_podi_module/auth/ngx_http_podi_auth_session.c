/*
 * Is the session still there?  Asked of PostgreSQL when the table in shared
 * memory may lack it.
 *
 *     ask (PG) -> judge -> next phase | 401
 *
 * When PostgreSQL is down as well nobody gets in: 503.
 */

#include "ngx_http_podi_auth.h"


static podi_rc_t auth_session_ask(podi_flow_t *f, void *ctx);
static podi_rc_t auth_session_judge(podi_flow_t *f, void *ctx);


static const podi_step_t  auth_session_steps[] = {
    { "checking the session",   auth_session_ask,   PODI_MAY_FAIL },
    { "judging the session",    auth_session_judge, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_auth_session(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx)
{
    ngx_podi_count(NGX_PODI_COUNT_AUTH_LOOKUPS);

    return ngx_podi_flow_gate(r, "auth", auth_session_steps, ctx);
}


static podi_rc_t
auth_session_ask(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t             call;
    ngx_http_podi_auth_ctx_t  *a = ctx;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_SESSION_CHECK);
    podi_arg_str(&call, &a->who.session);

    return ngx_podi_pg_call_tenant(f, &call, &a->who.tenant);
}


static podi_rc_t
auth_session_judge(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_auth_ctx_t  *a = ctx;

    if (f->result != NULL && podi_row_bool(f->result, 0, "live")) {
        ngx_http_podi_auth_accept(a->request, a);
        return PODI_DONE;
    }

    if (ngx_http_podi_auth_is_optional(a->request)) {
        a->decided = 1;
        return PODI_DONE;
    }

    ngx_podi_count(NGX_PODI_COUNT_AUTH_REFUSED);

    /* a tenant that is no more ends its sessions */

    if (f->result != NULL || f->fail.error == PODI_E_NOT_FOUND) {
        ngx_podi_revoke_session(&a->who.session);
        return podi_fail(&f->fail, PODI_E_TOKEN_REVOKED, NULL,
                         "the session has ended");
    }

    return PODI_ERROR;
}
