/*
 * podi_limit_back: what goes back to Redis, and the places that are held.
 *
 *     units, refunds, places -> back -> end of this turn -> limit_back
 *     holds -> every third of a lease -> limit_beat
 *
 * Nobody waits for either.  While Redis is down things are kept, up to a bound;
 * what is lost with a connection was charged too much, and a place runs out by
 * itself.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_limit_int.h"
#include "banned.h"


#define BACK_CALL   256             /* in one script call */
#define BACK_ARGS   4               /* as limit_back.lua has them */
#define BACK_MAX    65536

#define back_prefix  podi_str_c("podi:{l}:")

static size_t back_args(const podi_limit_back_t *back, podi_str_t *argv,
    unsigned char *text);
static void beat_send(podi_limit_t *limit, const podi_str_t *argv, size_t n);


void
podi_limit_back(podi_limit_t *limit, const podi_limit_back_t *back)
{
    size_t              room;
    podi_limit_back_t  *more;

    if (limit->n_back == limit->room_back) {
        room = limit->room_back > 0 ? limit->room_back * 2 : 64;

        more = room > BACK_MAX ? NULL
               : realloc(limit->back, room * sizeof(podi_limit_back_t));

        if (more == NULL) {
            return;
        }

        limit->back = more;
        limit->room_back = room;
    }

    limit->back[limit->n_back++] = *back;
    limit->conf.io->post(limit->conf.io, &limit->soon);
}


/* rounded down, as a charge is rounded up: nothing is won by going back */

void
podi_limit_back_units(podi_limit_t *limit, const podi_limit_ask_t *ask,
    int64_t units)
{
    podi_limit_back_t  back;

    memset(&back, 0, sizeof(podi_limit_back_t));

    back.kind = PODI_LIMIT_GCRA;
    back.amount = (int64_t) ((__int128) units * ask->period / ask->rate);
    memcpy(back.key, ask->key, PODI_LIMIT_KEY_LEN);

    if (back.amount > 0) {
        podi_limit_back(limit, &back);
    }
}


void
podi_limit_back_flush(void *data)
{
    size_t         i, argc;
    podi_str_t     argv[1 + BACK_CALL * BACK_ARGS];
    podi_limit_t  *limit = data;
    unsigned char  text[BACK_CALL * BACK_ARGS * 20];

    if (limit->n_back > 0 && !podi_redis_is_up(limit->conf.redis)) {
        limit->conf.io->arm(limit->beat, limit->conf.lease / 3);
        return;
    }

    argv[0] = back_prefix;
    argc = 1;

    for (i = 0; i < limit->n_back; i++) {
        argc += back_args(&limit->back[i], &argv[argc],
                          text + (argc - 1) * 20);

        if (argc > (BACK_CALL - 1) * BACK_ARGS + 1
            || i + 1 == limit->n_back)
        {
            if (podi_redis_script(limit->conf.redis, NULL,
                                  PODI_LUA_LIMIT_BACK, 1, argc, argv)
                != PODI_OK)
            {
                limit->stat.lost++;
            }

            argc = 1;
        }
    }

    limit->n_back = 0;
    limit->conf.io->unpost(&limit->soon);
}


static size_t
back_args(const podi_limit_back_t *back, podi_str_t *argv,
    unsigned char *text)
{
    argv[0].data = (unsigned char *) (uintptr_t) &"gqc"[back->kind];
    argv[0].len = 1;
    argv[1].data = (unsigned char *) (uintptr_t) back->key;
    argv[1].len = PODI_LIMIT_KEY_LEN;

    if (back->kind == PODI_LIMIT_CONN) {
        argv[2].data = (unsigned char *) (uintptr_t) back->id;
        argv[2].len = PODI_LIMIT_ID_LEN;

    } else {
        argv[2].data = text;
        argv[2].len = podi_limit_decimal(text, back->amount);
    }

    argv[3].data = text + 20;
    argv[3].len = podi_limit_decimal(text + 20, back->window);

    return BACK_ARGS;
}


/* its id is nobody else's: random at the start, then counted on */

podi_limit_hold_t *
podi_limit_hold_create(podi_limit_t *limit, const podi_limit_ask_t *ask)
{
    uint64_t            count;
    podi_limit_hold_t  *hold;

    hold = malloc(sizeof(podi_limit_hold_t));
    if (hold == NULL) {
        return NULL;
    }

    memcpy(&count, limit->id, sizeof(count));
    count++;
    memcpy(limit->id, &count, sizeof(count));

    podi_list_init(&hold->link);
    memcpy(hold->key, ask->key, PODI_LIMIT_KEY_LEN);
    memcpy(hold->id, limit->id, PODI_LIMIT_ID_LEN);

    return hold;
}


void
podi_limit_hold_keep(podi_limit_t *limit, podi_limit_hold_t *hold)
{
    if (podi_list_is_empty(&limit->holds)) {
        limit->conf.io->arm(limit->beat, limit->conf.lease / 3);
    }

    podi_list_append(&limit->holds, &hold->link);
    limit->stat.holds++;
}


void
podi_limit_release(podi_limit_t *limit, podi_limit_hold_t **hold)
{
    podi_limit_back_t   back;
    podi_limit_hold_t  *gone = *hold;

    *hold = NULL;

    if (gone == NULL) {
        return;
    }

    memset(&back, 0, sizeof(podi_limit_back_t));

    back.kind = PODI_LIMIT_CONN;
    memcpy(back.key, gone->key, PODI_LIMIT_KEY_LEN);
    memcpy(back.id, gone->id, PODI_LIMIT_ID_LEN);

    podi_limit_back(limit, &back);

    podi_list_remove(&gone->link);
    limit->stat.holds--;
    free(gone);
}


void
podi_limit_beat_timed(void *data)
{
    size_t              n;
    podi_str_t          argv[2 * BACK_CALL];
    podi_link_t        *x;
    podi_limit_t       *limit = data;
    podi_limit_hold_t  *hold;

    n = 0;
    podi_limit_back_flush(limit);

    podi_list_each(x, &limit->holds) {
        hold = podi_list_owner(x, podi_limit_hold_t, link);

        argv[n].data = hold->key;
        argv[n++].len = PODI_LIMIT_KEY_LEN;
        argv[n].data = hold->id;
        argv[n++].len = PODI_LIMIT_ID_LEN;

        if (n == 2 * BACK_CALL || x->next == &limit->holds) {
            beat_send(limit, argv, n);
            n = 0;
        }
    }

    if (!podi_list_is_empty(&limit->holds)) {
        limit->conf.io->arm(limit->beat, limit->conf.lease / 3);
    }
}


static void
beat_send(podi_limit_t *limit, const podi_str_t *argv, size_t n)
{
    podi_str_t     all[2 + 2 * BACK_CALL];
    unsigned char  text[20];

    all[0] = back_prefix;
    all[1].data = text;
    all[1].len = podi_limit_decimal(text, (int64_t) limit->conf.lease);
    memcpy(&all[2], argv, n * sizeof(podi_str_t));

    if (podi_redis_script(limit->conf.redis, NULL, PODI_LUA_LIMIT_BEAT, 1,
                          n + 2, all)
        != PODI_OK)
    {
        limit->stat.lost++;
    }
}
