/*
 * comfy: a job that runs on a ComfyUI server.
 *
 *     what to run -> is an earlier attempt's prompt somewhere?
 *       yes: followed; only when it is lost, on with
 *     server looked for -> inputs fetched -> server chosen -> noted (intended)
 *       -> uploads -> prompt
 *       -> noted (submitted) -> followed: history, queue, history
 *     at its end: files collected -> ending; the settle leaves it to left.c
 *       to remove it there
 *
 * An answer that is missing is never taken for a no: after a prompt was sent
 * it is looked for, and sent again only when it was looked for in vain.
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


#define COMFY_UNREAD  1000          /* ms, until servers were surely read */


static podi_rc_t comfy_read(podi_flow_t *f, void *ctx);
static podi_rc_t comfy_workflow(podi_flow_t *f, comfy_run_t *run);
static podi_rc_t comfy_params(comfy_run_t *run);
static podi_rc_t comfy_earlier(podi_flow_t *f, comfy_run_t *run);
static void comfy_was_partial(comfy_run_t *run, const json_t *partial);
static uint64_t comfy_model_key(const json_t *models);


const podi_step_t  runner_comfy_steps[] = {
    { "reading what to run",       comfy_read,      0 },
    { "looking for what was sent", comfy_adopt,     0 },
    { "reading what was found",    comfy_adopted,   0 },
    { "leaving what is lost",      comfy_left,      0 },
    { "looking for room",          comfy_room,      0 },
    { "fetching the inputs",       comfy_fetch,     0 },
    { "choosing a server",         comfy_choose,    0 },
    { "noting the server",         comfy_chosen,    0 },
    { "uploading the inputs",      comfy_upload,    0 },
    { "noting it once more",       comfy_fence,     0 },
    { "sending the prompt",        comfy_send,      PODI_MAY_FAIL },
    { "reading the answer",        comfy_sent,      0 },
    { "noting that it is there",   comfy_take,      PODI_MAY_FAIL },
    { "following the prompt",      comfy_follow,    0 },
    { "reading its end",           comfy_followed,  0 },
    { "collecting the files",      comfy_collect,   0 },
    { "freeing its memory",        comfy_clean,     PODI_MAY_FAIL },
    { "noting its end",            comfy_cleaned,   0 },
    { "ending",                    comfy_end,       0 },
    podi_null_step
};


static podi_rc_t
comfy_read(podi_flow_t *f, void *ctx)
{
    podi_job_t   *job = ctx;
    comfy_run_t  *run = job->data;

    run->job = job;

    if (run->head.workflow == NULL) {
        return podi_job_fail(job, PODI_E_CONFIG,
                             "its workflow has no version that is live");
    }

    if (comfy_workflow(f, run) != PODI_OK) {
        return PODI_ERROR;
    }

    return comfy_earlier(f, run);
}


static podi_rc_t
comfy_workflow(podi_flow_t *f, comfy_run_t *run)
{
    json_t  *workflow = run->head.workflow;

    run->graph = json_object_get(workflow, "graph");
    run->mapping = json_object_get(workflow, "mapping");
    run->needs = json_object_get(workflow, "needs");
    run->idle = (podi_msec_t) json_integer_value(json_object_get(workflow,
                                                                 "idle_ms"));
    run->model_key = comfy_model_key(json_object_get(run->needs, "models"));

    if (runner_inputs_count(f, run->job) != PODI_OK) {
        return PODI_ERROR;
    }

    if (comfy_params(run) != PODI_OK
        || podi_mem_printf(run->job->mem, &run->version, "%lld",
            (long long) json_integer_value(json_object_get(workflow,
                                                           "version")))
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* what the executor sets, or what is done instead, is not the user's to say */

static podi_rc_t
comfy_params(comfy_run_t *run)
{
    json_t  *set = json_object_get(run->head.executor, "set");

    run->params = json_copy(run->job->params);

    return podi_json_own(run->job->mem, run->params) == PODI_OK
           && (set == NULL || json_object_update(run->params, set) == 0)
           ? PODI_OK : PODI_ERROR;
}


/*
 * The newest of what earlier attempts left, if its server is still there.
 * What is older was looked for by the one that came after it.
 */

static podi_rc_t
comfy_earlier(podi_flow_t *f, comfy_run_t *run)
{
    json_t           *entry;
    podi_str_t        provider, ref;
    runner_server_t  *server;

    entry = json_array_get(run->head.adopt, 0);
    provider = podi_json_str(json_object_get(entry, "provider"));
    ref = podi_json_str(json_object_get(entry, "ref"));
    server = runner_server_find(&provider);

    if (ref.len == 0) {
        return PODI_OK;
    }

    /* the row of one that has prompts of ours cannot go: it was not read yet */

    if (server == NULL && podi_str_has_prefix(&provider, "comfy:")) {
        return podi_job_defer(run->job, COMFY_UNREAD, PODI_E_UNAVAILABLE,
                              "the server that has its prompt is not known "
                              "yet");
    }

    if (server == NULL) {
        return PODI_OK;
    }

    comfy_was_partial(run, json_object_get(json_object_get(entry, "remote"),
                                           "partial"));
    run->prompt_id = ref;
    run->ref = ref;
    run->adopts = 1;
    run->adopted = 1;
    run->sent = 1;

    if (comfy_is_at(run, server) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_worker_log(run->job->worker, PODI_LOG_INFO, "comfy.adopt", run->job,
                    "prompt " PODI_STR_FMT " at " PODI_STR_FMT,
                    podi_str_arg(&ref), podi_str_arg(&server->name));

    return comfy_note(f, run, "submitted", 0);
}


/* the server took a part of it only: whoever follows it takes it back */

static void
comfy_was_partial(comfy_run_t *run, const json_t *partial)
{
    if (!json_is_object(partial)) {
        return;
    }

    run->answer.class = PODI_COMFY_PARTIAL;
    run->answer.node = podi_json_str(json_object_get(partial, "node"));
    run->answer.class_type = podi_json_str(json_object_get(partial, "class"));
    run->answer.sentence = podi_json_str(json_object_get(partial,
                                                         "sentence"));
}


/* FNV-1a: the same for the same models; 0: there are none */

static uint64_t
comfy_model_key(const json_t *models)
{
    size_t      i, j;
    json_t     *model;
    uint64_t    key = 0;
    podi_str_t  name;

    json_array_foreach(models, i, model) {
        name = podi_json_str(model);
        key = key ? key : 14695981039346656037u;

        for (j = 0; j <= name.len; j++) {
            key ^= j < name.len ? name.data[j] : 0;
            key *= 1099511628211u;
        }
    }

    return key;
}
