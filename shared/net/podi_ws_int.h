/*
 * podi_ws_int: what the files of podi_ws share.
 *
 *     podi_ws.c         the engine: states, deadlines, what is told
 *     podi_ws_dial.c    url and request; to a connection, and to 101
 *     podi_ws_wire.c    bytes and frames on the connection
 *
 *     CONNECTING --> SHAKING --> OPEN --> CLOSING
 *         |             |         |          |
 *         '-------------'---------'----------'--> CLOSED
 *
 * CONNECTING -> SHAKING   [podi_ws_connected]  curl has a connection
 * SHAKING -> OPEN         [dial_answered]      101, and the right one
 * OPEN -> CLOSING         [podi_ws_say_close]  either side, or a broken rule
 * any -> CLOSED           [podi_ws_end]        the only way there
 *
 * CONNECTING  the connection is curl's; there is no watch
 * SHAKING     the connection is ours; the request is queued or out
 * OPEN        frames both ways
 * CLOSING     a close frame is queued or out; messages are dropped
 * CLOSED      no connection; on_close is posted, or told, or will not be
 *
 * Why each has a multi of its own: curl hands the connection out and takes
 * it for an idle one, which it closes after two minutes when any other
 * transfer of the same multi begins.
 */

#ifndef PODI_WS_INT_H
#define PODI_WS_INT_H


#include "podi_list.h"
#include "podi_multi.h"
#include "podi_ws.h"


typedef enum {
    WS_CONNECTING,
    WS_SHAKING,
    WS_OPEN,
    WS_CLOSING,
    WS_CLOSED
} ws_state_e;

/* what waits to be sent; never moved, as TLS wants to see it again */

typedef struct {
    podi_link_t    link;
    size_t         len;
    size_t         sent;
    unsigned char  data[];
} ws_chunk_t;

struct podi_ws_s {
    podi_io_t         *io;
    podi_ws_conf_t     conf;
    ws_state_e         state;
    podi_multi_t       multi;
    podi_peer_t        peer;
    CURL              *easy;            /* NULL when CLOSED */
    podi_watch_t      *watch;
    podi_timer_t      *timer;           /* the deadline of the state */
    podi_post_t        tell;            /* on_close */
    podi_post_t        more;            /* bytes that no watch reports */
    podi_msec_t        heard;           /* when the last byte came */
    podi_arena_t      *arena;
    podi_str_t         request;
    podi_str_t         accept;
    podi_buf_t         head;            /* of the answer */
    podi_ws_reader_t   reader;
    podi_link_t        out;
    size_t             queued;
    podi_ws_end_t      end;
    unsigned char      reason[PODI_WS_CONTROL_MAX];
    unsigned           depth;           /* callbacks that are running */
    unsigned           freeing:1;
    unsigned           deaf:1;          /* nothing is read as frames any more */
    unsigned           left:1;          /* the peer has said goodbye */
};


/* ---- podi_ws.c */

void podi_ws_set_state(podi_ws_t *ws, ws_state_e state);

/* ws may be gone after podi_ws_leave */
void podi_ws_enter(podi_ws_t *ws);
void podi_ws_leave(podi_ws_t *ws);

/* remembers the first failure, and why; the connection stays */
void podi_ws_blame(podi_ws_t *ws, podi_error_e error, const char *why);

/* CLOSED: the connection goes, and on_close is posted */
void podi_ws_end(podi_ws_t *ws);

/* queues a close frame (0: as it is, without a code) and is CLOSING */
void podi_ws_say_close(podi_ws_t *ws, unsigned code);


/* ---- podi_ws_dial.c */

/* url, request, handle of curl; ERROR with *fail */
PODI_MUSTCHECK podi_rc_t podi_ws_dial(podi_ws_t *ws, podi_fail_t *fail);

/* podi_multi's */
void podi_ws_connected(void *data, CURL *easy, CURLcode code);

/* the head of the answer; takes what is its own off the front */
void podi_ws_dialled(podi_ws_t *ws, podi_str_t *bytes);


/* ---- podi_ws_wire.c */

PODI_MUSTCHECK podi_rc_t podi_ws_queue(podi_ws_t *ws, const podi_str_t *bytes);
PODI_MUSTCHECK podi_rc_t podi_ws_queue_frame(podi_ws_t *ws,
    podi_ws_kind_e kind, const podi_str_t *payload);

/* sends what can be sent; may end the connection */
void podi_ws_flush(podi_ws_t *ws);

/* podi_io's */
void podi_ws_ready(void *data, unsigned ready);
void podi_ws_more(void *data);

void podi_ws_drop_queue(podi_ws_t *ws);


#endif /* PODI_WS_INT_H */
