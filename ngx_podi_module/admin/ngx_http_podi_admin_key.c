/*
 * POST /v1/admin/providers/keys/{key_id}/disable: nobody is given the key any
 * more.
 *
 *     disable (PG) -> reply
 */

#include "ngx_http_podi_admin.h"


static podi_rc_t key_disable(podi_flow_t *f, void *ctx);
static podi_rc_t key_disabled(podi_flow_t *f, void *ctx);


static const podi_step_t  key_disable_steps[] = {
    { "disabling the key", key_disable,  0 },
    { "replying",          key_disabled, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_admin_key_disable(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow_of(r, &args[0], "key", key_disable_steps,
                                  sizeof(ngx_podi_of_t));
}


static podi_rc_t
key_disable(podi_flow_t *f, void *ctx)
{
    return ngx_podi_pg_call_of(f, ctx, PODI_SQL_ADMIN_KEY_DISABLE);
}


static podi_rc_t
key_disabled(podi_flow_t *f, void *ctx)
{
    ngx_podi_of_t  *of = ctx;

    return ngx_podi_reply_row(f, of->request, NGX_HTTP_OK, f->result, NULL);
}
