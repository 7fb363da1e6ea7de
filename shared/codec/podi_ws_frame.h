/*
 * podi_ws_frame: the frames of a WebSocket (RFC 6455, section 5), as a client
 * reads and writes them.
 *
 *     HEAD -its last byte-> PAYLOAD -its last byte-> HEAD
 *      |                       |
 *      |                       '- the end of a message, a control: an event
 *      '- against the rules: broken, for good
 *
 * Pure: bytes come in as they were cut, events go out.  A message larger than
 * max is skipped, frame by frame, without being stored, and counted.  A frame
 * costs no memory; a message costs its own.
 */

#ifndef PODI_WS_FRAME_H
#define PODI_WS_FRAME_H


#include "podi_buf.h"
#include "podi_mem.h"


#define PODI_WS_HEAD_MAX     14
#define PODI_WS_CONTROL_MAX  125

typedef enum {
    PODI_WS_CONTINUATION = 0,
    PODI_WS_TEXT = 1,
    PODI_WS_BINARY = 2,
    PODI_WS_CLOSE = 8,
    PODI_WS_PING = 9,
    PODI_WS_PONG = 10
} podi_ws_kind_e;

/* codes of closing that we use ourselves; a peer may say others */

typedef enum {
    PODI_WS_NORMAL = 1000,
    PODI_WS_GOING_AWAY = 1001,
    PODI_WS_PROTOCOL = 1002,
    PODI_WS_NO_CODE = 1005,         /* never on the wire: closed without one */
    PODI_WS_ABNORMAL = 1006,        /* never on the wire: just gone */
    PODI_WS_BAD_TEXT = 1007,
    PODI_WS_INTERNAL = 1011
} podi_ws_code_e;

/* never a continuation; data lives until the next podi_ws_take */

typedef struct {
    podi_ws_kind_e  kind;
    podi_str_t      data;           /* of PODI_WS_CLOSE: the reason */
    unsigned        code;           /* of PODI_WS_CLOSE, or PODI_WS_NO_CODE */
} podi_ws_event_t;

typedef struct {
    podi_arena_t    *arena;
    podi_buf_t       message;
    size_t           max;
    uint64_t         left;          /* of the frame's payload */
    uint64_t         skipped;       /* messages larger than max */
    podi_ws_kind_e   frame;
    podi_ws_kind_e   kind;          /* of the message; CONTINUATION: none */
    unsigned         n_head;
    unsigned         n_control;
    unsigned         code;          /* what is wrong, and why; 0: nothing */
    const char      *why;
    unsigned         payload:1;     /* the head is read */
    unsigned         fin:1;
    unsigned         skip:1;
    unsigned char    head[PODI_WS_HEAD_MAX];
    unsigned char    control[PODI_WS_CONTROL_MAX];
} podi_ws_reader_t;


/* ERROR: no memory; max: bytes of a message */
PODI_MUSTCHECK podi_rc_t podi_ws_reader_init(podi_ws_reader_t *r, size_t max);
void podi_ws_reader_clear(podi_ws_reader_t *r);

/*
 * Takes bytes off the front of *bytes.  OK: an event, perhaps with more
 * behind; AGAIN: all are taken; ERROR: the peer broke the rules, r->code and
 * r->why say how, and nothing more is read.
 */
PODI_MUSTCHECK podi_rc_t podi_ws_take(podi_ws_reader_t *r, podi_str_t *bytes,
    podi_ws_event_t *ret_event);

/* the head of a whole, masked frame; gives its length */
size_t podi_ws_head(unsigned char dst[PODI_WS_HEAD_MAX], podi_ws_kind_e kind,
    uint64_t len, const unsigned char mask[4]);

/* masks, or unmasks, the whole payload of a frame in its place */
void podi_ws_mask(unsigned char *data, size_t len,
    const unsigned char mask[4]);


#endif /* PODI_WS_FRAME_H */
