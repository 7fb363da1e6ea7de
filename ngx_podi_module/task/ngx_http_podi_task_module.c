/*
 * task: what can be done, and what the caller asked to be done.
 *
 *     GET  /v1/actions              the actions, their parameters and prices
 *     GET  /v1/quotas               the caller's budgets, and what is left
 *     POST /v1/tasks/quote          what a task would cost
 *     POST /v1/tasks                freeze the price and queue the jobs
 *     POST /v1/tasks/batch          the same for many orders, each by itself
 *     GET  /v1/tasks                the caller's tasks, newest first
 *     GET  /v1/tasks/{id}           one task: jobs, results, events
 *     POST /v1/tasks/{id}/cancel    stop what has not been done
 *     GET  /v1/tasks/{id}/cancel    what that would cost now
 *     POST /v1/tasks/{id}/retry     begin again what failed
 *     GET  /v1/tasks/{id}/receipt   what it cost and delivered, signed
 *     GET  /v1/jobs/{id}            one job, and who has held it
 *     GET  /v1/jobs/{id}/log        what it said while it ran
 *     GET  /v1/jobs/{id}/explain    why it is not running
 *     GET  /v1/jobs/{id}/preview    how it looks so far
 *
 * PostgreSQL decides everything; Redis only wakes a worker sooner.
 */

#include "ngx_http_podi_task.h"


static ngx_int_t ngx_http_podi_task_handler(ngx_http_request_t *r);
static char *ngx_http_podi_task(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_task_routes[] = {
    { NGX_HTTP_GET,  "/v1/actions",           ngx_http_podi_action_list, 0 },
    { NGX_HTTP_GET,  "/v1/quotas",            ngx_http_podi_quota_list,  0 },
    { NGX_HTTP_POST, "/v1/tasks/quote",       ngx_http_podi_task_quote,  0 },
    { NGX_HTTP_POST, "/v1/tasks",             ngx_http_podi_task_submit, 0 },
    { NGX_HTTP_POST, "/v1/tasks/batch",       ngx_http_podi_task_batch,  0 },
    { NGX_HTTP_GET,  "/v1/tasks",             ngx_http_podi_task_list,   0 },
    { NGX_HTTP_GET,  "/v1/tasks/{id}",        ngx_http_podi_task_read,   0 },
    { NGX_HTTP_POST, "/v1/tasks/{id}/cancel", ngx_http_podi_task_cancel, 0 },
    { NGX_HTTP_GET,  "/v1/tasks/{id}/cancel",
      ngx_http_podi_task_cancel_quote, 0 },
    { NGX_HTTP_POST, "/v1/tasks/{id}/retry",   ngx_http_podi_task_retry,   0 },
    { NGX_HTTP_GET,  "/v1/tasks/{id}/receipt", ngx_http_podi_task_receipt, 0 },
    { NGX_HTTP_GET,  "/v1/jobs/{id}",          ngx_http_podi_job_read,     0 },
    { NGX_HTTP_GET,  "/v1/jobs/{id}/log",      ngx_http_podi_job_log,      0 },
    { NGX_HTTP_GET,  "/v1/jobs/{id}/explain",  ngx_http_podi_job_explain,  0 },
    { NGX_HTTP_GET,  "/v1/jobs/{id}/preview",  ngx_http_podi_job_preview,  0 },
    ngx_podi_null_route
};


static ngx_command_t  ngx_http_podi_task_commands[] = {

    { ngx_string("podi_task"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_task,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_task_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_task_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_task_module_ctx,        /* module context */
    ngx_http_podi_task_commands,           /* module directives */
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
ngx_http_podi_task_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_task_routes);
}


static char *
ngx_http_podi_task(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_podi_route_directive(cf, ngx_http_podi_task_handler,
                                    ngx_http_podi_task_routes);
}
