/*
 * "rate=10r/s", "burst=20", "quota=1000/day", "conn=5", "offset=+08:00": what
 * podi_limit_zone and podi_limit_plan have in common.
 */

#include "ngx_http_podi_limit.h"


#define SECOND  INT64_C(1000000)


typedef struct {
    const char  *name;
    int64_t      usec;
} limit_unit_t;


static ngx_int_t limit_pair(const ngx_str_t *s, const limit_unit_t *unit,
    int64_t *ret_n, int64_t *ret_usec);
static ngx_int_t limit_number(const u_char *p, const u_char *last,
    int64_t *ret_n);
static ngx_int_t limit_offset(const ngx_str_t *s, int *ret_seconds);


static const limit_unit_t  limit_rates[] = {
    { "r/s", SECOND },
    { "r/m", 60 * SECOND },
    { "r/h", 3600 * SECOND },
    { "r/d", 86400 * SECOND },
    { NULL, 0 }
};

static const limit_unit_t  limit_quotas[] = {
    { "/hour", 3600 * SECOND },
    { "/day", 86400 * SECOND },
    { "/month", PODI_QUOTA_MONTH },
    { NULL, 0 }
};


ngx_int_t
ngx_http_podi_limit_term(ngx_http_podi_limit_terms_t *terms,
    const ngx_str_t *s)
{
    u_char     *p, *last = s->data + s->len;
    ngx_str_t   value;

    p = ngx_strlchr(s->data, last, '=');
    if (p == NULL) {
        return NGX_DECLINED;
    }

    value.data = ++p;
    value.len = last - p;

    if (ngx_strncmp(s->data, "rate=", 5) == 0) {
        terms->kind = PODI_CELL_RATE;
        terms->kinds++;
        return limit_pair(&value, limit_rates, &terms->rate, &terms->period);
    }

    if (ngx_strncmp(s->data, "quota=", 6) == 0) {
        terms->kind = PODI_CELL_QUOTA;
        terms->kinds++;
        return limit_pair(&value, limit_quotas, &terms->rate,
                          &terms->period);
    }

    if (ngx_strncmp(s->data, "conn=", 5) == 0) {
        terms->kind = PODI_CELL_CONN;
        terms->kinds++;
        return limit_number(p, last, &terms->rate);
    }

    if (ngx_strncmp(s->data, "burst=", 6) == 0) {
        return limit_number(p, last, &terms->burst);
    }

    if (ngx_strncmp(s->data, "offset=", 7) == 0) {
        return limit_offset(&value, &terms->offset);
    }

    return NGX_DECLINED;
}


const char *
ngx_http_podi_limit_terms(const ngx_http_podi_limit_terms_t *terms,
    podi_rule_t *rule)
{
    podi_rc_t  rc;

    if (terms->kinds != 1) {
        return "needs one of rate=, quota= and conn=";
    }

    if (terms->burst != 0 && terms->kind != PODI_CELL_RATE) {
        return "takes burst= with rate= only";
    }

    if (terms->offset != 0 && terms->kind != PODI_CELL_QUOTA) {
        return "takes offset= with quota= only";
    }

    switch (terms->kind) {

    case PODI_CELL_RATE:
        rc = podi_rule_rate(rule, terms->rate, terms->period,
                            terms->burst ? terms->burst : 1);
        break;

    case PODI_CELL_QUOTA:
        rc = podi_rule_quota(rule, terms->rate, terms->period,
                             terms->offset);
        break;

    default: /* PODI_CELL_CONN */
        rc = podi_rule_conn(rule, terms->rate);
    }

    return (rc == PODI_OK) ? NULL : "has a rate or burst out of range";
}


static ngx_int_t
limit_pair(const ngx_str_t *s, const limit_unit_t *unit, int64_t *ret_n,
    int64_t *ret_usec)
{
    size_t  len;

    for ( /* void */ ; unit->name != NULL; unit++) {
        len = ngx_strlen(unit->name);

        if (s->len > len
            && ngx_memcmp(s->data + s->len - len, unit->name, len) == 0)
        {
            *ret_usec = unit->usec;
            return limit_number(s->data, s->data + s->len - len, ret_n);
        }
    }

    return NGX_ERROR;
}


/* > 0 */

static ngx_int_t
limit_number(const u_char *p, const u_char *last, int64_t *ret_n)
{
    ngx_int_t  n;

    n = ngx_atoi((u_char *) p, last - p);

    if (n == NGX_ERROR || n == 0) {
        return NGX_ERROR;
    }

    *ret_n = n;

    return NGX_OK;
}


/* +08:00, -03:30 */

static ngx_int_t
limit_offset(const ngx_str_t *s, int *ret_seconds)
{
    ngx_int_t  hours, minutes;

    if (s->len != 6 || s->data[3] != ':'
        || (s->data[0] != '+' && s->data[0] != '-'))
    {
        return NGX_ERROR;
    }

    hours = ngx_atoi(s->data + 1, 2);
    minutes = ngx_atoi(s->data + 4, 2);

    if (hours == NGX_ERROR || hours > 14
        || minutes == NGX_ERROR || minutes > 59)
    {
        return NGX_ERROR;
    }

    *ret_seconds = (int) (hours * 3600 + minutes * 60);

    if (s->data[0] == '-') {
        *ret_seconds = -*ret_seconds;
    }

    return NGX_OK;
}
