/*
 * quota: windows of the calendar against the C library's, what passes in one,
 * and a clock that is set back over midnight.
 */

#include <time.h>

#include "tap.h"
#include "podi_quota.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)
#define DAY     (86400 * SECOND)


static void months(void);
static void days(void);
static void counts(void);
static void set_back(void);


int
main(void)
{
    months();
    days();
    counts();
    set_back();

    return tap_done();
}


static void
months(void)
{
    int          wrong = 0, n = 0;
    time_t       t;
    struct tm    tm;
    podi_usec_t  start, end;

    /* each noon until 2170, with two years that are no leap years */

    for (t = 43200; t < INT64_C(6311433600); t += 86400) {
        podi_quota_window(PODI_QUOTA_MONTH, t * SECOND, &start, &end);

        (void) gmtime_r(&t, &tm);
        tm.tm_mday = 1;
        tm.tm_hour = 0;
        wrong += start != timegm(&tm) * SECOND;

        tm.tm_mon++;
        wrong += end != timegm(&tm) * SECOND;
        n++;
    }

    ok(n > 70000 && wrong == 0, "%d days are in their month", n);

    podi_quota_window(PODI_QUOTA_MONTH, 31 * DAY - 1, &start, &end);
    is_int(start, 0, "the last moment of January 1970");
    is_int(end, 31 * DAY, "belongs to it");
    podi_quota_window(PODI_QUOTA_MONTH, 31 * DAY, &start, &end);
    is_int(start, 31 * DAY, "the next one to February");
    is_int(end, 59 * DAY, "which has 28 days");
}


static void
days(void)
{
    podi_usec_t  start, end;

    podi_quota_window(DAY, 20779 * DAY + 5, &start, &end);
    is_int(start, 20779 * DAY, "a day begins at midnight, UTC");
    is_int(end, 20780 * DAY, "and ends at the next");
    podi_quota_window(7 * SECOND, 20 * SECOND, &start, &end);
    is_int(start, 14 * SECOND, "a span of seven seconds");
    is_int(end, 21 * SECOND, "and its end");
}


static void
counts(void)
{
    podi_usec_t          now = 20779 * DAY + 36000 * SECOND;
    podi_quota_cell_t    cell = { 0, 0 };
    podi_quota_answer_t  a;
    static const podi_quota_t  q = { 10, DAY }, less = { 4, DAY };

    ok(podi_quota_peek(&q, &cell, 10, now, &a), "a whole quota would pass");
    is_int(a.left, 10, "all is left");
    is_int(cell.used, 0, "peeking takes nothing");

    ok(podi_quota_take(&q, &cell, 7, now, &a), "seven pass");
    is_int(a.left, 3, "three are left");
    is_int(a.reset_after, 50400 * SECOND, "until midnight");
    is_int(a.retry_after, 0, "nothing to wait for");

    ok(!podi_quota_take(&q, &cell, 4, now, &a), "four more do not");
    is_int(a.retry_after, 50400 * SECOND, "before midnight");
    is_int(a.left, 3, "and cost nothing");
    ok(podi_quota_take(&q, &cell, 3, now + SECOND, &a), "three do");
    ok(podi_quota_take(&q, &cell, 0, now + SECOND, NULL), "nothing does");

    ok(!podi_quota_take(&q, &cell, 11, now, &a), "eleven never will");
    is_int(a.retry_after, PODI_QUOTA_NEVER, "and are told so");

    ok(!podi_quota_peek(&less, &cell, 1, now, &a), "a quota made smaller");
    is_int(a.left, 0, "has nothing left, not less");

    ok(!podi_quota_peek(&q, &cell, 1, 20780 * DAY - 1, &a),
       "until the last moment of the day");
    is_int(a.retry_after, 1, "one more");
    ok(podi_quota_take(&q, &cell, 10, 20780 * DAY, &a), "then all pass");
    is_int(a.reset_after, DAY, "a whole day");
}


static void
set_back(void)
{
    podi_usec_t          midnight = 20780 * DAY;
    podi_quota_cell_t    cell = { 0, 0 };
    podi_quota_answer_t  a;
    static const podi_quota_t  q = { 10, DAY };

    ok(podi_quota_take(&q, &cell, 10, midnight - SECOND, NULL), "a day's");
    ok(podi_quota_take(&q, &cell, 6, midnight + SECOND, NULL), "the next's");
    ok(!podi_quota_take(&q, &cell, 5, midnight - SECOND, &a),
       "back before midnight the newer day goes on");
    is_int(a.left, 4, "with what it has left");
    is_int(a.retry_after, DAY + SECOND, "until its end");
    ok(podi_quota_take(&q, &cell, 4, midnight - SECOND, NULL), "that passes");
    ok(!podi_quota_take(&q, &cell, 1, midnight, NULL), "and is remembered");

    ok(podi_quota_take(&q, &cell, 1, midnight - 3 * DAY, &a),
       "days back it starts anew");
    is_int(a.left, 9, "with a quota of that day");
}
