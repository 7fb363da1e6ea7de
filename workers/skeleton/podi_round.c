/*
 * podi_round: flows that repeat.
 *
 *     start -> run -> end -> (again: at once | every | back-off) -> run ...
 *
 * Promises: one run of a round at a time; its memory is gone at its end; a
 * failure is logged when it is new and when it is over, not each time; what
 * failed for a peer that is away does not wait for the whole of `every`, so
 * that a short absence costs neither a lease nor an hour.
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_retry.h"
#include "podi_worker_int.h"
#include "banned.h"

#define ROUND_ALIVE_EVERY  5000
#define ROUND_TICK_EVERY   250
#define ROUND_BACKOFF      500

typedef struct {
    podi_round_t     round;
    podi_flow_t      flow;
    podi_arena_t    *arena;
    podi_timer_t    *timer;
    unsigned         failures;      /* in a row */
    unsigned         own:1;         /* the daemon's, not the skeleton's */
    unsigned         again:1;
} round_slot_t;

struct podi_rounds_s {
    podi_worker_t  *worker;
    size_t          n;
    round_slot_t   *slots;
    unsigned        draining:1;
};


static podi_rc_t rounds_add(podi_rounds_t *rounds,
    const podi_round_conf_t *conf, int own);
static void round_run(void *data);
static void round_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static podi_msec_t round_pause(const round_slot_t *slot, podi_rc_t rc);
static void round_told(round_slot_t *slot, podi_rc_t rc);
static podi_rc_t round_metrics(podi_flow_t *f, void *ctx);


static const podi_msec_t  round_alive_every = ROUND_ALIVE_EVERY;
static const podi_msec_t  round_tick_every = ROUND_TICK_EVERY;

static const podi_step_t  round_metrics_steps[] = {
    { "writing the metrics", round_metrics, 0 },
    podi_null_step
};


podi_rc_t
podi_rounds_create(podi_worker_t *w)
{
    size_t                    n;
    podi_rounds_t            *rounds;
    podi_round_conf_t         skeleton[5];
    const podi_round_conf_t  *conf;

    n = sizeof(skeleton) / sizeof(skeleton[0]);

    for (conf = w->conf->rounds; conf != NULL && conf->name != NULL; conf++) {
        n++;
    }

    rounds = podi_mem_calloc(w->mem, sizeof(podi_rounds_t));
    if (rounds == NULL) {
        return PODI_ERROR;
    }

    w->rounds = rounds;
    rounds->worker = w;

    rounds->slots = podi_mem_calloc(w->mem, n * sizeof(round_slot_t));
    if (rounds->slots == NULL) {
        return PODI_ERROR;
    }

    skeleton[0] = (podi_round_conf_t) {
        "metrics", &w->set->metrics_every, round_metrics_steps, 0 };
    skeleton[1] = (podi_round_conf_t) {
        "alive", &round_alive_every, podi_alive_steps, 0 };
    skeleton[2] = (podi_round_conf_t) {
        "beat", &w->set->beat, podi_beat_steps, podi_beat_size() };
    skeleton[3] = (podi_round_conf_t) {
        "tick", &round_tick_every, podi_tick_steps, 0 };
    skeleton[4] = (podi_round_conf_t) {
        "log", &w->set->beat, podi_job_log_steps, 0 };

    for (n = 0; n < (w->jobs != NULL ? 5 : 2); n++) {
        podi_round_conf_t  *copy;

        copy = podi_mem_calloc(w->mem, sizeof(podi_round_conf_t));
        if (copy == NULL) {
            return PODI_ERROR;
        }

        *copy = skeleton[n];

        if (rounds_add(rounds, copy, 0) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    for (conf = w->conf->rounds; conf != NULL && conf->name != NULL; conf++) {
        if (rounds_add(rounds, conf, 1) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
rounds_add(podi_rounds_t *rounds, const podi_round_conf_t *conf, int own)
{
    podi_io_t     *io = rounds->worker->io;
    round_slot_t  *slot;

    slot = &rounds->slots[rounds->n];
    slot->round.worker = rounds->worker;
    slot->round.conf = conf;
    slot->own = (own != 0);

    slot->arena = podi_arena_create();
    slot->timer = io->timer(io, PODI_TIMER_HOUSEKEEPING, round_run, slot);

    rounds->n++;

    return (slot->arena == NULL || slot->timer == NULL) ? PODI_ERROR : PODI_OK;
}


void
podi_rounds_start(podi_rounds_t *rounds)
{
    size_t  i;

    for (i = 0; i < rounds->n; i++) {
        rounds->worker->io->arm(rounds->slots[i].timer, 0);
    }
}


void
podi_rounds_drain(podi_rounds_t *rounds)
{
    size_t  i;

    rounds->draining = 1;

    for (i = 0; i < rounds->n; i++) {
        if (rounds->slots[i].own) {
            rounds->worker->io->disarm(rounds->slots[i].timer);
        }
    }
}


int
podi_rounds_are_idle(const podi_rounds_t *rounds)
{
    size_t  i;

    for (i = 0; i < rounds->n; i++) {
        if (rounds->slots[i].own
            && podi_flow_is_active(&rounds->slots[i].flow))
        {
            return 0;
        }
    }

    return 1;
}


void
podi_rounds_free(podi_rounds_t **rounds)
{
    size_t         i;
    round_slot_t  *slot;

    if (*rounds == NULL) {
        return;
    }

    for (i = 0; i < (*rounds)->n; i++) {
        slot = &(*rounds)->slots[i];

        podi_flow_cancel(&slot->flow);

        if (slot->timer != NULL) {
            (*rounds)->worker->io->timer_free(slot->timer);
        }

        podi_arena_free(&slot->arena);
    }

    *rounds = NULL;
}


void
podi_round_again(podi_round_t *round)
{
    round_slot_t  *slot;

    slot = podi_list_owner(round, round_slot_t, round);
    slot->again = 1;
}


static void
round_run(void *data)
{
    podi_mem_t    *mem;
    round_slot_t  *slot = data;

    podi_assert(!podi_flow_is_active(&slot->flow));

    podi_arena_reset(slot->arena);
    mem = podi_arena_mem(slot->arena);

    slot->again = 0;
    slot->round.data = NULL;

    if (slot->round.conf->size > 0) {
        slot->round.data = podi_mem_calloc(mem, slot->round.conf->size);

        if (slot->round.data == NULL) {
            slot->round.worker->io->arm(slot->timer, *slot->round.conf->every);
            return;
        }
    }

    podi_flow_start(&slot->flow, slot->round.conf->steps, &slot->round, mem,
                    round_end);
}


static void
round_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    round_slot_t   *slot;
    podi_worker_t  *w;

    (void) f;

    slot = podi_list_owner(ctx, round_slot_t, round);
    w = slot->round.worker;

    round_told(slot, rc);

    if (slot->own && w->draining) {
        podi_worker_drain_check(w);
        return;
    }

    w->io->arm(slot->timer, round_pause(slot, rc));
}


/* never more than `every`; the last half of a back-off is dice */

static podi_msec_t
round_pause(const round_slot_t *slot, podi_rc_t rc)
{
    uint32_t     random;
    podi_msec_t  pause, every;

    every = *slot->round.conf->every;

    if (rc != PODI_ERROR) {
        return slot->again ? 0 : every;
    }

    if (podi_error(slot->flow.fail.error)->retry != PODI_RETRY_LATER
        || every <= ROUND_BACKOFF)
    {
        return every;
    }

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = UINT32_MAX;
    }

    pause = podi_retry_delay(slot->failures, ROUND_BACKOFF, every, UINT32_MAX);

    return pause / 2 + podi_retry_delay(1, pause / 2, pause / 2, random);
}


static void
round_told(round_slot_t *slot, podi_rc_t rc)
{
    char            text[512], labels[96];
    podi_worker_t  *w = slot->round.worker;

    (void) snprintf(labels, sizeof(labels), "round=\"%s\",outcome=\"%s\"",
                    slot->round.conf->name, rc == PODI_ERROR ? "failed"
                    : "done");
    podi_metric_add(w, "podi_worker_rounds_total", labels, 1);

    if (rc != PODI_ERROR) {
        if (slot->failures > 0) {
            podi_worker_log(w, PODI_LOG_NOTICE, "round.recovered", NULL,
                            "%s works again", slot->round.conf->name);
        }

        slot->failures = 0;
        return;
    }

    if (slot->failures++ == 0) {
        podi_fail_text(&slot->flow.fail, text, sizeof(text));
        podi_worker_log(w, PODI_LOG_WARN, "round.failed", NULL,
                        "%s failed while %s: %s", slot->round.conf->name,
                        slot->flow.now->name, text);
    }
}


static podi_rc_t
round_metrics(podi_flow_t *f, void *ctx)
{
    podi_round_t  *round = ctx;

    (void) f;

    podi_metrics_write(round->worker);

    return PODI_DONE;
}
