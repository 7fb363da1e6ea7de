/*
 * podi_redis_conn: the connection to Redis.
 *
 *       +------- back-off --------+
 *       v                         |
 *     DOWN -> CONNECTING -> GREETING -> READY
 *       ^          |            |         |
 *       +----------+------------+---------+   lost, doomed, silent
 *
 * The drawing with its functions stands at podi_redis_state_e.  hiredis frees
 * its context by itself when reading or writing fails; then redis->ac is NULL
 * and podi_redis_settle sees it.
 *
 * Liveness: whatever arrives proves the peer.  A connection that has heard
 * nothing for `ping` asks: with PING, or, when it is subscribed (where 0.14
 * drops the PONG), by subscribing to its own channel once more.
 */

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_redis_int.h"
#include "banned.h"


#define REDIS_BACKOFF  50           /* ms, doubled with each failure */

static void redis_set_state(podi_redis_t *redis, podi_redis_state_e state);
static void redis_ready(podi_redis_t *redis);
static void redis_down(podi_redis_t *redis);
static void redis_watch_peer(podi_redis_t *redis);
static podi_msec_t redis_backoff(const podi_redis_t *redis);


#define to(state)  (1u << PODI_REDIS_S_##state)

static const unsigned  redis_edges[PODI_REDIS_S_LAST] = {
    [PODI_REDIS_S_DOWN]       = to(CONNECTING),
    [PODI_REDIS_S_CONNECTING] = to(GREETING) | to(DOWN),
    [PODI_REDIS_S_GREETING]   = to(READY) | to(DOWN),
    [PODI_REDIS_S_READY]      = to(DOWN)
};

#undef to


static void
redis_set_state(podi_redis_t *redis, podi_redis_state_e state)
{
    podi_assert(redis_edges[redis->state] & (1u << state));

    redis->state = state;

    if (state == PODI_REDIS_S_DOWN) {
        podi_assert(redis->ac == NULL && redis->watch == NULL);
        podi_assert(redis->n_ops == 0);
    }
}


void
podi_redis_open(podi_redis_t *redis)
{
    redis_set_state(redis, PODI_REDIS_S_CONNECTING);

    redis->connected = 0;
    redis->listening = 0;
    redis->listened = 0;
    redis->doomed = 0;
    redis->at_once = 0;
    redis->greetings = 0;
    redis->probed = 0;

    redis->ac = podi_redis_connect(redis);

    if (redis->ac == NULL) {
        redis_down(redis);
        return;
    }

    if (podi_redis_attach(redis) != PODI_OK) {
        podi_redis_unavailable(&redis->fail, "cannot watch Redis' socket");
        podi_redis_close(redis);
        return;
    }

    podi_redis_care(redis, redis->conf.connect_timeout);
}


/* to be closed once hiredis is off the stack */

void
podi_redis_doom(podi_redis_t *redis, const podi_fail_t *fail)
{
    if (redis->doomed || redis->state == PODI_REDIS_S_DOWN) {
        return;
    }

    redis->doomed = 1;
    redis->fail = *fail;
    podi_redis_wake(redis);
}


/* hiredis is off the stack: act on the notes that its callbacks took */

void
podi_redis_settle(podi_redis_t *redis)
{
    if (redis->state == PODI_REDIS_S_DOWN || redis->freeing) {
        return;
    }

    if (redis->ac == NULL) {
        redis_down(redis);
        return;
    }

    if (!redis->doomed && redis->state == PODI_REDIS_S_CONNECTING
        && redis->connected)
    {
        redis_set_state(redis, PODI_REDIS_S_GREETING);
        podi_redis_greet(redis);
    }

    if (!redis->doomed && redis->state == PODI_REDIS_S_GREETING
        && redis->greetings == 0)
    {
        redis_ready(redis);
    }

    if (redis->doomed) {
        podi_redis_close(redis);
    }
}


static void
redis_ready(podi_redis_t *redis)
{
    if (redis->conf.role == PODI_REDIS_SUBSCRIBER && !redis->listening) {
        podi_redis_listen(redis);
        return;
    }

    redis_set_state(redis, PODI_REDIS_S_READY);

    redis->up = 1;
    redis->failures = 0;
    podi_redis_care(redis, redis->conf.ping);

    if (redis->conf.on_change != NULL) {
        redis->conf.on_change(redis->conf.data, "connected", NULL);
    }
}


/* hiredis answers what is on the wire, and its cleanup hook unwatches */

void
podi_redis_close(podi_redis_t *redis)
{
    redisAsyncContext  *ac = redis->ac;

    if (redis->state == PODI_REDIS_S_DOWN) {
        return;
    }

    if (ac != NULL) {
        redisAsyncFree(ac);
    }

    redis_down(redis);
}


static void
redis_down(podi_redis_t *redis)
{
    int          tell;
    const char  *what;

    tell = redis->up || redis->failures == 0;
    what = redis->up ? "lost the connection" : "cannot connect";

    redis->up = 0;
    redis->failures++;
    redis_set_state(redis, PODI_REDIS_S_DOWN);

    if (redis->freeing) {
        return;
    }

    if (redis->at_once) {
        redis->failures = 0;
        podi_redis_care(redis, 1);
        return;
    }

    podi_redis_care(redis, redis_backoff(redis));

    if (tell && redis->conf.on_change != NULL) {
        redis->conf.on_change(redis->conf.data, what, &redis->fail);
    }
}


void
podi_redis_care(podi_redis_t *redis, podi_msec_t after)
{
    redis->io->arm(redis->care, after);
}


void
podi_redis_care_timed(void *data)
{
    podi_fail_t    fail;
    podi_redis_t  *redis = data;

    podi_redis_enter(redis);

    switch (redis->state) {

    case PODI_REDIS_S_DOWN:
        podi_redis_open(redis);
        break;

    case PODI_REDIS_S_READY:
        redis_watch_peer(redis);
        break;

    default:
        podi_redis_unavailable(&fail, "no answer within the connect timeout");
        podi_redis_doom(redis, &fail);
    }

    podi_redis_settle(redis);
    podi_redis_leave(redis);
}


static void
redis_watch_peer(podi_redis_t *redis)
{
    podi_msec_t       now, quiet, dead;
    podi_fail_t       fail;
    podi_redis_op_t  *op;

    now = podi_time_mono();
    quiet = now - redis->heard;
    dead = redis->probed ? redis->probed + 2 * redis->conf.deadline : 0;

    if (redis->n_ops > 0) {
        op = podi_list_owner(redis->ops.next, podi_redis_op_t, link);
        dead = op->dead;

    } else if (redis->probed && redis->heard >= redis->probed) {
        redis->probed = 0;
        dead = 0;
    }

    if (dead != 0 && now >= dead) {
        podi_redis_unavailable(&fail, "Redis is silent");
        podi_redis_doom(redis, &fail);
        return;
    }

    if (dead != 0) {
        podi_redis_care(redis, dead - now);
        return;
    }

    if (quiet < redis->conf.ping) {
        podi_redis_care(redis, redis->conf.ping - quiet);
        return;
    }

    if (redis->conf.role == PODI_REDIS_SUBSCRIBER) {
        redis->probed = now;
        podi_redis_care(redis, 2 * redis->conf.deadline);
        podi_redis_listen_again(redis);
        return;
    }

    podi_redis_ping(redis);
}


/* exponential, full jitter */

static podi_msec_t
redis_backoff(const podi_redis_t *redis)
{
    uint32_t     dice;
    unsigned     shift;
    podi_msec_t  top;

    shift = redis->failures < 16 ? redis->failures : 16;
    top = (podi_msec_t) REDIS_BACKOFF << shift;

    if (top > redis->conf.reconnect_max) {
        top = redis->conf.reconnect_max;
    }

    if (podi_random(&dice, sizeof(dice)) != PODI_OK) {
        dice = 0;
    }

    return 1 + dice % (top + 1);
}
