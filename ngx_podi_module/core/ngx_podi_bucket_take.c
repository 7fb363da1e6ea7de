/*
 * ngx_podi_bucket_take: several limits decided as one, under the locks of all
 * their sets.
 *
 * A lock is held for some hundred nanoseconds.  Sets are locked in the order
 * of their addresses, so nobody waits in a circle.  Whoever has to wait for one
 * lets go of the others before, and begins anew: who stands still with a lock
 * holds up those who want it, not those who want any other.  A set that is not
 * to be had is left out: its limit is lost for this decision, the others are
 * decided.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_lock.h"
#include "podi_assert.h"
#include "podi_fault.h"


#define BUCKET_SAID   60            /* seconds between two lines in the log */
#define BUCKET_AGAIN  8             /* times all locks are given back */


static ngx_int_t bucket_decide(ngx_podi_bucket_op_t *ops, ngx_uint_t n);
static void bucket_lock(ngx_podi_bucket_op_t **order, ngx_uint_t n);
static void bucket_unlock(ngx_podi_bucket_op_t **order, ngx_uint_t n);
static void bucket_sort(ngx_podi_bucket_op_t *ops,
    ngx_podi_bucket_op_t **order, ngx_uint_t n);
static void bucket_prepare(ngx_podi_bucket_op_t *op);
static void bucket_clock(ngx_podi_bucket_t *b, const podi_rule_t *rule,
    podi_cell_clock_t *now);
static void bucket_charge(ngx_podi_bucket_op_t *op, podi_cell_t *cell);
static void bucket_look(ngx_podi_bucket_op_t *op, const podi_cell_t *cell);
static void bucket_evicted(ngx_podi_bucket_t *b);
static void bucket_stuck(ngx_podi_bucket_t *b);
static ngx_uint_t bucket_is_said(ngx_atomic_t *said);


/* a place of a dead worker may be all that is in the way */

ngx_int_t
ngx_podi_bucket_take(ngx_podi_bucket_op_t *ops, ngx_uint_t n)
{
    ngx_int_t              rc;
    ngx_uint_t             i, again;
    ngx_podi_bucket_op_t  *op;

    for (i = 0; i < n; i++) {
        op = &ops[i];
        op->hold = NULL;

        if (op->rule->kind == PODI_CELL_CONN) {
            op->hold = ngx_podi_hold_take(op->bucket);
        }
    }

    rc = bucket_decide(ops, n);

    for (i = 0, again = 0; rc == NGX_DECLINED && i < n; i++) {
        if (!ops[i].passed && !ops[i].lost
            && ops[i].rule->kind == PODI_CELL_CONN)
        {
            again += ngx_podi_hold_reap(ops[i].bucket, 0);
        }
    }

    if (again) {
        rc = bucket_decide(ops, n);
    }

    for (i = 0; i < n; i++) {
        op = &ops[i];

        if (!op->taken && op->hold != NULL) {
            ngx_podi_hold_give(op->bucket, op->hold);
            op->hold = NULL;
        }
    }

    return rc;
}


static ngx_int_t
bucket_decide(ngx_podi_bucket_op_t *ops, ngx_uint_t n)
{
    ngx_uint_t             i, refused;
    podi_cell_t           *cells[NGX_PODI_BUCKET_OPS];
    ngx_podi_bucket_op_t  *op, *order[NGX_PODI_BUCKET_OPS];

    podi_assert(n <= NGX_PODI_BUCKET_OPS);

    bucket_sort(ops, order, n);
    bucket_lock(order, n);

    refused = 0;

    for (i = 0; i < n; i++) {
        op = &ops[i];
        cells[i] = op->lost ? NULL : podi_cell_find(op->set, op->key);

        op->passed = op->lost ? op->open
                     : podi_cell_peek(op->rule, cells[i], op->cost, &op->now,
                                      NULL);
        op->taken = 0;

        refused |= !op->passed && !op->dry;
    }

    for (i = 0; i < n; i++) {
        op = &ops[i];

        if (!refused && op->passed && !op->lost) {
            bucket_charge(op, cells[i]);

        } else {
            bucket_look(op, cells[i]);
        }
    }

    bucket_unlock(order, n);

    return refused ? NGX_DECLINED : NGX_OK;
}


static void
bucket_lock(ngx_podi_bucket_op_t **order, ngx_uint_t n)
{
    ngx_uint_t             i, held, again;
    ngx_podi_bucket_op_t  *op;

    for (i = 0; i < n; i++) {
        order[i]->lost = 0;
    }

    for (i = 0, held = 0, again = 0; i < n; i++) {
        op = order[i];

        if (op->lost) {
            continue;
        }

        if (held == 0 || again == BUCKET_AGAIN) {
            op->lost = (ngx_podi_bucket_lock(op->bucket, op->set) != NGX_OK);
            held += !op->lost;
            continue;
        }

        if (ngx_podi_lock_soon(&op->set->lock) == NGX_OK) {
            held++;
            continue;
        }

        bucket_unlock(order, i);

        op->lost = (ngx_podi_bucket_lock(op->bucket, op->set) != NGX_OK);

        if (!op->lost) {
            ngx_podi_bucket_unlock(op->set);
        }

        held = 0;
        again++;
        i = (ngx_uint_t) -1;
    }
}


static void
bucket_unlock(ngx_podi_bucket_op_t **order, ngx_uint_t n)
{
    while (n-- > 0) {
        if (!order[n]->lost) {
            ngx_podi_bucket_unlock(order[n]->set);
        }
    }
}


static void
bucket_sort(ngx_podi_bucket_op_t *ops, ngx_podi_bucket_op_t **order,
    ngx_uint_t n)
{
    ngx_uint_t             i, k;
    ngx_podi_bucket_op_t  *op;

    for (i = 0; i < n; i++) {
        op = &ops[i];
        bucket_prepare(op);

        for (k = i; k > 0 && order[k - 1]->set > op->set; k--) {
            order[k] = order[k - 1];
        }

        order[k] = op;
    }
}


/* the set is chosen by other bytes than a cell's tag */

static void
bucket_prepare(ngx_podi_bucket_op_t *op)
{
    uint32_t                      hash;
    const ngx_podi_bucket_shm_t  *shm = op->bucket->shm;

    ngx_memcpy(&hash, op->key + 8, sizeof(hash));

    op->set = &shm->sets[(hash * shm->n) >> 32];

    bucket_clock(op->bucket, op->rule, &op->now);
}


static void
bucket_clock(ngx_podi_bucket_t *b, const podi_rule_t *rule,
    podi_cell_clock_t *now)
{
    ngx_time_t     *tp;
    podi_window_t  *w;

    now->mono = (podi_usec_t) ngx_current_msec * 1000;

    if (rule->kind != PODI_CELL_QUOTA) {
        return;
    }

    tp = ngx_timeofday();
    now->wall = (podi_usec_t) tp->sec * 1000000 + tp->msec * 1000;

    w = &b->local->window;

    if (now->wall < w->start || now->wall >= w->end) {
        *w = podi_rule_window(&b->rule, now->wall);
    }

    now->window = *w;
}


static void
bucket_charge(ngx_podi_bucket_op_t *op, podi_cell_t *cell)
{
    int  live = 0;

    /* what costs nothing makes nobody be forgotten */

    if (cell == NULL && op->cost == 0) {
        op->taken = 1;
        bucket_look(op, NULL);
        return;
    }

    if (cell == NULL) {
        cell = podi_cell_victim(op->set, op->rule, &op->now, &live);

        if (op->set->tags[cell - op->set->cells] == 0) {
            ngx_podi_bucket_count(op->bucket, NGX_PODI_BUCKET_FILLED);
        }

        podi_cell_begin(op->set, cell, op->key);
    }

    /* the place first: a lock that is taken over counts the places again */

    if (op->hold != NULL) {
        ngx_memcpy(op->hold->key, op->key, PODI_CELL_KEY);
        op->hold->set = (uint32_t) (op->set - op->bucket->shm->sets);
        __atomic_store_n(&op->hold->used, 1, __ATOMIC_RELEASE);
    }

    podi_cell_take(op->rule, cell, op->cost, &op->now);

    op->seen = *cell;
    op->taken = 1;

    PODI_FAULT(limit_write);

    if (live) {
        bucket_evicted(op->bucket);
    }
}


/* NULL: of a new key, or nobody knows */

static void
bucket_look(ngx_podi_bucket_op_t *op, const podi_cell_t *cell)
{
    if (cell != NULL) {
        op->seen = *cell;

    } else {
        ngx_memzero(&op->seen, sizeof(podi_cell_t));
    }
}


static void
bucket_evicted(ngx_podi_bucket_t *b)
{
    ngx_podi_bucket_count(b, NGX_PODI_BUCKET_EVICTED);

    if (bucket_is_said(&b->shm->said)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "podi: the limit \"%V\" is full: keys in use are forgotten "
                  "(%ui so far); give podi_limit_zone more memory",
                  &b->name,
                  ngx_podi_bucket_counted(b, NGX_PODI_BUCKET_EVICTED));
}


static void
bucket_stuck(ngx_podi_bucket_t *b)
{
    if (bucket_is_said(&b->shm->stuck)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "podi: some keys of the limit \"%V\" cannot be counted: a "
                  "worker stands still that has locked them; on_failure "
                  "decides", &b->name);
}


/* at most once a minute, of all workers */

static ngx_uint_t
bucket_is_said(ngx_atomic_t *said)
{
    time_t             now = ngx_time();
    ngx_atomic_uint_t  last = *said;

    return now < (time_t) last + BUCKET_SAID
           || !ngx_atomic_cmp_set(said, last, (ngx_atomic_uint_t) now);
}


void
ngx_podi_bucket_answer(const ngx_podi_bucket_op_t *op,
    podi_cell_answer_t *answer)
{
    if (op->passed) {
        podi_cell_answer(op->rule, &op->seen, &op->now, answer);

    } else {
        (void) podi_cell_peek(op->rule, &op->seen, op->cost, &op->now,
                              answer);
    }
}


/* what cannot be given back stays charged; but a place comes back later on */

void
ngx_podi_bucket_undo(ngx_podi_bucket_op_t *op)
{
    podi_cell_t  *cell;

    if (!op->taken) {
        return;
    }

    op->taken = 0;
    bucket_clock(op->bucket, op->rule, &op->now);

    op->lost = (ngx_podi_bucket_lock(op->bucket, op->set) != NGX_OK);

    if (op->lost && op->hold != NULL) {
        ngx_podi_hold_late(op->bucket, op->hold);
        op->hold = NULL;
    }

    if (op->lost) {
        return;
    }

    cell = podi_cell_find(op->set, op->key);

    if (cell != NULL) {
        podi_cell_undo(op->rule, cell, op->cost, &op->now);
    }

    if (op->hold != NULL) {
        __atomic_store_n(&op->hold->used, 0, __ATOMIC_RELEASE);
    }

    ngx_podi_bucket_unlock(op->set);

    if (op->hold != NULL) {
        ngx_podi_hold_give(op->bucket, op->hold);
        op->hold = NULL;
    }
}


ngx_int_t
ngx_podi_bucket_peek(ngx_podi_bucket_op_t *op)
{
    podi_cell_t  *cell;

    bucket_prepare(op);

    op->taken = 0;
    op->lost = (ngx_podi_bucket_lock(op->bucket, op->set) != NGX_OK);

    if (op->lost) {
        op->passed = op->open;
        bucket_look(op, NULL);
        return op->passed ? NGX_OK : NGX_DECLINED;
    }

    cell = podi_cell_find(op->set, op->key);
    op->passed = podi_cell_peek(op->rule, cell, op->cost, &op->now, NULL);
    bucket_look(op, cell);

    ngx_podi_bucket_unlock(op->set);

    return op->passed ? NGX_OK : NGX_DECLINED;
}


void
ngx_podi_bucket_charge(ngx_podi_bucket_op_t *op)
{
    bucket_prepare(op);
    op->hold = NULL;
    op->lost = (ngx_podi_bucket_lock(op->bucket, op->set) != NGX_OK);

    if (op->lost) {
        return;
    }

    bucket_charge(op, podi_cell_find(op->set, op->key));

    ngx_podi_bucket_unlock(op->set);
}


ngx_int_t
ngx_podi_bucket_lock(ngx_podi_bucket_t *b, podi_cell_set_t *set)
{
    switch (ngx_podi_lock(&set->lock)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        bucket_stuck(b);
        return NGX_BUSY;

    default: /* NGX_DECLINED */
        ngx_podi_hold_recount(b, set);
        return NGX_OK;
    }
}


void
ngx_podi_bucket_unlock(podi_cell_set_t *set)
{
    ngx_podi_unlock(&set->lock);
}
