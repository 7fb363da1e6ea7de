/*
 * What the verbs on a task that is there have in common: cancel and retry.
 *
 *     read body -> parse -> call (PG)
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_param.h"


#define TASK_AGAIN_BODY_MAX  4096


podi_rc_t
ngx_http_podi_task_again_read_body(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_task_again_t  *t = ctx;

    return ngx_podi_read_body(f, t->of.request, TASK_AGAIN_BODY_MAX);
}


podi_rc_t
ngx_http_podi_task_again_parse(podi_flow_t *f, void *ctx)
{
    ngx_http_podi_task_again_t  *t = ctx;

    if (ngx_podi_idempotency_key(t->of.request, &t->key, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_podi_request_hash(t->of.request, &t->hash, &f->fail);
}


podi_rc_t
ngx_http_podi_task_again_call(podi_flow_t *f,
    const ngx_http_podi_task_again_t *t, podi_sql_e sql)
{
    podi_str_t       id;
    podi_pg_call_t   call;

    id = podi_id_str(&t->of.id);

    ngx_podi_pg_init(t->of.request, &call, sql);
    podi_arg_str(&call, &id);
    ngx_podi_arg_param(&call, &t->key);
    podi_arg_bytea(&call, &t->hash);

    return ngx_podi_pg_call(f, t->of.request, &call);
}
