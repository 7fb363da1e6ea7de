/*
 * ngx_podi_io: podi_io on nginx's events.
 *
 *     engine -> watch/want -> epoll (level) -> engine
 *            -> arm        -> timer tree    -> engine
 *            -> post       -> posted queue  -> engine
 *
 * The library owns the descriptor, so a connection slot is given back with
 * c->shared set and nginx never closes it.  Events are level-triggered: libpq
 * and hiredis may leave bytes in the kernel.  Slots are not marked idle: on
 * quit they serve the requests that are still there, and exit_process frees
 * them before nginx looks for open sockets.
 */

#include "ngx_podi_core.h"


struct podi_watch_s {
    ngx_connection_t    *connection;
    podi_watch_pt        run;
    void                *data;
};

struct podi_timer_s {
    ngx_event_t          event;
    podi_timer_pt        run;
    void                *data;
};

typedef struct {
    podi_io_t            io;
    ngx_cycle_t         *cycle;
    ngx_connection_t     nobody;        /* whom the debug log asks for an fd */
    ngx_event_t          event;
    ngx_queue_t         *queue;         /* where event is posted */
    podi_link_t          posts;
} ngx_podi_io_t;


static podi_watch_t *ngx_podi_io_watch(podi_io_t *io, int fd,
    podi_watch_pt run, void *data);
static podi_rc_t ngx_podi_io_want(podi_watch_t *w, unsigned events);
static ngx_int_t ngx_podi_io_set(ngx_event_t *ev, ngx_int_t event,
    unsigned on);
static void ngx_podi_io_unwatch(podi_watch_t *w);
static void ngx_podi_io_readable(ngx_event_t *ev);
static void ngx_podi_io_writable(ngx_event_t *ev);
static podi_timer_t *ngx_podi_io_timer(podi_io_t *io, podi_timer_e kind,
    podi_timer_pt run, void *data);
static void ngx_podi_io_expired(ngx_event_t *ev);
static void ngx_podi_io_arm(podi_timer_t *t, podi_msec_t after);
static void ngx_podi_io_disarm(podi_timer_t *t);
static void ngx_podi_io_timer_free(podi_timer_t *t);
static void ngx_podi_io_post(podi_io_t *io, podi_post_t *post);
static void ngx_podi_io_unpost(podi_post_t *post);
static void ngx_podi_io_posted(ngx_event_t *ev);


podi_io_t *
ngx_podi_io_create(ngx_cycle_t *cycle)
{
    ngx_podi_io_t  *loop;

    loop = ngx_pcalloc(cycle->pool, sizeof(ngx_podi_io_t));
    if (loop == NULL) {
        return NULL;
    }

    loop->cycle = cycle;
    loop->nobody.fd = (ngx_socket_t) -1;
    loop->nobody.log = cycle->log;
    podi_list_init(&loop->posts);

    /*
     * Before the first turn of the loop nothing would wake epoll up, but the
     * queue of the next turn does.
     */

    loop->queue = &ngx_posted_next_events;

    loop->event.handler = ngx_podi_io_posted;
    loop->event.data = loop;
    loop->event.log = cycle->log;

    loop->io.loop = loop;
    loop->io.watch = ngx_podi_io_watch;
    loop->io.want = ngx_podi_io_want;
    loop->io.unwatch = ngx_podi_io_unwatch;
    loop->io.timer = ngx_podi_io_timer;
    loop->io.arm = ngx_podi_io_arm;
    loop->io.disarm = ngx_podi_io_disarm;
    loop->io.timer_free = ngx_podi_io_timer_free;
    loop->io.post = ngx_podi_io_post;
    loop->io.unpost = ngx_podi_io_unpost;

    return &loop->io;
}


/* descriptors */

static podi_watch_t *
ngx_podi_io_watch(podi_io_t *io, int fd, podi_watch_pt run, void *data)
{
    podi_watch_t      *w;
    ngx_podi_io_t     *loop = io->loop;
    ngx_connection_t  *c;

    w = ngx_alloc(sizeof(podi_watch_t), loop->cycle->log);
    if (w == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, loop->cycle->log);
    if (c == NULL) {
        ngx_free(w);
        return NULL;
    }

    w->connection = c;
    w->run = run;
    w->data = data;

    c->data = w;
    c->log_error = NGX_ERROR_ERR;
    c->read->handler = ngx_podi_io_readable;
    c->read->log = loop->cycle->log;
    c->write->handler = ngx_podi_io_writable;
    c->write->log = loop->cycle->log;

    return w;
}


static podi_rc_t
ngx_podi_io_want(podi_watch_t *w, unsigned events)
{
    ngx_connection_t  *c = w->connection;

    if (ngx_podi_io_set(c->read, NGX_READ_EVENT, events & PODI_IO_READ)
        != NGX_OK
        || ngx_podi_io_set(c->write, NGX_WRITE_EVENT, events & PODI_IO_WRITE)
           != NGX_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


/*
 * The flags are the same in each call: epoll's module rewrites the mode of
 * both directions with those of the last one.
 */

static ngx_int_t
ngx_podi_io_set(ngx_event_t *ev, ngx_int_t event, unsigned on)
{
    if (on && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!on && ev->active) {
        return ngx_del_event(ev, event, NGX_LEVEL_EVENT);
    }

    return NGX_OK;
}


static void
ngx_podi_io_unwatch(podi_watch_t *w)
{
    ngx_connection_t  *c = w->connection;

    if (c->read->active || c->write->active) {

        if (ngx_del_conn) {
            (void) ngx_del_conn(c, 0);

        } else {
            (void) ngx_podi_io_set(c->read, NGX_READ_EVENT, 0);
            (void) ngx_podi_io_set(c->write, NGX_WRITE_EVENT, 0);
        }
    }

    c->shared = 1;              /* the library closes the descriptor */
    ngx_close_connection(c);

    ngx_free(w);
}


/* the engine may have unwatched w when run returns */

static void
ngx_podi_io_readable(ngx_event_t *ev)
{
    podi_watch_t      *w;
    ngx_connection_t  *c = ev->data;

    w = c->data;
    w->run(w->data, PODI_IO_READ);
}


static void
ngx_podi_io_writable(ngx_event_t *ev)
{
    podi_watch_t      *w;
    ngx_connection_t  *c = ev->data;

    w = c->data;
    w->run(w->data, PODI_IO_WRITE);
}


/* timers */

static podi_timer_t *
ngx_podi_io_timer(podi_io_t *io, podi_timer_e kind, podi_timer_pt run,
    void *data)
{
    podi_timer_t   *t;
    ngx_podi_io_t  *loop = io->loop;

    t = ngx_calloc(sizeof(podi_timer_t), loop->cycle->log);
    if (t == NULL) {
        return NULL;
    }

    t->run = run;
    t->data = data;

    t->event.handler = ngx_podi_io_expired;
    t->event.data = &loop->nobody;
    t->event.log = loop->cycle->log;
    t->event.cancelable = (kind == PODI_TIMER_HOUSEKEEPING);

    return t;
}


static void
ngx_podi_io_expired(ngx_event_t *ev)
{
    podi_timer_t  *t;

    t = (podi_timer_t *) (void *)
        ((char *) ev - offsetof(podi_timer_t, event));

    t->run(t->data);
}


/* without the deletion nginx would keep an expiry that is 300 ms near */

static void
ngx_podi_io_arm(podi_timer_t *t, podi_msec_t after)
{
    ngx_podi_io_disarm(t);
    ngx_add_timer(&t->event, (ngx_msec_t) after);
}


static void
ngx_podi_io_disarm(podi_timer_t *t)
{
    if (t->event.timer_set) {
        ngx_del_timer(&t->event);
    }
}


static void
ngx_podi_io_timer_free(podi_timer_t *t)
{
    ngx_podi_io_disarm(t);
    ngx_free(t);
}


/* posts */

static void
ngx_podi_io_post(podi_io_t *io, podi_post_t *post)
{
    ngx_podi_io_t  *loop = io->loop;

    if (post->posted) {
        return;
    }

    post->posted = 1;
    podi_list_append(&loop->posts, &post->link);

    ngx_post_event(&loop->event, loop->queue);
}


static void
ngx_podi_io_unpost(podi_post_t *post)
{
    if (post->posted) {
        post->posted = 0;
        podi_list_remove(&post->link);
    }
}


/* what is posted meanwhile runs in a round of its own */

static void
ngx_podi_io_posted(ngx_event_t *ev)
{
    podi_link_t     batch;
    podi_post_t    *post;
    ngx_podi_io_t  *loop = ev->data;

    loop->queue = &ngx_posted_events;

    podi_list_init(&batch);

    while (!podi_list_is_empty(&loop->posts)) {
        post = podi_list_owner(loop->posts.next, podi_post_t, link);
        podi_list_remove(&post->link);
        podi_list_append(&batch, &post->link);
    }

    while (!podi_list_is_empty(&batch)) {
        post = podi_list_owner(batch.next, podi_post_t, link);

        podi_list_remove(&post->link);
        post->posted = 0;

        post->run(post->data);
    }
}
