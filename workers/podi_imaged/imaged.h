/*
 * imaged: what the files of podi_imaged share.
 *
 *     main.c      settings, actions, start and stop
 *     transfer.c  one object fetched, stored or removed
 *     work.c      files without names, for one job
 *     run.c       one picture in one process, seen from outside
 *     reply.c     what that process says
 *     digest.c    what the process left behind, measured by a thread
 *     item.c      what the flows have in common
 *     image.c     the flows of image.*
 *     montage.c   the many inputs of image.montage
 *     check.c     the flow of media.check
 *     picture*.c  the process itself (picture.h)
 */

#ifndef IMAGED_H
#define IMAGED_H


#include "podi_objects.h"
#include "podi_sniff.h"
#include "podi_worker.h"

#define IMAGED_INPUTS_MAX  16


typedef struct {
    const char      *work_dir;
    uint64_t         input_max;         /* bytes */
    uint64_t         result_max;
    int64_t          max_pixels;        /* width * height * frames */
    int64_t          max_dimension;
    podi_msec_t      cpu;
    uint64_t         memory;
    podi_msec_t      picture_timeout;
    podi_msec_t      store_timeout;
    podi_msec_t      store_idle;
    int              seccomp;
    podi_objects_t   stores;
} imaged_t;

extern imaged_t  imaged;


/* ---- transfer.c ---------------------------------------------------------- */

/*
 * Each starts one operation whose result is a podi_http_reply_t.  They carry
 * the trace of the job.  imaged_transfer_fault says what the outcome means:
 * NONE, or the error to end with; `detail` is then for people.
 */
PODI_MUSTCHECK podi_rc_t imaged_fetch(podi_flow_t *f, podi_job_t *job,
    podi_objects_store_t *store, const podi_str_t *key, int fd);
PODI_MUSTCHECK podi_rc_t imaged_put(podi_flow_t *f, podi_job_t *job,
    podi_objects_store_t *store, const podi_str_t *key, podi_media_e type,
    int fd, int64_t bytes);

podi_error_e imaged_transfer_fault(podi_flow_t *f, const char *what,
    const podi_objects_store_t *store, podi_str_t *ret_detail);


/* ---- work.c -------------------------------------------------------------- */

/* files that earlier processes left; then the directory is proved writable */
PODI_MUSTCHECK podi_rc_t imaged_work_empty(podi_fail_t *fail);

/* a file without a name, closed with mem */
PODI_MUSTCHECK podi_rc_t imaged_work_file(podi_mem_t *mem, int *ret_fd,
    podi_fail_t *fail);

/* what its first bytes say */
podi_media_e imaged_work_sniff(int fd);


/* ---- run.c --------------------------------------------------------------- */

typedef struct {
    podi_error_e   error;           /* NONE: there is a picture */
    unsigned       final:1;         /* the same again gives the same */
    char           detail[200];
    podi_media_e   type;            /* of what was made */
    int64_t        width;
    int64_t        height;
    int64_t        source_width;    /* upright */
    int64_t        source_height;
} imaged_answer_t;

/*
 * One picture in a process of its own: reads the n files of `in`, at most
 * IMAGED_INPUTS_MAX, writes `out`, all of them files of imaged_work_file.
 * AGAIN: f->result will be an imaged_answer_t in f->mem.  Cancelling the flow
 * kills the process.
 */
PODI_MUSTCHECK podi_rc_t imaged_run(podi_flow_t *f, podi_job_t *job,
    const int *in, unsigned n, int out);

/* the same, for the thumbnail of a picture that the job made */
PODI_MUSTCHECK podi_rc_t imaged_run_thumb(podi_flow_t *f, podi_job_t *job,
    int in, int out);


/* ---- reply.c ------------------------------------------------------------- */

#define IMAGED_REPLY_MAX  2048          /* bytes of it */

/* ERROR: it makes no sense */
PODI_MUSTCHECK podi_rc_t imaged_reply(const podi_str_t *text, podi_mem_t *mem,
    imaged_answer_t *answer);


/* ---- digest.c ------------------------------------------------------------ */

typedef struct {
    int64_t        bytes;
    podi_media_e   type;            /* by its first bytes */
    unsigned char  sha256[2 * PODI_SHA256_LEN];
} imaged_digest_t;

/* AGAIN: f->result will be an imaged_digest_t in f->mem */
PODI_MUSTCHECK podi_rc_t imaged_digest(podi_flow_t *f, podi_job_t *job,
    int fd);


/* ---- item.c, image.c, montage.c, check.c --------------------------------- */

/* what the flows know of the input and of what was made of it */

typedef struct {
    podi_str_t             media_id;
    podi_str_t             store_name;
    podi_str_t             key;
    podi_str_t             type;        /* as declared, then as it is */
    podi_str_t             sha256;      /* "": not known yet */
    podi_str_t             name;
    int64_t                bytes;
    podi_objects_store_t  *store;
    int                    in;
    int                    out;
    imaged_answer_t       *answer;
    imaged_digest_t       *made;
    podi_str_t             out_key;
} imaged_item_t;

typedef struct {
    imaged_item_t      item;            /* first: it may stand for the whole */
    int                thumb;
    imaged_answer_t   *thumb_answer;
    imaged_digest_t   *thumb_made;      /* NULL: there is no thumbnail */
    podi_str_t         thumb_key;
} imaged_image_t;

typedef struct {
    imaged_image_t   image;             /* its item is the first input */
    imaged_item_t    inputs[IMAGED_INPUTS_MAX];
    unsigned         n;
    unsigned         at;                /* the input that is fetched now */
} imaged_montage_t;

typedef struct {
    imaged_item_t       item;
    podi_error_e        reject;     /* NONE: nothing was found yet */
    podi_http_reply_t  *upload;
} imaged_check_t;

extern const podi_step_t  imaged_image_steps[];
extern const podi_step_t  imaged_montage_steps[];
extern const podi_step_t  imaged_check_steps[];

/* one of the job's inputs, its store and a file for it */
PODI_MUSTCHECK podi_rc_t imaged_item_input(podi_flow_t *f, podi_job_t *job,
    size_t place, imaged_item_t *item);

/* the first of them, and a file for the result */
PODI_MUSTCHECK podi_rc_t imaged_item_open(podi_flow_t *f, podi_job_t *job,
    imaged_item_t *item);

/*
 * What imaged_fetch brought, against what was stored.  OK: it is that;
 * otherwise the job was ended.
 */
PODI_MUSTCHECK podi_rc_t imaged_item_fetched(podi_flow_t *f, podi_job_t *job,
    imaged_item_t *item);

/* the steps of image.montage that are its own */
podi_rc_t imaged_montage_open(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_fetch(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_fetched(podi_flow_t *f, void *ctx);
podi_rc_t imaged_montage_make(podi_flow_t *f, void *ctx);

/* "<tenant>/<dir>/<sha256>.<suffix>" of what was made */
PODI_MUSTCHECK podi_rc_t imaged_item_key(podi_flow_t *f, podi_job_t *job,
    const imaged_digest_t *made, const char *dir, podi_str_t *ret_key);

/* ends the job: another attempt when that may help */
podi_rc_t imaged_end(podi_job_t *job, podi_error_e error, int final,
    const podi_str_t *detail);


#endif /* IMAGED_H */
