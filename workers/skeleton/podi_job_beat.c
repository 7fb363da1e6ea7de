/*
 * podi_job_beat: what keeps held jobs alive, and what ends them from outside.
 *
 *     beat   every `beat`: one call for all jobs; extends leases and slots,
 *            stores progress, brings cancels; who is missing in the answer is
 *            lost
 *     alive  every 5 s: this worker is at work
 *     poke   podi:worker:<id>: a cancel that did not wait for the beat
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_json.h"
#include "podi_worker_int.h"
#include "banned.h"

#define BEAT_POKE_MAX  65536

typedef struct {
    unsigned  number;
} beat_t;


static podi_rc_t beat_ask(podi_flow_t *f, void *ctx);
static int beat_is_due(const podi_jobs_t *jobs);
static podi_rc_t beat_read(podi_flow_t *f, void *ctx);
static podi_rc_t beat_lists(podi_jobs_t *jobs, unsigned number,
    podi_mem_t *mem, podi_str_t ret_lists[3]);
static podi_rc_t alive_ask(podi_flow_t *f, void *ctx);
static podi_rc_t alive_told(podi_flow_t *f, void *ctx);
static void control_cancel(podi_jobs_t *jobs, const podi_str_t *id);


const podi_step_t  podi_beat_steps[] = {
    { "beating for the jobs", beat_ask, 0 },
    { "reading the beat", beat_read, 0 },
    podi_null_step
};

const podi_step_t  podi_alive_steps[] = {
    { "telling that it lives", alive_ask, 0 },
    { "being heard", alive_told, 0 },
    podi_null_step
};


size_t
podi_beat_size(void)
{
    return sizeof(beat_t);
}


static podi_rc_t
beat_ask(podi_flow_t *f, void *ctx)
{
    beat_t          *beat;
    podi_str_t       lists[3];
    podi_jobs_t     *jobs;
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    jobs = round->worker->jobs;
    beat = round->data;

    if (podi_list_is_empty(&jobs->held) && !beat_is_due(jobs)) {
        return PODI_DONE;
    }

    podi_gates_take(jobs);
    podi_gates_beat(jobs, f->mem, 0);
    podi_gates_flush(jobs);
    podi_breakers_beat(jobs);
    PODI_FAULT(beat_ask);

    beat->number = ++jobs->beats;

    if (beat_lists(jobs, beat->number, f->mem, lists) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_JOB_BEAT, f->mem);
    podi_arg_c(&call, round->worker->id);
    podi_arg_str(&call, &lists[0]);
    podi_arg_str(&call, &lists[1]);
    podi_arg_int64(&call, (int64_t) round->worker->set->lease);
    podi_arg_str(&call, &lists[2]);

    return podi_pg_call(round->worker->pg, f, &call);
}


/*
 * A claim whose answer was lost may have given us jobs that we do not know of;
 * a beat that does not name them gives them back, when half of their lease is
 * over.  Without it they would be a crash of ours.
 */

static int
beat_is_due(const podi_jobs_t *jobs)
{
    const podi_common_t  *set = jobs->worker->set;

    return jobs->lost_at != 0
           && podi_time_mono() - jobs->lost_at
              < set->lease + set->pg_statement_timeout;
}


/* "{id,...}", "{fence,...}", {"id":percent,...} */

static podi_rc_t
beat_lists(podi_jobs_t *jobs, unsigned number, podi_mem_t *mem,
    podi_str_t ret_lists[3])
{
    const char   *comma;
    podi_buf_t    ids, fences, progress;
    podi_held_t  *held;
    podi_link_t  *link;

    podi_buf_init(&ids, mem);
    podi_buf_init(&fences, mem);
    podi_buf_init(&progress, mem);

    podi_buf_add_byte(&ids, '{');
    podi_buf_add_byte(&fences, '{');
    podi_buf_add_byte(&progress, '{');

    comma = "";

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);
        held->beat = number;

        podi_buf_printf(&ids, "%s" PODI_STR_FMT, comma,
                        podi_str_arg(&held->job.id));
        podi_buf_printf(&fences, "%s%lld", comma,
                        (long long) held->job.fence);
        podi_buf_printf(&progress, "%s\"" PODI_STR_FMT "\":%u", comma,
                        podi_str_arg(&held->job.id), held->progress);
        comma = ",";
    }

    podi_buf_add_byte(&ids, '}');
    podi_buf_add_byte(&fences, '}');
    podi_buf_add_byte(&progress, '}');

    if (podi_buf_take(&ids, &ret_lists[0]) != PODI_OK
        || podi_buf_take(&fences, &ret_lists[1]) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_buf_take(&progress, &ret_lists[2]);
}


static podi_rc_t
beat_read(podi_flow_t *f, void *ctx)
{
    int            i;
    beat_t        *beat;
    podi_str_t     id;
    podi_held_t   *held;
    podi_jobs_t   *jobs;
    podi_link_t   *link, *tmp;
    podi_round_t  *round = ctx;

    jobs = round->worker->jobs;
    beat = round->data;
    PODI_FAULT(beat_told);

    for (i = 0; i < podi_rows(f->result); i++) {
        id = podi_row_str(f->result, i, "job_id");

        held = podi_job_find(jobs, &id, podi_row_int64(f->result, i, "fence"));
        if (held == NULL || held->beat != beat->number) {
            continue;                   /* ended and maybe came again */
        }

        held->beat = 0;

        if (podi_row_bool(f->result, i, "cancel_requested")) {
            podi_job_stop(held, PODI_JOB_CANCELLED, PODI_E_JOB_CANCELLED,
                          "cancelled while running");
        }
    }

    podi_list_each_safe(link, tmp, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (held->beat == beat->number) {
            podi_job_stop(held, PODI_JOB_LOST, PODI_E_NONE,
                          "not ours any more");
        }
    }

    return PODI_DONE;
}


static podi_rc_t
alive_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_worker_t   *w = round->worker;
    podi_pg_call_t   call;

    if (w->jobs != NULL && !podi_jobs_are_alive(w->jobs)) {
        return PODI_DONE;               /* a beat would be a lie */
    }

    podi_pg_call_init(&call, PODI_SQL_WORKER_BEAT, f->mem);
    podi_arg_c(&call, w->id);
    podi_arg_c(&call, w->name);
    podi_arg_c(&call, w->host);
    podi_arg_int64(&call, (int64_t) uv_os_getpid());
    podi_arg_int64(&call, w->jobs != NULL ? w->jobs->n : 0);

    return podi_pg_call(w->pg, f, &call);
}


static podi_rc_t
alive_told(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


/* {"cancel":["<job id>",...]}; whatever else is said here is not for us */

void
podi_job_control(podi_worker_t *w, const podi_str_t *payload)
{
    size_t              i;
    json_t             *poke, *id;
    podi_str_t          text;
    podi_fail_t         fail;
    podi_arena_t       *arena;
    podi_json_limit_t   limit = { BEAT_POKE_MAX, 4 };

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    if (podi_json_parse(payload, &limit, podi_arena_mem(arena), &poke, &fail)
        != PODI_OK)
    {
        podi_arena_free(&arena);
        return;
    }

    json_array_foreach(json_object_get(poke, "cancel"), i, id) {
        text = podi_json_str(id);
        control_cancel(w->jobs, &text);
    }

    podi_arena_free(&arena);
}


/* all claims of it: one may run while an older one is being settled */

static void
control_cancel(podi_jobs_t *jobs, const podi_str_t *id)
{
    podi_held_t  *held;
    podi_link_t  *link;

    podi_list_each(link, &jobs->held) {
        held = podi_list_owner(link, podi_held_t, link);

        if (podi_str_eq(&held->job.id, id)) {
            podi_job_stop(held, PODI_JOB_CANCELLED, PODI_E_JOB_CANCELLED,
                          "cancelled while running");
        }
    }
}
