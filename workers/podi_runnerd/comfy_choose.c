/*
 * comfy_choose: the server that a job goes to.
 *
 *     a look: has any of them room?  no: the job waits in its queue
 *       yes: that room is kept for it, in this process -> inputs
 *       -> is it there still?  no: another one -> noted (intended)
 *
 * The choice is by what was seen; the database has the last word, since
 * other runners send there as well.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "runnerd.h"
#include "banned.h"


#define CHOOSE_WAIT      500        /* ms until it is tried again, at first */
#define CHOOSE_WAIT_MAX  5000


static podi_rc_t choose_server(comfy_run_t *run, podi_farm_choice_t *choice,
    podi_str_t *lacks, runner_server_t **ret_server);
static size_t choose_listed(void);
static void choose_ask(const comfy_run_t *run, podi_farm_ask_t *ask,
    podi_str_t *labels);
static void choose_card(const comfy_run_t *run, const runner_server_t *server,
    podi_farm_server_t *card, podi_str_t *lacks);
static unsigned choose_foreign(const runner_server_t *server);
static int choose_was_tried(const comfy_run_t *run,
    const runner_server_t *server);
static podi_rc_t choose_wait(comfy_run_t *run,
    const podi_farm_choice_t *choice, const podi_str_t *lacks);
static podi_msec_t choose_delay(const comfy_run_t *run);


/* nothing is fetched for a job that no server has room for */

podi_rc_t
comfy_room(podi_flow_t *f, void *ctx)
{
    podi_str_t           lacks = podi_string("");
    podi_job_t          *job = ctx;
    comfy_run_t         *run = job->data;
    runner_server_t     *server;
    podi_farm_choice_t   choice;

    if (run->has_end) {
        return PODI_OK;
    }

    comfy_leave(run);

    if (choose_server(run, &choice, &lacks, &server) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (server == NULL) {
        return choose_wait(run, &choice, &lacks);
    }

    if (comfy_is_at(run, server) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
comfy_choose(podi_flow_t *f, void *ctx)
{
    podi_rc_t         rc;
    podi_id_t         id;
    podi_str_t        text;
    podi_job_t       *job = ctx;
    comfy_run_t      *run = job->data;
    runner_server_t  *server = run->server;

    if (run->head.over) {
        return PODI_DONE;
    }

    if (run->has_end) {
        return PODI_OK;
    }

    PODI_FAULT(comfy_fetched);

    /* the inputs took their time */
    if (!server->listed || server->state != PODI_FARM_ACTIVE || server->stuck
        || runner_server_is_shut(server) || runner_server_is_stale(server))
    {
        rc = comfy_room(f, job);

        if (rc != PODI_OK) {
            return rc;
        }
    }

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    text = podi_id_str(&id);

    if (podi_mem_dup(job->mem, &text, &run->prompt_id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    run->ref = run->prompt_id;
    run->remote.len = 0;

    return comfy_note(f, run, "intended", 1);
}


podi_rc_t
comfy_chosen(podi_flow_t *f, void *ctx)
{
    podi_str_t               reason;
    podi_job_t              *job = ctx;
    comfy_run_t             *run = job->data;
    const podi_pg_result_t  *row = f->result;

    if (run->has_end) {
        return PODI_OK;
    }

    if (podi_row_bool(row, 0, "ok")) {
        runner_farm_count("podi_runner_chosen_total", "server",
                          &run->server->name);
        PODI_FAULT(comfy_chosen);
        return PODI_OK;
    }

    reason = podi_row_str(row, 0, "reason");
    runner_farm_count("podi_runner_deferred_total", "why", &reason);

    return podi_job_defer(job, choose_delay(run), PODI_E_UNAVAILABLE,
                          "the server is " PODI_STR_FMT,
                          podi_str_arg(&reason));
}


/* *ret_server NULL: none, and choice says why; ERROR: no memory */

static podi_rc_t
choose_server(comfy_run_t *run, podi_farm_choice_t *choice, podi_str_t *lacks,
    runner_server_t **ret_server)
{
    int                   best;
    size_t                n = 0, all = choose_listed();
    podi_str_t            labels[RUNNER_LABELS_MAX];
    podi_link_t          *link;
    podi_farm_ask_t       ask;
    runner_server_t      *server, **found;
    podi_farm_server_t   *servers;

    found = podi_mem_calloc(run->job->mem, (all + 1) * sizeof(*found));
    servers = podi_mem_calloc(run->job->mem, (all + 1) * sizeof(*servers));

    if (found == NULL || servers == NULL) {
        return PODI_ERROR;
    }

    choose_ask(run, &ask, labels);

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (server->listed) {
            found[n] = server;
            choose_card(run, server, &servers[n++], lacks);
        }
    }

    best = podi_farm_choose(servers, n, &ask, choice);

    /* more memory would be better; where there is none, what was freed */
    if (best < 0 && ask.vram_above > 0 && choice->why != PODI_FARM_ALL_FULL) {
        ask.vram_above = 0;
        best = podi_farm_choose(servers, n, &ask, choice);
    }

    *ret_server = best < 0 ? NULL : found[best];

    return PODI_OK;
}


static size_t
choose_listed(void)
{
    size_t        n = 0;
    podi_link_t  *link;

    podi_list_each(link, &runnerd.servers) {
        n += podi_list_owner(link, runner_server_t, link)->listed;
    }

    return n;
}


static void
choose_ask(const comfy_run_t *run, podi_farm_ask_t *ask, podi_str_t *labels)
{
    size_t    i;
    json_t   *label, *entry;
    int64_t   vram;

    memset(ask, 0, sizeof(*ask));
    ask->model_key = run->model_key;
    ask->margin = (unsigned) runnerd.margin;
    ask->labels = labels;

    json_array_foreach(json_object_get(run->head.executor, "labels"), i, label)
    {
        if (ask->labels_n < RUNNER_LABELS_MAX) {
            labels[ask->labels_n++] = podi_json_str(label);
        }
    }

    json_array_foreach(run->head.tried, i, entry) {
        vram = json_integer_value(json_object_get(entry, "vram"));

        if (vram > ask->vram_above) {
            ask->vram_above = vram;
        }
    }
}


static void
choose_card(const comfy_run_t *run, const runner_server_t *server,
    podi_farm_server_t *card, podi_str_t *lacks)
{
    memset(card, 0, sizeof(*card));
    card->name = server->name;
    card->state = server->stuck && server->state == PODI_FARM_ACTIVE
                  ? PODI_FARM_DRAINING : server->state;
    card->labels = server->labels;
    card->labels_n = server->n_labels;
    card->capable = server->info.nodes != NULL
                    && !podi_comfy_lacks(run->needs, server->info.nodes,
                                         server->info.models, lacks);
    card->shut = runner_server_is_shut(server) != 0;
    card->stale = runner_server_is_stale(server) != 0;
    card->tried = choose_was_tried(run, server) != 0;
    card->trial = server->trial;
    card->slots = server->slots;
    card->prefetch = server->prefetch;
    card->ours = server->ours;
    card->foreign = choose_foreign(server);
    card->model_key = server->model_key;
    card->latency = server->latency;
    card->vram = server->vram;
}


/* of what is there, all but what this process sent */

static unsigned
choose_foreign(const runner_server_t *server)
{
    unsigned      sent = 0;
    podi_link_t  *link;

    podi_list_each(link, &server->runs) {
        sent += podi_list_owner(link, comfy_run_t, link)->sent;
    }

    return server->remaining > sent ? server->remaining - sent : 0;
}


static int
choose_was_tried(const comfy_run_t *run, const runner_server_t *server)
{
    size_t       i;
    json_t      *entry;
    podi_str_t   provider;

    json_array_foreach(run->head.tried, i, entry) {
        provider = podi_json_str(json_object_get(entry, "provider"));

        if (podi_str_eq(&provider, &server->provider)) {
            return 1;
        }
    }

    return 0;
}


/* the job waits in its queue, where it takes nobody's room */

static podi_rc_t
choose_wait(comfy_run_t *run, const podi_farm_choice_t *choice,
    const podi_str_t *lacks)
{
    podi_str_t   why = podi_str_c(podi_farm_why(choice->why));
    podi_msec_t  delay = choose_delay(run);

    runner_farm_count("podi_runner_deferred_total", "why", &why);
    podi_worker_log(run->job->worker, PODI_LOG_INFO, "comfy.waits", run->job,
                    PODI_STR_FMT ": %u capable, %u up, %u with room; lacking: "
                    PODI_STR_FMT, podi_str_arg(&why), choice->capable,
                    choice->up, choice->room, podi_str_arg(lacks));

    switch (choice->why) {

    case PODI_FARM_ALL_FULL:
        return podi_job_defer(run->job, delay, PODI_E_UNAVAILABLE,
                              "all %u servers that could are busy",
                              choice->up);

    case PODI_FARM_ALL_DOWN:
        return podi_job_defer(run->job, delay, PODI_E_UNAVAILABLE,
                              "none of %u servers that could is up",
                              choice->capable);

    default:
        return podi_job_defer(run->job, delay, PODI_E_UNAVAILABLE,
                              lacks->len > 0 ? "no server has " PODI_STR_FMT
                              : "no server is known, or none with the labels "
                                "that it wants%.*s", podi_str_arg(lacks));
    }
}


/*
 * Each wait is twice as long as the one before it, and no two are alike: who
 * was put off together does not come back together.
 */

static podi_msec_t
choose_delay(const comfy_run_t *run)
{
    int64_t      n;
    uint32_t     random;
    podi_msec_t  delay = CHOOSE_WAIT;

    for (n = run->head.deferrals; n > 0 && delay < CHOOSE_WAIT_MAX; n--) {
        delay *= 2;
    }

    if (delay > CHOOSE_WAIT_MAX) {
        delay = CHOOSE_WAIT_MAX;
    }

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        return delay;
    }

    return delay - random % (delay / 4);
}
