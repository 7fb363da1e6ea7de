/*
 * Is all that a token names still there?  Asked of PostgreSQL when the table
 * in shared memory may lack what has been revoked.
 *
 *     ask (PG) -> judge -> verdict in ctx
 *
 * When PostgreSQL is down as well nobody gets in: 503.
 */

#include "ngx_http_podi_auth.h"
#include "podi_context.h"


static void auth_session_arg(podi_pg_call_t *call, const podi_str_t *value);
static void auth_session_why(podi_flow_t *f, ngx_http_podi_auth_ctx_t *a);


podi_rc_t
ngx_http_podi_auth_ask_session(podi_flow_t *f, void *ctx)
{
    podi_str_t                  nobody = podi_string(PODI_CONTEXT_NOBODY);
    podi_pg_call_t              call;
    ngx_http_podi_auth_ctx_t   *a = ctx;
    const ngx_podi_identity_t  *who = &a->who;

    ngx_podi_count(NGX_PODI_COUNT_AUTH_LOOKUPS);

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

    /* another issuer's people are of no tenant here */

    return ngx_podi_pg_call_tenant(f, &call, who->ours ? &who->tenant
                                                       : &nobody);
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


podi_rc_t
ngx_http_podi_auth_take_session(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_auth_ctx_t  *a = ctx;

    a->decided = 1;

    if (f->result == NULL || !podi_row_bool(f->result, 0, "live")) {
        auth_session_why(f, a);
        ngx_http_podi_auth_deny(a, &f->fail);
    }

    return PODI_DONE;
}


/* a tenant that is no more ends its sessions */

static void
auth_session_why(podi_flow_t *f, ngx_http_podi_auth_ctx_t *a)
{
    podi_str_t  kind = podi_string("session");

    if (f->result != NULL) {
        kind = podi_row_str(f->result, 0, "kind");

    } else if (f->fail.error != PODI_E_NOT_FOUND) {
        return;
    }

    if (a->who.ours && podi_str_eq_c(&kind, "session")) {
        ngx_podi_revoke_session(&a->who.session);
    }

    (void) podi_fail(&f->fail, PODI_E_TOKEN_REVOKED, NULL,
                     "revoked by its " PODI_STR_FMT, podi_str_arg(&kind));
}
