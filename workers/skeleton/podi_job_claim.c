/*
 * podi_job_claim: from hints, or rows, to held jobs.
 *
 *     OFF -> HINTS -> ROWS -> HINTS ...        Redis is up
 *             |  ^     |
 *             v  |     |                       less came than was asked for
 *            WAIT <----'                       until a hint comes, or `poll`
 *
 *     OFF -> ROWS -> PAUSE -> ROWS ...         Redis is down, or has lost the
 *                                              gates: by rows alone, with
 *                                              `poll` + jitter between
 *
 * The next job is claimed while the last one is being settled: who only waits
 * for its verdict is in nobody's way.
 *
 * Promises: never more jobs at work than slots; a hint that was taken is kept
 * until PostgreSQL has answered for it, or until its gates may be another's;
 * back to Redis by itself.
 */

#include "podi_assert.h"
#include "podi_id.h"
#include "podi_queue.h"
#include "podi_retry.h"
#include "podi_worker_int.h"
#include "banned.h"

#define CLAIM_BACKOFF      100
#define CLAIM_BACKOFF_MAX  2000


static void claim_next(void *data);
static void claim_forget_old(podi_jobs_t *jobs);
static void claim_set_state(podi_jobs_t *jobs, podi_claim_e state);
static void claim_rows(podi_jobs_t *jobs);
static void claim_flow(podi_jobs_t *jobs, podi_claim_e state,
    const podi_step_t *steps, podi_flow_end_pt end);
static void claim_pause(podi_jobs_t *jobs, podi_msec_t around);
static void claim_again(podi_jobs_t *jobs);
static void claim_failed(podi_jobs_t *jobs, podi_flow_t *f);

static void claim_hints_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void claim_rows_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void claim_wait(podi_jobs_t *jobs);
static podi_rc_t claim_wait_ask(podi_flow_t *f, void *ctx);
static podi_rc_t claim_wait_over(podi_flow_t *f, void *ctx);
static void claim_wait_end(podi_flow_t *f, podi_rc_t rc, void *ctx);


static const podi_step_t  claim_wait_steps[] = {
    { "waiting for a hint", claim_wait_ask, 0 },
    { "waking up", claim_wait_over, 0 },
    podi_null_step
};


podi_rc_t
podi_jobs_create(podi_worker_t *w)
{
    podi_jobs_t  *jobs;

    jobs = podi_mem_calloc(w->mem, sizeof(podi_jobs_t));
    if (jobs == NULL) {
        return PODI_ERROR;
    }

    podi_list_init(&jobs->held);
    podi_breakers_create(jobs);
    jobs->worker = w;
    jobs->queue = podi_str_c(w->set->queue);
    jobs->proved = podi_time_mono();
    jobs->arena = podi_arena_create();
    jobs->timer = w->io->timer(w->io, PODI_TIMER_HOUSEKEEPING, claim_next,
                               jobs);
    jobs->post.run = claim_next;
    jobs->post.data = jobs;

    w->jobs = jobs;

    /* all of them, so that what is there can be freed */

    if (podi_batch_create(jobs, &jobs->settles, 0) != PODI_OK
        || podi_batch_create(jobs, &jobs->retries, 1) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_gates_create(jobs) != PODI_OK) {
        return PODI_ERROR;
    }

    return jobs->arena != NULL && jobs->timer != NULL ? PODI_OK : PODI_ERROR;
}


void
podi_jobs_free(podi_jobs_t **jobs)
{
    podi_io_t    *io;
    podi_held_t  *held;
    podi_jobs_t  *j = *jobs;

    if (j == NULL) {
        return;
    }

    io = j->worker->io;

    podi_flow_cancel(&j->flow);
    podi_batch_free(&j->settles);
    podi_batch_free(&j->retries);
    io->unpost(&j->post);

    while (!podi_list_is_empty(&j->held)) {
        held = podi_list_owner(j->held.next, podi_held_t, link);
        held->unsettled = 1;
        podi_job_free(held);
    }

    podi_breakers_free(j);
    io->unpost(&j->post);
    podi_gates_free(j);

    if (j->timer != NULL) {
        io->timer_free(j->timer);
    }

    podi_arena_free(&j->arena);

    *jobs = NULL;
}


unsigned
podi_jobs_free_slots(const podi_jobs_t *jobs)
{
    unsigned  most, busy;

    most = (unsigned) jobs->worker->set->concurrency;
    busy = jobs->n - jobs->n_light;

    if (jobs->worker->draining || busy >= most || jobs->n >= 2 * most) {
        return 0;
    }

    return most - busy < 2 * most - jobs->n ? most - busy
                                            : 2 * most - jobs->n;
}


/*
 * Who drains claims the hints that he took, to give their jobs back: Redis
 * has forgotten them.  Unless the claim fails; then a dispatcher finds them.
 */

int
podi_jobs_are_idle(const podi_jobs_t *jobs)
{
    return jobs->claim != PODI_CLAIM_HINTS && jobs->claim != PODI_CLAIM_ROWS
           && jobs->n == 0
           && (jobs->n_hints == 0 || jobs->claim == PODI_CLAIM_PAUSE);
}


/* a worker whose slots are all taken has nothing to prove */

int
podi_jobs_are_alive(const podi_jobs_t *jobs)
{
    return podi_jobs_free_slots(jobs) == 0
           || podi_time_mono() - jobs->proved <= PODI_ALIVE_WITHIN;
}


void
podi_jobs_kick(podi_jobs_t *jobs)
{
    if (jobs->worker->draining && jobs->claim == PODI_CLAIM_WAIT) {
        podi_flow_cancel(&jobs->flow);
        claim_set_state(jobs, PODI_CLAIM_OFF);
    }

    if (jobs->claim == PODI_CLAIM_OFF || jobs->claim == PODI_CLAIM_PAUSE) {
        jobs->worker->io->post(jobs->worker->io, &jobs->post);
    }
}


static void
claim_next(void *data)
{
    podi_jobs_t    *jobs = data;
    podi_worker_t  *w = jobs->worker;

    if (jobs->claim != PODI_CLAIM_OFF && jobs->claim != PODI_CLAIM_PAUSE) {
        return;
    }

    w->io->disarm(jobs->timer);
    w->io->unpost(&jobs->post);
    claim_set_state(jobs, PODI_CLAIM_OFF);

    claim_forget_old(jobs);

    if (jobs->n_hints == 0 && podi_jobs_free_slots(jobs) == 0) {
        podi_worker_drain_check(w);
        return;
    }

    if (jobs->n_hints > 0 || !podi_worker_redis_is_up(w)) {
        claim_rows(jobs);
        return;
    }

    claim_flow(jobs, PODI_CLAIM_HINTS, podi_claim_hints_steps,
               claim_hints_end);
}


/* their slots will be another's (G5); the jobs are pushed again */

static void
claim_forget_old(podi_jobs_t *jobs)
{
    unsigned  i;

    if (!podi_claim_is_late(jobs)) {
        return;
    }

    for (i = 0; i < jobs->n_hints; i++) {
        podi_gate_free(jobs, &jobs->slots[i]);
    }

    jobs->n_hints = 0;
}


int
podi_claim_is_late(const podi_jobs_t *jobs)
{
    return podi_time_mono() - jobs->hinted >= PODI_CLAIM_MAX;
}


static void
claim_set_state(podi_jobs_t *jobs, podi_claim_e state)
{
    jobs->claim = state;
}


static void
claim_rows(podi_jobs_t *jobs)
{
    claim_flow(jobs, PODI_CLAIM_ROWS, podi_claim_rows_steps, claim_rows_end);
}


static void
claim_flow(podi_jobs_t *jobs, podi_claim_e state, const podi_step_t *steps,
    podi_flow_end_pt end)
{
    podi_assert(!podi_flow_is_active(&jobs->flow));

    claim_set_state(jobs, state);
    podi_arena_reset(jobs->arena);
    podi_flow_start(&jobs->flow, steps, jobs, podi_arena_mem(jobs->arena),
                    end);
}


/* somewhere between half and one and a half of it: workers spread out */

static void
claim_pause(podi_jobs_t *jobs, podi_msec_t around)
{
    uint32_t  random;

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = 0;
    }

    claim_set_state(jobs, PODI_CLAIM_PAUSE);
    jobs->worker->io->arm(jobs->timer, around / 2 + random % (around + 1));

    podi_worker_drain_check(jobs->worker);
}


/* on a clean stack, so that a long run of jobs does not grow the stack */

static void
claim_again(podi_jobs_t *jobs)
{
    claim_set_state(jobs, PODI_CLAIM_OFF);
    jobs->worker->io->post(jobs->worker->io, &jobs->post);
}


static void
claim_failed(podi_jobs_t *jobs, podi_flow_t *f)
{
    char         text[512];
    podi_msec_t  delay;

    if (jobs->failures++ == 0) {
        podi_fail_text(&f->fail, text, sizeof(text));
        podi_worker_log(jobs->worker, PODI_LOG_WARN, "claim.failed", NULL,
                        "failed while %s: %s", f->now->name, text);
    }

    delay = podi_retry_delay(jobs->failures, CLAIM_BACKOFF, CLAIM_BACKOFF_MAX,
                             UINT32_MAX);
    claim_pause(jobs, delay);
}


static void
claim_hints_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    podi_jobs_t  *jobs = ctx;

    if (jobs->carries) {
        podi_gates_told(jobs, rc != PODI_ERROR);
        jobs->carries = 0;
    }

    if (rc == PODI_ERROR) {
        jobs->unheard = 1;
        claim_failed(jobs, f);
        return;
    }

    if (jobs->n_hints > 0) {
        claim_rows(jobs);
        return;
    }

    if (jobs->unready && !jobs->worker->draining) {
        claim_rows(jobs);
        return;
    }

    jobs->proved = podi_time_mono();
    jobs->failures = 0;
    claim_wait(jobs);
}


static void
claim_rows_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    int             hinted;
    podi_jobs_t    *jobs = ctx;
    podi_worker_t  *w = jobs->worker;

    if (rc == PODI_ERROR) {
        jobs->lost_at = podi_time_mono();
        claim_failed(jobs, f);
        return;
    }

    hinted = (jobs->n_hints > 0);

    jobs->n_hints = 0;
    jobs->failures = 0;
    jobs->proved = podi_time_mono();

    podi_metric_add(w, "podi_worker_claims_total",
                    hinted ? "from=\"hints\"" : "from=\"rows\"",
                    jobs->claimed);

    /* without Redis nobody wakes us: look again soon, at once when it paid */

    if (!hinted && jobs->claimed == 0 && !w->draining) {
        claim_pause(jobs, w->set->poll);
        return;
    }

    /* who was given less than he asked for is woken when there is more */

    if (hinted && jobs->dry) {
        claim_wait(jobs);
        return;
    }

    claim_again(jobs);
}


static void
claim_wait(podi_jobs_t *jobs)
{
    podi_worker_t  *w = jobs->worker;

    if (w->draining) {
        claim_again(jobs);
        return;
    }

    if (!podi_redis_is_up(w->blocking)) {
        claim_pause(jobs, w->set->poll);
        return;
    }

    claim_flow(jobs, PODI_CLAIM_WAIT, claim_wait_steps, claim_wait_end);
}


static podi_rc_t
claim_wait_ask(podi_flow_t *f, void *ctx)
{
    podi_jobs_t  *jobs = ctx;

    return podi_queue_wake_wait(jobs->worker->blocking, f, &jobs->queue,
                                jobs->worker->set->poll);
}


static podi_rc_t
claim_wait_over(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static void
claim_wait_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    podi_jobs_t  *jobs = ctx;

    if (rc == PODI_ERROR) {
        claim_failed(jobs, f);
        return;
    }

    claim_again(jobs);
}
