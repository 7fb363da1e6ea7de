/*
 * Redis is away: each of its limits is decided by its on_failure.
 *
 *     closed -> refused (503), unless it runs dry; then nothing is charged
 *     local  -> this machine's memory, at the limit's rate, or at its part of
 *               it when nodes= says how many machines there are; refused when
 *               that cannot be counted either
 *     open   -> passes
 */

#include "ngx_http_podi_limit_remote.h"


static ngx_int_t away_here(ngx_http_podi_limit_set_t *set);
static const podi_rule_t *away_rule(ngx_pool_t *pool,
    const ngx_http_podi_limit_item_t *item);


ngx_int_t
ngx_http_podi_limit_away(ngx_http_podi_limit_set_t *set)
{
    ngx_uint_t                   i, closed;
    ngx_http_podi_limit_item_t  *item;

    closed = 0;

    for (i = set->local; i < set->n; i++) {
        item = &set->items[i];

        ngx_http_podi_limit_degrade(item, item->use->zone->on_failure
                                          == PODI_LIMIT_CLOSED);

        set->ops[i].passed = !item->closed;
        closed |= item->closed && !set->ops[i].dry;

        ngx_podi_bucket_count(set->ops[i].bucket, NGX_PODI_BUCKET_DEGRADED);
    }

    return closed ? NGX_DECLINED : away_here(set);
}


void
ngx_http_podi_limit_degrade(ngx_http_podi_limit_item_t *item,
    ngx_uint_t closed)
{
    item->mode = PODI_LIMIT_DEGRADED;
    item->unknown = 1;
    item->closed = closed;
    item->answer.left = PODI_LIMIT_UNKNOWN;
    item->answer.reset_after = 0;
    item->answer.retry_after = closed ? 1000000 : 0;
}


static ngx_int_t
away_here(ngx_http_podi_limit_set_t *set)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i, n, at[NGX_PODI_BUCKET_OPS];
    ngx_http_podi_limit_set_t    here;

    here.request = set->request;
    n = 0;

    for (i = set->local; i < set->n; i++) {
        if (set->items[i].use->zone->on_failure != PODI_LIMIT_TO_LOCAL) {
            continue;
        }

        at[n] = i;
        here.ops[n] = set->ops[i];
        here.ops[n].rule = away_rule(set->request->pool, &set->items[i]);

        if (here.ops[n].rule == NULL) {
            return NGX_ERROR;
        }

        n++;
    }

    here.local = n;
    here.n = n;
    rc = (n > 0) ? ngx_http_podi_limit_take(&here) : NGX_OK;

    for (i = 0; rc != NGX_ERROR && i < n; i++) {
        set->ops[at[i]].passed = here.ops[i].passed;

        if (here.ops[i].lost) {
            ngx_http_podi_limit_degrade(&set->items[at[i]], 1);
            continue;
        }

        set->items[at[i]].unknown = 0;

        ngx_podi_bucket_answer(&here.ops[i], &set->items[at[i]].answer);
    }

    return rc;
}


/* lives with the request, as what is taken is given back by it */

static const podi_rule_t *
away_rule(ngx_pool_t *pool, const ngx_http_podi_limit_item_t *item)
{
    int64_t             most, nodes = item->use->zone->nodes;
    podi_rc_t           rc;
    podi_rule_t        *part;
    const podi_rule_t  *rule = &item->rule->rule;

    if (nodes == 1) {
        return rule;
    }

    part = ngx_palloc(pool, sizeof(podi_rule_t));
    if (part == NULL) {
        return NULL;
    }

    most = ngx_max(rule->gcra.burst / nodes, 1);

    switch (rule->kind) {

    case PODI_CELL_RATE:
        rc = podi_rule_rate(part, rule->gcra.rate,
                            rule->gcra.period * nodes, most);
        break;

    case PODI_CELL_QUOTA:
        rc = podi_rule_quota(part, most, rule->period,
                             (int) (rule->offset / 1000000));
        break;

    default: /* PODI_CELL_CONN */
        rc = podi_rule_conn(part, most);
    }

    /* out of a rule's range: at least it is no more than the whole */

    return (rc == PODI_OK) ? part : rule;
}
