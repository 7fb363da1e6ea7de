/*
 * ngx_podi_bucket_hold: who is inside a limit of concurrency.
 *
 *     chunk of 63 places: owner 0 -> process -> (dead) -> who noticed it
 *     place: free (in its owner's list) -> used ----------------> free
 *                                            '-> late -> (timer) --^
 *
 * The count in a cell is what decides; the places say whose part of it is
 * whose.  They are written by their owner only, under the lock of the cell's
 * set.  A worker that has died is noticed when one starts, when somebody is
 * about to be refused (at most ten times a second), or when chunks run out:
 * its chunk changes hands, and what was used in it is counted off.
 *
 * A place is late that is over, and whose set is locked by somebody who stands
 * still: it is used until it is counted off.  In a worker that ends it stays
 * for whoever notices that.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_process.h"


#define HOLD_REAP   100             /* ms between two looks */
#define HOLD_AGAIN  100             /* ms, to what is late */
#define HOLD_ALIVE  8               /* processes that one look remembers */


static ngx_podi_hold_t *hold_at(ngx_podi_bucket_t *b, uint32_t number);
static ngx_uint_t hold_chunk(ngx_podi_bucket_t *b);
static void hold_adopt(ngx_podi_bucket_t *b, ngx_podi_hold_chunk_t *chunk);
static void hold_put(ngx_podi_bucket_t *b, uint32_t *list,
    ngx_podi_hold_t *hold);
static ngx_int_t hold_lapse(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold);
static ngx_uint_t hold_is_alive(uint64_t owner, uint64_t *alive);


ngx_podi_hold_t *
ngx_podi_hold_take(ngx_podi_bucket_t *b)
{
    ngx_podi_hold_t  *hold;

    if (b->local->free == 0 && !hold_chunk(b)) {
        return NULL;
    }

    hold = hold_at(b, b->local->free);
    b->local->free = hold->next;

    return hold;
}


static ngx_podi_hold_t *
hold_at(ngx_podi_bucket_t *b, uint32_t number)
{
    return &b->shm->chunks[(number - 1) / 63].holds[(number - 1) % 63];
}


void
ngx_podi_hold_give(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    hold_put(b, &b->local->free, hold);
}


void
ngx_podi_hold_late(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    hold_put(b, &b->local->late, hold);

    ngx_podi_io()->arm(b->local->again, HOLD_AGAIN);
}


void
ngx_podi_hold_again(void *data)
{
    ngx_podi_hold_t    *hold;
    ngx_podi_bucket_t  *b = data;

    while (b->local->late != 0) {
        hold = hold_at(b, b->local->late);

        if (hold_lapse(b, hold) != NGX_OK) {
            ngx_podi_io()->arm(b->local->again, HOLD_AGAIN);
            return;
        }

        b->local->late = hold->next;
        ngx_podi_hold_give(b, hold);
    }
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
                                         ngx_podi_process(), 0,
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

        if (chunk->holds[i].used
            && hold_lapse(b, &chunk->holds[i]) != NGX_OK)
        {
            ngx_podi_hold_late(b, &chunk->holds[i]);

        } else {
            ngx_podi_hold_give(b, &chunk->holds[i]);
        }
    }
}


static void
hold_put(ngx_podi_bucket_t *b, uint32_t *list, ngx_podi_hold_t *hold)
{
    size_t    at;
    uint32_t  number;

    at = (u_char *) hold - (u_char *) b->shm->chunks;

    number = (uint32_t) (at / sizeof(ngx_podi_hold_chunk_t) * 63
                         + (at % sizeof(ngx_podi_hold_chunk_t)
                            - offsetof(ngx_podi_hold_chunk_t, holds))
                           / sizeof(ngx_podi_hold_t));

    hold->next = *list;
    *list = number + 1;
}


static ngx_int_t
hold_lapse(ngx_podi_bucket_t *b, ngx_podi_hold_t *hold)
{
    podi_cell_t      *cell;
    podi_cell_set_t  *set;

    set = &b->shm->sets[hold->set];

    if (ngx_podi_bucket_lock(b, set) != NGX_OK) {
        return NGX_BUSY;
    }

    cell = podi_cell_find(set, hold->key);

    if (cell != NULL && cell->value > 0) {
        cell->value--;
    }

    hold->used = 0;

    ngx_podi_bucket_unlock(set);

    return NGX_OK;
}


ngx_uint_t
ngx_podi_hold_reap(ngx_podi_bucket_t *b, ngx_uint_t born)
{
    uint64_t                i, owner, me, alive[HOLD_ALIVE];
    ngx_uint_t              found;
    ngx_podi_hold_chunk_t  *chunk;

    if (!born) {
        if (ngx_current_msec - b->local->reaped < HOLD_REAP) {
            return 0;
        }

        b->local->reaped = ngx_current_msec;
    }

    found = 0;
    me = ngx_podi_process();
    ngx_memzero(alive, sizeof(alive));

    for (i = 0; i < b->shm->top; i++) {
        chunk = &b->shm->chunks[i];
        owner = __atomic_load_n(&chunk->owner, __ATOMIC_RELAXED);

        /* whoever is just born and finds its own word has inherited it */

        if (owner == 0
            || (owner == me ? !born : hold_is_alive(owner, alive)))
        {
            continue;
        }

        if (__atomic_compare_exchange_n(&chunk->owner, &owner, me, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            hold_adopt(b, chunk);
            found = 1;
        }
    }

    return found;
}


/* a look costs more than all the rest: those of some processes are enough */

static ngx_uint_t
hold_is_alive(uint64_t owner, uint64_t *alive)
{
    uint64_t  *known = &alive[owner % HOLD_ALIVE];

    if (*known == owner) {
        return 1;
    }

    if (ngx_podi_process_is_dead(owner)) {
        return 0;
    }

    *known = owner;

    return 1;
}


/* what is late stays its chunk's, and that stays ours: soon a dead one's */

void
ngx_podi_hold_leave(ngx_podi_bucket_t *b)
{
    uint64_t                i;
    ngx_uint_t              k, late;
    ngx_podi_hold_chunk_t  *chunk;

    for (i = 0; i < b->shm->top; i++) {
        chunk = &b->shm->chunks[i];

        if (chunk->owner != ngx_podi_process()) {
            continue;
        }

        late = 0;

        for (k = 0; k < 63; k++) {
            late |= chunk->holds[k].used
                    && hold_lapse(b, &chunk->holds[k]) != NGX_OK;
        }

        if (!late) {
            __atomic_store_n(&chunk->owner, 0, __ATOMIC_RELEASE);
        }
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
