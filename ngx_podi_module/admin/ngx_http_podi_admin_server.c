/*
 * /v1/admin/comfy/servers/{server}: GET, PUT, DELETE; POST /drain, /enable and
 * /disable.
 *
 *     [read body -> parse ->] ask (PG) -> reply
 */

#include "ngx_http_podi_admin.h"


static podi_rc_t server_read(podi_flow_t *f, void *ctx);
static podi_rc_t server_put(podi_flow_t *f, void *ctx);
static podi_rc_t server_put_reply(podi_flow_t *f, void *ctx);
static podi_rc_t server_remove(podi_flow_t *f, void *ctx);
static podi_rc_t server_removed(podi_flow_t *f, void *ctx);
static podi_rc_t server_drain(podi_flow_t *f, void *ctx);
static podi_rc_t server_enable(podi_flow_t *f, void *ctx);
static podi_rc_t server_disable(podi_flow_t *f, void *ctx);
static podi_rc_t server_state(podi_flow_t *f, ngx_http_podi_admin_t *a,
    const char *state);


static const podi_step_t  server_read_steps[] = {
    { "reading the server",   server_read,                   0 },
    { "replying",             ngx_http_podi_admin_reply,     0 },
    podi_null_step
};

static const podi_step_t  server_put_steps[] = {
    { "reading the body",     ngx_http_podi_admin_read_body, 0 },
    { "parsing the body",     ngx_http_podi_admin_parse,     0 },
    { "putting the server",   server_put,                    0 },
    { "replying",             server_put_reply,              0 },
    podi_null_step
};

static const podi_step_t  server_remove_steps[] = {
    { "removing the server",  server_remove,                 0 },
    { "replying",             server_removed,                0 },
    podi_null_step
};

static const podi_step_t  server_drain_steps[] = {
    { "draining the server",  server_drain,                  0 },
    { "replying",             ngx_http_podi_admin_reply,     0 },
    podi_null_step
};

static const podi_step_t  server_enable_steps[] = {
    { "enabling the server",  server_enable,                 0 },
    { "replying",             ngx_http_podi_admin_reply,     0 },
    podi_null_step
};

static const podi_step_t  server_disable_steps[] = {
    { "disabling the server", server_disable,                0 },
    { "replying",             ngx_http_podi_admin_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_admin_server_read(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_read_steps);
}


ngx_int_t
ngx_http_podi_admin_server_put(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_put_steps);
}


ngx_int_t
ngx_http_podi_admin_server_remove(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_remove_steps);
}


ngx_int_t
ngx_http_podi_admin_server_drain(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_drain_steps);
}


ngx_int_t
ngx_http_podi_admin_server_enable(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_enable_steps);
}


ngx_int_t
ngx_http_podi_admin_server_disable(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, server_disable_steps);
}


static podi_rc_t
server_read(podi_flow_t *f, void *ctx)
{
    return ngx_http_podi_admin_call(f, ctx, PODI_SQL_ADMIN_SERVER_READ, NULL);
}


static podi_rc_t
server_put(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_admin_t  *a = ctx;

    return ngx_http_podi_admin_call(f, a, PODI_SQL_ADMIN_SERVER_PUT, &a->body);
}


static podi_rc_t
server_put_reply(podi_flow_t *f, void *ctx)
{
    ngx_uint_t              status;
    ngx_http_podi_admin_t  *a = ctx;

    status = podi_row_bool(f->result, 0, "_is_new") ? NGX_HTTP_CREATED
                                                    : NGX_HTTP_OK;

    return ngx_podi_reply_row(f, a->request, status, f->result, NULL);
}


static podi_rc_t
server_remove(podi_flow_t *f, void *ctx)
{
    return ngx_http_podi_admin_call(f, ctx, PODI_SQL_ADMIN_SERVER_REMOVE,
                                    NULL);
}


static podi_rc_t
server_removed(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_admin_t  *a = ctx;

    return ngx_podi_reply_empty(f, a->request, NGX_HTTP_NO_CONTENT);
}


static podi_rc_t
server_drain(podi_flow_t *f, void *ctx)
{
    return server_state(f, ctx, "draining");
}


static podi_rc_t
server_enable(podi_flow_t *f, void *ctx)
{
    return server_state(f, ctx, "active");
}


static podi_rc_t
server_disable(podi_flow_t *f, void *ctx)
{
    return server_state(f, ctx, "disabled");
}


static podi_rc_t
server_state(podi_flow_t *f, ngx_http_podi_admin_t *a, const char *state)
{
    podi_str_t  text = podi_str_c(state);

    return ngx_http_podi_admin_call(f, a, PODI_SQL_ADMIN_SERVER_STATE, &text);
}
