/*
 * store_limit: the engine of limits: one call for all, leases, places, what
 * is lost.
 *
 * Run by store.t; PODI_TEST_REDIS and PODI_TEST_REDIS_PASSWORD say where.
 */

#include "store_limit.h"
#include "banned.h"


/* what limit_take.lua says of a bucket, and that a place was taken */

#define TOLD(passed, retry, reset, chunks)                                    \
    "answer *8\\r\\n" passed "\\r\\n:1000000000000000\\r\\n" retry "\\r\\n" \
    reset "\\r\\n" chunks "\\r\\n:0\\r\\n:0\\r\\n:4\\r\\n"


/* two plans share a bucket: the smaller one forgives the larger one nothing */

static void
test_plans(void)
{
    int64_t  tat;

    close_ask(command("FLUSHDB"));
    limit = open_limit(redis, 60000);

    ask[0] = rate("plan", 1, SECOND, 1000);
    ask[0].cost = 1000;
    is_int(decide(limit, 1), 1, "the larger plan is used up");
    tat = stored(L "gplan............");

    ask[0] = rate("plan", 1, SECOND, 5);
    is_int(decide(limit, 1), 0, "the smaller one refuses");
    is_int(stored(L "gplan............"), tat, "and leaves the debt alone");
    ok(answer[0].retry_after > 990 * SECOND && answer[0].left == 0,
       "it is told of all of it: %lld", (long long) answer[0].retry_after);
    ask[0].cost = 0;
    (void) decide(limit, 1);
    is_int(stored(L "gplan............"), tat, "nor does one that is free");

    podi_limit_free(&limit);
}


/* the clock was set back by 1000 seconds since it was written */

static void
test_clock(void)
{
    char         value[64];
    podi_usec_t  now = podi_time_now();

    snprintf(value, sizeof(value), "%lld %lld",
             (long long) (now + 1003 * SECOND),
             (long long) (now + 1000 * SECOND));

    close_ask(command("SET", L "gclock...........", value));
    limit = open_limit(redis, 60000);
    ask[0] = rate("clock", 1, SECOND, 3);
    is_int(decide(limit, 1), 0, "what was used up is used up");
    ok(answer[0].retry_after <= SECOND, "but for no longer than it was: %lld",
       (long long) answer[0].retry_after);
    ok(stored(L "gclock...........") <= podi_time_now() + 3 * SECOND,
       "and it is filled again by this clock");
    podi_limit_free(&limit);
}


static void
test_together(void)
{
    podi_limit_stat_t  before;

    close_ask(command("FLUSHDB"));
    limit = open_limit(redis, 60000);

    ask[0] = rate("many", 10, SECOND, 5);
    ask[1] = ask_of("day", PODI_LIMIT_QUOTA, 2, DAY);
    ask[2] = ask_of("places", PODI_LIMIT_CONN, 9, 0);
    ask[2].cost = 1;

    is_int(podi_limit_try(limit, ask, 3, answer), PODI_AGAIN,
           "nothing is known");
    is_int(decide(limit, 3), 1, "three limits pass");
    is_int(answer[0].left, 4, "what is left of the burst");
    is_int(answer[0].mode, PODI_LIMIT_EXACT, "Redis said so");
    is_int(answer[1].left, 1, "of the day");
    is_int(answer[2].left, 8, "of the places");
    ok(answer[2].hold != NULL, "a place is held");
    is_int((long long) stat_of(limit).calls, 1, "with one call");
    podi_limit_release(limit, &answer[2].hold);

    is_int(decide(limit, 3), 1, "once more");
    is_int(answer[2].left, 8, "the place had come back");
    podi_limit_release(limit, &answer[2].hold);

    is_int(decide(limit, 3), 0, "then the day is over");
    is_int(answer[1].passed, 0, "that is why");
    ok(answer[1].retry_after > 0 && answer[1].retry_after <= DAY
       && answer[1].retry_after == answer[1].reset_after,
       "until midnight: %lld", (long long) answer[1].retry_after);
    is_int(answer[0].passed && answer[2].passed, 1, "the others would pass");
    ok(answer[2].hold == NULL, "no place is held");

    before = stat_of(limit);
    is_int(podi_limit_try(limit, ask, 3, answer), PODI_OK,
           "who is refused is known");
    is_int(podi_limit_passed(answer, 3), 0, "is refused again");
    is_int(answer[1].mode, PODI_LIMIT_CACHED, "from memory");
    ok(answer[1].retry_after > 0, "and told until when");
    is_int((long long) stat_of(limit).calls, (long long) before.calls,
           "Redis is not asked");

    is_int(decide(limit, 1), 1, "one of the others alone");
    ok(answer[0].left >= 2 && answer[0].left <= 4,
       "it was charged twice, not three times: %lld",
       (long long) answer[0].left);

    ask[1].dry = 1;
    is_int(decide(limit, 2), 1, "a dry one does not stand in the way");
    is_int(answer[1].would, 1, "but says what it thinks");
    ask[1].dry = 0;

    ask[1].rate = 3;
    is_int(decide(limit, 2), 1, "a larger quota counts at once");
    is_int(answer[1].left, 0, "and what was used of it");
    podi_limit_refund(limit, ask, 2, answer);
    is_int(decide(limit, 2), 1, "a refund is there again");

    ask[0].cost = 6;
    is_int(decide(limit, 1), 0, "more than the burst");
    is_int(answer[0].retry_after == PODI_LIMIT_NEVER, 1, "never passes");

    podi_limit_free(&limit);
}


/* what is asked in one turn of the loop is asked with one write */

static void
test_writes(void)
{
    int      i, in = 0;
    int64_t  before;
    take_t  *t[32];

    limit = open_limit(redis, 60000);
    ask[0] = rate("at once", 1000, SECOND, 1000);
    before = writes();

    for (i = 0; i < 32; i++) {
        t[i] = take_new(limit, 1);
    }

    until(t[31]->done);
    before = writes() - before;

    for (i = 0; i < 32; i++) {
        in += t[i]->rc == PODI_DONE && t[i]->answers[0].passed;
        take_free(t[i]);
    }

    is_int(in, 32, "thirty-two at once pass");
    ok(before <= 4, "with %lld writes", (long long) before);

    podi_limit_free(&limit);
}


/* what was refused passes when it was told */

static void
test_retry(void)
{
    int          turns = 0;
    podi_usec_t  since;

    limit = open_limit(redis, 60000);
    ask[0] = rate("soon", 100, SECOND, 1);
    ask[0].rate = 20;

    is_int(decide(limit, 1), 1, "one at once");
    is_int(decide(limit, 1), 0, "the next one not");
    since = podi_time_now() + answer[0].retry_after;

    do {
        turn(1);
        turns++;
    } while (decide(limit, 1) == 0 && turns < 2000);

    ok(podi_time_now() >= since - 1000, "not before its time");
    ok(stat_of(limit).calls <= 12, "asked Redis %llu times for it",
       (unsigned long long) stat_of(limit).calls);

    podi_limit_free(&limit);
}


static void
test_places(void)
{
    int      i, in = 0;
    take_t  *t;
    podi_limit_hold_t  *hold[3];

    limit = open_limit(redis, 300);
    ask[0] = ask_of("three", PODI_LIMIT_CONN, 3, 0);

    for (i = 0; i < 3; i++) {
        in += decide(limit, 1) == 1;
        hold[i] = answer[0].hold;
    }

    is_int(in, 3, "three places");
    is_int(decide(limit, 1), 0, "no fourth");
    ok(answer[0].retry_after > 0, "come again");
    is_int(stat_of(limit).holds, 3, "three are held");

    close_ask(command("DEL", L "cthree..........."));
    until(stored_places("three") == 3);
    ok(1, "Redis forgot them; they are told again");

    for (i = 0; i < 3; i++) {
        podi_limit_release(limit, &hold[i]);
    }

    until(stored_places("three") == 0);
    ok(1, "all are given back");

    t = take_new(limit, 1);
    take_free(t);
    until(stat_of(limit).calls >= 5 && stored_places("three") == 0
          && stat_of(limit).holds == 0);
    ok(1, "who goes away while he waits leaves none behind");

    close_ask(script(LIMIT_TAKE, L, "c", "three...........", "0", "3",
                     "somebody", "50", ""));
    close_ask(script(LIMIT_TAKE, L, "c", "three...........", "0", "3",
                     "somebody else", "50", ""));
    ask[0].rate = 1;
    until(decide(limit, 1) == 1);
    ok(1, "the places of who died are free after their lease");
    podi_limit_release(limit, &answer[0].hold);

    podi_limit_free(&limit);
}


static void
test_lease(void)
{
    int64_t            asked = 0, passed, units;
    podi_limit_stat_t  stat;

    close_ask(command("FLUSHDB"));
    limit = open_limit(redis, 60000);

    ask[0] = rate("slow", 1000, SECOND, 1000);
    ask[0].mode = PODI_LIMIT_LEASED;

    is_int(decide(limit, 1), 1, "a key that is seldom asked for");
    is_int(answer[0].mode, PODI_LIMIT_EXACT, "is asked of Redis");

    ask[0] = rate("hot", 1000000, SECOND, 1000000);
    ask[0].mode = PODI_LIMIT_LEASED;

    passed = storm(&limit, 1, 200, &asked);
    stat = stat_of(limit);

    is_int(passed, asked, "a hot key with room for all: all pass");
    is_int(answer[0].mode, PODI_LIMIT_LEASED, "on a lease");
    ok(stat.calls * 20 <= (uint64_t) asked,
       "%llu calls for %lld asks: at most one for twenty",
       (unsigned long long) stat.calls, (long long) asked);
    is_int(stat.leases, 1, "what is left is one lease");

    units = (int64_t) stat.taken - (int64_t) stat.leased;
    ok(units > 0, "some units are not spent: %lld", (long long) units);

    until(stat_of(limit).leases == 0);
    ok(stat_of(limit).returned > 0, "after a second they go back");

    /* 1 unit a minute and a burst of 1000: nothing is refilled here */

    ask[0] = rate("exactly", 1, 60 * SECOND, 1000);
    ask[0].mode = PODI_LIMIT_LEASED;

    asked = 0;
    passed = storm(&limit, 1, 5, &asked);
    passed += storm(&limit, 1, 1200, &asked);
    until(stat_of(limit).leases == 0);
    passed += storm(&limit, 1, 50, &asked);
    is_int(passed, 1000, "what comes back can be spent, all of it");

    podi_limit_free(&limit);
}


/* two machines that are over the limit, Redis loses everything in between */

static void
test_bound(podi_limit_mode_e mode, const char *what)
{
    int64_t        asked = 0, passed, took;
    podi_msec_t    since;
    podi_redis_t  *other;
    podi_limit_t  *both[2];

    close_ask(command("FLUSHDB"));

    other = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    until(podi_redis_is_up(other));

    both[0] = open_limit(redis, 60000);
    both[1] = open_limit(other, 60000);

    ask[0] = rate("bound", 2000, SECOND, 400);
    ask[0].mode = mode;

    since = podi_time_mono();
    passed = storm(both, 2, 400, &asked);
    close_ask(command("FLUSHDB"));
    passed += storm(both, 2, 400, &asked);
    took = (int64_t) (podi_time_mono() - since);

    ok(passed <= 2 * took + 2 * 400 + 2, "%s: %lld passed, at most 2 * %lld +"
       " 400 and once more 400", what, (long long) passed, (long long) took);
    ok(passed >= 800, "and not less than the two bursts");
    ok(mode == PODI_LIMIT_EXACT || calls_of(both, 2) * 20 <= (uint64_t) asked,
       "%llu calls for %lld asks", (unsigned long long) calls_of(both, 2),
       (long long) asked);

    podi_limit_free(&both[0]);
    podi_limit_free(&both[1]);
    podi_redis_free(&other);
}


static void
test_free(void)
{
    int64_t  asked = 0;

    close_ask(command("FLUSHDB"));

    limit = open_limit(redis, 60000);
    ask[0] = rate("given", 1, 1000 * SECOND, 1000000);
    ask[0].mode = PODI_LIMIT_LEASED;
    (void) storm(&limit, 1, 30, &asked);
    turn(50);
    ok(stat_of(limit).leases == 1, "a lease is there when the process ends");
    podi_limit_free(&limit);

    limit = open_limit(redis, 60000);
    is_int(decide(limit, 1), 1, "the next process asks");
    is_int(answer[0].left, 1000000 - asked - 1, "all that was not spent is"
           " there");
    podi_limit_free(&limit);
}


/* what Redis says instead of an answer; the asks fail, once and at once */

static void
test_faults(void)
{
    unsigned           i, turns;
    podi_redis_t      *cut;
    static const char  *const  says[] = {
        "answer -READONLY You can't write against a read only replica.\\r\\n",
        "answer -OOM command not allowed when used memory > 'maxmemory'.\\r\\n",
        "answer -BUSY Redis is busy running a script.\\r\\n",
        "answer -LOADING Redis is loading the dataset in memory\\r\\n",
        "answer *1\\r\\n:1\\r\\n",
        TOLD(":1", ":0", "$-1", ":0"), TOLD(":1", ":0", "+no", ":0"),
        TOLD(":1", ":-1", ":0", ":0"), TOLD(":1", ":0", ":0", ":1"),
        TOLD(":0", ":0", ":0", ":0"), TOLD(":1", ":5", ":0", ":0"),
        "stall", "cut-after 3", "refuse"
    };

    for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        cutter("pass");
        cut = open_engine("PODI_CUT_REDIS", PODI_REDIS_COMMANDS);
        until(podi_redis_is_up(cut));
        limit = open_limit(cut, 60000);
        ask[0] = rate("fault", 1000, SECOND, 1000);
        ask[1] = ask_of("fault", PODI_LIMIT_CONN, 5, 0);
        is_int(decide(limit, 2), 1, "it passes");
        podi_limit_release(limit, &answer[1].hold);
        turn(20);

        cutter(says[i]);

        if (strcmp(says[i], "refuse") == 0) {
            cutter("reset");
            until(!podi_redis_is_up(cut));
        }

        is_int(decide(limit, 2), -1, says[i]);
        ok(decide_fail.error == PODI_E_UNAVAILABLE
           || decide_fail.error == PODI_E_DEADLINE
           || decide_fail.error == PODI_E_INTERNAL,
           "fails as %s", podi_error(decide_fail.error)->code);
        is_int(stat_of(limit).holds, 0, "no place is held");

        cutter("pass");

        for (turns = 0; turns < 400 && decide(limit, 2) != 1; turns++) {
            turn(5);
        }

        ok(turns < 400, "and then it goes on");
        podi_limit_release(limit, &answer[1].hold);

        podi_limit_free(&limit);
        podi_redis_free(&cut);
    }

    answers(command("SCRIPT", "FLUSH"), "OK", "the script is forgotten");
    limit = open_limit(redis, 60000);
    is_int(decide(limit, 1), 1, "it is sent again");
    podi_limit_free(&limit);

    until(stored_places("fault") == 0);
    ok(1, "what was uncertain is given back, too");
}


/* more keys than there is room for */

static void
test_evict(void)
{
    int   i, n = 0;
    char  key[32];

    limit = open_limit(redis, 60000);

    for (i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "%d-%d", i * 7919 % 1000, i);
        ask[0] = rate(key, 1, 1000 * SECOND, 1);
        n += decide(limit, 1) == 1 && decide(limit, 1) == 0;
    }

    is_int(n, 300, "300 keys are refused after their first");
    ok(stat_of(limit).evicted > 0, "64 are remembered, the others ask again");
    is_int(decide(limit, 1), 0, "and none is forgotten by Redis");

    podi_limit_free(&limit);
}


int
main(void)
{
    unsigned  fds = redis_start_up();

    test_plans();
    test_clock();
    test_together();
    test_writes();
    test_retry();
    test_places();
    test_lease();
    test_bound(PODI_LIMIT_EXACT, "exact");
    test_bound(PODI_LIMIT_LEASED, "leased");
    test_free();
    test_faults();
    test_evict();

    return redis_end(fds);
}
