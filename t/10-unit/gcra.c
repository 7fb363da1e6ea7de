/*
 * gcra: what passes, what is left, and when to come back, to the microsecond;
 * at the extremes too.
 */

#include "tap.h"
#include "podi_gcra.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)


static void burst(void);
static void exact(void);
static void bounded(void);
static void set_back(void);
static void look(void);
static void extremes(void);


int
main(void)
{
    burst();
    exact();
    bounded();
    set_back();
    look();
    extremes();

    return tap_done();
}


static void
burst(void)
{
    int                  i;
    int64_t              tat = 0, now = 5 * SECOND;
    podi_gcra_answer_t   a;
    static const podi_gcra_t  g = { 10, SECOND, 3 };

    for (i = 2; i >= 0; i--) {
        ok(podi_gcra_take(&g, &tat, 1, now, &a), "one of the burst passes");
        is_int(a.left, i, "what is left of it");
        is_int(a.retry_after, 0, "nothing to wait for");
    }

    ok(!podi_gcra_take(&g, &tat, 1, now, &a), "then none does");
    is_int(a.retry_after, 100000, "for a tenth of a second");
    is_int(a.reset_after, 300000, "all is back after three of them");
    is_int(a.left, 0, "none is left");
    is_int(tat, now + 300000, "a refusal costs nothing");

    ok(!podi_gcra_peek(&g, tat, 1, now + 99999, &a), "not a moment sooner");
    is_int(a.retry_after, 1, "one microsecond more");
    ok(podi_gcra_peek(&g, tat, 1, now + 100000, NULL), "then it passes");
    is_int(tat, now + 300000, "peeking takes nothing");

    ok(podi_gcra_take(&g, &tat, 3, now + 300000, &a), "three at once pass");
    ok(!podi_gcra_take(&g, &tat, 4, now + SECOND, &a),
       "more than the burst never does");
    ok(a.retry_after == PODI_GCRA_NEVER, "and is told so");
    ok(podi_gcra_take(&g, &tat, 0, now + 300000, &a), "nothing costs nothing");
    is_int(a.left, 0, "even when nothing is left");
}


/* after any refusal: retry_after passes, one microsecond less does not */

static void
exact(void)
{
    int                 i, wrong = 0, refused = 0;
    int64_t             tat = 0, now = SECOND, cost;
    uint32_t            r = 1;
    podi_gcra_answer_t  a, b;
    static const podi_gcra_t  g = { 7, SECOND, 20 };

    for (i = 0; i < 20000; i++) {
        r = r * 1664525u + 1013904223u;
        now += r >> 13;
        cost = 1 + (r >> 8) % 20;

        if (podi_gcra_take(&g, &tat, cost, now, &a)) {
            wrong += a.left < 0 || a.left > g.burst
                     || (a.left > 0
                         && !podi_gcra_peek(&g, tat, a.left, now, NULL))
                     || podi_gcra_peek(&g, tat, a.left + 1, now, NULL);
            continue;
        }

        refused++;
        wrong += podi_gcra_peek(&g, tat, cost, now + a.retry_after - 1, &b)
                 || b.retry_after != 1
                 || !podi_gcra_peek(&g, tat, cost, now + a.retry_after, NULL);
    }

    ok(refused > 1000, "there were refusals: %d", refused);
    is_int(wrong, 0, "every answer was exact");
}


/* never more than rate * t + burst, and little less than that */

static void
bounded(void)
{
    int64_t   tat = 0, now, passed = 0;
    static const podi_gcra_t  g = { 9000, SECOND, 50 };

    for (now = SECOND; now <= 11 * SECOND; now += 13) {
        passed += podi_gcra_take(&g, &tat, 1, now, NULL);
    }

    ok(passed <= 90050, "at most rate times time and a burst: %lld",
       (long long) passed);
    ok(passed >= 89000, "and at least nearly that");
}


static void
set_back(void)
{
    int                 i;
    int64_t             tat = 0;
    podi_gcra_answer_t  a;
    static const podi_gcra_t  g = { 1, SECOND, 5 };

    for (i = 0; i < 5; i++) {
        (void) podi_gcra_take(&g, &tat, 1, 1000 * SECOND, NULL);
    }

    ok(!podi_gcra_take(&g, &tat, 1, 10 * SECOND, &a),
       "a clock that was set back finds it used up");
    is_int(a.retry_after, SECOND, "for as long as ever");
    ok(podi_gcra_take(&g, &tat, 1, 11 * SECOND, &a), "and then not any more");
    is_int(tat, 16 * SECOND, "the state is of the new clock");
}


/* what costs nothing only looks, whatever it finds */

static void
look(void)
{
    int64_t             tat = 1000 * SECOND;
    podi_gcra_answer_t  a;
    static const podi_gcra_t  g = { 1, SECOND, 5 };

    ok(podi_gcra_take(&g, &tat, 0, 900 * SECOND, &a), "a look passes");
    is_int(a.left, 0, "and sees that nothing is left");
    ok(tat == 1000 * SECOND, "of a debt that another rule has made it "
       "forgives nothing");
    ok(podi_gcra_take(&g, &tat, 0, 2000 * SECOND, &a)
       && tat == 1000 * SECOND, "nor does it touch what is over");
}


static void
extremes(void)
{
    int64_t             tat;
    podi_gcra_answer_t  a;
    static const podi_gcra_t  slow = { 1, INT64_MAX, INT64_MAX };
    static const podi_gcra_t  fast = { INT64_MAX, 1, INT64_MAX };
    static const podi_gcra_t  one = { INT64_MAX, INT64_MAX, 1 };

    tat = 0;
    ok(podi_gcra_take(&slow, &tat, INT64_MAX, INT64_MAX, &a),
       "the slowest rate, the greatest burst, the last moment");
    ok(tat == INT64_MAX, "the state is bounded");

    tat = INT64_MIN;
    ok(podi_gcra_take(&slow, &tat, 1, INT64_MIN, &a), "the first moment");
    is_int(a.left, INT64_MAX - 1, "all the rest is left");

    tat = 0;
    ok(podi_gcra_take(&fast, &tat, INT64_MAX, 1, &a), "the fastest rate");
    is_int(a.reset_after, 1, "is full again in a microsecond");

    tat = INT64_MAX;
    ok(!podi_gcra_take(&one, &tat, 1, 0, &a), "a state of another world");
    is_int(a.retry_after, 1, "waits one interval at most");
    ok(podi_gcra_take(&one, &tat, 1, 1, &a), "and is healed by being asked");
}
