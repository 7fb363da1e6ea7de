/*
 * podi_pg_lane: what a lane's callers may hope for.
 *
 *     a connection is up                            they wait for room
 *     the first attempt ever, or since a loss       they wait for it
 *     another attempt, younger than PODI_PG_HOPE    they wait for it
 *     none of these: the peer is known to be gone   UNAVAILABLE at once
 *
 * Who comes while the back-off runs has an attempt made for it, if the last
 * one is old enough: so a quiet site is back with its first request, and a
 * busy one does not hammer a peer that is just starting.
 */

#include "podi_pg_int.h"
#include "banned.h"


static int lane_has_hope(const podi_pg_t *pg, unsigned lane);
static int conn_has_hope(const podi_pg_conn_t *c);
static podi_pg_conn_t *lane_rested(podi_pg_t *pg, unsigned lane);


int
podi_pg_lane_is_up(const podi_pg_t *pg, unsigned lane)
{
    unsigned  i;

    for (i = 0; i < pg->all; i++) {
        if (pg->conns[i].lane == lane && pg->conns[i].state >= PODI_PG_READY) {
            return 1;
        }
    }

    return 0;
}


static int
lane_has_hope(const podi_pg_t *pg, unsigned lane)
{
    unsigned  i;

    for (i = 0; i < pg->all; i++) {
        if (pg->conns[i].lane == lane && conn_has_hope(&pg->conns[i])) {
            return 1;
        }
    }

    return 0;
}


static int
conn_has_hope(const podi_pg_conn_t *c)
{
    switch (c->state) {

    case PODI_PG_DOWN:
        return c->refused == 0;

    case PODI_PG_CONNECTING:
    case PODI_PG_PREPARING:
        return !c->late || (c->refused == 0 && !c->opened);

    default:
        return 1;
    }
}


void
podi_pg_lane_judge(podi_pg_t *pg, unsigned lane)
{
    podi_link_t     *x, *tmp;
    podi_pg_unit_t  *u;

    if (lane_has_hope(pg, lane)) {
        return;
    }

    podi_list_each_safe(x, tmp, &pg->waiting[lane]) {
        u = podi_list_owner(x, podi_pg_unit_t, link);

        pg->failures++;
        podi_pg_unavailable(&u->fail, "the database takes no connections");
        podi_pg_unit_finish(u);
    }
}


void
podi_pg_lane_try(podi_pg_t *pg, unsigned lane)
{
    podi_pg_conn_t  *c;

    if (podi_list_is_empty(&pg->waiting[lane]) || lane_has_hope(pg, lane)) {
        return;
    }

    c = lane_rested(pg, lane);

    if (c != NULL) {
        podi_pg_conn_open(c);           /* lost at once, it judges */
        return;
    }

    podi_pg_lane_judge(pg, lane);
}


/* the one that failed longest ago; NULL: one of the lane has just failed */

static podi_pg_conn_t *
lane_rested(podi_pg_t *pg, unsigned lane)
{
    unsigned         i;
    podi_msec_t      now;
    podi_pg_conn_t  *c, *best;

    now = podi_time_mono();
    best = NULL;

    for (i = 0; i < pg->all; i++) {
        c = &pg->conns[i];

        if (c->lane != lane || c->state != PODI_PG_DOWN) {
            continue;
        }

        if (now - c->refused_at < PODI_PG_TRY_AGAIN) {
            return NULL;
        }

        if (best == NULL || c->refused_at < best->refused_at) {
            best = c;
        }
    }

    return best;
}
