/*
 * ngx_podi_receive: a request's body in pieces, on nginx's unbuffered reader.
 *
 *     start -> drain -> (all there) -> OK
 *                    -> wait for more -> drain -> ... -> op done
 *
 * nginx's reader counts the request up by itself; while it waits, that count
 * is the flow's hold, as in ngx_podi_body.
 */

#include "ngx_podi_core.h"
#include "ngx_podi_receive.h"


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
static podi_rc_t ngx_podi_receive_refused(ngx_int_t rc, podi_fail_t *fail);


podi_rc_t
ngx_podi_receive_body(podi_flow_t *f, ngx_http_request_t *r,
    ngx_podi_receive_pt piece, void *data)
{
    podi_rc_t             rc;
    ngx_int_t             status;
    ngx_podi_bound_t     *b = ngx_podi_bound(f);
    ngx_podi_receiver_t  *v;

    v = ngx_palloc(r->pool, sizeof(ngx_podi_receiver_t));
    if (v == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    v->bound = b;
    v->piece = piece;
    v->data = data;

    b->receiver = v;
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

    b = ngx_podi_request_find(r)->bound;
    v = b->receiver;

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


/* hands the buffers over and gives them back to the reader */

static podi_rc_t
ngx_podi_receive_pieces(ngx_podi_receiver_t *v, podi_fail_t *fail)
{
    podi_rc_t            rc;
    ngx_buf_t           *buf;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r = v->bound->request;

    if (r->request_body == NULL) {
        return PODI_OK;
    }

    while (r->request_body->bufs != NULL) {

        cl = r->request_body->bufs;
        buf = cl->buf;
        rc = PODI_OK;

        if (ngx_buf_in_memory(buf) && buf->last > buf->pos) {
            rc = v->piece(v->data, buf->pos, (size_t) (buf->last - buf->pos),
                          fail);
        }

        buf->pos = buf->last;

        r->request_body->bufs = cl->next;
        ngx_free_chain(r->pool, cl);

        if (rc != PODI_OK) {
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
