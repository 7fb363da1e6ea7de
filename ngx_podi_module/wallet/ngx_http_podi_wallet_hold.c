/*
 * What freeze, confirm and release of other servers have in common.
 */

#include "ngx_http_podi_wallet.h"


podi_rc_t
ngx_http_podi_wallet_key(podi_flow_t *f, ngx_http_request_t *r,
    podi_str_t *ret_key, podi_str_t *ret_hash)
{
    if (ngx_podi_idempotency_key(r, ret_key, &f->fail) != PODI_OK
        || ngx_podi_request_hash(r, ret_hash, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (ret_key->data == NULL) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "Idempotency-Key",
                         "the header is required");
    }

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_wallet_hold_reply(podi_flow_t *f, ngx_http_request_t *r,
    ngx_uint_t status)
{
    podi_str_t  events;
    podi_str_t  none = podi_null_str;

    events = podi_row_str(f->result, 0, "_events");

    ngx_podi_announce(r, &events, &none);

    return ngx_podi_reply_row(f, r, status, f->result, NULL);
}
