/*
 * ngx_podi_lock: who waits much longer than a lock is ever held asks whether
 * its holder is alive, and takes a dead one's over.  From a living one nothing
 * can be taken: when it goes on it still writes.
 *
 *     free -----------------------------------------------> OK
 *     held -> spins, yields -> free -> OK
 *                           -> its holder is dead --------> DECLINED
 *                           -> the same one for too long -> BUSY
 *
 * A holder that has no turn has one in far less than LOCK_PATIENCE.  The loop
 * stands still for so long once: for a while who did not go on is waited for no
 * longer than it takes to see that he lives.
 */

#include "ngx_podi_lock.h"
#include "ngx_podi_process.h"
#include "podi_time.h"


#define LOCK_SPINS     64           /* before the core is given away */
#define LOCK_ASKS      16           /* times, before the holder is looked at */

#define LOCK_PATIENCE  100          /* ms, with one holder */
#define LOCK_MEMORY    1000         /* ms, of one that did not go on */


typedef struct {
    uint64_t     holder;            /* 0: nobody yet */
    podi_msec_t  until;
} lock_wait_t;


static ngx_uint_t lock_is_vain(lock_wait_t *wait, uint64_t holder);


ngx_int_t
ngx_podi_lock(uint64_t *word)
{
    uint64_t     holder, me = ngx_podi_process();
    ngx_uint_t   i, vain;
    lock_wait_t  wait = { 0, 0 };

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

        vain = (holder != 0 && lock_is_vain(&wait, holder));

        if (!vain) {
            ngx_sched_yield();
        }

        if (holder == 0 || (!vain && i % (LOCK_SPINS * LOCK_ASKS) != 0)) {
            continue;
        }

        /* our own word on it is that of a dead one who was called so before */

        if (holder == me || ngx_podi_process_is_dead(holder)) {

            if (__atomic_compare_exchange_n(word, &holder, me, 0,
                                            __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
            {
                return NGX_DECLINED;
            }

        } else if (vain && __atomic_load_n(word, __ATOMIC_RELAXED) == holder) {
            return NGX_BUSY;
        }
    }
}


void
ngx_podi_unlock(uint64_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}


/* each holder that goes on is progress, and the next one is waited for anew */

static ngx_uint_t
lock_is_vain(lock_wait_t *wait, uint64_t holder)
{
    podi_msec_t  now;

    static lock_wait_t  last;       /* who did not go on, remembered until */

    now = podi_time_mono();

    if (wait->holder != holder) {
        wait->holder = holder;
        wait->until = now;

        if (last.holder != holder || now >= last.until) {
            wait->until += LOCK_PATIENCE;
        }
    }

    if (now < wait->until) {
        return 0;
    }

    last.holder = holder;
    last.until = now + LOCK_MEMORY;

    return 1;
}
