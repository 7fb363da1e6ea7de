/*
 * window: hours, days and months of the calendar, wherever it is moved.
 */

#include <time.h>

#include "tap.h"
#include "podi_window.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)


static podi_usec_t at(const char *text);
static void known(void);
static void calendar(void);


int
main(void)
{
    known();
    calendar();

    return tap_done();
}


static void
known(void)
{
    podi_usec_t    now = at("2026-11-22T17:30:00.000000Z");
    podi_window_t  w;

    w = podi_window(PODI_WINDOW_HOUR, 0, now);
    is_int(w.start, at("2026-11-22T17:00:00.000000Z"), "the hour begins");
    is_int(w.end, at("2026-11-22T18:00:00.000000Z"), "and ends");

    w = podi_window(PODI_WINDOW_DAY, 0, now);
    is_int(w.start, at("2026-11-22T00:00:00.000000Z"), "the day begins");
    is_int(w.end, at("2026-11-23T00:00:00.000000Z"), "and ends");

    w = podi_window(PODI_WINDOW_DAY, 8 * 3600, now);
    is_int(w.start, at("2026-11-22T16:00:00.000000Z"),
           "east of UTC it is tomorrow already");

    w = podi_window(PODI_WINDOW_DAY, -18 * 3600, now);
    is_int(w.start, at("2026-11-21T18:00:00.000000Z"),
           "west of it still yesterday");

    w = podi_window(PODI_WINDOW_HOUR, 19800, now);
    is_int(w.start, at("2026-11-22T17:30:00.000000Z"),
           "India's hours begin at half past");

    w = podi_window(PODI_WINDOW_MONTH, 0, now);
    is_int(w.start, at("2026-11-01T00:00:00.000000Z"), "the month begins");
    is_int(w.end, at("2026-12-01T00:00:00.000000Z"), "and ends");

    w = podi_window(PODI_WINDOW_MONTH, 0,
                    at("2028-02-29T23:59:59.999999Z"));
    is_int(w.start, at("2028-02-01T00:00:00.000000Z"), "a leap day's month");
    is_int(w.end, at("2028-03-01T00:00:00.000000Z"), "ends with it");

    w = podi_window(PODI_WINDOW_MONTH, 3600,
                    at("2026-12-31T23:00:00.000000Z"));
    is_int(w.start, at("2026-12-31T23:00:00.000000Z"),
           "the new year comes an hour early");
    is_int(w.end, at("2027-01-31T23:00:00.000000Z"), "and so does its end");
}


/* 130 years of half days against the C library */

static void
calendar(void)
{
    int            wrong = 0;
    time_t         t;
    struct tm      tm;
    podi_window_t  w;

    for (t = -20 * 365 * INT64_C(86400);
         t < 110 * 365 * INT64_C(86400);
         t += 43200)
    {
        w = podi_window(PODI_WINDOW_MONTH, 0, t * SECOND + 1);

        (void) gmtime_r(&t, &tm);
        tm.tm_mday = 1;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;

        wrong += (w.start != timegm(&tm) * SECOND);
        tm.tm_mon++;
        wrong += (w.end != timegm(&tm) * SECOND);
    }

    is_int(wrong, 0, "every month is that of the C library");
}


static podi_usec_t
at(const char *text)
{
    podi_str_t   s = podi_str_c(text);
    podi_usec_t  t = 0;

    return podi_time_parse(&s, &t) == PODI_OK ? t : -1;
}
