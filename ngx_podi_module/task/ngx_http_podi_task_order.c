/*
 * The order: the part of a body that says what to do with what.
 *
 *     {"inputs": [media ids], "actions": [{"action": "image.resize",
 *      "params": {...}}], "expected_price": 12}
 *
 * Only the shape is judged here; whether the media are the caller's, and the
 * parameters those of the action, is decided in PostgreSQL with the price.
 */

#include "ngx_http_podi_task.h"


typedef struct {
    podi_str_t   action;
    json_t      *params;
} task_action_t;


static podi_rc_t order_inputs(ngx_http_request_t *r,
    ngx_http_podi_task_order_t *order, podi_fail_t *fail);
static podi_rc_t order_actions(ngx_http_request_t *r,
    ngx_http_podi_task_order_t *order, podi_fail_t *fail);


static const podi_json_field_t  task_order_fields[] = {
    { "inputs",         PODI_JSON_ARRAY,
      offsetof(ngx_http_podi_task_order_t, inputs),
      PODI_JSON_REQUIRED, 1, TASK_INPUTS_MAX, NULL },
    { "actions",        PODI_JSON_ARRAY,
      offsetof(ngx_http_podi_task_order_t, actions),
      PODI_JSON_REQUIRED, 1, TASK_ACTIONS_MAX, NULL },
    { "expected_price", PODI_JSON_INT64,
      offsetof(ngx_http_podi_task_order_t, expected_price),
      PODI_JSON_NULLABLE, 0, INT64_MAX, NULL },
    podi_null_json_field
};

static const podi_json_field_t  task_action_fields[] = {
    { "action", PODI_JSON_STR,    offsetof(task_action_t, action),
      PODI_JSON_REQUIRED, 1, 64, NULL },
    { "params", PODI_JSON_OBJECT, offsetof(task_action_t, params),
      0, 0, 0, NULL },
    podi_null_json_field
};


podi_rc_t
ngx_http_podi_task_order(ngx_http_request_t *r, json_t *body,
    ngx_http_podi_task_order_t *order, podi_fail_t *fail)
{
    order->expected_price = -1;

    if (podi_json_read(body, task_order_fields, order, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (order_inputs(r, order, fail) != PODI_OK
        || order_actions(r, order, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    order->jobs = json_array_size(order->inputs)
                  * json_array_size(order->actions);

    if (order->jobs > TASK_JOBS_MAX) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "actions",
                         "inputs times actions must not pass %d jobs",
                         TASK_JOBS_MAX);
    }

    return PODI_OK;
}


/* the ids as the text of a PostgreSQL array: {id,id} */

static podi_rc_t
order_inputs(ngx_http_request_t *r, ngx_http_podi_task_order_t *order,
    podi_fail_t *fail)
{
    size_t       i;
    podi_id_t    id;
    podi_buf_t   b;
    podi_str_t   text;

    podi_buf_init(&b, ngx_podi_mem(r));

    for (i = 0; i < json_array_size(order->inputs); i++) {

        text = podi_json_str(json_array_get(order->inputs, i));

        if (podi_id_parse(&text, &id) != PODI_OK) {
            (void) podi_fail(fail, PODI_E_BAD_FIELD, "", "not a UUID");
            return podi_json_at(fail, "inputs[%zu]", i);
        }

        text = podi_id_str(&id);

        podi_buf_add_byte(&b, (i == 0) ? '{' : ',');
        podi_buf_add_str(&b, &text);
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &order->inputs_text) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
order_actions(ngx_http_request_t *r, ngx_http_podi_task_order_t *order,
    podi_fail_t *fail)
{
    size_t         i;
    json_t        *item;
    task_action_t  action;

    for (i = 0; i < json_array_size(order->actions); i++) {

        item = json_array_get(order->actions, i);

        if (!json_is_object(item)) {
            (void) podi_fail(fail, PODI_E_BAD_FIELD, "", "not an object");
            return podi_json_at(fail, "actions[%zu]", i);
        }

        if (podi_json_read(item, task_action_fields, &action, fail)
            != PODI_OK)
        {
            return podi_json_at(fail, "actions[%zu]", i);
        }
    }

    if (podi_json_dump(order->actions, ngx_podi_mem(r), &order->actions_text)
        != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}
