/*
 * What a request has to wait for before it is known who asks.
 *
 *     no key of that kid    fetch the issuer's keys -> verify again -.
 *     an API key            look it up (PG) -------------------------+-> live?
 *     session unknown here  <----------------------------------------'
 *                           look it up (PG) -> verdict
 *
 * The verdict is left in ctx, so that the phase handler says it, whether there
 * was something to wait for or not.  When PostgreSQL is down, nobody gets in
 * who has to be asked for there: 503.
 */

#include "ngx_http_podi_auth_cache.h"
#include "ngx_http_podi_auth_keys.h"
#include "podi_hash.h"


#define AWAIT_API_KEY_LIFE  30          /* seconds, in the cache */


static podi_rc_t await_keys(podi_flow_t *f, void *ctx);
static podi_rc_t await_read_again(podi_flow_t *f, void *ctx);
static podi_rc_t await_ask_api_key(podi_flow_t *f, void *ctx);
static podi_rc_t await_take_api_key(podi_flow_t *f, void *ctx);
static podi_rc_t await_api_key_row(ngx_http_podi_auth_ctx_t *a,
    const podi_pg_result_t *res, podi_fail_t *fail);
static podi_rc_t await_end(podi_flow_t *f, ngx_http_podi_auth_ctx_t *a);


static const podi_step_t  await_steps[] = {
    { "fetching the issuer's keys", await_keys, PODI_MAY_FAIL },
    { "reading the token again",    await_read_again, 0 },
    { "looking the API key up",     await_ask_api_key, PODI_MAY_FAIL },
    { "reading the API key",        await_take_api_key, 0 },
    { "checking the identity",      ngx_http_podi_auth_ask_session,
      PODI_MAY_FAIL },
    { "judging the identity",       ngx_http_podi_auth_take_session, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_auth_await(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, ngx_http_podi_await_e await)
{
    ctx->await = await;

    return ngx_podi_flow_gate(r, "auth", await_steps, ctx);
}


static podi_rc_t
await_keys(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_auth_ctx_t  *a = ctx;

    if (a->await != NGX_HTTP_PODI_AWAIT_KEYS) {
        return PODI_OK;
    }

    return ngx_http_podi_auth_keys_wait(f, a->issuer);
}


/* also when they could not be fetched: the old ones may do */

static podi_rc_t
await_read_again(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_auth_ctx_t  *a = ctx;

    if (a->await != NGX_HTTP_PODI_AWAIT_KEYS) {
        return PODI_OK;
    }

    ngx_memzero(&f->fail, sizeof(podi_fail_t));

    if (ngx_http_podi_auth_verify(a->request, a, &f->fail) != PODI_OK) {
        ngx_http_podi_auth_deny(a, &f->fail);
        return PODI_DONE;
    }

    return await_end(f, a);
}


/* a look-up goes on with the next step; all else is the end */

static podi_rc_t
await_end(podi_flow_t *f, ngx_http_podi_auth_ctx_t *a)
{
    if (ngx_http_podi_auth_live(a) != PODI_AGAIN) {
        return PODI_DONE;
    }

    a->await = NGX_HTTP_PODI_AWAIT_SESSION;

    return PODI_OK;
}


static podi_rc_t
await_ask_api_key(podi_flow_t *f, void *ctx)
{
    u_char                    *digest;
    podi_str_t                 hash, id, secret, tenant;
    podi_pg_call_t             call;
    ngx_http_podi_auth_ctx_t  *a = ctx;

    if (a->await != NGX_HTTP_PODI_AWAIT_API_KEY) {
        return PODI_OK;
    }

    digest = podi_mem_alloc(f->mem, PODI_SHA256_LEN);

    if (digest == NULL
        || ngx_podi_api_key_parts(&a->token, f->mem, &tenant, &id,
                                            &secret)
           != PODI_OK
        || podi_sha256(&secret, digest) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    hash.data = digest;
    hash.len = PODI_SHA256_LEN;

    podi_pg_call_init(&call, PODI_SQL_API_KEY_OPEN, f->mem);
    podi_arg_str(&call, &id);
    podi_arg_bytea(&call, &hash);

    return ngx_podi_pg_call_tenant(f, &call, &tenant);
}


static podi_rc_t
await_take_api_key(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_auth_ctx_t  *a = ctx;

    if (a->await != NGX_HTTP_PODI_AWAIT_API_KEY) {
        return PODI_OK;
    }

    /* a tenant that is no more has no keys */

    if (f->result == NULL && f->fail.error != PODI_E_NOT_FOUND) {
        ngx_http_podi_auth_deny(a, &f->fail);
        return PODI_DONE;
    }

    if (f->result == NULL || podi_rows(f->result) == 0) {
        (void) podi_fail(&f->fail, PODI_E_TOKEN_INVALID, NULL,
                         "there is no such API key");
        ngx_http_podi_auth_deny(a, &f->fail);
        return PODI_DONE;
    }

    if (await_api_key_row(a, f->result, &f->fail) != PODI_OK) {
        ngx_http_podi_auth_deny(a, &f->fail);
        return PODI_DONE;
    }

    /* PostgreSQL has just said that it lives */

    if (ngx_http_podi_auth_live(a) == PODI_AGAIN) {
        a->decided = 1;
    }

    return PODI_DONE;
}


static podi_rc_t
await_api_key_row(ngx_http_podi_auth_ctx_t *a, const podi_pg_result_t *res,
    podi_fail_t *fail)
{
    ngx_uint_t                  i;
    podi_mem_t                 *mem = ngx_podi_mem(a->request);
    podi_str_t                  value;
    ngx_podi_identity_t         who;
    ngx_http_podi_auth_basis_t  basis;

    struct {
        const char  *column;
        podi_str_t  *field;
    } fields[] = {
        { "tenant_id", &who.tenant },
        { "user_id",   &who.user },
        { "key_id",    &who.session },
        { "role",      &who.role },
        { "scope",     &who.scope },
        { "channel",   &who.channel }
    };

    ngx_memzero(&who, sizeof(ngx_podi_identity_t));

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        value = podi_row_str(res, 0, fields[i].column);

        if (podi_mem_dup(mem, &value, fields[i].field) != PODI_OK) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    who.token = who.session;
    who.source = podi_str_c("api_key");
    who.issuer = podi_str_c(NGX_PODI_ISSUER);
    who.issued = (time_t) (podi_row_time(res, 0, "created_at") / 1000000);
    who.expires = (time_t) (podi_row_time(res, 0, "expires_at") / 1000000);
    who.known = 1;
    who.ours = 1;

    if (ngx_http_podi_auth_rules(a->conf->policy->rules, NULL,
                                 PODI_E_FORBIDDEN, fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    a->who = who;

    basis.issuer = 0;
    basis.generation = ngx_http_podi_auth_generation(0);
    basis.until = ngx_min(who.expires, ngx_time() + AWAIT_API_KEY_LIFE);

    ngx_http_podi_auth_cache_put(a->request, a->conf->policy->id, &a->token,
                                 &who, &basis);

    return PODI_OK;
}
