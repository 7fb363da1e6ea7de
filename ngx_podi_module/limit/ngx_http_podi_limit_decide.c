/*
 * All limits of a location, decided as one.
 *
 *     uses, less what has judged this request before
 *         -> keys, costs, rules
 *         -> here:    buckets (all or nothing); what is lost: on_failure
 *         -> passed:  those in Redis (all or nothing), maybe parked
 *         -> refused: what was taken here comes back; 429, and until when
 *         -> passed:  counted; places are given back with the request
 *
 * A limit judges a request once, whatever internal redirects it takes; the
 * limits of the location that it ends in are added.  What would have refused,
 * and was dry, has charged nothing and has not judged.
 */

#include "ngx_http_podi_limit_remote.h"


static ngx_int_t limit_set(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_uint_t early,
    podi_fail_t *fail);
static ngx_int_t limit_set_some(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_uint_t early,
    ngx_uint_t remote, podi_fail_t *fail);
static ngx_int_t limit_set_one(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_use_t *use, podi_fail_t *fail);
static void limit_leave(void *data);
static void limit_lost(ngx_http_podi_limit_set_t *set);
static ngx_int_t limit_decided(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_int_t rc);
static ngx_int_t limit_passed(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf);
static ngx_int_t limit_refused(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf);
static void limit_unjudged(const ngx_http_podi_limit_set_t *set);
static uint64_t limit_bit(const ngx_http_podi_limit_set_t *set, ngx_uint_t i);
static void limit_fail(const ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_item_t *binds, ngx_uint_t status,
    podi_fail_t *fail);


ngx_int_t
ngx_http_podi_limit_decide(ngx_http_request_t *r, ngx_uint_t early)
{
    ngx_int_t                        rc;
    podi_fail_t                      fail;
    ngx_http_podi_limit_set_t        set, *parked;
    ngx_http_podi_limit_loc_conf_t  *llcf;

    llcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_limit_module);

    if (llcf->uses == NULL || r != r->main
        || (early ? llcf->early == 0 : llcf->early == llcf->uses->nelts))
    {
        return NGX_DECLINED;
    }

    if (ngx_podi_request(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    parked = ngx_http_podi_limit_parked(r, &rc);

    if (parked != NULL) {
        return limit_decided(parked, llcf, rc);
    }

    set.request = r;

    rc = limit_set(&set, llcf, early, &fail);

    if (rc == NGX_ERROR) {
        return ngx_podi_refuse(r, "limit", &fail);
    }

    if (set.n == 0) {
        return NGX_DECLINED;
    }

    rc = ngx_http_podi_limit_take(&set);

    limit_lost(&set);

    if (rc == NGX_OK && set.local < set.n) {
        rc = ngx_http_podi_limit_remote(r, &set);
    }

    return limit_decided(&set, llcf, rc);
}


/* places come back with the request: that is soon enough */

static ngx_int_t
limit_decided(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_int_t rc)
{
    ngx_uint_t  i;

    switch (rc) {

    case NGX_OK:
        return limit_passed(set, llcf);

    case NGX_DECLINED:
        for (i = 0; set->local < set->n && i < set->local; i++) {
            if (set->ops[i].rule->kind != PODI_CELL_CONN) {
                ngx_podi_bucket_undo(&set->ops[i]);
            }
        }

        return limit_refused(set, llcf);

    case NGX_ERROR:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default:
        return rc;
    }
}


/* first those that this machine decides, then those of Redis */

static ngx_int_t
limit_set(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_uint_t early,
    podi_fail_t *fail)
{
    set->n = 0;

    if (limit_set_some(set, llcf, early, 0, fail) != NGX_OK) {
        return NGX_ERROR;
    }

    set->local = set->n;

    return (llcf->remote && !early) ? limit_set_some(set, llcf, 0, 1, fail)
                                    : NGX_OK;
}


static ngx_int_t
limit_set_some(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf, ngx_uint_t early,
    ngx_uint_t remote, podi_fail_t *fail)
{
    uint64_t                     bit;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_podi_request_t          *pr;
    ngx_http_podi_limit_use_t   *use, **uses;

    pr = ngx_podi_request(set->request);
    uses = llcf->uses->elts;

    for (i = 0; i < llcf->uses->nelts; i++) {
        use = uses[i];
        bit = (uint64_t) 1 << use->zone->bit;

        if (use->early != early || (pr->limits & bit)
            || (use->zone->mode != PODI_LIMIT_LOCAL) != remote)
        {
            continue;
        }

        rc = limit_set_one(set, use, fail);

        if (rc == NGX_OK) {
            set->n++;

        } else if (rc == NGX_ERROR && !use->dry) {
            return NGX_ERROR;

        } else {
            ngx_podi_bucket_count(use->zone->bucket, (rc == NGX_ERROR)
                                                     ? NGX_PODI_BUCKET_DRY
                                                     : NGX_PODI_BUCKET_SKIPPED);
        }
    }

    return NGX_OK;
}


/* OK, DECLINED: there is nothing to count by, ERROR: it refuses */

static ngx_int_t
limit_set_one(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_use_t *use, podi_fail_t *fail)
{
    ngx_int_t                    rc;
    ngx_podi_bucket_op_t        *op = &set->ops[set->n];
    ngx_http_podi_limit_zone_t  *zone = use->zone;
    ngx_http_podi_limit_item_t  *item = &set->items[set->n];

    rc = ngx_http_podi_limit_key(set->request, zone, op, fail);

    if (rc != NGX_OK) {
        return rc;
    }

    item->rule = ngx_http_podi_limit_rule(set->request, zone);

    if (item->rule == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    item->use = use;
    item->mode = zone->mode;
    item->unknown = (zone->mode != PODI_LIMIT_LOCAL);
    item->closed = 0;

    op->bucket = zone->bucket;
    op->rule = &item->rule->rule;
    op->dry = use->dry;
    op->open = (zone->on_failure == PODI_LIMIT_OPEN);
    op->lost = 0;
    op->passed = 1;
    op->taken = 0;
    op->hold = NULL;

    return NGX_OK;
}


/* memory for giving places back comes first: there is no way back after */

ngx_int_t
ngx_http_podi_limit_take(ngx_http_podi_limit_set_t *set)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_pool_cleanup_t   *cln[NGX_PODI_BUCKET_OPS];

    for (i = 0; i < set->local; i++) {
        cln[i] = NULL;

        if (set->ops[i].rule->kind != PODI_CELL_CONN) {
            continue;
        }

        cln[i] = ngx_pool_cleanup_add(set->request->pool,
                                      sizeof(ngx_podi_bucket_op_t));
        if (cln[i] == NULL) {
            return NGX_ERROR;
        }
    }

    rc = ngx_podi_bucket_take(set->ops, set->local);

    for (i = 0; rc == NGX_OK && i < set->local; i++) {
        if (cln[i] != NULL && set->ops[i].taken) {
            *(ngx_podi_bucket_op_t *) cln[i]->data = set->ops[i];
            cln[i]->handler = limit_leave;
        }
    }

    return rc;
}


static void
limit_leave(void *data)
{
    ngx_podi_bucket_undo(data);
}


/* somebody stands still with its lock in his hand: as if Redis were away */

static void
limit_lost(ngx_http_podi_limit_set_t *set)
{
    ngx_uint_t  i;

    for (i = 0; i < set->local; i++) {
        if (set->ops[i].lost) {
            ngx_http_podi_limit_degrade(&set->items[i],
                                        !set->ops[i].open);
            ngx_podi_bucket_count(set->ops[i].bucket,
                                  NGX_PODI_BUCKET_DEGRADED);
        }
    }
}


static ngx_int_t
limit_passed(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf)
{
    ngx_uint_t                   i, degraded;
    ngx_podi_request_t          *pr;
    ngx_podi_decision_t         *d;
    ngx_http_podi_limit_item_t  *item;

    pr = ngx_podi_request(set->request);
    d = &pr->pub.decision;
    degraded = 0;

    pr->limited = ngx_max(pr->limited, NGX_PODI_LIMIT_PASSED);

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];

        if (set->ops[i].passed) {
            pr->limits |= limit_bit(set, i);
            ngx_podi_bucket_count(set->ops[i].bucket,
                                  NGX_PODI_BUCKET_ALLOWED);

        } else {
            ngx_podi_bucket_count(set->ops[i].bucket, NGX_PODI_BUCKET_DRY);
            pr->limited = NGX_PODI_LIMIT_DRY;
            d->would = PODI_E_RATE_LIMITED;
            d->would_by = "limit";
        }

        if (item->mode == PODI_LIMIT_DEGRADED) {
            ngx_http_podi_limit_binds(d, set, i);
            degraded = 1;
        }

        if (llcf->headers == NGX_HTTP_PODI_LIMIT_HEADERS_OFF) {
            continue;
        }

        if (i < set->local && !set->ops[i].lost) {
            ngx_podi_bucket_answer(&set->ops[i], &item->answer);
        }

        if (!set->ops[i].dry
            && (d->mode == NULL || (!degraded && !item->unknown
                                    && item->answer.left < d->left)))
        {
            ngx_http_podi_limit_binds(d, set, i);
        }
    }

    if (llcf->headers != NGX_HTTP_PODI_LIMIT_HEADERS_OFF
        && ngx_http_podi_limit_headers(set, llcf->headers, 0) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* the one for which there is longest to wait binds */

static ngx_int_t
limit_refused(ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_loc_conf_t *llcf)
{
    int64_t                      wait;
    ngx_int_t                    rc;
    ngx_uint_t                   i, binds;
    podi_fail_t                  fail;
    ngx_podi_request_t          *pr;
    ngx_http_podi_limit_item_t  *item;

    pr = ngx_podi_request(set->request);
    pr->limited = NGX_PODI_LIMIT_REFUSED;

    wait = 0;
    binds = 0;

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];
        pr->limits |= limit_bit(set, i);    /* an error page comes next */

        if (i < set->local && !set->ops[i].lost) {
            ngx_podi_bucket_answer(&set->ops[i], &item->answer);
        }

        if (set->ops[i].passed) {
            continue;
        }

        ngx_podi_bucket_count(set->ops[i].bucket,
                              set->ops[i].dry ? NGX_PODI_BUCKET_DRY
                                              : NGX_PODI_BUCKET_REFUSED);

        if (!set->ops[i].dry && item->answer.retry_after > wait) {
            wait = item->answer.retry_after;
            binds = i;
        }
    }

    ngx_http_podi_limit_binds(&pr->pub.decision, set, binds);

    limit_fail(set, &set->items[binds], llcf->status, &fail);

    if (llcf->headers != NGX_HTTP_PODI_LIMIT_HEADERS_OFF
        && ngx_http_podi_limit_headers(set, llcf->headers, fail.retry_after)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_podi_refuse(set->request, "limit", &fail);

    if (rc == NGX_DECLINED) {
        limit_unjudged(set);
    }

    return rc;
}


/* nobody was refused: what holds no place has charged nothing */

static void
limit_unjudged(const ngx_http_podi_limit_set_t *set)
{
    ngx_uint_t           i;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(set->request);

    for (i = 0; i < set->n; i++) {
        if (!set->ops[i].taken) {
            pr->limits &= ~limit_bit(set, i);
        }
    }
}


static uint64_t
limit_bit(const ngx_http_podi_limit_set_t *set, ngx_uint_t i)
{
    return (uint64_t) 1 << set->items[i].use->zone->bit;
}


/* what costs more than the limit ever has waits for a whole one, in vain */

static void
limit_fail(const ngx_http_podi_limit_set_t *set,
    const ngx_http_podi_limit_item_t *binds, ngx_uint_t status,
    podi_fail_t *fail)
{
    int64_t     wait = binds->answer.retry_after;
    ngx_str_t  *name = &binds->use->zone->bucket->name;

    ngx_memzero(fail, sizeof(podi_fail_t));

    if (binds->closed) {
        (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "the limit \"%.*s\" cannot be counted",
                         (int) name->len, name->data);
        fail->retry_after = ngx_http_podi_limit_seconds(wait);
        return;
    }

    (void) podi_fail(fail, (status == NGX_HTTP_SERVICE_UNAVAILABLE)
                           ? PODI_E_UNAVAILABLE : PODI_E_RATE_LIMITED,
                     NULL, "the limit \"%.*s\" %s",
                     (int) name->len, name->data,
                     (wait == PODI_GCRA_NEVER) ? "is below what this costs"
                                               : "is used up");

    (void) snprintf(fail->extra, sizeof(fail->extra), "\"policy\":\"%.*s\"",
                    (int) name->len, name->data);

    if (wait == PODI_GCRA_NEVER) {
        wait = ngx_max(binds->rule->rule.span, 86400 * INT64_C(1000000));
    }

    fail->retry_after = ngx_http_podi_limit_seconds(wait);
}
