/*
 * podi_retry: when to try again, and when to give up.  Pure.
 */

#ifndef PODI_RETRY_H
#define PODI_RETRY_H


#include "podi_fail.h"
#include "podi_time.h"


/*
 * Exponential back-off with full jitter: somewhere in 0..min(cap, base *
 * 2^(attempt - 1)), chosen by the 32 random bits.  Attempts count from 1.
 */
podi_msec_t podi_retry_delay(unsigned attempt, podi_msec_t base,
    podi_msec_t cap, uint32_t random);

/* may an attempt that ended so be followed by another one? */
int podi_retry_is_wanted(podi_error_e error, unsigned attempt,
    unsigned attempts_max);


#endif /* PODI_RETRY_H */
