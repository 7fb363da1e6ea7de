/*
 * podi_ws_frame: frames read and written.
 */

#include <string.h>

#include "podi_ws_frame.h"
#include "banned.h"


#define WS_FIN       0x80
#define WS_RESERVED  0x70
#define WS_OPCODE    0x0f
#define WS_MASKED    0x80
#define WS_LEN       0x7f
#define WS_LEN16     126
#define WS_LEN64     127
#define WS_KEEP      65536          /* memory kept between messages */


static podi_rc_t ws_read_head(podi_ws_reader_t *r, podi_str_t *bytes);
static unsigned ws_head_len(const podi_ws_reader_t *r);
static podi_rc_t ws_check_first(podi_ws_reader_t *r);
static podi_rc_t ws_check_len(podi_ws_reader_t *r);
static uint64_t ws_uint(const unsigned char *p, unsigned n);
static podi_rc_t ws_begin(podi_ws_reader_t *r);
static podi_rc_t ws_read_payload(podi_ws_reader_t *r, podi_str_t *bytes);
static podi_rc_t ws_end(podi_ws_reader_t *r, podi_ws_event_t *ret_event);
static podi_rc_t ws_end_control(podi_ws_reader_t *r,
    podi_ws_event_t *ret_event);
static int ws_is_code(unsigned code);
static int ws_is_control(podi_ws_kind_e kind);
static podi_rc_t ws_broken(podi_ws_reader_t *r, unsigned code,
    const char *why);


podi_rc_t
podi_ws_reader_init(podi_ws_reader_t *r, size_t max)
{
    memset(r, 0, sizeof(podi_ws_reader_t));

    r->max = max;
    r->arena = podi_arena_create();

    if (r->arena == NULL) {
        return PODI_ERROR;
    }

    podi_buf_init(&r->message, podi_arena_mem(r->arena));

    return PODI_OK;
}


void
podi_ws_reader_clear(podi_ws_reader_t *r)
{
    if (r->arena != NULL) {
        podi_arena_free(&r->arena);
    }
}


podi_rc_t
podi_ws_take(podi_ws_reader_t *r, podi_str_t *bytes,
    podi_ws_event_t *ret_event)
{
    podi_rc_t  rc;

    if (r->code != 0) {
        return PODI_ERROR;
    }

    for ( ;; ) {

        if (!r->payload) {
            rc = ws_read_head(r, bytes);

            if (rc != PODI_OK) {
                return rc;
            }
        }

        rc = ws_read_payload(r, bytes);

        if (rc != PODI_OK) {
            return rc;
        }

        rc = ws_end(r, ret_event);

        if (rc != PODI_DECLINED) {
            return rc;
        }
    }
}


/* what is wrong is told by the byte that is wrong, not by the next */

static podi_rc_t
ws_read_head(podi_ws_reader_t *r, podi_str_t *bytes)
{
    podi_rc_t  rc;

    while (r->n_head < ws_head_len(r)) {

        if (bytes->len == 0) {
            return PODI_AGAIN;
        }

        r->head[r->n_head++] = *bytes->data++;
        bytes->len--;

        rc = (r->n_head == 1) ? ws_check_first(r)
             : (r->n_head == ws_head_len(r)) ? ws_check_len(r) : PODI_OK;

        if (rc != PODI_OK) {
            return rc;
        }
    }

    return ws_begin(r);
}


/* as far as it is known */

static unsigned
ws_head_len(const podi_ws_reader_t *r)
{
    if (r->n_head < 2) {
        return 2;
    }

    switch (r->head[1] & WS_LEN) {

    case WS_LEN16:
        return 4;

    case WS_LEN64:
        return 10;

    default:
        return 2;
    }
}


static podi_rc_t
ws_check_first(podi_ws_reader_t *r)
{
    r->fin = (r->head[0] & WS_FIN) != 0;
    r->frame = r->head[0] & WS_OPCODE;

    if (r->head[0] & WS_RESERVED) {
        return ws_broken(r, PODI_WS_PROTOCOL, "a reserved bit is set");
    }

    switch (r->frame) {

    case PODI_WS_CONTINUATION:
        return (r->kind != PODI_WS_CONTINUATION) ? PODI_OK
               : ws_broken(r, PODI_WS_PROTOCOL, "nothing to go on with");

    case PODI_WS_TEXT:
    case PODI_WS_BINARY:
        return (r->kind == PODI_WS_CONTINUATION) ? PODI_OK
               : ws_broken(r, PODI_WS_PROTOCOL, "a message in a message");

    case PODI_WS_CLOSE:
    case PODI_WS_PING:
    case PODI_WS_PONG:
        return r->fin ? PODI_OK
               : ws_broken(r, PODI_WS_PROTOCOL, "a control in pieces");

    default:
        return ws_broken(r, PODI_WS_PROTOCOL, "an unknown opcode");
    }
}


/* the head is whole */

static podi_rc_t
ws_check_len(podi_ws_reader_t *r)
{
    unsigned  len = r->head[1] & WS_LEN;

    if (r->head[1] & WS_MASKED) {
        return ws_broken(r, PODI_WS_PROTOCOL, "a server does not mask");
    }

    if (len > PODI_WS_CONTROL_MAX && ws_is_control(r->frame)) {
        return ws_broken(r, PODI_WS_PROTOCOL, "a control of more than 125");
    }

    r->left = (len < WS_LEN16) ? len : ws_uint(r->head + 2, r->n_head - 2);

    if ((len == WS_LEN16 && r->left < WS_LEN16)
        || (len == WS_LEN64 && r->left <= 0xffff))
    {
        return ws_broken(r, PODI_WS_PROTOCOL, "a length in too many bytes");
    }

    if (r->left >> 63) {
        return ws_broken(r, PODI_WS_PROTOCOL, "a length of 64 bits");
    }

    return PODI_OK;
}


static uint64_t
ws_uint(const unsigned char *p, unsigned n)
{
    unsigned  i;
    uint64_t  u;

    for (u = 0, i = 0; i < n; i++) {
        u = u << 8 | p[i];
    }

    return u;
}


/* a payload begins */

static podi_rc_t
ws_begin(podi_ws_reader_t *r)
{
    r->n_head = 0;
    r->n_control = 0;
    r->payload = 1;

    if (ws_is_control(r->frame)) {
        return PODI_OK;
    }

    if (r->frame != PODI_WS_CONTINUATION) {
        r->kind = r->frame;
        r->skip = 0;
        r->message.len = 0;

        if (r->message.size > WS_KEEP) {
            podi_arena_reset(r->arena);
            podi_buf_init(&r->message, podi_arena_mem(r->arena));
        }
    }

    if (r->left > r->max - r->message.len) {
        r->skip = 1;
        r->message.len = 0;
    }

    return PODI_OK;
}


static podi_rc_t
ws_read_payload(podi_ws_reader_t *r, podi_str_t *bytes)
{
    size_t  n;

    n = (bytes->len < r->left) ? bytes->len : (size_t) r->left;

    if (ws_is_control(r->frame)) {
        if (n > 0) {
            memcpy(r->control + r->n_control, bytes->data, n);
            r->n_control += (unsigned) n;
        }

    } else if (!r->skip) {
        podi_buf_add(&r->message, bytes->data, n);
    }

    if (n > 0) {
        bytes->data += n;
        bytes->len -= n;
        r->left -= n;
    }

    if (r->message.failed) {
        return ws_broken(r, PODI_WS_INTERNAL, "no memory");
    }

    return (r->left == 0) ? PODI_OK : PODI_AGAIN;
}


/* a frame is whole; DECLINED: nothing to tell yet */

static podi_rc_t
ws_end(podi_ws_reader_t *r, podi_ws_event_t *ret_event)
{
    podi_ws_event_t  e;

    r->payload = 0;

    if (ws_is_control(r->frame)) {
        return ws_end_control(r, ret_event);
    }

    if (!r->fin) {
        return PODI_DECLINED;
    }

    e.kind = r->kind;
    e.code = 0;
    r->kind = PODI_WS_CONTINUATION;

    if (r->skip) {
        r->skipped++;
        return PODI_DECLINED;
    }

    if (podi_buf_take(&r->message, &e.data) != PODI_OK) {
        return ws_broken(r, PODI_WS_INTERNAL, "no memory");
    }

    if (e.kind == PODI_WS_TEXT && !podi_str_is_utf8(&e.data)) {
        return ws_broken(r, PODI_WS_BAD_TEXT, "a text that is no UTF-8");
    }

    *ret_event = e;

    return PODI_OK;
}


static podi_rc_t
ws_end_control(podi_ws_reader_t *r, podi_ws_event_t *ret_event)
{
    podi_ws_event_t  e;

    e.kind = r->frame;
    e.code = 0;
    e.data.data = r->control;
    e.data.len = r->n_control;

    if (r->frame == PODI_WS_CLOSE) {
        e.code = PODI_WS_NO_CODE;

        if (e.data.len == 1) {
            return ws_broken(r, PODI_WS_PROTOCOL, "half a code of closing");
        }

        if (e.data.len >= 2) {
            e.code = (unsigned) ws_uint(e.data.data, 2);
            e.data.data += 2;
            e.data.len -= 2;

            if (!ws_is_code(e.code)) {
                return ws_broken(r, PODI_WS_PROTOCOL, "no code of closing");
            }
        }

        if (!podi_str_is_utf8(&e.data)) {
            return ws_broken(r, PODI_WS_BAD_TEXT, "a reason that is no UTF-8");
        }
    }

    *ret_event = e;

    return PODI_OK;
}


/* those that may be on the wire; the registry of RFC 6455, 11.7 */

static int
ws_is_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
           || (code >= 3000 && code <= 4999);
}


static int
ws_is_control(podi_ws_kind_e kind)
{
    return (kind & 8) != 0;
}


static podi_rc_t
ws_broken(podi_ws_reader_t *r, unsigned code, const char *why)
{
    r->code = code;
    r->why = why;

    return PODI_ERROR;
}


size_t
podi_ws_head(unsigned char dst[PODI_WS_HEAD_MAX], podi_ws_kind_e kind,
    uint64_t len, const unsigned char mask[4])
{
    unsigned  i, n;

    n = (len < WS_LEN16) ? 0 : (len <= 0xffff) ? 2 : 8;

    dst[0] = (unsigned char) (WS_FIN | kind);
    dst[1] = (unsigned char) (WS_MASKED | (n == 0 ? len
                                           : n == 2 ? WS_LEN16 : WS_LEN64));

    for (i = 0; i < n; i++) {
        dst[2 + i] = (unsigned char) (len >> 8 * (n - 1 - i));
    }

    memcpy(dst + 2 + n, mask, 4);

    return 2 + n + 4;
}


void
podi_ws_mask(unsigned char *data, size_t len, const unsigned char mask[4])
{
    size_t  i;

    for (i = 0; i < len; i++) {
        data[i] ^= mask[i & 3];
    }
}
