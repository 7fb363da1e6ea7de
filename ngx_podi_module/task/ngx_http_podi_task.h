/*
 * task: the verbs of this directory, and the body that quote and submit
 * have in common.
 */

#ifndef NGX_HTTP_PODI_TASK_H
#define NGX_HTTP_PODI_TASK_H


#include "ngx_podi.h"


#define TASK_BODY_MAX     (64 * 1024)
#define TASK_BATCH_MAX    (512 * 1024)
#define TASK_ORDERS_MAX   20                 /* of a batch */
#define TASK_JOBS_MAX     64

/* what to do with what, as PostgreSQL is told it */

typedef struct {
    podi_str_t   text;               /* as JSON */
    size_t       jobs;               /* at most so many will be made */
} ngx_http_podi_task_order_t;


/* a verb on a task that is there */

typedef struct {
    ngx_podi_of_t   of;
    podi_str_t      key;
    podi_str_t      hash;
} ngx_http_podi_task_again_t;


/*
 * Arguments of the request's channel: under which name prices are looked for,
 * and the actions that it has (SQL null: all).
 */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_task_arg_channel(ngx_http_request_t *r,
    podi_pg_call_t *call, podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t ngx_http_podi_task_arg_actions(ngx_http_request_t *r,
    podi_pg_call_t *call, podi_fail_t *fail);

/* fills the order from a parsed body; ERROR: it is none */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_task_order(ngx_http_request_t *r,
    json_t *body, ngx_http_podi_task_order_t *order, podi_fail_t *fail);

/* how many jobs an order can come to at most; for none at all 0 */
size_t ngx_http_podi_task_jobs(const json_t *order);

/* appends n new ids, "a","b": elements of an array in JSON and PostgreSQL */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_task_name(podi_buf_t *b, size_t n,
    podi_fail_t *fail);

/* steps of a verb on a task, for an ngx_http_podi_task_again_t; and its call */
podi_rc_t ngx_http_podi_task_again_read_body(podi_flow_t *f, void *ctx);
podi_rc_t ngx_http_podi_task_again_parse(podi_flow_t *f, void *ctx);
PODI_MUSTCHECK podi_rc_t ngx_http_podi_task_again_call(podi_flow_t *f,
    const ngx_http_podi_task_again_t *t, podi_sql_e sql);

/*
 * Replies with the row of the result, and puts words into the failures of its
 * jobs, which are objects at this depth (podi_failure.h).
 */
podi_rc_t ngx_http_podi_task_reply(podi_flow_t *f, ngx_http_request_t *r,
    unsigned depth);

ngx_int_t ngx_http_podi_action_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_quota_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_quote(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_submit(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_batch(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_cancel(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_cancel_quote(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_retry(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_task_receipt(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_job_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_job_log(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_job_explain(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_job_preview(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_TASK_H */
