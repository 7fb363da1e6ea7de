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
 * longer than it takes to see that he lives.  He goes on as soon as the word
 * that was waited for is not his any more, and is then like any other.
 */

#include "ngx_podi_lock.h"
#include "ngx_podi_process.h"
#include "podi_time.h"


#define LOCK_SPINS     64           /* before the core is given away */
#define LOCK_ASKS      16           /* times, before the holder is looked at */

#define LOCK_PATIENCE  100          /* ms, with one holder */
#define LOCK_MEMORY    1000         /* ms, of one that did not go on */
#define LOCK_STUCK     4            /* of whom so much is remembered */


typedef struct {
    uint64_t     holder;            /* 0: nobody yet */
    podi_msec_t  until;
} lock_wait_t;

typedef struct {
    uint64_t        holder;
    const uint64_t *word;           /* that he did not let go */
    podi_msec_t     until;
} lock_stuck_t;


static ngx_uint_t lock_is_vain(lock_wait_t *wait, const uint64_t *word,
    uint64_t holder);
static ngx_uint_t lock_is_stuck(uint64_t holder, podi_msec_t now);
static void lock_remember(const uint64_t *word, uint64_t holder,
    podi_msec_t now);


static lock_stuck_t  lock_stuck[LOCK_STUCK];


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

        vain = (holder != 0 && lock_is_vain(&wait, word, holder));

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


ngx_int_t
ngx_podi_lock_soon(uint64_t *word)
{
    uint64_t    holder, me = ngx_podi_process();
    ngx_uint_t  i;

    for (i = 1; i <= LOCK_SPINS * LOCK_ASKS; i++) {

        holder = 0;

        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(word, &holder, me, 0,
                                           __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED))
        {
            return NGX_OK;
        }

        if (i % LOCK_SPINS != 0 && ngx_ncpu > 1) {
            ngx_cpu_pause();

        } else {
            ngx_sched_yield();
        }
    }

    return NGX_BUSY;
}


void
ngx_podi_unlock(uint64_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}


/*
 * Each holder that goes on is progress, and the next one is waited for anew.
 * Who is seen first has a turn, whoever he is.
 */

static ngx_uint_t
lock_is_vain(lock_wait_t *wait, const uint64_t *word, uint64_t holder)
{
    podi_msec_t  now;

    now = podi_time_mono();

    if (wait->holder != holder) {
        wait->holder = holder;
        wait->until = now + (lock_is_stuck(holder, now) ? 0 : LOCK_PATIENCE);

        return 0;
    }

    if (now < wait->until) {
        return 0;
    }

    lock_remember(word, holder, now);

    return 1;
}


static ngx_uint_t
lock_is_stuck(uint64_t holder, podi_msec_t now)
{
    ngx_uint_t     i;
    lock_stuck_t  *s;

    for (i = 0, s = lock_stuck; i < LOCK_STUCK; i++, s++) {

        if (s->holder != holder) {
            continue;
        }

        if (now < s->until
            && __atomic_load_n(s->word, __ATOMIC_RELAXED) == holder)
        {
            return 1;
        }

        s->holder = 0;
    }

    return 0;
}


/* in the place of what is known of him, or of what is forgotten first */

static void
lock_remember(const uint64_t *word, uint64_t holder, podi_msec_t now)
{
    ngx_uint_t     i;
    lock_stuck_t  *s, *place;

    place = lock_stuck;

    for (i = 0, s = lock_stuck; i < LOCK_STUCK; i++, s++) {

        if (s->holder == holder) {
            place = s;
            break;
        }

        if (s->until < place->until) {
            place = s;
        }
    }

    place->holder = holder;
    place->word = word;
    place->until = now + LOCK_MEMORY;
}
