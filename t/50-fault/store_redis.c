/*
 * store_redis: the Redis engine through a proxy that refuses, stalls, lies
 * and cuts; its blocking role; its end; its configuration.
 *
 * Run by store.t, which starts the server and the cutter:
 *
 *     PODI_TEST_REDIS     the server    PODI_CUT_REDIS  through the cutter
 *     PODI_CUTTER         the cutter's control socket
 *     PODI_TEST_REDIS_PASSWORD
 */

#include "store_redis.h"
#include "banned.h"


static void
test_commands(void)
{
    ask_t       *a;
    podi_str_t   argv[3] = { podi_string("SET"), podi_string("k"),
                             podi_string("a\0\r\nb") };

    a = command("PING");
    ok(ask_failed(a, PODI_E_UNAVAILABLE), "before it is up: unavailable, at"
       " once");
    ask_free(&a);

    until(is_up());

    a = command("PING");
    ok(!a->done, "an answer never comes inside the call");
    answers(a, "PONG", "a status");

    answers(command("FLUSHDB"), "OK", "a clean start");
    answers(command("CLIENT", "GETNAME"), "store_redis", "the name is set");
    is_int(podi_redis_send(redis, 3, argv), PODI_OK, "fire and forget");
    a = command("GET", "k");
    until(a->done);
    ok(((podi_redis_reply_t *) a->result)->str.len == 5
       && memcmp(((podi_redis_reply_t *) a->result)->str.data, "a\0\r\nb", 5)
          == 0, "binary both ways");
    ask_free(&a);

    answers(command("INCR", "n"), "1", "an integer");
    answers(command("GET", "none"), "nil", "a nil");
    answers(command("MGET", "n", "none"), "[1 nil]", "an array");
    answers(command("INCR", "k"), "internal", "an error fails the flow");

    a = command("INCR", "n");
    ask_free(&a);
    answers(command("GET", "n"), "2", "a caller that goes hurts nobody");
}


static void
test_big(void)
{
    ask_t  *a;

    close_ask(command("SETRANGE", "big", "2000000", "x"));
    a = command("GET", "big");
    until(a->done);
    is_int(a->rc == PODI_DONE
           ? (int) ((podi_redis_reply_t *) a->result)->str.len : -1, 2000001,
           "a reply of two megabytes");
    ask_free(&a);
    close_ask(command("DEL", "big"));
}


static void
test_bound(void)
{
    int     i, done;
    ask_t  *a[101];

    answers(command("PING"), "PONG", "nothing is in flight");

    for (i = 0; i < 101; i++) {
        a[i] = command("PING");
    }

    ok(ask_failed(a[100], PODI_E_UNAVAILABLE), "the 101st is refused");
    until(a[99]->done);

    for (i = 0, done = 0; i < 101; i++) {
        done += a[i]->rc == PODI_DONE;
        ask_free(&a[i]);
    }

    is_int(done, 100, "the others are answered");
}


static void
test_refuse(void)
{
    cutter("refuse");
    redis = open_engine("PODI_CUT_REDIS", PODI_REDIS_COMMANDS);
    until(downs == 1);
    answers(command("PING"), "unavailable", "refused: unavailable");
    is_int(podi_redis_send(redis, 1, &(podi_str_t) podi_string("PING")),
           PODI_DECLINED, "fire and forget: declined");
    cutter("pass");
    until(is_up());
    answers(command("PING"), "PONG", "and again in order");
}


static void
test_silence(void)
{
    ask_t  *a, *b;

    downs = 0;
    cutter("stall");
    a = command("PING");
    until(a->done);
    ok(ask_failed(a, PODI_E_DEADLINE) && a->fail.uncertain,
       "silent: the deadline, uncertain");
    is_int(downs, 0, "which is no verdict yet");
    ask_free(&a);
    until(downs == 1);
    is_str(str(down_fail.detail), "Redis is silent", "twice the deadline is");
    cutter("pass");
    until(is_up());

    close_ask(command("SETRANGE", "big", "100000", "x"));
    cutter("stall-after 4000");
    a = command("GET", "big");
    b = command("PING");
    until(a->done && b->done);
    ok(ask_failed(a, PODI_E_DEADLINE), "half a reply is none");
    until(!is_up());
    ask_free(&a);
    ask_free(&b);
    cutter("pass");
    until(is_up());

    cutter("delay 50");
    a = command("GET", "big");
    until(a->done);
    is_int(a->rc, PODI_DONE, "slow is not broken");
    ask_free(&a);
    cutter("pass");
}


static void
test_reset(void)
{
    int     i, failed;
    ask_t  *a[20];

    until(is_up());
    cutter("stall");

    for (i = 0; i < 20; i++) {
        a[i] = command("PING");
    }

    uv_run(&loop, UV_RUN_NOWAIT);
    cutter("reset");
    until(a[19]->done);

    for (i = 0, failed = 0; i < 20; i++) {
        failed += ask_failed(a[i], PODI_E_UNAVAILABLE)
                  && a[i]->fail.uncertain;
        ask_free(&a[i]);
    }

    is_int(failed, 20, "reset with a batch under way: all of it is uncertain");
    cutter("pass");
    until(is_up());
    answers(command("PING"), "PONG", "and again in order");
}


static void
test_refusals(void)
{
    until(is_up());
    downs = 0;
    cutter("answer -READONLY You can't write against a replica.\\r\\n");
    answers(command("SET", "a", "b"), "unavailable", "a replica is no use");
    until(downs == 1);
    ok(strstr(down_fail.detail, "READONLY") != NULL, "and is left");

    cutter("answer -LOADING Redis is loading the dataset\\r\\n");
    cutter("reset");
    answers(command("PING"), "unavailable", "not up while it lies");
    podi_redis_free(&redis);

    redis = open_engine("PODI_CUT_REDIS", PODI_REDIS_COMMANDS);
    until(downs == 1);
    ok(strstr(down_fail.detail, "LOADING") != NULL, "loading is not up: %s",
       down_fail.detail);
    cutter("pass");
    cutter("reset");
    until(is_up());
    answers(command("PING"), "PONG", "and again in order");
}


static void
test_idle(void)
{
    podi_redis_conf_t  conf = {
        .address = getenv("PODI_CUT_REDIS"), .password = password,
        .role = PODI_REDIS_COMMANDS, .connect_timeout = 400, .deadline = 100,
        .reconnect_max = 100, .ping = 50, .on_change = changed
    };

    ups = downs = 0;
    redis = podi_redis_create(&uv.io, &conf);
    until(is_up());
    cutter("stall");
    until(downs == 1);
    is_str(str(down_fail.detail), "Redis is silent", "a PING finds a silent"
           " peer that nobody asks");
    cutter("pass");
    until(is_up());
    podi_redis_free(&redis);
}


static ask_t *
blpop(const char *key, podi_msec_t wait)
{
    ask_t  *a = ask_new();

    a->redis = redis;
    a->wait = wait;
    a->argc = 1;
    a->argv[0] = str(key);
    ask_start(a);

    return a;
}


static void
test_blocking(void)
{
    ask_t         *a;
    podi_redis_t  *commands, *blocking;

    commands = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    blocking = open_engine("PODI_CUT_REDIS", PODI_REDIS_BLOCKING);
    redis = blocking;
    until(podi_redis_is_up(commands) && is_up());

    answers(blpop("wake", 300), "nil", "a wait longer than the deadline ends"
            " by itself");

    a = blpop("wake", 5000);
    redis = commands;
    close_ask(command("RPUSH", "wake", "x"));
    answers(a, "[wake x]", "a push ends it");

    redis = blocking;
    downs = ups = 0;
    a = blpop("wake", 5000);
    uv_run(&loop, UV_RUN_NOWAIT);
    ask_free(&a);
    until(ups == 1);
    redis = commands;
    close_ask(command("RPUSH", "wake", "y"));
    redis = blocking;
    answers(blpop("wake", 300), "[wake y]", "one that was given up takes"
            " nothing");
    is_int(downs, 0, "and is no failure");

    cutter("stall");
    answers(blpop("wake", 50), "deadline", "silent: its wait and the"
            " deadline");
    ok(!is_up(), "then its connection ends, or it would go on to take what"
       " nobody reads");
    until(downs == 1);
    cutter("pass");

    podi_redis_free(&blocking);
    podi_redis_free(&commands);
    redis = NULL;
}


static void
free_redis(void)
{
    podi_redis_free(&redis);
}


static void
test_free(void)
{
    ask_t  *a, *b;

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    until(is_up());
    a = command("PING");
    podi_redis_free(&redis);
    ok(ask_failed(a, PODI_E_UNAVAILABLE) && a->fail.uncertain,
       "freed: what was sent ends, uncertain");
    ask_free(&a);

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    until(is_up());
    a = command("PING");
    a->then = free_redis;
    b = command("PING");
    until(a->done && b->done);
    ok(a->rc == PODI_DONE && b->done == 1, "freed inside an answer");
    ask_free(&a);
    ask_free(&b);
}


static void
test_config(void)
{
    unsigned           i;
    podi_str_t         wrong = podi_string("wrong");
    podi_redis_conf_t  conf = {
        .role = PODI_REDIS_COMMANDS, .connect_timeout = 400, .deadline = 100,
        .reconnect_max = 100, .ping = 1000, .on_change = changed
    };

    static const char *const  addresses[] = {
        "redis.example:6379", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x",
        ":6379", "redis.sock"
    };

    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        conf.address = addresses[i];
        downs = 0;
        redis = podi_redis_create(&uv.io, &conf);
        until(downs == 1);
        answers(command("PING"), "config", addresses[i]);
        podi_redis_free(&redis);
    }

    conf.address = getenv("PODI_TEST_REDIS");

    if (podi_secret_make(podi_arena_mem(arena), &wrong, &conf.password)
        != PODI_OK)
    {
        exit(2);
    }

    downs = 0;
    redis = podi_redis_create(&uv.io, &conf);
    until(downs == 1);
    is_int(down_fail.error, PODI_E_CONFIG, "a wrong password is told");
    podi_redis_free(&redis);
}


int
main(void)
{
    unsigned  fds = redis_start();

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    test_commands();
    test_big();
    test_bound();
    podi_redis_free(&redis);

    test_refuse();
    test_silence();
    test_reset();
    test_refusals();
    podi_redis_free(&redis);

    test_idle();
    test_blocking();
    test_free();
    test_config();

    return redis_end(fds);
}
