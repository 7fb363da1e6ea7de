/*
 * terms: the words of podi_limit_zone, against regular expressions; and what
 * a rule made of them lets through, against its own bound.
 */

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "podi_terms.h"
#include "banned.h"


#define NOW    INT64_C(1795324666000000)    /* 2026-11-22 */
#define DAY    INT64_C(86400000000)
#define YEARS  (INT64_C(1) << 50)           /* 35 of them */
#define STEPS  24

#define PLACES  (sizeof(fuzz_forms) / sizeof(fuzz_forms[0]))


typedef __int128  fuzz_wide_t;


const char *const  fuzz_seeds[] = {
    "rate=10r/s burst=20",
    "rate=9007199254740992r/d burst=1",
    "rate=1000000r/s burst=1000000",
    "quota=1000/month offset=+08:00",
    "quota=5/hour offset=-03:30",
    "conn=16",
    "key=ip rate=1r/m mode=exact",
    NULL
};

const char *const  fuzz_words[] = {
    "rate=", "quota=", "conn=", "burst=", "offset=", "r/s", "r/m", "r/h",
    "r/d", "/hour", "/day", "/month", "+08:00", "-14:59", "+15:00", " ",
    "9223372036854775807", "9223372036854775808", "9007199254740992",
    "9007199254740993", "86400000000", "-1", "+1", "00", NULL
};

static const char *const  fuzz_forms[] = {
    "^rate=([0-9]+)r/([smhd])$",
    "^quota=([0-9]+)/(hour|day|month)$",
    "^conn=([0-9]+)$",
    "^burst=([0-9]+)$",
    "^offset=([+-])(0[0-9]|1[0-4]):([0-5][0-9])$",
    "^(rate|quota|conn|burst|offset)="
};


static podi_rc_t fuzz_word(const podi_str_t *word, podi_terms_t *terms);
static podi_rc_t fuzz_form(int form, const char *text, const regmatch_t *m,
    podi_terms_t *terms);
static int fuzz_matches(int form, const char *text, regmatch_t *m);
static int64_t fuzz_number(const char *text);
static void fuzz_rule(const podi_terms_t *terms, uint64_t seed);
static int fuzz_is_rule(const podi_terms_t *terms);
static void fuzz_again(const podi_terms_t *terms, const podi_rule_t *rule);
static void fuzz_use(const podi_rule_t *rule, uint64_t seed);
static int64_t fuzz_some(uint64_t *seed, int64_t most);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_rc_t     rc = PODI_OK;
    podi_str_t    rest, word;
    podi_terms_t  terms, expected;

    rest = fuzz_str(data, size);

    memset(&terms, 0, sizeof(terms));
    memset(&expected, 0, sizeof(expected));

    while (rc != PODI_ERROR && podi_str_split(&rest, ' ', &word)) {

        rc = podi_terms_read(&terms, &word);
        fuzz_assert(rc == fuzz_word(&word, &expected));
    }

    if (rc != PODI_ERROR) {
        fuzz_assert(terms.kinds == expected.kinds);
        fuzz_assert(terms.kinds == 0 || terms.kind == expected.kind);
        fuzz_assert(terms.rate == expected.rate);
        fuzz_assert(terms.period == expected.period);
        fuzz_assert(terms.burst == expected.burst);
        fuzz_assert(terms.offset == expected.offset);

        fuzz_rule(&terms, fuzz_hash(data, size));
    }

    return 0;
}


static podi_rc_t
fuzz_word(const podi_str_t *word, podi_terms_t *terms)
{
    int         form;
    char       *text;
    regmatch_t  m[4];

    text = podi_mem_dup_c(fuzz_mem(), word);

    if (!fuzz_matches(PLACES - 1, text, m)) {
        return PODI_DECLINED;
    }

    if (strlen(text) != word->len) {
        return PODI_ERROR;              /* a NUL in the value */
    }

    for (form = 0; form < (int) PLACES - 1; form++) {
        if (fuzz_matches(form, text, m)) {
            return fuzz_form(form, text, m, terms);
        }
    }

    return PODI_ERROR;
}


static podi_rc_t
fuzz_form(int form, const char *text, const regmatch_t *m,
    podi_terms_t *terms)
{
    int      east;
    int64_t  n;

    if (form == 4) {
        east = text[m[1].rm_so] == '+' ? 1 : -1;
        terms->offset = east * (int) (60 * fuzz_number(text + m[2].rm_so)
                                      + fuzz_number(text + m[3].rm_so)) * 60;
        return PODI_OK;
    }

    n = fuzz_number(text + m[1].rm_so);

    if (n <= 0) {
        return PODI_ERROR;
    }

    if (form == 3) {
        terms->burst = n;
        return PODI_OK;
    }

    terms->kinds++;
    terms->rate = n;

    switch (form) {

    case 0:
        terms->kind = PODI_CELL_RATE;
        break;

    case 1:
        terms->kind = PODI_CELL_QUOTA;
        break;

    default:
        terms->kind = PODI_CELL_CONN;
        terms->period = 0;
        return PODI_OK;
    }

    switch (text[m[2].rm_so]) {
    case 's': terms->period = INT64_C(1000000); break;
    case 'm': terms->period = INT64_C(60000000); break;
    case 'h': terms->period = INT64_C(3600000000); break;
    default: terms->period = INT64_C(86400000000);
    }

    if (strncmp(text + m[2].rm_so, "month", 5) == 0) {
        terms->period = PODI_QUOTA_MONTH;
    }

    return PODI_OK;
}


static int
fuzz_matches(int form, const char *text, regmatch_t *m)
{
    size_t          i;
    static int      ready;
    static regex_t  forms[PLACES];

    if (!ready) {
        for (i = 0; i < PLACES; i++) {
            fuzz_assert(regcomp(&forms[i], fuzz_forms[i], REG_EXTENDED) == 0);
        }

        ready = 1;
    }

    return regexec(&forms[form], text, 4, m, 0) == 0;
}


/* -1: too large */

static int64_t
fuzz_number(const char *text)
{
    unsigned long long  n;

    errno = 0;
    n = strtoull(text, NULL, 10);

    return (errno != 0 || n > INT64_MAX) ? -1 : (int64_t) n;
}


static void
fuzz_rule(const podi_terms_t *terms, uint64_t seed)
{
    const char   *wrong;
    podi_rule_t   rule;

    wrong = podi_terms_rule(terms, &rule);
    fuzz_assert((wrong == NULL) == fuzz_is_rule(terms));

    if (wrong != NULL) {
        return;
    }

    fuzz_assert(rule.kind == terms->kind);
    fuzz_assert(rule.gcra.burst > 0);

    fuzz_again(terms, &rule);
    fuzz_use(&rule, seed);
}


/* one kind, what goes with it, and in the range of podi_cell */

static int
fuzz_is_rule(const podi_terms_t *terms)
{
    fuzz_wide_t  burst, tick, most = (fuzz_wide_t) 1 << 53;

    if (terms->kinds != 1 || terms->rate > most
        || (terms->burst && terms->kind != PODI_CELL_RATE)
        || (terms->offset && terms->kind != PODI_CELL_QUOTA))
    {
        return 0;
    }

    if (terms->kind != PODI_CELL_RATE) {
        return 1;
    }

    tick = ((fuzz_wide_t) terms->rate * 1000 + terms->period - 1)
           / terms->period;
    burst = terms->burst ? terms->burst : 1;

    if (burst > most) {
        return 0;
    }

    burst = burst > tick ? burst : tick;

    return burst * terms->period <= ((fuzz_wide_t) 1 << 60) * terms->rate;
}


/* written once more it is the same rule */

static void
fuzz_again(const podi_terms_t *terms, const podi_rule_t *rule)
{
    podi_str_t    words[2];
    podi_rule_t   again;
    podi_terms_t  back;
    const char   *unit = "";

    static const char *const  heads[] = { "rate=", "quota=", "conn=" };

    switch (terms->period) {
    case INT64_C(1000000): unit = "r/s"; break;
    case INT64_C(60000000): unit = "r/m"; break;
    case PODI_QUOTA_MONTH: unit = "/month"; break;

    case INT64_C(3600000000):
        unit = terms->kind == PODI_CELL_RATE ? "r/h" : "/hour";
        break;

    case INT64_C(86400000000):
        unit = terms->kind == PODI_CELL_RATE ? "r/d" : "/day";
        break;
    }

    memset(&back, 0, sizeof(back));

    fuzz_assert(podi_mem_printf(fuzz_mem(), &words[0], "%s%" PRId64 "%s",
                                heads[terms->kind], terms->rate, unit)
                == PODI_OK);
    fuzz_assert(podi_terms_read(&back, &words[0]) == PODI_OK);

    if (terms->burst) {
        fuzz_assert(podi_mem_printf(fuzz_mem(), &words[1], "burst=%" PRId64,
                                    terms->burst) == PODI_OK);
        fuzz_assert(podi_terms_read(&back, &words[1]) == PODI_OK);
    }

    if (terms->offset) {
        fuzz_assert(podi_mem_printf(fuzz_mem(), &words[1],
                                    "offset=%c%02d:%02d",
                                    terms->offset < 0 ? '-' : '+',
                                    abs(terms->offset) / 3600,
                                    abs(terms->offset) / 60 % 60)
                    == PODI_OK);
        fuzz_assert(podi_terms_read(&back, &words[1]) == PODI_OK);
    }

    fuzz_assert(podi_terms_rule(&back, &again) == NULL);
    fuzz_assert(memcmp(&again, rule, sizeof(again)) == 0);
}


/*
 * What passes is within rate * t + burst (t has a microsecond more, to which
 * steps are rounded), the quota, or the places.
 */

static void
fuzz_use(const podi_rule_t *rule, uint64_t seed)
{
    int                 i;
    int64_t             cost, gap, longest, most = rule->gcra.burst;
    fuzz_wide_t         passed = 0, t = 1;
    podi_cell_t         cell;
    podi_window_t       before;
    podi_cell_clock_t   now;
    podi_cell_answer_t  answer;

    memset(&cell, 0, sizeof(cell));
    memset(&now, 0, sizeof(now));
    memset(&before, 0, sizeof(before));

    now.mono = fuzz_some(&seed, YEARS);
    now.wall = NOW;
    longest = (rule->kind == PODI_CELL_RATE && rule->span < YEARS)
              ? rule->span : YEARS;

    for (i = 0; i < STEPS; i++) {

        if (rule->kind == PODI_CELL_QUOTA) {
            now.window = podi_rule_window(rule, now.wall);
            fuzz_assert(now.window.start <= now.wall
                        && now.wall < now.window.end);

            passed = (now.window.start == before.start) ? passed : 0;
            before = now.window;
        }

        cost = fuzz_some(&seed, most + most / 8 + 1);

        if (podi_cell_peek(rule, &cell, cost, &now, &answer)) {
            fuzz_assert(answer.retry_after == 0 && answer.left >= cost);
            podi_cell_take(rule, &cell, cost, &now);
            passed += cost;

        } else {
            fuzz_assert(answer.retry_after > 0 && answer.left < cost);
        }

        if (rule->kind == PODI_CELL_RATE) {
            fuzz_assert((passed - most) * rule->gcra.period
                        <= t * rule->gcra.rate);
        } else {
            fuzz_assert(passed <= most);
        }

        gap = fuzz_some(&seed, longest);
        now.mono += gap;
        now.wall += gap % (40 * DAY);
        t += gap;
    }
}


/* 0 .. most, small ones as often as large ones */

static int64_t
fuzz_some(uint64_t *seed, int64_t most)
{
    uint64_t  n;

    *seed = *seed * UINT64_C(6364136223846793005)
            + UINT64_C(1442695040888963407);
    n = *seed >> 8;
    n >>= (*seed & 7) * 7;

    return (int64_t) (n % ((uint64_t) most + 1));
}
