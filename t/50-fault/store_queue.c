/*
 * store_queue: hints and turns in a real Redis, and how the scripts get there;
 * gates are store_gates.c's.
 *
 * Run by store.t; PODI_TEST_REDIS and PODI_TEST_REDIS_PASSWORD say where.
 */

#include "store_redis.h"
#include "podi_queue.h"
#include "banned.h"


#define Q        PODI_QUEUE_PREFIX
#define LEASE    "60000"
#define HINT(id, tenant, weight)                                             \
    id, tenant, "test", "1", weight, "1", "", ""

static int
hints(void)
{
    int     n;
    ask_t  *a = command("HLEN", Q "ids:test");

    until(a->done);
    n = (int) ((podi_redis_reply_t *) a->result)->integer;
    ask_free(&a);

    return n;
}


static ask_t *
claim(const char *n)
{
    return script(QUEUE_CLAIM, Q, "test", n, LEASE, "");
}


/* slots are known, all is forgotten, so hints may be claimed */

static void
start_empty(void)
{
    close_ask(command("FLUSHDB"));
    close_ask(script(QUEUE_GATES, Q));
    close_ask(script(QUEUE_CHECK, Q, "1000"));
    close_ask(command("DEL", Q "built"));
    close_ask(command("MSET", Q "gen", "g", Q "ready", "g"));
    close_ask(command("SET", Q "token", "0"));
}


static void
test_noscript(void)
{
    podi_str_t  hint = podi_string("[{\"job_id\":\"f1\",\"tenant_id\":\"t\","
                                   "\"queue\":\"test\"}]");

    answers(claim("1"), "[ 0]", "a script by its digest");
    answers(command("SCRIPT", "FLUSH"), "OK", "the server forgets it");
    answers(claim("1"), "[ 0]", "its text is sent");
    answers(command("SCRIPT", "FLUSH"), "OK", "again");
    is_int(podi_queue_push_hints(redis, podi_arena_mem(arena), &hint),
           PODI_OK, "also when nobody waits");
    until(hints() == 1);
    answers(script(QUEUE_DROP, Q, "test", "f1"), "1", "and dropped");
    is_int(downs, 0, "over one connection");
}


static void
test_push(void)
{
    start_empty();

    answers(script(QUEUE_PUSH, Q, HINT("a1", "a", "1"), HINT("a2", "a", "1"),
                   HINT("b1", "b", "1")), "[3 g]", "three hints in one call");
    answers(script(QUEUE_PUSH, Q, HINT("a1", "a", "1"), HINT("c1", "c", "1")),
            "[1 g]", "one that is here is not queued twice");
    answers(command("LLEN", Q "wake:test"), "1", "one wake token for all");

    answers(claim("2"), "[g 2 a1 1 b1 2]", "a claim takes turns");
    answers(command("LPOP", Q "wake:test"), "1", "the worker's token");
    answers(claim("1"), "[g 1 c1 3]", "the next claim goes on");
    answers(command("LLEN", Q "wake:test"), "1", "a token for what is left");
    answers(claim("9"), "[g 0 a2 4]", "the last one");
    answers(script(QUEUE_RELEASE, Q, "a1", "1", "", "b1", "2", "", "c1", "3",
                   "", "a2", "4", ""), "4", "they end");
    close_ask(command("DEL", Q "wake:test"));
    answers(command("DBSIZE"), "4", "an empty queue keeps nothing but the"
            " generation, the newest token and the two marks");

    answers(script(QUEUE_PUSH, Q, HINT("a1", "a", "1")), "[1 g]",
            "a claimed hint may come again");
    answers(command("LLEN", Q "wake:test"), "1", "and puts a token");
}


static void
test_generation(void)
{
    ask_t       *a;
    podi_str_t   first, second;

    answers(command("FLUSHDB"), "OK", "Redis loses everything");
    answers(claim("9"), "[ 0]", "it shows");

    a = script(QUEUE_PUSH, Q, HINT("a1", "a", "1"));
    until(a->done);
    first = answer_of(a);
    ok(first.len > 10, "a push makes a generation: " PODI_STR_FMT,
       podi_str_arg(&first));
    ask_free(&a);

    answers(claim("9"), "[ 0]", "but the slots are not known yet");
    answers(script(QUEUE_CHECK, Q, "1000", "r1", "2", "9000", "global"),
            "[1 0 1 1]", "they are built from what runs");
    answers(command("SMEMBERS", Q "s:global"), "[r1:#2]", "each");
    answers(claim("9"), "[ 0]", "but the gates are not known yet");
    close_ask(script(QUEUE_GATES, Q, "global", "9 0 0 0 0"));
    answers(script(QUEUE_CHECK, Q, "1000", "r1", "2", "9000", "global"),
            "[1 0 0 1]", "nor is it the turn of what is there");
    a = claim("9");
    until(a->done);
    second = answer_of(a);
    ok(second.len > 6 && memcmp(second.data, "[ 0]", 4) != 0,
       "and claims are answered: " PODI_STR_FMT, podi_str_arg(&second));
    ask_free(&a);
}


static int
is_there(const char *key)
{
    int     n;
    ask_t  *a = command("EXISTS", key);

    until(a->done);
    n = (int) ((podi_redis_reply_t *) a->result)->integer;
    ask_free(&a);

    return n;
}


static int
goes(const char *key)
{
    podi_msec_t  deadline = podi_time_mono() + 5000;

    while (is_there(key)) {
        if (podi_time_mono() > deadline) {
            return 0;
        }
    }

    return 1;
}


/* what two looks saw is no difference that was there between them */

static void
test_suspects(void)
{
    start_empty();
    close_ask(script(QUEUE_PUSH, Q, HINT("a1", "a", "1")));
    close_ask(claim("1"));
    answers(script(QUEUE_CHECK, Q, "100"), "[0 0 0 0]",
            "a slot without a job is suspect");
    ok(goes(Q "suspect"), "for as long as somebody looks");
    answers(script(QUEUE_CHECK, Q, "100"), "[0 0 0 0]",
            "after a pause it is so anew");
    answers(script(QUEUE_CHECK, Q, "100", "a1", "1", "9000", ""),
            "[0 0 0 0]", "there was a job, after all");
    ok(!is_there(Q "suspect"), "and nothing is suspect any more");
    close_ask(script(QUEUE_RELEASE, Q, "a1", "1", ""));
}


static void
test_drop(void)
{
    start_empty();
    close_ask(script(QUEUE_PUSH, Q, HINT("a1", "a", "1"),
                     HINT("a2", "a", "1"), HINT("b1", "b", "1")));

    answers(script(QUEUE_DROP, Q, "test", "a1", "zz"), "1",
            "drop says how many");
    answers(script(QUEUE_PUSH, Q, HINT("b1", "b", "1")), "[0 g]",
            "the others are still here");
    answers(claim("3"), "[g 0 a2 1 b1 2]",
            "a dropped one is passed over at no cost");

    close_ask(script(QUEUE_PUSH, Q, HINT("a1", "a", "1"),
                     HINT("a2", "a", "1")));
    close_ask(script(QUEUE_DROP, Q, "test", "a1"));
    close_ask(script(QUEUE_PUSH, Q, HINT("a1", "a", "1")));
    answers(claim("9"), "[g 0 a1 3 a2 4]", "dropped and pushed again: once");

    close_ask(script(QUEUE_PUSH, Q, HINT("a1", "a", "1"),
                     HINT("b1", "b", "1")));
    answers(script(QUEUE_DROP, Q, "test", "a1", "b1"), "2", "all of them");
    answers(script(QUEUE_RELEASE, Q, "a2", "1", "", "b1", "2", "", "a1", "3",
                   "", "a2", "4", ""), "4", "with what ran");
    answers(command("DBSIZE"), "4",
            "leaves nothing but the generation, the token and the marks");
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
        a->argv[a->argc++] = str("test");
        a->argv[a->argc++] = str("1");
        a->argv[a->argc++] = str(weight);
        a->argv[a->argc++] = str("1");
        a->argv[a->argc++] = str("");
        a->argv[a->argc++] = str("");
    }

    ask_start(a);
    until(a->done);
    ask_free(&a);
}


static void
claim_counts(const char *n, int *ret_a, int *ret_b)
{
    size_t               i;
    ask_t               *x = claim(n);
    podi_redis_reply_t  *reply;

    until(x->done);

    reply = x->result;
    *ret_a = *ret_b = 0;

    for (i = 2; i < reply->n; i += 2) {
        *ret_a += reply->elements[i].str.data[0] == 'a';
        *ret_b += reply->elements[i].str.data[0] == 'b';
    }

    ask_free(&x);
}


static void
test_fairness(void)
{
    int  a, b;

    start_empty();

    push_many("a", "1", 60);
    claim_counts("20", &a, &b);
    is_int(a, 20, "alone, a tenant gets all");

    push_many("b", "1", 30);
    claim_counts("20", &a, &b);
    ok(a >= 9 && a <= 11, "one that comes later gets half, not more: %d to"
       " %d", a, b);

    start_empty();
    push_many("a", "3", 60);
    push_many("b", "1", 60);
    claim_counts("40", &a, &b);
    ok(a >= 29 && a <= 31, "weight 3 gets three turns of four: %d to %d", a,
       b);
}


int
main(void)
{
    unsigned  fds = redis_start_up();

    answers(command("FLUSHDB"), "OK", "a clean start");
    test_noscript();
    test_push();
    test_generation();
    test_suspects();
    test_drop();
    test_fairness();

    return redis_end(fds);
}
