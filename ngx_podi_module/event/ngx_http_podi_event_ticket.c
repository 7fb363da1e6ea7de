/*
 * POST /v1/events/ticket: a way in for an EventSource, which can set no
 * header.
 *
 *     make -> store its digest (PG) -> reply
 *
 * 32 random bytes, good once and for 30 seconds; PostgreSQL has the digest
 * only, and hands it out once because the row is deleted by the taking.
 */

#include "ngx_http_podi_event.h"
#include "podi_base64.h"
#include "podi_hash.h"


#define EVENT_TICKET_BYTES  32
#define EVENT_TICKET_LIFE   30000


typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           ticket;
} event_ticket_t;


static podi_rc_t ticket_issue(podi_flow_t *f, void *ctx);
static podi_rc_t ticket_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  event_ticket_steps[] = {
    { "issuing the ticket", ticket_issue, 0 },
    { "replying",           ticket_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_event_ticket(ngx_http_request_t *r, const podi_str_t *args)
{
    event_ticket_t  *t;

    t = ngx_pcalloc(r->pool, sizeof(event_ticket_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    t->request = r;

    return ngx_podi_flow_content(r, event_ticket_steps, t);
}


static podi_rc_t
ticket_issue(podi_flow_t *f, void *ctx)
{
    u_char            bytes[EVENT_TICKET_BYTES], digest[PODI_SHA256_LEN];
    podi_str_t        secret, hash;
    podi_pg_call_t    call;
    event_ticket_t   *t = ctx;
    ngx_podi_ctx_t   *pc;

    pc = ngx_podi_ctx(t->request);

    secret.data = bytes;
    secret.len = sizeof(bytes);
    hash.data = digest;
    hash.len = sizeof(digest);

    if (pc == NULL || podi_random(bytes, sizeof(bytes)) != PODI_OK
        || podi_base64url_encode(f->mem, &secret, &t->ticket) != PODI_OK
        || podi_sha256(&t->ticket, digest) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no ticket");
    }

    ngx_podi_pg_init(t->request, &call, PODI_SQL_EVENT_TICKET_ISSUE);
    podi_arg_bytea(&call, &hash);
    podi_arg_str(&call, &pc->identity.session);
    podi_arg_int64(&call, EVENT_TICKET_LIFE);
    podi_arg_str(&call, &pc->identity.token);
    podi_arg_time(&call, (podi_usec_t) pc->identity.issued * 1000000);
    podi_arg_str(&call, &pc->identity.channel);

    return ngx_podi_pg_call(f, t->request, &call);
}


static podi_rc_t
ticket_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t       more;
    event_ticket_t  *t = ctx;

    if (podi_mem_printf(f->mem, &more, ",\"ticket\":\"" PODI_STR_FMT "\"",
                        podi_str_arg(&t->ticket))
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_row(f, t->request, NGX_HTTP_CREATED, f->result,
                              &more);
}
