/*
 * ngx_podi_receive: a request's body in pieces, as they come.
 */

#ifndef NGX_PODI_RECEIVE_H
#define NGX_PODI_RECEIVE_H


#include "ngx_podi.h"


/* one piece, borrowed for the time of the call; ERROR ends the reading */
typedef podi_rc_t (*ngx_podi_receive_pt)(void *data, const u_char *bytes,
    size_t len, podi_fail_t *fail);

/*
 * Reads the body without gathering it; AGAIN, or OK when it was there
 * already.  A client that stops or goes away fails the step (BAD_REQUEST,
 * DEADLINE by client_body_timeout).  Another flow of the request may have read
 * the body before only if it did so whole.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_receive_body(podi_flow_t *f,
    ngx_http_request_t *r, ngx_podi_receive_pt piece, void *data);


#endif /* NGX_PODI_RECEIVE_H */
