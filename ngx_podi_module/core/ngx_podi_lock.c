/*
 * ngx_podi_lock: who waits much longer than a lock is ever held asks whether
 * its holder is alive, and takes a dead one's over.
 */

#include <signal.h>

#include "ngx_podi_lock.h"


#define LOCK_SPINS  64              /* before the core is given away */
#define LOCK_ASKS   16              /* times, before the holder is looked at */


ngx_int_t
ngx_podi_lock(uint64_t *word)
{
    uint64_t    holder, me = (uint64_t) ngx_pid;
    ngx_uint_t  i;

    for (i = 1; /* void */ ; i++) {

        holder = __atomic_load_n(word, __ATOMIC_RELAXED);

        if (holder == 0
            && __atomic_compare_exchange_n(word, &holder, me, 0,
                                           __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED))
        {
            return NGX_OK;
        }

        if (i % LOCK_SPINS != 0 && ngx_ncpu > 1) {
            ngx_cpu_pause();
            continue;
        }

        ngx_sched_yield();

        /* our own number on it is that of a dead one who had it before */

        if (i % (LOCK_SPINS * LOCK_ASKS) == 0
            && (holder == me || ngx_podi_is_dead(holder))
            && __atomic_compare_exchange_n(word, &holder, me, 0,
                                           __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED))
        {
            return NGX_DECLINED;
        }
    }
}


void
ngx_podi_unlock(uint64_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}


ngx_uint_t
ngx_podi_is_dead(uint64_t pid)
{
    return pid != 0 && kill((pid_t) pid, 0) == -1 && ngx_errno == ESRCH;
}
