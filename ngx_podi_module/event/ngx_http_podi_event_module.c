/*
 * event: what happens to a user's tasks and points, as it happens.
 *
 *     GET  /v1/events            the stream (SSE)
 *     POST /v1/events/ticket     a way in for an EventSource: once, 30 s
 *     GET  /v1/events/snapshot   state and position, read together
 */

#include "ngx_http_podi_event.h"


static ngx_int_t ngx_http_podi_event_handler(ngx_http_request_t *r);
static void *ngx_http_podi_event_create_conf(ngx_conf_t *cf);
static char *ngx_http_podi_event_init_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_podi_event_init_process(ngx_cycle_t *cycle);
static void ngx_http_podi_event_exit_process(ngx_cycle_t *cycle);
static char *ngx_http_podi_event(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_event_routes[] = {
    { NGX_HTTP_GET,  "/v1/events",          ngx_http_podi_event_open,
      NGX_PODI_ANON },
    { NGX_HTTP_POST, "/v1/events/ticket",   ngx_http_podi_event_ticket, 0 },
    { NGX_HTTP_GET,  "/v1/events/snapshot", ngx_http_podi_event_snapshot, 0 },
    ngx_podi_null_route
};


static ngx_conf_num_bounds_t  ngx_http_podi_event_streams_bounds = {
    ngx_conf_check_num_bounds, 1, 1000
};


static ngx_command_t  ngx_http_podi_event_commands[] = {

    { ngx_string("podi_event"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_event,
      0,
      0,
      NULL },

    { ngx_string("podi_event_keepalive"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_event_conf_t, keepalive),
      NULL },

    { ngx_string("podi_event_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_event_conf_t, lifetime),
      NULL },

    { ngx_string("podi_event_drain"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_event_conf_t, drain),
      NULL },

    { ngx_string("podi_event_streams"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_event_conf_t, streams),
      &ngx_http_podi_event_streams_bounds },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_event_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_podi_event_create_conf,       /* create main configuration */
    ngx_http_podi_event_init_conf,         /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_event_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_event_module_ctx,       /* module context */
    ngx_http_podi_event_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_podi_event_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_podi_event_exit_process,      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_event_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_event_routes);
}


/* NULL: there is no http block, or this process serves nobody */

const ngx_http_podi_event_conf_t *
ngx_http_podi_event_conf(void)
{
    return ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_event_module);
}


static void *
ngx_http_podi_event_create_conf(ngx_conf_t *cf)
{
    ngx_http_podi_event_conf_t  *econf;

    econf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_event_conf_t));
    if (econf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     econf->used = 0;
     */

    econf->keepalive = NGX_CONF_UNSET_MSEC;
    econf->lifetime = NGX_CONF_UNSET_MSEC;
    econf->drain = NGX_CONF_UNSET_MSEC;
    econf->streams = NGX_CONF_UNSET_UINT;

    return econf;
}


static char *
ngx_http_podi_event_init_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_podi_event_conf_t  *econf = conf;

    ngx_conf_init_msec_value(econf->keepalive, 15000);
    ngx_conf_init_msec_value(econf->lifetime, 1800000);
    ngx_conf_init_msec_value(econf->drain, 30000);
    ngx_conf_init_uint_value(econf->streams, 16);

    if (econf->keepalive < 1000 || econf->lifetime < econf->keepalive) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_event_keepalive\" must be 1s or more and "
                           "not longer than \"podi_event_lifetime\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_event_init_process(ngx_cycle_t *cycle)
{
    const ngx_http_podi_event_conf_t  *econf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    econf = ngx_http_podi_event_conf();

    if (econf == NULL || !econf->used) {
        return NGX_OK;
    }

    return event_hub_start(cycle);
}


static void
ngx_http_podi_event_exit_process(ngx_cycle_t *cycle)
{
    event_hub_stop();
}


static char *
ngx_http_podi_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_podi_event_conf_t  *econf;

    econf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_event_module);
    econf->used = 1;

    return ngx_podi_route_directive(cf, ngx_http_podi_event_handler,
                                    ngx_http_podi_event_routes);
}
