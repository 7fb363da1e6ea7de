/*
 * podi_breaker: the states and their edges stand in the header.
 *
 * The window is a ring of slices; a slice that has left it is emptied when
 * the ring comes round to its place.
 */

#include <stdio.h>
#include <string.h>

#include "podi_breaker.h"
#include "podi_assert.h"
#include "podi_retry.h"
#include "banned.h"


#define BREAKER_WORDS  (5 + 2 * PODI_BREAKER_SLICES)


static void breaker_set_state(podi_breaker_t *b, podi_breaker_state_e state,
    podi_msec_t until, podi_msec_t now);
static void breaker_open(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    podi_msec_t now, uint32_t random);
static void breaker_count(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    int bad, podi_msec_t now);
static int breaker_is_bad(const podi_breaker_t *b,
    const podi_breaker_conf_t *conf);
static uint64_t breaker_word(const podi_breaker_t *b, unsigned i);
static podi_rc_t breaker_number(const podi_str_t *text, size_t *pos,
    uint64_t *ret);


podi_breaker_verdict_e
podi_breaker_ask(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    podi_msec_t now, uint32_t random, uint64_t *ret_ticket)
{
    podi_msec_t             wait;
    podi_breaker_verdict_e  verdict = PODI_BREAKER_PASS;

    wait = podi_breaker_wait(b, conf, now);

    if (wait > 0) {
        b->until = now + wait;
        return PODI_BREAKER_SHUT;
    }

    if (b->state == PODI_BREAKER_HALF_OPEN) {
        /* the probe is overdue */
        breaker_open(b, conf, now, random);
        return PODI_BREAKER_SHUT;
    }

    if (b->state == PODI_BREAKER_OPEN) {
        breaker_set_state(b, PODI_BREAKER_HALF_OPEN, now + conf->probe, now);
        verdict = PODI_BREAKER_PROBE;
    }

    *ret_ticket = b->epoch;

    return verdict;
}


void
podi_breaker_beat(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    uint64_t ticket, podi_msec_t now)
{
    if (ticket == b->epoch && b->state == PODI_BREAKER_HALF_OPEN) {
        b->until = now + conf->probe;
    }
}


void
podi_breaker_report(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    uint64_t ticket, podi_breaker_outcome_e outcome, podi_msec_t took,
    podi_msec_t now, uint32_t random)
{
    int  bad;

    if (ticket != b->epoch) {
        return;
    }

    bad = outcome == PODI_BREAKER_BAD || (conf->slow > 0 && took > conf->slow);

    if (b->state == PODI_BREAKER_HALF_OPEN) {

        if (outcome == PODI_BREAKER_UNKNOWN) {
            breaker_set_state(b, PODI_BREAKER_OPEN, now, now);

        } else if (bad) {
            breaker_open(b, conf, now, random);

        } else {
            breaker_set_state(b, PODI_BREAKER_CLOSED, 0, now);
        }

        return;
    }

    /* no ticket is given out while it is open: this one is none of ours */

    if (b->state != PODI_BREAKER_CLOSED || outcome == PODI_BREAKER_UNKNOWN) {
        return;
    }

    breaker_count(b, conf, bad, now);

    if (breaker_is_bad(b, conf)) {
        breaker_open(b, conf, now, random);
    }
}


podi_msec_t
podi_breaker_wait(const podi_breaker_t *b, const podi_breaker_conf_t *conf,
    podi_msec_t now)
{
    podi_msec_t  most, left;

    if (b->state == PODI_BREAKER_CLOSED || b->until <= now) {
        return 0;
    }

    most = b->state == PODI_BREAKER_OPEN ? conf->open_max : conf->probe_max;
    left = b->until - now;

    /* more than that was never promised: the clock was set back */

    return left < most ? left : most;
}


static void
breaker_set_state(podi_breaker_t *b, podi_breaker_state_e state,
    podi_msec_t until, podi_msec_t now)
{
    b->state = state;
    b->until = until;
    b->epoch = b->epoch + 1 > now ? b->epoch + 1 : now;

    if (state == PODI_BREAKER_CLOSED) {
        b->opened = 0;
        memset(b->slices, 0, sizeof(b->slices));
    }
}


static void
breaker_open(podi_breaker_t *b, const podi_breaker_conf_t *conf,
    podi_msec_t now, uint32_t random)
{
    podi_msec_t  bound, open;

    if (b->opened < UINT32_MAX) {
        b->opened++;
    }

    /* with all the random bits set, the back-off is its bound, less one */

    bound = podi_retry_delay(b->opened, conf->open, conf->open_max,
                             UINT32_MAX) + 1;
    open = bound / 2 + podi_retry_delay(1, bound - bound / 2,
                                        conf->open_max, random);

    breaker_set_state(b, PODI_BREAKER_OPEN, now + (open ? open : 1), now);
}


static void
breaker_count(podi_breaker_t *b, const podi_breaker_conf_t *conf, int bad,
    podi_msec_t now)
{
    uint64_t               n = now / (conf->window / PODI_BREAKER_SLICES);
    podi_breaker_slice_t  *s;

    if (n > b->slice && n - b->slice >= PODI_BREAKER_SLICES) {
        memset(b->slices, 0, sizeof(b->slices));
        b->slice = n;
    }

    /* a clock that was set back counts into the newest slice */

    while (b->slice < n) {
        b->slice++;
        s = &b->slices[b->slice % PODI_BREAKER_SLICES];
        s->calls = 0;
        s->bad = 0;
    }

    s = &b->slices[b->slice % PODI_BREAKER_SLICES];

    if (s->calls < UINT32_MAX) {
        s->calls++;
        s->bad += (uint32_t) bad;
    }
}


static int
breaker_is_bad(const podi_breaker_t *b, const podi_breaker_conf_t *conf)
{
    unsigned  i;
    uint64_t  calls = 0, bad = 0;

    for (i = 0; i < PODI_BREAKER_SLICES; i++) {
        calls += b->slices[i].calls;
        bad += b->slices[i].bad;
    }

    return calls >= conf->calls_min
           && bad * 100 >= calls * conf->bad_percent;
}


size_t
podi_breaker_write(const podi_breaker_t *b, char dst[PODI_BREAKER_TEXT_MAX])
{
    size_t    len = 0;
    unsigned  i;

    for (i = 0; i < BREAKER_WORDS; i++) {
        len += (size_t) snprintf(dst + len, PODI_BREAKER_TEXT_MAX - len,
                                 i ? " %llu" : "%llu",
                                 (unsigned long long) breaker_word(b, i));
    }

    podi_assert(len < PODI_BREAKER_TEXT_MAX);

    return len;
}


podi_rc_t
podi_breaker_read(const podi_str_t *text, podi_breaker_t *ret_b)
{
    size_t          pos = 0;
    uint64_t        word[BREAKER_WORDS];
    unsigned        i;
    podi_breaker_t  b;

    for (i = 0; i < BREAKER_WORDS; i++) {
        if ((i > 0 && (pos >= text->len || text->data[pos++] != ' '))
            || breaker_number(text, &pos, &word[i]) != PODI_OK
            || ((i < 2 || i > 4) && word[i] > UINT32_MAX))
        {
            return PODI_ERROR;
        }
    }

    if (pos != text->len || word[0] > PODI_BREAKER_HALF_OPEN) {
        return PODI_ERROR;
    }

    b.state = (uint32_t) word[0];
    b.opened = (uint32_t) word[1];
    b.epoch = word[2];
    b.until = word[3];
    b.slice = word[4];

    for (i = 0; i < PODI_BREAKER_SLICES; i++) {
        b.slices[i].calls = (uint32_t) word[5 + 2 * i];
        b.slices[i].bad = (uint32_t) word[6 + 2 * i];
    }

    *ret_b = b;

    return PODI_OK;
}


static uint64_t
breaker_word(const podi_breaker_t *b, unsigned i)
{
    switch (i) {

    case 0:
        return b->state;

    case 1:
        return b->opened;

    case 2:
        return b->epoch;

    case 3:
        return b->until;

    case 4:
        return b->slice;

    default:
        i -= 5;
        return i % 2 ? b->slices[i / 2].bad : b->slices[i / 2].calls;
    }
}


static podi_rc_t
breaker_number(const podi_str_t *text, size_t *pos, uint64_t *ret)
{
    size_t    i = *pos;
    uint64_t  n = 0;
    unsigned  digit;

    while (i < text->len && text->data[i] >= '0' && text->data[i] <= '9') {
        digit = (unsigned) text->data[i] - '0';

        if (n > (UINT64_MAX - digit) / 10) {
            return PODI_ERROR;
        }

        n = n * 10 + digit;
        i++;
    }

    if (i == *pos) {
        return PODI_ERROR;
    }

    *pos = i;
    *ret = n;

    return PODI_OK;
}
