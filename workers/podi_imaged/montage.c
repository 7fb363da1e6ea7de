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

    if (n < 1 || n > PODI_PICTURE_INPUTS_MAX) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "a montage has 1 to %d inputs",
                         PODI_PICTURE_INPUTS_MAX);
    }

    for (i = 0; i < n; i++) {
        if (podi_input_open(f, job, &imaged.files, i, &montage->inputs[i])
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    montage->n = (unsigned) n;
    montage->item.input = montage->inputs[0];

    return podi_files_temp(&imaged.files, job->mem, &montage->item.out,
                           &f->fail);
}


podi_rc_t
imaged_montage_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    if (montage->at == montage->n) {
        return PODI_OK;
    }

    podi_job_progress(job, (int) (5 + 25 * montage->at / montage->n));

    return podi_input_fetch(f, job, &imaged.files,
                            &montage->inputs[montage->at]);
}


podi_rc_t
imaged_montage_fetched(podi_flow_t *f, void *ctx)
{
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    if (montage->at == montage->n) {
        return PODI_OK;
    }

    return podi_input_fetched(f, job, &montage->inputs[montage->at++]);
}


podi_rc_t
imaged_montage_make(podi_flow_t *f, void *ctx)
{
    int                in[PODI_PICTURE_INPUTS_MAX];
    unsigned           i;
    podi_job_t        *job = ctx;
    imaged_montage_t  *montage = job->data;

    for (i = 0; i < montage->n; i++) {
        in[i] = montage->inputs[i].fd;
    }

    podi_job_progress(job, 30);

    return imaged_run(f, job, in, montage->n, montage->item.out);
}
