/*
 * status: what operators and their machines ask.
 *
 *     GET /healthz    this worker answers
 *     GET /readyz     may traffic come?  names what is missing
 *     GET /metrics    Prometheus text of all workers, and of the daemons
 *     GET /status     the same for people
 *
 * Nothing here needs an identity: `allow` and `deny` decide who may ask.  They
 * stand in a location, so what is not for everybody is only there in one of its
 * own: location = /metrics.  A location / that is open shows nothing.
 */

#include "ngx_http_podi_status.h"


static ngx_int_t ngx_http_podi_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_status_exact_handler(ngx_http_request_t *r);
static char *ngx_http_podi_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_podi_status_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_status_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);


static const ngx_podi_route_t  ngx_http_podi_status_routes[] = {
    { NGX_HTTP_GET, "/healthz", ngx_http_podi_status_health, NGX_PODI_ANON },
    { NGX_HTTP_GET, "/readyz",  ngx_http_podi_status_ready,  NGX_PODI_ANON },
    ngx_podi_null_route
};


/* where the location is exact */

static const ngx_podi_route_t  ngx_http_podi_status_exact_routes[] = {
    { NGX_HTTP_GET, "/metrics", ngx_http_podi_status_metrics,
      NGX_PODI_ANON },
    { NGX_HTTP_GET, "/status",  ngx_http_podi_status_page,   NGX_PODI_ANON },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_status_commands[] = {

    { ngx_string("podi_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_status,
      0,
      0,
      NULL },

    { ngx_string("podi_metrics_dir"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_status_loc_conf_t, metrics_dir),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_status_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_status_create_loc_conf,  /* create location configuration */
    ngx_http_podi_status_merge_loc_conf    /* merge location configuration */
};


ngx_module_t  ngx_http_podi_status_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_status_module_ctx,      /* module context */
    ngx_http_podi_status_commands,         /* module directives */
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
ngx_http_podi_status_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_status_routes);
}


static ngx_int_t
ngx_http_podi_status_exact_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_status_exact_routes);
}


static char *
ngx_http_podi_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      *rv;
    ngx_http_core_loc_conf_t  *clcf;

    rv = ngx_podi_route_plain(cf, ngx_http_podi_status_handler,
                              ngx_http_podi_status_routes);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (rv != NGX_CONF_OK || !clcf->exact_match) {
        return rv;
    }

    return ngx_podi_route_plain(cf, ngx_http_podi_status_exact_handler,
                                ngx_http_podi_status_exact_routes);
}


ngx_int_t
ngx_http_podi_status_health(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_str_t  body = podi_string("{\"status\":\"ok\"}");

    return ngx_podi_send(r, NGX_HTTP_OK, "application/json", &body);
}


static void *
ngx_http_podi_status_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_status_loc_conf_t));
}


static char *
ngx_http_podi_status_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_podi_status_loc_conf_t  *prev = parent;
    ngx_http_podi_status_loc_conf_t  *conf = child;

    ngx_conf_merge_str_value(conf->metrics_dir, prev->metrics_dir, "");

    return NGX_CONF_OK;
}
