/*
 * What a client is told: draft-ietf-httpapi-ratelimit-headers, version 8 and
 * later, as structured fields.
 *
 *     RateLimit-Policy: "burst";q=20;w=2, "daily";q=1000;w=86400
 *     RateLimit: "burst";r=19;t=1, "daily";r=999;t=40271
 *
 * q and w of a rate are its burst and the seconds in which that comes back;
 * where that is less than one, what comes in a second.  t counts to when all
 * is back; in a refusal no further than to Retry-After, as the draft wants.
 * Limits that run dry are not told.
 */

#include "ngx_http_podi_limit.h"


#define SECOND  INT64_C(1000000)


static u_char *limit_item(u_char *p,
    const ngx_http_podi_limit_item_t *item, unsigned wait);
static u_char *limit_number(u_char *p, u_char name, uint64_t n);
static ngx_int_t limit_field(ngx_http_request_t *r, const char *name,
    size_t len, u_char *data, u_char *last);
static ngx_int_t limit_legacy(const ngx_http_podi_limit_set_t *set,
    unsigned wait);
static ngx_uint_t limit_told(ngx_http_request_t *r, int64_t left,
    unsigned wait);


ngx_int_t
ngx_http_podi_limit_policy(ngx_pool_t *pool, const ngx_str_t *name,
    ngx_http_podi_limit_rule_t *rule)
{
    u_char        *p;
    int64_t        q, w;
    podi_window_t  window;

    q = rule->rule.gcra.burst;

    p = ngx_pnalloc(pool, name->len + sizeof("\"\";q=;w=")
                          + 2 * NGX_INT64_LEN
                          + sizeof(";qu=\"concurrent-requests\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    rule->policy.data = p;
    p = ngx_sprintf(p, "\"%V\";q=", name);

    switch (rule->rule.kind) {

    case PODI_CELL_CONN:
        p = ngx_sprintf(p, "%L;qu=\"concurrent-requests\"", q);
        break;

    case PODI_CELL_QUOTA:
        window = podi_rule_window(&rule->rule, ngx_time() * SECOND);
        w = (window.end - window.start) / SECOND;
        p = ngx_sprintf(p, "%L;w=%L", q, w);
        break;

    default: /* PODI_CELL_RATE */
        w = (rule->rule.span + SECOND - 1) / SECOND;

        if (rule->rule.span < SECOND) {
            q = ngx_max(q, rule->rule.gcra.rate * SECOND
                           / rule->rule.gcra.period);
            w = 1;
        }

        p = ngx_sprintf(p, "%L;w=%L", q, w);
    }

    rule->policy.len = p - rule->policy.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_podi_limit_headers(const ngx_http_podi_limit_set_t *set,
    ngx_uint_t how, unsigned wait)
{
    size_t                             size;
    u_char                            *policy, *limit, *p, *q;
    ngx_uint_t                         i;
    const ngx_http_podi_limit_item_t  *item;

    size = 0;

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];
        size += item->rule->policy.len + 2 + item->use->zone->bucket->name.len
                + sizeof("\"\";r=;t=, ") + 2 * NGX_INT64_LEN;
    }

    policy = ngx_pnalloc(set->request->pool, size);
    if (policy == NULL) {
        return NGX_ERROR;
    }

    p = policy;

    for (i = 0; i < set->n; i++) {
        if (!set->ops[i].dry) {
            p = ngx_cpymem(p, set->items[i].rule->policy.data,
                           set->items[i].rule->policy.len);
            *p++ = ',';
            *p++ = ' ';
        }
    }

    limit = p;
    q = p;

    for (i = 0; i < set->n; i++) {
        if (!set->ops[i].dry && !set->items[i].unknown) {
            q = limit_item(q, &set->items[i], wait);
        }
    }

    if (limit_field(set->request, "RateLimit-Policy", 16, policy, p)
        != NGX_OK
        || limit_field(set->request, "RateLimit", 9, limit, q) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return (how == NGX_HTTP_PODI_LIMIT_HEADERS_LEGACY)
           ? limit_legacy(set, wait) : NGX_OK;
}


static u_char *
limit_item(u_char *p, const ngx_http_podi_limit_item_t *item, unsigned wait)
{
    unsigned  t;

    /* the policy begins with the name in quotes and a semicolon */

    p = ngx_cpymem(p, item->rule->policy.data,
                   item->use->zone->bucket->name.len + 3);
    p = limit_number(p, 'r', (uint64_t) item->answer.left);

    if (item->rule->rule.kind != PODI_CELL_CONN) {
        t = ngx_http_podi_limit_seconds(item->answer.reset_after);
        t = (wait != 0 && t > wait) ? wait : t;

        *p++ = ';';
        p = limit_number(p, 't', t);
    }

    *p++ = ',';
    *p++ = ' ';

    return p;
}


/* "r=17": on each answer, so faster than by ngx_sprintf */

static u_char *
limit_number(u_char *p, u_char name, uint64_t n)
{
    u_char  digits[NGX_INT64_LEN], *last, *first;

    last = digits + sizeof(digits);
    first = last;

    do {
        *--first = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    *p++ = name;
    *p++ = '=';

    return ngx_cpymem(p, first, last - first);
}


/* the last two bytes are the ", " of nothing more */

static ngx_int_t
limit_field(ngx_http_request_t *r, const char *name, size_t len,
    u_char *data, u_char *last)
{
    ngx_table_elt_t  *h;

    if (last == data) {
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = len;
    h->value.data = data;
    h->value.len = last - data - 2;

    return NGX_OK;
}


/* what many clients still look for: of the limit of which least is left */

static ngx_int_t
limit_legacy(const ngx_http_podi_limit_set_t *set, unsigned wait)
{
    u_char                            *p, *first;
    ngx_uint_t                         i;
    const ngx_http_podi_limit_item_t  *item, *least;

    least = NULL;

    for (i = 0; i < set->n; i++) {
        item = &set->items[i];

        if (!set->ops[i].dry && !item->unknown
            && (least == NULL || item->answer.left < least->answer.left))
        {
            least = item;
        }
    }

    if (least == NULL || limit_told(set->request, least->answer.left, wait)) {
        return NGX_OK;
    }

    first = ngx_pnalloc(set->request->pool, 3 * (NGX_INT64_LEN + 2));
    if (first == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(first, "%L  ", least->rule->rule.gcra.burst);

    if (limit_field(set->request, "X-RateLimit-Limit", 17, first, p)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    first = p;
    p = ngx_sprintf(first, "%L  ", least->answer.left);

    if (limit_field(set->request, "X-RateLimit-Remaining", 21, first, p)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    first = p;
    p = ngx_sprintf(first, "%uD  ",
                    wait ? wait : ngx_http_podi_limit_seconds(
                                      least->answer.reset_after));

    return limit_field(set->request, "X-RateLimit-Reset", 17, first, p);
}


/*
 * Was a limit told before (by an early one, or before a redirect) of which less
 * is left?  If not its fields go; a refusal is always told.
 */

static ngx_uint_t
limit_told(ngx_http_request_t *r, int64_t left, unsigned wait)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *old[3];

    n = 0;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; n < 3 && i < part->nelts; i++) {
            if (h[i].hash != 0 && h[i].key.len >= 17
                && ngx_strncmp(h[i].key.data, "X-RateLimit-", 12) == 0)
            {
                old[n++] = &h[i];
            }
        }
    }

    /* Limit, Remaining, Reset */

    if (n == 3 && wait == 0
        && ngx_atoof(old[1]->value.data, old[1]->value.len) <= left)
    {
        return 1;
    }

    while (n > 0) {
        old[--n]->hash = 0;
    }

    return 0;
}


/* whole seconds, never too few */

unsigned
ngx_http_podi_limit_seconds(int64_t usec)
{
    return (unsigned) ngx_min(usec / SECOND + (usec % SECOND > 0),
                              0x7fffffff);
}
