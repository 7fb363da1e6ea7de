/*
 * podi_pg_unit: one caller's statement on its way.
 *
 * On the wire a unit is [CONTEXT_OPEN] + statement + Sync; libpq then gives
 *
 *     [context result, NULL,] statement result, NULL, PIPELINE_SYNC
 *
 * and the unit is answered at the Sync and not before: only then is it
 * committed.  An error anywhere turns the rest into PIPELINE_ABORTED; an
 * error of the commit itself (a deferred constraint) comes before the Sync.
 */

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_pg_int.h"
#include "banned.h"


static void unit_expired(void *data);
static void unit_keep(podi_pg_unit_t *u, PGresult *res);
static void unit_error(podi_pg_unit_t *u, const PGresult *res);
static podi_rc_t unit_synced(podi_pg_unit_t *u);
static void result_free(void *res);


/* a spare one or a new one; it keeps its timer for its whole life */

podi_pg_unit_t *
podi_pg_unit_create(podi_pg_t *pg)
{
    podi_pg_unit_t  *u;

    if (!podi_list_is_empty(&pg->spare)) {
        u = podi_list_owner(pg->spare.next, podi_pg_unit_t, link);
        podi_list_remove(&u->link);
        return u;
    }

    u = calloc(1, sizeof(podi_pg_unit_t));

    if (u == NULL) {
        return NULL;
    }

    u->pg = pg;
    u->timer = pg->io->timer(pg->io, PODI_TIMER_WORK, unit_expired, u);

    if (u->timer == NULL) {
        free(u);
        return NULL;
    }

    podi_list_init(&u->link);

    return u;
}


void
podi_pg_unit_destroy(podi_pg_unit_t *u)
{
    podi_assert(u->state == PODI_PG_UNIT_SPARE);

    podi_list_remove(&u->link);
    u->pg->io->timer_free(u->timer);
    free(u);
}


/* ours go first: a cancel frees a connection */

void
podi_pg_unit_wait(podi_pg_unit_t *u, podi_msec_t deadline)
{
    podi_pg_t    *pg = u->pg;
    podi_link_t  *room;

    u->lane = podi_pg_lane(pg, u->call.sql);
    u->state = PODI_PG_UNIT_WAITING;
    u->fail.error = PODI_E_NONE;

    room = &pg->waiting[u->lane];
    podi_list_append(u->target ? room->next : room, &u->link);
    pg->n_waiting[u->lane]++;

    pg->io->arm(u->timer, deadline);
}


/*
 * ERROR: the connection is no good and the unit still waits.  What was
 * written of it never runs to a commit, because its Sync was not.
 */

podi_rc_t
podi_pg_unit_send(podi_pg_unit_t *u, podi_pg_conn_t *c)
{
    int              length, format;
    const char      *context;
    podi_pg_t       *pg = u->pg;
    podi_pg_call_t  *call = &u->call;

    u->stage = PODI_PG_STAGE_STATEMENT;

    if (call->context.len > 0) {
        u->stage = PODI_PG_STAGE_CONTEXT;

        context = (const char *) call->context.data;
        length = (int) call->context.len;
        format = 1;                     /* text by its length, without a NUL */

        if (!PQsendQueryPrepared(c->conn,
                                 pg->statements[PODI_SQL_CONTEXT_OPEN].name,
                                 1, &context, &length, &format, 0))
        {
            return PODI_ERROR;
        }
    }

    if (!PQsendQueryPrepared(c->conn, pg->statements[call->sql].name,
                             (int) call->n, call->values, call->lengths,
                             call->formats, 0)
        || !PQpipelineSync(c->conn))
    {
        return PODI_ERROR;
    }

    podi_list_remove(&u->link);
    pg->n_waiting[u->lane]--;

    u->state = PODI_PG_UNIT_SENT;
    u->conn = c;
    podi_list_append(&c->units, &u->link);
    podi_pg_conn_sent(c);

    return PODI_OK;
}


/* takes res; ERROR: libpq said what it may not, and the connection is lost */

podi_rc_t
podi_pg_unit_result(podi_pg_unit_t *u, PGresult *res)
{
    if (res == NULL) {
        if (u->stage < PODI_PG_STAGE_SYNC) {
            u->stage++;
        }

        return PODI_OK;
    }

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        unit_keep(u, res);
        return PODI_OK;

    case PGRES_FATAL_ERROR:
        unit_error(u, res);
        PQclear(res);
        return PODI_OK;

    case PGRES_PIPELINE_ABORTED:
        PQclear(res);
        return PODI_OK;

    case PGRES_PIPELINE_SYNC:
        PQclear(res);
        return unit_synced(u);

    default:
        PQclear(res);
        podi_pg_conn_broke(u->conn, "unexpected result");
        return PODI_ERROR;
    }
}


static void
unit_keep(podi_pg_unit_t *u, PGresult *res)
{
    if (u->stage != PODI_PG_STAGE_STATEMENT || u->res != NULL) {
        PQclear(res);
        return;
    }

    u->res = res;
}


/*
 * 0A000 "cached plan must not change result type" and 26000 "no such prepared
 * statement" were raised before anything ran, and a fresh connection has
 * fresh plans.
 */

static void
unit_error(podi_pg_unit_t *u, const PGresult *res)
{
    const char  *state;
    const char  *name;

    if (u->fail.error != PODI_E_NONE) {
        return;
    }

    name = u->stage == PODI_PG_STAGE_CONTEXT
           ? u->pg->statements[PODI_SQL_CONTEXT_OPEN].name
           : u->pg->statements[u->call.sql].name;
    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    podi_pg_fail(&u->fail, res, name, u->stage == PODI_PG_STAGE_SYNC);

    if (state != NULL && (strcmp(state, "0A000") == 0
                          || strcmp(state, "26000") == 0))
    {
        podi_pg_conn_retire(u->conn);
    }
}


static podi_rc_t
unit_synced(podi_pg_unit_t *u)
{
    if (u->stage != PODI_PG_STAGE_SYNC) {
        podi_pg_conn_broke(u->conn, "a Sync before its statement's end");
        return PODI_ERROR;
    }

    if (u->fail.error == PODI_E_NONE && u->res == NULL) {
        (void) podi_fail(&u->fail, PODI_E_INTERNAL, NULL, "%s: no result",
                         u->pg->statements[u->call.sql].name);
    }

    podi_pg_unit_finish(u);

    return PODI_OK;
}


/* the connection went away under it */

void
podi_pg_unit_lost(podi_pg_unit_t *u, const podi_fail_t *fail)
{
    if (u->fail.error == PODI_E_NONE) {
        u->fail = *fail;
        u->fail.uncertain = 1;
        u->pg->failures++;
    }

    podi_pg_unit_finish(u);
}


/* over, well or not: it leaves where it was and waits to be answered */

void
podi_pg_unit_finish(podi_pg_unit_t *u)
{
    podi_pg_t  *pg = u->pg;

    podi_list_remove(&u->link);
    pg->io->disarm(u->timer);

    if (u->state == PODI_PG_UNIT_WAITING) {
        pg->n_waiting[u->lane]--;

    } else {
        podi_assert(u->state == PODI_PG_UNIT_SENT);
        u->conn->in_flight--;
        u->conn->head_since = podi_time_mono();
        u->conn = NULL;
    }

    u->state = PODI_PG_UNIT_ANSWERED;
    podi_pg_wake(pg);

    if (u->op.flow == NULL) {
        podi_pg_unit_release(u);
        return;
    }

    podi_list_append(&pg->answered, &u->link);
}


/* tells the caller; its flow runs on, and may call again or end the engine */

void
podi_pg_unit_answer(podi_pg_unit_t *u)
{
    PGresult     *res;
    podi_fail_t  *fail;

    podi_assert(u->state == PODI_PG_UNIT_ANSWERED && u->op.flow != NULL);

    podi_list_remove(&u->link);

    res = u->res;
    u->res = NULL;
    fail = &u->fail;

    if (fail->error != PODI_E_NONE) {
        PQclear(res);
        res = NULL;

    } else if (podi_mem_own(u->op.flow->mem, result_free, res) != PODI_OK) {
        (void) podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        res = NULL;
    }

    podi_op_done(&u->op, res, fail->error == PODI_E_NONE ? NULL : fail);
    podi_pg_unit_release(u);
}


static void
result_free(void *res)
{
    PQclear(res);
}


void
podi_pg_unit_release(podi_pg_unit_t *u)
{
    podi_pg_conn_t  *target = u->target;

    podi_list_remove(&u->link);
    PQclear(u->res);

    u->res = NULL;
    u->target = NULL;
    u->op.flow = NULL;
    memset(&u->fail, 0, sizeof(podi_fail_t));
    u->state = PODI_PG_UNIT_SPARE;
    podi_list_append(&u->pg->spare, &u->link);

    if (target != NULL) {
        target->cancelling--;
        podi_pg_conn_rest(target);
    }
}


/*
 * The caller's flow was cancelled.  Its memory goes, so what waits must go
 * too; what was sent stays as a tombstone, and in the slow lane is stopped.
 */

void
podi_pg_unit_gone(podi_op_t *op)
{
    podi_pg_unit_t  *u = podi_list_owner(op, podi_pg_unit_t, op);

    switch (u->state) {

    case PODI_PG_UNIT_WAITING:
        podi_pg_unit_finish(u);
        return;

    case PODI_PG_UNIT_SENT:
        u->pg->io->disarm(u->timer);

        if (u->lane == PODI_PG_SLOW) {
            podi_pg_conn_cancel(u->conn);
        }

        return;

    default:
        podi_assert(u->state == PODI_PG_UNIT_ANSWERED);
        podi_pg_unit_release(u);
    }
}


/* a timer's own stack is clean, so the caller is answered from here */

static void
unit_expired(void *data)
{
    podi_fail_t      fail;
    podi_pg_unit_t  *u = data;
    podi_pg_t       *pg = u->pg;

    podi_pg_enter(pg);

    if (u->state == PODI_PG_UNIT_WAITING) {
        pg->failures++;
        podi_pg_unavailable(&u->fail, "no connection to the database");

        if (podi_pg_lane_is_up(pg, u->lane)) {
            u->fail.error = PODI_E_DEADLINE;
            (void) snprintf(u->fail.detail, sizeof(u->fail.detail),
                            "the database had no room in time");
        }

        podi_pg_unit_finish(u);

    } else if (u->state == PODI_PG_UNIT_SENT && u->op.flow != NULL) {
        pg->failures++;
        podi_pg_unavailable(&fail, "the database gave no answer in time");
        fail.error = PODI_E_DEADLINE;
        fail.uncertain = 1;

        if (u->lane == PODI_PG_SLOW) {
            podi_pg_conn_cancel(u->conn);
        }

        podi_op_done(&u->op, NULL, &fail);
    }

    podi_pg_leave(pg);
}
