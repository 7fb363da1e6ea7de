/*
 * ws: frames say the same whole, byte by byte and in odd pieces: the same
 * events, the same verdict; nothing is told behind what is broken, and no
 * more is kept than allowed.  And what comes as a handshake's answer.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_ws_frame.h"
#include "podi_ws_handshake.h"
#include "banned.h"


#define MAX  64

typedef struct {
    uint64_t  hash;
    uint64_t  skipped;
    unsigned  events;
    unsigned  code;
} seen_t;

const char *const  fuzz_seeds[] = {
    "\x81\x05Hello", "\x01\x03Hel\x89\x01x\x80\x02lo\x88\x05\x03\xe8" "bye",
    "\x82\x7e\x01\x01" "0123456789012345678901234567890123456789",
    "\x02\x3c" "012345678901234567890123456789012345678901234567890123456789"
    "\x80\x05" "01234\x81\x01x",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: x\r\n", NULL
};

const char *const  fuzz_words[] = {
    "\x81", "\x01", "\x80", "\x82", "\x88\x02\x03\xe8", "\x89", "\x8a",
    "\x7e", "\x7f", "\xc3\xa9", "\xc3", "HTTP/1.1 101", "\r\n", ": ",
    "Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Accept: x",
    NULL
};


static void
told(seen_t *s, const podi_ws_event_t *e)
{
    size_t  i;

    s->hash = s->hash * 1099511628211u + e->kind + e->code;

    for (i = 0; i < e->data.len; i++) {
        s->hash = s->hash * 1099511628211u + e->data.data[i] + 1;
    }

    s->events++;
}


static void
read_all(const uint8_t *data, size_t size, size_t step, seen_t *s)
{
    size_t             i, n;
    podi_str_t         part;
    podi_ws_event_t    e;
    podi_ws_reader_t   r;

    memset(s, 0, sizeof(seen_t));
    fuzz_assert(podi_ws_reader_init(&r, MAX) == PODI_OK);

    for (i = 0; i < size && r.code == 0; i += n) {
        n = (size - i < step) ? size - i : step;
        part.data = (unsigned char *) data + i;
        part.len = n;

        while (podi_ws_take(&r, &part, &e) == PODI_OK) {
            fuzz_assert(e.data.len <= (e.kind & 8 ? PODI_WS_CONTROL_MAX
                                                  : MAX));
            fuzz_assert(e.kind != PODI_WS_TEXT || podi_str_is_utf8(&e.data));
            told(s, &e);
        }

        fuzz_assert(r.message.len <= MAX);
        fuzz_assert(r.code != 0 || part.len == 0);
    }

    part.data = (unsigned char *) data;
    part.len = size;
    fuzz_assert(r.code == 0
                || podi_ws_take(&r, &part, &e) == PODI_ERROR);

    s->skipped = r.skipped;
    s->code = r.code;
    podi_ws_reader_clear(&r);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       i;
    seen_t       whole, pieces;
    unsigned     status;
    podi_rc_t    rc;
    podi_str_t   head;
    podi_fail_t  fail;

    static const size_t      steps[] = { 1, 3, 17 };
    static const podi_str_t  accept = podi_string("x");

    read_all(data, size, size + 1, &whole);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        read_all(data, size, steps[i], &pieces);
        fuzz_assert(memcmp(&whole, &pieces, sizeof(seen_t)) == 0);
    }

    head = fuzz_str(data, size);
    rc = podi_ws_answer(&head, &accept, &status, &fail);
    fuzz_assert(status < 1000 && (rc != PODI_OK || status == 101));

    return 0;
}
