/*
 * provider_call: requests to a third party, and how they end a job.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podi_id.h"
#include "provider.h"
#include "banned.h"


#define CALL_AFTER_MAX  3600        /* s */
#define CALL_CLOCK_MAX  86400       /* s, that clocks may differ by */
#define CALL_LEFT       10000       /* ms, of one that nobody waits for */


static podi_rc_t call_http(podi_flow_t *f, provider_run_t *run,
    const podi_provider_request_t *made, podi_http_request_t *request);
static podi_rc_t call_parts(podi_flow_t *f, provider_run_t *run,
    const podi_provider_request_t *made, podi_http_request_t *request);
static podi_rc_t call_heard(podi_flow_t *f, provider_run_t *run,
    podi_http_request_t *request);


/* the first one counts; what is done may still come to nothing */

void
provider_fate(provider_run_t *run, provider_fate_e fate, podi_error_e error,
    const char *fmt, ...)
{
    va_list  args;

    if (run->fate != PROVIDER_GOES_ON && run->fate != PROVIDER_DONE) {
        return;
    }

    run->fate = fate;
    run->error = error;

    va_start(args, fmt);
    (void) vsnprintf(run->detail, sizeof(run->detail), fmt, args);
    va_end(args);
}


void
provider_made(provider_run_t *run, podi_usec_t at)
{
    run->made_at = at;
    provider_fate(run, PROVIDER_DONE, PODI_E_NONE, "made");
}


void
provider_judge(provider_run_t *run, const podi_provider_answer_t *a)
{
    podi_str_t  s = a->message.len > 0 ? a->message : a->code;

    switch (a->class) {

    case PODI_PROVIDER_CONTENT:
        provider_fate(run, PROVIDER_FAILS, PODI_E_PROVIDER_REFUSED,
                      PODI_STR_FMT, podi_str_arg(&s));
        return;

    case PODI_PROVIDER_INVALID:
        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_REFUSED,
                      PODI_STR_FMT, podi_str_arg(&s));
        return;

    case PODI_PROVIDER_QUOTA:
        provider_fate(run, PROVIDER_RETRIES, PODI_E_PROVIDER_QUOTA,
                      PODI_STR_FMT " has no room left for us",
                      podi_str_arg(&run->provider->name));
        return;

    case PODI_PROVIDER_AUTH:
        provider_fate(run, PROVIDER_RETRIES, PODI_E_PROVIDER_AUTH,
                      PODI_STR_FMT " does not accept our key",
                      podi_str_arg(&run->provider->name));
        return;

    default:
        provider_fate(run, PROVIDER_RETRIES, PODI_E_EXECUTOR_FAILED,
                      PODI_STR_FMT " has failed: " PODI_STR_FMT,
                      podi_str_arg(&run->provider->name), podi_str_arg(&s));
    }
}


podi_rc_t
provider_call(podi_flow_t *f, provider_run_t *run, podi_provider_step_e step)
{
    unsigned char             nonce[16], hex[32];
    podi_provider_ask_t       ask;
    podi_http_request_t       request;
    podi_provider_request_t   made;

    if (podi_random(nonce, sizeof(nonce)) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    run->called = step;
    run->read = NULL;
    podi_hex_encode(hex, nonce, sizeof(nonce));

    memset(&ask, 0, sizeof(ask));
    ask.params = run->params;
    ask.inputs = run->inputs;
    ask.remote = run->remote;
    ask.job = run->about;
    ask.keys = run->keys;
    ask.n_keys = run->n_keys;
    ask.now = podi_time_now() + run->provider->clock;
    ask.nonce.data = hex;
    ask.nonce.len = sizeof(hex);

    if (podi_provider_request(run->op, step, &ask, f->mem, &made, &f->fail)
        != PODI_OK
        || call_http(f, run, &made, &request) != PODI_OK)
    {
        return PODI_ERROR;
    }

    run->asked_at = podi_time_mono();

    return podi_http_send(run->provider->http, f, &request);
}


static podi_rc_t
call_http(podi_flow_t *f, provider_run_t *run,
    const podi_provider_request_t *made, podi_http_request_t *request)
{
    podi_str_t  method;

    if (podi_mem_printf(f->mem, &method, PODI_STR_FMT,
                        podi_str_arg(&made->method)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_http_request_init(request, (char *) method.data, &made->url);
    request->headers = made->headers;
    request->n_headers = made->n_headers;
    request->body = made->body;
    request->max = PODI_PROVIDER_REPLY_MAX;
    request->timeout = (podi_msec_t) run->facts->total_ms;

    if (run->is_left && request->timeout > CALL_LEFT) {
        request->timeout = CALL_LEFT;
    }

    if (made->kind == PODI_BODY_MULTIPART
        && call_parts(f, run, made, request) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return call_heard(f, run, request);
}


static podi_rc_t
call_parts(podi_flow_t *f, provider_run_t *run,
    const podi_provider_request_t *made, podi_http_request_t *request)
{
    size_t             i;
    podi_input_t      *input;
    podi_http_part_t  *parts;

    parts = podi_mem_calloc(f->mem, made->n_parts * sizeof(podi_http_part_t));
    if (parts == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < made->n_parts; i++) {
        parts[i].name = made->parts[i].name;
        parts[i].body = made->parts[i].value;
        parts[i].fd = -1;

        if (made->parts[i].input < 0) {
            continue;
        }

        if ((size_t) made->parts[i].input >= run->head.n_inputs) {
            return podi_fail(&f->fail, PODI_E_BAD_FIELD, "inputs",
                             "the operation needs more of them");
        }

        input = &run->head.inputs[made->parts[i].input];
        parts[i].fd = input->fd;
        parts[i].bytes = input->bytes;
        parts[i].type = input->type;

        if (podi_mem_printf(f->mem, &parts[i].filename, "in%d.%s",
                            made->parts[i].input + 1,
                            podi_media_suffix(podi_media_by_mime(
                                                  &input->type))) != PODI_OK)
        {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    request->parts = parts;
    request->n_parts = made->n_parts;

    return PODI_OK;
}


static podi_rc_t
call_heard(podi_flow_t *f, provider_run_t *run, podi_http_request_t *request)
{
    size_t       n;
    podi_str_t  *names;

    names = podi_mem_calloc(f->mem, PROVIDER_HEARD_MAX * sizeof(podi_str_t));
    if (names == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (n = 0; n < PROVIDER_HEARD_MAX; n++) {
        names[n] = podi_provider_heard(run->op, n);

        if (names[n].len == 0) {
            break;
        }
    }

    request->want = names;
    request->n_want = n;

    return PODI_OK;
}


int
provider_clock(provider_run_t *run, const podi_provider_answer_t *a)
{
    int64_t  s;

    if (!a->clock) {
        return 0;
    }

    s = a->their_time > 0 ? (a->their_time - podi_time_now()) / 1000000 : 0;

    podi_worker_log(run->job->worker, PODI_LOG_ERROR, "provider.clock",
                    run->job, PODI_STR_FMT " refuses our time: its clock is "
                    "%lld s %s ours%s", podi_str_arg(&run->provider->name),
                    (long long) (s < 0 ? -s : s), s < 0 ? "behind" : "ahead of",
                    a->their_time > 0 ? "" : ", or so: it does not say");

    if (!a->follow || run->clocked || s > CALL_CLOCK_MAX || s < -CALL_CLOCK_MAX)
    {
        return 0;
    }

    run->clocked = 1;
    run->provider->clock = s * 1000000;

    return 1;
}


/* what is longer is a mistake, of theirs or on the way here */

podi_msec_t
provider_after(provider_run_t *run, unsigned seconds)
{
    if (seconds > CALL_AFTER_MAX) {
        podi_worker_log(run->job->worker, PODI_LOG_WARN, "provider.after",
                        run->job, PODI_STR_FMT " asks for %u s: %u are waited",
                        podi_str_arg(&run->provider->name), seconds,
                        CALL_AFTER_MAX);
        seconds = CALL_AFTER_MAX;
    }

    return (podi_msec_t) seconds * 1000;
}


void
provider_cost(provider_run_t *run)
{
    const podi_provider_facts_t  *facts = run->facts;

    if (run->keeps || !(run->submitted || run->fate == PROVIDER_DONE)) {
        return;
    }

    if (facts->cost_fixed > 0
        && (run->fate == PROVIDER_DONE || facts->cost_begun))
    {
        podi_job_cost(run->job, facts->cost_fixed);
    }

    if (run->cost > 0) {
        podi_job_cost(run->job, run->cost);
    }
}
