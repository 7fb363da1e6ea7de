/*
 * podi_release: one short conversation with PostgreSQL, by deadline.
 *
 *     connect -> worker_gone -> rows -> close
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "podi_release.h"
#include "podi_secret.h"
#include "banned.h"


static podi_rc_t release_talk(const podi_common_t *set, const char *id,
    podi_mem_t *mem, podi_str_t *ret_events, unsigned *ret_jobs,
    podi_fail_t *fail);
static PGconn *release_connect(const podi_common_t *set, podi_mem_t *mem,
    podi_msec_t end, podi_fail_t *fail);
static PGresult *release_ask(PGconn *conn, const char *id, podi_msec_t end);
static int release_poll(PGconn *conn, short events, podi_msec_t end);
static void release_free_conn(void *conn);
static void release_free_result(void *res);


static const char *const  release_texts[] = {
#define PODI_SQL(id, who, lane, text)  text,
#include "podi_statements.def"
#undef PODI_SQL
};


podi_rc_t
podi_release(const podi_common_t *set, const char *id, podi_mem_t *mem,
    const char **ret_events, unsigned *ret_jobs, podi_fail_t *fail)
{
    podi_rc_t      rc;
    const char    *events;
    podi_str_t     text;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = release_talk(set, id, podi_arena_mem(arena), &text, ret_jobs, fail);

    if (rc == PODI_OK) {
        events = podi_mem_dup_c(mem, &text);
        *ret_events = (events != NULL) ? events : "";
    }

    podi_arena_free(&arena);            /* and with it the connection */

    return rc;
}


static podi_rc_t
release_talk(const podi_common_t *set, const char *id, podi_mem_t *mem,
    podi_str_t *ret_events, unsigned *ret_jobs, podi_fail_t *fail)
{
    PGconn       *conn;
    PGresult     *res;
    podi_msec_t   end;

    end = podi_time_mono() + PODI_RELEASE_DEADLINE;

    conn = release_connect(set, mem, end, fail);
    if (conn == NULL) {
        return PODI_ERROR;
    }

    res = release_ask(conn, id, end);
    if (res == NULL) {
        return podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "the database did not answer");
    }

    if (podi_mem_own(mem, release_free_result, res) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "worker_gone: %s",
                         PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
    }

    *ret_jobs = (unsigned) PQntuples(res);
    *ret_events = podi_str_c("");

    if (*ret_jobs > 0) {
        *ret_events = podi_str_c(PQgetvalue(res, 0,
                                            PQfnumber(res, "_events")));
    }

    return PODI_OK;
}


static PGconn *
release_connect(const podi_common_t *set, podi_mem_t *mem, podi_msec_t end,
    podi_fail_t *fail)
{
    char                       *password;
    PGconn                     *conn;
    podi_str_t                  bytes;
    podi_secret_t              *secret;
    PostgresPollingStatusType   state;

    const char *const  names[] = { "dbname", "application_name", "options",
                                   "password", NULL };
    const char        *values[] = { set->pg, "podi parent",
                                    "-c statement_timeout=2000", NULL, NULL };

    password = NULL;

    if (set->pg_password_file[0] != '\0') {
        if (podi_secret_read(mem, set->pg_password_file, &secret, fail)
            != PODI_OK)
        {
            return NULL;
        }

        bytes = podi_secret_bytes(secret);

        password = podi_mem_dup_c(mem, &bytes);
        values[3] = password;
    }

    conn = PQconnectStartParams(names, values, 1);

    if (password != NULL) {
        podi_wipe(password, strlen(password));
    }

    if (conn == NULL || podi_mem_own(mem, release_free_conn, conn) != PODI_OK) {
        (void) podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        return NULL;
    }

    state = PGRES_POLLING_WRITING;

    while (state != PGRES_POLLING_OK && PQstatus(conn) != CONNECTION_BAD) {

        if (release_poll(conn, state == PGRES_POLLING_READING ? POLLIN
                                                              : POLLOUT, end)
            <= 0)
        {
            break;
        }

        state = PQconnectPoll(conn);
    }

    if (PQstatus(conn) != CONNECTION_OK) {
        (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "no connection to the database");
        return NULL;
    }

    return conn;
}


static PGresult *
release_ask(PGconn *conn, const char *id, podi_msec_t end)
{
    const char  *values[1] = { id };

    if (PQsendQueryParams(conn, release_texts[PODI_SQL_WORKER_GONE], 1, NULL,
                          values, NULL, NULL, 0) == 0)
    {
        return NULL;
    }

    while (PQisBusy(conn)) {
        if (release_poll(conn, POLLIN, end) <= 0
            || PQconsumeInput(conn) == 0)
        {
            return NULL;
        }
    }

    return PQgetResult(conn);
}


/* as poll(2): 0 when the end has come */

static int
release_poll(PGconn *conn, short events, podi_msec_t end)
{
    int             n;
    podi_msec_t     now;
    struct pollfd   fd;

    fd.fd = PQsocket(conn);
    fd.events = events;

    do {
        now = podi_time_mono();
        n = (now < end) ? poll(&fd, 1, (int) (end - now)) : 0;
    } while (n == -1 && errno == EINTR);

    return n;
}


static void
release_free_conn(void *conn)
{
    PQfinish(conn);
}


static void
release_free_result(void *res)
{
    PQclear(res);
}
