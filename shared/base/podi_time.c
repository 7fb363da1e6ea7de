/*
 * podi_time: clocks, and the texts of wall time.
 *
 * Civil dates are computed here (Gregorian, proleptic): timegm and strptime
 * depend on the C library's mood about locale and range.
 */

#include <time.h>

#include "podi_time.h"
#include "banned.h"


#define PODI_USEC  1000000


typedef struct {
    int64_t  year;
    int      month, day, hour, minute, second, usec;
} podi_civil_t;


static void podi_civil_from(podi_usec_t t, podi_civil_t *c);
static podi_rc_t podi_civil_to(const podi_civil_t *c, podi_usec_t *ret_t);
static int podi_days_in_month(int64_t year, int month);
static unsigned char *podi_put(unsigned char *dst, int64_t n, int digits);
static int podi_get(const podi_str_t *s, size_t at, size_t digits);


podi_usec_t
podi_time_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (podi_usec_t) ts.tv_sec * PODI_USEC + ts.tv_nsec / 1000;
}


podi_msec_t
podi_time_mono(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (podi_msec_t) ts.tv_sec * 1000 + (podi_msec_t) ts.tv_nsec / 1000000;
}


void
podi_time_rfc3339(podi_usec_t t, unsigned char *dst)
{
    podi_civil_t  c;

    podi_civil_from(t, &c);

    dst = podi_put(dst, c.year, 4);
    *dst++ = '-';
    dst = podi_put(dst, c.month, 2);
    *dst++ = '-';
    dst = podi_put(dst, c.day, 2);
    *dst++ = 'T';
    dst = podi_put(dst, c.hour, 2);
    *dst++ = ':';
    dst = podi_put(dst, c.minute, 2);
    *dst++ = ':';
    dst = podi_put(dst, c.second, 2);
    *dst++ = '.';
    dst = podi_put(dst, c.usec, 6);
    *dst = 'Z';
}


void
podi_time_amz(podi_usec_t t, unsigned char *dst)
{
    podi_civil_t  c;

    podi_civil_from(t, &c);

    dst = podi_put(dst, c.year, 4);
    dst = podi_put(dst, c.month, 2);
    dst = podi_put(dst, c.day, 2);
    *dst++ = 'T';
    dst = podi_put(dst, c.hour, 2);
    dst = podi_put(dst, c.minute, 2);
    dst = podi_put(dst, c.second, 2);
    *dst = 'Z';
}


/* 2026-11-22T05:17:46[.1..6 digits, more are cut](Z|+00[[:]00]) */

podi_rc_t
podi_time_parse(const podi_str_t *s, podi_usec_t *ret_t)
{
    size_t        i, scale;
    podi_str_t    zone;
    podi_civil_t  c;

    if (s->len < 20 || s->data[4] != '-' || s->data[7] != '-'
        || (s->data[10] != 'T' && s->data[10] != ' ')
        || s->data[13] != ':' || s->data[16] != ':')
    {
        return PODI_ERROR;
    }

    c.year = podi_get(s, 0, 4);
    c.month = podi_get(s, 5, 2);
    c.day = podi_get(s, 8, 2);
    c.hour = podi_get(s, 11, 2);
    c.minute = podi_get(s, 14, 2);
    c.second = podi_get(s, 17, 2);
    c.usec = 0;

    i = 19;

    if (s->data[i] == '.') {
        scale = PODI_USEC / 10;

        for (i++; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++) {
            c.usec += (int) ((size_t) (s->data[i] - '0') * scale);
            scale /= 10;
        }

        if (i == 20) {
            return PODI_ERROR;
        }
    }

    zone.data = s->data + i;
    zone.len = s->len - i;

    if (!podi_str_eq_c(&zone, "Z") && !podi_str_eq_c(&zone, "+00")
        && !podi_str_eq_c(&zone, "+00:00"))
    {
        return PODI_ERROR;
    }

    return podi_civil_to(&c, ret_t);
}


podi_rc_t
podi_time_amz_parse(const podi_str_t *s, podi_usec_t *ret_t)
{
    podi_civil_t  c;

    if (s->len != PODI_AMZ_DATE_LEN || s->data[8] != 'T'
        || s->data[15] != 'Z')
    {
        return PODI_ERROR;
    }

    c.year = podi_get(s, 0, 4);
    c.month = podi_get(s, 4, 2);
    c.day = podi_get(s, 6, 2);
    c.hour = podi_get(s, 9, 2);
    c.minute = podi_get(s, 11, 2);
    c.second = podi_get(s, 13, 2);
    c.usec = 0;

    return podi_civil_to(&c, ret_t);
}


/*
 * Howard Hinnant's civil_from_days: years that begin in March, in eras of
 * 400 years, which are all 146097 days long.
 */

static void
podi_civil_from(podi_usec_t t, podi_civil_t *c)
{
    int64_t  days, rest, era, doe, yoe, doy, mp;

    days = t / ((int64_t) 86400 * PODI_USEC);
    rest = t % ((int64_t) 86400 * PODI_USEC);

    if (rest < 0) {
        rest += (int64_t) 86400 * PODI_USEC;
        days--;
    }

    c->usec = (int) (rest % PODI_USEC);
    rest /= PODI_USEC;
    c->hour = (int) (rest / 3600);
    c->minute = (int) (rest / 60 % 60);
    c->second = (int) (rest % 60);

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    c->day = (int) (doy - (153 * mp + 2) / 5 + 1);
    c->month = (int) (mp < 10 ? mp + 3 : mp - 9);
    c->year = yoe + era * 400 + (c->month <= 2);
}


static podi_rc_t
podi_civil_to(const podi_civil_t *c, podi_usec_t *ret_t)
{
    int64_t  year, era, yoe, doy, days;

    /* a part that was not digits is -1; the 60th second is not ours */

    if (c->year < 0 || c->month < 1 || c->month > 12 || c->day < 1
        || c->day > podi_days_in_month(c->year, c->month)
        || c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59
        || c->second < 0 || c->second > 59)
    {
        return PODI_ERROR;
    }

    year = c->year - (c->month <= 2);
    era = (year >= 0 ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
    days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;

    *ret_t = ((days * 24 + c->hour) * 60 + c->minute) * 60 + c->second;
    *ret_t = *ret_t * PODI_USEC + c->usec;

    return PODI_OK;
}


static int
podi_days_in_month(int64_t year, int month)
{
    static const int  days[] = { 31, 28, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31 };

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        return 29;
    }

    return days[month - 1];
}


/* keeps the width: what does not fit is shown modulo, never overruns */

static unsigned char *
podi_put(unsigned char *dst, int64_t n, int digits)
{
    int  i;

    if (n < 0) {
        n = 0;
    }

    for (i = digits - 1; i >= 0; i--) {
        dst[i] = (unsigned char) ('0' + n % 10);
        n /= 10;
    }

    return dst + digits;
}


static int
podi_get(const podi_str_t *s, size_t at, size_t digits)
{
    int     n = 0;
    size_t  i;

    for (i = at; i < at + digits; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return -1;
        }

        n = n * 10 + s->data[i] - '0';
    }

    return n;
}
