/*
 * Is all that a token names still there?  Asked of PostgreSQL when the table
 * in shared memory may lack what has been revoked.
 *
 *     ask (PG) -> judge -> next phase | 401
 *
 * When PostgreSQL is down as well nobody gets in: 503.
 */

#include "ngx_http_podi_auth.h"


static podi_rc_t auth_session_ask(podi_flow_t *f, void *ctx);
static void auth_session_arg(podi_pg_call_t *call, const podi_str_t *value);
static podi_str_t auth_session_tenant(const ngx_http_podi_auth_ctx_t *a);
static podi_rc_t auth_session_judge(podi_flow_t *f, void *ctx);


static const podi_step_t  auth_session_steps[] = {
    { "checking the identity",  auth_session_ask,   PODI_MAY_FAIL },
    { "judging the identity",   auth_session_judge, 0 },
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
    podi_str_t                  tenant;
    podi_pg_call_t              call;
    ngx_http_podi_auth_ctx_t   *a = ctx;
    const ngx_podi_identity_t  *who = &a->who;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_IDENTITY_CHECK);
    podi_arg_str(&call, &who->issuer);
    auth_session_arg(&call, &who->user);
    auth_session_arg(&call, &who->session);
    auth_session_arg(&call, &who->token);
    auth_session_arg(&call, &who->channel);

    if (who->issued != 0) {
        podi_arg_time(&call, (podi_usec_t) who->issued * 1000000);

    } else {
        podi_arg_null(&call);
    }

    tenant = auth_session_tenant(a);

    return ngx_podi_pg_call_tenant(f, &call, &tenant);
}


static void
auth_session_arg(podi_pg_call_t *call, const podi_str_t *value)
{
    if (value->len != 0) {
        podi_arg_str(call, value);

    } else {
        podi_arg_null(call);
    }
}


/* what is revoked of another issuer's people is seen from any tenant */

static podi_str_t
auth_session_tenant(const ngx_http_podi_auth_ctx_t *a)
{
    podi_str_t                   tenant;
    const ngx_podi_main_conf_t  *pmcf;

    if (a->who.ours) {
        return a->who.tenant;
    }

    pmcf = ngx_podi_conf();
    tenant = ngx_podi_tenant(a->request);

    return (tenant.len != 0) ? tenant : *(podi_str_t *) pmcf->tenants.elts;
}


static podi_rc_t
auth_session_judge(podi_flow_t *f, void *ctx)
{
    podi_str_t                 kind;
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

    kind = podi_str_c("session");

    if (f->result != NULL) {
        kind = podi_row_str(f->result, 0, "kind");

    } else if (f->fail.error != PODI_E_NOT_FOUND) {
        return PODI_ERROR;

    } else if (!a->who.ours) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "podi_tenant names no tenant, so what is revoked "
                         "cannot be asked for");
    }

    /* a tenant that is no more ends its sessions */

    if (a->who.ours && podi_str_eq_c(&kind, "session")) {
        ngx_podi_revoke_session(&a->who.session);
    }

    return podi_fail(&f->fail, PODI_E_TOKEN_REVOKED, NULL,
                     "revoked by its " PODI_STR_FMT, podi_str_arg(&kind));
}
