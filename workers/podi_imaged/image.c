/*
 * image.resize, image.convert, image.thumbnail: a picture from a picture;
 * image.montage: one from several.
 *
 *     open -> fetch -> make (process) -> measure (thread) -> store
 *          -> the same for its thumbnail -> deliver
 *
 * A picture that cannot be read fails its job at once; what the store, the
 * disk or a crash did is tried again.  The result's name is its digest, so a
 * second attempt stores the same thing in the same place.  A result whose
 * thumbnail cannot be made is delivered without one.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_fault.h"
#include "podi_id.h"
#include "imaged.h"
#include "banned.h"

#define IMAGE_NAME_MAX  200


static podi_rc_t image_open(podi_flow_t *f, void *ctx);
static podi_rc_t image_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t image_make(podi_flow_t *f, void *ctx);
static podi_rc_t image_measure(podi_flow_t *f, void *ctx);
static podi_rc_t image_key(podi_flow_t *f, void *ctx);
static podi_rc_t image_store(podi_flow_t *f, void *ctx);
static podi_rc_t image_thumb(podi_flow_t *f, void *ctx);
static podi_rc_t image_thumb_measure(podi_flow_t *f, void *ctx);
static podi_rc_t image_thumb_store(podi_flow_t *f, void *ctx);
static podi_rc_t image_deliver(podi_flow_t *f, void *ctx);
static podi_rc_t image_result(podi_job_t *job, podi_str_t *ret_results);
static void image_name(podi_buf_t *b, podi_job_t *job,
    const imaged_item_t *item);


/* from the picture that was made to the end of the job */
#define image_delivery                                                       \
    { "measuring the result",    image_measure,       0 },                   \
    { "naming the result",       image_key,           0 },                   \
    { "storing the result",      image_store,         PODI_MAY_FAIL },       \
    { "making the thumbnail",    image_thumb,         0 },                   \
    { "measuring the thumbnail", image_thumb_measure, 0 },                   \
    { "storing the thumbnail",   image_thumb_store,   PODI_MAY_FAIL },       \
    { "delivering",              image_deliver,       0 },                   \
    podi_null_step

/* a flow never loops: as many as a montage may have, those too many pass */
#define image_fetches_4                                                      \
    image_fetch_one, image_fetch_one, image_fetch_one, image_fetch_one
#define image_fetch_one                                                      \
    { "fetching an input",       imaged_montage_fetch, PODI_MAY_FAIL },      \
    { "checking an input",       imaged_montage_fetched, 0 }

const podi_step_t  imaged_image_steps[] = {
    { "opening the files",       image_open,          0 },
    { "fetching the picture",    image_fetch,         PODI_MAY_FAIL },
    { "making the result",       image_make,          0 },
    image_delivery
};

const podi_step_t  imaged_montage_steps[] = {
    { "opening the files",       imaged_montage_open, 0 },
    image_fetches_4, image_fetches_4, image_fetches_4, image_fetches_4,
    { "making the result",       imaged_montage_make, 0 },
    image_delivery
};


static podi_rc_t
image_open(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    imaged_image_t  *image = job->data;

    if (imaged_item_open(f, job, &image->item) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_files_temp(&imaged.files, job->mem, &image->thumb, &f->fail);
}


static podi_rc_t
image_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    imaged_item_t  *item = job->data;

    podi_job_progress(job, 5);
    PODI_FAULT(fetch_ask);

    return podi_input_fetch(f, job, &imaged.files, &item->input);
}


static podi_rc_t
image_make(podi_flow_t *f, void *ctx)
{
    podi_rc_t       rc;
    podi_job_t     *job = ctx;
    imaged_item_t  *item = job->data;

    rc = podi_input_fetched(f, job, &item->input);
    if (rc != PODI_OK) {
        return rc;
    }

    podi_job_progress(job, 30);
    PODI_FAULT(make_ask);

    return imaged_run(f, job, &item->input.fd, 1, item->out);
}


static podi_rc_t
image_measure(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    podi_str_t      detail;
    imaged_item_t  *item = job->data;

    item->answer = f->result;

    if (item->answer->error != PODI_E_NONE) {
        detail = podi_str_c(item->answer->detail);
        return podi_files_end(job, item->answer->error, item->answer->final,
                          &detail);
    }

    podi_job_progress(job, 80);
    PODI_FAULT(make_told);

    return podi_files_digest(f, job, item->out);
}


static podi_rc_t
image_key(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    imaged_item_t  *item = job->data;

    item->made = f->result;

    if (item->made->type != item->answer->type) {
        return podi_job_retry(job, PODI_E_JOB_CRASHED,
                              "the result is not what was said");
    }

    return podi_files_key(f, job, item->made, "r", &item->out_key);
}


static podi_rc_t
image_store(podi_flow_t *f, void *ctx)
{
    podi_job_t     *job = ctx;
    imaged_item_t  *item = job->data;

    PODI_FAULT(store_ask);

    return podi_files_put(f, job, &imaged.files, item->input.store,
                          &item->out_key, item->made->type, item->out,
                          item->made->bytes);
}


static podi_rc_t
image_thumb(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_str_t       detail;
    podi_error_e     error;
    imaged_image_t  *image = job->data;

    error = podi_files_fault(f, "storing", image->item.input.store, &detail);

    if (error != PODI_E_NONE) {
        return podi_files_end(job, error, 0, &detail);
    }

    podi_job_progress(job, 90);
    PODI_FAULT(store_told);

    return imaged_run_thumb(f, job, image->item.out, image->thumb);
}


static podi_rc_t
image_thumb_measure(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    imaged_image_t  *image = job->data;

    image->thumb_answer = f->result;

    if (image->thumb_answer->error != PODI_E_NONE) {
        podi_worker_log(job->worker, PODI_LOG_WARN, "thumbnail.missing", job,
                        "%s", image->thumb_answer->detail);
        return PODI_OK;
    }

    return podi_files_digest(f, job, image->thumb);
}


static podi_rc_t
image_thumb_store(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_digest_t   *made;
    imaged_image_t  *image = job->data;

    if (image->thumb_answer->error != PODI_E_NONE) {
        return PODI_OK;
    }

    made = f->result;

    if (made->type != image->thumb_answer->type) {
        return podi_job_retry(job, PODI_E_JOB_CRASHED,
                              "the thumbnail is not what was said");
    }

    if (podi_files_key(f, job, made, "t", &image->thumb_key) != PODI_OK) {
        return PODI_ERROR;
    }

    image->thumb_made = made;

    return podi_files_put(f, job, &imaged.files, image->item.input.store,
                          &image->thumb_key, made->type, image->thumb,
                          made->bytes);
}


static podi_rc_t
image_deliver(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    podi_str_t       detail, results;
    podi_error_e     error;
    imaged_image_t  *image = job->data;

    if (image->thumb_made != NULL) {
        error = podi_files_fault(f, "storing", image->item.input.store,
                                      &detail);

        if (error != PODI_E_NONE) {
            return podi_files_end(job, error, 0, &detail);
        }
    }

    if (image_result(job, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_job_progress(job, 100);

    return podi_job_succeed(job, &results);
}


/* it names no parents: they are the job's inputs */

static podi_rc_t
image_result(podi_job_t *job, podi_str_t *ret_results)
{
    podi_id_t        id;
    podi_buf_t       b;
    podi_str_t       id_text;
    imaged_image_t  *image = job->data;
    imaged_item_t   *item = &image->item;

    if (podi_id_make(&id) != PODI_OK) {
        return PODI_ERROR;
    }

    id_text = podi_id_str(&id);

    podi_buf_init(&b, job->mem);
    podi_buf_printf(&b, "[{\"media_id\":\"" PODI_STR_FMT "\",\"store\":",
                    podi_str_arg(&id_text));
    podi_buf_add_json(&b, &item->input.store_name);
    podi_buf_printf(&b, ",\"object_key\":\"" PODI_STR_FMT "\","
                    "\"type\":\"%s\",\"bytes\":%lld,\"sha256\":\"%.*s\","
                    "\"width\":%lld,\"height\":%lld,\"name\":",
                    podi_str_arg(&item->out_key),
                    podi_media_mime(item->made->type),
                    (long long) item->made->bytes,
                    (int) sizeof(item->made->sha256),
                    (const char *) item->made->sha256,
                    (long long) item->answer->width,
                    (long long) item->answer->height);
    image_name(&b, job, item);

    if (image->thumb_made != NULL) {
        podi_buf_printf(&b, ",\"thumb_key\":\"" PODI_STR_FMT "\","
                        "\"thumb_bytes\":%lld",
                        podi_str_arg(&image->thumb_key),
                        (long long) image->thumb_made->bytes);
    }

    podi_buf_add_c(&b, "}]");

    return podi_buf_take(&b, ret_results);
}


/* "cat.jpg" -> "cat.webp"; a long name is cut between two characters */

static void
image_name(podi_buf_t *b, podi_job_t *job, const imaged_item_t *item)
{
    size_t      i;
    podi_str_t  base, name;

    base = item->input.name;

    for (i = base.len; i > 1; i--) {
        if (base.data[i - 1] == '.') {
            base.len = i - 1;
            break;
        }
    }

    if (base.len > IMAGE_NAME_MAX) {
        base.len = IMAGE_NAME_MAX;

        while (base.len > 0 && (base.data[base.len] & 0xc0) == 0x80) {
            base.len--;
        }
    }

    if (podi_mem_printf(job->mem, &name, PODI_STR_FMT ".%s",
                        podi_str_arg(&base),
                        podi_media_suffix(item->made->type)) != PODI_OK)
    {
        b->failed = 1;
        return;
    }

    podi_buf_add_json(b, &name);
}
