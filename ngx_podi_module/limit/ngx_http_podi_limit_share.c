/*
 * What a podi_limit_zone says about limits that several machines share:
 * "mode=exact", "on_failure=local", "nodes=2".
 */

#include "ngx_http_podi_limit_remote.h"


static ngx_int_t share_word(const char *const *words, const u_char *s,
    size_t len, ngx_uint_t *ret_n);


/* in the order of podi_limit_mode_e and podi_limit_failure_e */

static const char *const  share_modes[] = {
    "local", "exact", "leased", NULL
};

static const char *const  share_failures[] = {
    "open", "closed", "local", NULL
};


ngx_int_t
ngx_http_podi_limit_shared(ngx_http_podi_limit_zone_t *zone,
    const ngx_str_t *s)
{
    ngx_int_t   rc, nodes;
    ngx_uint_t  n = 0;

    if (ngx_strncmp(s->data, "mode=", 5) == 0) {
        rc = share_word(share_modes, s->data + 5, s->len - 5, &n);
        zone->mode = n;
        return rc;
    }

    if (ngx_strncmp(s->data, "on_failure=", 11) == 0) {
        rc = share_word(share_failures, s->data + 11, s->len - 11, &n);
        zone->on_failure = n;
        return rc;
    }

    if (ngx_strncmp(s->data, "nodes=", 6) == 0) {
        nodes = ngx_atoi(s->data + 6, s->len - 6);
        zone->nodes = nodes;
        return (nodes > 0 && nodes <= 1000) ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


static ngx_int_t
share_word(const char *const *words, const u_char *s, size_t len,
    ngx_uint_t *ret_n)
{
    ngx_uint_t  i;

    for (i = 0; words[i] != NULL; i++) {
        if (ngx_strlen(words[i]) == len && ngx_memcmp(words[i], s, len) == 0) {
            *ret_n = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


char *
ngx_http_podi_limit_shared_check(ngx_conf_t *cf,
    ngx_http_podi_limit_zone_t *zone)
{
    const char  *wrong;

    if (zone->mode == PODI_LIMIT_LOCAL) {
        return NGX_CONF_OK;
    }

    if (zone->mode == PODI_LIMIT_LEASED
        && zone->rule.rule.kind != PODI_CELL_RATE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" %V: mode=leased is for rate=; "
                           "write mode=exact", &zone->bucket->name);
        return NGX_CONF_ERROR;
    }

    wrong = ngx_http_podi_limit_wrong(zone, &zone->rule.rule);

    if (wrong != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"podi_limit_zone\" %V: %s",
                           &zone->bucket->name, wrong);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* why Redis cannot count it; NULL when it can, or need not */

const char *
ngx_http_podi_limit_wrong(const ngx_http_podi_limit_zone_t *zone,
    const podi_rule_t *rule)
{
    podi_limit_ask_t  ask;

    if (zone->mode == PODI_LIMIT_LOCAL) {
        return NULL;
    }

    ngx_memzero(&ask, sizeof(podi_limit_ask_t));
    ngx_http_podi_limit_ask(rule, &ask);
    ask.cost = 1;

    return podi_limit_check(&ask);
}


/* what a rule is for Redis */

void
ngx_http_podi_limit_ask(const podi_rule_t *rule, podi_limit_ask_t *ask)
{
    ask->period = 0;
    ask->burst = 0;
    ask->offset = 0;

    switch (rule->kind) {

    case PODI_CELL_RATE:
        ask->kind = PODI_LIMIT_GCRA;
        ask->rate = rule->gcra.rate;
        ask->period = rule->gcra.period;
        ask->burst = rule->gcra.burst;
        break;

    case PODI_CELL_QUOTA:
        ask->kind = PODI_LIMIT_QUOTA;
        ask->rate = rule->gcra.burst;
        ask->period = rule->period;
        ask->offset = rule->offset;
        break;

    default: /* PODI_CELL_CONN */
        ask->kind = PODI_LIMIT_CONN;
        ask->rate = rule->gcra.burst;
    }
}
