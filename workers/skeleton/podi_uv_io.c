/*
 * podi_uv_io: podi_io on libuv.
 *
 *     watch -> uv_poll_t     level-triggered by nature
 *     timer -> uv_timer_t
 *     post  -> a list, run by uv_idle_t in the next turn of the loop
 *
 * A handle's memory belongs to libuv until its close callback, so a watch or
 * timer that was freed may still be seen by the code that was running it.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_uv_io.h"
#include "banned.h"


struct podi_watch_s {
    uv_poll_t       poll;       /* first */
    podi_uv_io_t   *uv;
    podi_watch_pt   run;
    void           *data;
    unsigned        wanted;
};

struct podi_timer_s {
    uv_timer_t      timer;      /* first */
    podi_uv_io_t   *uv;
    podi_timer_pt   run;
    void           *data;
};


static podi_watch_t *uv_io_watch(podi_io_t *io, int fd, podi_watch_pt run,
    void *data);
static podi_rc_t uv_io_want(podi_watch_t *w, unsigned events);
static void uv_io_unwatch(podi_watch_t *w);
static void uv_io_ready(uv_poll_t *poll, int status, int events);
static podi_rc_t uv_io_start(podi_watch_t *w);

static podi_timer_t *uv_io_timer(podi_io_t *io, podi_timer_e kind,
    podi_timer_pt run, void *data);
static void uv_io_arm(podi_timer_t *t, podi_msec_t after);
static void uv_io_disarm(podi_timer_t *t);
static void uv_io_timer_free(podi_timer_t *t);
static void uv_io_timed(uv_timer_t *timer);

static void uv_io_post(podi_io_t *io, podi_post_t *post);
static void uv_io_unpost(podi_post_t *post);
static void uv_io_idle(uv_idle_t *idle);
static void uv_io_closed(uv_handle_t *handle);


podi_rc_t
podi_uv_io_init(podi_uv_io_t *uv, uv_loop_t *loop)
{
    memset(uv, 0, sizeof(podi_uv_io_t));

    uv->loop = loop;
    podi_list_init(&uv->posts);

    uv->io.loop = uv;
    uv->io.watch = uv_io_watch;
    uv->io.want = uv_io_want;
    uv->io.unwatch = uv_io_unwatch;
    uv->io.timer = uv_io_timer;
    uv->io.arm = uv_io_arm;
    uv->io.disarm = uv_io_disarm;
    uv->io.timer_free = uv_io_timer_free;
    uv->io.post = uv_io_post;
    uv->io.unpost = uv_io_unpost;

    if (uv_idle_init(loop, &uv->idle) != 0) {
        return PODI_ERROR;
    }

    uv->idle.data = uv;

    return PODI_OK;
}


void
podi_uv_io_close(podi_uv_io_t *uv)
{
    podi_assert(uv->watches == 0 && uv->timers == 0);
    podi_assert(podi_list_is_empty(&uv->posts));

    uv_close((uv_handle_t *) &uv->idle, NULL);
}


static podi_watch_t *
uv_io_watch(podi_io_t *io, int fd, podi_watch_pt run, void *data)
{
    podi_uv_io_t  *uv = io->loop;
    podi_watch_t  *w;

    w = calloc(1, sizeof(podi_watch_t));

    if (w == NULL) {
        return NULL;
    }

    if (uv_poll_init(uv->loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }

    uv_unref((uv_handle_t *) &w->poll);

    w->uv = uv;
    w->run = run;
    w->data = data;
    uv->watches++;

    return w;
}


static podi_rc_t
uv_io_want(podi_watch_t *w, unsigned events)
{
    if (events == w->wanted) {
        return PODI_OK;
    }

    w->wanted = events;

    return uv_io_start(w);
}


static podi_rc_t
uv_io_start(podi_watch_t *w)
{
    int  events;

    if (w->wanted == 0) {
        return uv_poll_stop(&w->poll) == 0 ? PODI_OK : PODI_ERROR;
    }

    events = (w->wanted & PODI_IO_READ ? UV_READABLE : 0)
             | (w->wanted & PODI_IO_WRITE ? UV_WRITABLE : 0);

    return uv_poll_start(&w->poll, events, uv_io_ready) == 0
           ? PODI_OK : PODI_ERROR;
}


static void
uv_io_unwatch(podi_watch_t *w)
{
    (void) uv_poll_stop(&w->poll);
    w->uv->watches--;
    uv_close((uv_handle_t *) &w->poll, uv_io_closed);
}


/*
 * With an error libuv has stopped the handle; the owner reads or writes and
 * finds out why.  Should it carry on, so does the handle.
 */

static void
uv_io_ready(uv_poll_t *poll, int status, int events)
{
    unsigned       ready;
    podi_watch_t  *w = (podi_watch_t *) (void *) poll;

    ready = (events & UV_READABLE ? PODI_IO_READ : 0)
            | (events & UV_WRITABLE ? PODI_IO_WRITE : 0);

    if (status != 0) {
        ready = w->wanted;
    }

    w->run(w->data, ready);

    if (status != 0 && !uv_is_closing((uv_handle_t *) poll)) {
        (void) uv_io_start(w);
    }
}


static podi_timer_t *
uv_io_timer(podi_io_t *io, podi_timer_e kind, podi_timer_pt run, void *data)
{
    podi_uv_io_t  *uv = io->loop;
    podi_timer_t  *t;

    t = calloc(1, sizeof(podi_timer_t));

    if (t == NULL) {
        return NULL;
    }

    if (uv_timer_init(uv->loop, &t->timer) != 0) {
        free(t);
        return NULL;
    }

    if (kind == PODI_TIMER_HOUSEKEEPING) {
        uv_unref((uv_handle_t *) &t->timer);
    }

    t->uv = uv;
    t->run = run;
    t->data = data;
    uv->timers++;

    return t;
}


/* libuv counts from the start of the turn, which may be long ago */

static void
uv_io_arm(podi_timer_t *t, podi_msec_t after)
{
    uv_update_time(t->uv->loop);
    (void) uv_timer_start(&t->timer, uv_io_timed, after, 0);
}


static void
uv_io_disarm(podi_timer_t *t)
{
    (void) uv_timer_stop(&t->timer);
}


static void
uv_io_timer_free(podi_timer_t *t)
{
    (void) uv_timer_stop(&t->timer);
    t->uv->timers--;
    uv_close((uv_handle_t *) &t->timer, uv_io_closed);
}


static void
uv_io_timed(uv_timer_t *timer)
{
    podi_timer_t  *t = (podi_timer_t *) (void *) timer;

    t->run(t->data);
}


static void
uv_io_post(podi_io_t *io, podi_post_t *post)
{
    podi_uv_io_t  *uv = io->loop;

    if (post->posted) {
        return;
    }

    post->posted = 1;
    podi_list_append(&uv->posts, &post->link);

    (void) uv_idle_start(&uv->idle, uv_io_idle);
}


static void
uv_io_unpost(podi_post_t *post)
{
    if (post->posted) {
        post->posted = 0;
        podi_list_remove(&post->link);
    }
}


/* what is posted meanwhile runs in the next turn */

static void
uv_io_idle(uv_idle_t *idle)
{
    podi_link_t    batch;
    podi_post_t   *post;
    podi_uv_io_t  *uv = idle->data;

    podi_list_init(&batch);

    while (!podi_list_is_empty(&uv->posts)) {
        post = podi_list_owner(uv->posts.next, podi_post_t, link);
        podi_list_remove(&post->link);
        podi_list_append(&batch, &post->link);
    }

    while (!podi_list_is_empty(&batch)) {
        post = podi_list_owner(batch.next, podi_post_t, link);
        podi_list_remove(&post->link);
        post->posted = 0;
        post->run(post->data);
    }

    if (podi_list_is_empty(&uv->posts)) {
        (void) uv_idle_stop(&uv->idle);
    }
}


/* the handle is the first member of what was allocated */

static void
uv_io_closed(uv_handle_t *handle)
{
    free(handle);
}
