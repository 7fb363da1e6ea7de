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


static size_t order_jobs(const json_t *body);


const podi_str_t  ngx_http_podi_task_channel = podi_string("default");


podi_rc_t
ngx_http_podi_task_order(ngx_http_request_t *r, json_t *body,
    ngx_http_podi_task_order_t *order, podi_fail_t *fail)
{
    if (!json_is_object(body)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "", "not an object");
    }

    order->jobs = ngx_min(order_jobs(body), TASK_JOBS_MAX);

    if (podi_json_dump(body, ngx_podi_mem(r), &order->text) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* what is not an array has the size 0, and is refused there */

static size_t
order_jobs(const json_t *body)
{
    const json_t  *jobs;

    jobs = json_object_get(body, "jobs");

    if (jobs != NULL) {
        return json_array_size(jobs);
    }

    return json_array_size(json_object_get(body, "inputs"))
           * json_array_size(json_object_get(body, "actions"));
}
