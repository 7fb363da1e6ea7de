/*
 * imaged: what the files of podi_imaged share.
 *
 *     main.c      settings, actions, start and stop
 *     image.c     the flows of image.*
 *     montage.c   the many inputs of image.montage
 *     check.c     the flow of media.check
 *     picture*.c  the process itself (picture.h)
 */

#ifndef IMAGED_H
#define IMAGED_H


#include "podi_result.h"


typedef struct {
    podi_files_t         files;
    podi_picture_conf_t  picture;
} imaged_t;

extern imaged_t  imaged;


/* ---- image.c, montage.c, check.c ----------------------------------------- */

/* what the flows know of the input and of what was made of it */

typedef struct {
    podi_input_t  input;
    int           out;
} imaged_item_t;

typedef struct {
    imaged_item_t    item;          /* first; its input is that of inputs[0] */
    podi_input_t     inputs[PODI_PICTURE_INPUTS_MAX];
    unsigned         n;
    unsigned         at;            /* the input that is fetched now */
} imaged_montage_t;

typedef struct {
    imaged_item_t           item;
    podi_error_e            reject;     /* NONE: nothing was found yet */
    podi_http_reply_t      *upload;
    podi_picture_answer_t  *answer;
    podi_digest_t          *made;       /* the preview */
    podi_str_t              thumb_key;
} imaged_check_t;

extern const podi_step_t  imaged_image_steps[];
extern const podi_step_t  imaged_montage_steps[];
extern const podi_step_t  imaged_check_steps[];

/* the first input of the job, and a file for the result */
PODI_MUSTCHECK podi_rc_t imaged_item_open(podi_flow_t *f, podi_job_t *job,
    imaged_item_t *item);

/* a process that makes `out` of the job's action and these files */
PODI_MUSTCHECK podi_rc_t imaged_run(podi_flow_t *f, podi_job_t *job,
    const int *in, unsigned n, int out);

/* the steps of image.montage that are its own */
podi_rc_t imaged_montage_open(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_fetch(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_fetched(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_make(podi_flow_t *f, void *ctx);


#endif /* IMAGED_H */
