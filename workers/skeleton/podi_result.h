/*
 * podi_result: what a job made or fetched, from a file to a row of its settle.
 *
 *     measured (as it came, or by a thread) -> decoded, thumbnail made
 *         (process) -> stored -> thumbnail measured -> stored
 *         -> JSON for sys.job_settle
 *
 * Nothing about the bytes is believed: the type is that of the first bytes,
 * a picture is delivered when a process could decode it (so no AVIF, HEIC or
 * JPEG XL), and is named by the digest that we took.  Only what is no picture
 * is delivered undecoded.
 */

#ifndef PODI_RESULT_H
#define PODI_RESULT_H


#include "podi_picture.h"


typedef struct {
    const podi_files_t         *files;
    const podi_picture_conf_t  *picture;
    podi_objects_store_t       *store;      /* where it goes */
    int                         fd;         /* of podi_files_temp */
    podi_str_t                  base;       /* "cat.jpg": becomes "cat.webp" */
    /* taken by us of the same bytes as they came; NULL: the file is read */
    const podi_digest_t        *digest;

    /*
     * Set by who made the picture himself: its type and size, which are not
     * asked again; a thumbnail that cannot be made is then left out.
     */
    podi_media_e                type;       /* UNKNOWN: not made by us */
    int64_t                     width;
    int64_t                     height;
} podi_result_ask_t;

typedef struct {
    podi_str_t     json;            /* an element of the settle's results */
    podi_digest_t  made;
} podi_result_t;


/*
 * AGAIN: f->result will be a podi_result_t in f->mem.  Its step MAY_FAIL or
 * leave it to the skeleton: PICTURE_INVALID, PICTURE_TOO_LARGE (it cannot be
 * used), STORE_FAILED, STORAGE_FULL, JOB_CRASHED, JOB_TIMEOUT.  Cancelling
 * the flow kills the process and takes the transfer off the wire.
 */
PODI_MUSTCHECK podi_rc_t podi_result_make(podi_flow_t *f, podi_job_t *job,
    const podi_result_ask_t *ask);

/* n of them as the text that podi_job_succeed takes; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_result_list(podi_mem_t *mem,
    const podi_result_t *const *results, size_t n, podi_str_t *ret_text);


#endif /* PODI_RESULT_H */
