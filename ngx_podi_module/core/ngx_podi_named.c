/*
 * ngx_podi_named: a set of names in shared memory, each until some time.
 *
 *     put: not yet, or no more -> name, before -> until
 *     has: until? -> name
 *
 * A reader takes no lock: a name is written before its `until` is, and a place
 * is used again only when its old name has expired.  So a writer that is killed
 * half-way leaves a free place.  What time it is the caller says, who knows by
 * which clock.
 */

#include "ngx_podi_shm.h"


ngx_uint_t
ngx_podi_named_at(const u_char *id, ngx_uint_t which, ngx_uint_t sets)
{
    uint32_t  n;

    ngx_memcpy(&n, id + which * sizeof(n), sizeof(n));

    return n & (sets - 1);
}


ngx_uint_t
ngx_podi_named_has(const ngx_podi_named_t *set, const u_char *id,
    time_t issued, ngx_atomic_uint_t now)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_PODI_NAMED; i++) {

        if (set->until[i] > now
            && ngx_memcmp(set->ids[i], id, NGX_PODI_MARK_LEN) == 0
            && (set->before[i] == 0 || issued < (time_t) set->before[i]))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_podi_named_room(const ngx_podi_named_t *set, const u_char *id,
    ngx_atomic_uint_t now)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < NGX_PODI_NAMED; i++) {

        if (set->until[i] <= now) {
            n++;

        } else if (ngx_memcmp(set->ids[i], id, NGX_PODI_MARK_LEN) == 0) {
            return NGX_PODI_NAMED + 1;
        }
    }

    return n;
}


podi_rc_t
ngx_podi_named_put(ngx_podi_named_t *set, const u_char *id, time_t before,
    ngx_atomic_uint_t until, ngx_atomic_uint_t now)
{
    ngx_int_t   place;
    ngx_uint_t  i;

    place = -1;

    for (i = 0; i < NGX_PODI_NAMED; i++) {

        if (set->until[i] <= now) {
            place = (place == -1) ? (ngx_int_t) i : place;

        } else if (ngx_memcmp(set->ids[i], id, NGX_PODI_MARK_LEN) == 0) {

            /* what has been said is never taken back; 0 says most */

            if (before == 0 || set->before[i] == 0) {
                set->before[i] = 0;

            } else {
                set->before[i] = ngx_max(set->before[i],
                                         (ngx_atomic_uint_t) before);
            }

            set->until[i] = ngx_max(set->until[i], until);
            return PODI_OK;
        }
    }

    if (place == -1) {
        return PODI_ERROR;
    }

    set->until[place] = 0;
    ngx_memory_barrier();
    set->before[place] = (ngx_atomic_uint_t) before;
    ngx_memcpy(set->ids[place], id, NGX_PODI_MARK_LEN);
    ngx_memory_barrier();
    set->until[place] = until;

    return PODI_OK;
}
