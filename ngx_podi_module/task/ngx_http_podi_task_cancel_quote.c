/*
 * GET /v1/tasks/{id}/cancel: what a cancel would cost now.  Nothing is written.
 *
 *     quote (PG) -> reply
 *
 * Somebody else's task gets the answer of one that does not exist.
 */

#include "ngx_http_podi_task.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            task_id;
} cancel_quote_t;


static podi_rc_t cancel_quote(podi_flow_t *f, void *ctx);
static podi_rc_t cancel_quote_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  cancel_quote_steps[] = {
    { "pricing a cancel", cancel_quote,       0 },
    { "replying",         cancel_quote_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_cancel_quote(ngx_http_request_t *r,
    const podi_str_t *args)
{
    podi_fail_t      fail;
    cancel_quote_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(cancel_quote_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &t->task_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such task");
        return ngx_podi_reply_fail(r, &fail);
    }

    t->request = r;

    return ngx_podi_flow_content(r, cancel_quote_steps, t);
}


static podi_rc_t
cancel_quote(podi_flow_t *f, void *ctx)
{
    podi_str_t       id;
    cancel_quote_t  *t = ctx;
    podi_pg_call_t   call;

    id = podi_id_str(&t->task_id);

    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_CANCEL_QUOTE);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
cancel_quote_reply(podi_flow_t *f, void *ctx)
{
    cancel_quote_t  *t = ctx;

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_OK, f->result, NULL);
}
