/*
 * GET /v1/tasks/{id}/receipt: what a task cost and delivered, signed.
 *
 *     read (PG) -> sign -> reply
 *
 * A JWS by the key of our tokens, of another type and for another audience, so
 * that neither passes for the other.  Whoever has /.well-known/jwks.json
 * verifies it without asking us (`podictl receipt verify`).
 */

#include "ngx_http_podi_task.h"
#include "ngx_podi_token.h"
#include "podi_jose.h"


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
    return ngx_podi_route_flow_of(r, &args[0], "task", task_receipt_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
receipt_read(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_TASK_RECEIPT);
}


static podi_rc_t
receipt_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t             token;
    ngx_podi_of_t         *t = ctx;
    ngx_podi_statement_t   receipt;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such task");
    }

    receipt.typ = PODI_JOSE_TYP_RECEIPT;
    receipt.aud = PODI_JOSE_AUD_RECEIPT;
    receipt.name = "receipt";
    receipt.json = podi_row_str(f->result, 0, "receipt");

    if (ngx_podi_token_statement(t->request, &receipt, &token, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    ngx_podi_flow_outcome(f, ngx_podi_send(t->request, NGX_HTTP_OK,
                                           "application/jose", &token));
    return PODI_DONE;
}
