/*
 * ngx_podi_sandbox: the answer that a front end wishes to see.
 *
 *     X-Podi-Mock: <code of docs/errors.md>  ->  that problem; nothing is done
 *
 * The wish is looked at where PODI's own routes answer, so behind the gateway:
 * trace, CORS, authentication and limits are as they are without it.  Where
 * podi_sandbox is off the request is refused, and nothing is done either: a
 * page that was built on wishes must not spend points by mistake.
 */

#include "ngx_podi_core.h"

#define SANDBOX_HEADER  "X-Podi-Mock"       /* as people write it */


ngx_int_t
ngx_podi_sandbox(ngx_http_request_t *r)
{
    podi_str_t            wish;
    podi_fail_t           fail;
    podi_error_e          error;
    ngx_podi_loc_conf_t  *plcf;

    wish = ngx_podi_header(r, "x-podi-mock");

    if (wish.data == NULL) {
        return NGX_DECLINED;
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (!plcf->sandbox) {
        (void) podi_fail(&fail, PODI_E_BAD_REQUEST, SANDBOX_HEADER,
                         "answers can be wished for in a sandbox only");
        return ngx_podi_reply_fail(r, &fail);
    }

    error = podi_error_by_code(&wish);

    if (error == PODI_E_NONE) {
        (void) podi_fail(&fail, PODI_E_BAD_REQUEST, SANDBOX_HEADER,
                         "there is no such code: see docs/errors.md");
        return ngx_podi_reply_fail(r, &fail);
    }

    (void) podi_fail(&fail, error, NULL, "wished for with " SANDBOX_HEADER);

    return ngx_podi_reply_fail(r, &fail);
}
