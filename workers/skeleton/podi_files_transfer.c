/*
 * podi_files: one object fetched or stored, by a permit.
 *
 * The worker gives itself the permits that nginx gives to browsers, so both
 * ways are checked by the same store.  What is stored is named by its own
 * digest: 412 (S3) and 409 (OSS) mean that it is there already, and are
 * success.
 *
 *     put:  intend -> PUT        sys.object_intend: if nobody ever names the
 *                                object, podi_janitord finds and removes it
 */

#include <string.h>

#include "podi_id.h"
#include "podi_files.h"
#include "podi_sub.h"
#include "banned.h"

#define TRANSFER_PAIRS     (PODI_OBJECT_HEADERS_MAX + 1)
#define TRANSFER_SPAN      8        /* bytes of a span's id */

/* a PUT, as one operation of the job's flow */

typedef struct {
    podi_job_t            *job;
    const podi_files_t    *files;
    podi_objects_store_t  *store;
    podi_str_t             key;
    podi_media_e           type;
    int                    fd;
    int64_t                bytes;
} transfer_put_t;


static podi_rc_t transfer_put_intend(podi_flow_t *f, void *ctx);
static podi_rc_t transfer_put_send(podi_flow_t *f, void *ctx);
static podi_rc_t transfer_put_done(podi_flow_t *f, void *ctx);
static podi_rc_t transfer_trace(podi_flow_t *f, const podi_job_t *job,
    podi_pair_t *ret_pair);
static podi_rc_t transfer_send(podi_flow_t *f, podi_job_t *job,
    const podi_files_t *files, podi_objects_store_t *store,
    podi_http_request_t *request, podi_pair_t *pairs, size_t n);
static podi_rc_t transfer_no_memory(podi_flow_t *f);
static int transfer_is_done(const podi_http_reply_t *reply,
    const podi_objects_store_t *store);


static const podi_step_t  transfer_put_steps[] = {
    { "noting the object",  transfer_put_intend, 0 },
    { "storing the object", transfer_put_send,   0 },
    { "ending",             transfer_put_done,   0 },
    podi_null_step
};


podi_rc_t
podi_files_get(podi_flow_t *f, podi_job_t *job, const podi_files_t *files,
    podi_objects_store_t *store, const podi_str_t *key, int fd)
{
    podi_str_t            url;
    podi_pair_t          *pairs;
    podi_http_request_t   request;

    pairs = podi_mem_calloc(f->mem, sizeof(podi_pair_t));

    if (pairs == NULL
        || podi_object_get(&store->object, key, NULL, NULL,
                           PODI_OBJECTS_EXPIRES, podi_time_now(), f->mem,
                           &url) != PODI_OK)
    {
        return transfer_no_memory(f);
    }

    podi_http_request_init(&request, "GET", &url);
    request.into_fd = fd;
    request.max = (int64_t) files->input_max;
    request.sha256 = 1;

    return transfer_send(f, job, files, store, &request, pairs, 0);
}


podi_rc_t
podi_files_put(podi_flow_t *f, podi_job_t *job, const podi_files_t *files,
    podi_objects_store_t *store, const podi_str_t *key, podi_media_e type,
    int fd, int64_t bytes)
{
    transfer_put_t  *put;

    put = podi_mem_calloc(f->mem, sizeof(transfer_put_t));
    if (put == NULL) {
        return transfer_no_memory(f);
    }

    put->job = job;
    put->files = files;
    put->store = store;
    put->key = *key;
    put->type = type;
    put->fd = fd;
    put->bytes = bytes;

    return podi_sub(f, transfer_put_steps, put);
}


static podi_rc_t
transfer_put_intend(podi_flow_t *f, void *ctx)
{
    transfer_put_t  *put = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_OBJECT_INTEND, f->mem);
    podi_arg_str(&call, &put->job->id);
    podi_arg_int64(&call, put->job->fence);
    podi_arg_str(&call, &put->store->object.name);
    podi_arg_str(&call, &put->key);

    return podi_pg_call(podi_worker_pg(put->job->worker), f, &call);
}


static podi_rc_t
transfer_put_send(podi_flow_t *f, void *ctx)
{
    size_t                 i, n;
    podi_str_t             mime;
    podi_pair_t           *pairs;
    transfer_put_t        *put = ctx;
    podi_http_request_t    request;
    podi_object_permit_t   permit;

    if (!podi_row_bool(f->result, 0, "ok")) {
        return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                         "the object is being removed, or the job is not ours "
                         "any more");
    }

    mime = podi_str_c(podi_media_mime(put->type));
    pairs = podi_mem_calloc(f->mem, TRANSFER_PAIRS * sizeof(podi_pair_t));

    if (pairs == NULL
        || podi_object_put(&put->store->object, &put->key, &mime, put->bytes,
                           PODI_OBJECTS_EXPIRES, podi_time_now(), f->mem,
                           &permit)
           != PODI_OK)
    {
        return transfer_no_memory(f);
    }

    /* Content-Length is said by who sends the body */

    for (i = 0, n = 0; i < permit.n_headers; i++) {
        if (!podi_str_eq_c(&permit.headers[i].name, "content-length")) {
            pairs[n++] = permit.headers[i];
        }
    }

    podi_http_request_init(&request, "PUT", &permit.url);
    request.body_fd = put->fd;
    request.body_bytes = put->bytes;

    return transfer_send(f, put->job, put->files, put->store, &request, pairs,
                         n);
}


/* the store's reply is the result */

static podi_rc_t
transfer_put_done(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


/* `pairs` has room for one more */

static podi_rc_t
transfer_send(podi_flow_t *f, podi_job_t *job, const podi_files_t *files,
    podi_objects_store_t *store, podi_http_request_t *request,
    podi_pair_t *pairs, size_t n)
{
    if (transfer_trace(f, job, &pairs[n]) == PODI_OK) {
        n++;
    }

    request->headers = pairs;
    request->n_headers = n;
    request->timeout = files->store_timeout;
    request->idle_timeout = files->store_idle;

    return podi_http_send(store->http, f, request);
}


/* the job's trace, and a span of this call's own; ERROR: none is sent */

static podi_rc_t
transfer_trace(podi_flow_t *f, const podi_job_t *job, podi_pair_t *ret_pair)
{
    unsigned char  span[TRANSFER_SPAN], hex[2 * TRANSFER_SPAN];

    if (podi_random(span, sizeof(span)) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_hex_encode(hex, span, sizeof(span));
    ret_pair->name = podi_str_c("traceparent");

    return podi_mem_printf(f->mem, &ret_pair->value,
                           "00-" PODI_STR_FMT "-%.*s-01",
                           podi_str_arg(&job->trace_id), (int) sizeof(hex),
                           (const char *) hex);
}


static podi_rc_t
transfer_no_memory(podi_flow_t *f)
{
    return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
}


/*
 * To be called by the step after a MAY_FAIL transfer.  The store's failures
 * are one error, whatever their kind: it is what the user can be told.
 */

podi_error_e
podi_files_fault(podi_flow_t *f, const char *what,
    const podi_objects_store_t *store, podi_str_t *ret_detail)
{
    podi_rc_t           rc;
    podi_error_e        error;
    podi_http_reply_t  *reply = f->result;

    *ret_detail = podi_str_c("");

    if (reply != NULL && transfer_is_done(reply, store)) {
        return PODI_E_NONE;
    }

    if (reply != NULL) {
        error = (reply->status == 507) ? PODI_E_STORAGE_FULL
                                       : PODI_E_STORE_FAILED;
        rc = podi_mem_printf(f->mem, ret_detail,
                             "%s: store " PODI_STR_FMT " answered %u", what,
                             podi_str_arg(&store->object.name),
                             reply->status);

    } else {
        error = f->fail.error;

        if (error != PODI_E_STORAGE_FULL && error != PODI_E_BODY_TOO_LARGE) {
            error = PODI_E_STORE_FAILED;
        }

        rc = podi_mem_printf(f->mem, ret_detail,
                             "%s: store " PODI_STR_FMT ": %s", what,
                             podi_str_arg(&store->object.name),
                             f->fail.detail);
    }

    if (rc != PODI_OK) {
        *ret_detail = podi_str_c(what);
    }

    return error;
}


/* "it is there already" is what we wanted */

static int
transfer_is_done(const podi_http_reply_t *reply,
    const podi_objects_store_t *store)
{
    if (reply->status >= 200 && reply->status < 300) {
        return 1;
    }

    return reply->status == (store->object.dialect == PODI_OBJECT_OSS ? 409
                                                                      : 412);
}
