/*
 * podi_job_gate: the slots of the gates that held jobs came in by.
 *
 *     claim -> slot of the hint -> slot of the job -> freed -> one release
 *                                       |               ^      for all of a
 *                                       '--- beat ------'      loop's turn
 *
 * Promises: a slot is told to be free as soon as its job is over in
 * PostgreSQL, or was not claimable; without Redis nothing is told, and the
 * slot runs out, or podi_dispatchd finds it.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_queue.h"
#include "podi_worker_int.h"
#include "banned.h"

#define GATE_LATER  5000        /* ms: a slot outlives a job's lease (G5) */


static void gate_tell(void *data);
static podi_queue_slot_t gate_slot(const podi_slot_t *slot);


podi_rc_t
podi_gates_create(podi_jobs_t *jobs)
{
    size_t          n;
    podi_worker_t  *w = jobs->worker;

    n = (size_t) w->set->concurrency;

    jobs->slots = podi_mem_calloc(w->mem, n * sizeof(podi_slot_t));
    jobs->freed = podi_mem_calloc(w->mem, 2 * n * sizeof(podi_slot_t));
    jobs->tell.run = gate_tell;
    jobs->tell.data = jobs;

    return (jobs->slots == NULL || jobs->freed == NULL) ? PODI_ERROR : PODI_OK;
}


podi_msec_t
podi_gate_lease(const podi_jobs_t *jobs)
{
    return jobs->worker->set->lease + GATE_LATER;
}


/* at the end of this turn of the loop: several jobs often end at once */

void
podi_gate_free(podi_jobs_t *jobs, const podi_slot_t *slot)
{
    if (slot->id[0] == '\0') {
        return;
    }

    if (jobs->n_freed == 2 * (size_t) jobs->worker->set->concurrency) {
        gate_tell(jobs);
    }

    jobs->freed[jobs->n_freed++] = *slot;
    jobs->worker->io->post(jobs->worker->io, &jobs->tell);
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
    size_t              i;
    podi_jobs_t        *jobs = data;
    podi_arena_t       *arena;
    podi_queue_slot_t  *slots;

    if (jobs->n_freed == 0 || !podi_worker_redis_is_up(jobs->worker)) {
        jobs->n_freed = 0;
        return;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        jobs->n_freed = 0;
        return;
    }

    slots = podi_mem_alloc(podi_arena_mem(arena),
                           jobs->n_freed * sizeof(podi_queue_slot_t));

    for (i = 0; slots != NULL && i < jobs->n_freed; i++) {
        slots[i] = gate_slot(&jobs->freed[i]);
    }

    if (slots != NULL) {
        (void) !podi_queue_release(jobs->worker->redis, NULL,
                                   podi_arena_mem(arena), slots,
                                   jobs->n_freed);
    }

    jobs->n_freed = 0;
    podi_arena_free(&arena);
}


/* before anything is claimed by hints, which would not see them */

void
podi_gates_take(podi_jobs_t *jobs, podi_mem_t *mem)
{
    size_t              n = 0;
    podi_held_t        *held;
    podi_link_t        *link;
    podi_queue_slot_t  *slots;

    slots = podi_mem_alloc(mem, (jobs->n + 1) * sizeof(podi_queue_slot_t));
    if (slots == NULL) {
        return;
    }

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (held->slotted || held->slot.token[0] != '\0') {
            continue;
        }

        held->slotted = 1;
        slots[n].job_id = held->job.id;
        slots[n++].token = held->scopes;
    }

    if (n > 0) {
        (void) !podi_queue_take(jobs->worker->redis, NULL, mem,
                                podi_gate_lease(jobs), slots, n);
    }
}


/* with the beat of the jobs: nobody waits, the next beat says it again */

void
podi_gates_beat(podi_jobs_t *jobs, podi_mem_t *mem)
{
    size_t              n = 0;
    podi_held_t        *held;
    podi_link_t        *link;
    podi_queue_slot_t  *slots;

    if (jobs->n == 0 || !podi_worker_redis_is_up(jobs->worker)) {
        return;
    }

    slots = podi_mem_alloc(mem, jobs->n * sizeof(podi_queue_slot_t));
    if (slots == NULL) {
        return;
    }

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);
        slots[n++] = gate_slot(&held->slot);
    }

    (void) !podi_queue_beat(jobs->worker->redis, NULL, mem,
                            podi_gate_lease(jobs), slots, n);
}


static podi_queue_slot_t
gate_slot(const podi_slot_t *slot)
{
    podi_queue_slot_t  s;

    s.job_id = podi_str_c(slot->id);
    s.token = podi_str_c(slot->token);

    return s;
}
