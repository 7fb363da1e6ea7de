/*
 * ngx_podi_flow: a flow of steps as a phase handler of nginx.
 *
 *     start -> (all steps ran)       -> the handler's return value
 *           -> AGAIN -> parked -> op done -> ... -> end
 *                                 -> posted event -> finalize | next phase
 *     parked -> client gone -> cleanup  -> cancelled, a tombstone stays
 *            -> deadline    -> cancelled, 503
 *     kept   -> the flow's memory goes, the request stays -> keep_end
 *
 * The request is finalized exactly once and from a clean stack, never inside
 * the call that brought the last answer: that may be a callback of a library.
 */

#include "ngx_podi_core.h"


static ngx_podi_bound_t *ngx_podi_flow_bind(ngx_http_request_t *r,
    podi_arena_t *arena);
static ngx_int_t ngx_podi_flow_bound(ngx_podi_bound_t *b,
    const podi_step_t *steps, void *ctx);
static void ngx_podi_flow_run(ngx_podi_bound_t *b, const podi_step_t *steps,
    void *ctx);
static void ngx_podi_flow_watch(ngx_http_request_t *r);
static void ngx_podi_flow_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void ngx_podi_flow_ended(ngx_event_t *ev);
static void ngx_podi_flow_late(ngx_event_t *ev);
static void ngx_podi_flow_gone(void *data);
static void ngx_podi_flow_free(void *data);
static void ngx_podi_flow_release(ngx_podi_bound_t *b);
static void ngx_podi_flow_kept(ngx_podi_bound_t *b);
static ngx_int_t ngx_podi_flow_conclude(ngx_podi_bound_t *b);
static ngx_int_t ngx_podi_flow_refuse(ngx_podi_bound_t *b);
static void ngx_podi_flow_resume(ngx_podi_bound_t *b);


ngx_int_t
ngx_podi_flow_content(ngx_http_request_t *r, const podi_step_t *steps,
    void *ctx)
{
    ngx_podi_bound_t  *b;

    b = ngx_podi_flow_bind(r, NULL);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_flow_bound(b, steps, ctx);
}


ngx_int_t
ngx_podi_flow_content_in(ngx_http_request_t *r, podi_arena_t *arena,
    const podi_step_t *steps, void *ctx)
{
    ngx_podi_bound_t  *b;

    b = ngx_podi_flow_bind(r, arena);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_flow_bound(b, steps, ctx);
}


static ngx_int_t
ngx_podi_flow_bound(ngx_podi_bound_t *b, const podi_step_t *steps, void *ctx)
{
    ngx_http_request_t  *r = b->request;

    ngx_podi_flow_run(b, steps, ctx);

    if (b->finished && b->keep == NULL) {
        return ngx_podi_flow_conclude(b);
    }

    /* the body reader has counted already */

    if (!b->held) {
        b->held = 1;
        r->main->count++;
    }

    if (b->finished) {
        ngx_podi_flow_kept(b);
    }

    return NGX_DONE;
}


ngx_int_t
ngx_podi_flow_gate(ngx_http_request_t *r, const char *by,
    const podi_step_t *steps, void *ctx)
{
    podi_arena_t      *arena;
    ngx_podi_bound_t  *b;

    arena = podi_arena_create();
    if (arena == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_podi_flow_bind(r, arena);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->gate = by;

    ngx_podi_flow_run(b, steps, ctx);

    if (!b->finished) {
        return NGX_AGAIN;
    }

    if (b->rc == PODI_ERROR) {
        return ngx_podi_flow_refuse(b);
    }

    ngx_podi_flow_release(b);

    return NGX_OK;
}


/*
 * Takes the arena over, whatever happens.  It outlives the cleanup of the
 * request, because a thread may still know of the flow by then.
 */

static ngx_podi_bound_t *
ngx_podi_flow_bind(ngx_http_request_t *r, podi_arena_t *arena)
{
    podi_mem_t          *mem;
    ngx_podi_bound_t    *b;
    ngx_pool_cleanup_t  *owner = NULL;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);

    if (arena != NULL) {
        owner = ngx_pool_cleanup_add(r->pool, 0);
    }

    if (pr == NULL || (arena != NULL && owner == NULL)) {
        podi_arena_free(&arena);
        return NULL;
    }

    if (arena != NULL) {
        owner->handler = ngx_podi_flow_free;
        owner->data = arena;
    }

    mem = (arena != NULL) ? podi_arena_mem(arena) : &pr->mem;

    b = podi_mem_calloc(mem, sizeof(ngx_podi_bound_t));
    if (b == NULL) {
        return NULL;
    }

    b->cleanup = ngx_http_cleanup_add(r, 0);
    if (b->cleanup == NULL) {
        return NULL;
    }

    b->cleanup->handler = ngx_podi_flow_gone;
    b->cleanup->data = b;

    b->request = r;
    b->mem = mem;
    b->owner = owner;
    b->outcome = NGX_HTTP_INTERNAL_SERVER_ERROR;

    b->deadline.handler = ngx_podi_flow_late;
    b->deadline.data = r->connection;
    b->deadline.log = r->connection->log;

    b->ended.handler = ngx_podi_flow_ended;
    b->ended.data = b;
    b->ended.log = r->connection->log;

    return b;
}


static void
ngx_podi_flow_run(ngx_podi_bound_t *b, const podi_step_t *steps, void *ctx)
{
    b->starting = 1;

    podi_flow_start(&b->flow, steps, ctx, b->mem, ngx_podi_flow_end);

    b->starting = 0;

    if (!b->finished) {
        ngx_podi_flow_park(b);
    }
}


/* while the body is read, the read handler and its timer are nginx's */

void
ngx_podi_flow_park(ngx_podi_bound_t *b)
{
    ngx_http_request_t   *r = b->request;
    ngx_podi_loc_conf_t  *plcf;

    if (b->parked || b->reading || b->finished) {
        return;
    }

    b->parked = 1;

    if (!b->unbounded) {
        plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
        ngx_add_timer(&b->deadline, plcf->deadline);
    }

    if (r != r->main) {
        return;
    }

    if (!b->unbounded) {
        r->write_event_handler = ngx_http_request_empty_handler;
    }

    ngx_podi_flow_watch(r);
}


/* from here on the client's end is noticed */

static void
ngx_podi_flow_watch(ngx_http_request_t *r)
{
    ngx_event_t  *rev = r->connection->read;

    r->read_event_handler = ngx_http_test_reading;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else {
        (void) ngx_handle_read_event(rev, 0);
    }
}


void
ngx_podi_flow_unbounded(podi_flow_t *f)
{
    ngx_podi_bound_t  *b = ngx_podi_bound(f);

    b->unbounded = 1;

    if (b->deadline.timer_set) {
        ngx_del_timer(&b->deadline);
    }
}


void
ngx_podi_flow_outcome(podi_flow_t *f, ngx_int_t rc)
{
    ngx_podi_bound(f)->outcome = rc;
}


static void
ngx_podi_flow_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_podi_bound_t  *b = ngx_podi_bound(f);

    b->rc = rc;
    b->finished = 1;

    if (!b->starting) {
        ngx_post_event(&b->ended, &ngx_posted_events);
    }
}


static void
ngx_podi_flow_ended(ngx_event_t *ev)
{
    ngx_podi_flow_resume(ev->data);
}


static void
ngx_podi_flow_late(ngx_event_t *ev)
{
    ngx_podi_bound_t  *b;

    b = (ngx_podi_bound_t *) (void *)
        ((char *) ev - offsetof(ngx_podi_bound_t, deadline));

    if (b->finished) {
        return;
    }

    podi_flow_cancel(&b->flow);

    b->rc = podi_fail(&b->flow.fail, PODI_E_DEADLINE, NULL,
                      "podi_deadline has passed");
    b->finished = 1;

    ngx_podi_flow_resume(b);
}


static void
ngx_podi_flow_resume(ngx_podi_bound_t *b)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r = b->request;

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (b->deadline.timer_set) {
        ngx_del_timer(&b->deadline);
    }

    if (b->keep != NULL) {
        ngx_podi_flow_kept(b);
        return;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }

    if (b->gate == NULL) {
        ngx_http_finalize_request(r, ngx_podi_flow_conclude(b));

    } else if (b->rc != PODI_ERROR || ngx_podi_flow_refuse(b) != NGX_DONE) {
        ngx_podi_flow_release(b);
        r->write_event_handler = ngx_http_core_run_phases;
        ngx_http_core_run_phases(r);
    }

    ngx_http_run_posted_requests(c);        /* r may be gone */
}


static ngx_int_t
ngx_podi_flow_refuse(ngx_podi_bound_t *b)
{
    ngx_podi_flow_log(b->request, &b->flow);

    return ngx_podi_refuse(b->request, b->gate, &b->flow.fail);
}


static ngx_int_t
ngx_podi_flow_conclude(ngx_podi_bound_t *b)
{
    ngx_http_request_t  *r = b->request;

    if (b->rc != PODI_ERROR) {
        return b->outcome;
    }

    ngx_podi_flow_log(r, &b->flow);

    if (r->header_sent) {
        return NGX_ERROR;
    }

    return ngx_podi_reply_fail(r, &b->flow.fail);
}


/* a client's mistake is no error of ours; a peer's state is logged once */

void
ngx_podi_flow_log(ngx_http_request_t *r, const podi_flow_t *f)
{
    char        text[1024];
    ngx_uint_t  level;

    if (f->fail.error == PODI_E_DEADLINE) {
        level = NGX_LOG_WARN;

    } else if (f->fail.error == PODI_E_UNAVAILABLE
               || podi_error(f->fail.error)->http < 500)
    {
        level = NGX_LOG_INFO;

    } else {
        level = NGX_LOG_ERR;
    }

    podi_fail_text(&f->fail, text, sizeof(text));

    ngx_log_error(level, r->connection->log, 0, "podi: %s while %s", text,
                  f->now->name);
}


/* the request ends, whatever the flow waits for; what comes later is dropped */

static void
ngx_podi_flow_gone(void *data)
{
    ngx_podi_bound_t  *b = data;

    b->gone = 1;

    if (b->ended.posted) {
        ngx_delete_posted_event(&b->ended);
    }

    if (b->deadline.timer_set) {
        ngx_del_timer(&b->deadline);
    }

    if (!b->finished) {
        b->finished = 1;
        podi_flow_cancel(&b->flow);
    }

    if (b->keep != NULL) {
        ngx_podi_keep_gone(b->keep);
    }
}


static void
ngx_podi_flow_free(void *data)
{
    podi_arena_t  *arena = data;

    podi_arena_free(&arena);
}


/* the flow is over and was no failure: nothing of it is needed any more */

static void
ngx_podi_flow_release(ngx_podi_bound_t *b)
{
    ngx_pool_cleanup_t  *owner = b->owner;

    if (b->cleanup->data == b) {
        b->cleanup->handler = NULL;
    }

    owner->handler = NULL;
    ngx_podi_flow_free(owner->data);
}


static void
ngx_podi_flow_kept(ngx_podi_bound_t *b)
{
    b->cleanup->handler = ngx_podi_keep_gone;
    b->cleanup->data = b->keep;

    ngx_podi_flow_watch(b->request);
    ngx_podi_flow_release(b);
}
