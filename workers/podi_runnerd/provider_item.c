/*
 * provider_item: what a third party has made.
 *
 *     URL     fetched through the guard, without redirects, so long and no
 *             longer; again when that failed, as long as it lives there
 *     bytes, JSON    out of the answer
 *     -> a file -> what is it? -> decoded -> stored -> a row
 *
 * A page, or a text where no text was asked for, is no result.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "provider.h"
#include "banned.h"


#define ITEM_TRIES  3
#define ITEM_WAIT   1000            /* ms */
#define ITEM_DOUBLE 5               /* times, at most */


static podi_rc_t item_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t item_store(podi_flow_t *f, void *ctx);
static podi_rc_t item_keep(podi_flow_t *f, void *ctx);
static podi_rc_t item_next(void *ctx, podi_rc_t rc, podi_fail_t *fail,
    podi_msec_t *ret_wait);
static podi_rc_t item_get(podi_flow_t *f, provider_run_t *run,
    const podi_provider_item_t *item);
static podi_rc_t item_write(podi_flow_t *f, provider_run_t *run,
    const podi_provider_item_t *item);
static int item_is_here(podi_flow_t *f, provider_run_t *run);
static void item_again(provider_run_t *run);
static int item_may_be(podi_media_e type, podi_result_e kind);
static podi_rc_t item_make(podi_flow_t *f, provider_run_t *run);


static const podi_step_t  item_steps[] = {
    { "fetching a result", item_fetch, PODI_MAY_FAIL },
    { "storing it",        item_store, PODI_MAY_FAIL },
    { "keeping its row",   item_keep,  0 },
    podi_null_step
};


podi_rc_t
provider_collect(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->fate != PROVIDER_DONE) {
        return PODI_OK;
    }

    run->at = 0;
    run->store = runner_store(job);

    podi_job_progress(job, 90);
    podi_buf_init(&run->results, job->mem);

    if (run->store == NULL) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "there is no store for what was made");
    }

    return runner_again(f, job->mem, item_steps, item_next, job, &run->again);
}


static podi_rc_t
item_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t                  *job = ctx;
    provider_run_t              *run = job->data;
    const podi_provider_item_t  *item = &run->answer.items[run->at];

    run->wait = 0;
    PODI_FAULT(third_made);

    if (podi_files_temp(&runnerd.files, f->mem, &run->fd, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return item->kind == PODI_RESULT_URL ? item_get(f, run, item)
                                         : item_write(f, run, item);
}


static podi_rc_t
item_get(podi_flow_t *f, provider_run_t *run, const podi_provider_item_t *item)
{
    int64_t              max = (int64_t) runnerd.files.result_max;
    podi_http_request_t  request;

    podi_http_request_init(&request, "GET", &item->value);
    request.headers = run->facts->download;
    request.n_headers = run->facts->n_download;
    request.into_fd = run->fd;
    request.max = run->facts->max_bytes > 0 && run->facts->max_bytes < max
                  ? run->facts->max_bytes : max;
    request.timeout = runnerd.files.store_timeout;
    request.idle_timeout = runnerd.files.store_idle;

    return podi_http_send(run->provider->http, f, &request);
}


static podi_rc_t
item_write(podi_flow_t *f, provider_run_t *run,
    const podi_provider_item_t *item)
{
    size_t             done;
    ssize_t            n;
    const podi_str_t  *bytes = &item->value;

    for (done = 0; done < bytes->len; done += (size_t) n) {
        n = pwrite(run->fd, bytes->data + done, bytes->len - done,
                   (off_t) done);

        if (n <= 0) {
            return podi_fail(&f->fail, PODI_E_STORAGE_FULL, NULL,
                             "cannot write a result: %s", strerror(errno));
        }
    }

    f->result = NULL;

    return PODI_OK;
}


static podi_rc_t
item_store(podi_flow_t *f, void *ctx)
{
    podi_media_e     type;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;
    podi_result_e    kind = run->answer.items[run->at].kind;

    PODI_FAULT(third_got);

    if (kind == PODI_RESULT_URL && !item_is_here(f, run)) {
        return PODI_DONE;
    }

    type = podi_files_sniff(run->fd);

    if (!item_may_be(type, kind)) {
        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_FAILED,
                      PODI_STR_FMT " gave no result that can be used",
                      podi_str_arg(&run->provider->name));
        return PODI_DONE;
    }

    return item_make(f, run);
}


/* what may be there later is tried again; then by who has the job next */

static int
item_is_here(podi_flow_t *f, provider_run_t *run)
{
    const podi_http_reply_t  *reply = f->result;

    if (reply != NULL && reply->status == 200 && reply->bytes > 0) {
        return 1;
    }

    if (reply == NULL ? f->fail.error == PODI_E_FORBIDDEN
                        || f->fail.error == PODI_E_BODY_TOO_LARGE
                        || f->fail.error == PODI_E_CONFIG
                      : reply->status < 500 && reply->status != 429)
    {
        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_FAILED,
                      "a result of " PODI_STR_FMT " cannot be fetched (%u)",
                      podi_str_arg(&run->provider->name),
                      reply != NULL ? reply->status : 0);
        return 0;
    }

    if (podi_time_now() - run->made_at > run->facts->ttl_s * 1000000) {
        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_FAILED,
                      "a result of " PODI_STR_FMT " could not be fetched, and "
                      "lives %lld s there", podi_str_arg(&run->provider->name),
                      (long long) run->facts->ttl_s);
        return 0;
    }

    if (run->tries + 1 < ITEM_TRIES || !run->submitted) {
        item_again(run);
        return 0;
    }

    run->keeps = run->submitted;
    provider_fate(run, PROVIDER_RETRIES, PODI_E_EXECUTOR_FAILED,
                  "a result of " PODI_STR_FMT " cannot be fetched",
                  podi_str_arg(&run->provider->name));

    return 0;
}


/* paid for, and nobody else can get it: as long as the job has time */

static void
item_again(provider_run_t *run)
{
    run->wait = ITEM_WAIT << (run->tries < ITEM_DOUBLE ? run->tries
                                                       : ITEM_DOUBLE);
    run->tries++;
}


static int
item_may_be(podi_media_e type, podi_result_e kind)
{
    return kind == PODI_RESULT_JSON
           || (type != PODI_MEDIA_UNKNOWN && !podi_media_is_text(type));
}


static podi_rc_t
item_make(podi_flow_t *f, provider_run_t *run)
{
    podi_job_t         *job = run->job;
    podi_result_ask_t   ask;

    memset(&ask, 0, sizeof(ask));
    ask.files = &runnerd.files;
    ask.picture = &runnerd.picture;
    ask.store = run->store;
    ask.fd = run->fd;
    ask.base = podi_json_str(json_object_get(json_array_get(job->inputs, 0),
                                             "name"));
    if (ask.base.len == 0) {
        ask.base = podi_str_c("result");
    }

    return podi_result_make(f, job, &ask);
}


/* their picture cannot be read, which is not the fault of the user's */

static podi_rc_t
item_keep(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    provider_run_t       *run = job->data;
    const podi_result_t  *result = f->result;

    if (result == NULL) {

        if (f->fail.error != PODI_E_PICTURE_INVALID
            && f->fail.error != PODI_E_PICTURE_TOO_LARGE)
        {
            if (run->submitted
                || podi_error(f->fail.error)->retry == PODI_RETRY_NEVER)
            {
                return PODI_ERROR;
            }

            item_again(run);
            return PODI_DONE;
        }

        provider_fate(run, PROVIDER_FAILS, PODI_E_EXECUTOR_FAILED,
                      PODI_STR_FMT " gave a picture that cannot be read",
                      podi_str_arg(&run->provider->name));
        return PODI_DONE;
    }

    podi_buf_add_byte(&run->results, run->n_results++ ? ',' : '[');
    podi_buf_add_str(&run->results, &result->json);
    run->at++;
    run->tries = 0;

    return PODI_DONE;
}


static podi_rc_t
item_next(void *ctx, podi_rc_t rc, podi_fail_t *fail, podi_msec_t *ret_wait)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    (void) fail;

    if (rc == PODI_ERROR) {
        return PODI_ERROR;
    }

    if (run->fate != PROVIDER_DONE || run->at >= run->answer.n_items) {
        return PODI_DONE;
    }

    *ret_wait = run->wait;

    return run->wait > 0 ? PODI_AGAIN : PODI_OK;
}
