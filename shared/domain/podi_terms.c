/*
 * podi_terms: words of a limit, and the rule that they make together.
 */

#include <string.h>

#include "podi_terms.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)


typedef struct {
    const char  *name;
    int64_t      usec;
} terms_unit_t;


static podi_rc_t terms_pair(podi_terms_t *terms, podi_cell_kind_e kind,
    const podi_str_t *s, const terms_unit_t *unit);
static podi_rc_t terms_number(const podi_str_t *s, int64_t *ret_n);
static podi_rc_t terms_offset(const podi_str_t *s, int *ret_seconds);
static int terms_two(const unsigned char *p);


static const terms_unit_t  terms_rates[] = {
    { "r/s", SECOND },
    { "r/m", 60 * SECOND },
    { "r/h", 3600 * SECOND },
    { "r/d", 86400 * SECOND },
    { NULL, 0 }
};

static const terms_unit_t  terms_quotas[] = {
    { "/hour", 3600 * SECOND },
    { "/day", 86400 * SECOND },
    { "/month", PODI_QUOTA_MONTH },
    { NULL, 0 }
};

static const terms_unit_t  terms_places[] = {
    { "", 0 },
    { NULL, 0 }
};


podi_rc_t
podi_terms_read(podi_terms_t *terms, const podi_str_t *word)
{
    podi_str_t  value = *word, name;

    (void) podi_str_split(&value, '=', &name);

    if (value.data == NULL) {
        return PODI_DECLINED;
    }

    if (podi_str_eq_c(&name, "rate")) {
        return terms_pair(terms, PODI_CELL_RATE, &value, terms_rates);
    }

    if (podi_str_eq_c(&name, "quota")) {
        return terms_pair(terms, PODI_CELL_QUOTA, &value, terms_quotas);
    }

    if (podi_str_eq_c(&name, "conn")) {
        return terms_pair(terms, PODI_CELL_CONN, &value, terms_places);
    }

    if (podi_str_eq_c(&name, "burst")) {
        return terms_number(&value, &terms->burst);
    }

    if (podi_str_eq_c(&name, "offset")) {
        return terms_offset(&value, &terms->offset);
    }

    return PODI_DECLINED;
}


const char *
podi_terms_rule(const podi_terms_t *terms, podi_rule_t *rule)
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


/* a number with its unit behind it; the one kind that is asked for */

static podi_rc_t
terms_pair(podi_terms_t *terms, podi_cell_kind_e kind, const podi_str_t *s,
    const terms_unit_t *unit)
{
    size_t      len;
    podi_str_t  number;

    for ( /* void */ ; unit->name != NULL; unit++) {

        len = strlen(unit->name);

        if (s->len > len
            && memcmp(s->data + s->len - len, unit->name, len) == 0)
        {
            number.data = s->data;
            number.len = s->len - len;

            terms->kind = kind;
            terms->kinds++;
            terms->period = unit->usec;

            return terms_number(&number, &terms->rate);
        }
    }

    return PODI_ERROR;
}


/* > 0 */

static podi_rc_t
terms_number(const podi_str_t *s, int64_t *ret_n)
{
    int64_t  n;

    if (podi_str_to_int64(s, &n) != PODI_OK || n <= 0) {
        return PODI_ERROR;
    }

    *ret_n = n;

    return PODI_OK;
}


/* +08:00, -03:30 */

static podi_rc_t
terms_offset(const podi_str_t *s, int *ret_seconds)
{
    int  hours, minutes, seconds;

    if (s->len != 6 || s->data[3] != ':'
        || (s->data[0] != '+' && s->data[0] != '-'))
    {
        return PODI_ERROR;
    }

    hours = terms_two(s->data + 1);
    minutes = terms_two(s->data + 4);

    if (hours == -1 || hours > 14 || minutes == -1 || minutes > 59) {
        return PODI_ERROR;
    }

    seconds = hours * 3600 + minutes * 60;
    *ret_seconds = (s->data[0] == '-') ? -seconds : seconds;

    return PODI_OK;
}


static int
terms_two(const unsigned char *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
        return -1;
    }

    return (p[0] - '0') * 10 + p[1] - '0';
}
