/*
 * picture: one picture, start to end.
 *
 *     ask -> limit -> init -> lock -> header -> make -> answer
 *
 * The order matters: limits stand before libvips starts, the lock falls
 * before the first byte of the picture is read, and the size is judged by
 * the header before the first pixel is decoded.
 */

#define _GNU_SOURCE                 /* close_range */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

#define PICTURE_ASK_MAX  16384


static podi_rc_t picture_read(podi_mem_t *mem, podi_str_t *ret_text);
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

    if (p == NULL || picture_read(mem, &text) != PODI_OK) {
        podi_arena_free(&arena);
        return PODI_PICTURE_EXIT_USAGE;
    }

    if (picture_ask(&text, mem, p) != PODI_OK || picture_run(p) != PODI_OK) {
        p->made = PODI_MEDIA_UNKNOWN;
    }

    picture_answer(p);

    /* libvips' threads need no farewell */

    _exit(0);
}


static podi_rc_t
picture_read(podi_mem_t *mem, podi_str_t *ret_text)
{
    ssize_t  n;

    ret_text->len = 0;
    ret_text->data = podi_mem_alloc(mem, PICTURE_ASK_MAX);

    if (ret_text->data == NULL) {
        return PODI_ERROR;
    }

    while (ret_text->len < PICTURE_ASK_MAX) {
        n = read(STDIN_FILENO, ret_text->data + ret_text->len,
                 PICTURE_ASK_MAX - ret_text->len);

        if (n == 0) {
            return PODI_OK;
        }

        if (n < 0 && errno != EINTR) {
            return PODI_ERROR;
        }

        ret_text->len += (n > 0) ? (size_t) n : 0;
    }

    return PODI_ERROR;
}


static podi_rc_t
picture_run(picture_t *p)
{
    /* whatever a library of the daemon forgot to mark */

    (void) close_range((unsigned) (PODI_PICTURE_OUT + p->inputs), ~0U, 0);

    if (picture_limit(&p->limits, &p->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    (void) g_log_set_default_handler(picture_log, NULL);

    if (picture_init(&p->fail) != PODI_OK
        || (p->limits.seccomp && picture_lock(&p->fail) != PODI_OK))
    {
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
