/*
 * podi_pg_wire: a connection's socket.
 *
 *     CONNECTING: ready -> PQconnectPoll -> watch again
 *     later:      ready -> PQconsumeInput -> results, while not busy
 *                       -> PQflush
 *
 * The loop watches a dup of libpq's socket: libpq closes its socket inside
 * PQconnectPoll and PQconsumeInput, and opens another under the same number,
 * but a descriptor must leave the loop before it closes.
 *
 * PQgetResult is never called while PQisBusy: it would wait.
 */

#include <fcntl.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "podi_pg_int.h"
#include "banned.h"


#define PG_NULLS_MAX  3             /* ends of results in a row */

static void wire_event(void *data, unsigned ready);
static void wire_poll(podi_pg_conn_t *c);
static void wire_io(podi_pg_conn_t *c, unsigned ready);
static podi_rc_t wire_read(podi_pg_conn_t *c);
static podi_rc_t wire_results(podi_pg_conn_t *c);
static int wire_expects(const podi_pg_conn_t *c);


static void
wire_event(void *data, unsigned ready)
{
    podi_pg_conn_t  *c = data;
    podi_pg_t       *pg = c->pg;

    podi_pg_enter(pg);

    if (c->state == PODI_PG_CONNECTING) {
        wire_poll(c);

    } else {
        wire_io(c, ready);
    }

    podi_pg_leave(pg);
}


static void
wire_poll(podi_pg_conn_t *c)
{
    podi_rc_t  rc;

    podi_pg_conn_unwatch(c);

    switch (PQconnectPoll(c->conn)) {

    case PGRES_POLLING_READING:
        rc = podi_pg_conn_watch(c, PODI_IO_READ);
        break;

    case PGRES_POLLING_WRITING:
        rc = podi_pg_conn_watch(c, PODI_IO_WRITE);
        break;

    case PGRES_POLLING_OK:
        rc = podi_pg_conn_watch(c, PODI_IO_READ);

        if (rc == PODI_OK) {
            rc = podi_pg_conn_prepare(c);
        }

        break;

    default:
        podi_pg_conn_broke(c, "cannot connect");
        return;
    }

    if (rc != PODI_OK) {
        podi_pg_conn_broke(c, "cannot start");
    }
}


static void
wire_io(podi_pg_conn_t *c, unsigned ready)
{
    if (ready & PODI_IO_READ && wire_read(c) != PODI_OK) {
        return;
    }

    if (ready & PODI_IO_WRITE && podi_pg_conn_flush(c) != PODI_OK) {
        podi_pg_conn_broke(c, "cannot send");
        return;
    }

    podi_pg_conn_rest(c);
}


/*
 * Takes all that has come, also what OpenSSL holds back where no descriptor
 * shows it.  What came before an end of file is still read.  ERROR: lost.
 */

static podi_rc_t
wire_read(podi_pg_conn_t *c)
{
    SSL  *ssl;
    int   alive;

    do {
        alive = PQconsumeInput(c->conn);

        if (wire_results(c) != PODI_OK) {
            return PODI_ERROR;
        }

        /* with nothing to wait for, this reads notices and parameters */

        (void) PQisBusy(c->conn);

        if (!alive || PQstatus(c->conn) == CONNECTION_BAD) {
            podi_pg_conn_broke(c, "lost the connection");
            return PODI_ERROR;
        }

        ssl = PQsslStruct(c->conn, "OpenSSL");

    } while (ssl != NULL && SSL_pending(ssl) > 0);

    return PODI_OK;
}


/* ERROR: the connection is lost already */

static podi_rc_t
wire_results(podi_pg_conn_t *c)
{
    podi_rc_t   rc;
    PGresult   *res;

    while (wire_expects(c) && !PQisBusy(c->conn)) {
        res = PQgetResult(c->conn);
        c->nulls = res == NULL ? c->nulls + 1 : 0;

        if (c->nulls > PG_NULLS_MAX) {
            podi_pg_conn_broke(c, "results out of step");
            return PODI_ERROR;
        }

        if (c->state == PODI_PG_PREPARING) {
            rc = podi_pg_conn_prepared(c, res);

        } else {
            rc = podi_pg_unit_result(podi_list_owner(c->units.next,
                                                     podi_pg_unit_t, link),
                                     res);
        }

        if (rc != PODI_OK) {
            return rc;
        }
    }

    return PODI_OK;
}


static int
wire_expects(const podi_pg_conn_t *c)
{
    return c->state == PODI_PG_PREPARING || !podi_list_is_empty(&c->units);
}


podi_rc_t
podi_pg_conn_watch(podi_pg_conn_t *c, unsigned events)
{
    podi_pg_t  *pg = c->pg;

    c->fd = fcntl(PQsocket(c->conn), F_DUPFD_CLOEXEC, 0);

    if (c->fd == -1) {
        return PODI_ERROR;
    }

    c->watch = pg->io->watch(pg->io, c->fd, wire_event, c);

    if (c->watch == NULL) {
        return PODI_ERROR;
    }

    return pg->io->want(c->watch, events);
}


void
podi_pg_conn_unwatch(podi_pg_conn_t *c)
{
    if (c->watch != NULL) {
        c->pg->io->unwatch(c->watch);
        c->watch = NULL;
    }

    if (c->fd != -1) {
        (void) close(c->fd);
        c->fd = -1;
    }
}


/* reading stays wanted: the server may need us to read before it reads */

podi_rc_t
podi_pg_conn_flush(podi_pg_conn_t *c)
{
    switch (PQflush(c->conn)) {

    case 0:
        return c->pg->io->want(c->watch, PODI_IO_READ);

    case 1:
        return c->pg->io->want(c->watch, PODI_IO_READ | PODI_IO_WRITE);

    default:
        return PODI_ERROR;
    }
}
