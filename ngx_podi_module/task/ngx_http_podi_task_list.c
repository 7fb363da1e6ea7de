/*
 * GET /v1/tasks: the caller's tasks, newest first.
 *
 *     parse the query -> read (PG) -> reply
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_param.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           after;
    int64_t              limit;
    podi_str_t           state;
    podi_str_t           action;
    podi_usec_t          from;
    podi_usec_t          to;
} task_list_t;


static podi_rc_t task_list_parse(podi_flow_t *f, void *ctx);
static podi_rc_t task_list_read(podi_flow_t *f, void *ctx);
static podi_rc_t task_list_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_list_steps[] = {
    { "parsing the query",  task_list_parse, 0 },
    { "reading the tasks",  task_list_read,  0 },
    { "replying",           task_list_reply, 0 },
    podi_null_step
};

static const char *const  task_states[] = {
    "queued", "running", "succeeded", "partial", "failed", "cancelled", NULL
};

static const ngx_podi_param_t  task_list_params[] = {
    { "after",  NGX_PODI_PARAM_ID,   offsetof(task_list_t, after),
      0, 0, 0, NULL },
    { "limit",  NGX_PODI_PARAM_INT,  offsetof(task_list_t, limit),
      1, 200, 50, NULL },
    { "state",  NGX_PODI_PARAM_WORD, offsetof(task_list_t, state),
      0, 0, 0, task_states },
    { "action", NGX_PODI_PARAM_TEXT, offsetof(task_list_t, action),
      1, 64, 0, NULL },
    { "from",   NGX_PODI_PARAM_TIME, offsetof(task_list_t, from),
      0, 0, 0, NULL },
    { "to",     NGX_PODI_PARAM_TIME, offsetof(task_list_t, to),
      0, 0, 0, NULL },
    ngx_podi_null_param
};


ngx_int_t
ngx_http_podi_task_list(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, task_list_steps, sizeof(task_list_t));
}


static podi_rc_t
task_list_parse(podi_flow_t *f, void *ctx)
{
    task_list_t  *l = ctx;

    return ngx_podi_params(l->request, task_list_params, l, &f->fail);
}


static podi_rc_t
task_list_read(podi_flow_t *f, void *ctx)
{
    task_list_t     *l = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(l->request, &call, PODI_SQL_TASK_LIST);
    ngx_podi_arg_param(&call, &l->after);
    podi_arg_int64(&call, l->limit + 1);
    ngx_podi_arg_param(&call, &l->state);
    ngx_podi_arg_param(&call, &l->action);
    ngx_podi_arg_time(&call, l->from);
    ngx_podi_arg_time(&call, l->to);

    return ngx_podi_pg_call(f, l->request, &call);
}


static podi_rc_t
task_list_reply(podi_flow_t *f, void *ctx)
{
    task_list_t  *l = ctx;

    return ngx_podi_reply_rows(f, l->request, f->result, l->limit, "task_id",
                               NULL);
}
