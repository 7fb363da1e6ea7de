/*
 * POST /v1/tasks/batch: up to 20 orders at once, each taken or refused by
 * itself.
 *
 *     read body -> parse -> name -> submit (PG) -> announce (Redis) and reply
 *
 * Promises: an order gets the answer that it would get alone, the task or the
 * problem document, in the order given; what one refuses does not touch the
 * others.  What is not a refusal fails the whole, and nothing is done.
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_channel.h"
#include "ngx_podi_param.h"
#include "podi_problem.h"


typedef struct {
    ngx_http_request_t  *request;
    json_t              *orders;
    podi_str_t           key;
    podi_str_t           hash;
    podi_str_t           named;          /* the orders with their ids */
} task_batch_t;


static podi_rc_t batch_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t batch_parse(podi_flow_t *f, void *ctx);
static podi_rc_t batch_name(podi_flow_t *f, void *ctx);
static podi_rc_t batch_name_one(podi_flow_t *f, podi_buf_t *b,
    const json_t *order);
static podi_rc_t batch_write(podi_flow_t *f, void *ctx);
static podi_rc_t batch_reply(podi_flow_t *f, void *ctx);
static podi_rc_t batch_item(podi_flow_t *f, task_batch_t *t, podi_buf_t *b,
    json_t *said, int is_new);
static podi_rc_t batch_refusal(podi_flow_t *f, task_batch_t *t,
    podi_buf_t *b, const json_t *said);


static const podi_step_t  task_batch_steps[] = {
    { "reading the body",     batch_read_body, 0 },
    { "parsing the body",     batch_parse,     0 },
    { "naming the jobs",      batch_name,      0 },
    { "submitting the tasks", batch_write,     0 },
    { "replying",             batch_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  task_batch_fields[] = {
    { "orders", PODI_JSON_ARRAY, offsetof(task_batch_t, orders),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_task_batch(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, task_batch_steps, sizeof(task_batch_t));
}


static podi_rc_t
batch_read_body(podi_flow_t *f, void *ctx)
{
    task_batch_t  *t = ctx;

    return ngx_podi_read_body(f, t->request, TASK_BATCH_MAX);
}


static podi_rc_t
batch_parse(podi_flow_t *f, void *ctx)
{
    size_t         n;
    json_t        *body;
    task_batch_t  *t = ctx;

    if (ngx_podi_idempotency_key(t->request, &t->key, &f->fail) != PODI_OK
        || ngx_podi_request_hash(t->request, &t->hash, &f->fail) != PODI_OK
        || ngx_podi_body_json(f, t->request, &body) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_json_read(body, task_batch_fields, t, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    /* as PostgreSQL says it; a long list must not be named first */

    n = json_array_size(t->orders);

    if (n < 1 || n > TASK_ORDERS_MAX) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "orders",
                         "1 to %d orders are wanted", TASK_ORDERS_MAX);
    }

    return PODI_OK;
}


/* [{"task_id":…,"job_ids":[…],"order":…}] */

static podi_rc_t
batch_name(podi_flow_t *f, void *ctx)
{
    size_t         i;
    json_t        *order;
    podi_buf_t     b;
    task_batch_t  *t = ctx;

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, '[');

    json_array_foreach(t->orders, i, order) {

        if (i > 0) {
            podi_buf_add_byte(&b, ',');
        }

        if (batch_name_one(f, &b, order) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    podi_buf_add_byte(&b, ']');

    if (podi_buf_take(&b, &t->named) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
batch_name_one(podi_flow_t *f, podi_buf_t *b, const json_t *order)
{
    podi_buf_add_c(b, "{\"task_id\":");

    if (ngx_http_podi_task_name(b, 1, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_c(b, ",\"job_ids\":[");

    if (ngx_http_podi_task_name(b, ngx_http_podi_task_jobs(order), &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_add_c(b, "],\"order\":");
    podi_json_add(b, order);
    podi_buf_add_byte(b, '}');

    return PODI_OK;
}


static podi_rc_t
batch_write(podi_flow_t *f, void *ctx)
{
    podi_str_t       channel;
    task_batch_t    *t = ctx;
    podi_pg_call_t   call;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(t->request);
    if (pc == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    channel = ngx_podi_channel_name(t->request);

    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_SUBMIT_BATCH);
    podi_arg_str(&call, &t->named);
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
batch_reply(podi_flow_t *f, void *ctx)
{
    int                 is_new;
    size_t              i;
    json_t             *results, *said;
    podi_buf_t          b;
    podi_str_t          text, hints, events;
    task_batch_t       *t = ctx;
    podi_json_limit_t   limit = { 0, 0 };

    hints = podi_row_str(f->result, 0, "_hints");
    events = podi_row_str(f->result, 0, "_events");
    text = podi_row_str(f->result, 0, "results");
    is_new = podi_row_bool(f->result, 0, "is_new");

    ngx_podi_announce(t->request, &events, &hints);

    limit.size = text.len;

    if (podi_json_parse(&text, &limit, f->mem, &results, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, f->mem);
    podi_buf_printf(&b, "{\"is_new\":%s,\"items\":[",
                    is_new ? "true" : "false");

    json_array_foreach(results, i, said) {

        if (i > 0) {
            podi_buf_add_byte(&b, ',');
        }

        if (batch_item(f, t, &b, said, is_new) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    podi_buf_add_c(&b, "]}");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, t->request, NGX_HTTP_OK, &text);
}


static podi_rc_t
batch_item(podi_flow_t *f, task_batch_t *t, podi_buf_t *b, json_t *said,
    int is_new)
{
    if (json_object_get(said, "sqlstate") != NULL) {
        return batch_refusal(f, t, b, said);
    }

    if (json_object_set_new(said, "is_new", json_boolean(is_new)) != 0) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_buf_printf(b, "{\"status\":%d,\"task\":",
                    is_new ? NGX_HTTP_CREATED : NGX_HTTP_OK);
    podi_json_add(b, said);
    podi_buf_add_byte(b, '}');

    return PODI_OK;
}


static podi_rc_t
batch_refusal(podi_flow_t *f, task_batch_t *t, podi_buf_t *b,
    const json_t *said)
{
    const char      *state, *message;
    podi_str_t       accept, detail, problem;
    podi_fail_t      fail;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(t->request);
    accept = ngx_podi_header(t->request, "accept-language");
    state = json_string_value(json_object_get(said, "sqlstate"));
    message = json_string_value(json_object_get(said, "message"));

    if (podi_json_dump(json_object_get(said, "detail"), f->mem, &detail)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) podi_pg_refusal(&fail, state, message, (char *) detail.data);

    if (podi_problem(&fail, podi_lang_pick(&accept), &pc->trace_id, f->mem,
                     &problem)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_buf_printf(b, "{\"status\":%d,\"problem\":",
                    podi_error(fail.error)->http);
    podi_buf_add_str(b, &problem);
    podi_buf_add_byte(b, '}');

    return PODI_OK;
}
