/*
 * podi_redis: calls, operations, and answering.
 *
 *     call -> op on the wire -> reply -> answered -> wake -> podi_op_done
 *                  |
 *               deadline -> podi_op_done; the op stays as a tombstone
 *
 * One timer serves all deadlines: it is armed for the earliest and looks
 * through the operations when it fires.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_redis_int.h"
#include "banned.h"


static void redis_run(void *data);
static void redis_start(podi_redis_t *redis);
static void redis_deliver(podi_redis_t *redis);
static void redis_due(void *data);
static void redis_destroy(podi_redis_t *redis);


podi_redis_t *
podi_redis_create(podi_io_t *io, const podi_redis_conf_t *conf)
{
    podi_redis_t  *redis;

    podi_assert(conf->deadline > 0 && conf->ping > 0);

    redis = calloc(1, sizeof(podi_redis_t));

    if (redis == NULL) {
        return NULL;
    }

    redis->io = io;
    redis->conf = *conf;
    redis->wake.run = redis_run;
    redis->wake.data = redis;
    redis->flush.run = podi_redis_flush_posted;
    redis->flush.data = redis;

    podi_list_init(&redis->ops);
    podi_list_init(&redis->answered);

    redis->due = io->timer(io, PODI_TIMER_WORK, redis_due, redis);
    redis->care = io->timer(io, PODI_TIMER_HOUSEKEEPING,
                            podi_redis_care_timed, redis);

    if (conf->role == PODI_REDIS_SUBSCRIBER) {
        redis->channels = calloc(PODI_REDIS_BUCKETS,
                                 sizeof(podi_redis_channel_t *));
    }

    if (redis->due == NULL || redis->care == NULL
        || (conf->role == PODI_REDIS_SUBSCRIBER && redis->channels == NULL))
    {
        redis_destroy(redis);
        return NULL;
    }

    podi_redis_wake(redis);

    return redis;
}


void
podi_redis_free(podi_redis_t **redis)
{
    podi_redis_t  *dead = *redis;

    *redis = NULL;

    if (dead == NULL) {
        return;
    }

    podi_assert(!dead->freeing);

    dead->freeing = 1;

    if (dead->depth == 0) {
        redis_destroy(dead);
    }
}


static void
redis_destroy(podi_redis_t *redis)
{
    redis->freeing = 1;
    redis->depth = 1;

    podi_redis_close(redis);
    redis_deliver(redis);

    redis->io->unpost(&redis->wake);
    redis->io->unpost(&redis->flush);

    if (redis->due != NULL) {
        redis->io->timer_free(redis->due);
    }

    if (redis->care != NULL) {
        redis->io->timer_free(redis->care);
    }

    podi_redis_channels_free(redis);
    free(redis);
}


void
podi_redis_enter(podi_redis_t *redis)
{
    redis->depth++;
}


/* redis may be gone afterwards */

void
podi_redis_leave(podi_redis_t *redis)
{
    if (--redis->depth == 0 && redis->freeing) {
        redis_destroy(redis);
    }
}


void
podi_redis_wake(podi_redis_t *redis)
{
    redis->io->post(redis->io, &redis->wake);
}


int
podi_redis_is_up(const podi_redis_t *redis)
{
    return redis->state == PODI_REDIS_S_READY && !redis->doomed
           && !redis->freeing;
}


unsigned
podi_redis_in_flight(const podi_redis_t *redis)
{
    return redis->n_ops;
}


static void
redis_run(void *data)
{
    podi_redis_t  *redis = data;

    podi_redis_enter(redis);

    if (!redis->started) {
        redis->started = 1;
        redis_start(redis);
    }

    podi_redis_settle(redis);
    redis_deliver(redis);

    podi_redis_leave(redis);
}


static void
redis_start(podi_redis_t *redis)
{
    if (podi_redis_address_check(redis->conf.address, &redis->fail)
        == PODI_OK)
    {
        podi_redis_open(redis);
        return;
    }

    redis->misconfigured = 1;

    if (redis->conf.on_change != NULL) {
        redis->conf.on_change(redis->conf.data, "misconfigured",
                              &redis->fail);
    }
}


static void
redis_deliver(podi_redis_t *redis)
{
    podi_redis_op_t  *op;

    while (!podi_list_is_empty(&redis->answered)) {
        op = podi_list_owner(redis->answered.next, podi_redis_op_t, link);
        podi_list_remove(&op->link);

        podi_op_done(&op->op, op->reply,
                     op->fail.error == PODI_E_NONE ? NULL : &op->fail);
        podi_redis_op_free(op);
    }
}


/* wait: how long the command itself may take on top of the deadline */

podi_redis_op_t *
podi_redis_op_create(podi_redis_t *redis, podi_msec_t wait)
{
    podi_redis_op_t  *op;

    op = calloc(1, sizeof(podi_redis_op_t));

    if (op == NULL) {
        return NULL;
    }

    op->redis = redis;
    op->script = PODI_LUA_LAST;
    op->due = podi_time_mono() + wait + redis->conf.deadline;
    op->dead = op->due + (redis->conf.patience > 0 ? redis->conf.patience
                                                   : redis->conf.deadline);
    podi_list_init(&op->link);

    return op;
}


void
podi_redis_op_free(podi_redis_op_t *op)
{
    podi_list_remove(&op->link);
    redisFreeCommand(op->evalsha);
    free(op);
}


/* its command is on the wire; flow NULL: nobody waits */

podi_rc_t
podi_redis_op_begin(podi_redis_op_t *op, podi_flow_t *f)
{
    podi_msec_t    now;
    podi_redis_t  *redis = op->redis;

    now = podi_time_mono();
    podi_list_append(&redis->ops, &op->link);

    if (redis->n_ops++ == 0) {
        podi_redis_care(redis, op->dead - now);
    }

    if (f == NULL) {
        return PODI_OK;
    }

    if (!redis->due_armed) {
        redis->due_armed = 1;
        redis->io->arm(redis->due, op->due - now);
    }

    return podi_flow_wait(f, &op->op, podi_redis_op_gone);
}


/* hiredis has done with it */

void
podi_redis_op_finish(podi_redis_op_t *op)
{
    podi_redis_t  *redis = op->redis;

    podi_list_remove(&op->link);

    if (--redis->n_ops == 0) {
        redis->due_armed = 0;
        redis->io->disarm(redis->due);
    }

    if (op->op.flow == NULL) {
        podi_redis_op_free(op);
        return;
    }

    op->answered = 1;
    podi_list_append(&redis->answered, &op->link);
    podi_redis_wake(redis);
}


/*
 * The flow was cancelled.  A BLPOP would go on to take what nobody reads: its
 * connection ends, which takes nothing, and a new one follows at once.
 */

void
podi_redis_op_gone(podi_op_t *gone)
{
    podi_fail_t       fail;
    podi_redis_op_t  *op = podi_list_owner(gone, podi_redis_op_t, op);
    podi_redis_t     *redis = op->redis;

    if (op->answered) {
        podi_redis_op_free(op);
        return;
    }

    if (redis->conf.role == PODI_REDIS_BLOCKING) {
        podi_redis_unavailable(&fail, "the wait was given up");
        redis->at_once = 1;
        podi_redis_doom(redis, &fail);
    }
}


static void
redis_due(void *data)
{
    podi_msec_t       now, next;
    podi_fail_t       fail;
    podi_link_t      *x, *tmp;
    podi_redis_t     *redis = data;
    podi_redis_op_t  *op;

    podi_redis_enter(redis);

    now = podi_time_mono();
    next = 0;
    redis->due_armed = 0;

    podi_redis_unavailable(&fail, "Redis gave no answer in time");
    fail.error = PODI_E_DEADLINE;
    fail.uncertain = 1;

    podi_list_each_safe(x, tmp, &redis->ops) {
        op = podi_list_owner(x, podi_redis_op_t, link);

        if (op->op.flow == NULL) {
            continue;
        }

        if (op->due <= now) {
            if (redis->conf.role == PODI_REDIS_BLOCKING) {
                podi_redis_doom(redis, &fail);      /* as when it is gone */
            }

            podi_op_done(&op->op, NULL, &fail);

        } else if (next == 0 || op->due < next) {
            next = op->due;
        }
    }

    /* an answer may have asked again, and armed it */

    if (next != 0) {
        redis->due_armed = 1;
        redis->io->arm(redis->due, next - now);
    }

    podi_redis_leave(redis);
}
