/*
 * podi_limit: what can be decided without asking, and who asks.
 *
 *     try:  each ask -> NO | LEASE | REDIS
 *           a NO (not dry)    -> refused, nothing is charged
 *           no REDIS          -> the leases pay, passed
 *           else              -> take: one call (podi_limit_call)
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_limit_int.h"
#include "banned.h"


#define LIMIT_UNITS_MAX  (INT64_C(1) << 52)
#define LIMIT_SPAN_MAX   (INT64_C(50) * 366 * 86400 * 1000000)
#define LIMIT_SECOND     INT64_C(1000000)
#define LIMIT_DAY        (86400 * LIMIT_SECOND)

typedef __int128  wide_t;


static podi_rc_t limit_init(podi_limit_t *limit);
static wide_t limit_wide_step(const podi_limit_ask_t *ask, int64_t units);
static void limit_pay(podi_limit_t *limit, const podi_limit_ask_t *ask,
    podi_limit_key_t *k, podi_msec_t now, podi_limit_answer_t *answer);


podi_limit_t *
podi_limit_create(const podi_limit_conf_t *conf)
{
    podi_limit_t  *limit;

    podi_assert(conf->keys >= PODI_LIMIT_WAYS
                && (conf->keys & (conf->keys - 1)) == 0 && conf->lease > 0);

    limit = calloc(1, sizeof(podi_limit_t));
    if (limit == NULL) {
        return NULL;
    }

    limit->conf = *conf;

    podi_list_init(&limit->leases);
    podi_list_init(&limit->calls);
    podi_list_init(&limit->spare);
    podi_list_init(&limit->holds);

    limit->soon.run = podi_limit_back_flush;
    limit->soon.data = limit;

    if (limit_init(limit) != PODI_OK) {
        podi_limit_free(&limit);
    }

    return limit;
}


static podi_rc_t
limit_init(podi_limit_t *limit)
{
    unsigned    i;
    podi_io_t  *io = limit->conf.io;

    limit->keys = calloc(limit->conf.keys, sizeof(podi_limit_key_t));
    limit->lasts = io->timer(io, PODI_TIMER_HOUSEKEEPING,
                             podi_limit_lasts_timed, limit);
    limit->beat = io->timer(io, PODI_TIMER_HOUSEKEEPING,
                            podi_limit_beat_timed, limit);

    if (limit->keys == NULL || limit->lasts == NULL || limit->beat == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < limit->conf.keys; i++) {
        podi_list_init(&limit->keys[i].link);
    }

    return podi_random(limit->id, sizeof(limit->id));
}


void
podi_limit_free(podi_limit_t **limit)
{
    podi_io_t          *io;
    podi_limit_t       *dead = *limit;
    podi_limit_hold_t  *hold;

    *limit = NULL;

    if (dead == NULL) {
        return;
    }

    io = dead->conf.io;
    podi_limit_calls_free(dead);

    while (!podi_list_is_empty(&dead->leases)) {
        podi_limit_key_return(dead, podi_list_owner(dead->leases.next,
                                                    podi_limit_key_t, link));
    }

    while (!podi_list_is_empty(&dead->holds)) {
        hold = podi_list_owner(dead->holds.next, podi_limit_hold_t, link);
        podi_limit_release(dead, &hold);
    }

    podi_limit_back_flush(dead);
    podi_redis_flush(dead->conf.redis);

    io->unpost(&dead->soon);

    if (dead->lasts != NULL) {
        io->timer_free(dead->lasts);
    }

    if (dead->beat != NULL) {
        io->timer_free(dead->beat);
    }

    free(dead->back);
    free(dead->keys);
    free(dead);
}


const char *
podi_limit_check(const podi_limit_ask_t *ask)
{
    if (ask->rate <= 0 || ask->rate > LIMIT_UNITS_MAX) {
        return "the rate must be at least 1 and no more than 2^52";
    }

    if (ask->cost < 0 || (ask->kind == PODI_LIMIT_CONN && ask->cost != 1)) {
        return "the cost must not be negative, and 1 for concurrency";
    }

    switch (ask->kind) {

    case PODI_LIMIT_GCRA:
        if (ask->period <= 0 || ask->burst <= 0
            || ask->burst > LIMIT_UNITS_MAX
            || limit_wide_step(ask, ask->burst) > LIMIT_SPAN_MAX)
        {
            return "the burst must be filled again within 50 years";
        }

        return NULL;

    case PODI_LIMIT_QUOTA:
        if ((ask->period != PODI_LIMIT_MONTH
             && (ask->period <= 0 || ask->period % LIMIT_SECOND != 0
                 || ask->period > LIMIT_SPAN_MAX))
            || ask->offset <= -LIMIT_DAY || ask->offset >= LIMIT_DAY)
        {
            return "a quota is for whole seconds or for a month, and begins "
                   "within a day of UTC's";
        }

        return NULL;

    default:
        return NULL;
    }
}


podi_rc_t
podi_limit_try(podi_limit_t *limit, const podi_limit_ask_t *asks, size_t n,
    podi_limit_answer_t *answers)
{
    size_t             i;
    unsigned           refused, remote;
    podi_msec_t        now;
    podi_limit_by_e    by[PODI_LIMIT_ASKS];
    podi_limit_key_t  *k[PODI_LIMIT_ASKS];

    podi_assert(n <= PODI_LIMIT_ASKS);

    now = podi_time_mono();
    refused = 0;
    remote = 0;

    for (i = 0; i < n; i++) {
        if (asks[i].mode == PODI_LIMIT_LEASED) {
            podi_limit_key_seen(podi_limit_key_make(limit, &asks[i], now),
                                asks[i].cost, now);
        }

        by[i] = podi_limit_judge(limit, &asks[i], now, &k[i]);
        refused += by[i] == PODI_LIMIT_BY_NO && !asks[i].dry;
        remote += by[i] == PODI_LIMIT_BY_REDIS;
    }

    if (!refused && remote) {
        return PODI_AGAIN;
    }

    for (i = 0; i < n; i++) {
        memset(&answers[i], 0, sizeof(podi_limit_answer_t));

        if (by[i] == PODI_LIMIT_BY_NO) {
            podi_limit_answer_no(&asks[i], k[i], now, &answers[i]);

        } else if (refused) {
            answers[i].left = PODI_LIMIT_UNKNOWN;
            answers[i].reset_after = PODI_LIMIT_UNKNOWN;
            answers[i].mode = PODI_LIMIT_CACHED;
            answers[i].passed = 1;

        } else {
            limit_pay(limit, &asks[i], k[i], now, &answers[i]);
        }
    }

    limit->stat.cached += refused > 0;

    return PODI_OK;
}


podi_rc_t
podi_limit_take(podi_limit_t *limit, podi_flow_t *f,
    const podi_limit_ask_t *asks, size_t n, podi_limit_answer_t *answers)
{
    podi_assert(n > 0 && n <= PODI_LIMIT_ASKS);

    return podi_limit_call(limit, f, asks, n, answers);
}


int
podi_limit_passed(const podi_limit_answer_t *answers, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (!answers[i].passed && !answers[i].would) {
            return 0;
        }
    }

    return 1;
}


void
podi_limit_refund(podi_limit_t *limit, const podi_limit_ask_t *asks, size_t n,
    podi_limit_answer_t *answers)
{
    size_t             i;
    podi_msec_t        now;
    podi_limit_back_t  back;

    now = podi_time_mono();

    for (i = 0; i < n; i++) {
        if (!answers[i].passed) {
            continue;
        }

        if (answers[i].mode == PODI_LIMIT_LEASED) {
            podi_limit_key_add(limit, podi_limit_key_make(limit, &asks[i],
                                                          now),
                               asks[i].cost, now);

        } else if (asks[i].kind == PODI_LIMIT_GCRA) {
            podi_limit_back_units(limit, &asks[i], asks[i].cost);

        } else if (asks[i].kind == PODI_LIMIT_CONN) {
            podi_limit_release(limit, &answers[i].hold);

        } else {
            memset(&back, 0, sizeof(podi_limit_back_t));

            back.kind = PODI_LIMIT_QUOTA;
            back.amount = asks[i].cost;
            back.window = answers[i].window;
            memcpy(back.key, asks[i].key, PODI_LIMIT_KEY_LEN);

            podi_limit_back(limit, &back);
        }
    }
}


void
podi_limit_stat(const podi_limit_t *limit, podi_limit_stat_t *ret)
{
    *ret = limit->stat;
}


/*
 * A drained lease is not asked for again before `next`, so that the bucket has
 * something to give; that is no longer than it takes to fill half of it.
 */

podi_limit_by_e
podi_limit_judge(podi_limit_t *limit, const podi_limit_ask_t *ask,
    podi_msec_t now, podi_limit_key_t **ret_k)
{
    podi_limit_key_t  *k;

    podi_assert(ask->mode != PODI_LIMIT_LOCAL
                && podi_limit_check(ask) == NULL);

    k = podi_limit_key_find(limit, ask, now);
    *ret_k = k;

    if (ask->cost > podi_limit_cap(ask)) {
        return PODI_LIMIT_BY_NO;
    }

    if (k == NULL) {
        return PODI_LIMIT_BY_REDIS;
    }

    if (k->units >= ask->cost && k->units > 0 && now < k->until) {
        return PODI_LIMIT_BY_LEASE;
    }

    if (now < k->no_until && ask->cost >= k->no_cost) {
        return PODI_LIMIT_BY_NO;
    }

    if (ask->mode == PODI_LIMIT_LEASED && k->drained && now < k->next
        && podi_limit_key_want(k, ask) > 0)
    {
        return PODI_LIMIT_BY_NO;
    }

    return PODI_LIMIT_BY_REDIS;
}


void
podi_limit_answer_no(const podi_limit_ask_t *ask, const podi_limit_key_t *k,
    podi_msec_t now, podi_limit_answer_t *answer)
{
    podi_msec_t  at;

    answer->mode = PODI_LIMIT_CACHED;
    answer->would = ask->dry;

    if (ask->cost > podi_limit_cap(ask)) {
        answer->left = PODI_LIMIT_UNKNOWN;
        answer->reset_after = PODI_LIMIT_UNKNOWN;
        answer->retry_after = PODI_LIMIT_NEVER;
        return;
    }

    at = now < k->no_until && ask->cost >= k->no_cost ? k->no_end : k->next;

    answer->left = k->units;
    answer->retry_after = at > now ? (int64_t) (at - now) * 1000 : 1000;
    answer->reset_after = k->full > now ? (int64_t) (k->full - now) * 1000 : 0;
}


void
podi_limit_answer_lease(const podi_limit_key_t *k, podi_msec_t now,
    podi_limit_answer_t *answer)
{
    answer->mode = PODI_LIMIT_LEASED;
    answer->passed = 1;
    answer->left = k->left + k->units;
    answer->reset_after = k->full > now ? (int64_t) (k->full - now) * 1000 : 0;
}


static void
limit_pay(podi_limit_t *limit, const podi_limit_ask_t *ask,
    podi_limit_key_t *k, podi_msec_t now, podi_limit_answer_t *answer)
{
    int64_t  want;

    podi_limit_key_spend(limit, k, ask->cost);
    podi_limit_answer_lease(k, now, answer);
    limit->stat.leased++;

    want = podi_limit_key_want(k, ask);

    if (k->units < want / 4 && !k->asked
        && (!k->drained || now >= k->next))
    {
        podi_limit_refill(limit, k, ask);
    }
}


int64_t
podi_limit_cap(const podi_limit_ask_t *ask)
{
    return ask->kind == PODI_LIMIT_GCRA ? ask->burst : ask->rate;
}


int64_t
podi_limit_step(const podi_limit_ask_t *ask, int64_t units, int64_t most)
{
    wide_t  step = limit_wide_step(ask, units);

    return step < most ? (int64_t) step : most;
}


int64_t
podi_limit_span(const podi_limit_ask_t *ask)
{
    return (int64_t) limit_wide_step(ask, ask->burst);
}


static wide_t
limit_wide_step(const podi_limit_ask_t *ask, int64_t units)
{
    return ((wide_t) units * ask->period + ask->rate - 1) / ask->rate;
}


size_t
podi_limit_decimal(unsigned char *dst, int64_t n)
{
    size_t         len, i;
    uint64_t       m;
    unsigned char  digits[20];

    m = n < 0 ? (uint64_t) -n : (uint64_t) n;
    len = 0;

    do {
        digits[len++] = (unsigned char) ('0' + m % 10);
        m /= 10;
    } while (m > 0);

    if (n < 0) {
        *dst++ = '-';
    }

    for (i = 0; i < len; i++) {
        dst[i] = digits[len - 1 - i];
    }

    return len + (n < 0);
}
