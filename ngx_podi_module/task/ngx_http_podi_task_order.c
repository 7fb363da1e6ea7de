/*
 * The order: a body that says what to do with what.
 *
 *     {"inputs": [media ids], "actions": [{"action", "params"}], ...}
 *     {"jobs": [{"key", "action", "params", "inputs", "after"}], ...}
 *
 * Its members are judged in one place, in PostgreSQL, with the media, the
 * parameters and the price; here it is only seen how many jobs it can come to,
 * because their ids are made before.
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_channel.h"


podi_rc_t
ngx_http_podi_task_order(ngx_http_request_t *r, json_t *body,
    ngx_http_podi_task_order_t *order, podi_fail_t *fail)
{
    if (!json_is_object(body)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "", "not an object");
    }

    order->jobs = ngx_http_podi_task_jobs(body);

    if (podi_json_dump(body, ngx_podi_mem(r), &order->text) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* what is not an array has the size 0, and is refused there */

size_t
ngx_http_podi_task_jobs(const json_t *order)
{
    size_t         n;
    const json_t  *jobs;

    jobs = json_object_get(order, "jobs");

    n = (jobs != NULL) ? json_array_size(jobs)
                       : json_array_size(json_object_get(order, "inputs"))
                         * json_array_size(json_object_get(order, "actions"));

    return ngx_min(n, TASK_JOBS_MAX);
}


/* one process hands out ascending ids, so the jobs are in order already */

podi_rc_t
ngx_http_podi_task_name(podi_buf_t *b, size_t n, podi_fail_t *fail)
{
    size_t      i;
    podi_id_t   id;
    podi_str_t  text;

    for (i = 0; i < n; i++) {

        if (podi_id_make(&id) != PODI_OK) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no randomness");
        }

        text = podi_id_str(&id);

        if (i > 0) {
            podi_buf_add_byte(b, ',');
        }

        podi_buf_add_json(b, &text);
    }

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_task_arg_channel(ngx_http_request_t *r, podi_pg_call_t *call,
    podi_fail_t *fail)
{
    podi_str_t  prices;

    prices = ngx_podi_channel_prices(r);
    podi_arg_str(call, &prices);

    return ngx_http_podi_task_arg_actions(r, call, fail);
}


podi_rc_t
ngx_http_podi_task_arg_actions(ngx_http_request_t *r, podi_pg_call_t *call,
    podi_fail_t *fail)
{
    podi_str_t  actions;

    if (ngx_podi_channel_actions(r, &actions) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (actions.data == NULL) {
        podi_arg_null(call);

    } else {
        podi_arg_str(call, &actions);
    }

    return PODI_OK;
}
