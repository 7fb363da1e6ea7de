/*
 * podi_multi: libcurl's multi interface on podi_io, and what each handle of
 * curl is told about its peer.
 *
 * For the engines of this directory.  `done` is called from a clean stack,
 * never from inside curl, for each handle that has ended (or, CONNECT_ONLY,
 * has connected); it may take handles off and put others on, but not clear
 * the podi_multi_t.
 */

#ifndef PODI_MULTI_H
#define PODI_MULTI_H


#include <curl/curl.h>

#include "podi_fail.h"
#include "podi_io.h"


typedef void (*podi_multi_pt)(void *data, CURL *easy, CURLcode code);

typedef struct {
    podi_io_t      *io;
    CURLM          *multi;
    podi_timer_t   *timer;
    podi_post_t     drain;
    podi_multi_pt   done;
    void           *data;
} podi_multi_t;

/* whom a handle may talk to; it outlives the handle */

typedef struct {
    const char   *ca_file;              /* NULL: the system's */
    const char   *user_agent;           /* or NULL */
    podi_msec_t   connect_timeout;
    unsigned      https_only:1;
    unsigned      public_only:1;
    unsigned      refused:1;            /* an address that is not public */
} podi_peer_t;


/* ERROR: no memory; there is nothing to clear then */
PODI_MUSTCHECK podi_rc_t podi_multi_init(podi_multi_t *m, podi_io_t *io,
    podi_multi_pt done, void *data);

/* all handles are off */
void podi_multi_clear(podi_multi_t *m);

/* http(s), HTTP/1.1, no proxy, nothing followed; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_peer_set(podi_peer_t *peer, CURL *easy);

/* what an end means that is no success; `sent`: bytes went out before */
podi_error_e podi_peer_error(const podi_peer_t *peer, CURLcode code, int sent);
const char *podi_peer_text(const podi_peer_t *peer, CURLcode code);


#endif /* PODI_MULTI_H */
