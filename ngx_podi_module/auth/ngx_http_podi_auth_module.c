/*
 * auth: who is asking.
 *
 *     PREACCESS..  --
 *     ACCESS       ngx_http_podi_auth_handler: a token becomes an identity
 *     PRECONTENT   the token is taken out of the request (podi_auth_strip)
 *
 * Works in front of proxy_pass as well.  A configuration decides at its end
 * which issuers each location asks; only tokens of PODI's own need PostgreSQL.
 */

#include "ngx_http_podi_auth_cache.h"
#include "ngx_http_podi_auth_remote.h"


static char *ngx_http_podi_auth_stale(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_podi_auth_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_podi_auth_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_podi_auth_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_auth_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_podi_auth_start(ngx_cycle_t *cycle);
static void ngx_http_podi_auth_stop(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_podi_auth_init(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_podi_auth_modes[] = {
    { ngx_string("off"), NGX_HTTP_PODI_AUTH_OFF },
    { ngx_string("on"), NGX_HTTP_PODI_AUTH_ON },
    { ngx_string("optional"), NGX_HTTP_PODI_AUTH_OPTIONAL },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_podi_auth_commands[] = {

    { ngx_string("podi_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_auth_loc_conf_t, mode),
      &ngx_http_podi_auth_modes },

    { ngx_string("podi_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_podi_auth_issuer_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_auth_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_auth_issuer_names,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_auth_source"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_auth_sources,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_auth_strip"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_auth_loc_conf_t, strip),
      NULL },

    { ngx_string("podi_auth_login"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_podi_auth_login,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_auth_realm"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_podi_auth_realm,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_auth_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
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
    ngx_http_podi_auth_variables,          /* preconfiguration */
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
    ngx_http_podi_auth_stop,               /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* the beginning of each WWW-Authenticate (RFC 6750, RFC 9728) */

char *
ngx_http_podi_auth_realm(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char               *p;
    ngx_str_t            *value, url;
    ngx_podi_loc_conf_t  *plcf;

    value = cf->args->elts;
    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_podi_module);

    if (plcf->challenge.data != NULL) {
        return "is duplicate";
    }

    ngx_str_null(&url);

    if (cf->args->nelts == 3
        && ngx_strncmp(value[2].data, "resource_metadata=https://", 26) == 0)
    {
        url.data = value[2].data + sizeof("resource_metadata=") - 1;
        url.len = value[2].len - (sizeof("resource_metadata=") - 1);
    }

    if ((cf->args->nelts == 3 && url.len == 0)
        || strpbrk((char *) value[1].data, "\"\\")
        || (url.len != 0 && strpbrk((char *) url.data, "\"\\ ")))
    {
        return "needs a name, and may have resource_metadata=https://...; "
               "neither with quotes in it";
    }

    p = ngx_pnalloc(cf->pool, value[1].len + url.len + 64);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    plcf->challenge.data = p;

    p = ngx_sprintf(p, "Bearer realm=\"%V\"", &value[1]);

    if (url.len != 0) {
        p = ngx_sprintf(p, ", resource_metadata=\"%V\"", &url);
    }

    plcf->challenge.len = p - plcf->challenge.data;

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
    ngx_http_podi_issuer_t          **ours;
    ngx_http_podi_auth_main_conf_t   *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_auth_main_conf_t));

    if (amcf == NULL
        || ngx_array_init(&amcf->issuers, cf->pool, 4,
                          sizeof(ngx_http_podi_issuer_t *))
           != NGX_OK
        || ngx_array_init(&amcf->policies, cf->pool, 4,
                          sizeof(ngx_http_podi_policy_t *))
           != NGX_OK)
    {
        return NULL;
    }

    ours = ngx_array_push(&amcf->issuers);
    if (ours == NULL) {
        return NULL;
    }

    *ours = NULL;

    amcf->stale = NGX_CONF_UNSET;

    amcf->cache = ngx_http_podi_auth_cache_create(cf);

    return (amcf->cache == NULL) ? NULL : amcf;
}


static char *
ngx_http_podi_auth_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_podi_auth_main_conf_t  *amcf = conf;

    ngx_conf_init_value(amcf->stale, 10);

    return ngx_http_podi_auth_issuer_ours(cf, amcf);
}


static void *
ngx_http_podi_auth_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_auth_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_auth_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->issuers = NULL;
     *     conf->sources = NULL;
     *     conf->wants = NULL;
     *     conf->rules = NULL;
     *     conf->login = { 0, NULL };
     *     conf->policy = NULL;
     */

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->strip = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_podi_auth_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_auth_loc_conf_t   *prev = parent;
    ngx_http_podi_auth_loc_conf_t   *conf = child;
    ngx_http_podi_auth_main_conf_t  *amcf;

    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_PODI_AUTH_OFF);
    ngx_conf_merge_value(conf->strip, prev->strip, 0);
    ngx_conf_merge_str_value(conf->login, prev->login, "");

    if (conf->wants_here && conf->mode == NGX_HTTP_PODI_AUTH_OFF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_require\" stands in a location where "
                           "nobody is asked who he is: write podi_auth on; "
                           "beside it");
        return NGX_CONF_ERROR;
    }

    if (conf->issuers == NULL) {
        conf->issuers = prev->issuers;
    }

    /* one of its own takes the place of all of the level above */

    if (conf->wants == NULL) {
        conf->wants = prev->wants;
        conf->rules = prev->rules;
    }

    if (conf->mode == NGX_HTTP_PODI_AUTH_OFF) {

        if (conf->sources == NULL) {
            conf->sources = prev->sources;
        }

        return NGX_CONF_OK;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_auth_module);
    amcf->used = 1;

    if (ngx_http_podi_auth_sources_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    conf->policy = ngx_http_podi_auth_policy(cf, amcf, conf);
    if (conf->policy == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->api_keys = conf->api_keys && conf->policy->ours;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_auth_start(ngx_cycle_t *cycle)
{
    if (ngx_http_podi_auth_cache_start(cycle) != NGX_OK
        || ngx_http_podi_auth_fetch_start(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_podi_auth_feed_start(cycle);
}


static void
ngx_http_podi_auth_stop(ngx_cycle_t *cycle)
{
    ngx_http_podi_auth_feed_stop(cycle);
    ngx_http_podi_auth_fetch_stop(cycle);
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

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_auth_strip_handler;

    return ngx_http_podi_auth_cache_init(cf);
}
