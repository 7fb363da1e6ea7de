/*
 * POST /v1/tasks/quote: what this order would cost, and whether the wallet
 * has it.  Nothing is written.
 *
 *     read body -> parse -> quote (PG) -> reply
 */

#include "ngx_http_podi_task.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_podi_task_order_t   order;
} task_quote_t;


static podi_rc_t quote_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t quote_parse(podi_flow_t *f, void *ctx);
static podi_rc_t quote_price(podi_flow_t *f, void *ctx);
static podi_rc_t quote_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_quote_steps[] = {
    { "reading the body",  quote_read_body, 0 },
    { "parsing the body",  quote_parse,     0 },
    { "pricing the order", quote_price,     0 },
    { "replying",          quote_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_quote(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, task_quote_steps, sizeof(task_quote_t));
}


static podi_rc_t
quote_read_body(podi_flow_t *f, void *ctx)
{
    task_quote_t  *q = ctx;

    return ngx_podi_read_body(f, q->request, TASK_BODY_MAX);
}


static podi_rc_t
quote_parse(podi_flow_t *f, void *ctx)
{
    json_t        *body;
    task_quote_t  *q = ctx;

    if (ngx_podi_body_json(f, q->request, &body) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_http_podi_task_order(q->request, body, &q->order, &f->fail);
}


static podi_rc_t
quote_price(podi_flow_t *f, void *ctx)
{
    task_quote_t    *q = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(q->request, &call, PODI_SQL_TASK_QUOTE);
    podi_arg_str(&call, &q->order.text);

    if (ngx_http_podi_task_arg_channel(q->request, &call, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_podi_pg_call(f, q->request, &call);
}


static podi_rc_t
quote_reply(podi_flow_t *f, void *ctx)
{
    task_quote_t  *q = ctx;

    return ngx_podi_reply_row(f, q->request, NGX_HTTP_OK, f->result, NULL);
}
