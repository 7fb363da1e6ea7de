/*
 * What happens to a request that has to say who asks.
 *
 *     credential -> cache -> revoked? -> channel -> podi_require -> identity
 *                    |         |
 *                    miss      unknown: ask PostgreSQL (parked)
 *                    |
 *                    too many failures? -> verify, put
 *
 * The ctx is kept over internal redirects, with what podi_auth_strip has taken
 * out of the request: each location looks into its own sources, by its own
 * rules.  Nothing of a request is ever written to a conf.
 */

#include "ngx_http_podi_auth_cache.h"
#include "ngx_podi_bucket.h"


static ngx_int_t auth_begin(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx);
static ngx_int_t auth_read(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);
static ngx_int_t auth_read_unknown(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, podi_fail_t *fail);
static ngx_int_t auth_read_known(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx);
static ngx_int_t auth_conclude(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx);
static void auth_accept(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx);
static ngx_int_t auth_refuse(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx, const podi_fail_t *fail,
    const ngx_http_podi_want_t *want);
static ngx_uint_t auth_goes_on(ngx_http_request_t *r,
    const ngx_http_podi_auth_ctx_t *ctx, const podi_fail_t *fail);
static ngx_uint_t auth_is_anonymous_route(ngx_http_request_t *r);


ngx_int_t
ngx_http_podi_auth_handler(ngx_http_request_t *r)
{
    ngx_int_t                             rc;
    ngx_http_podi_auth_ctx_t             *ctx;
    const ngx_http_podi_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_auth_module);

    if (alcf->mode == NGX_HTTP_PODI_AUTH_OFF || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_podi_auth_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* not the first time here: parked, or redirected to the same location */

    if (ctx->conf != alcf) {

        ctx->conf = alcf;

        rc = auth_begin(r, ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return auth_conclude(r, ctx);
}


ngx_http_podi_auth_ctx_t *
ngx_http_podi_auth_ctx(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NULL;
    }

    if (pr->auth == NULL) {

        pr->auth = ngx_pcalloc(r->pool, sizeof(ngx_http_podi_auth_ctx_t));
        if (pr->auth == NULL) {
            return NULL;
        }

        pr->auth->request = r;
    }

    return pr->auth;
}


/* OK: there is a verdict in ctx */

static ngx_int_t
auth_begin(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx)
{
    podi_rc_t    rc;
    podi_fail_t  fail;

    ctx->decided = 0;
    ctx->honest = 0;
    ctx->fail = NULL;
    ctx->await = NGX_HTTP_PODI_AWAIT_NOTHING;
    ctx->who.known = 0;
    ctx->token.len = 0;
    ctx->token.data = NULL;
    ctx->beside.len = 0;
    ctx->credential = NGX_PODI_CREDENTIAL_NONE;

    /* whoever was somebody in another location has to be it here, too */

    ngx_memzero(&ngx_podi_ctx(r)->identity, sizeof(ngx_podi_identity_t));

    rc = ngx_http_podi_auth_credential(r, ctx, &fail);

    if (rc == PODI_OK) {
        return auth_read(r, ctx, &fail);
    }

    if (rc == PODI_DECLINED) {
        (void) podi_fail(&fail, PODI_E_UNAUTHENTICATED, NULL,
                         "there is no token");
    }

    ngx_http_podi_auth_deny(ctx, &fail);

    return NGX_OK;
}


static ngx_int_t
auth_read(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail)
{
    if (ctx->credential == NGX_PODI_CREDENTIAL_API_KEY
        && !(ctx->conf->api_keys
             && ngx_podi_api_key_is_whole(&ctx->token)))
    {
        (void) podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "this is no API key, or none is taken here");
        ngx_http_podi_auth_deny(ctx, fail);
        return NGX_OK;
    }

    if (ngx_http_podi_auth_cache_get(r, ctx->conf->policy->id, &ctx->token,
                                     &ctx->who)
        != PODI_OK)
    {
        return auth_read_unknown(r, ctx, fail);
    }

    /* the cache knows tokens, not how they came */

    if (podi_str_eq_c(&ctx->who.source, "api_key")
        != (ctx->credential == NGX_PODI_CREDENTIAL_API_KEY))
    {
        (void) podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "an API key that does not come as one");
        ngx_http_podi_auth_deny(ctx, fail);
        return NGX_OK;
    }

    if (ngx_http_podi_auth_beside(ctx, fail) != PODI_OK) {
        ngx_http_podi_auth_deny(ctx, fail);
        return NGX_OK;
    }

    return auth_read_known(r, ctx);
}


/* whoever has failed too often costs us nothing more */

static ngx_int_t
auth_read_unknown(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    podi_fail_t *fail)
{
    podi_rc_t  rc;

    if ((!ctx->charged && ngx_podi_failures_take(r, fail) != PODI_OK)
        || ngx_http_podi_auth_beside(ctx, fail) != PODI_OK)
    {
        ngx_http_podi_auth_deny(ctx, fail);
        return NGX_OK;
    }

    if (ctx->credential == NGX_PODI_CREDENTIAL_API_KEY) {
        return ngx_http_podi_auth_await(r, ctx, NGX_HTTP_PODI_AWAIT_API_KEY);
    }

    rc = ngx_http_podi_auth_verify(r, ctx, fail);

    if (rc == PODI_AGAIN) {
        return ngx_http_podi_auth_await(r, ctx, NGX_HTTP_PODI_AWAIT_KEYS);
    }

    if (rc != PODI_OK) {
        ngx_http_podi_auth_deny(ctx, fail);
        return NGX_OK;
    }

    return auth_read_known(r, ctx);
}


static ngx_int_t
auth_read_known(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx)
{
    if (ngx_http_podi_auth_live(ctx) == PODI_AGAIN) {
        return ngx_http_podi_auth_await(r, ctx, NGX_HTTP_PODI_AWAIT_SESSION);
    }

    return NGX_OK;
}


podi_rc_t
ngx_http_podi_auth_live(ngx_http_podi_auth_ctx_t *ctx)
{
    podi_fail_t  fail;

    ngx_podi_failures_forgive(ctx->request);    /* it is no forgery */

    switch (ngx_podi_identity_state(&ctx->who)) {

    case NGX_PODI_LIVE:
        ctx->decided = 1;
        return PODI_OK;

    case NGX_PODI_REVOKED:
        (void) podi_fail(&fail, PODI_E_TOKEN_REVOKED, NULL,
                         "it is revoked, or its session has ended");
        ngx_http_podi_auth_deny(ctx, &fail);
        return PODI_OK;

    default:
        return PODI_AGAIN;
    }
}


void
ngx_http_podi_auth_deny(ngx_http_podi_auth_ctx_t *ctx,
    const podi_fail_t *fail)
{
    static const podi_fail_t  none = { .error = PODI_E_INTERNAL };

    ctx->decided = 1;
    ctx->who.known = 0;

    /* a bad token is one failure, in however many locations it is shown */

    if (fail->error == PODI_E_TOKEN_INVALID && !ctx->honest && !ctx->charged)
    {
        ctx->charged = 1;
        ngx_podi_failures_charge(ctx->request);

    } else {
        ngx_podi_failures_forgive(ctx->request);
    }

    ctx->fail = ngx_palloc(ctx->request->pool, sizeof(podi_fail_t));

    if (ctx->fail == NULL) {
        ctx->fail = &none;
        return;
    }

    *(podi_fail_t *) ctx->fail = *fail;
}


/* undecided: the look-up took too long, and podi_dry_run let it pass */

static ngx_int_t
auth_conclude(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx)
{
    podi_fail_t                  fail;
    ngx_podi_loc_conf_t         *plcf;
    const ngx_http_podi_want_t  *want;

    if (!ctx->decided) {
        plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

        return plcf->dry_run ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->fail != NULL) {
        return auth_refuse(r, ctx, ctx->fail, NULL);
    }

    ctx->who.credential = ctx->credential;

    if (ngx_podi_channel_bind(r, &ctx->who, &fail) != PODI_OK) {
        return auth_refuse(r, ctx, &fail, NULL);
    }

    want = ngx_http_podi_auth_lacks(ctx->conf, &ctx->who);

    if (want != NULL) {
        (void) podi_fail(&fail, PODI_E_FORBIDDEN, NULL,
                         "%s is none of: " PODI_STR_FMT,
                         ngx_http_podi_auth_want_name(want),
                         podi_str_arg(&want->all));
        return auth_refuse(r, ctx, &fail, want);
    }

    auth_accept(r, ctx);

    return NGX_OK;
}


static void
auth_accept(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx)
{
    if (ctx->credential != NGX_PODI_CREDENTIAL_API_KEY) {
        ctx->who.claims = ngx_http_podi_auth_payload(&ctx->token);
    }

    ngx_podi_ctx(r)->identity = ctx->who;

    ngx_podi_count(NGX_PODI_COUNT_AUTH_OK);
}


/*
 * With `satisfy any` another module may still let the request in, so nginx
 * has to be told, and answers in its own words when nobody does.  What is
 * lacking for a 403 is for the log, not for the one who asks.
 */

static ngx_int_t
auth_refuse(ngx_http_request_t *r, ngx_http_podi_auth_ctx_t *ctx,
    const podi_fail_t *fail, const ngx_http_podi_want_t *want)
{
    ngx_int_t                  status;
    podi_str_t                 scope = podi_null_str;
    podi_fail_t                said;
    ngx_podi_loc_conf_t       *plcf;
    ngx_http_core_loc_conf_t  *clcf;

    if (auth_goes_on(r, ctx, fail)) {
        return NGX_DECLINED;
    }

    said = *fail;
    status = podi_error(fail->error)->http;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (fail->error == PODI_E_FORBIDDEN) {

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "podi: %*s, of user %*s of %*s",
                      ngx_strlen(fail->detail), fail->detail,
                      ctx->who.user.len, ctx->who.user.data,
                      ctx->who.issuer.len, ctx->who.issuer.data);

        (void) podi_fail(&said, PODI_E_FORBIDDEN, NULL,
                         "a rule of this place does not hold");
    }

    if (want != NULL && want->kind == NGX_HTTP_PODI_WANT_SCOPE) {
        scope = want->all;
    }

    if (plcf->dry_run) {
        return ngx_podi_refuse(r, "auth", &said);
    }

    ngx_podi_count(NGX_PODI_COUNT_AUTH_REFUSED);

    if (status == NGX_HTTP_UNAUTHORIZED
        && clcf->satisfy != NGX_HTTP_SATISFY_ANY
        && ngx_http_podi_auth_to_login(r, ctx, &said) == NGX_DONE)
    {
        return NGX_DONE;
    }

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY
        && (status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN))
    {
        return ngx_podi_challenge(r, fail, &scope);
    }

    if ((status == NGX_HTTP_BAD_REQUEST || status == NGX_HTTP_FORBIDDEN)
        && ngx_podi_challenge(r, fail, &scope) != status)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_refuse(r, "auth", &said);
}


/*
 * As nobody: on a route that needs no identity, and, where podi_auth is
 * optional, without a token.  A cookie that is no good any more is none: the
 * browser sends it, and nobody has asked it to.
 */

static ngx_uint_t
auth_goes_on(ngx_http_request_t *r, const ngx_http_podi_auth_ctx_t *ctx,
    const podi_fail_t *fail)
{
    ngx_uint_t                            status;
    const ngx_http_podi_auth_loc_conf_t  *alcf = ctx->conf;

    status = podi_error(fail->error)->http;

    if (auth_is_anonymous_route(r)) {
        return status == NGX_HTTP_UNAUTHORIZED
               || status == NGX_HTTP_FORBIDDEN
               || status == NGX_HTTP_TOO_MANY_REQUESTS;
    }

    return alcf->mode == NGX_HTTP_PODI_AUTH_OPTIONAL && alcf->wants == NULL
           && status == NGX_HTTP_UNAUTHORIZED
           && (ctx->credential == NGX_PODI_CREDENTIAL_NONE
               || ctx->credential == NGX_PODI_CREDENTIAL_COOKIE);
}


static ngx_uint_t
auth_is_anonymous_route(ngx_http_request_t *r)
{
    const ngx_podi_route_t  *route;

    route = ngx_podi_route_here(r);

    return route != NULL && (route->flags & NGX_PODI_ANON);
}
