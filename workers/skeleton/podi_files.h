/*
 * podi_files: the pictures and other files that a daemon works on.
 *
 *     store --get--> file without a name --work--> file --digest--> key
 *                                                       --put--> store
 *
 * A file has no name, so nothing is left behind, however the daemon ends.
 * What is stored is named by its own digest: a second attempt stores the same
 * thing in the same place.  Each put is announced (sys.object_intend), so an
 * object that nobody comes to name is found and removed by podi_janitord.
 *
 * The daemon owns a podi_files_t, puts podi_files_settings(it) into its table,
 * and opens it in its start.
 */

#ifndef PODI_FILES_H
#define PODI_FILES_H


#include "podi_objects.h"
#include "podi_sniff.h"
#include "podi_worker.h"


typedef struct {
    const char      *work_dir;
    uint64_t         input_max;         /* bytes */
    uint64_t         result_max;
    podi_msec_t      store_timeout;     /* one transfer, all in all */
    podi_msec_t      store_idle;        /* and without a byte */
    podi_objects_t   stores;
} podi_files_t;

/* rows of a daemon's table of settings */

#define podi_files_settings(f)                                               \
    /* where files without names live; must hold all jobs in hand */         \
    { "work_dir", PODI_PATH, &(f)->work_dir, "/var/lib/podi/tmp", "1",       \
      NULL },                                                                \
    { "input_max", PODI_SIZE, &(f)->input_max, "64m", "1k", "4g" },          \
    { "result_max", PODI_SIZE, &(f)->result_max, "128m", "1k", "4g" },       \
    { "store_timeout", PODI_MSEC, &(f)->store_timeout, "20s", "100ms",       \
      "10m" },                                                               \
    { "store_idle", PODI_MSEC, &(f)->store_idle, "5s", "1s", "60s" }


/*
 * Empties work_dir of what earlier processes left, proves that it can be
 * written, and opens the stores.  ERROR: CONFIG says what is wrong; close is
 * called all the same.
 */
PODI_MUSTCHECK podi_rc_t podi_files_open(podi_files_t *files,
    podi_worker_t *w, podi_fail_t *fail);

/* no transfer may be waiting */
void podi_files_close(podi_files_t *files);

/* a file without a name, closed with mem; ERROR: STORAGE_FULL, INTERNAL */
PODI_MUSTCHECK podi_rc_t podi_files_temp(const podi_files_t *files,
    podi_mem_t *mem, int *ret_fd, podi_fail_t *fail);

/* what its first bytes say */
podi_media_e podi_files_sniff(int fd);


/* ---- transfers ---------------------------------------------------------- */

/*
 * Each starts one operation whose result is a podi_http_reply_t, that of get
 * with the digest of what came.  They carry the trace of the job, and are for
 * steps that PODI_MAY_FAIL: the next asks podi_files_fault what the outcome
 * means: NONE, or the error to end with; `detail` is then for people.
 */
PODI_MUSTCHECK podi_rc_t podi_files_get(podi_flow_t *f, podi_job_t *job,
    const podi_files_t *files, podi_objects_store_t *store,
    const podi_str_t *key, int fd);
PODI_MUSTCHECK podi_rc_t podi_files_put(podi_flow_t *f, podi_job_t *job,
    const podi_files_t *files, podi_objects_store_t *store,
    const podi_str_t *key, podi_media_e type, int fd, int64_t bytes);

podi_error_e podi_files_fault(podi_flow_t *f, const char *what,
    const podi_objects_store_t *store, podi_str_t *ret_detail);


/* ---- digests ------------------------------------------------------------ */

typedef struct {
    int64_t        bytes;
    podi_media_e   type;            /* by its first bytes */
    unsigned char  sha256[2 * PODI_SHA256_LEN];
} podi_digest_t;

/* in a thread; AGAIN: f->result will be a podi_digest_t in f->mem */
PODI_MUSTCHECK podi_rc_t podi_files_digest(podi_flow_t *f, podi_job_t *job,
    int fd);

/* "<tenant>/<dir>/<sha256>.<suffix>" of what was made */
PODI_MUSTCHECK podi_rc_t podi_files_key(podi_flow_t *f, podi_job_t *job,
    const podi_digest_t *made, const char *dir, podi_str_t *ret_key);


/* ---- the inputs of a job ------------------------------------------------ */

typedef struct {
    podi_str_t             media_id;
    podi_str_t             store_name;
    podi_str_t             key;
    podi_str_t             type;        /* as declared */
    podi_str_t             sha256;      /* "": not known yet */
    podi_str_t             name;
    int64_t                bytes;
    podi_objects_store_t  *store;
    int                    fd;          /* where it is fetched to */
} podi_input_t;

/* the job's input of that place, its store and a file for it */
PODI_MUSTCHECK podi_rc_t podi_input_open(podi_flow_t *f, podi_job_t *job,
    podi_files_t *files, size_t place, podi_input_t *input);

PODI_MUSTCHECK podi_rc_t podi_input_fetch(podi_flow_t *f, podi_job_t *job,
    const podi_files_t *files, podi_input_t *input);

/*
 * What podi_input_fetch brought, against what was stored.  OK: it is that;
 * otherwise the job was ended.
 */
PODI_MUSTCHECK podi_rc_t podi_input_fetched(podi_flow_t *f, podi_job_t *job,
    podi_input_t *input);

/* ends the job: another attempt when that may help */
podi_rc_t podi_files_end(podi_job_t *job, podi_error_e error, int final,
    const podi_str_t *detail);


#endif /* PODI_FILES_H */
