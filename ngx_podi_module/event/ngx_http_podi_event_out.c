/*
 * The way out: frames wait in one buffer while nginx sends another.
 *
 *     add -> queue -> (idle) -> busy -> output filter -> sent -> freed
 *
 * An idle stream has neither: memory is held only for what is on its way,
 * OpenSSL's side of it (nginx's buffer of ssl_buffer_size) included.  The busy
 * buffer is freed when nginx has sent it, or with the request's pool: HTTP/2
 * may still have frames of it when the client is long gone.
 */

#include "ngx_http_podi_event.h"

#include <stdarg.h>


#define EVENT_LINE_MAX   512
#define EVENT_QUEUE_STEP (EVENT_QUEUE_MAX / 8)


static podi_rc_t event_out_append(ngx_http_podi_event_stream_t *s,
    const u_char *data, size_t len);
static ngx_http_podi_event_chunk_t *event_out_chunk(
    ngx_http_podi_event_stream_t *s, size_t size);
static size_t event_out_waiting(const ngx_http_podi_event_out_t *out);
static size_t event_out_held(const ngx_http_podi_event_out_t *out);
static ngx_int_t event_out_send(ngx_http_podi_event_stream_t *s);
static void event_out_wait(ngx_http_podi_event_stream_t *s);
static void event_out_idle(ngx_http_podi_event_stream_t *s);
static void event_out_writable(ngx_http_request_t *r);
static void event_frame_begin(podi_buf_t *b, const podi_str_t *type,
    int64_t seq);


/* one frame that is larger than all the room there is goes alone */

podi_rc_t
event_out_add(ngx_http_podi_event_stream_t *s, const u_char *data, size_t len)
{
    size_t  held;

    held = event_out_held(&s->out);

    if (held > 0 && held + len > EVENT_QUEUE_MAX) {
        return PODI_DECLINED;
    }

    return event_out_append(s, data, len);
}


static podi_rc_t
event_out_append(ngx_http_podi_event_stream_t *s, const u_char *data,
    size_t len)
{
    size_t                        size, used;
    ngx_http_podi_event_out_t    *out = &s->out;
    ngx_http_podi_event_chunk_t  *chunk, *bigger;

    used = event_out_waiting(out);
    size = (out->queue == NULL) ? 0 : out->queue->size;

    if (used + len > size) {

        size = ngx_max(size + ngx_min(size, EVENT_QUEUE_STEP), 512);

        bigger = event_out_chunk(s, ngx_max(size, used + len));
        if (bigger == NULL) {
            return PODI_DECLINED;
        }

        if (used > 0) {
            ngx_memcpy(bigger->data, out->queue->data, used);
            bigger->len = used;
        }

        ngx_free(out->queue);
        out->queue = bigger;
    }

    chunk = out->queue;
    ngx_memcpy(chunk->data + chunk->len, data, len);
    chunk->len += len;

    return PODI_OK;
}


static ngx_http_podi_event_chunk_t *
event_out_chunk(ngx_http_podi_event_stream_t *s, size_t size)
{
    ngx_http_podi_event_chunk_t  *chunk;

    chunk = ngx_alloc(sizeof(ngx_http_podi_event_chunk_t) + size,
                      s->request->connection->log);
    if (chunk == NULL) {
        return NULL;
    }

    chunk->size = size;
    chunk->len = 0;

    return chunk;
}


static size_t
event_out_waiting(const ngx_http_podi_event_out_t *out)
{
    return (out->queue == NULL) ? 0 : out->queue->len;
}


/*
 * What nginx is sending is held as a whole until its last byte is gone, with
 * the room at its end.
 */

static size_t
event_out_held(const ngx_http_podi_event_out_t *out)
{
    return event_out_waiting(out) + (out->busy == NULL ? 0 : out->busy->size);
}


/*
 * Short lines of our own find room for themselves: of those that do not wait
 * for an idle stream, only the last one comes, before the end.
 */

void
event_out_printf(ngx_http_podi_event_stream_t *s, const char *fmt, ...)
{
    int      n;
    char     text[EVENT_LINE_MAX];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n < 0 || n >= (int) sizeof(text)
        || event_out_append(s, (u_char *) text, (size_t) n) != PODI_OK)
    {
        event_stream_break(s);
    }
}


int
event_out_is_idle(const ngx_http_podi_event_stream_t *s)
{
    return s->out.busy == NULL && event_out_waiting(&s->out) == 0;
}


void
event_out_flush(ngx_http_podi_event_stream_t *s)
{
    ngx_http_podi_event_out_t  *out = &s->out;

    if (s->broken) {
        return;
    }

    for ( ;; ) {

        if (event_out_is_idle(s)) {
            break;
        }

        if (event_out_send(s) != NGX_OK) {
            event_stream_break(s);
            return;
        }

        if (out->buf.pos != out->buf.last) {
            break;
        }

        ngx_free(out->busy);
        out->busy = NULL;
    }

    s->written = ngx_current_msec;
    event_out_wait(s);
}


static ngx_int_t
event_out_send(ngx_http_podi_event_stream_t *s)
{
    ngx_buf_t                  *b;
    ngx_chain_t                 cl;
    ngx_http_podi_event_out_t  *out = &s->out;

    if (out->busy != NULL) {
        return (ngx_http_output_filter(s->request, NULL) == NGX_ERROR)
               ? NGX_ERROR : NGX_OK;
    }

    out->busy = out->queue;
    out->queue = NULL;

    b = &out->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = out->busy->data;
    b->pos = b->start;
    b->last = b->start + out->busy->len;
    b->end = b->start + out->busy->size;
    b->memory = 1;
    b->flush = 1;

    cl.buf = b;
    cl.next = NULL;

    return (ngx_http_output_filter(s->request, &cl) == NGX_ERROR)
           ? NGX_ERROR : NGX_OK;
}


/* when nginx holds something back: go on when the socket takes more */

static void
event_out_wait(ngx_http_podi_event_stream_t *s)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c = s->request->connection;
    ngx_http_core_loc_conf_t  *clcf;

    wev = c->write;

    if (s->out.busy == NULL && !s->request->buffered && !c->buffered) {

        if (wev->timer_set && !wev->delayed) {
            ngx_del_timer(wev);
        }

        s->request->write_event_handler = ngx_http_request_empty_handler;
        event_out_idle(s);

        return;
    }

    clcf = ngx_http_get_module_loc_conf(s->request, ngx_http_core_module);

    s->request->write_event_handler = event_out_writable;

    if (!wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        event_stream_break(s);
    }
}


/* as nginx does with a connection that is kept alive */

static void
event_out_idle(ngx_http_podi_event_stream_t *s)
{
#if (NGX_HTTP_SSL)
    ngx_connection_t  *c = s->request->connection;

#if (NGX_HTTP_V2)
    if (s->request->stream != NULL) {
        c = s->request->stream->connection->connection;
    }
#endif

    if (c->ssl != NULL && !c->buffered) {
        ngx_ssl_free_buffer(c);
    }
#endif
}


static void
event_out_writable(ngx_http_request_t *r)
{
    ngx_http_podi_event_stream_t  *s;

    s = ngx_http_get_module_ctx(r, ngx_http_podi_event_module);

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        event_stream_break(s);
        return;
    }

    if (r->connection->write->delayed) {
        return;                         /* limit_rate: its timer comes */
    }

    if (r->connection->write->timer_set) {
        ngx_del_timer(r->connection->write);
    }

    if (s->out.busy == NULL
        && ngx_http_output_filter(r, NULL) == NGX_ERROR)
    {
        event_stream_break(s);
        return;
    }

    event_out_flush(s);
    event_stream_go_on(s);
}


void
event_out_free(ngx_http_podi_event_out_t *out)
{
    ngx_free(out->queue);
    ngx_free(out->busy);

    out->queue = NULL;
    out->busy = NULL;
}


/*
 * id, event and one line of data: compact JSON has no line breaks (HTML,
 * "Server-sent events").
 */

static void
event_frame_begin(podi_buf_t *b, const podi_str_t *type, int64_t seq)
{
    if (seq > 0) {
        podi_buf_printf(b, "id: %lld\n", (long long) seq);
    }

    podi_buf_add_c(b, "event: ");
    podi_buf_add_str(b, type);
    podi_buf_add_c(b, "\ndata: ");
}


void
event_frame_row(podi_buf_t *b, const podi_pg_result_t *res, int row)
{
    podi_str_t  type;

    type = podi_row_str(res, row, "type");

    event_frame_begin(b, &type, podi_row_int64(res, row, "seq"));
    podi_buf_add_byte(b, '{');
    podi_row_json(b, res, row);
    podi_buf_add_c(b, "}\n\n");
}


/* the same members in the same order as a row has them */

void
event_frame_json(podi_buf_t *b, const json_t *event)
{
    int           first = 1;
    json_t       *value;
    podi_str_t    type;
    ngx_uint_t    i;

    static const char *const  members[] = {
        "seq", "type", "at", "task_id", "job_id", "trace_id", "progress",
        "node", "step", "steps", "ahead", "preview", "data", NULL
    };

    type = podi_json_str(json_object_get(event, "type"));

    event_frame_begin(b, &type,
                      json_integer_value(json_object_get(event, "seq")));
    podi_buf_add_byte(b, '{');

    for (i = 0; members[i] != NULL; i++) {

        value = json_object_get(event, members[i]);
        if (value == NULL) {
            continue;
        }

        podi_buf_printf(b, "%s\"%s\":", first ? "" : ",", members[i]);
        podi_json_add(b, value);
        first = 0;
    }

    podi_buf_add_c(b, "}\n\n");
}
