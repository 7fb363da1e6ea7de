/*
 * ngx_podi_thread: work that would hold the event loop up, in threads.
 *
 *     ask -> core free? -> thread -> done -> next waiting
 *         -> queue (bounded) -> core free -> thread
 *         -> queue full: RATE_LIMITED
 *
 * All workers of one nginx share the cores: each counts its running threads
 * in its slot of the zone.  A core that another worker gives back is noticed
 * by polling, and only while something waits.
 *
 * The work uses memory of the request.  Two things keep it: r->count holds a
 * request that is answered meanwhile (its deadline has passed), r->blocked
 * one that is terminated (its client has gone); the end of the work then ends
 * the request.  A timer keeps a worker that is told to quit: it leaves when no
 * timer is left, and would leave the thread and the client behind.
 */

#include "ngx_podi_thread.h"
#include "ngx_podi_shm.h"


#define NGX_PODI_THREAD_POLL  5         /* ms */
#define NGX_PODI_THREAD_LONG  60000     /* ms, then it is told */

typedef struct {
    podi_op_t            op;
    podi_link_t          link;          /* waiting for a core */
    ngx_thread_task_t   *task;
    ngx_podi_bound_t    *bound;
    void               (*work)(void *data);
    void                *data;
} ngx_podi_thread_t;


static ngx_uint_t ngx_podi_thread_enter(ngx_podi_worker_t *w);
static ngx_int_t ngx_podi_thread_post(ngx_podi_worker_t *w,
    ngx_podi_thread_t *t);
static void ngx_podi_thread_work(void *data, ngx_log_t *log);
static void ngx_podi_thread_done(ngx_event_t *ev);
static void ngx_podi_thread_next(void *data);
static void ngx_podi_thread_cancel(podi_op_t *op);


ngx_int_t
ngx_podi_thread_init(ngx_podi_worker_t *w)
{
    podi_list_init(&w->threads);

    w->thread_poll = w->io->timer(w->io, PODI_TIMER_WORK,
                                  ngx_podi_thread_next, w);

    return (w->thread_poll == NULL) ? NGX_ERROR : NGX_OK;
}


void
ngx_podi_thread_exit(ngx_podi_worker_t *w)
{
    w->io->timer_free(w->thread_poll);
    w->thread_poll = NULL;
}


podi_rc_t
ngx_podi_thread(podi_flow_t *f, ngx_http_request_t *r,
    void (*work)(void *data), void *data)
{
    ngx_podi_worker_t           *w;
    ngx_podi_thread_t           *t;
    ngx_thread_task_t           *task;
    const ngx_podi_main_conf_t  *pmcf;

    w = ngx_podi_worker();
    pmcf = ngx_podi_conf();

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_podi_thread_t));

    if (task == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "no memory for a thread");
    }

    if (w->slot == NULL) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "this worker has no slot yet");
    }

    t = task->ctx;
    ngx_memzero(t, sizeof(ngx_podi_thread_t));

    t->task = task;
    t->work = work;
    t->data = data;
    t->bound = ngx_podi_bound(f);

    task->handler = ngx_podi_thread_work;
    task->event.handler = ngx_podi_thread_done;
    task->event.data = t;
    task->event.log = ngx_cycle->log;

    if (podi_list_is_empty(&w->threads) && ngx_podi_thread_enter(w)) {

        if (ngx_podi_thread_post(w, t) != NGX_OK) {
            return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                             "the thread pool takes no task");
        }

        return podi_flow_wait(f, &t->op, ngx_podi_thread_cancel);
    }

    if (ngx_podi_threads_waiting() >= (ngx_uint_t) pmcf->thread_queue) {
        ngx_podi_count(NGX_PODI_COUNT_THREAD_REFUSED);
        return podi_fail(&f->fail, PODI_E_RATE_LIMITED, NULL,
                         "%d pieces of work wait for a core",
                         (int) pmcf->thread_queue);
    }

    podi_list_append(&w->threads, &t->link);
    w->slot->threads_waiting++;
    w->io->arm(w->thread_poll, NGX_PODI_THREAD_POLL);

    return podi_flow_wait(f, &t->op, ngx_podi_thread_cancel);
}


ngx_uint_t
ngx_podi_threads_waiting(void)
{
    ngx_uint_t        i, n;
    ngx_podi_slot_t  *slot;

    slot = ngx_podi_slots();
    n = 0;

    for (i = 0; slot != NULL && i < NGX_PODI_SLOTS; i++) {
        n += (slot[i].owner != 0) ? slot[i].threads_waiting : 0;
    }

    return n;
}


/* takes one of the cores that all workers share */

static ngx_uint_t
ngx_podi_thread_enter(ngx_podi_worker_t *w)
{
    ngx_int_t         running;
    ngx_uint_t        i;
    ngx_podi_shm_t   *shm;
    ngx_podi_slot_t  *slot;

    shm = ngx_podi_shm();
    slot = ngx_podi_slots();
    running = 0;

    if (ngx_podi_lock(&shm->lock) == NGX_BUSY) {
        return 0;
    }

    for (i = 0; i < NGX_PODI_SLOTS; i++) {
        running += (slot[i].owner != 0) ? (ngx_int_t) slot[i].threads_running
                                      : 0;
    }

    if (running < ngx_podi_conf()->threads) {
        w->slot->threads_running++;
        ngx_podi_unlock(&shm->lock);
        return 1;
    }

    ngx_podi_unlock(&shm->lock);

    return 0;
}


static ngx_int_t
ngx_podi_thread_post(ngx_podi_worker_t *w, ngx_podi_thread_t *t)
{
    ngx_http_request_t  *r = t->bound->request;

    if (ngx_thread_task_post(ngx_podi_conf()->thread_pool, t->task)
        != NGX_OK)
    {
        w->slot->threads_running--;
        return NGX_ERROR;
    }

    ngx_add_timer(&t->task->event, NGX_PODI_THREAD_LONG);

    r->main->blocked++;
    r->main->count++;
    ngx_podi_count(NGX_PODI_COUNT_THREAD_RUNS);

    return NGX_OK;
}


static void
ngx_podi_thread_work(void *data, ngx_log_t *log)
{
    ngx_podi_thread_t  *t = data;

    t->work(t->data);
}


static void
ngx_podi_thread_done(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_podi_thread_t   *t = ev->data;
    ngx_podi_worker_t   *w;
    ngx_http_request_t  *r;

    w = ngx_podi_worker();
    r = t->bound->request;
    c = r->connection;

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "podi: a thread has been at work for %d s",
                      NGX_PODI_THREAD_LONG / 1000);
        ngx_add_timer(ev, NGX_PODI_THREAD_LONG);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    w->slot->threads_running--;
    r->main->blocked--;

    ngx_http_set_log_request(c->log, r);

    if (t->op.flow != NULL) {
        r->main->count--;
        podi_op_done(&t->op, NULL, NULL);

    } else if (t->bound->gone) {

        /* terminated, but for the block: once more, now to the end */

        c->error = 1;
        ngx_http_finalize_request(r, NGX_ERROR);

    } else {

        /* past its deadline: answered, or still being written to */

        ngx_http_finalize_request(r, NGX_DONE);
    }

    ngx_http_run_posted_requests(c);

    ngx_podi_thread_next(w);
}


static void
ngx_podi_thread_next(void *data)
{
    podi_fail_t         fail;
    podi_link_t        *link;
    ngx_podi_thread_t  *t;
    ngx_podi_worker_t  *w = data;

    while (!podi_list_is_empty(&w->threads) && ngx_podi_thread_enter(w)) {

        link = w->threads.next;
        podi_list_remove(link);
        w->slot->threads_waiting--;

        t = podi_list_owner(link, ngx_podi_thread_t, link);

        if (ngx_podi_thread_post(w, t) != NGX_OK) {
            ngx_memzero(&fail, sizeof(podi_fail_t));
            (void) podi_fail(&fail, PODI_E_UNAVAILABLE, NULL,
                             "the thread pool takes no task");
            podi_op_done(&t->op, NULL, &fail);
        }
    }

    if (podi_list_is_empty(&w->threads)) {
        w->io->disarm(w->thread_poll);
    } else {
        w->io->arm(w->thread_poll, NGX_PODI_THREAD_POLL);
    }
}


/* waiting: forgotten; running: it ends by itself */

static void
ngx_podi_thread_cancel(podi_op_t *op)
{
    ngx_podi_thread_t  *t = podi_list_owner(op, ngx_podi_thread_t, op);

    if (t->link.next != NULL && !podi_list_is_empty(&t->link)) {
        podi_list_remove(&t->link);
        ngx_podi_worker()->slot->threads_waiting--;
    }
}
