/*
 * runner: a job, and what it is carried out by.
 *
 *     asked -> read -> the steps of its kind, as one operation -> ended
 *     undo: the undo of its kind, when that was begun
 */

#include <string.h>

#include "podi_sub.h"
#include "provider.h"
#include "banned.h"


#define RUNNER_JSON_MAX  (16 * 1024 * 1024)


typedef struct {
    const char         *kind;
    const podi_step_t  *steps;
    const podi_step_t  *undo;
} runner_kind_t;


static podi_rc_t runner_open(podi_flow_t *f, void *ctx);
static podi_rc_t runner_read(podi_flow_t *f, void *ctx);
static podi_rc_t runner_run(podi_flow_t *f, void *ctx);
static podi_rc_t runner_undo_run(podi_flow_t *f, void *ctx);
static podi_rc_t runner_over(podi_flow_t *f, void *ctx);
static const runner_kind_t *runner_kind(const runner_head_t *head);
static podi_rc_t runner_json(podi_flow_t *f, podi_job_t *job,
    const char *name, json_t **ret_json);


static const runner_kind_t  runner_kinds[] = {
    { "comfy", runner_comfy_steps, runner_comfy_undo },
    { "provider", runner_provider_steps, runner_provider_undo },
    { "mock", runner_mock_steps, NULL },
    { NULL, NULL, NULL }
};

const podi_step_t  runner_steps[] = {
    { "asking what to run", runner_open, 0 },
    { "reading it",         runner_read, 0 },
    { "running it",         runner_run,  0 },
    { "ending",             runner_over, 0 },
    podi_null_step
};

const podi_step_t  runner_undo[] = {
    { "undoing it", runner_undo_run, 0 },
    { "ending",     runner_over,     0 },
    podi_null_step
};


static podi_rc_t
runner_open(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_JOB_EXECUTOR, f->mem);
    podi_arg_str(&call, &job->id);
    podi_arg_int64(&call, job->fence);

    return podi_pg_call(podi_worker_pg(job->worker), f, &call);
}


static podi_rc_t
runner_read(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    runner_head_t  *head = job->data;

    if (podi_rows(f->result) == 0) {
        return podi_job_retry(job, PODI_E_CONFLICT,
                              "it is another's by now");
    }

    if (runner_json(f, job, "executor", &head->executor) != PODI_OK
        || runner_json(f, job, "workflow", &head->workflow) != PODI_OK
        || runner_json(f, job, "adopt", &head->adopt) != PODI_OK
        || runner_json(f, job, "tried", &head->tried) != PODI_OK)
    {
        return PODI_ERROR;
    }

    head->deferrals = podi_row_int64(f->result, 0, "deferrals");

    if (runner_kind(head) == NULL) {
        return podi_job_fail(job, PODI_E_CONFIG,
                             "nothing here carries this action out");
    }

    return PODI_OK;
}


/* NULL: the column is */

static podi_rc_t
runner_json(podi_flow_t *f, podi_job_t *job, const char *name,
    json_t **ret_json)
{
    podi_str_t                      text;
    static const podi_json_limit_t  limit = { RUNNER_JSON_MAX, 64 };

    *ret_json = NULL;

    if (podi_row_is_null(f->result, 0, name)) {
        return PODI_OK;
    }

    text = podi_row_str(f->result, 0, name);

    return podi_json_parse(&text, &limit, job->mem, ret_json, &f->fail);
}


static const runner_kind_t *
runner_kind(const runner_head_t *head)
{
    podi_str_t            kind;
    const runner_kind_t  *k;

    kind = podi_json_str(json_object_get(head->executor, "kind"));

    for (k = runner_kinds; k->kind != NULL; k++) {
        if (podi_str_eq_c(&kind, k->kind)) {
            return k;
        }
    }

    return NULL;
}


static podi_rc_t
runner_run(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    runner_head_t        *head = job->data;
    const runner_kind_t  *kind = runner_kind(head);

    head->undo = kind->undo;

    return podi_sub(f, kind->steps, job);
}


static podi_rc_t
runner_undo_run(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    runner_head_t  *head = job->data;

    return head->undo != NULL ? podi_sub(f, head->undo, job) : PODI_OK;
}


static podi_rc_t
runner_over(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


podi_objects_store_t *
runner_store(const podi_job_t *job)
{
    podi_str_t       name;
    podi_objects_t  *stores = &runnerd.files.stores;

    name = podi_json_str(json_object_get(json_array_get(job->inputs, 0),
                                         "store"));

    if (name.len > 0) {
        return podi_objects_find(stores, &name);
    }

    return stores->n > 0 ? &stores->stores[0] : NULL;
}
