/*
 * ngx_podi_pump: sends a page, and has the next one made when it is sent.
 *
 *     open -> SENDING <-> PULLING
 *                |           |-- a peer failed ----> cut
 *                |           `-- the caller's session or token is over -> cut
 *                |-- last page sent -> end
 *                `-- send_timeout, output failed --> cut
 *     gone: the client went away, in any state
 *
 * What ends the request, and what follows from an answer of PostgreSQL, runs
 * from the pump's posted event: a library's callback never meets the end of a
 * request.  A page's bytes are freed when nginx has sent them, or with the
 * request's pool: HTTP/2 may still have frames of them when the client is gone.
 * The buffer outlives them, because the chunked filter keeps links to it.
 */

#include "ngx_podi_core.h"
#include "ngx_podi_pump.h"
#include "ngx_podi_revoke.h"


typedef enum {
    NGX_PODI_PUMP_SENDING,
    NGX_PODI_PUMP_PULLING,
    NGX_PODI_PUMP_OVER
} ngx_podi_pump_state_e;

struct ngx_podi_pump_s {
    ngx_podi_keep_t          keep;
    ngx_podi_pump_state_e    state;
    ngx_http_request_t      *request;
    const podi_step_t       *steps;
    void                    *ctx;
    podi_arena_t            *arena;      /* of the page that is being made */
    podi_flow_t             *flow;
    u_char                  *chunk;      /* bytes that are being sent */
    ngx_buf_t                buf;        /* ... and how far nginx is */
    ngx_event_t              turn;       /* posted, for a clean stack */
    unsigned                 fresh:1;    /* nginx has not had the chunk yet */
    unsigned                 last:1;     /* no page comes after the chunk */
    unsigned                 pulled:1;   /* the page's flow is over */
    unsigned                 failed:1;   /* ... and gave no page */
    unsigned                 late:1;     /* the client took nothing */
};


static podi_rc_t ngx_podi_pump_header(ngx_podi_pump_t *pump, podi_flow_t *f,
    const char *type);
static void ngx_podi_pump_gone(ngx_podi_keep_t *keep);
static void ngx_podi_pump_free(void *data);
static void ngx_podi_pump_turn(ngx_event_t *ev);
static void ngx_podi_pump_pulled(ngx_podi_pump_t *pump);
static void ngx_podi_pump_pull(ngx_podi_pump_t *pump);
static ngx_uint_t ngx_podi_pump_may_go_on(const ngx_podi_pump_t *pump);
static void ngx_podi_pump_pull_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void ngx_podi_pump_send(ngx_podi_pump_t *pump);
static ngx_int_t ngx_podi_pump_output(ngx_podi_pump_t *pump);
static ngx_uint_t ngx_podi_pump_is_sent(const ngx_podi_pump_t *pump);
static ngx_int_t ngx_podi_pump_wait(ngx_podi_pump_t *pump);
static void ngx_podi_pump_writable(ngx_http_request_t *r);
static void ngx_podi_pump_over(ngx_podi_pump_t *pump, ngx_int_t rc);
static void ngx_podi_pump_reset(ngx_http_request_t *r);


ngx_podi_pump_t *
ngx_podi_pump_create(ngx_http_request_t *r, const podi_step_t *steps,
    void *ctx)
{
    ngx_podi_pump_t     *pump;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_podi_pump_t));
    if (cln == NULL) {
        return NULL;
    }

    pump = cln->data;
    ngx_memzero(pump, sizeof(ngx_podi_pump_t));

    cln->handler = ngx_podi_pump_free;

    pump->request = r;
    pump->steps = steps;
    pump->ctx = ctx;

    pump->turn.handler = ngx_podi_pump_turn;
    pump->turn.data = pump;
    pump->turn.log = r->connection->log;

    return pump;
}


/* with the pool: until then nginx may still send the chunk */

static void
ngx_podi_pump_free(void *data)
{
    ngx_podi_pump_t  *pump = data;

    ngx_free(pump->chunk);
}


podi_rc_t
ngx_podi_pump_open(ngx_podi_pump_t *pump, podi_flow_t *f, const char *type,
    podi_buf_t *page, ngx_uint_t last)
{
    podi_rc_t  rc;

    if (ngx_podi_pump_page(pump, f, page, last) != PODI_DONE) {
        return PODI_ERROR;
    }

    rc = ngx_podi_pump_header(pump, f, type);

    if (rc != PODI_OK) {
        return rc;
    }

    ngx_podi_request_find(pump->request)->pump = pump;

    ngx_podi_flow_keep(f, &pump->keep, ngx_podi_pump_gone);
    ngx_post_event(&pump->turn, &ngx_posted_events);

    return PODI_DONE;
}


static podi_rc_t
ngx_podi_pump_header(ngx_podi_pump_t *pump, podi_flow_t *f, const char *type)
{
    ngx_int_t            rc;
    podi_str_t           no_store = podi_string("no-store");
    ngx_http_request_t  *r = pump->request;

    if (ngx_podi_header_add(r, "Cache-Control", &no_store) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        ngx_podi_flow_outcome(f, rc);
        return PODI_DONE;
    }

    r->disable_not_modified = 1;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = strcspn(type, ";");

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_podi_flow_outcome(f, rc);
        return PODI_DONE;
    }

    return PODI_OK;
}


podi_rc_t
ngx_podi_pump_page(ngx_podi_pump_t *pump, podi_flow_t *f, podi_buf_t *page,
    ngx_uint_t last)
{
    ngx_buf_t   *b;
    podi_str_t   bytes;

    podi_assert(pump->chunk == NULL);

    if (podi_buf_take(page, &bytes) == PODI_OK) {
        pump->chunk = ngx_alloc(bytes.len + 1, pump->request->connection->log);
    }

    if (pump->chunk == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    b = &pump->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = pump->chunk;
    b->pos = pump->chunk;
    b->last = ngx_cpymem(pump->chunk, bytes.data, bytes.len);
    b->end = b->last;
    b->memory = (bytes.len != 0);
    b->flush = 1;

    pump->fresh = 1;
    pump->last = last;

    return PODI_DONE;
}


static void
ngx_podi_pump_gone(ngx_podi_keep_t *keep)
{
    ngx_podi_pump_t  *pump = (ngx_podi_pump_t *) (void *) keep;

    pump->state = NGX_PODI_PUMP_OVER;

    if (pump->turn.posted) {
        ngx_delete_posted_event(&pump->turn);
    }

    if (pump->flow != NULL && !pump->pulled) {
        podi_flow_cancel(pump->flow);
    }

    podi_arena_free(&pump->arena);
}


static void
ngx_podi_pump_turn(ngx_event_t *ev)
{
    ngx_podi_pump_t   *pump = ev->data;
    ngx_connection_t  *c = pump->request->connection;

    ngx_http_set_log_request(c->log, pump->request);

    if (pump->state == NGX_PODI_PUMP_PULLING) {
        ngx_podi_pump_pulled(pump);

    } else {
        ngx_podi_pump_send(pump);
    }
}


static void
ngx_podi_pump_pulled(ngx_podi_pump_t *pump)
{
    podi_assert(pump->pulled);

    if (pump->failed) {
        ngx_podi_flow_log(pump->request, pump->flow);
    }

    pump->flow = NULL;
    podi_arena_free(&pump->arena);

    if (pump->failed) {
        ngx_podi_pump_over(pump, NGX_ERROR);
        return;
    }

    pump->state = NGX_PODI_PUMP_SENDING;
    ngx_podi_pump_send(pump);
}


static void
ngx_podi_pump_pull(ngx_podi_pump_t *pump)
{
    pump->pulled = 0;
    pump->failed = 0;

    if (!ngx_podi_pump_may_go_on(pump)) {
        ngx_podi_pump_over(pump, NGX_ERROR);
        return;
    }

    pump->arena = podi_arena_create();

    if (pump->arena != NULL) {
        pump->flow = podi_mem_calloc(podi_arena_mem(pump->arena),
                                     sizeof(podi_flow_t));
    }

    if (pump->flow == NULL) {
        podi_arena_free(&pump->arena);
        ngx_podi_pump_over(pump, NGX_ERROR);
        return;
    }

    pump->state = NGX_PODI_PUMP_PULLING;

    podi_flow_start(pump->flow, pump->steps, pump->ctx,
                    podi_arena_mem(pump->arena), ngx_podi_pump_pull_end);
}


/* who logged out, or let the token expire, gets no further page */

static ngx_uint_t
ngx_podi_pump_may_go_on(const ngx_podi_pump_t *pump)
{
    const char                 *why;
    ngx_http_request_t         *r = pump->request;
    const ngx_podi_identity_t  *who;

    who = &ngx_podi_request_find(r)->pub.identity;

    if (!who->known) {
        return 1;
    }

    if (who->expires <= ngx_time()) {
        why = "the token has expired";

    } else if (ngx_podi_identity_state(who) == NGX_PODI_REVOKED) {
        why = "the token is revoked";

    } else {
        return 1;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "podi: %s while sending, the answer is cut", why);
    return 0;
}


/* inside an answer of the engine, or before the steps have begun to wait */

static void
ngx_podi_pump_pull_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_podi_pump_t  *pump;

    pump = ngx_podi_request_find(*(ngx_http_request_t **) ctx)->pump;

    pump->failed = (rc == PODI_ERROR);
    pump->pulled = 1;

    ngx_post_event(&pump->turn, &ngx_posted_events);
}


static void
ngx_podi_pump_send(ngx_podi_pump_t *pump)
{
    ngx_event_t         *wev;
    ngx_http_request_t  *r = pump->request;

    wev = r->connection->write;

    if (pump->late || ngx_podi_pump_output(pump) == NGX_ERROR) {
        ngx_podi_pump_over(pump, NGX_ERROR);
        return;
    }

    if (!ngx_podi_pump_is_sent(pump)) {

        if (ngx_podi_pump_wait(pump) != NGX_OK) {
            ngx_podi_pump_over(pump, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_free(pump->chunk);
    pump->chunk = NULL;

    if (pump->last) {
        ngx_podi_pump_over(pump, ngx_http_send_special(r, NGX_HTTP_LAST));
        return;
    }

    ngx_podi_pump_pull(pump);
}


static ngx_int_t
ngx_podi_pump_output(ngx_podi_pump_t *pump)
{
    ngx_chain_t  cl;

    if (!pump->fresh) {
        return ngx_http_output_filter(pump->request, NULL);
    }

    pump->fresh = 0;

    cl.buf = &pump->buf;
    cl.next = NULL;

    return ngx_http_output_filter(pump->request, &cl);
}


static ngx_uint_t
ngx_podi_pump_is_sent(const ngx_podi_pump_t *pump)
{
    return pump->buf.pos == pump->buf.last
           && !pump->request->buffered
           && !pump->request->connection->buffered;
}


/* limit_rate has a timer of its own */

static ngx_int_t
ngx_podi_pump_wait(ngx_podi_pump_t *pump)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r = pump->request;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wev = r->connection->write;

    r->write_event_handler = ngx_podi_pump_writable;

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_podi_pump_writable(ngx_http_request_t *r)
{
    ngx_event_t      *wev = r->connection->write;
    ngx_podi_pump_t  *pump;

    pump = ngx_podi_request_find(r)->pump;

    if (wev->timedout) {
        r->connection->timedout = 1;
        pump->late = 1;

    } else if (wev->delayed) {
        return;
    }

    ngx_post_event(&pump->turn, &ngx_posted_events);
}


/* the request may be gone when this returns */

static void
ngx_podi_pump_over(ngx_podi_pump_t *pump, ngx_int_t rc)
{
    ngx_http_request_t  *r = pump->request;

    pump->state = NGX_PODI_PUMP_OVER;

    r->write_event_handler = ngx_http_request_empty_handler;

    if (rc == NGX_ERROR && !r->chunked && r->stream == NULL) {
        ngx_podi_pump_reset(r);
    }

    ngx_podi_keep_end(&pump->keep, rc);
}


/* where the end of the connection is the end of the answer (HTTP/1.0) */

static void
ngx_podi_pump_reset(ngx_http_request_t *r)
{
    struct linger      l;
    ngx_connection_t  *c = r->connection;

    l.l_onoff = 1;
    l.l_linger = 0;

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(struct linger))
        == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                      "setsockopt(SO_LINGER) failed");
    }

    c->timedout = 1;                    /* OpenSSL does not say good-bye */
}
