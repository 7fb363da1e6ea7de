/*
 * POST /v1/auth/revoke: one access token of the caller's is good for nothing.
 *
 *     read the body -> read the token in it -> revoke (PG) -> revoke (shared
 *     memory) and reply
 *
 * For a token that came into wrong hands while its session shall go on.  As
 * RFC 7009 has it, what is no token of ours (any more) needs no revoking: 204.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_revoke.h"
#include "ngx_podi_token.h"


typedef struct {
    ngx_http_request_t   *request;
    podi_str_t            token;
    ngx_podi_identity_t   who;
} account_revoke_t;


static podi_rc_t revoke_read(podi_flow_t *f, void *ctx);
static podi_rc_t revoke_parse(podi_flow_t *f, void *ctx);
static podi_rc_t revoke_ask(podi_flow_t *f, void *ctx);
static podi_rc_t revoke_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_revoke_steps[] = {
    { "reading the body",   revoke_read,  0 },
    { "reading the token",  revoke_parse, 0 },
    { "revoking the token", revoke_ask,   0 },
    { "replying",           revoke_reply, 0 },
    podi_null_step
};

static const podi_json_field_t  account_revoke_fields[] = {
    { "token", PODI_JSON_STR, offsetof(account_revoke_t, token),
      PODI_JSON_REQUIRED, 1, ACCOUNT_BODY_MAX, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_account_revoke(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_revoke_steps,
                               sizeof(account_revoke_t));
}


static podi_rc_t
revoke_read(podi_flow_t *f, void *ctx)
{
    account_revoke_t  *a = ctx;

    return ngx_podi_read_body(f, a->request, ACCOUNT_BODY_MAX);
}


static podi_rc_t
revoke_parse(podi_flow_t *f, void *ctx)
{
    json_t            *body;
    podi_fail_t        why;
    podi_str_t         user;
    account_revoke_t  *a = ctx;

    if (ngx_podi_body_json(f, a->request, &body) != PODI_OK
        || podi_json_read(body, account_revoke_fields, a, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (ngx_podi_token_read(a->request, &a->token, &a->who, &why)
        != PODI_OK)
    {
        return ngx_podi_reply_empty(f, a->request, NGX_HTTP_NO_CONTENT);
    }

    user = ngx_podi_ctx(a->request)->identity.user;

    if (!podi_str_eq(&a->who.user, &user)) {
        return podi_fail(&f->fail, PODI_E_FORBIDDEN, NULL,
                         "the token is another's");
    }

    return PODI_OK;
}


static podi_rc_t
revoke_ask(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t     call;
    account_revoke_t  *a = ctx;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_TOKEN_REVOKE);
    podi_arg_str(&call, &a->who.token);
    podi_arg_time(&call, (podi_usec_t) a->who.expires * 1000000);

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
revoke_reply(podi_flow_t *f, void *ctx)
{
    account_revoke_t       *a = ctx;
    ngx_podi_revocation_t   what;

    what.kind = NGX_PODI_MARK_TOKEN;
    what.issuer = a->who.issuer;
    what.id = a->who.token;
    what.before = 0;
    what.until = a->who.expires;

    (void) ngx_podi_revoke(&what);     /* the feed tells it as well */

    return ngx_podi_reply_empty(f, a->request, NGX_HTTP_NO_CONTENT);
}
