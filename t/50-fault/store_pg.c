/*
 * store_pg: the PostgreSQL engine against a real server that does its work.
 *
 * Run by store.t, which starts it; PODI_TEST_CONNINFO says where it is.
 */

#include "store_pg.h"
#include "banned.h"


static void
test_reading(void)
{
    ask_t       *a;
    podi_buf_t   buf;
    podi_str_t   json;

    a = ask_int(Q_ECHO, 1);
    ok(!a->done, "an answer never comes inside the call");
    until(a->done);
    is_int(a->rc, PODI_DONE, "what was asked before the connection was up is"
           " answered");
    ask_free(&a);

    a = ask(Q_TYPES);
    ask_start(a);
    until(a->done);
    is_int(podi_row_int64(a->result, 0, "n"), 9007199254740993, "an int8");
    ok(podi_row_bool(a->result, 0, "b"), "a bool");
    ok(podi_row_is_null(a->result, 0, "z"), "a null");
    is_int(podi_row_time(a->result, 0, "at"), 1795324666500000, "a time");

    podi_buf_init(&buf, a->mem);
    podi_row_json(&buf, a->result, 0);
    ok(podi_buf_take(&buf, &json) == PODI_OK, "a row as JSON");
    is_str(json, "\"n\":9007199254740993,\"b\":true,\"z\":null,"
           "\"j\":{\"a\": [1]},\"t\":\"a\\\"b\","
           "\"at\":\"2026-11-22T05:17:46.500000Z\",\"ever\":\"infinity\"",
           "every type in its form, _columns left out");
    ask_free(&a);
}


static void
test_arguments(void)
{
    ask_t       *a;
    podi_str_t   bytes = podi_string("\0\xff'");
    podi_str_t   zero = podi_string("a\0b");

    a = ask(Q_BYTEA);
    podi_arg_bytea(&a->call, &bytes);
    podi_arg_bool(&a->call, 1);
    podi_arg_time(&a->call, 1795324666500000);
    podi_arg_null(&a->call);
    ask_start(a);
    until(a->done);
    is_str(podi_row_str(a->result, 0, "x"), "00ff27", "bytea goes binary");
    ok(podi_row_bool(a->result, 0, "b"), "a bool goes");
    is_int(podi_row_time(a->result, 0, "at"), 1795324666500000,
           "a time goes");
    ok(podi_row_bool(a->result, 0, "z"), "a null goes");
    ask_free(&a);

    a = ask(Q_BIG);
    podi_arg_str(&a->call, &zero);
    ask_start(a);
    ok(ask_failed(a, PODI_E_BAD_REQUEST), "text with a zero byte is refused");
    ask_free(&a);

    a = ask_c(Q_SETTING, "statement_timeout");
    until(a->done);
    is_str(podi_row_str(a->result, 0, "value"), "1s",
           "statement_timeout is set from the start");
    ask_free(&a);

    a = ask_c(Q_SETTING, "timezone");
    until(a->done);
    is_str(podi_row_str(a->result, 0, "value"), "UTC", "so is the time zone");
    ask_free(&a);
}


static void
test_context(void)
{
    ask_t  *a, *b, *c;

    a = ask(Q_CONTEXT);
    a->call.context = str("signed");
    ask_start(a);
    b = ask(Q_CONTEXT);
    ask_start(b);
    c = ask(Q_CONTEXT);
    c->call.context = str("bad");
    ask_start(c);

    until(a->done && b->done && c->done);
    is_str(podi_row_str(a->result, 0, "c"), "signed", "a unit sees its own"
           " context");
    is_str(podi_row_str(b->result, 0, "c"), "", "and the next one does not");
    ok(ask_failed(c, PODI_E_BAD_CONTEXT), "a refused context fails the unit");

    ask_free(&a);
    ask_free(&b);
    ask_free(&c);
}


static ask_t *
ask_raise(const char *state, const char *message, const char *detail)
{
    ask_t  *a = ask(Q_RAISE);

    podi_arg_c(&a->call, state);
    podi_arg_c(&a->call, message);
    podi_arg_c(&a->call, detail);
    ask_start(a);

    return a;
}


static void
test_errors(void)
{
    unsigned  i;
    ask_t    *a[5];

    static const struct {
        const char    *state;
        podi_error_e   error;
    }  cases[] = {
        { "40001", PODI_E_UNAVAILABLE },
        { "40P01", PODI_E_UNAVAILABLE },
        { "55P03", PODI_E_UNAVAILABLE },
        { "53100", PODI_E_UNAVAILABLE },
        { "53200", PODI_E_UNAVAILABLE },
        { "53300", PODI_E_UNAVAILABLE },
        { "25006", PODI_E_UNAVAILABLE },
        { "57014", PODI_E_DEADLINE },
        { "28000", PODI_E_BAD_CONTEXT },
        { "42P01", PODI_E_INTERNAL },
        { "U0999", PODI_E_INTERNAL }
    };

    a[0] = ask_int(Q_ECHO, 0);
    a[1] = ask_raise("U0402", "short of points",
                     "{\"field\": \"points\", \"missing\": 90}");
    a[2] = ask_int(Q_ECHO, 2);
    a[3] = ask_c(Q_ECHO, "no number, and secret");
    a[4] = ask_int(Q_ECHO, 4);

    until(a[0]->done && a[1]->done && a[2]->done && a[3]->done && a[4]->done);

    is_int(a[0]->rc, PODI_DONE, "the one before an error");
    is_fail(a[1]->rc, &a[1]->fail, PODI_E_INSUFFICIENT_POINTS, "points",
            "U0402 is insufficient_points, and its field");
    is_str(str(a[1]->fail.detail), "short of points", "MESSAGE is detail");
    is_str(str(a[1]->fail.extra), "\"missing\":90", "DETAIL is extra");
    is_str(str(a[1]->fail.sqlstate), "U0402", "and the SQLSTATE");
    is_int(a[2]->rc, PODI_DONE, "the one between two errors");
    ok(ask_failed(a[3], PODI_E_INTERNAL)
       && strstr(a[3]->fail.detail, "secret") == NULL,
       "a refused value is not quoted: %s", a[3]->fail.detail);
    is_int(podi_row_int64(a[4]->result, 0, "n"), 4, "the one behind them");

    for (i = 0; i < 5; i++) {
        ask_free(&a[i]);
    }

    a[0] = ask_raise("U0433", "full", "{\"retry_after\": 77, \"limit\": 3}");
    a[1] = ask_raise("U0433", "full", "{\"retry_after\": -1}");
    until(a[0]->done && a[1]->done);
    is_int(a[0]->fail.retry_after, 77, "DETAIL may say when to come back");
    is_str(str(a[0]->fail.extra), "\"limit\":3", "which is no extra member");
    is_int(a[1]->fail.retry_after, 1, "what is no time is none");
    ask_free(&a[0]);
    ask_free(&a[1]);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        a[0] = ask_raise(cases[i].state, "x", NULL);
        until(a[0]->done);
        ok(ask_failed(a[0], cases[i].error) && !a[0]->fail.uncertain,
           "%s is %s", cases[i].state, podi_error(cases[i].error)->code);
        ask_free(&a[0]);
    }
}


static void
test_commit(void)
{
    ask_t  *a[2];

    a[0] = ask_int(Q_COMMIT, 1);
    a[1] = ask_int(Q_ECHO, 1);
    until(a[0]->done && a[1]->done);
    ok(ask_failed(a[0], PODI_E_INTERNAL)
       && strcmp(a[0]->fail.sqlstate, "23505") == 0,
       "an error of the commit is the unit's error");
    is_int(a[1]->rc, PODI_DONE, "and not that of the next one");
    ask_free(&a[0]);
    ask_free(&a[1]);
}


static void
test_sizes(void)
{
    unsigned            i;
    ask_t              *a;
    static const int    sizes[] = { 0, 20000, 3 * 1024 * 1024 };

    for (i = 0; i < 3; i++) {
        a = ask_int(Q_BIG, sizes[i]);
        until(a->done);
        is_int(a->rc == PODI_DONE
               ? (int) podi_row_str(a->result, 0, "big").len : -1, sizes[i],
               "a result of any size");
        ask_free(&a);
    }
}


static void
test_bounds(void)
{
    int     i, done;
    ask_t  *a[13];

    until(is_up(pg) && stat_of(pg)->in_flight == 0);

    for (i = 0; i < 13; i++) {
        a[i] = ask_int(Q_ECHO, i);
    }

    ok(ask_failed(a[12], PODI_E_UNAVAILABLE) && a[12]->fail.retry_after > 0,
       "depth 4 + 8 waiting: the 13th is refused at once");

    until(a[11]->done);

    for (i = 0, done = 0; i < 12; i++) {
        done += a[i]->rc == PODI_DONE
                && podi_row_int64(a[i]->result, 0, "n") == i;
    }

    is_int(done, 12, "the others get each its own answer");

    for (i = 0; i < 13; i++) {
        ask_free(&a[i]);
    }
}


static void
test_deadlines(void)
{
    ask_t  *a, *b;

    a = ask_c(Q_SLEEP, "30");
    until(a->done);
    ok(ask_failed(a, PODI_E_DEADLINE) && !a->fail.uncertain
       && strcmp(a->fail.sqlstate, "57014") == 0,
       "statement_timeout is a deadline, and certain");
    ask_free(&a);

    a = ask(Q_SLEEP);
    podi_arg_c(&a->call, "0.4");
    a->call.deadline = 50;
    ask_start(a);
    b = ask_int(Q_ECHO, 1);

    until(a->done);
    ok(ask_failed(a, PODI_E_DEADLINE) && a->fail.uncertain,
       "a caller's deadline is kept, and is uncertain");
    is_int(stat_of(pg)->tombstones, 1, "its unit stays as a tombstone");

    until(b->done);
    is_int(b->rc, PODI_DONE, "the one behind it is answered");
    is_int(stat_of(pg)->tombstones, 0, "and the tombstone is gone");
    ask_free(&a);
    ask_free(&b);

    a = ask_c(Q_SLEEP, "0.3");
    until(stat_of(pg)->in_flight == 1);
    b = ask_int(Q_ECHO, 1);
    ask_free(&a);
    is_int(stat_of(pg)->tombstones, 1, "a caller that goes leaves one too");
    until(b->done);
    is_int(b->rc, PODI_DONE, "which hurts nobody");
    ask_free(&b);

    a = ask_int(Q_ECHO, 1);
    ask_free(&a);
    is_int(stat_of(pg)->waiting, 0, "what still waited is simply gone");
    is_int(downs, 0, "and no connection was lost over all this");
}


static void
test_slow_lane(void)
{
    ask_t  *a, *b;

    a = ask_c(Q_SLOW, "30");
    until(stat_of(pg)->in_flight == 1);
    b = ask_c(Q_SLOW, "0");
    ask_free(&a);
    is_int(stat_of(pg)->up, 1, "a caller that goes: its connection is put"
           " aside");
    until(b->done);
    is_int(b->rc, PODI_DONE, "until the cancel is through; then it is used"
           " again");
    ask_free(&b);

    a = ask(Q_SLOW);
    podi_arg_c(&a->call, "30");
    a->call.deadline = 100;
    ask_start(a);
    until(a->done);
    ok(ask_failed(a, PODI_E_DEADLINE), "the same at a deadline");
    until(is_up(pg));
    is_int(stat_of(pg)->in_flight, 0, "and nothing is left running");
    is_int(downs, 0, "on the same connection");
    ask_free(&a);
}


static void
test_stale_plan(void)
{
    ask_t  *a, *b;

    a = ask(Q_PLAN);
    ask_start(a);
    until(a->done);
    is_int(a->rc, PODI_DONE, "a plan is made");
    ask_free(&a);

    a = ask(Q_ALTER);
    ask_start(a);
    until(a->done);
    is_int(a->rc, PODI_DONE, "its table changes");
    ask_free(&a);

    a = ask(Q_PLAN);
    ask_start(a);
    b = ask_int(Q_ECHO, 1);
    until(a->done && b->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE) && !a->fail.uncertain,
       "a stale plan did certainly not run");
    is_int(b->rc, PODI_DONE, "the one behind it did");
    ask_free(&a);
    ask_free(&b);

    a = ask(Q_PLAN);
    ask_start(a);
    until(a->done);
    is_int(a->rc, PODI_DONE, "a fresh connection has a fresh plan");
    ask_free(&a);
}


static void
test_admin_shutdown(void)
{
    ask_t    *a, *b, *c;
    int64_t   pid;

    a = ask(Q_PID);
    ask_start(a);
    until(a->done);
    pid = podi_row_int64(a->result, 0, "pid");
    ask_free(&a);

    a = ask_int(Q_TERMINATE, pid);
    b = ask_int(Q_ECHO, 1);
    until(a->done && b->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE), "told to go: unavailable");
    ok(ask_failed(b, PODI_E_UNAVAILABLE) && b->fail.uncertain,
       "what was behind it on the wire: uncertain");
    is_int(downs, 1, "one change is told");
    ask_free(&a);
    ask_free(&b);

    c = ask_int(Q_ECHO, 1);
    until(c->done);
    is_int(c->rc, PODI_DONE, "what comes next waits for the new connection");
    ask_free(&c);
}


int
main(void)
{
    unsigned  fds;

    if (getenv("PODI_TEST_CONNINFO") == NULL) {
        printf("1..0 # SKIP run by store.t\n");
        return 0;
    }

    store_start();
    fds = fds_open();

    open_engine("PODI_TEST_CONNINFO");
    test_reading();
    test_arguments();
    test_context();
    test_errors();
    test_commit();
    test_sizes();
    test_bounds();
    test_deadlines();
    test_slow_lane();
    test_stale_plan();
    test_admin_shutdown();
    podi_pg_free(&pg);

    store_end(fds);

    return tap_done();
}
