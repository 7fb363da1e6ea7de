/*
 * item: what the flows of podi_imaged begin with, and whom they ask.
 */

#include "imaged.h"
#include "banned.h"


podi_rc_t
imaged_item_open(podi_flow_t *f, podi_job_t *job, imaged_item_t *item)
{
    if (podi_input_open(f, job, &imaged.files, 0, &item->input) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_files_temp(&imaged.files, job->mem, &item->out, &f->fail);
}


podi_rc_t
imaged_run(podi_flow_t *f, podi_job_t *job, const int *in, unsigned n, int out)
{
    const podi_picture_ask_t  ask = { job->action, job->params, in, n, out };

    return podi_picture_run(f, &imaged.picture, &ask);
}
