/*
 * podi_pg_conn: one connection to PostgreSQL.
 *
 *             +--------- back-off ----------+
 *             v                             |
 *     DOWN -> CONNECTING -> PREPARING -> READY <-> QUARANTINED  (slow lane)
 *                                           \
 *                                            +-> RETIRING -> DOWN, at once
 *
 * The drawing with its functions stands at podi_pg_state_e.  A connection
 * that is lost in any state answers what was sent on it and goes DOWN.
 *
 * A peer is silent when the oldest unit has been the oldest for longer than
 * statement_timeout and a grace: PostgreSQL would have answered by itself.
 */

#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_pg_int.h"
#include "banned.h"


#define PG_BACKOFF       50     /* ms, doubled with each failure */
#define PG_CANCEL_AGAIN  100    /* ms */

static void conn_timed(void *data);
static void conn_say_cancel(podi_pg_conn_t *c);
static podi_msec_t conn_backoff(const podi_pg_conn_t *c);
static podi_msec_t conn_silence(const podi_pg_conn_t *c);
static void conn_changed(podi_pg_conn_t *c, const char *what,
    const podi_fail_t *fail);


#define to(state)  (1u << PODI_PG_##state)

static const unsigned  conn_edges[PODI_PG_STATE_LAST] = {
    [PODI_PG_DOWN]        = to(CONNECTING),
    [PODI_PG_CONNECTING]  = to(PREPARING) | to(DOWN),
    [PODI_PG_PREPARING]   = to(READY) | to(DOWN),
    [PODI_PG_READY]       = to(QUARANTINED) | to(RETIRING) | to(DOWN),
    [PODI_PG_QUARANTINED] = to(READY) | to(DOWN),
    [PODI_PG_RETIRING]    = to(DOWN)
};

#undef to


podi_rc_t
podi_pg_conn_init(podi_pg_conn_t *c, podi_pg_t *pg, unsigned lane)
{
    c->pg = pg;
    c->lane = lane;
    c->fd = -1;
    podi_list_init(&c->units);

    c->timer = pg->io->timer(pg->io, PODI_TIMER_HOUSEKEEPING, conn_timed, c);

    return c->timer != NULL ? PODI_OK : PODI_ERROR;
}


void
podi_pg_conn_set_state(podi_pg_conn_t *c, podi_pg_state_e state)
{
    podi_assert(conn_edges[c->state] & (1u << state));

    c->state = state;
    podi_pg_conn_check(c);

    if (state == PODI_PG_READY) {
        podi_pg_wake(c->pg);
    }
}


/* what holds in every state, between any two events */

void
podi_pg_conn_check(const podi_pg_conn_t *c)
{
    podi_assert((c->in_flight == 0) == podi_list_is_empty(&c->units));
    podi_assert(c->lane == PODI_PG_PIPELINED || c->in_flight <= 1);

    switch (c->state) {

    case PODI_PG_DOWN:
        podi_assert(c->conn == NULL && c->watch == NULL && c->fd == -1);
        podi_assert(c->in_flight == 0);
        return;

    case PODI_PG_CONNECTING:
    case PODI_PG_PREPARING:
        podi_assert(c->in_flight == 0);
        return;

    case PODI_PG_QUARANTINED:
        podi_assert(c->conn != NULL && c->lane == PODI_PG_SLOW);
        return;

    default:
        podi_assert(c->conn != NULL && c->watch != NULL);
    }
}


void
podi_pg_conn_open(podi_pg_conn_t *c)
{
    podi_pg_t  *pg = c->pg;

    podi_pg_conn_set_state(c, PODI_PG_CONNECTING);

    c->nulls = 0;
    c->timed = 0;
    c->late = 0;
    c->conn = podi_pg_connect(pg, c->lane);

    if (c->conn == NULL || PQstatus(c->conn) == CONNECTION_BAD) {
        podi_pg_conn_broke(c, "cannot connect");
        return;
    }

    /* as libpq wants it: at first as if PQconnectPoll had said WRITING */

    if (podi_pg_conn_watch(c, PODI_IO_WRITE) != PODI_OK) {
        podi_pg_conn_broke(c, "cannot watch");
        return;
    }

    pg->io->arm(c->timer, pg->conf.connect_timeout > PODI_PG_HOPE
                          ? PODI_PG_HOPE : pg->conf.connect_timeout);
}


/* everything is prepared */

void
podi_pg_conn_up(podi_pg_conn_t *c)
{
    c->pg->io->disarm(c->timer);
    c->pg->reconnects += c->opened;
    c->opened = 1;
    c->up = 1;
    c->failures = 0;
    c->refused = 0;

    podi_pg_conn_set_state(c, PODI_PG_READY);
    conn_changed(c, "connected", NULL);
}


void
podi_pg_conn_sent(podi_pg_conn_t *c)
{
    if (c->in_flight++ == 0) {
        c->head_since = podi_time_mono();
    }

    if (!c->timed) {
        c->timed = 1;
        c->pg->io->arm(c->timer, conn_silence(c));
    }
}


static podi_msec_t
conn_silence(const podi_pg_conn_t *c)
{
    return podi_pg_timeout(c->pg, c->lane) + PODI_PG_GRACE;
}


unsigned
podi_pg_conn_room(const podi_pg_conn_t *c)
{
    unsigned  depth;

    if (c->state != PODI_PG_READY) {
        return 0;
    }

    depth = c->lane == PODI_PG_SLOW ? 1 : c->pg->conf.depth;

    return depth > c->in_flight ? depth - c->in_flight : 0;
}


static void
conn_timed(void *data)
{
    podi_msec_t      age;
    podi_fail_t      fail;
    podi_pg_conn_t  *c = data;
    podi_pg_t       *pg = c->pg;

    podi_pg_enter(pg);

    switch (c->state) {

    case PODI_PG_DOWN:
        podi_pg_conn_open(c);
        break;

    case PODI_PG_CONNECTING:
    case PODI_PG_PREPARING:
        if (!c->late && pg->conf.connect_timeout > PODI_PG_HOPE) {
            c->late = 1;
            pg->io->arm(c->timer, pg->conf.connect_timeout - PODI_PG_HOPE);
            podi_pg_lane_judge(pg, c->lane);
            break;
        }

        podi_pg_unavailable(&fail, "no answer within the connect timeout");
        podi_pg_conn_lost(c, "cannot connect", &fail);
        break;

    default:
        c->timed = 0;
        age = podi_time_mono() - c->head_since;

        if (c->in_flight == 0) {
            break;
        }

        if (age < conn_silence(c)) {
            if (c->state == PODI_PG_QUARANTINED && c->cancelling == 0) {
                conn_say_cancel(c);
            }

            c->timed = 1;
            pg->io->arm(c->timer, conn_silence(c) - age);
            break;
        }

        podi_pg_unavailable(&fail, "the database is silent");
        podi_pg_conn_lost(c, "lost the connection", &fail);
    }

    podi_pg_leave(pg);
}


/*
 * The slow lane's unit is not wanted any more: another connection stops it,
 * and nothing new runs here before both have ended, or the cancel might hit
 * the next one.
 */

void
podi_pg_conn_cancel(podi_pg_conn_t *c)
{
    if (c->state != PODI_PG_READY) {
        return;
    }

    podi_pg_conn_set_state(c, PODI_PG_QUARANTINED);
    conn_say_cancel(c);
}


static void
conn_say_cancel(podi_pg_conn_t *c)
{
    podi_pg_t       *pg = c->pg;
    podi_pg_unit_t  *u;

    u = podi_pg_unit_create(pg);

    if (u == NULL) {                    /* its statement_timeout will do */
        return;
    }

    (void) snprintf(u->pid, sizeof(u->pid), "%d", PQbackendPID(c->conn));

    memset(&u->call, 0, sizeof(podi_pg_call_t));
    u->call.sql = PODI_SQL_BACKEND_CANCEL;
    u->call.n = 1;
    u->call.values[0] = u->pid;
    u->target = c;
    c->cancelling++;

    podi_pg_unit_wait(u, pg->conf.deadline);
    podi_pg_wake(pg);
}


/* no new units; those under way still end here */

void
podi_pg_conn_retire(podi_pg_conn_t *c)
{
    if (c->state == PODI_PG_READY) {
        podi_pg_conn_set_state(c, PODI_PG_RETIRING);
    }
}


/*
 * Something of it has ended: is it free for what comes next?  A cancel that
 * overtakes its statement finds an idle backend and does nothing, so it is
 * said again as long as the statement runs.
 */

void
podi_pg_conn_rest(podi_pg_conn_t *c)
{
    if (c->state == PODI_PG_QUARANTINED && c->cancelling == 0) {
        if (c->in_flight == 0) {
            podi_pg_conn_set_state(c, PODI_PG_READY);

        } else {
            c->timed = 1;
            c->pg->io->arm(c->timer, PG_CANCEL_AGAIN);
        }

        return;
    }

    if (c->in_flight > 0) {
        return;
    }

    if (c->state == PODI_PG_RETIRING) {
        podi_pg_conn_close(c);
        podi_pg_conn_open(c);
    }
}


void
podi_pg_conn_broke(podi_pg_conn_t *c, const char *what)
{
    podi_fail_t  fail;

    podi_pg_conn_fail(&fail, c->conn, what);
    podi_pg_conn_lost(c, what, &fail);
}


void
podi_pg_conn_lost(podi_pg_conn_t *c, const char *what,
    const podi_fail_t *fail)
{
    int           tell;
    podi_link_t  *x, *tmp;

    tell = c->up || c->failures == 0;
    c->failures++;

    if (c->state == PODI_PG_CONNECTING || c->state == PODI_PG_PREPARING) {
        c->refused++;
        c->refused_at = podi_time_mono();
    }

    podi_list_each_safe(x, tmp, &c->units) {
        podi_pg_unit_lost(podi_list_owner(x, podi_pg_unit_t, link), fail);
    }

    podi_pg_conn_close(c);
    c->pg->io->arm(c->timer, conn_backoff(c));
    podi_pg_lane_judge(c->pg, c->lane);

    if (tell) {
        conn_changed(c, what, fail);
    }
}


/* also the engine's end: what is still under way is answered */

void
podi_pg_conn_close(podi_pg_conn_t *c)
{
    podi_fail_t   fail;
    podi_link_t  *x, *tmp;

    if (c->state == PODI_PG_DOWN) {
        return;
    }

    podi_pg_unavailable(&fail, "the database client ends");

    podi_list_each_safe(x, tmp, &c->units) {
        podi_pg_unit_lost(podi_list_owner(x, podi_pg_unit_t, link), &fail);
    }

    c->pg->io->disarm(c->timer);
    podi_pg_conn_unwatch(c);
    PQfinish(c->conn);
    c->conn = NULL;
    c->up = 0;

    podi_pg_conn_set_state(c, PODI_PG_DOWN);
}


/* exponential, full jitter: processes that fell together do not rise so */

static podi_msec_t
conn_backoff(const podi_pg_conn_t *c)
{
    uint32_t     dice;
    unsigned     shift;
    podi_msec_t  top;

    shift = c->failures < 16 ? c->failures : 16;
    top = (podi_msec_t) PG_BACKOFF << shift;

    if (top > c->pg->conf.reconnect_max) {
        top = c->pg->conf.reconnect_max;
    }

    if (podi_random(&dice, sizeof(dice)) != PODI_OK) {
        dice = 0;
    }

    return 1 + dice % (top + 1);
}


static void
conn_changed(podi_pg_conn_t *c, const char *what, const podi_fail_t *fail)
{
    podi_pg_t  *pg = c->pg;

    if (pg->conf.on_change != NULL && !pg->freeing) {
        pg->conf.on_change(pg->conf.data, what, fail);
    }
}
