/*
 * picture: one picture, start to end.
 *
 *     limits -> limit -> init -> (waits) -> ask -> lock -> header -> make
 *            -> answer
 *
 * The order matters: limits stand before libvips starts, the lock falls
 * before the first byte of the picture is read, and the size is judged by
 * the header before the first pixel is decoded.  Up to the question nothing
 * depends on a picture, so it can be started before there is one; it has no
 * file then, and ends when its daemon closes its stdin.
 */

#define _GNU_SOURCE                 /* close_range */

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

static podi_rc_t picture_start(picture_t *p, podi_mem_t *mem);
static podi_rc_t picture_run(picture_t *p);
static void picture_log(const gchar *domain, GLogLevelFlags level,
    const gchar *message, gpointer data);


int
picture_main(void)
{
    podi_str_t     text;
    picture_t     *p;
    podi_mem_t    *mem;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return PODI_PICTURE_EXIT_MEMORY;
    }

    mem = podi_arena_mem(arena);
    p = podi_mem_calloc(mem, sizeof(picture_t));

    if (p == NULL) {
        podi_arena_free(&arena);
        return PODI_PICTURE_EXIT_MEMORY;
    }

    if (picture_start(p, mem) == PODI_OK) {

        if (picture_hear(&text) != PODI_OK) {
            _exit(PODI_PICTURE_EXIT_USAGE);     /* nobody asks any more */
        }

        if (picture_ask(&text, mem, p) == PODI_OK
            && picture_run(p) == PODI_OK)
        {
            picture_answer(p);
            _exit(0);               /* libvips' threads need no farewell */
        }
    }

    p->made = PODI_MEDIA_UNKNOWN;
    picture_answer(p);

    _exit(0);
}


/* all that can be done before there is a picture */

static podi_rc_t
picture_start(picture_t *p, podi_mem_t *mem)
{
    podi_str_t  text;

    if (picture_places() != PODI_OK || picture_hear(&text) != PODI_OK) {
        _exit(PODI_PICTURE_EXIT_USAGE);
    }

    if (picture_ask_limits(&text, mem, p) != PODI_OK
        || picture_limit(&p->limits, &p->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    (void) g_log_set_default_handler(picture_log, NULL);

    if (picture_init(&p->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    /* who looks at processes sees which of them wait */

    (void) prctl(PR_SET_NAME, "podi_spare");

    return PODI_OK;
}


static podi_rc_t
picture_run(picture_t *p)
{
    (void) prctl(PR_SET_NAME, "podi_picture");
    (void) close_range((unsigned) (PODI_PICTURE_OUT + p->inputs),
                       PICTURE_PLACES - 1, 0);

    if (p->limits.seccomp && picture_lock(&p->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (p->action == PICTURE_MONTAGE) {
        return picture_montage(p);
    }

    p->in = PODI_PICTURE_IN;

    if (p->action == PICTURE_STRIP) {
        return picture_strip(p);
    }

    return (picture_header(p) == PODI_OK) ? picture_make(p) : PODI_ERROR;
}


/* glib ends the process when there is no memory: say that it was that */

static void
picture_log(const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer data)
{
    (void) domain;
    (void) data;

    if ((level & G_LOG_LEVEL_ERROR) && message != NULL
        && strstr(message, "allocat") != NULL)
    {
        _exit(PODI_PICTURE_EXIT_MEMORY);
    }
}
