/*
 * admin: what the operator's people change of the installation.
 *
 *     GET    /v1/admin/comfy/servers                    what was seen of each
 *     GET    /v1/admin/comfy/servers/{server}
 *     PUT    /v1/admin/comfy/servers/{server}           added, or changed
 *     DELETE /v1/admin/comfy/servers/{server}           taken away
 *     POST   /v1/admin/comfy/servers/{server}/drain     sent nothing new
 *     POST   /v1/admin/comfy/servers/{server}/enable
 *     POST   /v1/admin/comfy/servers/{server}/disable
 *     GET    /v1/admin/comfy/workflows
 *     GET    /v1/admin/comfy/workflows/{workflow}
 *     PUT    /v1/admin/comfy/workflows/{workflow}       a version, as a draft
 *     POST   /v1/admin/comfy/workflows/{workflow}/versions/{version}/publish
 *     GET    /v1/admin/providers/keys                   never what is in them
 *     POST   /v1/admin/providers/keys/{key_id}/disable
 *
 * For admins of a tenant that is the operator's; PostgreSQL decides that anew
 * in each call, and keeps who did what.  All of it says how things shall be, so
 * that the same again changes nothing and no Idempotency-Key is needed.  Keys
 * are added by podictl alone: what they are sealed under is not nginx's.
 */

#include "ngx_http_podi_admin.h"


static ngx_int_t ngx_http_podi_admin_handler(ngx_http_request_t *r);
static char *ngx_http_podi_admin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_admin_routes[] = {
    { NGX_HTTP_GET, "/v1/admin/comfy/servers",
      ngx_http_podi_admin_server_list, 0 },
    { NGX_HTTP_GET, "/v1/admin/comfy/servers/{server}",
      ngx_http_podi_admin_server_read, 0 },
    { NGX_HTTP_PUT, "/v1/admin/comfy/servers/{server}",
      ngx_http_podi_admin_server_put, 0 },
    { NGX_HTTP_DELETE, "/v1/admin/comfy/servers/{server}",
      ngx_http_podi_admin_server_remove, 0 },
    { NGX_HTTP_POST, "/v1/admin/comfy/servers/{server}/drain",
      ngx_http_podi_admin_server_drain, 0 },
    { NGX_HTTP_POST, "/v1/admin/comfy/servers/{server}/enable",
      ngx_http_podi_admin_server_enable, 0 },
    { NGX_HTTP_POST, "/v1/admin/comfy/servers/{server}/disable",
      ngx_http_podi_admin_server_disable, 0 },
    { NGX_HTTP_GET, "/v1/admin/comfy/workflows",
      ngx_http_podi_admin_workflow_list, 0 },
    { NGX_HTTP_GET, "/v1/admin/comfy/workflows/{workflow}",
      ngx_http_podi_admin_workflow_read, 0 },
    { NGX_HTTP_PUT, "/v1/admin/comfy/workflows/{workflow}",
      ngx_http_podi_admin_workflow_put, 0 },
    { NGX_HTTP_POST,
      "/v1/admin/comfy/workflows/{workflow}/versions/{version}/publish",
      ngx_http_podi_admin_workflow_publish, 0 },
    { NGX_HTTP_GET, "/v1/admin/providers/keys",
      ngx_http_podi_admin_key_list, 0 },
    { NGX_HTTP_POST, "/v1/admin/providers/keys/{key_id}/disable",
      ngx_http_podi_admin_key_disable, 0 },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_admin_commands[] = {

    { ngx_string("podi_admin"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_admin,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_admin_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_admin_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_admin_module_ctx,       /* module context */
    ngx_http_podi_admin_commands,          /* module directives */
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
ngx_http_podi_admin_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_admin_routes);
}


static char *
ngx_http_podi_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_podi_route_directive(cf, ngx_http_podi_admin_handler,
                                    ngx_http_podi_admin_routes);
}
