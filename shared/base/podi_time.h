/*
 * podi_time: two clocks and the texts of one of them.
 *
 * Wall time is microseconds since 1970 (UTC); the monotonic clock is in
 * milliseconds and only good for differences.
 */

#ifndef PODI_TIME_H
#define PODI_TIME_H


#include "podi_str.h"


typedef int64_t   podi_usec_t;     /* wall time */
typedef uint64_t  podi_msec_t;     /* monotonic time, or a span */

#define PODI_RFC3339_LEN  27       /* 2026-11-22T05:17:46.123456Z */
#define PODI_AMZ_DATE_LEN 16       /* 20261122T051746Z */

podi_usec_t podi_time_now(void);
podi_msec_t podi_time_mono(void);

/* exactly PODI_RFC3339_LEN bytes, microseconds, Z; no NUL (RFC 3339) */
void podi_time_rfc3339(podi_usec_t t, unsigned char *dst);

/* "Z", "+00", "+00:00" and a blank for the T are read; ERROR otherwise */
PODI_MUSTCHECK podi_rc_t podi_time_parse(const podi_str_t *s,
    podi_usec_t *ret_t);

/* ISO basic, whole seconds, exactly PODI_AMZ_DATE_LEN bytes (SigV4, OSS V4) */
void podi_time_amz(podi_usec_t t, unsigned char *dst);
PODI_MUSTCHECK podi_rc_t podi_time_amz_parse(const podi_str_t *s,
    podi_usec_t *ret_t);


#endif /* PODI_TIME_H */
