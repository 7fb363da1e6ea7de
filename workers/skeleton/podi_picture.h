/*
 * podi_picture: one picture in a process of its own, seen from outside.
 *
 *     stdin   two lines of JSON: the limits; later what to make, and with it,
 *             as stdin is a socket, the files:
 *     3       the picture, a file
 *     4       the result, an empty file
 *     5...    the other pictures of a montage
 *     stdout  one line of JSON:
 *             {"type","width","height","source_width","source_height"} or
 *             {"error": a code of podi_errors.def, "detail"}
 *     exit    0 when it has answered, PODI_PICTURE_EXIT_MEMORY without memory,
 *             anything else, or a signal: it broke
 *
 * The process is `podi_imaged --picture`: it has no names of files, no
 * sockets and bounded memory, CPU time and output.  What decodes strangers'
 * bytes runs there and nowhere else.  A daemon has one more of them, which
 * waits for its question: starting takes longer than most pictures.
 */

#ifndef PODI_PICTURE_H
#define PODI_PICTURE_H


#include "podi_files.h"


#define PODI_PICTURE_IN           3
#define PODI_PICTURE_OUT          4
#define PODI_PICTURE_INPUTS_MAX   16
#define PODI_PICTURE_EXIT_USAGE   2
#define PODI_PICTURE_EXIT_MEMORY  3
#define PODI_PICTURE_REPLY_MAX    2048          /* bytes of it */

/* the file of the i-th picture, from 0 */
#define podi_picture_fd(i)                                                   \
    ((i) == 0 ? PODI_PICTURE_IN : PODI_PICTURE_OUT + (int) (i))

typedef struct podi_picture_spare_s  podi_picture_spare_t;

typedef struct {
    const char   *program;          /* that knows --picture */
    uint64_t      result_max;       /* bytes */
    int64_t       max_pixels;       /* width * height * frames */
    int64_t       max_dimension;
    podi_msec_t   cpu;
    uint64_t      memory;
    podi_msec_t   timeout;
    int           seccomp;
    podi_picture_spare_t  *spare;   /* podi_picture_open's */
} podi_picture_conf_t;

/* rows of a daemon's table of settings; its start sets the others */

#define podi_picture_settings(p)                                             \
    /* width * height * frames as its header says; and each side */          \
    { "max_pixels", PODI_INT, &(p)->max_pixels, "100000000", "1",            \
      "4000000000" },                                                        \
    { "max_dimension", PODI_INT, &(p)->max_dimension, "30000", "1",          \
      "65500" },                                                             \
    /* of the process: CPU time, address space, wall time */                 \
    { "cpu", PODI_MSEC, &(p)->cpu, "30s", "1s", "10m" },                     \
    { "memory", PODI_SIZE, &(p)->memory, "2g", "256m", "64g" },              \
    { "picture_timeout", PODI_MSEC, &(p)->timeout, "45s", "100ms", "10m" },  \
    /* denies it files, sockets and programs; off where there is none */     \
    { "seccomp", PODI_BOOL, &(p)->seccomp, "on", NULL, NULL }

typedef struct {
    podi_error_e   error;           /* NONE: there is a picture */
    unsigned       final:1;         /* the same again gives the same */
    char           detail[200];
    podi_media_e   type;            /* of what was made */
    int64_t        width;
    int64_t        height;
    int64_t        source_width;    /* upright */
    int64_t        source_height;
} podi_picture_answer_t;

/*
 * What it is asked: an action, with its params or NULL.  Besides those of
 * image.*: "media.check" decodes the whole picture, tells its size as that of
 * the source, and makes its thumbnail; "media.strip" copies a PNG without its
 * texts, EXIF and "comf", every other byte as it is.
 */

typedef struct {
    podi_str_t      action;
    const json_t   *params;
    const int      *in;             /* files of podi_files_temp */
    unsigned        n;              /* of them, at most INPUTS_MAX */
    int             out;
} podi_picture_ask_t;


/* from a daemon's start, once conf is whole; ERROR: INTERNAL */
PODI_MUSTCHECK podi_rc_t podi_picture_open(podi_picture_conf_t *conf,
    podi_worker_t *w, podi_fail_t *fail);

/* from its stop, also when it was not opened; what is left is reaped later */
void podi_picture_close(podi_picture_conf_t *conf);

/*
 * AGAIN: f->result will be a podi_picture_answer_t in f->mem.  Cancelling the
 * flow kills the process.
 */
PODI_MUSTCHECK podi_rc_t podi_picture_run(podi_flow_t *f,
    const podi_picture_conf_t *conf, const podi_picture_ask_t *ask);

/* what the process has said; ERROR: it makes no sense */
PODI_MUSTCHECK podi_rc_t podi_picture_reply(const podi_str_t *text,
    podi_mem_t *mem, podi_picture_answer_t *answer);


#endif /* PODI_PICTURE_H */
