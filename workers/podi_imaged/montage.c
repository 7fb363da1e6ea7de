/*
 * montage: the many inputs of image.montage, fetched one after the other.
 *
 *     open -> (fetch -> fetched) x n -> make (process) -> as image.c goes on
 */

#include "imaged.h"
#include "banned.h"


podi_rc_t
imaged_montage_open(podi_flow_t *f, void *ctx)
{
    size_t             i, n;
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    n = json_array_size(job->inputs);

    if (n < 1 || n > IMAGED_INPUTS_MAX) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "a montage has 1 to %d inputs", IMAGED_INPUTS_MAX);
    }

    for (i = 0; i < n; i++) {
        if (imaged_item_input(f, job, i, &montage->inputs[i]) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    montage->n = (unsigned) n;
    montage->image.item = montage->inputs[0];

    if (imaged_work_file(job->mem, &montage->image.item.out, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return imaged_work_file(job->mem, &montage->image.thumb, &f->fail);
}


podi_rc_t
imaged_montage_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t        *job = ctx;
    imaged_item_t     *item;
    imaged_montage_t  *montage = job->data;

    if (montage->at == montage->n) {
        return PODI_OK;
    }

    item = &montage->inputs[montage->at];
    podi_job_progress(job, (int) (5 + 25 * montage->at / montage->n));

    return imaged_fetch(f, job, item->store, &item->key, item->in);
}


podi_rc_t
imaged_montage_fetched(podi_flow_t *f, void *ctx)
{
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    if (montage->at == montage->n) {
        return PODI_OK;
    }

    return imaged_item_fetched(f, job, &montage->inputs[montage->at++]);
}


podi_rc_t
imaged_montage_make(podi_flow_t *f, void *ctx)
{
    int                in[IMAGED_INPUTS_MAX];
    unsigned           i;
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    for (i = 0; i < montage->n; i++) {
        in[i] = montage->inputs[i].in;
    }

    podi_job_progress(job, 30);

    return imaged_run(f, job, in, montage->n, montage->image.item.out);
}
