/*
 * Variables for access logs and for proxy_set_header.
 *
 *     $podi_tenant $podi_user $podi_session $podi_role $podi_scope
 *     $podi_issuer $podi_channel $podi_plan $podi_credential   who asks
 *     $podi_claim_NAME            a member of the token's claims
 *     $podi_decision              what the gateway made of the request
 *
 * An unknown one is empty ("not found", so logs show "-").  A claim is parsed
 * out of the token where it is used: who uses none pays for none.  A text is
 * given as it is, all else as JSON; one with a control character is not given
 * at all, since it would break out of a header or a line of a log.
 */

#include "ngx_http_podi_auth.h"
#include "ngx_podi_channel.h"


typedef enum {
    VARIABLE_TENANT,
    VARIABLE_USER,
    VARIABLE_SESSION,
    VARIABLE_ROLE,
    VARIABLE_SCOPE,
    VARIABLE_ISSUER,
    VARIABLE_CHANNEL,
    VARIABLE_PLAN,
    VARIABLE_CREDENTIAL
} ngx_http_podi_variable_e;


static ngx_int_t variable_identity(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static podi_str_t variable_of(const ngx_podi_ctx_t *pc, uintptr_t data);
static ngx_int_t variable_claim(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static const json_t *variable_member(const json_t *claims,
    const podi_str_t *name);
static ngx_int_t variable_decision(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void variable_member_c(podi_buf_t *b, const char *name,
    const char *value);
static void variable_member_str(podi_buf_t *b, const char *name,
    const podi_str_t *value);
static void variable_set(ngx_http_variable_value_t *v,
    const podi_str_t *value);


static const char *const  variable_credentials[] = {
    "", "header", "cookie", "query", "api_key"
};


static ngx_http_variable_t  ngx_http_podi_auth_vars[] = {

    { ngx_string("podi_tenant"), NULL, variable_identity,
      VARIABLE_TENANT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_user"), NULL, variable_identity,
      VARIABLE_USER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_session"), NULL, variable_identity,
      VARIABLE_SESSION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_role"), NULL, variable_identity,
      VARIABLE_ROLE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_scope"), NULL, variable_identity,
      VARIABLE_SCOPE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_issuer"), NULL, variable_identity,
      VARIABLE_ISSUER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_channel"), NULL, variable_identity,
      VARIABLE_CHANNEL, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_plan"), NULL, variable_identity,
      VARIABLE_PLAN, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_credential"), NULL, variable_identity,
      VARIABLE_CREDENTIAL, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("podi_claim_"), NULL, variable_claim,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("podi_decision"), NULL, variable_decision,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_podi_auth_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_podi_auth_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
variable_identity(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    podi_str_t       value;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(r);
    if (pc == NULL) {
        return NGX_ERROR;
    }

    value = variable_of(pc, data);

    variable_set(v, &value);

    return NGX_OK;
}


static podi_str_t
variable_of(const ngx_podi_ctx_t *pc, uintptr_t data)
{
    podi_str_t                  nothing = podi_null_str;
    const ngx_podi_identity_t  *who = &pc->identity;

    switch (data) {

    case VARIABLE_TENANT:
        return who->tenant;

    case VARIABLE_USER:
        return who->user;

    case VARIABLE_SESSION:
        return who->session;

    case VARIABLE_ROLE:
        return who->role;

    case VARIABLE_SCOPE:
        return who->scope;

    case VARIABLE_ISSUER:
        return who->issuer;

    case VARIABLE_CHANNEL:
        return (pc->channel != NULL) ? pc->channel->name : who->channel;

    case VARIABLE_PLAN:
        return (who->plan.len == 0 && pc->channel != NULL)
               ? pc->channel->plan : who->plan;

    case VARIABLE_CREDENTIAL:
        return podi_str_c(variable_credentials[who->credential]);

    default:
        return nothing;
    }
}


static void
variable_set(ngx_http_variable_value_t *v, const podi_str_t *value)
{
    v->data = value->data;
    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (value->len == 0);
}


static ngx_int_t
variable_claim(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    size_t           i;
    ngx_str_t       *var = (ngx_str_t *) data;
    podi_str_t       name, value = podi_null_str;
    podi_mem_t      *mem;
    const json_t    *claim;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(r);
    if (pc == NULL) {
        return NGX_ERROR;
    }

    variable_set(v, &value);

    if (!pc->identity.known || pc->identity.claims.len == 0) {
        return NGX_OK;
    }

    mem = ngx_podi_mem(r);

    name.data = var->data + sizeof("podi_claim_") - 1;
    name.len = var->len - (sizeof("podi_claim_") - 1);

    claim = variable_member(ngx_http_podi_auth_claims(&pc->identity.claims,
                                                      mem), &name);

    if (json_is_string(claim)) {
        value = podi_json_str(claim);

    } else if (claim != NULL && !json_is_null(claim)
               && podi_json_dump(claim, mem, &value) != PODI_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f) {
            return NGX_OK;
        }
    }

    variable_set(v, &value);

    return NGX_OK;
}


/* nginx has folded the name; of several spellings the exact one is meant */

static const json_t *
variable_member(const json_t *claims, const podi_str_t *name)
{
    void          *at;
    const char    *key;
    const json_t  *found;

    found = json_object_getn(claims, (char *) name->data, name->len);

    for (at = json_object_iter((json_t *) claims); found == NULL && at != NULL;
         at = json_object_iter_next((json_t *) claims, at))
    {
        key = json_object_iter_key(at);

        if (ngx_strlen(key) == name->len
            && ngx_strncasecmp((u_char *) key, name->data, name->len) == 0)
        {
            found = json_object_iter_value(at);
        }
    }

    return found;
}


/* only what there is to say; the order is fixed */

static ngx_int_t
variable_decision(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    podi_buf_t                  b;
    podi_str_t                  value;
    ngx_podi_ctx_t             *pc;
    const ngx_podi_identity_t  *who;
    const ngx_podi_decision_t  *d;

    pc = ngx_podi_ctx(r);
    if (pc == NULL) {
        return NGX_ERROR;
    }

    d = &pc->decision;
    who = &pc->identity;

    podi_buf_init(&b, ngx_podi_mem(r));

    variable_member_c(&b, "by", d->by);
    variable_member_c(&b, "error", (d->error != PODI_E_NONE)
                                   ? podi_error(d->error)->code : NULL);
    variable_member_c(&b, "would_by", d->would_by);
    variable_member_c(&b, "would", (d->would != PODI_E_NONE)
                                   ? podi_error(d->would)->code : NULL);
    variable_member_c(&b, "cache", d->cache);
    variable_member_str(&b, "issuer", &who->issuer);
    variable_member_c(&b, "credential",
                      variable_credentials[who->credential]);
    variable_member_str(&b, "kid", &who->kid);
    variable_member_c(&b, "rule", d->rule);
    variable_member_str(&b, "limit", &d->limit);

    if (d->limit.len != 0) {
        podi_buf_printf(&b, ",\"left\":%lld", (long long) d->left);
    }

    variable_member_c(&b, "mode", d->mode);

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &value) != PODI_OK) {
        return NGX_ERROR;
    }

    if (value.len == 1) {
        value = podi_str_c("{}");
    } else {
        value.data[0] = '{';            /* was the first comma */
    }

    variable_set(v, &value);

    return NGX_OK;
}


static void
variable_member_c(podi_buf_t *b, const char *name, const char *value)
{
    podi_str_t  s = podi_str_c(value);

    variable_member_str(b, name, &s);
}


static void
variable_member_str(podi_buf_t *b, const char *name, const podi_str_t *value)
{
    if (value->len != 0) {
        podi_buf_printf(b, ",\"%s\":", name);
        podi_buf_add_json(b, value);
    }
}
