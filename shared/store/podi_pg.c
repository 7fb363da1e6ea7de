/*
 * podi_pg: the calls, the waiting room, and answering.
 *
 *     podi_pg_call -> waiting room -> wake -> a connection -> Sync
 *                          |                                    |
 *                       deadline ------> answered -> wake -> podi_op_done
 *
 * A call never touches a socket, so nothing can go wrong inside it that
 * concerns other callers.  All units of one turn of the loop are sent by one
 * `wake`.  Which connection: the ready one of the lane with the most room.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_pg_int.h"
#include "banned.h"


static const podi_pg_statement_t  pg_statements[] = {
#define PODI_SQL(id, who, lane, text)  { #id, who, lane, text },
#include "podi_statements.def"
#undef PODI_SQL
};


static void pg_run(void *data);
static void pg_start(podi_pg_t *pg);
static void pg_deliver(podi_pg_t *pg);
static void pg_dispatch(podi_pg_t *pg, unsigned lane);
static podi_pg_conn_t *pg_pick(podi_pg_t *pg, unsigned lane);
static podi_rc_t pg_admit(podi_pg_t *pg, const podi_pg_call_t *call,
    podi_fail_t *fail);
static void pg_destroy(podi_pg_t *pg);


podi_pg_t *
podi_pg_create(podi_io_t *io, const podi_pg_conf_t *conf)
{
    unsigned    i;
    podi_pg_t  *pg;

    podi_assert(conf->pipelined > 0 && conf->depth > 0);

    pg = calloc(1, sizeof(podi_pg_t));

    if (pg == NULL) {
        return NULL;
    }

    pg->io = io;
    pg->conf = *conf;
    pg->statements = conf->statements ? conf->statements : pg_statements;
    pg->wake.run = pg_run;
    pg->wake.data = pg;

    for (i = 0; i < PODI_PG_LANES; i++) {
        podi_list_init(&pg->waiting[i]);
    }

    podi_list_init(&pg->answered);
    podi_list_init(&pg->spare);

    pg->conns = calloc(conf->pipelined + conf->slow, sizeof(podi_pg_conn_t));

    if (pg->conns == NULL) {
        goto failed;
    }

    for (i = 0; i < conf->pipelined + conf->slow; i++) {
        if (podi_pg_conn_init(&pg->conns[i], pg, i < conf->pipelined
                              ? PODI_PG_PIPELINED : PODI_PG_SLOW)
            != PODI_OK)
        {
            goto failed;
        }

        pg->all++;
    }

    podi_pg_wake(pg);

    return pg;

failed:

    pg_destroy(pg);

    return NULL;
}


void
podi_pg_free(podi_pg_t **pg)
{
    podi_pg_t  *dead = *pg;

    *pg = NULL;

    if (dead == NULL) {
        return;
    }

    podi_assert(!dead->freeing);

    dead->freeing = 1;

    if (dead->depth == 0) {
        pg_destroy(dead);
    }
}


static void
pg_destroy(podi_pg_t *pg)
{
    unsigned         i;
    podi_link_t     *x, *tmp;
    podi_pg_unit_t  *u;

    pg->freeing = 1;
    pg->depth = 1;

    for (i = 0; i < pg->all; i++) {
        podi_pg_conn_close(&pg->conns[i]);
    }

    for (i = 0; i < PODI_PG_LANES; i++) {
        podi_list_each_safe(x, tmp, &pg->waiting[i]) {
            u = podi_list_owner(x, podi_pg_unit_t, link);
            podi_pg_unavailable(&u->fail, "the database client ends");
            podi_pg_unit_finish(u);
        }
    }

    pg_deliver(pg);

    pg->io->unpost(&pg->wake);

    podi_list_each_safe(x, tmp, &pg->spare) {
        podi_pg_unit_destroy(podi_list_owner(x, podi_pg_unit_t, link));
    }

    for (i = 0; i < pg->all; i++) {
        pg->io->timer_free(pg->conns[i].timer);
    }

    free(pg->conns);
    free(pg);
}


void
podi_pg_enter(podi_pg_t *pg)
{
    pg->depth++;
}


/* pg may be gone afterwards */

void
podi_pg_leave(podi_pg_t *pg)
{
    if (--pg->depth == 0 && pg->freeing) {
        pg_destroy(pg);
    }
}


void
podi_pg_wake(podi_pg_t *pg)
{
    pg->io->post(pg->io, &pg->wake);
}


static void
pg_run(void *data)
{
    podi_pg_t  *pg = data;
    unsigned    lane;

    podi_pg_enter(pg);

    if (!pg->started) {
        pg->started = 1;
        pg_start(pg);
    }

    pg_deliver(pg);

    for (lane = 0; lane < PODI_PG_LANES && !pg->freeing; lane++) {
        pg_dispatch(pg, lane);
        podi_pg_lane_try(pg, lane);
    }

    podi_pg_leave(pg);
}


static void
pg_start(podi_pg_t *pg)
{
    unsigned     i;
    podi_link_t  *x, *tmp;

    if (podi_pg_conninfo_check(pg->conf.conninfo, &pg->config) == PODI_OK) {
        for (i = 0; i < pg->all; i++) {
            podi_pg_conn_open(&pg->conns[i]);
        }

        return;
    }

    for (i = 0; i < PODI_PG_LANES; i++) {
        podi_list_each_safe(x, tmp, &pg->waiting[i]) {
            podi_list_owner(x, podi_pg_unit_t, link)->fail = pg->config;
            podi_pg_unit_finish(podi_list_owner(x, podi_pg_unit_t, link));
        }
    }

    if (pg->conf.on_change != NULL) {
        pg->conf.on_change(pg->conf.data, "misconfigured", &pg->config);
    }
}


static void
pg_deliver(podi_pg_t *pg)
{
    podi_pg_unit_t  *u;

    while (!podi_list_is_empty(&pg->answered)) {
        u = podi_list_owner(pg->answered.next, podi_pg_unit_t, link);
        podi_pg_unit_answer(u);
    }
}


/* a unit that could not be written goes back to the front: it did not run */

static void
pg_dispatch(podi_pg_t *pg, unsigned lane)
{
    podi_pg_unit_t  *u;
    podi_pg_conn_t  *c;

    while (!podi_list_is_empty(&pg->waiting[lane])) {
        c = pg_pick(pg, lane);

        if (c == NULL) {
            return;
        }

        u = podi_list_owner(pg->waiting[lane].next, podi_pg_unit_t, link);

        if (podi_pg_unit_send(u, c) != PODI_OK) {
            podi_pg_conn_broke(c, "cannot send");
            continue;
        }

        if (podi_pg_conn_flush(c) != PODI_OK) {
            podi_pg_conn_broke(c, "cannot send");
        }
    }
}


static podi_pg_conn_t *
pg_pick(podi_pg_t *pg, unsigned lane)
{
    unsigned         i;
    podi_pg_conn_t  *c, *best;

    best = NULL;

    for (i = 0; i < pg->all; i++) {
        c = &pg->conns[i];

        if (c->lane != lane || podi_pg_conn_room(c) == 0) {
            continue;
        }

        if (best == NULL || podi_pg_conn_room(c) > podi_pg_conn_room(best)) {
            best = c;
        }
    }

    return best;
}


podi_rc_t
podi_pg_call(podi_pg_t *pg, podi_flow_t *f, const podi_pg_call_t *call)
{
    podi_rc_t        rc;
    podi_pg_unit_t  *u;

    podi_assert(call->sql < PODI_SQL_LAST);
    podi_assert(pg->statements[call->sql].who & pg->conf.who);

    if (pg_admit(pg, call, &f->fail) != PODI_OK) {
        pg->failures++;
        return PODI_ERROR;
    }

    u = podi_pg_unit_create(pg);

    if (u == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    u->call = *call;

    if (podi_mem_dup(f->mem, &call->context, &u->call.context) != PODI_OK) {
        podi_pg_unit_release(u);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    pg->calls++;

    rc = podi_flow_wait(f, &u->op, podi_pg_unit_gone);

    podi_pg_unit_wait(u, call->deadline ? call->deadline : pg->conf.deadline);
    podi_pg_wake(pg);

    return rc;
}


static podi_rc_t
pg_admit(podi_pg_t *pg, const podi_pg_call_t *call, podi_fail_t *fail)
{
    unsigned  i, lane, room;

    if (call->failed) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (call->zero) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                         "text with a zero byte");
    }

    if (pg->config.error != PODI_E_NONE) {
        *fail = pg->config;
        return PODI_ERROR;
    }

    if (pg->freeing) {
        podi_pg_unavailable(fail, "the database client ends");
        return PODI_ERROR;
    }

    lane = podi_pg_lane(pg, call->sql);
    room = pg->conf.waiting;

    for (i = 0; i < pg->all; i++) {
        if (pg->conns[i].lane == lane) {
            room += podi_pg_conn_room(&pg->conns[i]);
        }
    }

    if (pg->n_waiting[lane] >= room) {
        podi_pg_unavailable(fail, podi_pg_lane_is_up(pg, lane)
                            ? "too many calls wait for the database"
                            : "no connection to the database");
        return PODI_ERROR;
    }

    return PODI_OK;
}


/* without slow connections everything goes through the pipelined lane */

unsigned
podi_pg_lane(const podi_pg_t *pg, podi_sql_e sql)
{
    return pg->conf.slow > 0 ? pg->statements[sql].lane : PODI_PG_PIPELINED;
}


podi_msec_t
podi_pg_timeout(const podi_pg_t *pg, unsigned lane)
{
    if (lane == PODI_PG_SLOW && pg->conf.slow_timeout > 0) {
        return pg->conf.slow_timeout;
    }

    return pg->conf.statement_timeout;
}


void
podi_pg_stat(const podi_pg_t *pg, podi_pg_stat_t *ret_stat)
{
    unsigned               i;
    podi_link_t           *x;
    podi_pg_unit_t        *u;
    const podi_pg_conn_t  *c;

    memset(ret_stat, 0, sizeof(podi_pg_stat_t));

    ret_stat->all = pg->all;
    ret_stat->calls = pg->calls;
    ret_stat->failures = pg->failures;
    ret_stat->reconnects = pg->reconnects;
    ret_stat->waiting = pg->n_waiting[PODI_PG_PIPELINED]
                        + pg->n_waiting[PODI_PG_SLOW];

    for (i = 0; i < pg->all; i++) {
        c = &pg->conns[i];

        ret_stat->up += (c->state == PODI_PG_READY);
        ret_stat->in_flight += c->in_flight;

        podi_list_each(x, &c->units) {
            u = podi_list_owner(x, podi_pg_unit_t, link);
            ret_stat->tombstones += (u->op.flow == NULL && u->target == NULL);
        }
    }
}
