/*
 * ngx_podi_lock: a lock in shared memory that outlives whoever dies with it,
 * and is not waited for without end when whoever has it stands still.
 *
 *     word: 0 -> the process that holds it -> 0
 *
 * For what takes less than a microsecond.  Zeroed memory is a free lock.
 */

#ifndef NGX_PODI_LOCK_H
#define NGX_PODI_LOCK_H


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * OK.  DECLINED: we have it from a dead process, which may have left things
 * half.  BUSY: we have it not; its holder lives and does not go on (it is
 * stopped), so the caller decides without what the lock guards, or not at all.
 */
ngx_int_t ngx_podi_lock(uint64_t *word);
/*
 * The same for who has another lock already, and must not let all those wait
 * who want that one: OK, or BUSY after some turns.  A dead one's is not taken.
 */
ngx_int_t ngx_podi_lock_soon(uint64_t *word);
void ngx_podi_unlock(uint64_t *word);


#endif /* NGX_PODI_LOCK_H */
