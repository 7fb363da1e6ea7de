/*
 * ngx_podi_pump: an answer of any length, made page by page.
 *
 *     route's flow: parse -> first page -> open -> (the flow is over)
 *     pump:         SENDING -> sent -> PULLING -> page -> SENDING -> ... -> end
 *
 * Promises: one page is in memory at a time, and of a slow client's only its
 * bytes; the next is asked for when the last byte of the one before is with
 * the socket.  A client that goes away ends it.  When a page cannot be had, or
 * the caller's session has ended or his token expired meanwhile, the answer is
 * cut, so that nobody takes a part for the whole.
 */

#ifndef NGX_PODI_PUMP_H
#define NGX_PODI_PUMP_H


#include "ngx_podi.h"


typedef struct ngx_podi_pump_s  ngx_podi_pump_t;


/*
 * The steps of a further page; they run with `ctx` and end with
 * ngx_podi_pump_page.  `ctx`: a structure that lives as long as the request and
 * whose first member is the request, ngx_http_request_t *.  NULL: no memory.
 */
ngx_podi_pump_t *ngx_podi_pump_create(ngx_http_request_t *r,
    const podi_step_t *steps, void *ctx);

/*
 * The last step of the route's flow, which has an arena
 * (ngx_podi_flow_content_in): sends the header with what is in headers_out,
 * then the first page.  DONE or ERROR.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_pump_open(ngx_podi_pump_t *pump,
    podi_flow_t *f, const char *type, podi_buf_t *page, ngx_uint_t last);

/* the last step of a page's flow; DONE or ERROR */
PODI_MUSTCHECK podi_rc_t ngx_podi_pump_page(ngx_podi_pump_t *pump,
    podi_flow_t *f, podi_buf_t *page, ngx_uint_t last);


#endif /* NGX_PODI_PUMP_H */
