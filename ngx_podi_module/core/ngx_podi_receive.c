/*
 * ngx_podi_receive: a request's body in pieces, on nginx's unbuffered reader.
 *
 *     start -> drain -> (all there) -> OK
 *                    -> wait for more -> drain -> ... -> op done
 *
 * nginx's reader counts the request up by itself; while it waits, that count
 * is the flow's hold, as in ngx_podi_body.
 *
 * Where `mirror` has read the body before, it lies in buffers, which may be in
 * a file, and which others read as well: those are left as they are.
 */

#include "ngx_podi_core.h"
#include "ngx_podi_receive.h"


#define NGX_PODI_RECEIVE_CHUNK  16384    /* of a body in a file */

typedef struct {
    ngx_podi_bound_t      *bound;
    ngx_podi_receive_pt    piece;
    void                  *data;
} ngx_podi_receiver_t;


static void ngx_podi_receive_begun(ngx_http_request_t *r);
static void ngx_podi_receive_more(ngx_http_request_t *r);
static podi_rc_t ngx_podi_receive_drain(ngx_podi_receiver_t *v,
    podi_fail_t *fail);
static podi_rc_t ngx_podi_receive_pieces(ngx_podi_receiver_t *v,
    podi_fail_t *fail);
static podi_rc_t ngx_podi_receive_buf(ngx_podi_receiver_t *v,
    const ngx_buf_t *buf, podi_fail_t *fail);
static podi_rc_t ngx_podi_receive_refused(ngx_int_t rc, podi_fail_t *fail);


podi_rc_t
ngx_podi_receive_body(podi_flow_t *f, ngx_http_request_t *r,
    ngx_podi_receive_pt piece, void *data)
{
    podi_rc_t             rc;
    ngx_int_t             status;
    ngx_podi_body_t      *body;
    ngx_podi_bound_t     *b = ngx_podi_bound(f);
    ngx_podi_receiver_t  *v;

    body = ngx_podi_body_begin(f, r);
    v = ngx_palloc(r->pool, sizeof(ngx_podi_receiver_t));

    if (body == NULL || v == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    v->bound = b;
    v->piece = piece;
    v->data = data;

    body->receiver = v;
    r->request_body_no_buffering = 1;

    status = ngx_http_read_client_request_body(r, ngx_podi_receive_begun);

    if (status >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_podi_receive_refused(status, &f->fail);
    }

    rc = ngx_podi_receive_drain(v, &f->fail);

    if (rc != PODI_AGAIN) {
        r->main->count--;
        return rc;
    }

    if (b->held) {
        r->main->count--;
    }

    b->held = 1;
    b->reading = 1;

    return podi_flow_wait(f, &b->body, NULL);
}


/*
 * Unbuffered, nginx calls this before the reader returns: nothing to do but
 * to say who reads on.
 */

static void
ngx_podi_receive_begun(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_podi_receive_more;
}


static void
ngx_podi_receive_more(ngx_http_request_t *r)
{
    podi_rc_t             rc;
    podi_fail_t           fail;
    ngx_podi_bound_t     *b;
    ngx_podi_receiver_t  *v;

    v = ngx_podi_body_find(r)->receiver;
    b = v->bound;

    if (!b->reading || b->finished) {
        return;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    rc = ngx_podi_receive_drain(v, &fail);

    if (rc == PODI_AGAIN) {
        return;
    }

    b->reading = 0;

    if (r->connection->read->timer_set) {
        ngx_del_timer(r->connection->read);
    }

    podi_op_done(&b->body, NULL, (rc == PODI_OK) ? NULL : &fail);

    ngx_podi_flow_park(b);
}


/* everything that can be had now; AGAIN: the client has not sent it all */

static podi_rc_t
ngx_podi_receive_drain(ngx_podi_receiver_t *v, podi_fail_t *fail)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r = v->bound->request;

    for ( ;; ) {

        if (ngx_podi_receive_pieces(v, fail) != PODI_OK) {
            return PODI_ERROR;
        }

        if (!r->reading_body) {
            return PODI_OK;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return ngx_podi_receive_refused(rc, fail);
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return PODI_AGAIN;
        }
    }
}


/* hands the buffers over, and back to the reader while it needs them */

static podi_rc_t
ngx_podi_receive_pieces(ngx_podi_receiver_t *v, podi_fail_t *fail)
{
    podi_rc_t            rc;
    ngx_chain_t         *cl, *next;
    ngx_http_request_t  *r = v->bound->request;

    cl = (r->request_body == NULL) ? NULL : r->request_body->bufs;

    for ( /* void */ ; cl != NULL; cl = next) {

        next = cl->next;
        rc = ngx_podi_receive_buf(v, cl->buf, fail);

        if (r->reading_body) {
            cl->buf->pos = cl->buf->last;
            r->request_body->bufs = next;
            ngx_free_chain(r->pool, cl);
        }

        if (rc != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_receive_buf(ngx_podi_receiver_t *v, const ngx_buf_t *buf,
    podi_fail_t *fail)
{
    off_t    at;
    size_t   size;
    u_char   bytes[NGX_PODI_RECEIVE_CHUNK];

    if (ngx_buf_in_memory(buf)) {
        size = (size_t) (buf->last - buf->pos);

        return (size == 0) ? PODI_OK
                           : v->piece(v->data, buf->pos, size, fail);
    }

    if (!buf->in_file) {
        return PODI_OK;
    }

    for (at = buf->file_pos; at < buf->file_last; at += (off_t) size) {

        size = (size_t) ngx_min(buf->file_last - at, (off_t) sizeof(bytes));

        if (ngx_read_file(buf->file, bytes, size, at) != (ssize_t) size) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL,
                             "the buffered body cannot be read");
        }

        if (v->piece(v->data, bytes, size, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_receive_refused(ngx_int_t rc, podi_fail_t *fail)
{
    podi_error_e  error;

    if (rc == NGX_HTTP_REQUEST_TIME_OUT) {
        error = PODI_E_DEADLINE;

    } else {
        error = (rc < NGX_HTTP_INTERNAL_SERVER_ERROR) ? PODI_E_BAD_REQUEST
                                                      : PODI_E_INTERNAL;
    }

    return podi_fail(fail, error, NULL, "the body cannot be read (%d)",
                     (int) rc);
}
