/*
 * podi_preview: a picture of a job's work in progress, kept in Redis.
 *
 *     podi:preview:<job id>    JPEG or PNG, at most PODI_PREVIEW_MAX bytes
 *
 * The last one wins.  It goes with its job, or by itself after a while when
 * nobody was left to take it away.  A Redis that is down has none: that is no
 * failure of anything.
 */

#ifndef PODI_PREVIEW_H
#define PODI_PREVIEW_H


#include "podi_redis.h"
#include "podi_sniff.h"


#define PODI_PREVIEW_MAX  (128 * 1024)


/* by its first and last bytes, and its size; UNKNOWN: it is none */
podi_media_e podi_preview_type(const podi_str_t *image);

/* nobody waits; DECLINED: it was not sent, ERROR: no memory */
podi_rc_t podi_preview_put(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *job_id, const podi_str_t *image);
podi_rc_t podi_preview_drop(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *job_id);

/* AGAIN as podi_redis_command: a string, or NIL */
PODI_MUSTCHECK podi_rc_t podi_preview_get(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *job_id);


#endif /* PODI_PREVIEW_H */
