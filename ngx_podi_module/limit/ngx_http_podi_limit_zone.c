/*
 * podi_limit_zone and podi_limit_plan: what is counted, by what, and how much
 * of it may come.
 */

#include "ngx_http_podi_limit.h"
#include "podi_terms.h"


static ngx_http_podi_limit_zone_t *limit_zone_add(ngx_conf_t *cf,
    ngx_http_podi_limit_main_conf_t *lmcf, ngx_str_t *name);
static char *limit_parameter(ngx_conf_t *cf,
    ngx_http_podi_limit_zone_t *zone, podi_terms_t *terms, ngx_str_t *s);
static podi_rc_t limit_term(podi_terms_t *terms, ngx_str_t *s);
static char *limit_key(ngx_conf_t *cf, ngx_http_podi_limit_zone_t *zone,
    ngx_str_t *s);
static char *limit_expr(ngx_conf_t *cf, ngx_http_podi_limit_expr_t *expr,
    ngx_str_t *s);
static char *limit_zone_check(ngx_conf_t *cf,
    ngx_http_podi_limit_zone_t *zone);
static ngx_int_t limit_word(const ngx_conf_enum_t *words, const ngx_str_t *s,
    ngx_uint_t *ret_n);
static ngx_uint_t limit_is_name(const ngx_str_t *s);


static const ngx_conf_enum_t  limit_keys[] = {
    { ngx_string("ip"), NGX_PODI_KEY_IP },
    { ngx_string("user"), NGX_PODI_KEY_USER },
    { ngx_string("session"), NGX_PODI_KEY_SESSION },
    { ngx_string("tenant"), NGX_PODI_KEY_TENANT },
    { ngx_string("channel"), NGX_PODI_KEY_CHANNEL },
    { ngx_string("plan"), NGX_PODI_KEY_PLAN },
    { ngx_null_string, 0 }
};

static const ngx_conf_enum_t  limit_missings[] = {
    { ngx_string("ip"), NGX_HTTP_PODI_LIMIT_BY_IP },
    { ngx_string("skip"), NGX_HTTP_PODI_LIMIT_SKIP },
    { ngx_string("deny"), NGX_HTTP_PODI_LIMIT_DENY },
    { ngx_null_string, 0 }
};

static const ngx_conf_enum_t  limit_reserved[] = {
    { ngx_string("off"), 0 },
    { ngx_string("early"), 0 },
    { ngx_string("dry_run"), 0 },
    { ngx_null_string, 0 }
};


char *
ngx_http_podi_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t                      size;
    ngx_str_t                   *value, name;
    ngx_uint_t                   i;
    const char                  *wrong;
    podi_terms_t                 terms;
    ngx_http_podi_limit_zone_t  *zone;

    value = cf->args->elts;
    name = value[1];

    if (name.len > 5 && ngx_strncmp(name.data, "name=", 5) == 0) {
        name.data += 5;
        name.len -= 5;
    }

    size = ngx_parse_size(&value[2]);

    if (!limit_is_name(&name) || size == NGX_ERROR
        || size < (ssize_t) (8 * ngx_pagesize))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" needs a name of a-z, 0-9, "
                           "\"-\" and \"_\" and a size of 32k or more: write "
                           "podi_limit_zone address 4m key=ip rate=10r/s "
                           "burst=20;");
        return NGX_CONF_ERROR;
    }

    zone = limit_zone_add(cf, conf, &name);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->bucket->zone != NULL) {
        return "is duplicate";
    }

    ngx_memzero(&terms, sizeof(podi_terms_t));

    for (i = 3; i < cf->args->nelts; i++) {
        if (limit_parameter(cf, zone, &terms, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    wrong = podi_terms_rule(&terms, &zone->rule.rule);
    if (wrong != NULL) {
        return (char *) wrong;
    }

    if (limit_zone_check(cf, zone) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone->bucket->rule = zone->rule.rule;
    zone->bucket->shared = (zone->mode != PODI_LIMIT_LOCAL);

    return ngx_podi_bucket_define(cf, zone->bucket, size);
}


static ngx_http_podi_limit_zone_t *
limit_zone_add(ngx_conf_t *cf, ngx_http_podi_limit_main_conf_t *lmcf,
    ngx_str_t *name)
{
    ngx_http_podi_limit_zone_t  *zone, **known;

    if (lmcf->zones.nelts == NGX_HTTP_PODI_LIMIT_ZONES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" comes too often: 64 limits "
                           "are the most");
        return NULL;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_limit_zone_t));
    known = ngx_array_push(&lmcf->zones);

    if (zone == NULL || known == NULL
        || ngx_array_init(&zone->plans, cf->pool, 2,
                          sizeof(ngx_http_podi_limit_rule_t)) != NGX_OK)
    {
        return NULL;
    }

    zone->bit = lmcf->zones.nelts - 1;
    zone->nodes = 1;
    *known = zone;

    zone->bucket = ngx_podi_bucket_named(cf, name);

    return (zone->bucket == NULL) ? NULL : zone;
}


static char *
limit_parameter(ngx_conf_t *cf, ngx_http_podi_limit_zone_t *zone,
    podi_terms_t *terms, ngx_str_t *s)
{
    ngx_str_t   value;
    podi_rc_t   rc;
    ngx_uint_t  n;

    rc = limit_term(terms, s);

    if (rc == PODI_OK) {
        return NGX_CONF_OK;
    }

    value = *s;

    if (rc == PODI_DECLINED && ngx_strncmp(s->data, "key=", 4) == 0) {
        value.data += 4;
        value.len -= 4;
        return limit_key(cf, zone, &value);
    }

    if (rc == PODI_DECLINED && ngx_strncmp(s->data, "cost=$", 6) == 0) {
        value.data += 5;
        value.len -= 5;
        zone->costs = 1;
        return limit_expr(cf, &zone->cost, &value);
    }

    if (rc == PODI_DECLINED && ngx_strncmp(s->data, "missing=", 8) == 0) {
        value.data += 8;
        value.len -= 8;

        if (limit_word(limit_missings, &value, &n) == NGX_OK) {
            zone->missing = n;
            return NGX_CONF_OK;
        }
    }

    if (rc == PODI_DECLINED
        && ngx_http_podi_limit_shared(zone, s) == NGX_OK)
    {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"podi_limit_zone\" does not take \"%V\": it takes "
                       "key=ip, key=$variable, rate=10r/s (or r/m, r/h, r/d) "
                       "with burst=20, quota=1000/day (or hour, month) with "
                       "offset=+08:00, conn=5, cost=$variable, "
                       "missing=ip, skip or deny, mode=local, exact or "
                       "leased, on_failure=open, closed or local, nodes=2",
                       s);

    return NGX_CONF_ERROR;
}


static podi_rc_t
limit_term(podi_terms_t *terms, ngx_str_t *s)
{
    return podi_terms_read(terms, (podi_str_t *) (void *) s);
}


static char *
limit_key(ngx_conf_t *cf, ngx_http_podi_limit_zone_t *zone, ngx_str_t *s)
{
    ngx_uint_t                   n;
    ngx_http_podi_limit_part_t  *part;

    if (zone->nparts == NGX_HTTP_PODI_LIMIT_PARTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" takes key= four times at "
                           "most");
        return NGX_CONF_ERROR;
    }

    part = &zone->parts[zone->nparts++];

    if (limit_word(limit_keys, s, &n) == NGX_OK) {
        part->kind = n;
        zone->late |= (n == NGX_PODI_KEY_USER || n == NGX_PODI_KEY_SESSION);
        return NGX_CONF_OK;
    }

    part->kind = NGX_PODI_KEY_TEXT;

    /* a word that is none of these is a slip, not one key for all */

    if (ngx_strlchr(s->data, s->data + s->len, '$') == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"key=%V\" is always the same: write ip, user, "
                           "session, tenant, channel, plan, or an expression "
                           "such as $server_name", s);
        return NGX_CONF_ERROR;
    }

    return limit_expr(cf, &part->expr, s);
}


/* a single variable needs no memory at each request */

static char *
limit_expr(ngx_conf_t *cf, ngx_http_podi_limit_expr_t *expr, ngx_str_t *s)
{
    size_t                             i;
    ngx_str_t                          name;
    ngx_http_compile_complex_value_t   ccv;

    expr->index = NGX_ERROR;

    for (i = 1; i < s->len; i++) {
        if (!((s->data[i] >= 'a' && s->data[i] <= 'z')
              || (s->data[i] >= 'A' && s->data[i] <= 'Z')
              || (s->data[i] >= '0' && s->data[i] <= '9')
              || s->data[i] == '_'))
        {
            break;
        }
    }

    if (s->len > 1 && s->data[0] == '$' && i == s->len
        && !(s->data[1] >= '0' && s->data[1] <= '9'))
    {
        name.data = s->data + 1;
        name.len = s->len - 1;

        expr->index = ngx_http_get_variable_index(cf, &name);

        return (expr->index == NGX_ERROR) ? NGX_CONF_ERROR : NGX_CONF_OK;
    }

    expr->value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (expr->value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = s;
    ccv.complex_value = expr->value;

    return (ngx_http_compile_complex_value(&ccv) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
limit_zone_check(ngx_conf_t *cf, ngx_http_podi_limit_zone_t *zone)
{
    if (zone->nparts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" %V has no key: write key=ip",
                           &zone->bucket->name);
        return NGX_CONF_ERROR;
    }

    if (zone->costs && zone->rule.rule.kind == PODI_CELL_CONN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" %V: a request is one place "
                           "of conn=, and takes no cost=",
                           &zone->bucket->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_podi_limit_shared_check(cf, zone) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return (ngx_http_podi_limit_policy(cf->pool, &zone->bucket->name,
                                       &zone->rule)
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_podi_limit_plan(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value;
    ngx_uint_t                   i;
    const char                  *wrong;
    podi_terms_t                 terms;
    ngx_http_podi_limit_rule_t  *rule;
    ngx_http_podi_limit_zone_t  *zone;

    value = cf->args->elts;

    zone = ngx_http_podi_limit_find(cf, &value[1]);

    if (zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_plan\" comes before the "
                           "podi_limit_zone \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    rule = ngx_array_push(&zone->plans);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_http_podi_limit_rule_t));
    ngx_memzero(&terms, sizeof(podi_terms_t));

    for (i = 3; i < cf->args->nelts; i++) {
        if (limit_term(&terms, &value[i]) != PODI_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_limit_plan\" does not take \"%V\": "
                               "write podi_limit_plan %V %V rate=100r/s "
                               "burst=200;", &value[i], &value[1], &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    wrong = podi_terms_rule(&terms, &rule->rule);
    if (wrong != NULL) {
        return (char *) wrong;
    }

    if (rule->rule.kind != zone->rule.rule.kind
        || rule->rule.period != zone->rule.rule.period)
    {
        return "counts another thing than its podi_limit_zone";
    }

    rule->rule.offset = zone->rule.rule.offset;

    wrong = ngx_http_podi_limit_wrong(zone, &rule->rule);
    if (wrong != NULL) {
        return (char *) wrong;
    }

    rule->plan.data = value[2].data;
    rule->plan.len = value[2].len;

    return (ngx_http_podi_limit_policy(cf->pool, &zone->bucket->name, rule)
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_http_podi_limit_zone_t *
ngx_http_podi_limit_find(ngx_conf_t *cf, const ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_http_podi_limit_zone_t       **zone;
    ngx_http_podi_limit_main_conf_t   *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_limit_module);
    zone = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        if (zone[i]->bucket->name.len == name->len
            && ngx_memcmp(zone[i]->bucket->name.data, name->data, name->len)
               == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}


static ngx_int_t
limit_word(const ngx_conf_enum_t *words, const ngx_str_t *s,
    ngx_uint_t *ret_n)
{
    for ( /* void */ ; words->name.len != 0; words++) {
        if (words->name.len == s->len
            && ngx_memcmp(words->name.data, s->data, s->len) == 0)
        {
            *ret_n = words->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * It is shown in header fields, metrics and the database, and stands beside
 * the words of podi_limit.
 */

static ngx_uint_t
limit_is_name(const ngx_str_t *s)
{
    size_t      i;
    ngx_uint_t  n;

    if (limit_word(limit_reserved, s, &n) == NGX_OK) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (!((s->data[i] >= 'a' && s->data[i] <= 'z')
              || (s->data[i] >= '0' && s->data[i] <= '9')
              || (i != 0 && (s->data[i] == '-' || s->data[i] == '_'))))
        {
            return 0;
        }
    }

    return s->len > 0 && s->len <= 32;
}
