/*
 * podi_http: HTTP to others without waiting, over podi_io (libcurl's multi).
 *
 * One engine a process.  A request is one operation of a flow: it is
 * answered once, with a reply or a failure, at the latest at its timeout;
 * cancelling the flow takes the transfer off the wire.  http and https
 * only, HTTP/1.1, no redirects, no proxies, no .netrc, no cookies: what is
 * asked is what is sent, and a POST or PATCH, which is not the same twice,
 * is sent once: on a connection of its own.  An answer larger than allowed
 * is a failure, and nothing larger is ever stored.  What public_only
 * forbids is refused when it connects: each address that curl tries is
 * looked at, and no other is connected to; a kept connection is looked at
 * before it is used again.
 *
 * A status of 400 or more is a reply, not a failure.  Failures: UNAVAILABLE
 * (no connection, cut, not HTTP), FORBIDDEN (public_only), DEADLINE (a
 * timeout), BODY_TOO_LARGE (or 64k of headers), STORAGE_FULL (into_fd), CONFIG
 * (CA, TLS name, url), INTERNAL (a file of ours is shorter than was said);
 * fail.uncertain when the request may have reached the peer.
 */

#ifndef PODI_HTTP_H
#define PODI_HTTP_H


#include "podi_flow.h"
#include "podi_hash.h"
#include "podi_io.h"
#include "podi_sign.h"


#define PODI_HTTP_VALUE_MAX  8192       /* of a header that is kept */

typedef struct podi_http_s  podi_http_t;

typedef struct {
    const char   *ca_file;              /* NULL: the system's */
    const char   *user_agent;
    unsigned      per_host;             /* connections; 0: 8 */
    podi_msec_t   connect_timeout;      /* 0: 3 s */
    unsigned      https_only:1;
    unsigned      public_only:1;        /* podi_address, when it connects */
} podi_http_conf_t;

/* one of multipart/form-data; a filename makes it a file, "" a field */

typedef struct {
    podi_str_t    name;
    podi_str_t    filename;
    podi_str_t    type;                 /* "": none; of a file: octet-stream */
    podi_str_t    body;
    int           fd;                   /* or this file, from its start; -1 */
    int64_t       bytes;                /* of fd */
} podi_http_part_t;

/* podi_http_request_init first; strings and fds outlive the operation */

typedef struct {
    podi_str_t               method;        /* any; GET, HEAD: no body */
    podi_str_t               url;
    const podi_pair_t       *headers;
    size_t                   n_headers;
    podi_str_t               body;          /* sent as it is */
    int                      body_fd;       /* or this file, whole; -1 */
    int64_t                  body_bytes;    /* of body_fd */
    const podi_http_part_t  *parts;         /* or a form of these; it has a */
    size_t                   n_parts;       /* Content-Type of its own */
    const podi_str_t        *want;          /* names of headers to keep */
    size_t                   n_want;
    int                      into_fd;       /* of the answer; -1: memory */
    int64_t                  max;           /* bytes of the answer's body */
    podi_msec_t              timeout;       /* all in all */
    podi_msec_t              idle_timeout;  /* without a byte; 0: no */
    podi_str_t               resolve;       /* "host:port:address", or "" */
    unsigned                 sha256:1;      /* of the answer's body */
    unsigned                 https_only:1;  /* also when conf says nothing */
    unsigned                 public_only:1;
} podi_http_request_t;

typedef struct {
    unsigned       status;
    podi_str_t     type;                /* Content-Type, or "" */
    podi_str_t     etag;
    podi_str_t    *headers;             /* of each `want` its first value; ""
                                           when it is missing or too long: a
                                           part of one would mislead */
    unsigned       retry_after;         /* seconds; 0: not said */
    podi_str_t     body;                /* "" with into_fd */
    int64_t        bytes;
    unsigned char  sha256[2 * PODI_SHA256_LEN];     /* hex, when asked for */
} podi_http_reply_t;


/* conf is copied, its strings are not; NULL: no memory */
podi_http_t *podi_http_create(podi_io_t *io, const podi_http_conf_t *conf);

/* no operation may be waiting; not from inside an answer; leaves NULL */
void podi_http_free(podi_http_t **http);

/* fills in the defaults: no body, 64k of answer, 30 s */
void podi_http_request_init(podi_http_request_t *request, const char *method,
    const podi_str_t *url);

/* AGAIN: f->result will be a podi_http_reply_t in f->mem */
PODI_MUSTCHECK podi_rc_t podi_http_send(podi_http_t *http, podi_flow_t *f,
    const podi_http_request_t *request);


#endif /* PODI_HTTP_H */
