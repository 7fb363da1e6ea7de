/*
 * account: local accounts and their sessions.
 *
 *     POST /v1/auth/register    a new account
 *     POST /v1/auth/login       a session: access token and refresh cookie
 *     POST /v1/auth/refresh     the next access token
 *     POST /v1/auth/logout      the end of the session
 *     POST /v1/auth/logout-all  the end of all sessions
 *     POST /v1/auth/revoke      the end of one access token
 *     GET  /v1/auth/methods     how one can sign in
 *     GET  /v1/me               who the caller is
 *     POST, GET, DELETE         keys of the caller's programs
 *          /v1/me/api-keys
 */

#include "ngx_http_podi_account.h"


static ngx_int_t ngx_http_podi_account_handler(ngx_http_request_t *r);
static void *ngx_http_podi_account_create_conf(ngx_conf_t *cf);
static char *ngx_http_podi_account_init_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_podi_account(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_account_routes[] = {
    { NGX_HTTP_POST, "/v1/auth/register", ngx_http_podi_account_register,
      NGX_PODI_ANON },
    { NGX_HTTP_POST, "/v1/auth/login",    ngx_http_podi_account_login,
      NGX_PODI_ANON },
    { NGX_HTTP_POST, "/v1/auth/refresh",  ngx_http_podi_account_refresh,
      NGX_PODI_ANON },
    { NGX_HTTP_POST, "/v1/auth/logout",   ngx_http_podi_account_logout, 0 },
    { NGX_HTTP_POST, "/v1/auth/logout-all",
      ngx_http_podi_account_logout_all, 0 },
    { NGX_HTTP_POST, "/v1/auth/revoke",   ngx_http_podi_account_revoke, 0 },
    { NGX_HTTP_GET,  "/v1/auth/methods",  ngx_http_podi_account_methods,
      NGX_PODI_ANON },
    { NGX_HTTP_GET,  "/v1/me",            ngx_http_podi_account_me, 0 },
    { NGX_HTTP_POST, "/v1/me/api-keys",   ngx_http_podi_account_api_key_create,
      0 },
    { NGX_HTTP_GET,  "/v1/me/api-keys",   ngx_http_podi_account_api_key_list,
      0 },
    { NGX_HTTP_DELETE, "/v1/me/api-keys/{key_id}",
      ngx_http_podi_account_api_key_revoke, 0 },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_account_commands[] = {

    { ngx_string("podi_account"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_account,
      0,
      0,
      NULL },

    { ngx_string("podi_refresh_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_secret_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_account_conf_t, refresh_key),
      NULL },

    { ngx_string("podi_session_idle"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_account_conf_t, idle),
      NULL },

    { ngx_string("podi_session_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_account_conf_t, lifetime),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_account_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_podi_account_create_conf,     /* create main configuration */
    ngx_http_podi_account_init_conf,       /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_account_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_account_module_ctx,     /* module context */
    ngx_http_podi_account_commands,        /* module directives */
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
ngx_http_podi_account_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_account_routes);
}


const ngx_http_podi_account_conf_t *
ngx_http_podi_account_conf(ngx_http_request_t *r)
{
    return ngx_http_get_module_main_conf(r, ngx_http_podi_account_module);
}


static void *
ngx_http_podi_account_create_conf(ngx_conf_t *cf)
{
    ngx_http_podi_account_conf_t  *aconf;

    aconf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_account_conf_t));
    if (aconf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     aconf->refresh_key = NULL;
     */

    aconf->idle = NGX_CONF_UNSET_MSEC;
    aconf->lifetime = NGX_CONF_UNSET_MSEC;

    return aconf;
}


static char *
ngx_http_podi_account_init_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_podi_account_conf_t  *aconf = conf;

    ngx_conf_init_msec_value(aconf->idle, 7 * 24 * 3600 * 1000ul);
    ngx_conf_init_msec_value(aconf->lifetime, 30 * 24 * 3600 * 1000ul);

    if (aconf->idle > aconf->lifetime) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_session_idle\" must not be longer than "
                           "\"podi_session_lifetime\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* the key is asked for where it is needed: where accounts are served */

static char *
ngx_http_podi_account(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_podi_account_conf_t  *aconf;

    aconf = ngx_http_conf_get_module_main_conf(cf,
                                               ngx_http_podi_account_module);

    if (aconf->refresh_key == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_account\" needs a key for refresh tokens: "
                           "write \"podi_refresh_key_file "
                           "/etc/podi/refresh.key;\" at http level, before "
                           "the server");
        return NGX_CONF_ERROR;
    }

    return ngx_podi_route_directive(cf, ngx_http_podi_account_handler,
                                    ngx_http_podi_account_routes);
}
