/*
 * POST /v1/tasks: freeze the price, queue the jobs of an order.
 *
 *     read body -> parse -> submit (PG) -> announce (Redis) and reply
 *
 * The ids are made here, so that a client that lost the answer and sends the
 * same Idempotency-Key again is told of the task that its first try made.
 * A lost announcement costs time only: podi_dispatchd finds the jobs.
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_channel.h"
#include "ngx_podi_param.h"
#include "podi_fault.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_podi_task_order_t   order;
    podi_str_t                   key;
    podi_str_t                   hash;
    podi_id_t                    task_id;
    podi_str_t                   job_ids;    /* as a PostgreSQL array */
} task_submit_t;


static podi_rc_t submit_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t submit_parse(podi_flow_t *f, void *ctx);
static podi_rc_t submit_name(podi_flow_t *f, void *ctx);
static podi_rc_t submit_write(podi_flow_t *f, void *ctx);
static podi_rc_t submit_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_submit_steps[] = {
    { "reading the body",    submit_read_body, 0 },
    { "parsing the body",    submit_parse,     0 },
    { "naming the jobs",     submit_name,      0 },
    { "submitting the task", submit_write,     0 },
    { "replying",            submit_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_submit(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, task_submit_steps, sizeof(task_submit_t));
}


static podi_rc_t
submit_read_body(podi_flow_t *f, void *ctx)
{
    task_submit_t  *t = ctx;

    return ngx_podi_read_body(f, t->request, TASK_BODY_MAX);
}


static podi_rc_t
submit_parse(podi_flow_t *f, void *ctx)
{
    json_t         *body;
    task_submit_t  *t = ctx;

    if (ngx_podi_idempotency_key(t->request, &t->key, &f->fail) != PODI_OK
        || ngx_podi_request_hash(t->request, &t->hash, &f->fail) != PODI_OK
        || ngx_podi_body_json(f, t->request, &body) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_http_podi_task_order(t->request, body, &t->order, &f->fail);
}


static podi_rc_t
submit_name(podi_flow_t *f, void *ctx)
{
    podi_buf_t      b;
    task_submit_t  *t = ctx;

    if (podi_id_make(&t->task_id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, '{');

    if (ngx_http_podi_task_name(&b, t->order.jobs, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &t->job_ids) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
submit_write(podi_flow_t *f, void *ctx)
{
    podi_str_t       id, channel;
    task_submit_t   *t = ctx;
    podi_pg_call_t   call;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(t->request);
    if (pc == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    id = podi_id_str(&t->task_id);
    channel = ngx_podi_channel_name(t->request);

    PODI_FAULT(submit_ask);
    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_SUBMIT);
    podi_arg_str(&call, &id);
    podi_arg_str(&call, &t->job_ids);
    podi_arg_str(&call, &t->order.text);
    podi_arg_str(&call, &channel);
    podi_arg_str(&call, &pc->trace_id);

    ngx_podi_arg_param(&call, &t->key);
    podi_arg_bytea(&call, &t->hash);

    if (ngx_http_podi_task_arg_channel(t->request, &call, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
submit_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t      hints, events;
    ngx_uint_t      status;
    task_submit_t  *t = ctx;

    hints = podi_row_str(f->result, 0, "_hints");
    events = podi_row_str(f->result, 0, "_events");

    PODI_FAULT(submit_told);
    ngx_podi_announce(t->request, &events, &hints);

    status = podi_row_bool(f->result, 0, "is_new") ? NGX_HTTP_CREATED
                                                   : NGX_HTTP_OK;

    return ngx_podi_reply_row(f, t->request, status, f->result, NULL);
}
