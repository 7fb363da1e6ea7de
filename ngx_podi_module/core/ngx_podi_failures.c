/*
 * ngx_podi_failures: who guesses passwords or signatures has a limit of
 * failures by his address.
 *
 *     take -> the costly check -> failed    -> charge: it stays taken
 *                              -> not so    -> forgive: it is given back
 *
 * Who is over it is not checked at all, whatever he brings: an answer would
 * tell him whether the guess was right.  A failure is taken before it is one,
 * or as many as arrive during a check would all be checked.  Who goes away
 * while he is checked has failed.  Who cannot be counted may not try.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_core.h"


static ngx_uint_t failures_op(ngx_http_request_t *r,
    ngx_podi_bucket_op_t *op);
static podi_rc_t failures_refuse(const ngx_podi_bucket_op_t *op,
    podi_fail_t *fail);


char *
ngx_podi_set_failures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t            *value, name;
    ngx_podi_loc_conf_t  *plcf = conf;

    if (plcf->failures != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        plcf->failures = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len <= 5 || ngx_strncmp(value[1].data, "zone=", 5) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_auth_failures\" does not take \"%V\": "
                           "write podi_auth_failures zone=failures; with a "
                           "podi_limit_zone of that name", &value[1]);
        return NGX_CONF_ERROR;
    }

    name.data = value[1].data + 5;
    name.len = value[1].len - 5;

    plcf->failures = ngx_podi_bucket_named(cf, &name);
    if (plcf->failures == NULL) {
        return NGX_CONF_ERROR;
    }

    plcf->failures->failures = 1;

    return NGX_CONF_OK;
}


podi_rc_t
ngx_podi_failures_peek(ngx_http_request_t *r, podi_fail_t *fail)
{
    ngx_podi_bucket_op_t  op;

    if (!failures_op(r, &op) || ngx_podi_bucket_peek(&op) == NGX_OK) {
        return PODI_OK;
    }

    return failures_refuse(&op, fail);
}


podi_rc_t
ngx_podi_failures_take(ngx_http_request_t *r, podi_fail_t *fail)
{
    ngx_podi_request_t    *pr;
    ngx_podi_bucket_op_t   op;

    pr = ngx_podi_request(r);

    if (pr == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if ((pr->failure != NULL && pr->failure->taken) || !failures_op(r, &op)) {
        return PODI_OK;
    }

    if (pr->failure == NULL) {
        pr->failure = ngx_palloc(r->pool, sizeof(ngx_podi_bucket_op_t));

        if (pr->failure == NULL) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    *pr->failure = op;

    if (ngx_podi_bucket_take(pr->failure, 1) != NGX_OK) {
        return failures_refuse(pr->failure, fail);
    }

    return PODI_OK;
}


void
ngx_podi_failures_forgive(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);

    if (pr != NULL && pr->failure != NULL) {
        ngx_podi_bucket_undo(pr->failure);
    }
}


void
ngx_podi_failures_charge(ngx_http_request_t *r)
{
    ngx_podi_request_t    *pr;
    ngx_podi_bucket_op_t   op;

    pr = ngx_podi_request(r);

    if (pr != NULL && pr->failure != NULL && pr->failure->taken) {
        pr->failure->taken = 0;         /* for good */
        ngx_podi_bucket_count(pr->failure->bucket, NGX_PODI_BUCKET_CHARGED);
        return;
    }

    if (failures_op(r, &op)) {
        ngx_podi_bucket_charge(&op);
        ngx_podi_bucket_count(op.bucket, op.lost ? NGX_PODI_BUCKET_DEGRADED
                                                 : NGX_PODI_BUCKET_CHARGED);
    }
}


static podi_rc_t
failures_refuse(const ngx_podi_bucket_op_t *op, podi_fail_t *fail)
{
    podi_cell_answer_t  answer;

    if (op->lost) {
        ngx_podi_bucket_count(op->bucket, NGX_PODI_BUCKET_DEGRADED);

        (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "failures cannot be counted");
        fail->retry_after = 1;

        return PODI_ERROR;
    }

    ngx_podi_bucket_count(op->bucket, NGX_PODI_BUCKET_REFUSED);
    ngx_podi_bucket_answer(op, &answer);

    (void) podi_fail(fail, PODI_E_RATE_LIMITED, NULL,
                     "too many failures from this address");

    fail->retry_after = (unsigned) ((answer.retry_after + 999999) / 1000000);

    return PODI_ERROR;
}


/* 0: there is no such limit here */

static ngx_uint_t
failures_op(ngx_http_request_t *r, ngx_podi_bucket_op_t *op)
{
    podi_siphash_t        h;
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    if (plcf->failures == NULL) {
        return 0;
    }

    ngx_memzero(op, sizeof(ngx_podi_bucket_op_t));

    op->bucket = plcf->failures;
    op->rule = &plcf->failures->rule;
    op->cost = 1;

    ngx_podi_key_begin(op->bucket, &h);
    ngx_podi_key_address(&h, r);
    podi_siphash_end(&h, op->key);

    return 1;
}
