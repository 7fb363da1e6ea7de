/*
 * podi_ws: a WebSocket to somebody's server, without waiting, over podi_io.
 *
 *     open -> on_open -> (on_text, on_binary)* -> on_close -> free
 *
 * An engine for one connection.  It keeps no promise about messages: what
 * comes while it is away is lost, so whoever listens asks for the state of
 * things as well, and the socket only tells sooner.  That is also why it does
 * not connect again by itself: its owner knows whether there is still
 * anything to hear, what must be asked first, and how long to stay away from
 * a server that fails.
 *
 * Promises: no callback from inside open, send, close or free; on_close is
 * the last one and comes once, unless the engine was freed before; no message
 * is told after podi_ws_close.  A callback may do anything, also free.  A
 * silent peer is asked (ping) and given up after idle_timeout; one that does
 * not finish the handshake, or the closing, in time is given up as well.
 *
 * HTTP/1.1 only, no redirects, no proxies, no extensions, no subprotocols.
 */

#ifndef PODI_WS_H
#define PODI_WS_H


#include "podi_fail.h"
#include "podi_io.h"
#include "podi_sign.h"
#include "podi_ws_frame.h"


typedef struct podi_ws_s  podi_ws_t;

/*
 * How it ended.  fail.error NONE: closed by either side, as it should be;
 * else UNAVAILABLE (no connection, cut, refused, against the rules), DEADLINE,
 * FORBIDDEN (public_only), CONFIG (CA, TLS name).
 */
typedef struct {
    unsigned      code;         /* the peer's, or ours; PODI_WS_ABNORMAL */
    unsigned      status;       /* of the answer to the handshake; 0: none */
    podi_str_t    reason;       /* the peer's; lives as long as the callback */
    podi_fail_t   fail;
} podi_ws_end_t;

typedef struct {
    podi_str_t          url;                /* ws(s)://, or http(s):// */
    const podi_pair_t  *headers;            /* more of them: tokens */
    size_t              n_headers;
    const char         *ca_file;            /* NULL: the system's */
    const char         *user_agent;
    size_t              max_message;        /* 0: 1 MiB; larger: skipped */
    podi_msec_t         handshake_timeout;  /* all of it; 0: 10 s */
    podi_msec_t         ping_every;         /* of silence; 0: 20 s */
    podi_msec_t         idle_timeout;       /* without a byte; 0: 60 s */
    podi_msec_t         close_timeout;      /* 0: 3 s */
    unsigned            tls_only:1;
    unsigned            public_only:1;      /* podi_address, as it connects */

    void  (*on_open)(void *data);           /* these three may be NULL */
    void  (*on_text)(void *data, const podi_str_t *text);       /* UTF-8 */
    void  (*on_binary)(void *data, const podi_str_t *bytes);
    void  (*on_close)(void *data, const podi_ws_end_t *end);
    void   *data;
} podi_ws_conf_t;


/*
 * All of conf is copied, but for ca_file and user_agent.  NULL: *fail says
 * why (CONFIG: the url, a header; INTERNAL: no memory).
 */
podi_ws_t *podi_ws_open(podi_io_t *io, const podi_ws_conf_t *conf,
    podi_fail_t *fail);

/* at once, and nothing is told any more; leaves NULL */
void podi_ws_free(podi_ws_t **ws);

/*
 * Copies.  DECLINED: it is not open; BUSY: the peer has not yet taken a
 * megabyte of what was sent before; ERROR: no memory, no randomness.
 */
PODI_MUSTCHECK podi_rc_t podi_ws_send_text(podi_ws_t *ws,
    const podi_str_t *text);

/* says goodbye; on_close follows, at the latest after close_timeout */
void podi_ws_close(podi_ws_t *ws, podi_ws_code_e code);

int podi_ws_is_open(const podi_ws_t *ws);

/* messages that were larger than max_message */
uint64_t podi_ws_skipped(const podi_ws_t *ws);


#endif /* PODI_WS_H */
