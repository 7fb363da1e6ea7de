/*
 * podi_multi: libcurl's multi interface on podi_io.
 *
 *     (sockets, timer -> socket_action)* -> post -> info_read -> done
 *
 * curl leaves what OpenSSL had to say in a queue of the thread, where nginx
 * takes it for the mistake of one of its own connections: so it is emptied.
 *
 * Promises: curl_multi_* is never called from a callback of curl (but for
 * assign, which is meant for it).
 */

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "podi_multi.h"
#include "banned.h"

/* a socket that curl told us of */

typedef struct {
    podi_multi_t   *m;
    curl_socket_t   fd;
    podi_watch_t   *watch;
} multi_socket_t;


static int multi_socket(CURL *easy, curl_socket_t fd, int what, void *data,
    void *socket);
static int multi_timer(CURLM *multi, long timeout, void *data);
static void multi_socket_ready(void *data, unsigned ready);
static void multi_timer_over(void *data);
static void multi_drain(void *data);


podi_rc_t
podi_multi_init(podi_multi_t *m, podi_io_t *io, podi_multi_pt done, void *data)
{
    memset(m, 0, sizeof(podi_multi_t));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return PODI_ERROR;
    }

    m->io = io;
    m->done = done;
    m->data = data;
    m->drain.run = multi_drain;
    m->drain.data = m;
    m->multi = curl_multi_init();
    m->timer = io->timer(io, PODI_TIMER_WORK, multi_timer_over, m);

    if (m->multi == NULL || m->timer == NULL) {
        podi_multi_clear(m);
        return PODI_ERROR;
    }

    (void) curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, multi_socket);
    (void) curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    (void) curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, multi_timer);
    (void) curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);

    return PODI_OK;
}


void
podi_multi_clear(podi_multi_t *m)
{
    m->io->unpost(&m->drain);

    if (m->multi != NULL) {
        (void) curl_multi_cleanup(m->multi);    /* lets its sockets go */
        ERR_clear_error();
    }

    if (m->timer != NULL) {
        m->io->timer_free(m->timer);
    }

    curl_global_cleanup();
    memset(m, 0, sizeof(podi_multi_t));
}


static int
multi_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket)
{
    unsigned        events;
    podi_multi_t    *m = data;
    multi_socket_t  *s = socket;

    (void) easy;

    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            m->io->unwatch(s->watch);
            free(s);
            (void) curl_multi_assign(m->multi, fd, NULL);
        }

        return 0;
    }

    if (s == NULL) {
        s = calloc(1, sizeof(multi_socket_t));
        if (s == NULL) {
            return -1;
        }

        s->m = m;
        s->fd = fd;
        s->watch = m->io->watch(m->io, fd, multi_socket_ready, s);

        if (s->watch == NULL) {
            free(s);
            return -1;
        }

        (void) curl_multi_assign(m->multi, fd, s);
    }

    events = ((what & CURL_POLL_IN) ? PODI_IO_READ : 0)
             | ((what & CURL_POLL_OUT) ? PODI_IO_WRITE : 0);

    return m->io->want(s->watch, events) == PODI_OK ? 0 : -1;
}


static int
multi_timer(CURLM *multi, long timeout, void *data)
{
    podi_multi_t  *m = data;

    (void) multi;

    m->io->disarm(m->timer);

    if (timeout >= 0) {
        m->io->arm(m->timer, (podi_msec_t) timeout);
    }

    return 0;
}


static void
multi_socket_ready(void *data, unsigned ready)
{
    int             running, mask;
    podi_multi_t    *m;
    multi_socket_t  *s = data;

    m = s->m;
    mask = ((ready & PODI_IO_READ) ? CURL_CSELECT_IN : 0)
           | ((ready & PODI_IO_WRITE) ? CURL_CSELECT_OUT : 0);

    /* s may be gone after this */

    (void) curl_multi_socket_action(m->multi, s->fd, mask, &running);
    ERR_clear_error();
    m->io->post(m->io, &m->drain);
}


static void
multi_timer_over(void *data)
{
    int           running;
    podi_multi_t  *m = data;

    (void) curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0,
                                    &running);
    ERR_clear_error();
    m->io->post(m->io, &m->drain);
}


static void
multi_drain(void *data)
{
    int            left;
    CURLMsg       *msg;
    podi_multi_t  *m = data;

    for ( ;; ) {
        msg = curl_multi_info_read(m->multi, &left);
        if (msg == NULL) {
            return;
        }

        /* msg dies with remove_handle, and is no more needed by then */

        if (msg->msg == CURLMSG_DONE) {
            m->done(m->data, msg->easy_handle, msg->data.result);
        }
    }
}
