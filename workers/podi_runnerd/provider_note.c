/*
 * provider_note: what is kept of an attempt in its row, for who comes next.
 *
 *     before it is sent      intended   {operation, key}
 *     taken, and an id       submitted  {..., id, poll_url, ...}
 *     made at once, as URLs  submitted  {..., items: [url, ...], made: us}
 *     nothing is left        ended
 *
 * What was taken is paid for: when it cannot be noted it is gone on with, told
 * in the log under its id, and noted again before each poll.
 */

#include <string.h>

#include "provider.h"
#include "banned.h"


#define NOTE_REF_MAX    200
#define NOTE_URL_MAX    1900        /* of ids and the like */
#define NOTE_ITEMS_MAX  49152       /* bytes; a row takes 64K */


static void note_keep(json_t *remote, const char *name, const podi_str_t *s);
static podi_rc_t note_items(json_t *remote, const podi_provider_answer_t *a,
    podi_usec_t made_at);
static int note_is_ref(const podi_str_t *id);


podi_rc_t
provider_note(podi_flow_t *f, provider_run_t *run, const char *state)
{
    podi_str_t       remote;
    podi_job_t      *job = run->job;
    podi_pg_call_t   call;

    if (podi_json_dump(run->remote, f->mem, &remote) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_pg_call_init(&call, PODI_SQL_ATTEMPT_REMOTE, f->mem);
    podi_arg_str(&call, &job->id);
    podi_arg_int64(&call, job->fence);
    podi_arg_c(&call, state);
    podi_arg_str(&call, &run->noted_at);
    podi_arg_str(&call, &run->ref);
    podi_arg_str(&call, &remote);
    podi_arg_null(&call);

    return podi_pg_call(podi_worker_pg(job->worker), f, &call);
}


podi_rc_t
provider_remote(provider_run_t *run, const podi_provider_answer_t *a)
{
    json_t  *remote = json_object();

    if (podi_json_own(run->job->mem, remote) != PODI_OK) {
        return PODI_ERROR;
    }

    note_keep(remote, "operation", &run->facts->name);
    note_keep(remote, "key", &run->key);

    if (a != NULL) {
        note_keep(remote, "id", &a->id);
        note_keep(remote, "poll_url", &a->poll_url);
        note_keep(remote, "cancel_url", &a->cancel_url);
        note_keep(remote, "result_url", &a->result_url);
    }

    /* it may be the only answer that tells its price */

    if (a != NULL && a->cost >= 0
        && json_object_set_new(remote, "cost", json_integer(a->cost)) != 0)
    {
        return PODI_ERROR;
    }

    if (run->degraded != NULL
        && json_object_set(remote, "degraded", run->degraded) != 0)
    {
        return PODI_ERROR;
    }

    if (a != NULL && provider_is_kept(run)
        && note_items(remote, a, run->made_at) != PODI_OK)
    {
        return PODI_ERROR;
    }

    run->remote = remote;
    run->noted_at = run->provider->name;
    run->ref = a != NULL && note_is_ref(&a->id) ? a->id : run->key;

    return PODI_OK;
}


/* what is left out for want of memory is missed where it is read */

static void
note_keep(json_t *remote, const char *name, const podi_str_t *s)
{
    if (s->len > 0 && s->len <= NOTE_URL_MAX) {
        (void) json_object_set_new(remote, name,
                                   json_stringn((char *) s->data, s->len));
    }
}


/* as the row of an attempt takes it */

static int
note_is_ref(const podi_str_t *id)
{
    size_t  i;

    for (i = 0; i < id->len; i++) {
        if (id->data[i] < '!' || id->data[i] > '~') {
            return 0;
        }
    }

    return id->len > 0 && id->len <= NOTE_REF_MAX;
}


int
provider_is_kept(const provider_run_t *run)
{
    size_t                         i, bytes = 0;
    const podi_provider_answer_t  *a = &run->answer;

    if (run->facts->has_poll || run->facts->result != PODI_RESULT_URL) {
        return 0;
    }

    for (i = 0; i < a->n_items; i++) {
        bytes += a->items[i].value.len;
    }

    return a->n_items > 0 && bytes <= NOTE_ITEMS_MAX;
}


static podi_rc_t
note_items(json_t *remote, const podi_provider_answer_t *a,
    podi_usec_t made_at)
{
    size_t             i;
    json_t            *items = json_array();
    const podi_str_t  *url;

    if (json_object_set_new(remote, "items", items) != 0
        || json_object_set_new(remote, "made", json_integer(made_at)) != 0)
    {
        return PODI_ERROR;
    }

    for (i = 0; i < a->n_items; i++) {
        url = &a->items[i].value;

        if (json_array_append_new(items, json_stringn((char *) url->data,
                                                      url->len)) != 0)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


podi_rc_t
provider_kept(provider_run_t *run)
{
    size_t                   i, n;
    json_t                  *items = json_object_get(run->remote, "items");
    podi_provider_item_t    *item;
    podi_provider_answer_t  *a = &run->answer;

    n = json_array_size(items);

    if (n == 0 || n > PODI_PROVIDER_ITEMS_MAX) {
        return PODI_DECLINED;
    }

    a->items = podi_mem_calloc(run->job->mem, n * sizeof(*a->items));
    if (a->items == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < n; i++) {
        item = &a->items[i];
        item->kind = PODI_RESULT_URL;
        item->value = podi_json_str(json_array_get(items, i));

        /* the description may have changed */

        if (!podi_provider_may_fetch(run->op, &item->value)) {
            return PODI_DECLINED;
        }
    }

    a->n_items = n;
    provider_made(run, json_integer_value(json_object_get(run->remote,
                                                          "made")));

    return PODI_OK;
}


void
provider_noted(podi_flow_t *f, provider_run_t *run)
{
    podi_str_t  why = podi_null_str;

    if (f->result != NULL && podi_row_bool(f->result, 0, "ok")) {

        if (run->untold) {
            podi_worker_log(run->job->worker, PODI_LOG_INFO, "provider.noted",
                            run->job, PODI_STR_FMT " is noted at last",
                            podi_str_arg(&run->ref));
        }

        run->unnoted = 0;
        return;
    }

    why = f->result != NULL ? podi_row_str(f->result, 0, "reason")
                            : podi_str_c(f->fail.detail);

    /* somebody else has it, and its row */

    if (run->adopts && f->result != NULL) {
        run->keeps = 1;
        podi_worker_log(run->job->worker, PODI_LOG_WARN, "provider.stale",
                        run->job, PODI_STR_FMT " could not be taken over: "
                        PODI_STR_FMT, podi_str_arg(&run->ref),
                        podi_str_arg(&why));
        provider_fate(run, PROVIDER_RETRIES, PODI_E_CONFLICT,
                      "it could not be taken over: " PODI_STR_FMT,
                      podi_str_arg(&why));
        return;
    }

    provider_untold(run, &why);
}


void
provider_untold(provider_run_t *run, const podi_str_t *why)
{
    if (run->untold || run->adopts) {
        return;
    }

    run->untold = 1;
    podi_worker_log(run->job->worker, PODI_LOG_ERROR, "provider.unnoted",
                    run->job, PODI_STR_FMT " at " PODI_STR_FMT " is ours, and "
                    "could not be noted: " PODI_STR_FMT,
                    podi_str_arg(&run->ref),
                    podi_str_arg(&run->noted_at), podi_str_arg(why));
}


podi_rc_t
provider_note_again(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    f->result = NULL;

    return run->unnoted ? provider_note(f, run, "submitted") : PODI_OK;
}


podi_rc_t
provider_noted_again(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->unnoted) {
        provider_noted(f, run);
    }

    return PODI_OK;
}
