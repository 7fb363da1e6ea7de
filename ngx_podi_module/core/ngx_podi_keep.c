/*
 * ngx_podi_keep: a request that stays open when its flow is over.
 *
 *     step: keep -> DONE -> the flow's memory goes -> ... -> keep_end
 *                                                     ... -> client gone
 *
 * The flow's cleanup becomes the keep's, so that there is always one that
 * tells the engine of the client's end, and never two.
 */

#include "ngx_podi_core.h"


podi_rc_t
ngx_podi_flow_may_keep(ngx_http_request_t *r, podi_fail_t *fail)
{
    if (r != r->main) {
        return podi_fail(fail, PODI_E_NOT_FOUND, NULL, "a subrequest");
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                         "a body has no meaning here");
    }

    return PODI_OK;
}


void
ngx_podi_flow_keep(podi_flow_t *f, ngx_podi_keep_t *keep,
    void (*gone)(ngx_podi_keep_t *keep))
{
    ngx_podi_bound_t  *b = ngx_podi_bound(f);

    podi_assert(b->owner != NULL && b->request == b->request->main);

    keep->request = b->request;
    keep->gone = gone;

    b->keep = keep;
}


void
ngx_podi_keep_gone(void *data)
{
    ngx_podi_keep_t  *keep = data;

    if (keep->gone != NULL) {
        keep->gone(keep);
    }
}


void
ngx_podi_keep_end(ngx_podi_keep_t *keep, ngx_int_t rc)
{
    ngx_http_request_t  *r = keep->request;
    ngx_connection_t    *c = r->connection;

    keep->gone = NULL;

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);        /* r may be gone */
}
