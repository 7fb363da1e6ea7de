/*
 * cell: three ways to count, undone exactly; who is forgotten when a set is
 * full; and nothing but podi_gcra's own answers.
 */

#include "tap.h"
#include "podi_cell.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)
#define DAY     (86400 * SECOND)


static podi_cell_set_t  set;


static void rules(void);
static void as_gcra(int64_t rate, int64_t period, int64_t burst);
static void quota(void);
static void windows(void);
static void conn(void);
static void finding(void);
static void forgetting(void);
static void flood(void);
static void undoing(void);
static void killed(void);
static const unsigned char *name(unsigned n);
static podi_cell_clock_t clock_at(podi_usec_t now);
static int take(const podi_rule_t *rule, unsigned n, int64_t cost,
    podi_usec_t now);


int
main(void)
{
    rules();
    as_gcra(7, SECOND, 20);
    as_gcra(INT64_C(3000000000), DAY, INT64_C(5000000000));
    quota();
    windows();
    conn();
    finding();
    forgetting();
    flood();
    undoing();
    killed();

    return tap_done();
}


static void
rules(void)
{
    podi_rule_t  r;

    is_int(sizeof(podi_cell_set_t), 320, "a set is five cache lines");

    ok(podi_rule_rate(&r, 10, SECOND, 5) == PODI_OK, "10/s, 5 at once");
    is_int(r.step, 100000, "a request is a tenth of a second");
    is_int(r.span, 500000, "the burst is half of one");

    ok(podi_rule_rate(&r, 50000, SECOND, 1) == PODI_OK, "50,000/s");
    is_int(r.gcra.burst, 50, "what comes in a millisecond may come at once");

    ok(podi_rule_rate(&r, 0, SECOND, 1) == PODI_ERROR, "no rate");
    ok(podi_rule_rate(&r, 1, SECOND, 0) == PODI_ERROR, "no burst");
    ok(podi_rule_rate(&r, 1, 3600 * SECOND, INT64_C(1) << 50) == PODI_ERROR,
       "a burst of a million years");
    ok(podi_rule_quota(&r, 0, DAY, 0) == PODI_ERROR, "no quota");
    ok(podi_rule_quota(&r, 1, DAY, 86400) == PODI_ERROR,
       "an offset of a day");
    ok(podi_rule_conn(&r, 0) == PODI_ERROR, "nobody inside");
}


static void
as_gcra(int64_t rate, int64_t period, int64_t burst)
{
    int                  i, wrong = 0, passed;
    int64_t              tat = 0, cost;
    uint32_t             r = 1;
    podi_rule_t          rule;
    podi_cell_t          cell;
    podi_usec_t          now = SECOND;
    podi_gcra_answer_t   want;
    podi_cell_clock_t    c;
    podi_cell_answer_t   got;

    memset(&cell, 0, sizeof(cell));

    ok(podi_rule_rate(&rule, rate, period, burst) == PODI_OK, "a rule");

    for (i = 0; i < 50000; i++) {
        r = r * 1664525u + 1013904223u;
        now += (r >> 16) % (2 * SECOND * (burst / rate + 1) / 10);
        cost = (i % 3 != 0) ? 1 : (int64_t) (r >> 8) % (burst + 3);
        c = clock_at(now);

        passed = podi_cell_peek(&rule, &cell, cost, &c, &got);
        wrong += (passed != podi_gcra_peek(&rule.gcra, tat, cost, now, &want));
        wrong += (got.left != want.left
                  || got.retry_after != want.retry_after
                  || got.reset_after != want.reset_after);

        if (passed) {
            podi_cell_take(&rule, &cell, cost, &c);
            (void) podi_gcra_take(&rule.gcra, &tat, cost, now, NULL);
            wrong += (cell.value != tat);
        }
    }

    is_int(wrong, 0, "50,000 of any cost go as podi_gcra says");

    c = clock_at(now);
    podi_cell_take(&rule, &cell, INT64_MAX, &c);
    is_int(cell.value, now + rule.span, "a charge anyhow empties it");
    c = clock_at(now - 3600 * SECOND);
    ok(!podi_cell_peek(&rule, &cell, 1, &c, &got)
       && got.retry_after == rule.step,
       "a clock set back is no longer wait than one unit");

    podi_cell_take(&rule, &cell, 0, &c);
    podi_cell_undo(&rule, &cell, 0, &c);
    is_int(cell.value, now + rule.span, "what costs nothing only looks");
}


static void
quota(void)
{
    podi_rule_t         r;
    podi_usec_t         noon = INT64_C(1795348800) * SECOND;   /* midday */
    podi_cell_clock_t   c;
    podi_cell_answer_t  a;
    podi_cell_t         cell;

    memset(&cell, 0, sizeof(cell));
    ok(podi_rule_quota(&r, 3, DAY, 0) == PODI_OK, "3 a day");

    c = clock_at(noon);
    podi_cell_take(&r, &cell, 2, &c);
    ok(!podi_cell_peek(&r, &cell, 2, &c, &a), "2 and 2 are too many");
    is_int(a.left, 1, "one is left");
    is_int(a.retry_after, c.window.end - noon, "until midnight");
    ok(podi_cell_peek(&r, &cell, 1, &c, NULL), "that one passes");
    podi_cell_take(&r, &cell, 1, &c);

    c = clock_at(noon + 86400 * SECOND);
    ok(podi_cell_peek(&r, &cell, 3, &c, &a), "tomorrow all are back");
    is_int(a.left, 3, "all of them");
    podi_cell_undo(&r, &cell, 3, &c);
    is_int(cell.value, 3, "yesterday's is not taken back from today");
    podi_cell_take(&r, &cell, 1, &c);

    c = clock_at(noon);
    ok(podi_cell_peek(&r, &cell, 2, &c, &a) && a.left == 2,
       "a clock set back gives nothing twice");
    ok(!podi_cell_peek(&r, &cell, 4, &c, &a)
       && a.retry_after == PODI_GCRA_NEVER, "above the quota: never");
    podi_cell_take(&r, &cell, INT64_MAX, &c);
    podi_cell_take(&r, &cell, INT64_MAX, &c);
    ok(cell.value > 3 && !podi_cell_peek(&r, &cell, 1, &c, &a)
       && a.left == 0, "no charge overflows it");
}


/* moved to where the customers' day begins */

static void
windows(void)
{
    podi_rule_t    r;
    podi_usec_t    at = INT64_C(1795368600) * SECOND;  /* 2026-11-22 17:30 */
    podi_window_t  w;

    ok(podi_rule_quota(&r, 3, DAY, 8 * 3600) == PODI_OK, "east of UTC");
    w = podi_rule_window(&r, at);
    is_int(w.start / SECOND, 1795363200, "it is tomorrow since 16:00");
    is_int(w.end - w.start, DAY, "for a day");

    ok(podi_rule_quota(&r, 3, PODI_QUOTA_MONTH, -6 * 3600) == PODI_OK,
       "west of UTC");
    w = podi_rule_window(&r, at);
    is_int(w.start / SECOND, 1793512800, "the month began at 06:00");
    is_int(w.end - w.start, 30 * DAY, "and has 30 days");
}


static void
conn(void)
{
    podi_rule_t         r;
    podi_cell_t         cell;
    podi_cell_clock_t   c = clock_at(SECOND);
    podi_cell_answer_t  a;

    memset(&cell, 0, sizeof(cell));
    ok(podi_rule_conn(&r, 2) == PODI_OK, "two at a time");

    podi_cell_take(&r, &cell, 1, &c);
    podi_cell_take(&r, &cell, 1, &c);
    ok(!podi_cell_peek(&r, &cell, 1, &c, &a), "no third one");
    is_int(a.retry_after, SECOND, "who knows when");
    podi_cell_undo(&r, &cell, 1, &c);
    ok(podi_cell_peek(&r, &cell, 1, &c, &a), "until one leaves");
    is_int(a.left, 1, "then there is a place");
    podi_cell_undo(&r, &cell, 1, &c);
    podi_cell_undo(&r, &cell, 1, &c);
    is_int(cell.value, 0, "nobody leaves twice");
}


static void
finding(void)
{
    unsigned char  other[PODI_CELL_KEY];
    podi_rule_t    r;

    memset(&set, 0, sizeof(set));
    ok(podi_rule_rate(&r, 1, SECOND, 5) == PODI_OK, "1/s");
    ok(podi_cell_find(&set, name(0)) == NULL, "nothing is in an empty set");

    (void) take(&r, 0, 1, SECOND);
    ok(podi_cell_find(&set, name(0)) != NULL, "what was taken is");

    memcpy(other, name(0), sizeof(other));
    other[15] ^= 1;
    ok(podi_cell_find(&set, other) == NULL, "all of the key is compared");
}


static void
forgetting(void)
{
    int                live;
    unsigned           n;
    podi_cell_t       *cell;
    podi_rule_t        r;
    podi_cell_clock_t  c;

    memset(&set, 0, sizeof(set));
    ok(podi_rule_rate(&r, 1, SECOND, 100) == PODI_OK, "1/s");

    for (n = 0; n < PODI_CELL_WAYS; n++) {
        (void) take(&r, n, 10 + n, SECOND);
    }

    c = clock_at(2 * SECOND);
    cell = podi_cell_victim(&set, &r, &c, &live);
    ok(live && cell == podi_cell_find(&set, name(0)),
       "the fullest bucket goes first");

    (void) take(&r, 0, 50, 2 * SECOND);
    cell = podi_cell_victim(&set, &r, &c, &live);
    ok(live && cell == podi_cell_find(&set, name(1)), "whichever that is");

    c = clock_at(20 * SECOND);
    cell = podi_cell_victim(&set, &r, &c, &live);
    ok(!live, "who is full again is not missed");
}


/* a flood of keys of one take each, and one key that is over its limit */

static void
flood(void)
{
    unsigned           n, lost = 0;
    podi_rule_t        r;

    memset(&set, 0, sizeof(set));
    ok(podi_rule_rate(&r, 1, 3600 * SECOND, 5) == PODI_OK, "5 at once");

    ok(take(&r, 0, 5, SECOND) && !take(&r, 0, 1, SECOND), "over its limit");

    for (n = 1; n < 5000; n++) {
        (void) take(&r, n, 1, SECOND + n);
        lost += (podi_cell_find(&set, name(0)) == NULL);
    }

    is_int(lost, 0, "is not forgotten for 5,000 others");
    ok(!take(&r, 0, 1, 2 * SECOND), "and still over it");
}


static void
undoing(void)
{
    int                i, wrong = 0;
    uint32_t           x = 7;
    int64_t            cost;
    podi_cell_t        cell, was;
    podi_rule_t        r;
    podi_usec_t        now = SECOND;
    podi_cell_clock_t  c;
    podi_cell_answer_t a, b;

    memset(&cell, 0, sizeof(cell));
    ok(podi_rule_rate(&r, 9, SECOND, 30) == PODI_OK, "9/s");

    for (i = 0; i < 20000; i++) {
        x = x * 1664525u + 1013904223u;
        now += (x >> 16) % 200000;
        cost = (int64_t) (x >> 8) % 10;
        c = clock_at(now);

        if (!podi_cell_peek(&r, &cell, cost, &c, NULL)) {
            continue;
        }

        was = cell;
        podi_cell_take(&r, &cell, cost, &c);

        if (i % 2) {
            now += (x >> 20) % 50;
            c = clock_at(now);
            podi_cell_undo(&r, &cell, cost, &c);
            podi_cell_answer(&r, &cell, &c, &a);
            podi_cell_answer(&r, &was, &c, &b);
            wrong += (a.left != b.left || a.reset_after != b.reset_after);
        }
    }

    is_int(wrong, 0, "as if it had never been taken, also a moment later");
}


/* a writer that dies between any two stores */

static void
killed(void)
{
    int                live;
    podi_cell_t       *cell;
    podi_rule_t        r;
    podi_cell_clock_t  c = clock_at(SECOND);

    memset(&set, 0, sizeof(set));
    ok(podi_rule_rate(&r, 1, SECOND, 5) == PODI_OK, "1/s");

    (void) take(&r, 0, 5, SECOND);

    cell = podi_cell_find(&set, name(0));
    set.tags[cell - set.cells] = 0;         /* half of another is there */
    memset(cell->key, 0xee, 7);

    ok(podi_cell_find(&set, name(0)) == NULL
       && podi_cell_victim(&set, &r, &c, &live) == cell && !live,
       "leaves a free cell");
}


static const unsigned char *
name(unsigned n)
{
    static unsigned char  key[PODI_CELL_KEY];

    memset(key, 0x55, sizeof(key));
    memcpy(key, &n, sizeof(n));
    key[0] |= 1;
    memcpy(key + 8, &n, sizeof(n));

    return key;
}


static podi_cell_clock_t
clock_at(podi_usec_t now)
{
    podi_cell_clock_t  c;

    c.mono = now;
    c.wall = now;
    c.window.start = now - now % DAY;
    c.window.end = c.window.start + DAY;

    return c;
}


static int
take(const podi_rule_t *rule, unsigned n, int64_t cost, podi_usec_t now)
{
    int                live;
    podi_cell_t       *cell = podi_cell_find(&set, name(n));
    podi_cell_clock_t  c = clock_at(now);

    if (!podi_cell_peek(rule, cell, cost, &c, NULL)) {
        return 0;
    }

    if (cell == NULL) {
        cell = podi_cell_victim(&set, rule, &c, &live);
        podi_cell_begin(&set, cell, name(n));
    }

    podi_cell_take(rule, cell, cost, &c);

    return 1;
}
