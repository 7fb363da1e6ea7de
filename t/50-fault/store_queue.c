/*
 * store_queue: the queue's scripts in a real Redis, and how they get there.
 *
 * Run by store.t; PODI_TEST_REDIS and PODI_TEST_REDIS_PASSWORD say where.
 */

#include "store_redis.h"
#include "banned.h"


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


int
main(void)
{
    unsigned  fds;

    if (getenv("PODI_TEST_REDIS") == NULL) {
        printf("1..0 # SKIP run by store.t\n");
        return 0;
    }

    store_start();
    fds = fds_open();
    secret_start();

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    until(is_up());
    answers(command("FLUSHDB"), "OK", "a clean start");
    test_noscript();
    test_push();
    test_drop();
    test_fairness();
    podi_redis_free(&redis);

    podi_arena_free(&arena);
    store_end(fds);

    return tap_done();
}
