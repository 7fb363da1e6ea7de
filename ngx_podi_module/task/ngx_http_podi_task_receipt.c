/*
 * GET /v1/tasks/{id}/receipt: what a task cost and delivered, signed.
 *
 *     read (PG) -> sign -> reply
 *
 * A JWS by the key of our tokens, of another type, so that neither passes for
 * the other.  Whoever has /.well-known/jwks.json verifies it without asking us
 * (`podictl receipt verify`).
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_token.h"
#include "podi_jose.h"


typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            task_id;
} task_receipt_t;


static podi_rc_t receipt_read(podi_flow_t *f, void *ctx);
static podi_rc_t receipt_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  task_receipt_steps[] = {
    { "reading the task",    receipt_read,  0 },
    { "signing the receipt", receipt_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_task_receipt(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_fail_t      fail;
    task_receipt_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(task_receipt_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(&args[0], &t->task_id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such task");
        return ngx_podi_reply_fail(r, &fail);
    }

    t->request = r;

    return ngx_podi_flow_content(r, task_receipt_steps, t);
}


static podi_rc_t
receipt_read(podi_flow_t *f, void *ctx)
{
    podi_str_t       id;
    podi_pg_call_t   call;
    task_receipt_t  *t = ctx;

    id = podi_id_str(&t->task_id);

    ngx_podi_pg_init(t->request, &call, PODI_SQL_TASK_RECEIPT);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
receipt_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t       receipt, token;
    task_receipt_t  *t = ctx;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such task");
    }

    receipt = podi_row_str(f->result, 0, "receipt");

    if (ngx_podi_token_statement(t->request, PODI_JOSE_TYP_RECEIPT, "receipt",
                                 &receipt, &token, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    ngx_podi_flow_outcome(f, ngx_podi_send(t->request, NGX_HTTP_OK,
                                           "application/jose", &token));
    return PODI_DONE;
}
