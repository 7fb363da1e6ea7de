/*
 * DELETE /v1/me/api-keys/{key_id}: takes a key back.
 *
 *     revoke (PG) -> revoke (shared memory) and reply
 *
 * From the answer on, every worker of this nginx refuses it; other nginx hear
 * of it through the revocation feed, as of a session.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_revoke.h"


static podi_rc_t api_key_revoke(podi_flow_t *f, void *ctx);
static podi_rc_t api_key_revoked(podi_flow_t *f, void *ctx);


static const podi_step_t  account_api_key_revoke_steps[] = {
    { "revoking the API key", api_key_revoke,  0 },
    { "replying",             api_key_revoked, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_api_key_revoke(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "API key",
                                  account_api_key_revoke_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
api_key_revoke(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *of = ctx;

    if (ngx_http_podi_account_is_person(of->request, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_podi_pg_call_of(f, of, PODI_SQL_API_KEY_REVOKE);
}


static podi_rc_t
api_key_revoked(podi_flow_t *f, void *ctx)
{
    podi_str_t      id, events, none = podi_null_str;
    ngx_podi_of_t  *of = ctx;

    id = podi_id_str(&of->id);

    ngx_podi_revoke_session(&id);

    if (podi_rows(f->result) > 0) {
        events = podi_row_str(f->result, 0, "_events");
        ngx_podi_announce(of->request, &events, &none);
    }

    return ngx_podi_reply_row(f, of->request, NGX_HTTP_OK, f->result, NULL);
}
