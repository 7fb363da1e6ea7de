/*
 * ngx_podi_lock: a lock in shared memory that outlives whoever dies with it.
 *
 *     word: 0 -> pid of its holder, and when that was started -> 0
 *
 * For what takes less than a microsecond.  Zeroed memory is a free lock.
 */

#ifndef NGX_PODI_LOCK_H
#define NGX_PODI_LOCK_H


#include <ngx_config.h>
#include <ngx_core.h>


/* OK; DECLINED: we have it from a dead worker, who may have left things half */
ngx_int_t ngx_podi_lock(uint64_t *word);
void ngx_podi_unlock(uint64_t *word);

/* a pid, or the word of a lock: is there no such process any more? */
ngx_uint_t ngx_podi_is_dead(uint64_t word);


#endif /* NGX_PODI_LOCK_H */
