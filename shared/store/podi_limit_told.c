/*
 * podi_limit_told: what limit_take.lua answered, one ask after the other.
 *
 *     {passed, now, then three numbers for each ask that Redis was asked}
 *
 * A refusal is remembered until it ends; units for a lease are put where the
 * next requests find them.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_limit_int.h"
#include "banned.h"


static int told_is_sane(const podi_limit_call_t *call,
    const podi_redis_reply_t *reply);
static void told_answer(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, const podi_redis_reply_t *told,
    podi_usec_t server, int passed);
static void told_local(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int passed);
static void told_place(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int passed);
static void told_keep(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int64_t chunks, int passed);
static podi_msec_t told_pause(const podi_limit_key_t *k,
    const podi_limit_ask_t *ask);


podi_rc_t
podi_limit_told(podi_limit_call_t *call, const podi_redis_reply_t *reply,
    podi_fail_t *fail)
{
    int                         passed;
    size_t                      i, told;
    podi_usec_t                 server;
    podi_limit_answer_t         nobody, *answer;
    const podi_redis_reply_t   *r;

    for (i = 0, told = 0; i < call->n; i++) {
        told += call->parts[i].by == PODI_LIMIT_BY_REDIS;
    }

    if (reply->type != PODI_REDIS_ARRAY || reply->n != 2 + 3 * told
        || !told_is_sane(call, reply))
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL,
                         "Redis did not answer for %zu limits", told);
    }

    passed = reply->elements[0].integer == 1;
    server = reply->elements[1].integer;
    r = &reply->elements[2];

    for (i = 0; i < call->n; i++) {
        answer = call->answers != NULL ? &call->answers[i] : &nobody;
        memset(answer, 0, sizeof(podi_limit_answer_t));

        told_answer(call, &call->parts[i], answer, r, server, passed);

        if (call->parts[i].by == PODI_LIMIT_BY_REDIS) {
            r += 3;
        }

        if (call->answers == NULL) {
            podi_limit_release(call->limit, &answer->hold);
        }
    }

    return PODI_DONE;
}


/*
 * A nil or a text would read as 0, which is "passed"; more chunks than were
 * asked for, as a lease of any size.
 */

static int
told_is_sane(const podi_limit_call_t *call, const podi_redis_reply_t *reply)
{
    int                         passed;
    size_t                      i;
    const podi_limit_part_t    *part;
    const podi_redis_reply_t   *r = reply->elements;

    for (i = 0; i < reply->n; i++) {
        if (r[i].type != PODI_REDIS_INTEGER || r[i].integer < 0) {
            return 0;
        }
    }

    passed = 1;

    for (i = 0, r += 2; i < call->n; i++) {
        part = &call->parts[i];

        if (part->by != PODI_LIMIT_BY_REDIS) {
            continue;
        }

        if (part->ask.kind == PODI_LIMIT_GCRA
            && r[2].integer > part->chunks)
        {
            return 0;
        }

        passed &= (r[0].integer == 0 || part->ask.dry);
        r += 3;
    }

    return reply->elements[0].integer == passed;
}


static void
told_answer(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, const podi_redis_reply_t *told,
    podi_usec_t server, int passed)
{
    int64_t                  room;
    const podi_limit_ask_t  *ask = &part->ask;

    if (part->by != PODI_LIMIT_BY_REDIS) {
        told_local(call, part, answer, passed);
        return;
    }

    answer->mode = part->chunks > 0 ? PODI_LIMIT_LEASED : PODI_LIMIT_EXACT;
    answer->retry_after = told[0].integer;
    answer->reset_after = told[1].integer;
    answer->left = told[2].integer;
    answer->passed = answer->retry_after == 0;
    answer->would = ask->dry && !answer->passed;

    switch (ask->kind) {

    case PODI_LIMIT_GCRA:
        room = podi_limit_span(ask) - answer->reset_after;
        room = room > 0 ? room : 0;     /* the debt of a larger rule */
        answer->left = (int64_t) ((__int128) room * ask->rate / ask->period);

        if (answer->left > ask->burst) {
            answer->left = ask->burst;
        }

        break;

    case PODI_LIMIT_QUOTA:
        answer->window = server + answer->reset_after;
        break;

    default:
        told_place(call, part, answer, passed);
        return;
    }

    if (!answer->passed || part->chunks > 0) {
        told_keep(call, part, answer, told[2].integer, passed);
    }
}


/* a lease has paid in advance, or it was a dry no */

static void
told_local(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int passed)
{
    podi_msec_t        now = podi_time_mono();
    podi_limit_t      *limit = call->limit;
    podi_limit_key_t  *k;

    k = podi_limit_key_make(limit, &part->ask, now);

    if (part->by == PODI_LIMIT_BY_NO) {
        podi_limit_answer_no(&part->ask, k, now, answer);
        return;
    }

    if (!passed) {
        podi_limit_key_add(limit, k, part->ask.cost, now);
    }

    limit->stat.leased += (unsigned) passed;
    podi_limit_answer_lease(k, now, answer);
}


static void
told_place(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int passed)
{
    answer->reset_after = PODI_LIMIT_UNKNOWN;

    if (passed && answer->passed) {
        podi_limit_hold_keep(call->limit, part->hold);
        answer->hold = part->hold;

    } else {
        free(part->hold);
    }

    part->hold = NULL;
}


/* what the next asks need not ask again */

static void
told_keep(podi_limit_call_t *call, podi_limit_part_t *part,
    podi_limit_answer_t *answer, int64_t chunks, int passed)
{
    int64_t            units;
    podi_msec_t        now = podi_time_mono();
    podi_limit_t      *limit = call->limit;
    podi_limit_key_t  *k;

    k = podi_limit_key_make(limit, &part->ask, now);
    k->full = now + (podi_msec_t) answer->reset_after / 1000;
    k->left = answer->left;

    if (!answer->passed) {
        podi_limit_key_no(k, part->ask.cost, answer->retry_after, now);
    }

    if (part->chunks == 0) {
        return;
    }

    k->asked = 0;

    if (answer->passed && !passed) {
        return;                         /* another limit refused */
    }

    k->drained = !answer->passed || chunks < part->chunks;
    k->next = now + told_pause(k, &part->ask);

    if (answer->passed && chunks > 0) {
        units = chunks * part->chunk;

        limit->stat.taken += (uint64_t) units;
        podi_limit_key_add(limit, k, units - part->ask.cost, now);
        answer->left += k->units;
    }
}


/* for one call in so many asks, unless the bucket were full before that */

static podi_msec_t
told_pause(const podi_limit_key_t *k, const podi_limit_ask_t *ask)
{
    unsigned     asks;
    podi_msec_t  pause, most;

    asks = k->seen > k->seen_before ? k->seen : k->seen_before;
    pause = PODI_LIMIT_SLICE * PODI_LIMIT_SHARE / (asks > 0 ? asks : 1);
    most = (podi_msec_t) podi_limit_span(ask) / 2000;

    return pause < most ? pause : most;
}
