/*
 * ngx_podi_lease: who leads.
 */

#include "ngx_podi_lease.h"
#include "ngx_podi_process.h"


ngx_uint_t
ngx_podi_lease_take(ngx_podi_lease_t *lease, ngx_msec_t time)
{
    uint64_t  holder, me = ngx_podi_process();

    holder = __atomic_load_n(&lease->holder, __ATOMIC_RELAXED);

    if (holder != me) {

        if (holder != 0
            && (ngx_msec_int_t) (lease->until - ngx_current_msec) >= 0
            && !ngx_podi_process_is_dead(holder))
        {
            return 0;
        }

        /* of several that saw it one wins */

        if (!__atomic_compare_exchange_n(&lease->holder, &holder, me, 0,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            return 0;
        }
    }

    lease->until = ngx_current_msec + time;

    return 1;
}


ngx_uint_t
ngx_podi_lease_is_ours(const ngx_podi_lease_t *lease)
{
    return __atomic_load_n(&lease->holder, __ATOMIC_ACQUIRE)
           == ngx_podi_process();
}


void
ngx_podi_lease_give(ngx_podi_lease_t *lease)
{
    uint64_t  me = ngx_podi_process();

    (void) __atomic_compare_exchange_n(&lease->holder, &me, 0, 0,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
