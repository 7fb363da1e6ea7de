/*
 * store_redis: the Redis engine and the queue scripts against a real server,
 * some of the time through a proxy that refuses, stalls, lies and cuts.
 *
 * Run by store.t, which starts the server:
 *
 *     PODI_TEST_REDIS     the server    PODI_CUT_REDIS  through the cutter
 *     PODI_CUTTER         the cutter's control socket
 *     PODI_TEST_REDIS_PASSWORD
 */

#include "store.h"
#include "banned.h"


static podi_redis_t   *redis, *sub;
static podi_arena_t   *arena;
static podi_secret_t  *password;
static int             ups, downs, messages;
static podi_fail_t     down_fail;
static char            last_message[64];
static void          (*on_message_then)(void);


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


static void
heard(void *data, const podi_str_t *channel, const podi_str_t *payload)
{
    (void) data;

    messages++;
    snprintf(last_message, sizeof(last_message), "%.*s=%.*s",
             podi_str_arg(channel), podi_str_arg(payload));

    if (on_message_then != NULL) {
        on_message_then();
    }
}


static podi_redis_t *
open_engine(const char *variable, podi_redis_role_e role)
{
    podi_redis_conf_t  conf = {
        .address = getenv(variable), .password = password, .db = 1,
        .name = "store_redis", .role = role, .connect_timeout = 400,
        .deadline = 250, .reconnect_max = 100, .ping = 60000,
        .in_flight = 100, .on_change = changed, .on_message = heard
    };

    ups = downs = messages = 0;

    return podi_redis_create(&uv.io, &conf);
}


static ask_t *
ask_argv(podi_redis_t *engine, podi_lua_e script, size_t argc,
    const char **argv)
{
    size_t   i;
    ask_t   *a = ask_new();

    a->redis = engine;
    a->script = script;
    a->argc = argc;

    for (i = 0; i < argc; i++) {
        a->argv[i] = str(argv[i]);
    }

    ask_start(a);

    return a;
}


#define ARGC(...)  (sizeof((const char *[]) { __VA_ARGS__ })                 \
                    / sizeof(const char *))

#define command(...)                                                         \
    ask_argv(redis, PODI_LUA_LAST, ARGC(__VA_ARGS__),                        \
             (const char *[]) { __VA_ARGS__ })

#define script(id, ...)                                                      \
    ask_argv(redis, PODI_LUA_##id, ARGC(__VA_ARGS__),                        \
             (const char *[]) { __VA_ARGS__ })


static void
close_ask(ask_t *a)
{
    ask_free(&a);
}


/* an answer as text: "7", "nil", "[a b 1]" */

static void
reply_text(podi_buf_t *b, const podi_redis_reply_t *reply)
{
    size_t  i;

    switch (reply->type) {

    case PODI_REDIS_NIL:
        podi_buf_add_c(b, "nil");
        return;

    case PODI_REDIS_INTEGER:
        podi_buf_printf(b, "%lld", (long long) reply->integer);
        return;

    case PODI_REDIS_STRING:
        podi_buf_add_str(b, &reply->str);
        return;

    case PODI_REDIS_ARRAY:
        podi_buf_add_c(b, "[");

        for (i = 0; i < reply->n; i++) {
            podi_buf_add_c(b, i > 0 ? " " : "");
            reply_text(b, &reply->elements[i]);
        }

        podi_buf_add_c(b, "]");
    }
}


static podi_str_t
answer_of(ask_t *a)
{
    podi_buf_t  b;
    podi_str_t  text = podi_null_str;

    podi_buf_init(&b, a->mem);

    if (a->rc == PODI_DONE) {
        reply_text(&b, a->result);

    } else {
        podi_buf_add_c(&b, podi_error(a->fail.error)->code);
    }

    (void) !podi_buf_take(&b, &text);

    return text;
}


/* sends, waits, compares, forgets */

static void
answers(ask_t *a, const char *want, const char *what)
{
    until(a->done);
    is_str(answer_of(a), want, what);
    ask_free(&a);
}


static int
is_up(void)
{
    return podi_redis_is_up(redis);
}


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


#define Q  "podi:{q:test}:"

static int
hints(void)
{
    int     n;
    ask_t  *a = command("HLEN", Q "ids");

    until(a->done);
    n = (int) ((podi_redis_reply_t *) a->result)->integer;
    ask_free(&a);

    return n;
}


static void
test_noscript(void)
{
    podi_str_t  argv[] = { podi_string(Q), podi_string("f1"),
                           podi_string("t"), podi_string("1") };

    answers(script(QUEUE_CLAIM, Q, "1"), "[ 0]", "a script by its digest");
    answers(command("SCRIPT", "FLUSH"), "OK", "the server forgets it");
    answers(script(QUEUE_CLAIM, Q, "1"), "[ 0]", "its text is sent");
    answers(command("SCRIPT", "FLUSH"), "OK", "again");
    is_int(podi_redis_script(redis, NULL, PODI_LUA_QUEUE_PUSH, 1, 4, argv),
           PODI_OK, "also when nobody waits");
    until(hints() == 1);
    answers(script(QUEUE_DROP, Q, "f1"), "1", "and dropped");
    is_int(downs, 0, "over one connection");
}


static void
test_push(void)
{
    ask_t       *a;
    char         gen[32], want[80];
    podi_str_t   text;

    close_ask(command("FLUSHDB"));

    a = script(QUEUE_PUSH, Q, "a1", "a", "1", "a2", "a", "1", "b1", "b", "1");
    until(a->done);
    text = answer_of(a);
    snprintf(gen, sizeof(gen), "%.*s", (int) text.len - 4, text.data + 3);
    ok(text.len > 10 && memcmp(text.data, "[3 ", 3) == 0,
       "three hints in one call: " PODI_STR_FMT, podi_str_arg(&text));
    ask_free(&a);

    snprintf(want, sizeof(want), "[1 %s]", gen);
    answers(script(QUEUE_PUSH, Q, "a1", "a", "1", "c1", "c", "1"), want,
            "one that is here is not queued twice; the generation stays");
    answers(command("LLEN", Q "wake"), "1", "one wake token for all");

    snprintf(want, sizeof(want), "[%s 2 a1 b1]", gen);
    answers(script(QUEUE_CLAIM, Q, "2"), want, "a claim takes turns");
    answers(command("LPOP", Q "wake"), "1", "the worker's token");

    snprintf(want, sizeof(want), "[%s 1 c1]", gen);
    answers(script(QUEUE_CLAIM, Q, "1"), want, "the next claim goes on");
    answers(command("LLEN", Q "wake"), "1", "a token for what is left");

    snprintf(want, sizeof(want), "[%s 0 a2]", gen);
    answers(script(QUEUE_CLAIM, Q, "9"), want, "the last one");
    answers(command("EXISTS", Q "ids", Q "active", Q "vt", Q "pass", Q "w",
                    Q "t:a", Q "t:b", Q "t:c"), "0",
            "an empty queue keeps nothing");

    close_ask(command("DEL", Q "wake"));
    snprintf(want, sizeof(want), "[1 %s]", gen);
    answers(script(QUEUE_PUSH, Q, "a1", "a", "1"), want,
            "a claimed hint may come again");
    answers(command("LLEN", Q "wake"), "1", "empty to non-empty: a token");

    answers(command("FLUSHDB"), "OK", "Redis loses everything");
    answers(script(QUEUE_CLAIM, Q, "9"), "[ 0]", "no generation: it shows");

    a = script(QUEUE_PUSH, Q);
    until(a->done);
    text = answer_of(a);
    ok(!podi_str_eq_c(&text, want), "the next generation is another");
    ask_free(&a);
}


static void
test_drop(void)
{
    ask_t  *a;

    close_ask(command("FLUSHDB"));
    close_ask(script(QUEUE_PUSH, Q, "a1", "a", "1", "a2", "a", "1",
                     "b1", "b", "1"));
    close_ask(command("SET", Q "gen", "g"));

    answers(script(QUEUE_DROP, Q, "a1", "zz"), "1", "drop says how many");
    answers(script(QUEUE_PUSH, Q, "b1", "b", "1"), "[0 g]",
            "the others are still here");
    answers(script(QUEUE_CLAIM, Q, "3"), "[g 0 a2 b1]",
            "a dropped one is passed over at no cost");

    close_ask(script(QUEUE_PUSH, Q, "a1", "a", "1", "a2", "a", "1"));
    close_ask(script(QUEUE_DROP, Q, "a1"));
    close_ask(script(QUEUE_PUSH, Q, "a1", "a", "1"));
    answers(script(QUEUE_CLAIM, Q, "9"), "[g 0 a1 a2]",
            "dropped and pushed again: once");

    close_ask(script(QUEUE_PUSH, Q, "a1", "a", "1", "b1", "b", "1"));
    answers(script(QUEUE_DROP, Q, "a1", "b1"), "2", "all of them");
    a = command("KEYS", Q "*");
    answers(a, "[" Q "gen]", "leaves nothing but the generation");
}


/* n ids of a tenant: "a0", "a1", ... */

static void
push_many(const char *tenant, const char *weight, int n)
{
    int      i;
    ask_t   *a = ask_new();

    a->redis = redis;
    a->script = PODI_LUA_QUEUE_PUSH;
    a->argv[a->argc++] = str(Q);

    for (i = 0; i < n; i++) {
        if (podi_mem_printf(a->mem, &a->argv[a->argc++], "%s%d", tenant, i)
            != PODI_OK)
        {
            exit(2);
        }

        a->argv[a->argc++] = str(tenant);
        a->argv[a->argc++] = str(weight);
    }

    ask_start(a);
    until(a->done);
    ask_free(&a);
}


static void
claim_counts(const char *n, int *ret_a, int *ret_b)
{
    size_t               i;
    ask_t               *x = script(QUEUE_CLAIM, Q, n);
    podi_redis_reply_t  *reply;

    until(x->done);

    reply = x->result;
    *ret_a = *ret_b = 0;

    for (i = 2; i < reply->n; i++) {
        *ret_a += reply->elements[i].str.data[0] == 'a';
        *ret_b += reply->elements[i].str.data[0] == 'b';
    }

    ask_free(&x);
}


static void
test_fairness(void)
{
    int  a, b;

    close_ask(command("FLUSHDB"));

    push_many("a", "1", 60);
    claim_counts("20", &a, &b);
    is_int(a, 20, "alone, a tenant gets all");

    push_many("b", "1", 30);
    claim_counts("20", &a, &b);
    ok(a >= 9 && a <= 11, "one that comes later gets half, not more: %d to"
       " %d", a, b);

    close_ask(command("FLUSHDB"));
    push_many("a", "3", 60);
    push_many("b", "1", 60);
    claim_counts("40", &a, &b);
    ok(a >= 29 && a <= 31, "weight 3 gets three turns of four: %d to %d", a,
       b);
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
    until(downs == 1);
    cutter("pass");

    podi_redis_free(&blocking);
    podi_redis_free(&commands);
    redis = NULL;
}


static void
publish(const char *channel, const char *payload)
{
    close_ask(command("PUBLISH", channel, payload));
}


/* how many get what is published there */

static int
receivers(const char *channel)
{
    int                  n;
    ask_t               *a = command("PUBSUB", "NUMSUB", channel);
    podi_redis_reply_t  *reply;

    until(a->done);
    reply = a->result;
    n = a->rc == PODI_DONE ? (int) reply->elements[1].integer : -1;
    ask_free(&a);

    return n;
}


static void
free_sub(void)
{
    podi_redis_free(&sub);
}


static void
test_subscriber(void)
{
    char        name[24];
    unsigned    i, taken;
    podi_str_t  channel = podi_string("user:1"), other, two;

    two = str("user:2");
    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    sub = open_engine("PODI_CUT_REDIS", PODI_REDIS_SUBSCRIBER);

    ok(podi_redis_subscribe(sub, &channel) == PODI_OK, "subscribed before it"
       " is up");

    for (i = 0, taken = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "many:%u", i);
        other = str(name);
        taken += podi_redis_subscribe(sub, &other) == PODI_OK;
    }

    is_int(taken, 200, "and many more");

    until(is_up() && podi_redis_is_up(sub));

    publish("user:1", "one");
    until(messages == 1);
    is_str(str(last_message), "user:1=one", "a message");
    publish("many:199", "far");
    until(messages == 2);
    is_str(str(last_message), "many:199=far", "the last of many channels");

    ok(podi_redis_subscribe(sub, &two) == PODI_OK, "another while it is up");
    podi_redis_unsubscribe(sub, &channel);
    until(receivers("user:2") == 1 && receivers("user:1") == 0);
    messages = 0;
    publish("user:1", "gone");
    publish("user:2", "x");
    until(messages == 1);
    is_str(str(last_message), "user:2=x", "what was given up is not told");

    ups = downs = 0;
    cutter("reset");
    until(downs == 1 && ups == 1);
    messages = 0;
    publish("user:2", "back");
    until(messages == 1);
    is_str(str(last_message), "user:2=back", "a reconnect takes the channels"
           " again, and says so");

    on_message_then = free_sub;
    publish("user:2", "last");
    until(sub == NULL);
    is_int(messages, 2, "freed inside a message");
    on_message_then = NULL;
}


static void
test_subscriber_silence(void)
{
    podi_redis_conf_t  conf = {
        .address = getenv("PODI_CUT_REDIS"), .password = password,
        .role = PODI_REDIS_SUBSCRIBER, .connect_timeout = 400,
        .deadline = 100, .reconnect_max = 100, .ping = 30,
        .on_change = changed, .on_message = heard
    };
    podi_str_t         channel = podi_string("user:1");

    ups = downs = 0;
    messages = 0;
    sub = podi_redis_create(&uv.io, &conf);
    ok(podi_redis_subscribe(sub, &channel) == PODI_OK, "subscribed");
    until(podi_redis_is_up(sub));

    cutter("stall");
    until(downs == 1);
    is_str(str(down_fail.detail), "Redis is silent", "a subscriber finds a"
           " silent peer");
    cutter("pass");
    until(ups == 2);
    publish("user:1", "hello");
    until(messages == 1);
    is_str(str(last_message), "user:1=hello", "and is subscribed again");
    podi_redis_free(&sub);
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
    unsigned    fds;
    podi_str_t  secret;

    if (getenv("PODI_TEST_REDIS") == NULL) {
        printf("1..0 # SKIP run by store.t\n");
        return 0;
    }

    store_start();
    fds = fds_open();
    arena = podi_arena_create();
    secret = str(getenv("PODI_TEST_REDIS_PASSWORD"));

    if (podi_secret_make(podi_arena_mem(arena), &secret, &password)
        != PODI_OK)
    {
        return 2;
    }

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    test_commands();
    test_big();
    test_bound();
    test_noscript();
    test_push();
    test_drop();
    test_fairness();
    podi_redis_free(&redis);

    test_refuse();
    test_silence();
    test_reset();
    test_refusals();
    podi_redis_free(&redis);

    test_idle();
    test_blocking();
    test_subscriber();
    test_subscriber_silence();
    test_free();
    test_config();

    podi_arena_free(&arena);
    store_end(fds);

    return tap_done();
}
