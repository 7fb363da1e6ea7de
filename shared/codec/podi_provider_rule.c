/*
 * podi_provider_rule: the rules of a description, and what an answer says in
 * words.
 *
 *     status, code, header -> the first rule that fits -> class, wait
 *
 * What they say is for people and for regular expressions only: it is cut,
 * redacted and made plain before anybody sees it.
 */

#define _GNU_SOURCE             /* memmem */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_redact.h"
#include "podi_text.h"
#include "banned.h"


#define PODI_PROVIDER_SUBJECT  256          /* of a regular expression */
#define PODI_PROVIDER_WAIT     86400        /* seconds that they may ask for */
#define PODI_PROVIDER_DATE     29           /* bytes of an HTTP date */


static void podi_provider_clean(podi_provider_read_t *r, podi_str_t *s);
static int podi_provider_rule_matches(const podi_provider_rule_t *rule,
    podi_provider_read_t *r);
static unsigned podi_provider_wait(const podi_str_t *s);
static podi_usec_t podi_provider_date(const podi_str_t *s);


/* a gateway's, which gave up waiting for what may go on behind it */

static const podi_provider_statuses_t  podi_provider_doubts = {
    3, { 408, 502, 504 }
};


/* nobody pays twice: what may have been begun is not asked for again */

podi_rc_t
podi_provider_check_rules(podi_provider_load_t *l, podi_provider_op_t *op)
{
    unsigned                     i;
    const podi_provider_rule_t  *rule;

    if (op->c.idempotency.len > 0) {
        return PODI_OK;
    }

    if (op->c.unknown.n == 0) {
        op->c.unknown = podi_provider_doubts;
    }

    for (rule = op->c.rules; rule != NULL; rule = rule->next) {

        if (rule->class != PODI_PROVIDER_RETRYABLE) {
            continue;
        }

        for (i = 0; i < rule->http.n; i++) {
            if (podi_provider_in(&op->c.unknown, rule->http.v[i])) {
                return podi_provider_wrong_at(l, rule->place, "after a "
                               "submit without an idempotency_header %u "
                               "means unknown, and not retryable; a poll "
                               "needs no rule for it", rule->http.v[i]);
            }
        }
    }

    return PODI_OK;
}


void
podi_provider_texts(podi_provider_read_t *r)
{
    r->a->code = podi_provider_scalar(
                     podi_provider_first(&r->op->c.code, r->json), r->mem);
    r->a->message = podi_provider_scalar(
                     podi_provider_first(&r->op->c.message, r->json), r->mem);

    podi_provider_clean(r, &r->a->code);
    podi_provider_clean(r, &r->a->message);
}


/* a text, a number, or what is in an object, as a text of our own; or "" */

podi_str_t
podi_provider_scalar(const json_t *value, podi_mem_t *mem)
{
    podi_str_t  s, copy, none = podi_null_str;

    if (value == NULL) {
        return none;
    }

    if (json_is_string(value)) {
        s = podi_json_str(value);
        return podi_mem_dup(mem, &s, &copy) == PODI_OK ? copy : none;
    }

    return podi_json_dump(value, mem, &s) == PODI_OK ? s : none;
}


/* without what the description calls secret, and what looks like it */

static void
podi_provider_clean(podi_provider_read_t *r, podi_str_t *s)
{
    size_t          i, j, n;
    podi_str_t      bad;
    const json_t   *found[PODI_PROVIDER_STATES];
    unsigned char  *p;

    if (s->len == 0) {
        return;
    }

    for (i = 0; i < r->op->c.n_redact; i++) {

        n = podi_provider_find(r->op->c.redact[i], r->json, found,
                               PODI_PROVIDER_STATES);

        for (j = 0; j < n && j < PODI_PROVIDER_STATES; j++) {

            bad = podi_provider_scalar(found[j], r->mem);

            while (bad.len > 3
                   && (p = memmem(s->data, s->len, bad.data, bad.len))
                      != NULL)
            {
                memcpy(p, "***", 3);
                memmove(p + 3, p + bad.len,
                        (size_t) (s->data + s->len - p) - bad.len);
                s->len -= bad.len - 3;
            }
        }
    }

    if (s->len > PODI_PROVIDER_MESSAGE) {
        s->len = PODI_PROVIDER_MESSAGE;
    }

    s->len = podi_redact((char *) s->data, s->len);

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            s->data[i] = ' ';
        }
    }

    podi_str_clean(s);
}


const podi_provider_rule_t *
podi_provider_rule_of(podi_provider_read_t *r)
{
    const podi_provider_rule_t  *rule;

    for (rule = r->op->c.rules; rule != NULL; rule = rule->next) {
        if (podi_provider_rule_matches(rule, r)) {
            break;
        }
    }

    return rule;
}


static int
podi_provider_rule_matches(const podi_provider_rule_t *rule,
    podi_provider_read_t *r)
{
    podi_str_t     s;
    const json_t  *code;

    if (rule->http.n && !podi_provider_in(&rule->http, r->reply->status)) {
        return 0;
    }

    if (rule->code_regex != NULL) {

        code = podi_provider_first(rule->code.n ? &rule->code
                                                : &r->op->c.code, r->json);
        if (code == NULL) {
            return 0;
        }

        s = podi_provider_scalar(code, r->mem);

        if (!podi_provider_matches(rule->code_regex, &s)) {
            return 0;
        }
    }

    if (rule->header.len == 0) {
        return 1;
    }

    s = podi_provider_header(r->reply->headers, r->reply->n_headers,
                             &rule->header);

    return s.data != NULL && (rule->header_regex == NULL
                              || podi_provider_matches(rule->header_regex,
                                                       &s));
}


int
podi_provider_matches(const regex_t *regex, const podi_str_t *s)
{
    char    text[PODI_PROVIDER_SUBJECT];
    size_t  n;

    n = s->len < sizeof(text) - 1 ? s->len : sizeof(text) - 1;

    if (n > 0) {
        memcpy(text, s->data, n);
    }

    text[n] = '\0';

    return regexec(regex, text, 0, NULL, 0) == 0;
}


podi_str_t
podi_provider_header(const podi_pair_t *headers, size_t n,
    const podi_str_t *name)
{
    size_t      i;
    podi_str_t  none = podi_null_str;

    for (i = 0; i < n; i++) {
        if (headers[i].name.len == name->len
            && podi_text_begins(&headers[i].name, (const char *) name->data))
        {
            return headers[i].value;
        }
    }

    return none;
}


void
podi_provider_retry(podi_provider_read_t *r, const podi_provider_rule_t *rule)
{
    podi_str_t     s, name = podi_string("Retry-After");
    const json_t  *value;

    if (r->a->class != PODI_PROVIDER_RETRYABLE
        && r->a->class != PODI_PROVIDER_THROTTLED)
    {
        return;
    }

    if (rule != NULL && rule->retry_header.len) {
        name = rule->retry_header;
    }

    s = podi_provider_header(r->reply->headers, r->reply->n_headers, &name);
    r->a->retry_after = podi_provider_wait(&s);

    if (rule == NULL || r->a->retry_after > 0) {
        return;
    }

    value = podi_provider_first(&rule->retry_path, r->json);

    if (value != NULL) {
        s = podi_provider_scalar(value, r->mem);
        r->a->retry_after = podi_provider_wait(&s);
    }

    if (r->a->retry_after == 0) {
        r->a->retry_after = (unsigned) rule->retry_fixed;
    }
}


/* whole seconds, upwards; a date is not understood: it needs their clock */

static unsigned
podi_provider_wait(const podi_str_t *s)
{
    size_t    i;
    unsigned  n = 0;

    for (i = 0; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++) {

        n = n * 10 + (unsigned) (s->data[i] - '0');

        if (n > PODI_PROVIDER_WAIT) {
            return PODI_PROVIDER_WAIT;
        }
    }

    return (i > 0 && i < s->len && s->data[i] == '.') ? n + 1 : n;
}


void
podi_provider_clock(podi_provider_read_t *r, const podi_provider_rule_t *rule)
{
    podi_str_t  s, name = podi_string("Date");

    if (rule == NULL || rule->clock == PODI_CLOCK_RIGHT) {
        return;
    }

    s = podi_provider_header(r->reply->headers, r->reply->n_headers, &name);
    r->a->clock = 1;
    r->a->their_time = podi_provider_date(&s);
    r->a->follow = rule->clock == PODI_CLOCK_THEIRS && r->a->their_time > 0;
}


/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); 0: it is none */

static podi_usec_t
podi_provider_date(const podi_str_t *s)
{
    char                at[PODI_AMZ_DATE_LEN];
    unsigned            month = 0;
    podi_str_t          text = { sizeof(at), (unsigned char *) at };
    podi_usec_t         t;
    static const char   months[12][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };

    if (s->len != PODI_PROVIDER_DATE) {
        return 0;
    }

    while (month < 12 && memcmp(s->data + 8, months[month], 3) != 0) {
        month++;
    }

    month++;
    memcpy(at, s->data + 12, 4);
    at[4] = (char) ('0' + month / 10);
    at[5] = (char) ('0' + month % 10);
    memcpy(at + 6, s->data + 5, 2);
    at[8] = 'T';
    memcpy(at + 9, s->data + 17, 2);
    memcpy(at + 11, s->data + 20, 2);
    memcpy(at + 13, s->data + 23, 2);
    at[15] = 'Z';

    return podi_time_amz_parse(&text, &t) == PODI_OK ? t : 0;
}


int
podi_provider_in(const podi_provider_statuses_t *list, unsigned status)
{
    unsigned  i;

    for (i = 0; i < list->n; i++) {
        if (list->v[i] == status) {
            return 1;
        }
    }

    return 0;
}


podi_str_t
podi_provider_heard(const podi_provider_op_t *op, size_t i)
{
    size_t                       n = 0;
    const podi_provider_rule_t  *rule;

    for (rule = op->c.rules; rule != NULL; rule = rule->next) {

        if (rule->header.len > 0 && n++ == i) {
            return rule->header;
        }

        if (rule->retry_header.len > 0 && n++ == i) {
            return rule->retry_header;
        }

        if (rule->clock != PODI_CLOCK_RIGHT && n++ == i) {
            return podi_str_c("Date");
        }
    }

    return podi_str_c("");
}
