/*
 * store_limit_sums: what can be counted, and that the script for limits
 * decides as podi_gcra and podi_quota do, to the microsecond.
 *
 * Run by store.t; PODI_TEST_REDIS and PODI_TEST_REDIS_PASSWORD say where.
 */

#include "store_limit.h"
#include "podi_gcra.h"
#include "podi_quota.h"
#include "banned.h"


#define KEY    "0123456789abcdef"
#define TURNS  300


static char  texts[8][24];


static const char *
text(int i, int64_t n)
{
    snprintf(texts[i], sizeof(texts[i]), "%lld", (long long) n);

    return texts[i];
}


static int64_t
any(int64_t most)
{
    return (int64_t) ((uint64_t) random() << 31 ^ (uint64_t) random())
           % most;
}


static int64_t
step(const podi_gcra_t *g, int64_t n)
{
    return (int64_t) (((__int128) n * g->period + g->rate - 1) / g->rate);
}


/* one random rule, TAT and cost; gives whether all is as podi_gcra says */

static int
like_gcra(void)
{
    int                  passed, same;
    ask_t               *a;
    int64_t              tat, cost, now;
    podi_gcra_t          g = { 1 + any(5000), (1 + any(100)) * SECOND,
                               1 + any(100) };
    podi_gcra_answer_t   want;

    /* up to a full burst: podi_gcra believes in no more */

    tat = podi_time_now() + any(2 * step(&g, g.burst) + 2)
          - step(&g, g.burst);
    cost = any(g.burst + 2);

    if (tat > podi_time_now()) {
        close_ask(command("SET", L "g" KEY, text(0, tat)));

    } else {
        close_ask(command("DEL", L "g" KEY));
        tat = 0;
    }

    a = script(LIMIT_TAKE, L, "g", KEY, "0", text(1, step(&g, g.burst)),
               text(2, cost <= g.burst ? step(&g, cost)
                                       : step(&g, g.burst) + 1),
               "0", "0");
    until(a->done);

    now = number(a, 1);
    passed = podi_gcra_take(&g, &tat, cost, now, &want);

    same = number(a, 0) == passed && number(a, 3) == want.reset_after
           && (cost > g.burst || number(a, 2) == want.retry_after)
           && (tat <= now || stored(L "g" KEY) == tat);
    ask_free(&a);

    return same;
}


static void
test_gcra(void)
{
    int  i, same = 0;

    for (i = 0; i < TURNS; i++) {
        same += like_gcra();
    }

    is_int(same, TURNS, "the script decides as podi_gcra does");

    close_ask(command("DEL", L "g" KEY));
    close_ask(script(LIMIT_TAKE, L, "g", KEY, "0", "3000000", "1000000", "0",
                     "0"));
    ok(stored(L "g" KEY) > podi_time_now(), "a bucket is in use");
    answers(command("TYPE", L "g" KEY), "string", "as a text");
    answers(command("PERSIST", L "g" KEY), "1", "that vanishes by itself");
}


static int
like_quota(void)
{
    int                  same;
    char                 key_text[64];
    ask_t               *a;
    int64_t              cost, now, offset;
    podi_str_t           got;
    podi_usec_t          start, end, next;
    podi_quota_t         q = { 1 + any(100), (1 + any(50000)) * SECOND };
    podi_quota_cell_t    cell = { 0, 0 };
    podi_quota_answer_t  want;

    if (any(3) == 0) {
        q.period = PODI_QUOTA_MONTH;
    }

    offset = any(2) == 0 ? 0 : any(20) * 3600 * SECOND - 10 * 3600 * SECOND;
    cost = any(q.units + 2);
    now = podi_time_now() + offset;
    podi_quota_window(q.period, now, &start, &end);

    /* this window, the next one (the clock was set back), or another */

    cell.start = any(3) == 0 ? start : any(2) == 0 ? end : end + DAY;
    cell.used = any(q.units + 1);
    podi_quota_window(q.period, cell.start, &start, &next);
    cell.start = start;

    snprintf(key_text, sizeof(key_text), "%lld %lld",
             (long long) (next - offset), (long long) cell.used);
    close_ask(command("SET", L "q" KEY, key_text));

    a = script(LIMIT_TAKE, L, "q", KEY, "0", text(0, q.units),
               text(1, q.period), text(2, cost), text(3, offset));
    until(a->done);
    now = number(a, 1) + offset;

    same = number(a, 0) == podi_quota_take(&q, &cell, cost, now, &want)
           && number(a, 3) == want.reset_after && number(a, 4) == want.left
           && (cost > q.units || number(a, 2) == want.retry_after);
    ask_free(&a);

    podi_quota_window(q.period, cell.start, &start, &next);
    snprintf(key_text, sizeof(key_text), "%lld %lld",
             (long long) (next - offset), (long long) cell.used);
    a = command("GET", L "q" KEY);
    until(a->done);
    got = answer_of(a);
    same = same && podi_str_eq_c(&got, key_text);
    ask_free(&a);

    return same;
}


static void
test_quota(void)
{
    int  i, same = 0;

    for (i = 0; i < TURNS; i++) {
        same += like_quota();
    }

    is_int(same, TURNS, "the script counts as podi_quota does");
}


static void
test_check(void)
{
    podi_limit_ask_t  a = rate("x", 10, SECOND, 5);

    ok(podi_limit_check(&a) == NULL, "a rate can be counted");
    a.burst = INT64_C(1) << 50;
    ok(podi_limit_check(&a) != NULL, "not a burst that takes a century");
    a = rate("x", INT64_C(1) << 52, SECOND, INT64_C(1) << 52);
    ok(podi_limit_check(&a) == NULL, "nor is a large one too large");
    a.rate = 0;
    ok(podi_limit_check(&a) != NULL, "nothing at all is no rate");
    a = ask_of("x", PODI_LIMIT_QUOTA, 5, SECOND / 2);
    ok(podi_limit_check(&a) != NULL, "half a second is no window");
    a.period = PODI_LIMIT_MONTH;
    ok(podi_limit_check(&a) == NULL, "a month is");
    a = ask_of("x", PODI_LIMIT_CONN, 5, 0);
    a.cost = 2;
    ok(podi_limit_check(&a) != NULL, "a request is in one place");
}


int
main(void)
{
    unsigned  fds = redis_start_up();

    test_check();
    test_gcra();
    test_quota();

    return redis_end(fds);
}
