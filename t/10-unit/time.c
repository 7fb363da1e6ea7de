/*
 * podi_time: texts to times and back.
 */

#include "tap.h"
#include "podi_time.h"
#include "banned.h"


static const struct {
    podi_usec_t  t;
    const char  *rfc3339;
    const char  *amz;
}  times[] = {
    { 0, "1970-01-01T00:00:00.000000Z", "19700101T000000Z" },
    { 1, "1970-01-01T00:00:00.000001Z", "19700101T000000Z" },
    { -1, "1969-12-31T23:59:59.999999Z", "19691231T235959Z" },
    { INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z",
      "20000229T000000Z" },
    { INT64_C(1795324666123456), "2026-11-22T05:17:46.123456Z",
      "20261122T051746Z" },
    { INT64_C(4102444799999999), "2099-12-31T23:59:59.999999Z",
      "20991231T235959Z" },
    { INT64_C(253402300799000000), "9999-12-31T23:59:59.000000Z",
      "99991231T235959Z" },
};

static const struct {
    const char   *text;
    podi_rc_t     rc;
    podi_usec_t   t;
}  texts[] = {
    { "1970-01-01T00:00:01Z", PODI_OK, 1000000 },
    { "1970-01-01 00:00:01+00", PODI_OK, 1000000 },
    { "1970-01-01T00:00:01.5+00:00", PODI_OK, 1500000 },
    { "1970-01-01T00:00:00.1234567Z", PODI_OK, 123456 },
    { "1970-01-01T00:00:01", PODI_ERROR, 0 },
    { "1970-01-01T00:00:01+01", PODI_ERROR, 0 },
    { "1970-01-01T00:00:01.Z", PODI_ERROR, 0 },
    { "1970-01-01T00:00:01z", PODI_ERROR, 0 },
    { "1970-01-01t00:00:01Z", PODI_ERROR, 0 },
    { "1970-13-01T00:00:00Z", PODI_ERROR, 0 },
    { "1970-00-01T00:00:00Z", PODI_ERROR, 0 },
    { "1970-02-29T00:00:00Z", PODI_ERROR, 0 },
    { "1900-02-29T00:00:00Z", PODI_ERROR, 0 },
    { "2000-02-30T00:00:00Z", PODI_ERROR, 0 },
    { "2001-04-31T00:00:00Z", PODI_ERROR, 0 },
    { "2001-04-30T24:00:00Z", PODI_ERROR, 0 },
    { "2001-04-30T23:60:00Z", PODI_ERROR, 0 },
    { "2001-04-30T23:59:60Z", PODI_ERROR, 0 },
    { "2001-04-3 T23:59:00Z", PODI_ERROR, 0 },
    { "2001-04-30T23:59:00ZZ", PODI_ERROR, 0 },
    { "infinity", PODI_ERROR, 0 },
    { "", PODI_ERROR, 0 },
};


int
main(void)
{
    unsigned        i;
    podi_str_t      s;
    podi_usec_t     t;
    podi_msec_t     mono;
    unsigned char   text[PODI_RFC3339_LEN], amz[PODI_AMZ_DATE_LEN];

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        podi_time_rfc3339(times[i].t, text);
        s.data = text;
        s.len = sizeof(text);
        is_str(s, times[i].rfc3339, "written as RFC 3339");
        ok(podi_time_parse(&s, &t) == PODI_OK && t == times[i].t,
           "and read back: %s", times[i].rfc3339);

        podi_time_amz(times[i].t, amz);
        s.data = amz;
        s.len = sizeof(amz);
        is_str(s, times[i].amz, "written as ISO basic");
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        t = 0;
        s = str(texts[i].text);
        ok(podi_time_parse(&s, &t) == texts[i].rc && t == texts[i].t,
           "parse \"%s\"", texts[i].text);
    }

    s = str("20130524T000000Z");
    ok(podi_time_amz_parse(&s, &t) == PODI_OK
       && t == INT64_C(1369353600000000), "ISO basic is read");
    s = str("20130524T000000");
    is_int(podi_time_amz_parse(&s, &t), PODI_ERROR, "without Z it is not");
    s = str("20130532T000000Z");
    is_int(podi_time_amz_parse(&s, &t), PODI_ERROR, "nor is May 32");

    mono = podi_time_mono();
    ok(podi_time_mono() >= mono, "the monotonic clock does not go back");
    ok(podi_time_now() > INT64_C(1700000000000000), "wall time is ours");

    return tap_done();
}
