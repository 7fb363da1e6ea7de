/*
 * ngx_podi_refuse: how each part of the gateway says no.
 *
 *     fail -> podi_dry_run? -> yes: noted as `would`, the request goes on
 *                           -> no:  noted, answered, the request ends
 */

#include "ngx_podi_core.h"


ngx_int_t
ngx_podi_refuse(ngx_http_request_t *r, const char *by,
    const podi_fail_t *fail)
{
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    if (ngx_podi_refuse_note(r, by, fail, plcf->dry_run)) {
        return NGX_DECLINED;
    }

    ngx_http_finalize_request(r, ngx_podi_reply_fail(r, fail));

    return NGX_DONE;
}


ngx_uint_t
ngx_podi_refuse_note(ngx_http_request_t *r, const char *by,
    const podi_fail_t *fail, ngx_uint_t dry)
{
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(r);           /* there since the first handler */

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "podi: %s%s: %s while in %s",
                  dry ? "would refuse: " : "",
                  podi_error(fail->error)->code, fail->detail, by);

    if (dry) {
        pc->decision.would = fail->error;
        pc->decision.would_by = by;
        ngx_podi_count(NGX_PODI_COUNT_WOULD_REFUSE);
        return 1;
    }

    pc->decision.error = fail->error;
    pc->decision.by = by;

    return 0;
}
