/*
 * podi_http_int: what the files of podi_http share.
 *
 *     podi_http.c            the engine: who begins, who is done
 *     podi_http_transfer.c   one request: options, its answer, its reply
 *     podi_http_body.c       what a request sends
 */

#ifndef PODI_HTTP_INT_H
#define PODI_HTTP_INT_H


#include "podi_buf.h"
#include "podi_http.h"
#include "podi_multi.h"


/* of files: curl's own are 16 and 64 KiB, a turn of the loop for each */
#define PODI_HTTP_FILE_BUFFER  (256 * 1024)


struct podi_http_s {
    podi_io_t         *io;
    podi_http_conf_t   conf;
    podi_multi_t       multi;
    unsigned           transfers;
};

typedef struct podi_http_transfer_s  podi_http_transfer_t;

/* where bytes to be sent come from: a file, or else memory */

typedef struct {
    podi_http_transfer_t  *transfer;
    const unsigned char   *data;
    int                    fd;          /* -1: data */
    int64_t                bytes;
    int64_t                sent;
} podi_http_source_t;

struct podi_http_transfer_s {
    podi_op_t             op;
    podi_http_t          *http;
    podi_flow_t          *flow;
    CURL                 *easy;
    struct curl_slist    *headers;
    struct curl_slist    *resolve;
    curl_mime            *form;
    podi_http_request_t   request;
    podi_http_source_t    body_source;
    podi_peer_t           peer;
    podi_http_reply_t    *reply;
    podi_buf_t            body;
    podi_hash_t          *hash;
    podi_timer_t         *idle;         /* or NULL */
    podi_msec_t           moved;        /* when the last byte did */
    size_t                heads;        /* bytes of header lines */
    int                   sys;          /* errno of a file of ours */
    unsigned              head_whole:1;
    unsigned              too_large:1;
};


/* an easy handle with everything set; ERROR: no memory, or a bad header */
PODI_MUSTCHECK podi_rc_t podi_http_transfer_set(podi_http_transfer_t *t);

/* the method and what it sends; ERROR: no memory, or it cannot be sent */
PODI_MUSTCHECK podi_rc_t podi_http_body_set(podi_http_transfer_t *t);

/* nothing that some reader takes for the end of a line, or of the text */
int podi_http_is_text(const podi_str_t *s);

/* reads what curl has to say; fail->error is NONE when there is a reply */
void podi_http_transfer_read(podi_http_transfer_t *t, CURLcode code,
    podi_fail_t *fail);


#endif /* PODI_HTTP_INT_H */
