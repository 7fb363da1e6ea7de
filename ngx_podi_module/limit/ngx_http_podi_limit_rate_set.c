/*
 * The rates that are put over those of nginx.conf.
 *
 *     "member plan pro rate=50r/s burst=200\n..." -> rows in the order of
 *     their ids -> found by halves
 *
 * An id is the hash of the limit's name, the kind and the subject, as that of
 * a key.
 */

#include "ngx_http_podi_limit_rates.h"
#include "podi_terms.h"


typedef struct {
    u_char       id[PODI_SIPHASH_LEN];
    podi_rule_t  rule;
} rate_row_t;

struct ngx_http_podi_rate_set_s {
    ngx_uint_t   n;
    rate_row_t   rows[];
};


static ngx_int_t rate_read(const ngx_http_podi_limit_main_conf_t *lmcf,
    u_char *p, u_char *last, rate_row_t *row);
static ngx_int_t rate_terms(const ngx_http_podi_limit_zone_t *zone,
    u_char *p, u_char *last, podi_rule_t *rule);
static ngx_str_t rate_word(u_char **p, u_char *last);
static void rate_id(const ngx_http_podi_limit_zone_t *zone,
    ngx_podi_key_e kind, const void *subject, size_t len, u_char *id);
static int rate_order(const void *a, const void *b);


ngx_http_podi_rate_set_t *
ngx_http_podi_rate_set_read(const ngx_http_podi_limit_main_conf_t *lmcf,
    const podi_str_t *text)
{
    u_char                    *p, *end, *last;
    ngx_uint_t                 n;
    ngx_http_podi_rate_set_t  *set;

    last = text->data + text->len;

    for (n = 1, p = text->data; p < last; p++) {
        n += (*p == '\n');
    }

    set = ngx_alloc(sizeof(ngx_http_podi_rate_set_t) + n * sizeof(rate_row_t),
                    ngx_cycle->log);
    if (set == NULL) {
        return NULL;
    }

    set->n = 0;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '\n');
        end = (end == NULL) ? last : end;

        if (rate_read(lmcf, p, end, &set->rows[set->n]) == NGX_OK) {
            set->n++;

        } else {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "podi: no limit here takes the rate \"%*s\"",
                          (size_t) (end - p), p);
        }
    }

    ngx_qsort(set->rows, set->n, sizeof(rate_row_t), rate_order);

    return set;
}


void
ngx_http_podi_rate_set_free(ngx_http_podi_rate_set_t *set)
{
    if (set != NULL) {
        ngx_free(set);
    }
}


static ngx_int_t
rate_read(const ngx_http_podi_limit_main_conf_t *lmcf, u_char *p,
    u_char *last, rate_row_t *row)
{
    ngx_str_t                    name, kind, subject;
    ngx_uint_t                   i;
    ngx_podi_key_e               what;
    ngx_http_podi_limit_zone_t  *zone, **zones;

    name = rate_word(&p, last);
    kind = rate_word(&p, last);
    subject = rate_word(&p, last);

    zones = lmcf->zones.elts;
    zone = NULL;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        if (zones[i]->bucket->name.len == name.len
            && ngx_memcmp(zones[i]->bucket->name.data, name.data, name.len)
               == 0)
        {
            zone = zones[i];
        }
    }

    if (zone == NULL || subject.len == 0) {
        return NGX_DECLINED;
    }

    what = (kind.data[0] == 'p') ? NGX_PODI_KEY_PLAN : NGX_PODI_KEY_USER;

    rate_id(zone, what, subject.data, subject.len, row->id);

    return rate_terms(zone, p, last, &row->rule);
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


const podi_rule_t *
ngx_http_podi_rate_set_find(const ngx_http_podi_rate_set_t *set,
    const ngx_http_podi_limit_zone_t *zone, ngx_podi_key_e kind,
    const podi_str_t *subject)
{
    int         order;
    u_char      id[PODI_SIPHASH_LEN];
    ngx_uint_t  from, to, middle;

    if (set->n == 0 || subject->len == 0) {
        return NULL;
    }

    rate_id(zone, kind, subject->data, subject->len, id);

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
rate_id(const ngx_http_podi_limit_zone_t *zone, ngx_podi_key_e kind,
    const void *subject, size_t len, u_char *id)
{
    podi_siphash_t  h;

    ngx_podi_key_begin(zone->bucket, &h);
    ngx_podi_key_part(&h, kind, subject, len);
    podi_siphash_end(&h, id);
}


/* an id stands first in its row */

static int
rate_order(const void *a, const void *b)
{
    return ngx_memcmp(a, b, PODI_SIPHASH_LEN);
}
