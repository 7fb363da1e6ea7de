/*
 * lease: the machine, one function an event.
 */

#include "lease.h"
#include "banned.h"


static int lease_is_held(const lease_t *l, int fence);
static lease_verdict_e lease_claim(lease_t *l, const lease_event_t *e);
static lease_verdict_e lease_settle(lease_t *l, const lease_event_t *e);
static lease_verdict_e lease_give(lease_t *l, const lease_event_t *e);
static lease_verdict_e lease_end_idle(lease_t *l, const lease_event_t *e,
    lease_state_e end, lease_error_e error);
static lease_verdict_e lease_cancel(lease_t *l, const lease_event_t *e);
static lease_verdict_e lease_replay(lease_t *l, const lease_event_t *e);
static void lease_give_back(lease_t *l, const lease_event_t *e);
static void lease_requeue(lease_t *l, const lease_event_t *e, int gone);
static void lease_finish(lease_t *l, lease_state_e end, lease_error_e error,
    uint64_t digest, int bump);


lease_verdict_e
lease_step(lease_t *l, const lease_event_t *e)
{
    switch (e->kind) {

    case LEASE_OPEN:
        if (l->state != LEASE_BLOCKED) {
            return LEASE_REFUSED;
        }

        l->state = LEASE_QUEUED;
        return LEASE_OK;

    case LEASE_CLAIM:
        return lease_claim(l, e);

    case LEASE_BEAT:
        if (!lease_is_held(l, e->fence)) {
            return LEASE_STALE;
        }

        l->lease_until = e->now + e->span;
        return LEASE_OK;

    case LEASE_SETTLE:
        return lease_settle(l, e);

    case LEASE_RETRY:
    case LEASE_DEFER:
    case LEASE_RETURN:
        return lease_give(l, e);

    case LEASE_LOST:
        if (l->state != LEASE_RUNNING || l->lease_until >= e->now) {
            return LEASE_REFUSED;
        }

        lease_give_back(l, e);
        return LEASE_OK;

    case LEASE_CRASH:
        if (!lease_is_held(l, e->fence)) {
            return LEASE_STALE;
        }

        lease_give_back(l, e);
        return LEASE_OK;

    case LEASE_EXPIRE:
        if (l->state != LEASE_QUEUED || l->start_by > e->now) {
            return LEASE_REFUSED;
        }

        return lease_end_idle(l, e, LEASE_FAILED, LEASE_E_EXPIRED);

    case LEASE_CANCEL:
        return lease_cancel(l, e);

    case LEASE_DROP:
        return lease_end_idle(l, e, LEASE_FAILED, LEASE_E_DEPENDENCY);

    default: /* LEASE_REPLAY */
        return lease_replay(l, e);
    }
}


int
lease_is_final(const lease_t *l)
{
    return l->state >= LEASE_SUCCEEDED;
}


static int
lease_is_held(const lease_t *l, int fence)
{
    return l->state == LEASE_RUNNING && l->fence == fence;
}


static lease_verdict_e
lease_claim(lease_t *l, const lease_event_t *e)
{
    if (l->state != LEASE_QUEUED || l->not_before > e->now
        || l->start_by <= e->now)
    {
        return LEASE_REFUSED;
    }

    l->state = LEASE_RUNNING;
    l->fence++;
    l->attempts++;
    l->lease_until = e->now + e->span;

    return LEASE_OK;
}


static lease_verdict_e
lease_settle(lease_t *l, const lease_event_t *e)
{
    if (lease_is_held(l, e->fence)) {
        lease_finish(l, e->end, e->error, e->digest, 0);
        return LEASE_OK;
    }

    if (l->settled_fence == 0 || l->settled_fence != e->fence) {
        return LEASE_STALE;
    }

    if (l->state == e->end && l->error == e->error && l->digest == e->digest) {
        return LEASE_ALREADY;
    }

    return LEASE_MISMATCH;
}


static lease_verdict_e
lease_give(lease_t *l, const lease_event_t *e)
{
    if (lease_is_held(l, e->fence)) {
        lease_give_back(l, e);
        return LEASE_OK;
    }

    return l->given_fence == e->fence ? LEASE_ALREADY : LEASE_STALE;
}


static lease_verdict_e
lease_end_idle(lease_t *l, const lease_event_t *e, lease_state_e end,
    lease_error_e error)
{
    (void) e;

    if (l->state != LEASE_QUEUED && l->state != LEASE_BLOCKED) {
        return LEASE_REFUSED;
    }

    lease_finish(l, end, error, 0, 1);

    return LEASE_OK;
}


static lease_verdict_e
lease_cancel(lease_t *l, const lease_event_t *e)
{
    if (l->state != LEASE_RUNNING) {
        return lease_end_idle(l, e, LEASE_CANCELLED, LEASE_E_CANCELLED);
    }

    if (l->cancel_requested) {
        return LEASE_ALREADY;
    }

    l->cancel_requested = 1;

    return LEASE_OK;
}


static lease_verdict_e
lease_replay(lease_t *l, const lease_event_t *e)
{
    if (l->state != LEASE_FAILED && l->state != LEASE_CANCELLED) {
        return LEASE_REFUSED;
    }

    l->state = e->end;
    l->error = LEASE_E_NONE;
    l->fence++;
    l->attempts = 0;
    l->crashes = 0;
    l->deferrals = 0;
    l->settled_fence = 0;
    l->round++;
    l->cancel_requested = 0;
    l->set_aside = 0;
    l->digest = 0;
    l->not_before = e->now;
    l->start_by = e->now + l->max_wait;

    return LEASE_OK;
}


static void
lease_give_back(lease_t *l, const lease_event_t *e)
{
    int  gone = e->kind == LEASE_LOST || e->kind == LEASE_CRASH;

    l->given_fence = l->fence;

    if (l->cancel_requested) {
        l->crashes += gone;
        lease_finish(l, LEASE_CANCELLED, LEASE_E_CANCELLED, 0, gone);

    } else if (gone && l->crashes + 1 >= l->max_crashes) {
        l->crashes++;
        l->set_aside = 1;
        lease_finish(l, LEASE_FAILED, LEASE_E_CRASHED, 0, 1);

    } else if (e->kind == LEASE_RETRY && l->attempts >= l->max_attempts) {
        lease_finish(l, LEASE_FAILED, e->error, 0, 0);

    } else {
        lease_requeue(l, e, gone);
    }
}


/*
 *     kind      attempts  crashes  deferrals  fence  time to start in
 *     retry        .         .         .        .    anew
 *     defer       -1         .        +1        .    as it was
 *     return      -1         .         .        .    anew
 *     lost        -1        +1         .       +1    anew
 *     crash       -1        +1         .       +1    anew
 */

static void
lease_requeue(lease_t *l, const lease_event_t *e, int gone)
{
    l->state = LEASE_QUEUED;
    l->lease_until = 0;
    l->not_before = e->now + e->span;
    l->attempts -= e->kind != LEASE_RETRY;
    l->deferrals += e->kind == LEASE_DEFER;
    l->crashes += gone;
    l->fence += gone;

    if (e->kind != LEASE_DEFER) {
        l->start_by = l->not_before + l->max_wait;
    }
}


static void
lease_finish(lease_t *l, lease_state_e end, lease_error_e error,
    uint64_t digest, int bump)
{
    l->state = end;
    l->error = error;
    l->digest = digest;
    l->fence += bump;
    l->settled_fence = l->fence;
    l->lease_until = 0;
}
