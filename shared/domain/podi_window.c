/*
 * podi_window: days since 1970 and back, in the proleptic Gregorian calendar
 * whose years begin in March, so that the leap day is the last one.
 */

#include "podi_window.h"
#include "podi_assert.h"
#include "banned.h"


#define SECOND  INT64_C(1000000)
#define HOUR    (3600 * SECOND)
#define DAY     (24 * HOUR)


static int64_t window_floor(int64_t n, int64_t by);
static int64_t window_month(int64_t days);
static int64_t window_day(int64_t month);


podi_window_t
podi_window(podi_window_e kind, int offset, podi_usec_t now)
{
    int64_t        month, local = now + offset * SECOND;
    podi_window_t  w;

    podi_assert(offset > -86400 && offset < 86400);

    switch (kind) {

    case PODI_WINDOW_HOUR:
        w.start = window_floor(local, HOUR) * HOUR;
        w.end = w.start + HOUR;
        break;

    case PODI_WINDOW_DAY:
        w.start = window_floor(local, DAY) * DAY;
        w.end = w.start + DAY;
        break;

    default: /* PODI_WINDOW_MONTH */
        month = window_month(window_floor(local, DAY));
        w.start = window_day(month) * DAY;
        w.end = window_day(month + 1) * DAY;
    }

    w.start -= offset * SECOND;
    w.end -= offset * SECOND;

    return w;
}


static int64_t
window_floor(int64_t n, int64_t by)
{
    return n / by - (n % by < 0);
}


/* the month (year * 12 + 0..11) in which a day since 1970 lies */

static int64_t
window_month(int64_t days)
{
    int64_t  month;

    /* 30.436875 days a month on average: at most one too far */

    month = 1970 * 12 + window_floor(days * 1600, 48699);

    while (window_day(month) > days) {
        month--;
    }

    while (window_day(month + 1) <= days) {
        month++;
    }

    return month;
}


/* the first day of a month, since 1970 */

static int64_t
window_day(int64_t month)
{
    int64_t  y, m, era;

    y = window_floor(month - 2, 12);        /* it begins in March */
    m = month - 2 - y * 12;
    era = window_floor(y, 400);
    y -= era * 400;

    return era * 146097 + y * 365 + y / 4 - y / 100 + (153 * m + 2) / 5
           - 719468;
}
