/*
 * podi_limit_key: the keys that are remembered here.
 *
 *     keys[set * 8 ... + 7]   a key's set comes from its own bytes: it is a
 *                             hash; in a full set the one that was not used
 *                             for the longest time goes
 *
 *     a lease:   20 asks in half a second -> units for as many asks again
 *                -> spent here -> a quarter is left: the next are fetched
 *                             -> a second is over: they go back
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_limit_int.h"
#include "banned.h"


static podi_limit_key_t *key_set(podi_limit_t *limit,
    const podi_limit_ask_t *ask);
static void key_forget(podi_limit_t *limit, podi_limit_key_t *k);
static void key_lasts(podi_limit_t *limit, podi_msec_t now);


podi_limit_key_t *
podi_limit_key_find(podi_limit_t *limit, const podi_limit_ask_t *ask,
    podi_msec_t now)
{
    unsigned           i;
    podi_limit_key_t  *k = key_set(limit, ask);

    for (i = 0; i < PODI_LIMIT_WAYS; i++, k++) {
        if (k->used == 0 || k->kind != ask->kind
            || memcmp(k->key, ask->key, PODI_LIMIT_KEY_LEN) != 0)
        {
            continue;
        }

        if (k->rate != ask->rate || k->period != ask->period
            || k->burst != ask->burst)
        {
            /* a new rate: nothing that is remembered of the old one holds */
            key_forget(limit, k);
            return NULL;
        }

        k->used = now;

        return k;
    }

    return NULL;
}


podi_limit_key_t *
podi_limit_key_make(podi_limit_t *limit, const podi_limit_ask_t *ask,
    podi_msec_t now)
{
    unsigned           i;
    podi_limit_key_t  *k, *oldest;

    k = podi_limit_key_find(limit, ask, now);
    if (k != NULL) {
        return k;
    }

    oldest = key_set(limit, ask);

    for (i = 1, k = oldest + 1; i < PODI_LIMIT_WAYS; i++, k++) {
        if (k->used < oldest->used) {
            oldest = k;
        }
    }

    limit->stat.evicted += oldest->used != 0;
    key_forget(limit, oldest);

    k = oldest;
    memcpy(k->key, ask->key, PODI_LIMIT_KEY_LEN);
    k->kind = ask->kind;
    k->rate = ask->rate;
    k->period = ask->period;
    k->burst = ask->burst;
    k->used = now;
    k->slice = now;

    return k;
}


static podi_limit_key_t *
key_set(podi_limit_t *limit, const podi_limit_ask_t *ask)
{
    uint64_t  hash;

    memcpy(&hash, ask->key, sizeof(hash));

    return &limit->keys[hash % (limit->conf.keys / PODI_LIMIT_WAYS)
                        * PODI_LIMIT_WAYS];
}


static void
key_forget(podi_limit_t *limit, podi_limit_key_t *k)
{
    podi_limit_key_return(limit, k);

    memset(k, 0, sizeof(podi_limit_key_t));
    podi_list_init(&k->link);
}


void
podi_limit_key_seen(podi_limit_key_t *k, int64_t cost, podi_msec_t now)
{
    if (now - k->slice >= PODI_LIMIT_SLICE) {
        if (now - k->slice < 2 * PODI_LIMIT_SLICE) {
            k->seen_before = k->seen;
            k->units_before = k->units_seen;

        } else {
            k->seen_before = 0;
            k->units_before = 0;
        }

        k->slice = now;
        k->seen = 0;
        k->units_seen = 0;
    }

    k->seen++;
    k->units_seen += cost;
}


/* no more than half of the burst: others want some, too */

int64_t
podi_limit_key_want(const podi_limit_key_t *k, const podi_limit_ask_t *ask)
{
    int64_t  units, most = ask->burst / 2;

    if (ask->mode != PODI_LIMIT_LEASED || ask->kind != PODI_LIMIT_GCRA
        || (k->seen < PODI_LIMIT_HOT && k->seen_before < PODI_LIMIT_HOT))
    {
        return 0;
    }

    units = k->units_seen > k->units_before ? k->units_seen : k->units_before;

    if (units > most) {
        units = most;
    }

    return units > ask->cost ? units : 0;
}


void
podi_limit_key_no(podi_limit_key_t *k, int64_t cost, int64_t retry_after,
    podi_msec_t now)
{
    podi_msec_t  wait = (podi_msec_t) retry_after / 1000;

    k->no_cost = cost;
    k->no_end = now + wait + 1;
    k->no_until = now + (wait < PODI_LIMIT_NO_MAX ? wait : PODI_LIMIT_NO_MAX);
}


void
podi_limit_key_add(podi_limit_t *limit, podi_limit_key_t *k, int64_t units,
    podi_msec_t now)
{
    if (units == 0) {
        return;
    }

    if (now >= k->until) {
        podi_limit_key_return(limit, k);
    }

    limit->stat.leases += k->units == 0;

    k->units += units;
    k->until = now + PODI_LIMIT_LASTS;

    podi_list_remove(&k->link);
    podi_list_append(&limit->leases, &k->link);

    if (limit->leases.next == &k->link) {
        key_lasts(limit, now);
    }
}


void
podi_limit_key_spend(podi_limit_t *limit, podi_limit_key_t *k, int64_t units)
{
    podi_assert(k->units >= units);

    k->units -= units;

    if (k->units == 0 && units > 0) {
        podi_list_remove(&k->link);
        limit->stat.leases--;
    }
}


void
podi_limit_key_return(podi_limit_t *limit, podi_limit_key_t *k)
{
    podi_limit_ask_t  ask;

    if (k->units == 0) {
        return;
    }

    memset(&ask, 0, sizeof(podi_limit_ask_t));

    memcpy(ask.key, k->key, PODI_LIMIT_KEY_LEN);
    ask.rate = k->rate;
    ask.period = k->period;
    ask.burst = k->burst;

    limit->stat.returned += (uint64_t) k->units;
    podi_limit_back_units(limit, &ask, k->units);
    podi_limit_key_spend(limit, k, k->units);
}


void
podi_limit_lasts_timed(void *data)
{
    podi_msec_t        now;
    podi_limit_t      *limit = data;
    podi_limit_key_t  *k;

    now = podi_time_mono();

    while (!podi_list_is_empty(&limit->leases)) {
        k = podi_list_owner(limit->leases.next, podi_limit_key_t, link);

        if (k->until > now) {
            break;
        }

        podi_limit_key_return(limit, k);
    }

    key_lasts(limit, now);
}


static void
key_lasts(podi_limit_t *limit, podi_msec_t now)
{
    podi_limit_key_t  *k;

    if (podi_list_is_empty(&limit->leases)) {
        return;
    }

    k = podi_list_owner(limit->leases.next, podi_limit_key_t, link);

    limit->conf.io->arm(limit->lasts, k->until > now ? k->until - now : 1);
}
