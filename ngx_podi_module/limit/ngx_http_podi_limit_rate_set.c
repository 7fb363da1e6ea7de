/*
 * The rates that are put over those of nginx.conf.
 *
 *     zone   kind issuer tenant subject terms
 *     "inside user auth0 t1 alice conn=4\n
 *      member plan   pro rate=50r/s burst=200\n..."
 *         -> rows in the order of their ids -> found by halves
 *
 * An id is the hash of the limit's name, the kind, and of a user all that he is
 * known by, as that of a key.  A plan is the same whoever issues it.
 */

#include "ngx_http_podi_limit_rates.h"
#include "podi_terms.h"


typedef struct {
    u_char                       id[PODI_SIPHASH_LEN];
    ngx_http_podi_limit_rule_t   rule;
} rate_row_t;

struct ngx_http_podi_rate_set_s {
    ngx_pool_t                  *pool;
    uint64_t                     users;     /* limits that have any, by bit */
    uint64_t                     plans;
    ngx_uint_t                   n;
    rate_row_t                  *rows;
};

/* one line, as words */

typedef struct {
    ngx_str_t                    zone;
    ngx_str_t                    kind;
    ngx_str_t                    issuer;
    ngx_str_t                    tenant;
    ngx_str_t                    subject;
} rate_line_t;


static ngx_int_t rate_read(const ngx_http_podi_limit_main_conf_t *lmcf,
    ngx_http_podi_rate_set_t *set, u_char *p, u_char *last);
static ngx_http_podi_limit_zone_t *rate_zone(
    const ngx_http_podi_limit_main_conf_t *lmcf, const ngx_str_t *name);
static ngx_int_t rate_terms(const ngx_http_podi_limit_zone_t *zone,
    u_char *p, u_char *last, podi_rule_t *rule);
static ngx_str_t rate_word(u_char **p, u_char *last);
static const ngx_http_podi_limit_rule_t *rate_find(
    const ngx_http_podi_rate_set_t *set, const u_char *id);
static void rate_user_id(const ngx_http_podi_limit_zone_t *zone,
    const podi_str_t *issuer, const podi_str_t *tenant,
    const podi_str_t *user, u_char *id);
static void rate_plan_id(const ngx_http_podi_limit_zone_t *zone,
    const podi_str_t *plan, u_char *id);
static int rate_order(const void *a, const void *b);


ngx_http_podi_rate_set_t *
ngx_http_podi_rate_set_read(const ngx_http_podi_limit_main_conf_t *lmcf,
    const podi_str_t *text)
{
    u_char                    *p, *end, *last;
    ngx_uint_t                 n;
    ngx_pool_t                *pool;
    ngx_http_podi_rate_set_t  *set;

    last = text->data + text->len;

    for (n = 1, p = text->data; p < last; p++) {
        n += (*p == '\n');
    }

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    set = ngx_pcalloc(pool, sizeof(ngx_http_podi_rate_set_t));

    if (set != NULL) {
        set->pool = pool;
        set->rows = ngx_palloc(pool, n * sizeof(rate_row_t));
    }

    if (set == NULL || set->rows == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '\n');
        end = (end == NULL) ? last : end;

        switch (rate_read(lmcf, set, p, end)) {

        case NGX_OK:
            set->n++;
            break;

        case NGX_DECLINED:
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "podi: no limit here takes the rate \"%*s\"",
                          (size_t) (end - p), p);
            break;

        default: /* NGX_ERROR: without this one others would be too loose */
            ngx_destroy_pool(pool);
            return NULL;
        }
    }

    ngx_qsort(set->rows, set->n, sizeof(rate_row_t), rate_order);

    return set;
}


void
ngx_http_podi_rate_set_free(ngx_http_podi_rate_set_t *set)
{
    if (set != NULL) {
        ngx_destroy_pool(set->pool);
    }
}


static ngx_int_t
rate_read(const ngx_http_podi_limit_main_conf_t *lmcf,
    ngx_http_podi_rate_set_t *set, u_char *p, u_char *last)
{
    uint64_t                     bit;
    rate_row_t                  *row = &set->rows[set->n];
    rate_line_t                  line;
    ngx_http_podi_limit_zone_t  *zone;

    line.zone = rate_word(&p, last);
    line.kind = rate_word(&p, last);
    line.issuer = rate_word(&p, last);
    line.tenant = rate_word(&p, last);
    line.subject = rate_word(&p, last);

    zone = rate_zone(lmcf, &line.zone);

    if (zone == NULL || line.subject.len == 0) {
        return NGX_DECLINED;
    }

    ngx_memzero(row, sizeof(rate_row_t));

    if (rate_terms(zone, p, last, &row->rule.rule) != NGX_OK) {
        return NGX_DECLINED;
    }

    bit = (uint64_t) 1 << zone->bit;

    if (line.kind.data[0] == 'p') {
        rate_plan_id(zone, (podi_str_t *) (void *) &line.subject, row->id);
        set->plans |= bit;

    } else {
        rate_user_id(zone, (podi_str_t *) (void *) &line.issuer,
                     (podi_str_t *) (void *) &line.tenant,
                     (podi_str_t *) (void *) &line.subject, row->id);
        set->users |= bit;
    }

    return ngx_http_podi_limit_policy(set->pool, &zone->bucket->name,
                                      &row->rule);
}


static ngx_http_podi_limit_zone_t *
rate_zone(const ngx_http_podi_limit_main_conf_t *lmcf, const ngx_str_t *name)
{
    ngx_str_t                    *known;
    ngx_uint_t                    i;
    ngx_http_podi_limit_zone_t  **zone = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        known = &zone[i]->bucket->name;

        if (known->len == name->len
            && ngx_memcmp(known->data, name->data, name->len) == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}


/* as podi_limit_plan does */

static ngx_int_t
rate_terms(const ngx_http_podi_limit_zone_t *zone, u_char *p, u_char *last,
    podi_rule_t *rule)
{
    ngx_str_t     term;
    podi_terms_t  terms;

    ngx_memzero(&terms, sizeof(podi_terms_t));

    for (term = rate_word(&p, last);
         term.len != 0;
         term = rate_word(&p, last))
    {
        if (podi_terms_read(&terms, (podi_str_t *) (void *) &term)
            != PODI_OK)
        {
            return NGX_DECLINED;
        }
    }

    if (podi_terms_rule(&terms, rule) != NULL
        || rule->kind != zone->rule.rule.kind
        || rule->period != zone->rule.rule.period)
    {
        return NGX_DECLINED;
    }

    rule->offset = zone->rule.rule.offset;

    return (ngx_http_podi_limit_wrong(zone, rule) == NULL) ? NGX_OK
                                                           : NGX_DECLINED;
}


/* up to a blank, which is taken as well; two blanks hold an empty one */

static ngx_str_t
rate_word(u_char **p, u_char *last)
{
    ngx_str_t  word;

    word.data = *p;

    while (*p < last && **p != ' ') {
        (*p)++;
    }

    word.len = *p - word.data;

    if (*p < last) {
        (*p)++;
    }

    return word;
}


const ngx_http_podi_limit_rule_t *
ngx_http_podi_rate_set_user(const ngx_http_podi_rate_set_t *set,
    const ngx_http_podi_limit_zone_t *zone, const ngx_podi_identity_t *who)
{
    u_char  id[PODI_SIPHASH_LEN];

    if (!who->known || who->user.len == 0
        || !(set->users & (uint64_t) 1 << zone->bit))
    {
        return NULL;
    }

    rate_user_id(zone, &who->issuer, &who->tenant, &who->user, id);

    return rate_find(set, id);
}


const ngx_http_podi_limit_rule_t *
ngx_http_podi_rate_set_plan(const ngx_http_podi_rate_set_t *set,
    const ngx_http_podi_limit_zone_t *zone, const podi_str_t *plan)
{
    u_char  id[PODI_SIPHASH_LEN];

    if (plan->len == 0 || !(set->plans & (uint64_t) 1 << zone->bit)) {
        return NULL;
    }

    rate_plan_id(zone, plan, id);

    return rate_find(set, id);
}


static const ngx_http_podi_limit_rule_t *
rate_find(const ngx_http_podi_rate_set_t *set, const u_char *id)
{
    int         order;
    ngx_uint_t  from, to, middle;

    from = 0;
    to = set->n;

    while (from < to) {
        middle = (from + to) / 2;
        order = rate_order(id, set->rows[middle].id);

        if (order == 0) {
            return &set->rows[middle].rule;
        }

        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }

    return NULL;
}


static void
rate_user_id(const ngx_http_podi_limit_zone_t *zone, const podi_str_t *issuer,
    const podi_str_t *tenant, const podi_str_t *user, u_char *id)
{
    podi_siphash_t  h;

    ngx_podi_key_begin(zone->bucket, &h);
    ngx_podi_key_part(&h, NGX_PODI_KEY_USER, issuer->data, issuer->len);
    ngx_podi_key_part(&h, NGX_PODI_KEY_USER, tenant->data, tenant->len);
    ngx_podi_key_part(&h, NGX_PODI_KEY_USER, user->data, user->len);
    podi_siphash_end(&h, id);
}


static void
rate_plan_id(const ngx_http_podi_limit_zone_t *zone, const podi_str_t *plan,
    u_char *id)
{
    podi_siphash_t  h;

    ngx_podi_key_begin(zone->bucket, &h);
    ngx_podi_key_part(&h, NGX_PODI_KEY_PLAN, plan->data, plan->len);
    podi_siphash_end(&h, id);
}


/* an id stands first in its row */

static int
rate_order(const void *a, const void *b)
{
    return ngx_memcmp(a, b, PODI_SIPHASH_LEN);
}
