/*
 * ngx_podi_bucket_hold: who is inside a limit of concurrency.
 *
 *     chunk of 63 places: owner 0 -> pid -> (dead) -> pid of who noticed
 *     place: free (in its owner's list) -> used -> free
 *
 * The count in a cell is what decides; the places say whose part of it is
 * whose.  They are written by their owner only, under the lock of the cell's
 * set.  A worker that has died is noticed when one starts, when somebody is
 * about to be refused (at most ten times a second), or when chunks run out:
 * its chunk changes hands, and what was used in it is counted off.
 *
 * A foreign process that got the number of a dead worker keeps its places
 * until it ends: nobody can tell the two apart without asking the kernel for
 * more than a signal.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_lock.h"


#define HOLD_REAP  100              /* ms between two looks */


static ngx_uint_t hold_chunk(ngx_podi_bucket_t *b);
static void hold_adopt(ngx_podi_bucket_t *b, ngx_podi_hold_chunk_t *chunk);
static void hold_free(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold);
static void hold_lapse(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold);


ngx_podi_hold_t *
ngx_podi_hold_take(ngx_podi_bucket_t *b)
{
    uint32_t                at;
    ngx_podi_hold_t        *hold;
    ngx_podi_hold_chunk_t  *chunk;

    if (b->local->free == 0 && !hold_chunk(b)) {
        return NULL;
    }

    at = b->local->free - 1;
    chunk = &b->shm->chunks[at / 63];
    hold = &chunk->holds[at % 63];

    b->local->free = hold->next;

    return hold;
}


void
ngx_podi_hold_give(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    hold_free(b, hold);
}


/* a chunk that is nobody's, or was a dead one's */

static ngx_uint_t
hold_chunk(ngx_podi_bucket_t *b)
{
    uint64_t                i, top, nobody;
    ngx_podi_hold_chunk_t  *chunk;

    for (i = 0; i < b->shm->nchunks; i++) {
        chunk = &b->shm->chunks[i];
        nobody = 0;

        if (!__atomic_compare_exchange_n(&chunk->owner, &nobody,
                                         (uint64_t) ngx_pid, 0,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            continue;
        }

        top = __atomic_load_n(&b->shm->top, __ATOMIC_RELAXED);

        while (top <= i
               && !__atomic_compare_exchange_n(&b->shm->top, &top, i + 1, 0,
                                               __ATOMIC_RELEASE,
                                               __ATOMIC_RELAXED))
        {
            /* void */
        }

        hold_adopt(b, chunk);
        return 1;
    }

    return ngx_podi_hold_reap(b, 0);
}


/* it is ours now: what somebody left in it lapses */

static void
hold_adopt(ngx_podi_bucket_t *b, ngx_podi_hold_chunk_t *chunk)
{
    ngx_uint_t  i;

    for (i = 0; i < 63; i++) {

        if (chunk->holds[i].used) {
            hold_lapse(b, &chunk->holds[i]);
        }

        hold_free(b, &chunk->holds[i]);
    }
}


static void
hold_free(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    size_t    at;
    uint32_t  number;

    at = (u_char *) hold - (u_char *) b->shm->chunks;

    number = (uint32_t) (at / sizeof(ngx_podi_hold_chunk_t) * 63
                         + (at % sizeof(ngx_podi_hold_chunk_t)
                            - offsetof(ngx_podi_hold_chunk_t, holds))
                           / sizeof(ngx_podi_hold_t));

    hold->next = b->local->free;
    b->local->free = number + 1;
}


static void
hold_lapse(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    podi_cell_t      *cell;
    podi_cell_set_t  *set;

    set = &b->shm->sets[hold->set];

    ngx_podi_bucket_lock(b, set);

    cell = podi_cell_find(set, hold->key);

    if (cell != NULL && cell->value > 0) {
        cell->value--;
    }

    hold->used = 0;

    ngx_podi_bucket_unlock(set);
}


ngx_uint_t
ngx_podi_hold_reap(ngx_podi_bucket_t *b, ngx_uint_t born)
{
    uint64_t                i, owner, alive;
    ngx_uint_t              found;
    ngx_podi_hold_chunk_t  *chunk;

    if (!born) {
        if (ngx_current_msec - b->local->reaped < HOLD_REAP) {
            return 0;
        }

        b->local->reaped = ngx_current_msec;
    }

    found = 0;
    alive = born ? 0 : (uint64_t) ngx_pid;

    for (i = 0; i < b->shm->top; i++) {
        chunk = &b->shm->chunks[i];
        owner = __atomic_load_n(&chunk->owner, __ATOMIC_RELAXED);

        if (owner == 0 || owner == alive) {
            continue;
        }

        /* whoever is just born and finds its own number has inherited it */

        if (owner != (uint64_t) ngx_pid && !ngx_podi_is_dead(owner)) {
            alive = owner;
            continue;
        }

        if ((owner != (uint64_t) ngx_pid || born)
            && __atomic_compare_exchange_n(&chunk->owner, &owner,
                                           (uint64_t) ngx_pid, 0,
                                           __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED))
        {
            hold_adopt(b, chunk);
            found = 1;
        }
    }

    return found;
}


void
ngx_podi_hold_leave(ngx_podi_bucket_t *b)
{
    uint64_t                i;
    ngx_uint_t              k;
    ngx_podi_hold_chunk_t  *chunk;

    for (i = 0; i < b->shm->top; i++) {
        chunk = &b->shm->chunks[i];

        if (chunk->owner != (uint64_t) ngx_pid) {
            continue;
        }

        for (k = 0; k < 63; k++) {
            if (chunk->holds[k].used) {
                hold_lapse(b, &chunk->holds[k]);
            }
        }

        __atomic_store_n(&chunk->owner, 0, __ATOMIC_RELEASE);
    }
}


/* dead ones' places count until they are reaped, and then come off again */

void
ngx_podi_hold_recount(ngx_podi_bucket_t *b, podi_cell_set_t *set)
{
    uint32_t               at;
    uint64_t               i;
    ngx_uint_t             k;
    podi_cell_t           *cell;
    ngx_podi_hold_t       *hold;

    if (b->rule.kind != PODI_CELL_CONN) {
        return;
    }

    for (k = 0; k < PODI_CELL_WAYS; k++) {
        set->cells[k].value = 0;
    }

    at = (uint32_t) (set - b->shm->sets);

    for (i = 0; i < b->shm->top * 63; i++) {
        hold = &b->shm->chunks[i / 63].holds[i % 63];

        if (hold->set != at
            || !__atomic_load_n(&hold->used, __ATOMIC_ACQUIRE))
        {
            continue;
        }

        cell = podi_cell_find(set, hold->key);

        if (cell != NULL) {
            cell->value++;
        }
    }
}
