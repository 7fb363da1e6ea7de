/*
 * podi_pg_connect: what it takes before a connection can carry units.
 *
 *     conninfo checked -> PQconnectStartParams -> (podi_pg_conn polls)
 *         -> pipeline mode -> Prepare, Prepare, ... Sync -> READY
 *
 * The checks keep libpq from blocking: no name to resolve, no file to read.
 * Settings of the session travel in the startup packet, so there is no
 * moment without them.  A connection that cannot prepare everything is not
 * used at all: a missing migration shows at once, and not with one route.
 */

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "podi_assert.h"
#include "podi_pg_int.h"
#include "banned.h"


#define PG_PASSWORD_MAX  4096

static const char *check_value(const PQconninfoOption *options,
    const char *keyword);
static int hosts_are_direct(const char *hosts, const char *addresses);
static int host_is_direct(const podi_str_t *host);
static int connect_prepares(const podi_pg_conn_t *c, unsigned sql);
static void connect_skip(podi_pg_conn_t *c);
static void connect_silently(void *data, const PGresult *res);


podi_rc_t
podi_pg_conninfo_check(const char *conninfo, podi_fail_t *fail)
{
    podi_rc_t          rc;
    PQconninfoOption  *options;

    options = PQconninfoParse(conninfo, NULL);

    if (options == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the conninfo cannot be parsed; write it as "
                         "\"host=/path/of/sockets dbname=name user=name\"");
    }

    rc = PODI_OK;

    if (check_value(options, "service") != NULL) {
        rc = podi_fail(fail, PODI_E_CONFIG, NULL,
                       "the conninfo names a service; write its settings "
                       "out, because its file would be read while serving");

    } else if (!hosts_are_direct(check_value(options, "host"),
                                 check_value(options, "hostaddr")))
    {
        rc = podi_fail(fail, PODI_E_CONFIG, NULL,
                       "the conninfo needs host=/path/of/sockets or a "
                       "numeric hostaddr=, because names are not looked up");
    }

    PQconninfoFree(options);

    return rc;
}


/* NULL: not said, or nothing */

static const char *
check_value(const PQconninfoOption *options, const char *keyword)
{
    const PQconninfoOption  *o;

    for (o = options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0) {
            return o->val != NULL && o->val[0] != '\0' ? o->val : NULL;
        }
    }

    return NULL;
}


/*
 * Two lists that go together: a name is looked up unless an address stands at
 * its place.  libpq takes an address for nothing but a number.
 */

static int
hosts_are_direct(const char *hosts, const char *addresses)
{
    podi_str_t  names, numbers, name, number;

    names = podi_str_c(hosts);
    numbers = podi_str_c(addresses);

    if (hosts == NULL && addresses == NULL) {
        return 0;
    }

    for ( ;; ) {
        name = podi_str_c(NULL);
        number = podi_str_c(NULL);

        if (!(podi_str_split(&names, ',', &name)
              | podi_str_split(&numbers, ',', &number)))
        {
            return 1;
        }

        if (number.len == 0 && !host_is_direct(&name)) {
            return 0;
        }
    }
}


static int
host_is_direct(const podi_str_t *host)
{
    char           text[INET6_ADDRSTRLEN];
    unsigned char  address[sizeof(struct in6_addr)];

    if (host->len > 0 && host->data[0] == '/') {
        return 1;
    }

    if (host->len == 0 || host->len >= sizeof(text)) {
        return 0;
    }

    memcpy(text, host->data, host->len);
    text[host->len] = '\0';

    return inet_pton(AF_INET, text, address) == 1
           || inet_pton(AF_INET6, text, address) == 1;
}


/* started, not connected; NULL: no memory.  The later keyword wins in libpq */

PGconn *
podi_pg_connect(podi_pg_t *pg, unsigned lane)
{
    char         options[512], patience[32], password[PG_PASSWORD_MAX + 1];
    PGconn      *conn;
    podi_str_t   secret;
    const char  *keywords[] = { "dbname", "application_name", "options",
                                "client_encoding", "tcp_user_timeout",
                                "password", NULL };
    const char  *values[] = { pg->conf.conninfo, pg->conf.application_name,
                              options, "UTF8", patience, NULL, NULL };
    podi_msec_t  timeout;

    timeout = podi_pg_timeout(pg, lane);

    (void) snprintf(options, sizeof(options),
                    "-c statement_timeout=%llu -c lock_timeout=%llu"
                    " -c idle_in_transaction_session_timeout=%llu"
                    " -c timezone=UTC -c datestyle=ISO"
                    " -c client_min_messages=warning",
                    (unsigned long long) timeout,
                    (unsigned long long) (timeout + 1) / 2,
                    (unsigned long long) timeout);
    (void) snprintf(patience, sizeof(patience), "%llu",
                    (unsigned long long) timeout + PODI_PG_GRACE);

    if (pg->conf.password != NULL) {
        secret = podi_secret_bytes(pg->conf.password);
        podi_assert(secret.len <= PG_PASSWORD_MAX);
        memcpy(password, secret.data, secret.len);
        password[secret.len] = '\0';
        values[5] = password;
    }

    conn = PQconnectStartParams(keywords, values, 1);

    if (pg->conf.password != NULL) {
        podi_wipe(password, sizeof(password));
    }

    if (conn != NULL) {
        (void) PQsetNoticeReceiver(conn, connect_silently, NULL);
    }

    return conn;
}


/* a notice would go to stderr */

static void
connect_silently(void *data, const PGresult *res)
{
    (void) data;
    (void) res;
}


/* libpq is connected: from here on the pipeline never ends */

podi_rc_t
podi_pg_conn_prepare(podi_pg_conn_t *c)
{
    unsigned                    i;
    const podi_pg_statement_t  *s;

    podi_pg_conn_set_state(c, PODI_PG_PREPARING);

    if (PQsetnonblocking(c->conn, 1) != 0 || !PQenterPipelineMode(c->conn)) {
        return PODI_ERROR;
    }

    for (i = 0; i < PODI_SQL_LAST; i++) {
        if (!connect_prepares(c, i)) {
            continue;
        }

        s = &c->pg->statements[i];

        if (!PQsendPrepare(c->conn, s->name, s->text, 0, NULL)) {
            return PODI_ERROR;
        }
    }

    if (!PQpipelineSync(c->conn)) {
        return PODI_ERROR;
    }

    c->preparing = 0;
    connect_skip(c);

    return podi_pg_conn_flush(c);
}


/* the context goes before statements of either lane */

static int
connect_prepares(const podi_pg_conn_t *c, unsigned sql)
{
    const podi_pg_t            *pg = c->pg;
    const podi_pg_statement_t  *s = &pg->statements[sql];

    if (!(s->who & pg->conf.who)) {
        return 0;
    }

    return sql == PODI_SQL_CONTEXT_OPEN
           || podi_pg_lane(pg, sql) == c->lane;
}


/* c->preparing: whose answer comes next; PODI_SQL_LAST: the Sync's */

static void
connect_skip(podi_pg_conn_t *c)
{
    while (c->preparing < PODI_SQL_LAST && !connect_prepares(c, c->preparing))
    {
        c->preparing++;
    }
}


/* takes res; ERROR: the connection is lost already */

podi_rc_t
podi_pg_conn_prepared(podi_pg_conn_t *c, PGresult *res)
{
    podi_fail_t     fail;
    ExecStatusType  status;

    if (res == NULL) {
        c->preparing++;
        connect_skip(c);
        return PODI_OK;
    }

    status = PQresultStatus(res);

    if (status == PGRES_COMMAND_OK && c->preparing < PODI_SQL_LAST) {
        PQclear(res);
        return PODI_OK;
    }

    if (status == PGRES_PIPELINE_SYNC && c->preparing == PODI_SQL_LAST) {
        PQclear(res);
        podi_pg_conn_up(c);
        return PODI_OK;
    }

    podi_pg_fail(&fail, res, c->preparing < PODI_SQL_LAST
                 ? c->pg->statements[c->preparing].name : "preparing", 0);
    PQclear(res);

    podi_pg_conn_lost(c, "cannot prepare", &fail);

    return PODI_ERROR;
}
