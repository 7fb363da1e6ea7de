/*
 * auth: who is asking.
 *
 *     credential -> cache -> revoked? -> identity -> next phase
 *                     |         |
 *                     |         +- unknown: ask PostgreSQL (parked)
 *                     +- miss: verify, put
 *
 * An access-phase handler: works in front of proxy_pass as well.  What has
 * been revoked is looked up in shared memory at each request, so a logout
 * counts from the next one on.
 *
 * In a location with PODI content, a route that may be anonymous gets an
 * identity when there is a good token, and none otherwise.
 */

#include "ngx_http_podi_auth_cache.h"
#include "ngx_http_podi_auth_keys.h"


static ngx_int_t ngx_http_podi_auth_handler(ngx_http_request_t *r);
static podi_rc_t ngx_http_podi_auth_read(ngx_http_request_t *r,
    const podi_str_t *token, ngx_podi_identity_t *who, podi_fail_t *fail);
static ngx_int_t ngx_http_podi_auth_refuse(ngx_http_request_t *r,
    const podi_fail_t *fail);
static char *ngx_http_podi_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_podi_auth_stale(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_podi_auth_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_podi_auth_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_podi_auth_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_auth_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_podi_auth_start(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_podi_auth_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_podi_auth_commands[] = {

    { ngx_string("podi_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_podi_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_auth_loc_conf_t, on),
      NULL },

    { ngx_string("podi_jwks"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_auth_jwks,
      0,
      0,
      NULL },

    { ngx_string("podi_token_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_podi_auth_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_revocation_stale"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_podi_auth_stale,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_auth_main_conf_t, stale),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_auth_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_auth_init,               /* postconfiguration */

    ngx_http_podi_auth_create_main_conf,   /* create main configuration */
    ngx_http_podi_auth_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_auth_create_loc_conf,    /* create location configuration */
    ngx_http_podi_auth_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_podi_auth_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_auth_module_ctx,        /* module context */
    ngx_http_podi_auth_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_podi_auth_start,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_podi_auth_feed_stop,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_auth_handler(ngx_http_request_t *r)
{
    podi_rc_t                       rc;
    podi_str_t                      token;
    podi_fail_t                     fail;
    ngx_http_podi_auth_ctx_t       *ctx;
    ngx_http_podi_auth_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_auth_module);

    if (!alcf->on || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_auth_module);

    if (ctx != NULL) {
        return ctx->decided ? NGX_OK : NGX_DECLINED;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_podi_auth_ctx_t));

    if (ctx == NULL || ngx_podi_request(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->request = r;
    ngx_http_set_ctx(r, ctx, ngx_http_podi_auth_module);

    ngx_memzero(&fail, sizeof(podi_fail_t));

    rc = ngx_http_podi_auth_credential(r, &token, &fail);

    if (rc == PODI_DECLINED) {
        (void) podi_fail(&fail, PODI_E_UNAUTHENTICATED, NULL,
                         "there is no token");
    }

    if (rc != PODI_OK
        || ngx_http_podi_auth_read(r, &token, &ctx->who, &fail) != PODI_OK)
    {
        return ngx_http_podi_auth_refuse(r, &fail);
    }

    switch (ngx_podi_identity_state(&ctx->who)) {

    case NGX_PODI_LIVE:
        ngx_http_podi_auth_accept(r, ctx);
        return NGX_OK;

    case NGX_PODI_REVOKED:
        (void) podi_fail(&fail, PODI_E_TOKEN_REVOKED, NULL,
                         "it is revoked, or its session has ended");
        return ngx_http_podi_auth_refuse(r, &fail);

    default:
        return ngx_http_podi_auth_session(r, ctx);
    }
}


static podi_rc_t
ngx_http_podi_auth_read(ngx_http_request_t *r, const podi_str_t *token,
    ngx_podi_identity_t *who, podi_fail_t *fail)
{
    ngx_http_podi_auth_basis_t  basis;

    if (ngx_http_podi_auth_cache_get(r, 0, token, who) == PODI_OK) {
        return PODI_OK;
    }

    if (ngx_podi_token_read(r, token, who, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    basis.issuer = 0;
    basis.generation = ngx_http_podi_auth_generation(0);
    basis.until = who->expires;

    ngx_http_podi_auth_cache_put(r, 0, token, who, &basis);

    return PODI_OK;
}


/* the key files are read with the configuration: of one generation */

ngx_uint_t
ngx_http_podi_auth_generation(ngx_uint_t issuer)
{
    return 1;
}


void
ngx_http_podi_auth_accept(ngx_http_request_t *r,
    ngx_http_podi_auth_ctx_t *ctx)
{
    ngx_podi_ctx(r)->identity = ctx->who;
    ctx->decided = 1;

    ngx_podi_count(NGX_PODI_COUNT_AUTH_OK);
}


ngx_uint_t
ngx_http_podi_auth_is_optional(ngx_http_request_t *r)
{
    const ngx_podi_route_t  *route;

    route = ngx_podi_route_here(r);

    return route != NULL && (route->flags & NGX_PODI_ANON);
}


/*
 * With `satisfy any` another module may still let the request in, so nginx
 * has to be told, and answers in its own words when nobody does.
 */

static ngx_int_t
ngx_http_podi_auth_refuse(ngx_http_request_t *r, const podi_fail_t *fail)
{
    podi_str_t                 none = podi_null_str;
    ngx_http_core_loc_conf_t  *clcf;

    if (podi_error(fail->error)->http == NGX_HTTP_UNAUTHORIZED
        && ngx_http_podi_auth_is_optional(r))
    {
        return NGX_DECLINED;
    }

    ngx_podi_count(NGX_PODI_COUNT_AUTH_REFUSED);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY
        && podi_error(fail->error)->http == NGX_HTTP_UNAUTHORIZED)
    {
        return ngx_podi_challenge(r, fail, &none);
    }

    return ngx_podi_refuse(r, "auth", fail);
}


static char *
ngx_http_podi_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                            *rv;
    ngx_podi_main_conf_t            *pmcf;
    ngx_http_podi_auth_loc_conf_t   *alcf = conf;
    ngx_http_podi_auth_main_conf_t  *amcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !alcf->on) {
        return rv;
    }

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_auth_module);

    pmcf->needs_pg = 1;
    pmcf->needs_token = 1;
    amcf->used = 1;

    return NGX_CONF_OK;
}


/* whole seconds, and more of them than a round of the feed may take */

static char *
ngx_http_podi_auth_stale(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                            *rv;
    ngx_http_podi_auth_main_conf_t  *amcf = conf;

    rv = ngx_conf_set_sec_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK && (amcf->stale < 2 || amcf->stale > 3600)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_revocation_stale\" is out of range: write "
                           "a time between 2s and 1h");
        return NGX_CONF_ERROR;
    }

    return rv;
}


static void *
ngx_http_podi_auth_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_auth_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    amcf->stale = NGX_CONF_UNSET;

    amcf->cache = ngx_http_podi_auth_cache_create(cf);

    return (amcf->cache == NULL) ? NULL : amcf;
}


static char *
ngx_http_podi_auth_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_podi_auth_main_conf_t  *amcf = conf;

    ngx_conf_init_value(amcf->stale, 10);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_auth_start(ngx_cycle_t *cycle)
{
    if (ngx_http_podi_auth_cache_start(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_podi_auth_feed_start(cycle);
}


static void *
ngx_http_podi_auth_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_auth_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_auth_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->on = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_podi_auth_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_auth_loc_conf_t  *prev = parent;
    ngx_http_podi_auth_loc_conf_t  *conf = child;

    ngx_conf_merge_value(conf->on, prev->on, 0);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_auth_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_auth_handler;

    return ngx_http_podi_auth_cache_init(cf);
}
