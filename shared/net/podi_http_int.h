/*
 * podi_http_int: what the two files of podi_http share.
 *
 *     podi_http.c            the engine: sockets, timer, who is done
 *     podi_http_transfer.c   one request: options, bytes, its reply
 */

#ifndef PODI_HTTP_INT_H
#define PODI_HTTP_INT_H


#include <curl/curl.h>

#include "podi_buf.h"
#include "podi_http.h"


struct podi_http_s {
    podi_io_t         *io;
    podi_http_conf_t   conf;
    CURLM             *multi;
    podi_timer_t      *timer;
    podi_post_t        drain;
    unsigned           transfers;
};

typedef struct {
    podi_op_t             op;
    podi_http_t          *http;
    podi_flow_t          *flow;
    CURL                 *easy;
    struct curl_slist    *headers;
    struct curl_slist    *resolve;
    podi_http_request_t   request;
    podi_http_reply_t    *reply;
    podi_buf_t            body;
    podi_hash_t          *hash;
    int64_t               sent;         /* of the body */
    int                   sys;          /* errno of into_fd */
    unsigned              too_large:1;
    unsigned              private:1;    /* an address that is not public */
} podi_http_transfer_t;


/* an easy handle with everything set; ERROR: no memory, or a bad header */
PODI_MUSTCHECK podi_rc_t podi_http_transfer_set(podi_http_transfer_t *t);

/* reads what curl has to say; fail->error is NONE when there is a reply */
void podi_http_transfer_read(podi_http_transfer_t *t, CURLcode code,
    podi_fail_t *fail);


#endif /* PODI_HTTP_INT_H */
