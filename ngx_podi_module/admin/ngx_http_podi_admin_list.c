/*
 * GET /v1/admin/comfy/servers, /comfy/workflows and /providers/keys.
 *
 *     parse the query -> read (PG) -> reply
 *
 * Servers and workflows come by name, keys the newest first.
 */

#include "ngx_http_podi_admin.h"
#include "ngx_podi_param.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           after;
    int64_t              limit;
} admin_list_t;


static podi_rc_t server_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t server_list_reply(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_list_reply(podi_flow_t *f, void *ctx);
static podi_rc_t key_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t key_list_reply(podi_flow_t *f, void *ctx);
static podi_rc_t list_read(podi_flow_t *f, admin_list_t *l,
    const ngx_podi_param_t *params, podi_sql_e sql);


static const podi_step_t  server_list_steps[] = {
    { "reading the servers",   server_list_read,    0 },
    { "replying",              server_list_reply,   0 },
    podi_null_step
};

static const podi_step_t  workflow_list_steps[] = {
    { "reading the workflows", workflow_list_read,  0 },
    { "replying",              workflow_list_reply, 0 },
    podi_null_step
};

static const podi_step_t  key_list_steps[] = {
    { "reading the keys",      key_list_read,       0 },
    { "replying",              key_list_reply,      0 },
    podi_null_step
};

static const ngx_podi_param_t  list_by_name[] = {
    { "after", NGX_PODI_PARAM_TEXT, offsetof(admin_list_t, after),
      1, ADMIN_NAME_MAX, 0, NULL },
    { "limit", NGX_PODI_PARAM_INT,  offsetof(admin_list_t, limit),
      1, 200, 50, NULL },
    ngx_podi_null_param
};

static const ngx_podi_param_t  list_by_id[] = {
    { "after", NGX_PODI_PARAM_ID,  offsetof(admin_list_t, after),
      0, 0, 0, NULL },
    { "limit", NGX_PODI_PARAM_INT, offsetof(admin_list_t, limit),
      1, 200, 50, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_admin_server_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, server_list_steps, sizeof(admin_list_t));
}


ngx_int_t
ngx_http_podi_admin_workflow_list(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow(r, workflow_list_steps, sizeof(admin_list_t));
}


ngx_int_t
ngx_http_podi_admin_key_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, key_list_steps, sizeof(admin_list_t));
}


static podi_rc_t
server_list_read(podi_flow_t *f, void *ctx)
{
    return list_read(f, ctx, list_by_name, PODI_SQL_ADMIN_SERVER_LIST);
}


static podi_rc_t
workflow_list_read(podi_flow_t *f, void *ctx)
{
    return list_read(f, ctx, list_by_name, PODI_SQL_ADMIN_WORKFLOW_LIST);
}


static podi_rc_t
key_list_read(podi_flow_t *f, void *ctx)
{
    return list_read(f, ctx, list_by_id, PODI_SQL_ADMIN_KEY_LIST);
}


static podi_rc_t
list_read(podi_flow_t *f, admin_list_t *l, const ngx_podi_param_t *params,
    podi_sql_e sql)
{
    podi_pg_call_t  call;

    if (ngx_podi_params(l->request, params, l, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    ngx_podi_pg_init(l->request, &call, sql);
    ngx_podi_arg_param(&call, &l->after);
    podi_arg_int64(&call, l->limit + 1);

    return ngx_podi_pg_call(f, l->request, &call);
}


static podi_rc_t
server_list_reply(podi_flow_t *f, void *ctx)
{
    admin_list_t  *l = ctx;

    return ngx_podi_reply_rows(f, l->request, f->result, l->limit, "server",
                               NULL);
}


static podi_rc_t
workflow_list_reply(podi_flow_t *f, void *ctx)
{
    admin_list_t  *l = ctx;

    return ngx_podi_reply_rows(f, l->request, f->result, l->limit, "workflow",
                               NULL);
}


static podi_rc_t
key_list_reply(podi_flow_t *f, void *ctx)
{
    admin_list_t  *l = ctx;

    return ngx_podi_reply_rows(f, l->request, f->result, l->limit, "key_id",
                               NULL);
}
