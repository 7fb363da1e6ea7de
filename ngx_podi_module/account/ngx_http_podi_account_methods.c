/*
 * GET /v1/auth/methods: how a person can sign in here.
 *
 *     reply
 *
 * Local accounts only; connections to other identity providers join the
 * list with the module that brings them.
 */

#include "ngx_http_podi_account.h"
#include "ngx_http_podi_account_password.h"


typedef struct {
    ngx_http_request_t  *request;
} account_methods_t;


static podi_rc_t methods_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_methods_steps[] = {
    { "replying", methods_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_account_methods(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_methods_steps,
                               sizeof(account_methods_t));
}


static podi_rc_t
methods_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t          text;
    account_methods_t  *a = ctx;

    if (podi_mem_printf(f->mem, &text,
            "{\"items\":[{\"method\":\"local\",\"identity_source\":\"local\","
            "\"label\":{\"en\":\"Login name and password\","
            "\"zh\":\"用户名和密码\"},\"register\":true,"
            "\"password_min\":%d,\"password_max\":%d}]}",
            PASSWORD_MIN, PASSWORD_MAX)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, a->request, NGX_HTTP_OK, &text);
}
