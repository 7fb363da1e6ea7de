/*
 * GET /v1/events: the stream of the caller's events (SSE).
 *
 *     take the ticket (PG) -> identify -> read the head (PG)
 *         -> header, hello -> the stream has the request
 *
 * A page that can set headers brings its token; an EventSource brings the
 * cookie, or a ticket.  Last-Event-ID resumes after that number; without one
 * the stream begins now.  An EventSource gives up for good at any status but
 * 200, so what it should survive is said in the stream.
 *
 * All that only the opening needs lives in an arena and goes with the flow.
 */

#include "ngx_http_podi_event.h"
#include "ngx_podi_channel.h"
#include "podi_base64.h"
#include "podi_hash.h"


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_podi_event_stream_t  *stream;
    podi_str_t                     ticket;
    podi_str_t                     last;        /* Last-Event-ID, or NULL */
    time_t                         expires;
    podi_str_t                     session;
} event_open_t;


static podi_rc_t open_take_ticket(podi_flow_t *f, void *ctx);
static podi_rc_t open_last_id(podi_flow_t *f, event_open_t *o);
static podi_rc_t open_identify(podi_flow_t *f, void *ctx);
static podi_rc_t open_read_head(podi_flow_t *f, void *ctx);
static podi_rc_t open_stream(podi_flow_t *f, void *ctx);
static podi_rc_t open_identity(podi_flow_t *f, event_open_t *o,
    ngx_podi_identity_t *who);
static podi_rc_t open_header(podi_flow_t *f, event_open_t *o);
static podi_rc_t open_refuse(podi_flow_t *f, event_open_t *o);
static void open_position(event_open_t *o, const podi_pg_result_t *res);
static void open_hello(event_open_t *o, const podi_pg_result_t *res);


static const podi_step_t  event_open_steps[] = {
    { "taking the ticket",      open_take_ticket, 0 },
    { "identifying the caller", open_identify,    0 },
    { "reading the head",       open_read_head,   0 },
    { "opening the stream",     open_stream,      0 },
    podi_null_step
};

static const char *const  event_open_params[] = {
    "ticket", "last_event_id", NULL
};


ngx_int_t
ngx_http_podi_event_open(ngx_http_request_t *r, const podi_str_t *args)
{
    event_open_t  *o;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    o = podi_mem_calloc(podi_arena_mem(arena), sizeof(event_open_t));
    if (o == NULL) {
        podi_arena_free(&arena);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    o->request = r;

    return ngx_podi_flow_content_in(r, arena, event_open_steps, o);
}


static podi_rc_t
open_take_ticket(podi_flow_t *f, void *ctx)
{
    u_char           digest[PODI_SHA256_LEN];
    podi_str_t       hash;
    event_open_t    *o = ctx;
    podi_pg_call_t   call;
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(o->request);
    if (pc == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (ngx_podi_flow_may_keep(o->request, &f->fail) != PODI_OK
        || open_last_id(f, o) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (pc->identity.ours) {
        return PODI_OK;
    }

    if (o->ticket.len != EVENT_TICKET
        || podi_sha256(&o->ticket, digest) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_UNAUTHENTICATED, NULL,
                         "neither token nor ticket");
    }

    hash.data = digest;
    hash.len = sizeof(digest);

    podi_pg_call_init(&call, PODI_SQL_EVENT_TICKET_TAKE, f->mem);
    podi_arg_bytea(&call, &hash);

    return ngx_podi_pg_call_as(f, o->request, &call, "gateway");
}


/* the header comes from a reconnecting browser and wins over the query */

static podi_rc_t
open_last_id(podi_flow_t *f, event_open_t *o)
{
    podi_str_t           header;
    ngx_http_request_t  *r = o->request;

    if (ngx_podi_query_only(r, event_open_params, &f->fail) != PODI_OK
        || ngx_podi_query(r, "ticket", &o->ticket, &f->fail) != PODI_OK
        || ngx_podi_query(r, "last_event_id", &o->last, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    header = ngx_podi_header(r, "last-event-id");

    if (header.data != NULL) {
        o->last = header;
    }

    return PODI_OK;
}


static podi_rc_t
open_identify(podi_flow_t *f, void *ctx)
{
    event_open_t         *o = ctx;
    ngx_podi_identity_t  *who;

    who = &ngx_podi_ctx(o->request)->identity;

    if (!who->ours && open_identity(f, o, who) != PODI_OK) {
        return PODI_ERROR;
    }

    o->expires = who->expires;
    o->session = who->session;

    return PODI_OK;
}


/*
 * The log, and the stream's pulls, ask for it when the flow is long over.  It
 * is good for as much as the token that the ticket was given for.
 */

static podi_rc_t
open_identity(podi_flow_t *f, event_open_t *o, ngx_podi_identity_t *who)
{
    ngx_uint_t   i;
    podi_mem_t  *mem = ngx_podi_mem(o->request);
    podi_str_t   value;

    struct {
        const char  *column;
        podi_str_t  *field;
    } fields[] = {
        { "user_id",    &who->user },
        { "role",       &who->role },
        { "session_id", &who->session },
        { "token",      &who->token },
        { "channel",    &who->channel }
    };

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_UNAUTHENTICATED, NULL,
                         "the ticket is unknown, used or too old");
    }

    ngx_memzero(who, sizeof(ngx_podi_identity_t));

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        value = podi_row_str(f->result, 0, fields[i].column);

        if (podi_mem_dup(mem, &value, fields[i].field) != PODI_OK) {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    who->issuer = podi_str_c("podi");
    who->tenant = ngx_podi_tenant(o->request);
    who->expires = (time_t) (podi_row_time(f->result, 0, "session_expires_at")
                             / 1000000);
    who->issued = (time_t) (podi_row_time(f->result, 0, "issued_at")
                            / 1000000);
    who->known = 1;
    who->ours = 1;

    return ngx_podi_channel_bind(o->request, who, &f->fail);
}


static podi_rc_t
open_read_head(podi_flow_t *f, void *ctx)
{
    event_open_t    *o = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_EVENT_HEAD, f->mem);

    return ngx_podi_pg_call_as(f, o->request, &call, "gateway");
}


static podi_rc_t
open_stream(podi_flow_t *f, void *ctx)
{
    podi_rc_t                      rc;
    event_open_t                  *o = ctx;
    ngx_podi_ctx_t                *pc;
    podi_pg_result_t              *head = f->result;
    ngx_http_podi_event_stream_t  *s;

    pc = ngx_podi_ctx(o->request);
    s = event_stream_create(o->request);

    if (s == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    o->stream = s;

    s->expires = o->expires;
    s->session = o->session;

    rc = open_header(f, o);

    if (rc != PODI_OK) {
        return rc;
    }

    if (event_stream_open(s, &pc->identity, &f->fail) != PODI_OK) {
        return open_refuse(f, o);
    }

    ngx_podi_flow_keep(f, &s->keep, event_stream_gone);

    open_position(o, head);
    open_hello(o, head);

    event_stream_go_on(s);

    return PODI_DONE;
}


static podi_rc_t
open_header(podi_flow_t *f, event_open_t *o)
{
    ngx_int_t            rc;
    podi_str_t           no_store = podi_string("no-store");
    podi_str_t           no = podi_string("no");
    ngx_http_request_t  *r = o->request;

    if (ngx_podi_header_add(r, "Cache-Control", &no_store) != PODI_OK
        || ngx_podi_header_add(r, "X-Accel-Buffering", &no) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (r->method == NGX_HTTP_HEAD) {
        r->header_only = 1;
    }

    r->disable_not_modified = 1;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    ngx_str_set(&r->headers_out.content_type,
                "text/event-stream; charset=utf-8");
    r->headers_out.content_type_len = sizeof("text/event-stream") - 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {       /* the client has gone */
        ngx_podi_flow_outcome(f, rc);
        return PODI_DONE;
    }

    if (r->header_only) {
        ngx_podi_flow_outcome(f, NGX_OK);
        return PODI_DONE;
    }

    return PODI_OK;
}


/* a status would end an EventSource for good */

static podi_rc_t
open_refuse(podi_flow_t *f, event_open_t *o)
{
    event_out_printf(o->stream, "retry: 60000\nevent: system.busy\n"
                     "data: {\"code\":\"%s\"}\n\n",
                     podi_error(f->fail.error)->code);
    event_out_flush(o->stream);

    ngx_podi_flow_outcome(f, o->stream->broken
                             ? NGX_ERROR
                             : ngx_http_send_special(o->request,
                                                     NGX_HTTP_LAST));
    return PODI_DONE;
}


/* one that is not ours, or from the future, is as good as none: and said */

static void
open_position(event_open_t *o, const podi_pg_result_t *res)
{
    int64_t                        last, top, floor;
    ngx_http_podi_event_stream_t  *s = o->stream;

    top = podi_row_int64(res, 0, "top");
    floor = podi_row_int64(res, 0, "floor");

    s->position = top;

    if (o->last.len == 0) {
        return;
    }

    if (podi_str_to_int64(&o->last, &last) != PODI_OK || last < 0
        || last > top)
    {
        event_out_printf(s, "event: system.gap\ndata: {\"from\":null,"
                         "\"to\":%lld,\"reason\":\"unknown_position\"}\n\n",
                         (long long) top);
        return;
    }

    s->position = last;

    if (last < floor) {
        event_out_printf(s, "event: system.gap\ndata: {\"from\":%lld,"
                         "\"to\":%lld,\"reason\":\"retention\"}\n\n",
                         (long long) last + 1, (long long) floor);
        s->position = floor;
    }
}


/* a cursor to begin with, and what a client has to know of this stream */

static void
open_hello(event_open_t *o, const podi_pg_result_t *res)
{
    u_char                         text[PODI_RFC3339_LEN];
    podi_str_t                     epoch;
    ngx_http_podi_event_stream_t  *s = o->stream;

    epoch = podi_row_str(res, 0, "epoch");
    podi_time_rfc3339((podi_usec_t) o->expires * 1000000, text);

    event_out_printf(s, "retry: %lu\nid: %lld\nevent: hello\n"
                     "data: {\"position\":%lld,\"epoch\":\"" PODI_STR_FMT
                     "\",\"keepalive\":%lu,\"expires_at\":\"%.*s\"}\n\n",
                     (unsigned long) (1000 + ngx_random() % 4000),
                     (long long) s->position, (long long) s->position,
                     podi_str_arg(&epoch),
                     (unsigned long)
                         (ngx_http_podi_event_conf()->keepalive / 1000),
                     PODI_RFC3339_LEN, text);

    event_out_flush(s);
}
