/*
 * media.check: is what was uploaded what was promised, and a picture?
 *
 *     open -> fetch -> look (process) -> measure the thumbnail -> store it
 *          -> tell the verdict
 *
 * A verdict is a success of the job, whatever it says.  What is rejected stays
 * in the store: until the verdict is kept, another holder may have to look
 * again; podi_janitord removes it then.  Bytes that were
 * judged cannot change any more: nothing in the store is written twice, and
 * the digest of what was judged goes into the row.
 */

#include <string.h>

#include "podi_buf.h"
#include "imaged.h"
#include "banned.h"

static podi_rc_t check_open(podi_flow_t *f, void *ctx);
static podi_rc_t check_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t check_look(podi_flow_t *f, void *ctx);
static podi_error_e check_upload(const imaged_check_t *c, podi_error_e fault);
static podi_rc_t check_measure(podi_flow_t *f, void *ctx);
static podi_rc_t check_key(podi_flow_t *f, void *ctx);
static podi_rc_t check_store(podi_flow_t *f, void *ctx);
static podi_rc_t check_stored(podi_flow_t *f, void *ctx);
static podi_rc_t check_tell(podi_flow_t *f, void *ctx);
static void check_found(podi_buf_t *b, const imaged_check_t *c);


const podi_step_t  imaged_check_steps[] = {
    { "opening the files",       check_open,    0 },
    { "fetching the upload",     check_fetch,   PODI_MAY_FAIL },
    { "looking at the upload",   check_look,    0 },
    { "measuring the thumbnail", check_measure, 0 },
    { "naming the thumbnail",    check_key,     0 },
    { "storing the thumbnail",   check_store,   PODI_MAY_FAIL },
    { "judging the upload",      check_stored,  0 },
    { "telling the verdict",     check_tell,    0 },
    podi_null_step
};


static podi_rc_t
check_open(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t  *job = ctx;

    c = job->data;

    return imaged_item_open(f, job, &c->item);
}


static podi_rc_t
check_fetch(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t  *job = ctx;

    c = job->data;

    return podi_input_fetch(f, job, &imaged.files, &c->item.input);
}


static podi_rc_t
check_look(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t    *job = ctx;
    podi_str_t     detail;
    podi_error_e   fault;

    c = job->data;
    c->upload = f->result;

    fault = podi_files_fault(f, "fetching", c->item.input.store, &detail);
    c->reject = check_upload(c, fault);

    if (c->reject != PODI_E_NONE) {
        return PODI_OK;
    }

    if (fault != PODI_E_NONE) {
        return podi_files_end(job, fault, 0, &detail);
    }

    return imaged_run(f, job, &c->item.input.fd, 1, c->item.out);
}


/* what can be said without decoding; NONE may also mean: try again */

static podi_error_e
check_upload(const imaged_check_t *c, podi_error_e fault)
{
    if (fault == PODI_E_BODY_TOO_LARGE) {
        return PODI_E_MEDIA_TOO_LARGE;
    }

    if (c->upload != NULL && c->upload->status == 404) {
        return PODI_E_UPLOAD_MISSING;
    }

    if (fault != PODI_E_NONE) {
        return PODI_E_NONE;
    }

    if (c->upload->bytes > c->item.input.bytes) {
        return PODI_E_MEDIA_TOO_LARGE;
    }

    if (c->upload->bytes < c->item.input.bytes) {
        return PODI_E_PICTURE_INVALID;
    }

    if (podi_files_sniff(c->item.input.fd)
        != podi_media_by_mime(&c->item.input.type))
    {
        return PODI_E_MEDIA_TYPE;
    }

    return PODI_E_NONE;
}


static podi_rc_t
check_measure(podi_flow_t *f, void *ctx)
{
    imaged_check_t         *c;
    podi_job_t             *job = ctx;
    podi_str_t              detail;
    podi_picture_answer_t  *answer = f->result;

    c = job->data;

    if (c->reject != PODI_E_NONE) {
        return PODI_OK;
    }

    if (answer->error == PODI_E_PICTURE_INVALID
        || answer->error == PODI_E_PICTURE_TOO_LARGE)
    {
        c->reject = answer->error;
        return PODI_OK;
    }

    if (answer->error != PODI_E_NONE) {
        detail = podi_str_c(answer->detail);
        return podi_files_end(job, answer->error, answer->final, &detail);
    }

    c->answer = answer;

    return podi_files_digest(f, job, c->item.out);
}


static podi_rc_t
check_key(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t  *job = ctx;

    c = job->data;

    if (c->reject != PODI_E_NONE) {
        return PODI_OK;
    }

    c->made = f->result;

    if (c->made->type != c->answer->type) {
        return podi_job_retry(job, PODI_E_JOB_CRASHED,
                              "the thumbnail is not what was said");
    }

    return podi_files_key(f, job, c->made, "t", &c->thumb_key);
}


static podi_rc_t
check_store(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t  *job = ctx;

    c = job->data;

    if (c->reject != PODI_E_NONE) {
        return PODI_OK;
    }

    return podi_files_put(f, job, &imaged.files, c->item.input.store,
                          &c->thumb_key, c->made->type, c->item.out,
                          c->made->bytes);
}


static podi_rc_t
check_stored(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_job_t    *job = ctx;
    podi_str_t     detail;
    podi_error_e   fault;

    c = job->data;

    if (c->reject != PODI_E_NONE) {
        return PODI_OK;
    }

    fault = podi_files_fault(f, "storing", c->item.input.store, &detail);

    return (fault == PODI_E_NONE) ? PODI_OK
                                  : podi_files_end(job, fault, 0, &detail);
}


static podi_rc_t
check_tell(podi_flow_t *f, void *ctx)
{
    imaged_check_t  *c;
    podi_buf_t   b;
    podi_str_t   results;
    podi_job_t  *job = ctx;

    c = job->data;

    podi_buf_init(&b, job->mem);
    podi_buf_printf(&b, "[{\"media_id\":\"" PODI_STR_FMT "\",",
                    podi_str_arg(&c->item.input.media_id));

    if (c->reject != PODI_E_NONE) {
        podi_buf_printf(&b, "\"verdict\":\"rejected\",\"reject_code\":\"%s\"",
                        podi_error(c->reject)->code);

    } else {
        check_found(&b, c);
    }

    podi_buf_add_c(&b, "}]");

    if (podi_buf_take(&b, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_job_succeed(job, &results);
}


static void
check_found(podi_buf_t *b, const imaged_check_t *c)
{
    const imaged_item_t  *item = &c->item;

    podi_buf_printf(b, "\"verdict\":\"ready\",\"type\":\"%s\","
                    "\"width\":%lld,\"height\":%lld,\"bytes\":%lld,"
                    "\"sha256\":\"%.*s\",\"thumb_key\":\"" PODI_STR_FMT "\","
                    "\"thumb_bytes\":%lld",
                    podi_media_mime(podi_media_by_mime(&item->input.type)),
                    (long long) c->answer->source_width,
                    (long long) c->answer->source_height,
                    (long long) c->upload->bytes,
                    (int) sizeof(c->upload->sha256),
                    (const char *) c->upload->sha256,
                    podi_str_arg(&c->thumb_key),
                    (long long) c->made->bytes);
}
