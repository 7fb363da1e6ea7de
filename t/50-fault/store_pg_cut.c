/*
 * store_pg_cut: the PostgreSQL engine through a proxy that refuses, stalls,
 * delays and cuts; its end; its configuration.
 *
 * Run by store.t, which starts the server and the cutter:
 *
 *     PODI_TEST_CONNINFO  the server    PODI_CUT_CONNINFO  through the cutter
 *     PODI_CUTTER         the cutter's control socket
 */

#include "store_pg.h"
#include "podi_pg_int.h"
#include "banned.h"


#define FOREVER  (6 * PATIENCE)     /* whoever waits for it fails the test */


static ask_t *
ask_forever(podi_sql_e sql)
{
    ask_t  *a = ask(sql);

    podi_arg_c(&a->call, "0");
    a->call.deadline = FOREVER;
    ask_start(a);

    return a;
}


static int
is_refused(podi_sql_e sql)
{
    int     refused;
    ask_t  *a = ask_forever(sql);

    until(a->done);
    refused = ask_failed(a, PODI_E_UNAVAILABLE) && !a->fail.uncertain
              && a->fail.retry_after > 0;
    ask_free(&a);

    return refused;
}


static void
rested(uv_timer_t *timer)
{
    *(int *) timer->data = 1;
}


/*
 * Until nobody has been refused for so long that the next who asks has an
 * attempt made.
 */

static void
until_rested(void)
{
    int          now = 0;
    unsigned     i;
    podi_msec_t  last = 0;
    uv_timer_t   timer;

    for (i = 0; i < pg->all; i++) {
        last = pg->conns[i].refused_at > last ? pg->conns[i].refused_at : last;
    }

    last += PODI_PG_TRY_AGAIN;

    uv_update_time(&loop);
    uv_timer_init(&loop, &timer);
    timer.data = &now;
    uv_timer_start(&timer, rested, last > podi_time_mono()
                                   ? last - podi_time_mono() : 0, 0);
    until(now);

    uv_close((uv_handle_t *) &timer, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}


/* asks until it is answered, as clients do */

static int
comes_back(podi_sql_e sql)
{
    int     tries, back = 0;
    ask_t  *a;

    for (tries = 0; tries < PATIENCE / PODI_PG_TRY_AGAIN && !back; tries++) {
        until_rested();
        a = ask_forever(sql);
        until(a->done);
        back = (a->rc == PODI_DONE);
        ask_free(&a);
    }

    return back;
}


#define is_trying()  (pg->conns[0].state == PODI_PG_CONNECTING)


/* asked when an attempt may be made; this one waits for it */

static ask_t *
ask_trying(void)
{
    ask_t  *a = ask_forever(Q_ECHO);

    until(a->done || is_trying());

    while (a->done && !patience_is_over) {
        ask_free(&a);
        until_rested();
        a = ask_forever(Q_ECHO);
        until(a->done || is_trying());
    }

    return a;
}


/* the back-off of every connection is far longer than this test */

static void
back_off(void)
{
    unsigned  i;

    for (i = 0; i < pg->all; i++) {
        pg->conns[i].failures = 16;

        if (pg->conns[i].state == PODI_PG_DOWN) {
            uv.io.arm(pg->conns[i].timer, FOREVER);
        }
    }
}


static void
test_refuse(void)
{
    ask_t           *a;
    podi_pg_conf_t   conf = conf_for(getenv("PODI_CUT_CONNINFO"));

    conf.reconnect_max = 1000 * FOREVER;
    conf.connect_timeout = FOREVER;

    ups = downs = 0;
    cutter("refuse");
    pg = podi_pg_create(&uv.io, &conf);

    ok(is_refused(Q_ECHO), "refused: the first attempt has failed, so nobody"
       " waits for his deadline");
    is_int(downs, 2, "each connection says so once");
    ok(is_refused(Q_ECHO) && is_refused(Q_ECHO), "nor does who comes later");
    ok(is_refused(Q_SLOW), "nor in the slow lane");
    is_int(stat_of(pg)->waiting, 0, "nobody is left waiting");

    back_off();
    cutter("stall");
    a = ask_trying();
    until(a->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE),
       "an attempt that is not answered is waited for for a while");
    ok(is_trying() && is_refused(Q_ECHO), "and then not any more");
    ask_free(&a);

    cutter("pass");
    until(ups == 1);
    echoes("until it is answered");
    ok(comes_back(Q_SLOW), "who asks has the next attempt made early");

    cutter("refuse");
    cutter("reset");
    until(pg->conns[0].refused > 0 && pg->conns[1].refused > 0
          && pg->conns[0].state == PODI_PG_DOWN
          && pg->conns[1].state == PODI_PG_DOWN);
    ok(is_refused(Q_ECHO), "refused after a loss: at once, too");
    back_off();
    cutter("pass");
    ok(comes_back(Q_ECHO), "who asks finds it back");
    podi_pg_free(&pg);

    open_engine("PODI_CUT_CONNINFO");
}


static void
test_cuts(void)
{
    ask_t  *a, *b, *c;

    until(is_up(pg));

    cutter("cut-after 5000");
    a = ask_int(Q_BIG, 60000);
    until(a->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE) && a->fail.uncertain,
       "cut in the middle of an answer: uncertain");
    ask_free(&a);
    echoes("and again in order");

    until(is_up(pg));
    a = ask_c(Q_SLEEP, "5");
    b = ask_c(Q_SLEEP, "5");
    until(stat_of(pg)->in_flight == 2);
    cutter("reset");
    until(a->done && b->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE) && a->fail.uncertain
       && ask_failed(b, PODI_E_UNAVAILABLE) && b->fail.uncertain,
       "reset with a batch under way: all of it is uncertain");
    ask_free(&a);
    ask_free(&b);
    echoes("and again in order");

    until(is_up(pg));
    cutter("delay 60");
    c = ask_int(Q_BIG, 200000);
    until(c->done);
    is_int(c->rc, PODI_DONE, "slow is not broken");
    ask_free(&c);
    cutter("pass");
}


static void
test_silence(void)
{
    ask_t  *a;

    until(is_up(pg));
    downs = 0;
    cutter("stall");
    a = ask(Q_ECHO);
    podi_arg_int64(&a->call, 1);
    a->call.deadline = 100;
    ask_start(a);
    until(a->done);
    ok(ask_failed(a, PODI_E_DEADLINE) && a->fail.uncertain,
       "silent: the caller's deadline");
    is_int(downs, 0, "which is no verdict yet");
    ask_free(&a);

    until(downs == 1);
    is_str(str(down_fail.detail), "the database is silent",
           "statement_timeout and a grace: now it is");
    is_int(stat_of(pg)->in_flight, 0, "nothing is in flight any more");

    cutter("pass");
    echoes("and again in order");

    until(is_up(pg));
    cutter("reset");
    cutter("stall-after 10");
    until(!is_up(pg));
    downs = 0;
    a = ask(Q_ECHO);
    podi_arg_int64(&a->call, 1);
    a->call.deadline = 900;
    ask_start(a);
    until(a->done);
    ok(ask_failed(a, PODI_E_UNAVAILABLE), "silent while connecting: none is"
       " up");
    ask_free(&a);
    cutter("pass");
    until(is_up(pg));
    echoes("connect_timeout ends the attempt, and the next one works");
}


static void
free_engine(void)
{
    podi_pg_free(&pg);
}


static void
test_free(void)
{
    ask_t  *a, *b, *c;

    open_engine("PODI_TEST_CONNINFO");
    until(is_up(pg));

    a = ask_c(Q_SLEEP, "0.5");
    until(stat_of(pg)->in_flight == 1);
    b = ask_int(Q_ECHO, 1);
    c = ask_c(Q_SLOW, "0.5");
    podi_pg_free(&pg);
    ok(ask_failed(a, PODI_E_UNAVAILABLE) && a->fail.uncertain,
       "freed: what was sent ends, uncertain");
    ok(ask_failed(b, PODI_E_UNAVAILABLE) && !b->fail.uncertain,
       "what waited ends, certain");
    ok(ask_failed(c, PODI_E_UNAVAILABLE), "in both lanes");
    ask_free(&a);
    ask_free(&b);
    ask_free(&c);

    open_engine("PODI_TEST_CONNINFO");
    a = ask(Q_ECHO);
    podi_arg_int64(&a->call, 1);
    a->then = free_engine;
    ask_start(a);
    b = ask_int(Q_ECHO, 2);
    until(a->done && b->done);
    is_int(a->rc, PODI_DONE, "freed inside an answer");
    is_int(b->done, 1, "the other ends once");
    ask_free(&a);
    ask_free(&b);
}


static void
test_config(void)
{
    unsigned             i;
    ask_t               *a;
    podi_fail_t          fail;
    podi_pg_conf_t       conf;
    podi_pg_statement_t  broken[PODI_SQL_LAST];

    static const struct {
        const char  *conninfo;
        podi_rc_t    rc;
    }  cases[] = {
        { "host=/run/postgresql dbname=x", PODI_OK },
        { "host=10.0.0.1", PODI_OK },
        { "host=db.example hostaddr=10.0.0.1", PODI_OK },
        { "host=::1,/tmp", PODI_OK },
        { "host=db.example", PODI_ERROR },
        { "host=/tmp,db.example", PODI_ERROR },
        { "host=db.example hostaddr=''", PODI_ERROR },
        { "host=/tmp hostaddr=''", PODI_OK },
        { "host=a.example,b.example hostaddr=10.0.0.1,", PODI_ERROR },
        { "host=a.example,/tmp hostaddr=10.0.0.1,", PODI_OK },
        { "hostaddr=10.0.0.1,10.0.0.2", PODI_OK },
        { "dbname=x", PODI_ERROR },
        { "host=/tmp service=x", PODI_ERROR },
        { "host", PODI_ERROR }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(podi_pg_conninfo_check(cases[i].conninfo, &fail), cases[i].rc,
               cases[i].conninfo);
    }

    conf = conf_for("host=db.example");
    downs = 0;
    pg = podi_pg_create(&uv.io, &conf);
    a = ask_int(Q_ECHO, 1);
    until(a->done);
    ok(ask_failed(a, PODI_E_CONFIG) && downs == 1, "a name is not looked up");
    ask_free(&a);
    a = ask_int(Q_ECHO, 1);
    ok(ask_failed(a, PODI_E_CONFIG), "and later calls learn it at once");
    ask_free(&a);
    podi_pg_free(&pg);

    memcpy(broken, statements, sizeof(broken));
    broken[Q_PLAN].text = "select * from no_such_table";
    conf = conf_for(getenv("PODI_TEST_CONNINFO"));
    conf.statements = broken;
    downs = ups = 0;
    pg = podi_pg_create(&uv.io, &conf);
    until(downs == 1);
    ok(strstr(down_fail.detail, "TASK_LIST") != NULL,
       "what cannot be prepared is named: %s", down_fail.detail);
    podi_pg_free(&pg);
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

    test_refuse();
    test_cuts();
    test_silence();
    podi_pg_free(&pg);

    test_free();
    test_config();

    store_end(fds);

    return tap_done();
}
