/*
 * GET /v1/me: who the caller is, and what they may do.
 *
 *     read (PG) -> reply
 */

#include "ngx_http_podi_account.h"


typedef struct {
    ngx_http_request_t  *request;
} account_me_t;


static podi_rc_t me_read(podi_flow_t *f, void *ctx);
static podi_rc_t me_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_me_steps[] = {
    { "reading the account", me_read,  0 },
    { "replying",            me_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_me(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_me_steps, sizeof(account_me_t));
}


static podi_rc_t
me_read(podi_flow_t *f, void *ctx)
{
    account_me_t    *a = ctx;
    podi_pg_call_t   call;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(a->request);
    if (pc == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ngx_podi_pg_init(a->request, &call, PODI_SQL_ACCOUNT_ME);
    podi_arg_str(&call, &pc->identity.session);

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
me_reply(podi_flow_t *f, void *ctx)
{
    u_char           text[PODI_RFC3339_LEN];
    podi_str_t       more;
    account_me_t    *a = ctx;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(a->request);

    if (pc == NULL || podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_UNAUTHENTICATED, NULL,
                         "the account is gone");
    }

    podi_time_rfc3339((podi_usec_t) pc->identity.expires * 1000000, text);

    if (podi_mem_printf(f->mem, &more, ",\"token_expires_at\":\"%.*s\"",
                        PODI_RFC3339_LEN, text)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_row(f, a->request, NGX_HTTP_OK, f->result, &more);
}
