/*
 * One stream: an engine that a request is kept open for.
 *
 *     open -> BEHIND -> PULLING -> LIVE -> ... -> CLOSING -> end of request
 *
 * The states are drawn in ngx_http_podi_event.h.  Everything that ends the
 * stream, and everything that begins because something else ended, runs from
 * the hub's posted event: a library's callback never meets the end of a
 * request.
 */

#include "ngx_http_podi_event.h"
#include "podi_assert.h"


#define EVENT_STREAM_MAGIC  0x65767374

static void stream_set_state(ngx_http_podi_event_stream_t *s,
    ngx_http_podi_event_state_e state);
static void stream_free(void *data);
static void stream_leave(ngx_http_podi_event_stream_t *s);
static void stream_end(ngx_http_podi_event_stream_t *s);
static void stream_behind(ngx_http_podi_event_stream_t *s);
static void stream_pull(ngx_http_podi_event_stream_t *s);
static void stream_pull_free(ngx_http_podi_event_stream_t *s);
static podi_rc_t stream_pull_read(podi_flow_t *f, void *ctx);
static podi_rc_t stream_pull_deliver(podi_flow_t *f, void *ctx);
static void stream_pull_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void stream_pulled(ngx_http_podi_event_stream_t *s);
static podi_rc_t stream_add_row(ngx_http_podi_event_stream_t *s,
    podi_flow_t *f, const podi_pg_result_t *res, int row);
static podi_rc_t stream_add_rest(ngx_http_podi_event_stream_t *s,
    podi_flow_t *f);
static void stream_gap(ngx_http_podi_event_stream_t *s, podi_buf_t *b,
    int64_t to);
static podi_rc_t stream_add(ngx_http_podi_event_stream_t *s, podi_buf_t *b,
    int64_t seq);


static const podi_step_t  stream_pull_steps[] = {
    { "reading the missing events", stream_pull_read,    0 },
    { "delivering them",            stream_pull_deliver, 0 },
    podi_null_step
};


ngx_http_podi_event_stream_t *
event_stream_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_podi_event_stream_t  *s;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_podi_event_stream_t));
    if (cln == NULL) {
        return NULL;
    }

    s = cln->data;
    ngx_memzero(s, sizeof(ngx_http_podi_event_stream_t));

    cln->handler = stream_free;
    s->request = r;

    ngx_http_set_ctx(r, s, ngx_http_podi_event_module);

    return s;
}


/* with the pool: until then nginx may still send what is busy */

static void
stream_free(void *data)
{
    ngx_http_podi_event_stream_t  *s = data;

    event_out_free(&s->out);
}


podi_rc_t
event_stream_open(ngx_http_podi_event_stream_t *s,
    const ngx_podi_identity_t *who, podi_fail_t *fail)
{
    s->magic = EVENT_STREAM_MAGIC;
    s->state = EVENT_BEHIND;

    podi_list_init(&s->of_user);
    podi_list_init(&s->turn);
    podi_list_init(&s->waiting);
    podi_list_init(&s->ready);

    s->issued = who->issued;

    if (ngx_podi_marks_make(who, &s->marks) != PODI_OK) {
        s->magic = 0;
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (event_hub_join(s, who, fail) != PODI_OK) {
        s->magic = 0;
        return PODI_ERROR;
    }

    return PODI_OK;
}


static void
stream_set_state(ngx_http_podi_event_stream_t *s,
    ngx_http_podi_event_state_e state)
{
    podi_assert(s->magic == EVENT_STREAM_MAGIC);
    podi_assert(s->state != EVENT_CLOSING || state == EVENT_CLOSING);

    s->state = state;
}


/* what nginx still holds is freed with the pool */

void
event_stream_gone(ngx_podi_keep_t *keep)
{
    stream_leave(podi_list_owner(keep, ngx_http_podi_event_stream_t, keep));
}


static void
stream_leave(ngx_http_podi_event_stream_t *s)
{
    podi_assert(s->magic == EVENT_STREAM_MAGIC);

    if (s->pull != NULL) {
        podi_flow_cancel(s->pull);
        stream_pull_free(s);
    }

    podi_list_remove(&s->ready);
    podi_list_remove(&s->waiting);
    event_hub_leave(s);
    event_hub_wake();

    s->request->write_event_handler = ngx_http_request_empty_handler;
    s->magic = 0;
}


void
event_stream_offer(ngx_http_podi_event_stream_t *s, int64_t seq,
    const podi_str_t *frame)
{
    if (s->state == EVENT_PULLING) {
        s->again = 1;
        return;
    }

    if (s->state != EVENT_LIVE || seq <= s->position) {
        return;
    }

    if (seq != s->position + 1
        || event_out_add(s, frame->data, frame->len) != PODI_OK)
    {
        stream_behind(s);
        return;
    }

    s->position = seq;
    event_out_flush(s);
}


/* only the newest matters, so one that would have to wait is left out */

void
event_stream_offer_tick(ngx_http_podi_event_stream_t *s,
    const podi_str_t *frame)
{
    if (s->state != EVENT_LIVE || !event_out_is_idle(s)) {
        return;
    }

    if (event_out_add(s, frame->data, frame->len) == PODI_OK) {
        event_out_flush(s);
    }
}


static void
stream_behind(ngx_http_podi_event_stream_t *s)
{
    stream_set_state(s, EVENT_BEHIND);
    event_stream_go_on(s);
}


/* a pull on its way may be older than `top`, so it is not told */

void
event_stream_check(ngx_http_podi_event_stream_t *s, int64_t top)
{
    if (s->position >= top) {
        return;
    }

    if (s->state == EVENT_PULLING) {
        s->again = 1;
        return;
    }

    s->top = top;

    if (s->state == EVENT_LIVE) {
        stream_behind(s);
    }
}


void
event_stream_close(ngx_http_podi_event_stream_t *s, const char *event,
    const char *data)
{
    if (s->state == EVENT_CLOSING) {
        return;
    }

    event_out_printf(s, "retry: %lu\nevent: %s\ndata: %s\n\n",
                     (unsigned long) (250 + ngx_random() % 3000), event, data);

    stream_set_state(s, EVENT_CLOSING);
    event_out_flush(s);
    event_stream_go_on(s);
}


void
event_stream_break(ngx_http_podi_event_stream_t *s)
{
    s->broken = 1;

    if (s->magic != EVENT_STREAM_MAGIC) {
        return;                         /* refused: nobody waits for it */
    }

    stream_set_state(s, EVENT_CLOSING);
    event_stream_go_on(s);
}


void
event_stream_go_on(ngx_http_podi_event_stream_t *s)
{
    if (s->magic == EVENT_STREAM_MAGIC) {
        event_hub_ready(s);
    }
}


void
event_stream_run(ngx_http_podi_event_stream_t *s)
{
    if (s->pulled) {
        stream_pulled(s);
    }

    if (s->state == EVENT_CLOSING
        && (s->broken || event_out_is_idle(s)))
    {
        stream_end(s);
        return;
    }

    if (s->state != EVENT_BEHIND || !event_out_is_idle(s)) {
        podi_list_remove(&s->waiting);
        event_hub_wake();
        return;
    }

    if (event_hub_may_pull(s)) {
        stream_pull(s);
    }
}


static void
stream_end(ngx_http_podi_event_stream_t *s)
{
    ngx_int_t  rc;

    stream_leave(s);

    rc = s->broken ? NGX_ERROR
                   : ngx_http_send_special(s->request, NGX_HTTP_LAST);

    ngx_podi_keep_end(&s->keep, rc);        /* s is gone */
}


static void
stream_pull(ngx_http_podi_event_stream_t *s)
{
    s->arena = podi_arena_create();

    if (s->arena != NULL) {
        s->pull = podi_mem_alloc(podi_arena_mem(s->arena),
                                 sizeof(podi_flow_t));
    }

    if (s->pull == NULL) {
        stream_pull_free(s);
        event_stream_break(s);
        return;
    }

    s->again = 0;
    s->full = 0;
    s->failed = 0;

    stream_set_state(s, EVENT_PULLING);

    podi_flow_start(s->pull, stream_pull_steps, s,
                    podi_arena_mem(s->arena), stream_pull_end);
}


/* an idle stream keeps nothing of it */

static void
stream_pull_free(ngx_http_podi_event_stream_t *s)
{
    s->pull = NULL;
    podi_arena_free(&s->arena);

    event_hub_pulled();
}


static podi_rc_t
stream_pull_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t                 call;
    ngx_http_podi_event_stream_t  *s = ctx;

    podi_pg_call_init(&call, PODI_SQL_EVENT_READ, f->mem);
    podi_arg_int64(&call, s->position);
    podi_arg_int64(&call, EVENT_PAGE);

    return ngx_podi_pg_call_as(f, s->request, &call, "gateway");
}


static podi_rc_t
stream_pull_deliver(podi_flow_t *f, void *ctx)
{
    int                            row, n;
    ngx_http_podi_event_stream_t  *s = ctx;

    if (s->state != EVENT_PULLING) {
        return PODI_DONE;
    }

    n = podi_rows(f->result);
    s->full = (n == EVENT_PAGE);

    for (row = 0; row < n; row++) {

        if (stream_add_row(s, f, f->result, row) != PODI_OK) {
            s->full = 1;
            break;
        }
    }

    if (n == 0 && s->position < s->top && stream_add_rest(s, f) != PODI_OK) {
        s->full = 1;
    }

    event_out_flush(s);

    return PODI_DONE;
}


/* numbers are dense: one that is missing here was deleted by retention */

static podi_rc_t
stream_add_row(ngx_http_podi_event_stream_t *s, podi_flow_t *f,
    const podi_pg_result_t *res, int row)
{
    int64_t     seq;
    podi_buf_t  b;

    seq = podi_row_int64(res, row, "seq");

    podi_buf_init(&b, f->mem);

    if (seq != s->position + 1) {
        stream_gap(s, &b, seq - 1);
    }

    event_frame_row(&b, res, row);

    return stream_add(s, &b, seq);
}


/* of what was committed before the pull, nothing is left */

static podi_rc_t
stream_add_rest(ngx_http_podi_event_stream_t *s, podi_flow_t *f)
{
    podi_buf_t  b;

    podi_buf_init(&b, f->mem);
    stream_gap(s, &b, s->top);

    return stream_add(s, &b, s->top);
}


static void
stream_gap(ngx_http_podi_event_stream_t *s, podi_buf_t *b, int64_t to)
{
    podi_buf_printf(b, "event: system.gap\ndata: {\"from\":%lld,"
                    "\"to\":%lld,\"reason\":\"retention\"}\n\n",
                    (long long) s->position + 1, (long long) to);
}


static podi_rc_t
stream_add(ngx_http_podi_event_stream_t *s, podi_buf_t *b, int64_t seq)
{
    podi_str_t  frame;

    if (podi_buf_take(b, &frame) != PODI_OK
        || event_out_add(s, frame.data, frame.len) != PODI_OK)
    {
        return PODI_DECLINED;
    }

    s->position = seq;

    return PODI_OK;
}


static void
stream_pull_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ngx_http_podi_event_stream_t  *s = ctx;

    s->failed = (rc == PODI_ERROR);
    s->pulled = 1;

    event_stream_go_on(s);
}


/*
 * After a failure it takes part again as if it had everything: the next
 * event, or the position check, shows that it has not.
 */

static void
stream_pulled(ngx_http_podi_event_stream_t *s)
{
    s->pulled = 0;

    stream_pull_free(s);

    if (s->state != EVENT_PULLING) {
        return;
    }

    if (s->failed) {
        stream_set_state(s, EVENT_LIVE);
        return;
    }

    stream_set_state(s, (s->full || s->again) ? EVENT_BEHIND : EVENT_LIVE);
}
