/*
 * podi_retry: exponential back-off with full jitter.
 */

#include "podi_retry.h"
#include "banned.h"


podi_msec_t
podi_retry_delay(unsigned attempt, podi_msec_t base, podi_msec_t cap,
    uint32_t random)
{
    podi_msec_t  bound = base;

    while (attempt > 1 && bound > 0 && bound < cap) {
        bound = bound > cap / 2 ? cap : bound * 2;
        attempt--;
    }

    if (bound > cap) {
        bound = cap;
    }

    /* bound * random / 2^32, in two halves that cannot overflow */

    return (bound >> 32) * random + (((bound & 0xffffffff) * random) >> 32);
}


int
podi_retry_is_wanted(podi_error_e error, unsigned attempt,
    unsigned attempts_max)
{
    return podi_error(error)->retry == PODI_RETRY_LATER
           && attempt < attempts_max;
}
