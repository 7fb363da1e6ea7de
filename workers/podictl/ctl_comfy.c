/*
 * ctl_comfy: ComfyUI servers, and what they are asked to run.
 *
 *     comfy server ..., comfy workflow ...:    ask -> the rows
 */

#include <string.h>

#include "ctl.h"
#include "banned.h"


static podi_rc_t server_put_ask(podi_flow_t *f, void *ctx);
static podi_rc_t server_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t server_state_ask(podi_flow_t *f, void *ctx);
static podi_rc_t server_remove_ask(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_put_ask(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_publish_ask(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_show_ask(podi_flow_t *f, void *ctx);
static podi_rc_t workflow_version(podi_flow_t *f, ctl_t *ctl,
    podi_sql_e sql);


const podi_step_t  ctl_server_put_steps[] = {
    { "putting the server", server_put_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_server_list_steps[] = {
    { "listing the servers", server_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_server_state_steps[] = {
    { "setting the state of the server", server_state_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_server_remove_steps[] = {
    { "removing the server", server_remove_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_workflow_put_steps[] = {
    { "putting the workflow", workflow_put_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_workflow_publish_steps[] = {
    { "publishing the workflow", workflow_publish_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_workflow_list_steps[] = {
    { "listing the workflows", workflow_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_workflow_show_steps[] = {
    { "reading the workflow", workflow_show_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
server_put_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_COMFY_SERVER_PUT);
}


static podi_rc_t
server_list_ask(podi_flow_t *f, void *ctx)
{
    return ctl_ask(f, ctx, PODI_SQL_COMFY_SERVER_LIST, 0);
}


/* by a server that is there: a state alone makes none */

static podi_rc_t
server_state_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_buf_t       b;
    podi_str_t       server, text;
    const char      *verb = ctl->command->verb;
    podi_pg_call_t   call;

    server = podi_str_c(ctl->values[0]);

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"server\":");
    podi_buf_add_json(&b, &server);
    podi_buf_add_c(&b, ",\"state\":\"");
    podi_buf_add_c(&b, strcmp(verb, "server drain") == 0 ? "draining"
                       : strcmp(verb, "server enable") == 0 ? "active"
                       : "disabled");
    podi_buf_add_c(&b, "\"}");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_COMFY_SERVER_PUT, f->mem);
    podi_arg_str(&call, &text);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
server_remove_ask(podi_flow_t *f, void *ctx)
{
    return ctl_ask(f, ctx, PODI_SQL_COMFY_SERVER_REMOVE, 1);
}


static podi_rc_t
workflow_put_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_COMFY_WORKFLOW_PUT);
}


static podi_rc_t
workflow_publish_ask(podi_flow_t *f, void *ctx)
{
    return workflow_version(f, ctx, PODI_SQL_COMFY_WORKFLOW_PUBLISH);
}


static podi_rc_t
workflow_list_ask(podi_flow_t *f, void *ctx)
{
    return ctl_ask(f, ctx, PODI_SQL_COMFY_WORKFLOW_LIST, 0);
}


static podi_rc_t
workflow_show_ask(podi_flow_t *f, void *ctx)
{
    return workflow_version(f, ctx, PODI_SQL_COMFY_WORKFLOW_SHOW);
}


static podi_rc_t
workflow_version(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql)
{
    int64_t          version;
    podi_str_t       text;
    podi_pg_call_t   call;

    text = podi_str_c(ctl->values[1]);

    podi_pg_call_init(&call, sql, f->mem);
    podi_arg_c(&call, ctl->values[0]);

    if (text.len == 0) {
        podi_arg_null(&call);

    } else if (podi_str_to_int64(&text, &version) == PODI_OK
               && version > 0 && version <= INT32_MAX)
    {
        podi_arg_int64(&call, version);

    } else {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "version",
                         "write a whole number");
    }

    return podi_pg_call(ctl->pg, f, &call);
}
