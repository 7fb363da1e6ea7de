/*
 * ngx_podi_lock: who waits much longer than a lock is ever held asks whether
 * its holder is alive, and takes a dead one's over.
 *
 *     word: pid | ticks from boot to the start of that process << 32
 *
 * The kernel gives numbers away again, but never with the same start.  Where
 * /proc does not tell it, the number alone has to do.
 */

#include <signal.h>

#include "ngx_podi_lock.h"


#define LOCK_SPINS  64              /* before the core is given away */
#define LOCK_ASKS   16              /* times, before the holder is looked at */
#define LOCK_START  20              /* of /proc/pid/stat, after the name */


static uint64_t lock_me(void);
static uint64_t lock_start(ngx_pid_t pid);


ngx_int_t
ngx_podi_lock(uint64_t *word)
{
    uint64_t    holder, me = lock_me();
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


/* of this process: asked once */

static uint64_t
lock_me(void)
{
    static uint64_t  me;

    if ((ngx_pid_t) (me & 0xffffffff) != ngx_pid) {
        me = (uint64_t) ngx_pid | lock_start(ngx_pid) << 32;
    }

    return me;
}


ngx_uint_t
ngx_podi_is_dead(uint64_t word)
{
    uint64_t   start, now;
    ngx_pid_t  pid = (ngx_pid_t) (word & 0xffffffff);

    if (pid == 0) {
        return 0;
    }

    if (kill(pid, 0) == -1 && ngx_errno == ESRCH) {
        return 1;
    }

    start = word >> 32;
    now = (start == 0) ? 0 : lock_start(pid);

    return now != 0 && now != start;
}


/* 0: nobody tells; a name may hold anything, so the last ')' ends it */

static uint64_t
lock_start(ngx_pid_t pid)
{
    int         n;
    FILE       *stat;
    char        path[sizeof("/proc//stat") + NGX_INT64_LEN];
    char        line[1024], *p;

    (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    stat = fopen(path, "re");
    if (stat == NULL) {
        return 0;
    }

    p = fgets(line, sizeof(line), stat);
    (void) fclose(stat);

    p = (p == NULL) ? NULL : strrchr(line, ')');

    for (n = 0; p != NULL && n < LOCK_START; n++) {
        p = strchr(p + 1, ' ');
    }

    return (p == NULL) ? 0 : strtoull(p, NULL, 10) & 0xffffffff;
}
