/*
 * store_pg: what the tests of the PostgreSQL engine share: statements under
 * ids that exist, an engine for them, asks.
 */

#ifndef PODI_STORE_PG_TEST_H
#define PODI_STORE_PG_TEST_H


#include "store.h"


#define ALL  (PODI_PG_WEB|PODI_PG_WORKER|PODI_PG_CTL)

/* statements for the tests, under ids that exist */

#define Q_ECHO       PODI_SQL_READY
#define Q_SLEEP      PODI_SQL_ACCOUNT_ME
#define Q_CONTEXT    PODI_SQL_WALLET_READ
#define Q_BIG        PODI_SQL_MEDIA_READ
#define Q_RAISE      PODI_SQL_TASK_READ
#define Q_COMMIT     PODI_SQL_TASK_SUBMIT
#define Q_PLAN       PODI_SQL_TASK_LIST
#define Q_ALTER      PODI_SQL_PURGE
#define Q_TYPES      PODI_SQL_EVENT_READ
#define Q_BYTEA      PODI_SQL_EVENT_TICKET_TAKE
#define Q_PID        PODI_SQL_EVENT_HEAD
#define Q_TERMINATE  PODI_SQL_WORKER_GONE
#define Q_SLOW       PODI_SQL_INVARIANT_BREAKS
#define Q_SETTING    PODI_SQL_ACTION_LIST

#define entry(id, lane, text)                                                \
    [PODI_SQL_##id] = { #id, ALL, PODI_PG_##lane, text }

static const podi_pg_statement_t  statements[PODI_SQL_LAST] = {
    entry(CONTEXT_OPEN, PIPELINED, "select test_context($1::text)"),
    entry(BACKEND_CANCEL, PIPELINED, "select pg_cancel_backend($1::int)"),
    entry(READY, PIPELINED, "select $1::int as n"),
    entry(ACCOUNT_ME, PIPELINED, "select pg_sleep($1::float8)"),
    entry(WALLET_READ, PIPELINED,
          "select coalesce(current_setting('test.context', true), '') as c"),
    entry(MEDIA_READ, PIPELINED, "select repeat('x', $1::int) as big"),
    entry(TASK_READ, PIPELINED, "select test_raise($1::text, $2, $3)"),
    entry(TASK_SUBMIT, PIPELINED, "insert into test_once values ($1::int)"),
    entry(TASK_LIST, PIPELINED, "select * from test_plan"),
    entry(PURGE, PIPELINED, "select test_alter()"),
    entry(EVENT_READ, PIPELINED,
          "select 9007199254740993::bigint as n, true as b, null::text as z,"
          " '{\"a\": [1]}'::jsonb as j, 'a\"b'::text as t, 1::int as _c,"
          " '2026-11-22 05:17:46.5+00'::timestamptz as at,"
          " 'infinity'::timestamptz as ever"),
    entry(EVENT_TICKET_TAKE, PIPELINED,
          "select encode($1::bytea, 'hex') as x, $2::bool as b,"
          " $3::timestamptz as at, $4::text is null as z"),
    entry(EVENT_HEAD, PIPELINED, "select pg_backend_pid()::bigint as pid"),
    entry(WORKER_GONE, PIPELINED, "select pg_terminate_backend($1::int)"),
    entry(INVARIANT_BREAKS, SLOW, "select pg_sleep($1::float8)"),
    entry(ACTION_LIST, PIPELINED,
          "select current_setting($1::text) as value")
};

static podi_pg_t       *pg;
static podi_pg_stat_t   stat_now;
static int              ups, downs;
static podi_fail_t      down_fail;


static void
changed(void *data, const char *what, const podi_fail_t *fail)
{
    (void) data;
    (void) what;

    if (fail == NULL) {
        ups++;
        return;
    }

    downs++;
    down_fail = *fail;
}


static podi_pg_conf_t
conf_for(const char *conninfo)
{
    podi_pg_conf_t  conf = {
        .conninfo = conninfo, .application_name = "store_pg",
        .who = PODI_PG_WEB, .pipelined = 1, .depth = 4, .slow = 1,
        .waiting = 8, .connect_timeout = 500, .deadline = 3000,
        .statement_timeout = 1000, .slow_timeout = 20000,
        .reconnect_max = 100, .statements = statements,
        .on_change = changed
    };

    return conf;
}


static const podi_pg_stat_t *
stat_of(podi_pg_t *engine)
{
    podi_pg_stat(engine, &stat_now);

    return &stat_now;
}


#define is_up(engine)  (stat_of(engine)->up == stat_of(engine)->all)


static void
open_engine(const char *variable)
{
    podi_pg_conf_t  conf = conf_for(getenv(variable));

    ups = downs = 0;
    pg = podi_pg_create(&uv.io, &conf);
}


static ask_t *
ask(podi_sql_e sql)
{
    ask_t  *a = ask_new();

    a->pg = pg;
    podi_pg_call_init(&a->call, sql, a->mem);

    return a;
}


static inline ask_t *
ask_int(podi_sql_e sql, int64_t n)
{
    ask_t  *a = ask(sql);

    podi_arg_int64(&a->call, n);
    ask_start(a);

    return a;
}


static inline ask_t *
ask_c(podi_sql_e sql, const char *text)
{
    ask_t  *a = ask(sql);

    podi_arg_c(&a->call, text);
    ask_start(a);

    return a;
}


static inline void
echoes(const char *what)
{
    ask_t  *a = ask_int(Q_ECHO, 42);

    until(a->done);
    is_int(a->rc == PODI_DONE ? podi_row_int64(a->result, 0, "n") : -1, 42,
           what);

    ask_free(&a);
}


#endif /* PODI_STORE_PG_TEST_H */
