/*
 * ngx_podi_token: access tokens, signed with the first key of
 * podi_token_key_file and read with all of them.
 */

#include "ngx_podi_core.h"
#include "ngx_podi_token.h"


#define NGX_PODI_TOKEN_TYP     "at+jwt"
#define NGX_PODI_TOKEN_CLIENT  "podi"


static const podi_str_t  ngx_podi_token_typ = podi_string(NGX_PODI_TOKEN_TYP);


static void ngx_podi_token_claim(podi_buf_t *b, const char *name,
    const podi_str_t *value);
static podi_rc_t ngx_podi_token_str(ngx_http_request_t *r,
    const json_t *claims, const char *name, podi_str_t *ret_value,
    podi_fail_t *fail);


void
ngx_podi_token_needed(ngx_conf_t *cf)
{
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    pmcf->needs_token = 1;
}


podi_rc_t
ngx_podi_token_mint(ngx_http_request_t *r, const ngx_podi_grant_t *grant,
    podi_str_t *ret_token, time_t *ret_expires)
{
    time_t                       now, expires;
    podi_id_t                    id;
    podi_buf_t                   b;
    podi_str_t                   claims, jti, iss, aud;
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    if (pmcf->token_key == NULL || podi_id_make(&id) != PODI_OK) {
        return PODI_ERROR;
    }

    now = (time_t) (podi_time_now() / 1000000);
    expires = now + pmcf->token_lifetime;

    jti = podi_id_str(&id);
    iss = podi_str_c((char *) pmcf->token_issuer.data);
    aud = podi_str_c((char *) pmcf->token_audience.data);

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_printf(&b, "{\"iat\":%lld,\"exp\":%lld,\"client_id\":\"%s\"",
                    (long long) now, (long long) expires,
                    NGX_PODI_TOKEN_CLIENT);

    ngx_podi_token_claim(&b, "iss", &iss);
    ngx_podi_token_claim(&b, "aud", &aud);
    ngx_podi_token_claim(&b, "jti", &jti);
    ngx_podi_token_claim(&b, "sub", &grant->user);
    ngx_podi_token_claim(&b, "sid", &grant->session);
    ngx_podi_token_claim(&b, "tid", &grant->tenant);
    ngx_podi_token_claim(&b, "rol", &grant->role);
    ngx_podi_token_claim(&b, "src", &grant->source);

    if (grant->channel.len != 0) {
        ngx_podi_token_claim(&b, "chn", &grant->channel);
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &claims) != PODI_OK
        || podi_jose_sign(pmcf->token_key, NGX_PODI_TOKEN_TYP, &claims,
                          ngx_podi_mem(r), ret_token)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_expires = expires;

    return PODI_OK;
}


podi_rc_t
ngx_podi_token_statement(ngx_http_request_t *r,
    const ngx_podi_statement_t *statement, podi_str_t *ret_token,
    podi_fail_t *fail)
{
    podi_buf_t                   b;
    podi_str_t                   claims, iss, aud;
    ngx_podi_ctx_t              *pc;
    const ngx_podi_main_conf_t  *pmcf;

    pc = ngx_podi_ctx(r);
    pmcf = ngx_podi_conf();

    if (pmcf->token_key == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "there is no podi_token_key_file to sign with");
    }

    iss = podi_str_c((char *) pmcf->token_issuer.data);
    aud = podi_str_c(statement->aud);

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_printf(&b, "{\"iat\":%lld",
                    (long long) (podi_time_now() / 1000000));

    ngx_podi_token_claim(&b, "iss", &iss);
    ngx_podi_token_claim(&b, "aud", &aud);
    ngx_podi_token_claim(&b, "sub", &pc->identity.user);
    ngx_podi_token_claim(&b, "tid", &pc->identity.tenant);

    podi_buf_printf(&b, ",\"%s\":", statement->name);
    podi_buf_add_str(&b, &statement->json);
    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &claims) != PODI_OK
        || podi_jose_sign(pmcf->token_key, statement->typ, &claims,
                          ngx_podi_mem(r), ret_token)
           != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "cannot sign");
    }

    return PODI_OK;
}


static void
ngx_podi_token_claim(podi_buf_t *b, const char *name,
    const podi_str_t *value)
{
    podi_buf_printf(b, ",\"%s\":", name);
    podi_buf_add_json(b, value);
}


void
ngx_podi_token_expect(const ngx_podi_main_conf_t *pmcf, podi_str_t *aud,
    podi_jose_expect_t *ret_expect)
{
    *aud = podi_str_c((char *) pmcf->token_audience.data);

    ngx_memzero(ret_expect, sizeof(podi_jose_expect_t));

    ret_expect->typ.items = &ngx_podi_token_typ;
    ret_expect->typ.n = 1;
    ret_expect->aud.items = aud;
    ret_expect->aud.n = 1;
    ret_expect->iss = podi_str_c((char *) pmcf->token_issuer.data);
    ret_expect->leeway = NGX_PODI_TOKEN_LEEWAY;
    ret_expect->max_life = NGX_PODI_TOKEN_LIFE;
}


/* some kilobytes are needed to verify, and a few words are kept */

podi_rc_t
ngx_podi_token_read(ngx_http_request_t *r, const podi_str_t *token,
    ngx_podi_identity_t *ret_identity, podi_fail_t *fail)
{
    json_t                      *claims;
    podi_rc_t                    rc;
    podi_str_t                   aud;
    podi_arena_t                *arena;
    podi_jose_expect_t           expect;
    ngx_podi_identity_t          who;
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    ngx_podi_token_expect(pmcf, &aud, &expect);
    expect.now = podi_time_now();

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = podi_jose_verify(pmcf->token_ring, token, &expect,
                          podi_arena_mem(arena), &claims, fail);

    if (rc == PODI_OK) {
        ngx_memzero(&who, sizeof(ngx_podi_identity_t));
        rc = ngx_podi_token_identity(r, claims, &who, fail);
    }

    podi_arena_free(&arena);

    if (rc == PODI_OK) {
        *ret_identity = who;
    }

    return rc;
}


podi_rc_t
ngx_podi_token_identity(ngx_http_request_t *r, const json_t *claims,
    ngx_podi_identity_t *who, podi_fail_t *fail)
{
    podi_id_t   id;
    podi_str_t  value;

    if (ngx_podi_token_str(r, claims, "sub", &who->user, fail) != PODI_OK
        || ngx_podi_token_str(r, claims, "sid", &who->session, fail) != PODI_OK
        || ngx_podi_token_str(r, claims, "tid", &who->tenant, fail) != PODI_OK
        || ngx_podi_token_str(r, claims, "jti", &who->token, fail) != PODI_OK
        || ngx_podi_token_str(r, claims, "rol", &who->role, fail) != PODI_OK
        || ngx_podi_token_str(r, claims, "src", &who->source, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_id_parse(&who->user, &id) != PODI_OK
        || podi_id_parse(&who->session, &id) != PODI_OK
        || podi_id_parse(&who->tenant, &id) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "sub, sid or tid is no UUID");
    }

    value = podi_json_str(json_object_get(claims, "chn"));

    if (podi_mem_dup(ngx_podi_mem(r), &value, &who->channel) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    who->issuer = podi_str_c(NGX_PODI_ISSUER);
    who->issued = (time_t) json_integer_value(json_object_get(claims, "iat"));
    who->expires = (time_t) json_integer_value(json_object_get(claims, "exp"));
    who->known = 1;
    who->ours = 1;

    return PODI_OK;
}


static podi_rc_t
ngx_podi_token_str(ngx_http_request_t *r, const json_t *claims,
    const char *name, podi_str_t *ret_value, podi_fail_t *fail)
{
    podi_str_t  value;

    value = podi_json_str(json_object_get(claims, name));

    if (value.len == 0) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL, "no claim %s",
                         name);
    }

    if (podi_mem_dup(ngx_podi_mem(r), &value, ret_value) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
ngx_podi_token_jwks(ngx_http_request_t *r, podi_str_t *ret_text)
{
    return podi_jose_ring_jwks(ngx_podi_conf()->token_ring, ngx_podi_mem(r),
                               ret_text);
}
