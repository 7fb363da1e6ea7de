/*
 * By what a request is counted, how much it costs, and which rule of the
 * limit is its own.
 *
 *     parts -> one is missing? -> ip: the address is counted instead
 *                              -> skip, deny
 *           -> length and kind before each -> keyed hash
 *
 * No part can look like two or like one of another kind, whatever bytes a
 * client puts into it.
 */

#include "ngx_http_podi_limit_rates.h"


static ngx_int_t limit_part(ngx_http_request_t *r, podi_siphash_t *h,
    const ngx_http_podi_limit_part_t *part);
static ngx_int_t limit_text(podi_siphash_t *h, ngx_podi_key_e kind,
    const podi_str_t *s);
static ngx_int_t limit_user(podi_siphash_t *h, ngx_podi_key_e kind,
    const ngx_podi_identity_t *who, const podi_str_t *s);
static ngx_int_t limit_value(ngx_http_request_t *r,
    const ngx_http_podi_limit_expr_t *expr, podi_str_t *ret_value);
static ngx_int_t limit_cost(ngx_http_request_t *r,
    const ngx_http_podi_limit_zone_t *zone, int64_t *ret_cost);
static const ngx_http_podi_limit_rule_t *limit_keep(ngx_pool_t *pool,
    const ngx_http_podi_limit_rule_t *rule);
static podi_str_t limit_plan_of(const ngx_podi_ctx_t *pc);


ngx_int_t
ngx_http_podi_limit_key(ngx_http_request_t *r,
    const ngx_http_podi_limit_zone_t *zone, ngx_podi_bucket_op_t *op,
    podi_fail_t *fail)
{
    ngx_uint_t      i;
    podi_siphash_t  h;

    ngx_podi_key_begin(zone->bucket, &h);

    for (i = 0; i < zone->nparts; i++) {
        if (limit_part(r, &h, &zone->parts[i]) != NGX_OK) {
            break;
        }
    }

    if (i < zone->nparts && zone->missing == NGX_HTTP_PODI_LIMIT_SKIP) {
        return NGX_DECLINED;
    }

    if (i < zone->nparts && zone->missing == NGX_HTTP_PODI_LIMIT_DENY) {
        (void) podi_fail(fail, PODI_E_FORBIDDEN, NULL,
                         "the request has nothing that the limit \"%.*s\" "
                         "counts by", (int) zone->bucket->name.len,
                         zone->bucket->name.data);
        return NGX_ERROR;
    }

    if (i < zone->nparts) {
        ngx_podi_key_begin(zone->bucket, &h);
        ngx_podi_key_address(&h, r);
    }

    podi_siphash_end(&h, op->key);

    if (limit_cost(r, zone, &op->cost) != NGX_OK) {
        (void) podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                         "what the request costs the limit \"%.*s\" is no "
                         "number", (int) zone->bucket->name.len,
                         zone->bucket->name.data);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
limit_part(ngx_http_request_t *r, podi_siphash_t *h,
    const ngx_http_podi_limit_part_t *part)
{
    podi_str_t             s;
    const ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(r);

    switch (part->kind) {

    case NGX_PODI_KEY_IP:
        ngx_podi_key_address(h, r);
        return NGX_OK;

    case NGX_PODI_KEY_USER:
        return limit_user(h, part->kind, &pc->identity, &pc->identity.user);

    case NGX_PODI_KEY_SESSION:
        return limit_user(h, part->kind, &pc->identity,
                          &pc->identity.session);

    case NGX_PODI_KEY_TENANT:
        s = ngx_podi_tenant(r);
        return limit_text(h, part->kind, &s);

    case NGX_PODI_KEY_CHANNEL:
        return limit_text(h, part->kind,
                          (pc->channel != NULL) ? &pc->channel->name
                                                : &pc->identity.channel);

    case NGX_PODI_KEY_PLAN:
        s = limit_plan_of(pc);
        return limit_text(h, part->kind, &s);

    default: /* NGX_PODI_KEY_TEXT */
        if (limit_value(r, &part->expr, &s) != NGX_OK) {
            return NGX_DECLINED;
        }

        return limit_text(h, part->kind, &s);
    }
}


static ngx_int_t
limit_text(podi_siphash_t *h, ngx_podi_key_e kind, const podi_str_t *s)
{
    if (s->len == 0) {
        return NGX_DECLINED;
    }

    ngx_podi_key_part(h, kind, s->data, s->len);

    return NGX_OK;
}


/* two issuers, or two tenants of one, may have users of one name */

static ngx_int_t
limit_user(podi_siphash_t *h, ngx_podi_key_e kind,
    const ngx_podi_identity_t *who, const podi_str_t *s)
{
    if (!who->known || s->len == 0) {
        return NGX_DECLINED;
    }

    ngx_podi_key_part(h, kind, who->issuer.data, who->issuer.len);
    ngx_podi_key_part(h, kind, who->tenant.data, who->tenant.len);
    ngx_podi_key_part(h, kind, s->data, s->len);

    return NGX_OK;
}


static ngx_int_t
limit_value(ngx_http_request_t *r, const ngx_http_podi_limit_expr_t *expr,
    podi_str_t *ret_value)
{
    ngx_str_t                   s;
    ngx_http_variable_value_t  *v;

    if (expr->index != NGX_ERROR) {
        v = ngx_http_get_indexed_variable(r, expr->index);

        if (v == NULL || v->not_found) {
            return NGX_DECLINED;
        }

        ret_value->data = v->data;
        ret_value->len = v->len;

        return NGX_OK;
    }

    if (ngx_http_complex_value(r, expr->value, &s) != NGX_OK) {
        return NGX_DECLINED;
    }

    ret_value->data = s.data;
    ret_value->len = s.len;

    return NGX_OK;
}


/* an empty one is 1: what is not said is a request like any other */

static ngx_int_t
limit_cost(ngx_http_request_t *r, const ngx_http_podi_limit_zone_t *zone,
    int64_t *ret_cost)
{
    size_t      i;
    int64_t     n;
    podi_str_t  s;

    *ret_cost = 1;

    if (!zone->costs || limit_value(r, &zone->cost, &s) != NGX_OK
        || s.len == 0)
    {
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return NGX_ERROR;
        }

        n = n * 10 + (s.data[i] - '0');

        if (n > NGX_HTTP_PODI_LIMIT_COST) {
            return NGX_ERROR;
        }
    }

    *ret_cost = n;

    return NGX_OK;
}


const ngx_http_podi_limit_rule_t *
ngx_http_podi_limit_rule(ngx_http_request_t *r,
    const ngx_http_podi_limit_zone_t *zone)
{
    ngx_uint_t                         i;
    podi_str_t                         plan;
    const ngx_podi_ctx_t              *pc;
    const ngx_http_podi_rate_set_t    *rates;
    const ngx_http_podi_limit_rule_t  *rule;

    rates = ngx_http_podi_rates();

    if (rates == NULL && zone->plans.nelts == 0) {
        return &zone->rule;
    }

    pc = ngx_podi_ctx(r);
    plan = limit_plan_of(pc);

    if (rates != NULL) {
        rule = ngx_http_podi_rate_set_user(rates, zone, &pc->identity);

        if (rule == NULL) {
            rule = ngx_http_podi_rate_set_plan(rates, zone, &plan);
        }

        if (rule != NULL) {
            return limit_keep(r->pool, rule);
        }
    }

    rule = zone->plans.elts;

    for (i = 0; i < zone->plans.nelts; i++) {
        if (podi_str_eq(&rule[i].plan, &plan)) {
            return &rule[i];
        }
    }

    return &zone->rule;
}


/* a copy: by the end of the request there may be newer ones */

static const ngx_http_podi_limit_rule_t *
limit_keep(ngx_pool_t *pool, const ngx_http_podi_limit_rule_t *rule)
{
    ngx_http_podi_limit_rule_t  *kept;

    kept = ngx_palloc(pool, sizeof(ngx_http_podi_limit_rule_t)
                            + rule->policy.len);
    if (kept == NULL) {
        return NULL;
    }

    *kept = *rule;
    kept->policy.data = (u_char *) (kept + 1);
    ngx_memcpy(kept->policy.data, rule->policy.data, rule->policy.len);

    return kept;
}


static podi_str_t
limit_plan_of(const ngx_podi_ctx_t *pc)
{
    if (pc->identity.plan.len != 0 || pc->channel == NULL) {
        return pc->identity.plan;
    }

    return pc->channel->plan;
}
