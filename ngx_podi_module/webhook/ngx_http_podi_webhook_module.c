/*
 * webhook: third parties tell that a job of theirs has changed.
 *
 *     POST /v1/providers/{provider}/webhook/{token}
 *
 *     token -> body -> signature, by the kind of the description -> Redis
 *                                                 -> whoever follows the job
 *
 * What is told only wakes: the answer to a poll decides, always.  So a call
 * that is lost, comes twice or lies does no harm.
 */

#include "ngx_http_podi_webhook.h"


static void *ngx_http_podi_webhook_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_podi_webhook_create_loc_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_podi_webhook_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_podi_webhook_handler(ngx_http_request_t *r);
static char *ngx_http_podi_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_webhook_routes[] = {
    { NGX_HTTP_POST, "/v1/providers/{provider}/webhook/{token}",
      ngx_http_podi_webhook_call, NGX_PODI_ANON },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_webhook_commands[] = {

    { ngx_string("podi_webhook"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_webhook_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_secret_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_webhook_main_conf_t, key),
      NULL },

    { ngx_string("podi_webhook_provider"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_podi_webhook_provider,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_webhook_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_webhook_init,            /* postconfiguration */

    ngx_http_podi_webhook_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_webhook_create_loc_conf, /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_webhook_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_webhook_module_ctx,     /* module context */
    ngx_http_podi_webhook_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_webhook_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_webhook_routes);
}


const ngx_http_podi_webhook_provider_t *
ngx_http_podi_webhook_find(const ngx_http_podi_webhook_main_conf_t *wmcf,
    const podi_str_t *name)
{
    ngx_uint_t                               i;
    const ngx_http_podi_webhook_provider_t  *provider;

    provider = wmcf->providers.elts;

    for (i = 0; i < wmcf->providers.nelts; i++) {
        if (podi_str_eq(&provider[i].name, name)) {
            return &provider[i];
        }
    }

    return NULL;
}


static void *
ngx_http_podi_webhook_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_webhook_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_webhook_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wmcf->key = NULL;
     */

    if (ngx_array_init(&wmcf->providers, cf->pool, 4,
                       sizeof(ngx_http_podi_webhook_provider_t))
        != NGX_OK)
    {
        return NULL;
    }

    return wmcf;
}


static void *
ngx_http_podi_webhook_create_loc_conf(ngx_conf_t *cf)
{
    /* not merged: a directive of this very location */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_webhook_loc_conf_t));
}


static ngx_int_t
ngx_http_podi_webhook_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_webhook_hide;

    return NGX_OK;
}


static char *
ngx_http_podi_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_podi_webhook_loc_conf_t   *wlcf = conf;
    ngx_http_podi_webhook_main_conf_t  *wmcf;

    if (wlcf->on) {
        return "is duplicate";
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_podi_webhook_module);

    if (wmcf->key == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_webhook\" needs the key of its URLs: write "
                           "\"podi_webhook_key_file "
                           "/etc/podi/keys/webhook.key;\" at http level, "
                           "before the server");
        return NGX_CONF_ERROR;
    }

    wlcf->on = 1;

    return ngx_podi_route_plain(cf, ngx_http_podi_webhook_handler,
                                ngx_http_podi_webhook_routes);
}
