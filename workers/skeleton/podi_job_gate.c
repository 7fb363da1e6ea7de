/*
 * podi_job_gate: the slots of the gates that held jobs came in by.
 *
 *     claim -> slot of the hint -> slot of the job -> freed -> release, or
 *                                       |               ^      with a claim
 *                                       '--- beat ------'
 *
 * Promises: a slot is told to be free as soon as its job is over in
 * PostgreSQL, or was not claimable, and again until Redis has heard it; what
 * is not told any more runs out, or podi_dispatchd finds it.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_queue.h"
#include "podi_worker_int.h"
#include "banned.h"


static void gate_tell(void *data);
static podi_rc_t gate_tell_ask(podi_flow_t *f, void *ctx);
static podi_rc_t gate_tell_heard(podi_flow_t *f, void *ctx);
static void gate_tell_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static podi_slot_t *gate_room(podi_jobs_t *jobs);
static size_t gate_most(const podi_jobs_t *jobs);
static void gates_taken(podi_jobs_t *jobs, int taken);
static podi_queue_slot_t gate_slot(const podi_slot_t *slot);


static const podi_step_t  gate_tell_steps[] = {
    { "giving slots back", gate_tell_ask, 0 },
    { "having given them back", gate_tell_heard, 0 },
    podi_null_step
};


podi_rc_t
podi_gates_create(podi_jobs_t *jobs)
{
    podi_worker_t  *w = jobs->worker;

    jobs->tell.run = gate_tell;
    jobs->tell.data = jobs;
    jobs->tell_arena = podi_arena_create();

    jobs->slots = podi_mem_calloc(w->mem, (size_t) w->set->concurrency
                                          * sizeof(podi_slot_t));
    jobs->freed = podi_mem_calloc(w->mem, gate_most(jobs)
                                          * sizeof(podi_slot_t));

    return (jobs->slots == NULL || jobs->freed == NULL
            || jobs->tell_arena == NULL) ? PODI_ERROR : PODI_OK;
}


/* what was not told is told now, and nobody waits any more */

void
podi_gates_free(podi_jobs_t *jobs)
{
    size_t              n;
    podi_mem_t         *mem;
    podi_queue_slot_t  *slots;

    jobs->worker->io->unpost(&jobs->tell);
    podi_flow_cancel(&jobs->telling);

    if (jobs->tell_arena == NULL) {
        return;
    }

    podi_arena_reset(jobs->tell_arena);
    mem = podi_arena_mem(jobs->tell_arena);
    jobs->n_telling = 0;

    if (podi_worker_redis_is_up(jobs->worker)
        && podi_gates_over(jobs, mem, &slots, &n) == PODI_OK && n > 0)
    {
        (void) !podi_queue_release(jobs->worker->redis, NULL, mem, slots, n);
    }

    podi_arena_free(&jobs->tell_arena);
}


podi_msec_t
podi_gate_lease(const podi_jobs_t *jobs)
{
    return jobs->worker->set->lease + PODI_SLOT_LATER;
}


/* of all that may be held, and of hints as many as may be taken, twice */

static size_t
gate_most(const podi_jobs_t *jobs)
{
    return 4 * (size_t) jobs->worker->set->concurrency;
}


/* at the end of this turn of the loop: several jobs often end at once */

void
podi_gate_free(podi_jobs_t *jobs, const podi_slot_t *slot)
{
    podi_slot_t  *room;

    if (slot->id[0] == '\0') {
        return;
    }

    room = gate_room(jobs);

    if (room == NULL) {
        podi_worker_log(jobs->worker, PODI_LOG_WARN, "slot.untold", NULL,
                        "%zu wait for Redis: that of job %s runs out",
                        jobs->n_freed, slot->id);
        return;
    }

    *room = *slot;
    jobs->worker->io->post(jobs->worker->io, &jobs->tell);
}


/*
 * When all is full, that of a job that was claimed by its row, the oldest:
 * without Redis there are many, and they may have no slot at all.  NULL: none.
 */

static podi_slot_t *
gate_room(podi_jobs_t *jobs)
{
    size_t  i;

    if (jobs->n_freed < gate_most(jobs)) {
        return &jobs->freed[jobs->n_freed++];
    }

    for (i = jobs->n_telling; i < jobs->n_freed; i++) {

        if (jobs->freed[i].token[0] == '\0') {
            memmove(&jobs->freed[i], &jobs->freed[i + 1],
                    (jobs->n_freed - i - 1) * sizeof(podi_slot_t));
            return &jobs->freed[jobs->n_freed - 1];
        }
    }

    return NULL;
}


void
podi_gates_flush(podi_jobs_t *jobs)
{
    jobs->worker->io->unpost(&jobs->tell);
    gate_tell(jobs);
}


static void
gate_tell(void *data)
{
    podi_jobs_t  *jobs = data;

    if (jobs->n_freed == 0 || jobs->n_telling > 0
        || !podi_worker_redis_is_up(jobs->worker))
    {
        return;                         /* who comes back tells them */
    }

    podi_arena_reset(jobs->tell_arena);
    podi_flow_start(&jobs->telling, gate_tell_steps, jobs,
                    podi_arena_mem(jobs->tell_arena), gate_tell_end);
}


static podi_rc_t
gate_tell_ask(podi_flow_t *f, void *ctx)
{
    size_t              n;
    podi_jobs_t        *jobs = ctx;
    podi_queue_slot_t  *slots;

    if (podi_gates_over(jobs, f->mem, &slots, &n) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_queue_release(jobs->worker->redis, f, f->mem, slots, n);
}


static podi_rc_t
gate_tell_heard(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static void
gate_tell_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    (void) f;

    podi_gates_told(ctx, rc != PODI_ERROR);
}


podi_rc_t
podi_gates_over(podi_jobs_t *jobs, podi_mem_t *mem,
    podi_queue_slot_t **ret_slots, size_t *ret_n)
{
    size_t              i, n;
    podi_queue_slot_t  *slots;

    n = jobs->n_telling > 0 ? 0 : jobs->n_freed;

    slots = podi_mem_alloc(mem, (n + 1) * sizeof(podi_queue_slot_t));
    if (slots == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < n; i++) {
        slots[i] = gate_slot(&jobs->freed[i]);
    }

    jobs->n_telling += n;
    *ret_slots = slots;
    *ret_n = n;

    return PODI_OK;
}


/* not heard: again with the next, or when Redis is back */

void
podi_gates_told(podi_jobs_t *jobs, int heard)
{
    size_t  n = jobs->n_telling;

    jobs->n_telling = 0;

    if (!heard) {
        return;
    }

    jobs->n_freed -= n;
    memmove(jobs->freed, &jobs->freed[n], jobs->n_freed * sizeof(podi_slot_t));

    if (jobs->n_freed > 0) {
        jobs->worker->io->post(jobs->worker->io, &jobs->tell);
    }
}


/* before anything is claimed by hints, which would not see them */

void
podi_gates_take(podi_jobs_t *jobs)
{
    size_t                 n = 0;
    podi_held_t           *held;
    podi_link_t           *link;
    podi_arena_t          *arena;
    podi_queue_running_t  *running;

    if (jobs->n == 0 || !podi_worker_redis_is_up(jobs->worker)) {
        return;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    running = podi_mem_calloc(podi_arena_mem(arena),
                              jobs->n * sizeof(podi_queue_running_t));

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (running == NULL || held->slotted
            || held->slot.token[0] != '\0')
        {
            continue;
        }

        running[n].job_id = held->job.id;
        running[n].fence = held->job.fence;
        running[n++].scopes = held->scopes;
    }

    if (n > 0 && podi_queue_take(jobs->worker->redis, NULL,
                                 podi_arena_mem(arena), podi_gate_lease(jobs),
                                 running, n) == PODI_OK)
    {
        gates_taken(jobs, 1);
    }

    podi_arena_free(&arena);
}


void
podi_gates_lost(podi_jobs_t *jobs)
{
    gates_taken(jobs, 0);
}


static void
gates_taken(podi_jobs_t *jobs, int taken)
{
    podi_link_t  *link;

    podi_list_each(link, &jobs->held) {
        podi_list_owner(link, podi_held_t, link)->slotted = (taken != 0);
    }
}


/* with the beat of the jobs: nobody waits, the next beat says it again */

void
podi_gates_beat(podi_jobs_t *jobs, podi_mem_t *mem, int all)
{
    size_t              n = 0;
    podi_held_t        *held;
    podi_link_t        *link;
    podi_queue_slot_t  *slots;

    if ((jobs->n == 0 && !all) || !podi_worker_redis_is_up(jobs->worker)) {
        return;
    }

    slots = podi_mem_alloc(mem, (jobs->n + 1) * sizeof(podi_queue_slot_t));
    if (slots == NULL) {
        return;
    }

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);
        slots[n++] = gate_slot(&held->slot);
    }

    (void) !podi_queue_beat(jobs->worker->redis, NULL, mem,
                            podi_gate_lease(jobs),
                            all ? jobs->worker->id : "", slots, n);
}


static podi_queue_slot_t
gate_slot(const podi_slot_t *slot)
{
    podi_queue_slot_t  s;

    s.job_id = podi_str_c(slot->id);
    s.token = podi_str_c(slot->token);
    s.fence = slot->fence;

    return s;
}
