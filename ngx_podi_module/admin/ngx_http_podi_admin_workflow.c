/*
 * /v1/admin/comfy/workflows/{workflow}: GET, PUT; POST
 * /versions/{version}/publish.
 *
 *     [read body -> parse ->] ask (PG) -> reply
 *
 * A refusal names the node and the input: graph.4.inputs.ckpt_name.
 */

#include "ngx_http_podi_admin.h"


static podi_rc_t workflow_read(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_put(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_put_reply(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_publish(podi_flow_t *f, void *ctx);


static const podi_step_t  workflow_read_steps[] = {
    { "reading the workflow",    workflow_read,                 0 },
    { "replying",                ngx_http_podi_admin_reply,     0 },
    podi_null_step
};

static const podi_step_t  workflow_put_steps[] = {
    { "reading the body",        ngx_http_podi_admin_read_body, 0 },
    { "parsing the body",        ngx_http_podi_admin_parse,     0 },
    { "putting the workflow",    workflow_put,                  0 },
    { "replying",                workflow_put_reply,            0 },
    podi_null_step
};

static const podi_step_t  workflow_publish_steps[] = {
    { "publishing the workflow", workflow_publish,              0 },
    { "replying",                ngx_http_podi_admin_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_admin_workflow_read(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, workflow_read_steps);
}


ngx_int_t
ngx_http_podi_admin_workflow_put(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 1, workflow_put_steps);
}


ngx_int_t
ngx_http_podi_admin_workflow_publish(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_http_podi_admin_flow(r, args, 2, workflow_publish_steps);
}


/* without ?version= the live one */

static podi_rc_t
workflow_read(podi_flow_t *f, void *ctx)
{
    int64_t                 version;
    podi_pg_call_t          call;
    ngx_http_podi_admin_t  *a = ctx;

    static const char *const  names[] = { "version", NULL };

    if (ngx_podi_query_only(a->request, names, &f->fail) != PODI_OK
        || ngx_podi_query_int(a->request, "version", 1, INT32_MAX, 0, &version,
                              &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    ngx_podi_pg_init(a->request, &call, PODI_SQL_ADMIN_WORKFLOW_READ);
    podi_arg_str(&call, &a->name);

    if (version == 0) {
        podi_arg_null(&call);
    } else {
        podi_arg_int64(&call, version);
    }

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
workflow_put(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_admin_t  *a = ctx;

    return ngx_http_podi_admin_call(f, a, PODI_SQL_ADMIN_WORKFLOW_PUT,
                                    &a->body);
}


static podi_rc_t
workflow_put_reply(podi_flow_t *f, void *ctx)
{
    ngx_uint_t              status;
    ngx_http_podi_admin_t  *a = ctx;

    status = podi_row_bool(f->result, 0, "is_new") ? NGX_HTTP_CREATED
                                                   : NGX_HTTP_OK;

    return ngx_podi_reply_row(f, a->request, status, f->result, NULL);
}


static podi_rc_t
workflow_publish(podi_flow_t *f, void *ctx)
{
    int64_t                 version;
    ngx_http_podi_admin_t  *a = ctx;

    if (podi_str_to_int64(&a->part, &version) != PODI_OK || version < 1
        || version > INT32_MAX)
    {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such version");
    }

    return ngx_http_podi_admin_call(f, a, PODI_SQL_ADMIN_WORKFLOW_PUBLISH,
                                    &a->part);
}
