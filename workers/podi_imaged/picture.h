/*
 * picture: the process that makes one picture (podi_imaged --picture).
 *
 * What goes in and comes out: podi_picture.h.
 *
 * It assumes that what it decodes was made to break it: it has no names of
 * files, no sockets, no other programs, bounded memory, CPU time and output,
 * and only the one loader that the first bytes ask for.
 */

#ifndef PICTURE_H
#define PICTURE_H


#include <vips/vips.h>

#include "podi_picture.h"


#define PICTURE_WEBP_MAX  16383         /* pixels a side */
/* numbers of files below are those of podi_picture.h */
#define PICTURE_PLACES    (PODI_PICTURE_OUT + PODI_PICTURE_INPUTS_MAX)

typedef enum {
    PICTURE_RESIZE,
    PICTURE_CONVERT,
    PICTURE_THUMBNAIL,
    PICTURE_MONTAGE,
    PICTURE_CHECK,
    PICTURE_STRIP
} picture_action_e;

typedef enum {
    PICTURE_CONTAIN,
    PICTURE_COVER,
    PICTURE_FILL
} picture_fit_e;

typedef struct {
    int64_t  parent;            /* its pid */
    int64_t  max_pixels;
    int64_t  max_dimension;
    int64_t  cpu;               /* s */
    int64_t  memory;            /* bytes of address space */
    int64_t  result_max;        /* bytes */
    int      seccomp;
} picture_limits_t;

typedef struct {
    picture_action_e    action;
    picture_limits_t    limits;
    int64_t             inputs;
    int64_t             width;          /* as wished; 0: not said */
    int64_t             height;
    picture_fit_e       fit;
    podi_media_e        format;         /* as wished; UNKNOWN: keep */
    int                 quality;
    int                 shrink_only;
    int64_t             columns;        /* of a montage; 0: a square */
    int64_t             cell;           /* pixels a side */
    int64_t             gap;
    unsigned char       background[3];  /* red, green, blue */

    int                 in;             /* the file that is read now */
    podi_media_e        type;           /* of its picture */
    int64_t             source_width;   /* upright, as the header says */
    int64_t             source_height;
    int                 orientation;
    VipsImage          *whole;          /* its pixels, decoded; or NULL */
    int64_t             made_width;
    int64_t             made_height;
    podi_media_e        made;
    podi_fail_t         fail;
    int                 write_errno;    /* of the result */
} picture_t;


/* the whole process; gives its exit code */
int picture_main(void);

/* picture_hear.c: once, first of all; then a line at a time, which stays */
PODI_MUSTCHECK podi_rc_t picture_places(void);
PODI_MUSTCHECK podi_rc_t picture_hear(podi_str_t *ret_line);

/* picture_ask.c: ERROR when the limits, the question, are none */
PODI_MUSTCHECK podi_rc_t picture_ask_limits(const podi_str_t *text,
    podi_mem_t *mem, picture_t *p);
PODI_MUSTCHECK podi_rc_t picture_ask(const podi_str_t *text, podi_mem_t *mem,
    picture_t *p);
void picture_answer(const picture_t *p);

/* picture_limit.c: before libvips starts; before the first byte, for good */
PODI_MUSTCHECK podi_rc_t picture_limit(const picture_limits_t *limits,
    podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t picture_lock(podi_fail_t *fail);

/* picture_open.c: a new image of the file each time; NULL: p->fail says why */
PODI_MUSTCHECK podi_rc_t picture_init(podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t picture_header(picture_t *p);
VipsImage *picture_open(picture_t *p);
VipsSource *picture_source(picture_t *p);
/* from what libvips has said */
podi_rc_t picture_fault(picture_t *p, const char *what);

/*
 * picture_make.c: all of it; and in parts: the size of the result from the
 * wish, a picture of that size in its colours (NULL: p->fail says why), and
 * the end, which takes the image (NULL: ERROR).
 */
PODI_MUSTCHECK podi_rc_t picture_make(picture_t *p);
PODI_MUSTCHECK podi_rc_t picture_target(picture_t *p);
VipsImage *picture_shrunk(picture_t *p);
PODI_MUSTCHECK podi_rc_t picture_finish(picture_t *p, VipsImage *image);

/* picture_montage.c, picture_save.c */
PODI_MUSTCHECK podi_rc_t picture_montage(picture_t *p);
PODI_MUSTCHECK podi_rc_t picture_save(picture_t *p, VipsImage *image);

/* picture_strip.c: all of it, for PICTURE_STRIP */
PODI_MUSTCHECK podi_rc_t picture_strip(picture_t *p);


#endif /* PICTURE_H */
