/*
 * GET /v1/events/snapshot: open tasks, wallet, and the position up to which
 * they are true.
 *
 *     read (PG) -> reply
 *
 * One statement, one snapshot: a page that shows this and then streams from
 * `position` has missed nothing and sees nothing twice.
 */

#include "ngx_http_podi_event.h"


typedef struct {
    ngx_http_request_t  *request;
} event_snapshot_t;


static podi_rc_t snapshot_read(podi_flow_t *f, void *ctx);
static podi_rc_t snapshot_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  event_snapshot_steps[] = {
    { "reading the snapshot", snapshot_read,  0 },
    { "replying",             snapshot_reply, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_event_snapshot(ngx_http_request_t *r, const podi_str_t *args)
{
    event_snapshot_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(event_snapshot_t));
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;

    return ngx_podi_flow_content(r, event_snapshot_steps, s);
}


static podi_rc_t
snapshot_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t     call;
    event_snapshot_t  *s = ctx;

    ngx_podi_pg_init(s->request, &call, PODI_SQL_EVENT_SNAPSHOT);

    return ngx_podi_pg_call(f, s->request, &call);
}


static podi_rc_t
snapshot_reply(podi_flow_t *f, void *ctx)
{
    event_snapshot_t  *s = ctx;

    return ngx_podi_reply_row(f, s->request, NGX_HTTP_OK, f->result, NULL);
}
