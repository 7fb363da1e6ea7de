/*
 * image.resize, image.convert, image.thumbnail: a picture from a picture;
 * image.montage: one from several.
 *
 *     open -> fetch -> make (process) -> podi_result (measured, stored, with
 *          its thumbnail) -> deliver
 *
 * A picture that cannot be read fails its job at once; what the store, the
 * disk or a crash did is tried again.  The result's name is its digest, so a
 * second attempt stores the same thing in the same place.  A result whose
 * thumbnail cannot be made is delivered without one.
 */

#include <string.h>

#include "podi_fault.h"
#include "imaged.h"
#include "banned.h"


static podi_rc_t image_open(podi_flow_t *f, void *ctx);
static podi_rc_t image_fetch(podi_flow_t *f, void *ctx);
static podi_rc_t image_make(podi_flow_t *f, void *ctx);
static podi_rc_t image_made(podi_flow_t *f, void *ctx);
static podi_rc_t image_deliver(podi_flow_t *f, void *ctx);


/* from the picture that was made to the end of the job */
#define image_delivery                                                       \
    { "storing the result",      image_made,          0 },                   \
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
    podi_job_t  *job = ctx;

    return imaged_item_open(f, job, job->data);
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
image_made(podi_flow_t *f, void *ctx)
{
    podi_job_t             *job = ctx;
    podi_str_t              detail;
    imaged_item_t          *item = job->data;
    podi_result_ask_t       ask;
    podi_picture_answer_t  *answer = f->result;

    if (answer->error != PODI_E_NONE) {
        detail = podi_str_c(answer->detail);
        return podi_files_end(job, answer->error, answer->final, &detail);
    }

    PODI_FAULT(make_told);

    memset(&ask, 0, sizeof(ask));
    ask.files = &imaged.files;
    ask.picture = &imaged.picture;
    ask.store = item->input.store;
    ask.fd = item->out;
    ask.base = item->input.name;
    ask.type = answer->type;
    ask.width = answer->width;
    ask.height = answer->height;

    return podi_result_make(f, job, &ask);
}


static podi_rc_t
image_deliver(podi_flow_t *f, void *ctx)
{
    podi_job_t           *job = ctx;
    podi_str_t            results;
    const podi_result_t  *result = f->result;

    if (podi_result_list(job->mem, &result, 1, &results) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_job_progress(job, 100);

    return podi_job_succeed(job, &results);
}
