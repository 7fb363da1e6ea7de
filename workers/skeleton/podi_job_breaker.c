/*
 * podi_job_breaker: does the server behind a gate answer at all?
 *
 *     claimed -> ask for each key:<name>, comfyui:<name> of the job
 *                  -> PASS, PROBE -> its steps -> its ending -> report
 *                  -> SHUT        -> deferred until it opens
 *
 *     state in Redis, changed by compare-and-set: read -> podi_breaker ->
 *     written, or somebody was faster: again.  Without Redis: our own.
 *
 * Promises: an open breaker shuts the gate of its scope, so that jobs are
 * parked there and none is failed; what was claimed before is deferred, which
 * counts as no attempt; one probe at a time asks whether it is over; others
 * wait for it while its holder beats, however long it takes, no longer.
 */

#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_job_breaker.h"
#include "banned.h"

#define BREAKER_TRIES     8             /* so many were faster: decide alone */
#define BREAKER_KEEP      86400000      /* ms */
#define BREAKER_WINDOW    60000
#define BREAKER_OPEN_MAX  300000
#define BREAKER_PROBE     5000          /* more than its job may take */
#define BREAKER_PROBE_MAX 660000        /* no lease is longer */


static podi_rc_t breaker_try(podi_flow_t *f, void *ctx);
static podi_rc_t breaker_tried(podi_flow_t *f, void *ctx);
static void breaker_decide(breaking_t *x);
static void breaker_keep(breaking_t *x);
static void breaker_adopt(breaking_t *x, const podi_str_t *text);
static breaker_t *breaker_of(podi_jobs_t *jobs, const podi_str_t *scope);


const podi_step_t  podi_breaker_steps[] = {
    { "asking the breaker", breaker_try, PODI_MAY_FAIL },
    { "hearing the breaker", breaker_tried, 0 },
    podi_null_step
};


void
podi_breakers_create(podi_jobs_t *jobs)
{
    podi_list_init(&jobs->breakers);
    podi_list_init(&jobs->reports);
    jobs->breaker_offset = (int64_t) (podi_time_now() / 1000)
                           - (int64_t) podi_time_mono();
}


/* "a,b": those that have a breaker; ERROR without memory */

podi_rc_t
podi_breaker_scopes(podi_held_t *held, const podi_str_t *scopes)
{
    podi_str_t  rest, scope;

    rest = *scopes;

    while (held->n_asks < PODI_ASKS_MAX && podi_str_split(&rest, ',', &scope))
    {
        if (scope.len >= PODI_SCOPE_MAX || scope.len < 4
            || (memcmp(scope.data, "key:", 4) != 0
                && (scope.len < 8
                    || memcmp(scope.data, "comfyui:", 8) != 0)))
        {
            continue;
        }

        held->asks[held->n_asks].breaker = breaker_of(held->jobs, &scope);

        if (held->asks[held->n_asks++].breaker == NULL) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
breaker_try(podi_flow_t *f, void *ctx)
{
    int64_t               wait;
    breaking_t           *x = ctx;
    podi_str_t            scope, was, next;
    podi_breaker_conf_t   conf;

    f->fail.error = PODI_E_NONE;
    breaker_decide(x);

    if (!podi_worker_redis_is_up(x->jobs->worker)
        || x->tries == BREAKER_TRIES)
    {
        x->next.text[0] = '\0';         /* ours; what is there counts more */
        breaker_keep(x);
        return PODI_DONE;
    }

    scope = podi_str_c(x->breaker->scope);
    was = podi_str_c(x->breaker->text);
    next = podi_str_c(x->next.text);
    wait = -1;                          /* the gate stays as it is */

    if (x->next.state.epoch != x->breaker->state.epoch
        || x->next.state.until != x->breaker->state.until)
    {
        conf = podi_breaker_conf(x);
        wait = (int64_t) podi_breaker_wait(&x->next.state, &conf,
                                           podi_breaker_now(x->jobs));
    }

    return podi_queue_breaker(x->jobs->worker->redis, f, &scope, &was, &next,
                              wait, BREAKER_KEEP);
}


static void
breaker_decide(breaking_t *x)
{
    size_t               len;
    uint32_t             random;
    podi_msec_t          now;
    podi_breaker_conf_t  conf;

    conf = podi_breaker_conf(x);
    now = podi_breaker_now(x->jobs);

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = UINT32_MAX / 2;
    }

    x->next = *x->breaker;

    if (x->held != NULL) {
        x->verdict = podi_breaker_ask(&x->next.state, &conf, now, random,
                                      &x->ticket);

    } else if (x->beats) {
        podi_breaker_beat(&x->next.state, &conf, x->ticket, now);

    } else {
        podi_breaker_report(&x->next.state, &conf, x->ticket, x->outcome,
                            x->took, now, random);
    }

    len = podi_breaker_write(&x->next.state, x->next.text);
    x->next.text[len] = '\0';
}


static podi_rc_t
breaker_tried(podi_flow_t *f, void *ctx)
{
    podi_str_t                 text;
    breaking_t           *x = ctx;
    const podi_redis_reply_t  *reply = f->result;

    if (f->fail.error != PODI_E_NONE || reply->type != PODI_REDIS_ARRAY
        || reply->n < 3)
    {
        x->next.text[0] = '\0';
        breaker_keep(x);
        return PODI_DONE;
    }

    x->jobs->breaker_offset = reply->elements[1].integer
                              - (int64_t) podi_time_mono();

    if (reply->elements[0].integer == 1) {
        breaker_keep(x);
        return PODI_DONE;
    }

    text = reply->elements[2].str;
    breaker_adopt(x, &text);
    x->tries++;

    return podi_fail(&f->fail, PODI_E_CONFLICT, NULL, "somebody was faster");
}


/* ours is what is there now */

static void
breaker_keep(breaking_t *x)
{
    char                labels[PODI_SCOPE_MAX + 16];
    breaker_t          *b = x->breaker;
    podi_worker_t      *w = x->jobs->worker;
    static const char  *const  names[] = { "closed", "open", "half-open" };

    if (b->state.state != x->next.state.state) {
        podi_worker_log(w, PODI_LOG_WARN, "breaker.changed", NULL,
                        "%s: %s -> %s", b->scope, names[b->state.state],
                        names[x->next.state.state]);
        (void) snprintf(labels, sizeof(labels), "scope=\"%s\"", b->scope);
        podi_metric_set(w, "podi_breaker_open", labels,
                        x->next.state.state != PODI_BREAKER_CLOSED);
    }

    b->state = x->next.state;
    memcpy(b->text, x->next.text, sizeof(b->text));
}


static void
breaker_adopt(breaking_t *x, const podi_str_t *text)
{
    breaker_t  *b = x->breaker;

    (void) snprintf(b->text, sizeof(b->text), PODI_STR_FMT,
                    podi_str_arg(text));

    if (podi_breaker_read(text, &b->state) != PODI_OK) {
        memset(&b->state, 0, sizeof(podi_breaker_t));
    }
}


static breaker_t *
breaker_of(podi_jobs_t *jobs, const podi_str_t *scope)
{
    breaker_t    *b;
    podi_link_t  *link;

    podi_list_each(link, &jobs->breakers) {
        b = podi_list_owner(link, breaker_t, link);

        if (podi_str_eq_c(scope, b->scope)) {
            return b;
        }
    }

    b = podi_mem_calloc(jobs->worker->mem, sizeof(breaker_t));

    if (b != NULL) {
        (void) snprintf(b->scope, sizeof(b->scope), PODI_STR_FMT,
                        podi_str_arg(scope));
        podi_list_append(&jobs->breakers, &b->link);
    }

    return b;
}


podi_breaker_conf_t
podi_breaker_conf(const breaking_t *x)
{
    podi_breaker_conf_t   conf;
    const podi_common_t  *set = x->jobs->worker->set;

    conf.window = BREAKER_WINDOW;
    conf.calls_min = (uint32_t) set->breaker_calls;
    conf.bad_percent = (uint32_t) set->breaker_bad;
    conf.slow = 0;                      /* its timeout bounds a job */
    conf.open = set->breaker_open;
    conf.open_max = BREAKER_OPEN_MAX;
    conf.probe = podi_gate_lease(x->jobs);      /* then the next beat */
    conf.probe_max = BREAKER_PROBE_MAX;

    if (x->held != NULL
        && x->held->job.timeout + BREAKER_PROBE < conf.probe)
    {
        conf.probe = x->held->job.timeout + BREAKER_PROBE;
    }

    return conf;
}


podi_msec_t
podi_breaker_now(const podi_jobs_t *jobs)
{
    return (podi_msec_t) ((int64_t) podi_time_mono() + jobs->breaker_offset);
}
