/*
 * podi_retry: the schedule, and who is tried again.
 */

#include "tap.h"
#include "podi_retry.h"
#include "banned.h"


static const struct {
    unsigned      attempt;
    podi_msec_t   base;
    podi_msec_t   cap;
    uint32_t      random;
    podi_msec_t   want;
}  delays[] = {
    { 1, 1000, 60000, 0, 0 },
    { 1, 1000, 60000, 0x80000000, 500 },
    { 1, 1000, 60000, 0xffffffff, 999 },
    { 2, 1000, 60000, 0x80000000, 1000 },
    { 3, 1000, 60000, 0x80000000, 2000 },
    { 6, 1000, 60000, 0x80000000, 16000 },
    { 7, 1000, 60000, 0x80000000, 30000 },
    { 4000000000u, 1000, 60000, 0x80000000, 30000 },
    { 4000000000u, 0, 60000, 0xffffffff, 0 },
    { 0, 1000, 60000, 0x80000000, 500 },
    { 5, 1000, 500, 0x80000000, 250 },
    { 64, 1, UINT64_MAX, 0x80000000, UINT64_C(1) << 62 },
};

static const struct {
    podi_error_e  error;
    unsigned      attempt;
    int           want;
    const char   *what;
}  wanted[] = {
    { PODI_E_UNAVAILABLE, 1, 1, "a peer that is away: again" },
    { PODI_E_UNAVAILABLE, 2, 1, "and again" },
    { PODI_E_UNAVAILABLE, 3, 0, "three attempts are enough" },
    { PODI_E_JOB_CRASHED, 1, 1, "a crash: again" },
    { PODI_E_PICTURE_INVALID, 1, 0, "a broken picture stays broken" },
    { PODI_E_INSUFFICIENT_POINTS, 1, 0, "money does not come by waiting" },
    { PODI_E_NONE, 1, 0, "success is not repeated" },
};


int
main(void)
{
    unsigned  i;

    for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        is_int((long long) podi_retry_delay(delays[i].attempt, delays[i].base,
                                            delays[i].cap, delays[i].random),
               (long long) delays[i].want, "a delay");
    }

    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        is_int(podi_retry_is_wanted(wanted[i].error, wanted[i].attempt, 3),
               wanted[i].want, wanted[i].what);
    }

    return tap_done();
}
