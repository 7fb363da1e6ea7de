/*
 * podi_ws_frame and podi_ws_handshake: the examples of RFC 6455, every rule of
 * its frames broken once, and answers that are none.
 */

#include <string.h>

#include "tap.h"
#include "podi_ws_frame.h"
#include "podi_ws_handshake.h"
#include "banned.h"


#define MAX  70000
#define S(lit)  lit, sizeof(lit) - 1

typedef struct {
    const char  *bytes;
    size_t       len;
    const char  *told;              /* "T:text;" and so on */
    unsigned     code;              /* 0: all is well */
    const char  *what;
} wire_t;

static const wire_t  wires[] = {
    { S("\x81\x05Hello"), "T:Hello;", 0, "5.7: a text in a frame" },
    { S("\x01\x03Hel\x80\x02lo"), "T:Hello;", 0, "5.7: a text in pieces" },
    { S("\x89\x05Hello"), "P:Hello;", 0, "5.7: a ping" },
    { S("\x8a\x05Hello"), "O:Hello;", 0, "5.7: a pong" },
    { S("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "", 1002,
      "5.7: a masked text, which only a client sends" },
    { S("\x01\x03Hel\x89\x01x\x00\x00\x8a\x00\x80\x02lo\x82\x01y"),
      "P:x;O:;T:Hello;B:y;", 0, "controls between pieces" },
    { S("\x81\x00\x82\x00"), "T:;B:;", 0, "empty messages" },
    { S("\x01\x00\x00\x00\x80\x00"), "T:;", 0, "and of empty pieces" },
    { S("\x01\x01\xc3\x80\x01\xa9"), "T:\xc3\xa9;", 0, "a letter in two" },
    { S("\x88\x00"), "C1005:;", 0, "a close without a code" },
    { S("\x88\x05\x03\xe8" "bye"), "C1000:bye;", 0, "a close with a reason" },
    { S("\x88\x02\x0f\xa0"), "C4000:;", 0, "a code of one's own" },
    { S("\x88\x02\x0b\xb8"), "C3000:;", 0, "a registered one" },
    { S("\x88\x02\x03\xf4"), "C1012:;", 0, "restarting" },

    { S("\xc1\x00"), "", 1002, "a reserved bit" },
    { S("\xa1\x00"), "", 1002, "another" },
    { S("\x91\x00"), "", 1002, "the third" },
    { S("\x83\x00"), "", 1002, "an opcode of no kind" },
    { S("\x8b\x00"), "", 1002, "a control of no kind" },
    { S("\x80\x00"), "", 1002, "nothing to go on with" },
    { S("\x81\x00\x80\x00"), "T:;", 1002, "nor any more" },
    { S("\x01\x00\x81\x00"), "", 1002, "a message in a message" },
    { S("\x01\x00\x02\x00"), "", 1002, "of another kind, too" },
    { S("\x09\x00"), "", 1002, "a ping in pieces" },
    { S("\x08\x00"), "", 1002, "a close in pieces" },
    { S("\x89\x7e\x00\x7e"), "", 1002, "a ping of 126" },
    { S("\x81\x7e\x00\x7d"), "", 1002, "125 in 16 bits" },
    { S("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), "", 1002,
      "16 bits in 64" },
    { S("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), "", 1002, "64 bits" },
    { S("\x88\x01\x03"), "", 1002, "half a code" },
    { S("\x88\x02\x03\xe7"), "", 1002, "999" },
    { S("\x88\x02\x03\xec"), "", 1002, "1004" },
    { S("\x88\x02\x03\xed"), "", 1002, "1005 on the wire" },
    { S("\x88\x02\x03\xee"), "", 1002, "1006 on the wire" },
    { S("\x88\x02\x03\xf7"), "", 1002, "1015 on the wire" },
    { S("\x88\x02\x0b\xb7"), "", 1002, "2999" },
    { S("\x88\x02\x13\x88"), "", 1002, "5000" },
    { S("\x88\x04\x03\xe8\xc3\x28"), "", 1007, "a reason that is no text" },
    { S("\x81\x02\xc3\x28"), "", 1007, "a text that is none" },
    { S("\x01\x01\xc3\x80\x01\x28"), "", 1007, "nor in pieces" },
    { S("\x81\x01\xff"), "", 1007, "a byte of no letter" },
    { S("\x81\x03\xed\xa0\x80"), "", 1007, "half of a surrogate pair" },
    { S("\x82\x02\xc3\x28\x81\x01x"), "B:\xc3\x28;T:x;", 0,
      "but binary may be anything" },
};


/* what is told, of bytes that come `step` at a time */

static void
read_all(podi_ws_reader_t *r, const char *bytes, size_t len, size_t step,
    char *told, size_t size)
{
    size_t           i, n, used;
    podi_str_t       part;
    podi_ws_event_t  e;

    static const char  kinds[] = ".TB.....CPO";

    told[0] = '\0';

    for (used = 0, i = 0; i < len && r->code == 0; i += n) {
        n = (len - i < step) ? len - i : step;
        part.data = (unsigned char *) bytes + i;
        part.len = n;

        while (podi_ws_take(r, &part, &e) == PODI_OK) {
            used += (size_t) snprintf(told + used, size - used, "%c",
                                      kinds[e.kind]);

            if (e.code != 0) {
                used += (size_t) snprintf(told + used, size - used, "%u",
                                          e.code);
            }

            used += (size_t) snprintf(told + used, size - used,
                                      ":" PODI_STR_FMT ";",
                                      podi_str_arg(&e.data));
        }
    }
}


static void
test_wires(void)
{
    char              whole[512], cut[512];
    size_t            i;
    unsigned          code;
    podi_ws_reader_t  r;

    for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
        if (podi_ws_reader_init(&r, MAX) != PODI_OK) {
            abort();
        }

        read_all(&r, wires[i].bytes, wires[i].len, wires[i].len, whole,
                 sizeof(whole));
        code = r.code;
        podi_ws_reader_clear(&r);

        if (podi_ws_reader_init(&r, MAX) != PODI_OK) {
            abort();
        }

        read_all(&r, wires[i].bytes, wires[i].len, 1, cut, sizeof(cut));

        if (!ok(strcmp(whole, wires[i].told) == 0 && code == wires[i].code
                && strcmp(cut, whole) == 0 && r.code == code,
                "%s", wires[i].what))
        {
            printf("# %u %s, byte by byte %u %s\n", code, whole, r.code, cut);
        }

        podi_ws_reader_clear(&r);
    }
}


/* a message of n bytes in frames of at most `piece`; gives its length */

static size_t
large(char *dst, size_t n, size_t piece)
{
    char    *p = dst;
    size_t   now, done;

    for (done = 0; done < n || n == 0; done += now) {
        now = (n - done < piece) ? n - done : piece;
        *p++ = (char) ((done == 0 ? 2 : 0) | (done + now == n ? 0x80 : 0));

        if (now > 0xffff) {
            *p++ = 127;
            memset(p, 0, 5);
            p[5] = (char) (now >> 16);
            p += 6;
            *p++ = (char) (now >> 8);

        } else if (now > 125) {
            *p++ = 126;
            *p++ = (char) (now >> 8);
        }

        *p++ = (char) now;
        memset(p, 'x', now);
        p += now;
    }

    return (size_t) (p - dst);
}


static void
test_large(void)
{
    char                *bytes;
    size_t               i, len;
    podi_rc_t            rc;
    podi_str_t           s;
    podi_ws_event_t      e;
    podi_ws_reader_t     r;

    static const struct {
        size_t       n;
        size_t       piece;
        unsigned     skipped;
        const char  *what;
    } cases[] = {
        { MAX, MAX, 0, "as large as allowed" },
        { MAX, 1000, 0, "in pieces" },
        { MAX + 1, MAX + 1, 1, "one byte more" },
        { MAX + 1, 1000, 2, "in pieces, the last of which is too much" },
        { 3000000, 65536, 3, "much more" },
        { 256, 256, 3, "and small again" },
    };

    bytes = malloc(4000000);

    if (bytes == NULL || podi_ws_reader_init(&r, MAX) != PODI_OK) {
        abort();
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = large(bytes, cases[i].n, cases[i].piece);
        s.data = (unsigned char *) bytes;
        s.len = len;
        rc = podi_ws_take(&r, &s, &e);

        ok(r.skipped == cases[i].skipped && s.len == 0 && r.code == 0
           && rc == (cases[i].n > MAX ? PODI_AGAIN : PODI_OK)
           && (rc != PODI_OK || (e.data.len == cases[i].n
                                 && e.data.data[cases[i].n - 1] == 'x')),
           "%s", cases[i].what);
        ok(r.message.size <= 2 * MAX + 2, "and memory only for what is kept");
    }

    s = str("\x81\x01y");
    ok(podi_ws_take(&r, &s, &e) == PODI_OK && r.message.size <= 65536,
       "which is given back");

    podi_ws_reader_clear(&r);
    free(bytes);
}


static void
test_write(void)
{
    size_t                i;
    unsigned char         head[PODI_WS_HEAD_MAX], hello[] = "Hello";

    static const unsigned char  mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    static const struct {
        podi_ws_kind_e   kind;
        uint64_t         len;
        const char      *head;
        size_t           n;
    } heads[] = {
        { PODI_WS_TEXT, 5, S("\x81\x85\x37\xfa\x21\x3d") },
        { PODI_WS_PONG, 5, S("\x8a\x85\x37\xfa\x21\x3d") },
        { PODI_WS_TEXT, 125, S("\x81\xfd\x37\xfa\x21\x3d") },
        { PODI_WS_TEXT, 126, S("\x81\xfe\x00\x7e\x37\xfa\x21\x3d") },
        { PODI_WS_BINARY, 256, S("\x82\xfe\x01\x00\x37\xfa\x21\x3d") },
        { PODI_WS_BINARY, 65535, S("\x82\xfe\xff\xff\x37\xfa\x21\x3d") },
        { PODI_WS_BINARY, 65536,
          S("\x82\xff\0\0\0\0\0\x01\0\0\x37\xfa\x21\x3d") },
    };

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        ok(podi_ws_head(head, heads[i].kind, heads[i].len, mask)
           == heads[i].n && memcmp(head, heads[i].head, heads[i].n) == 0,
           "a head of %u bytes of payload", (unsigned) heads[i].len);
    }

    podi_ws_mask(hello, 5, mask);
    ok(memcmp(hello, "\x7f\x9f\x4d\x51\x58", 5) == 0, "5.7: a masked Hello");
}


static void
test_answers(podi_mem_t *mem)
{
    size_t       i;
    unsigned     status;
    podi_str_t   head, accept, key;
    podi_fail_t  fail;

#define UP   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACC  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

    static const struct {
        const char  *head;
        unsigned     status;
        int          good;
        const char  *what;
    } cases[] = {
        { "HTTP/1.1 101 Switching Protocols\r\n" UP ACC, 101, 1, "1.3" },
        { "HTTP/1.1 101\r\nUPGRADE:WebSocket \r\nconnection: keep-alive, "
          "upgrade\r\n" ACC, 101, 1, "in other letters" },
        { "HTTP/1.1 101 X\r\n" UP ACC "X-Other: 1\r\n", 101, 1, "with more" },
        { "HTTP/1.1 401 No\r\n" UP ACC, 401, 0, "401" },
        { "HTTP/1.1 200 OK\r\n" UP ACC, 200, 0, "200" },
        { "HTTP/1.0 101 X\r\n" UP ACC, 0, 0, "another version" },
        { "HTTP/1.1 1010 X\r\n" UP ACC, 0, 0, "a longer number" },
        { "HTTP/1.1 1x1 X\r\n" UP ACC, 0, 0, "no number" },
        { "", 0, 0, "nothing" },
        { "HTTP/1.1 101 X\r\n" UP, 101, 0, "no accept" },
        { "HTTP/1.1 101 X\r\n" ACC, 101, 0, "no upgrade" },
        { "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n" ACC, 101, 0,
          "no connection" },
        { "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" ACC,
          101, 0, "to something else" },
        { "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgraded\r\n"
          ACC, 101, 0, "a word that only begins so" },
        { "HTTP/1.1 101 X\r\n" UP "Sec-WebSocket-Accept: "
          "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", 101, 0, "another accept" },
        { "HTTP/1.1 101 X\r\n" UP ACC ACC, 101, 0, "two of them" },
        { "HTTP/1.1 101 X\r\n" UP ACC
          "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101, 0,
          "an extension" },
        { "HTTP/1.1 101 X\r\n" UP ACC "Sec-WebSocket-Protocol: chat\r\n", 101,
          0, "a subprotocol" },
        { "HTTP/1.1 101 X\r\n" UP ACC " folded\r\n", 101, 0, "a folded line" },
        { "HTTP/1.1 101 X\r\n" UP ACC "no header\r\n", 101, 0, "no header" },
    };

    key = str("dGhlIHNhbXBsZSBub25jZQ==");
    ok(podi_ws_accept(mem, &key, &accept) == PODI_OK, "1.3: an accept");
    is_str(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "as it is there");
    ok(podi_ws_key(mem, (const unsigned char *) "the sample nonce", &head)
       == PODI_OK && podi_str_eq(&head, &key), "1.3: a key");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        head = str(cases[i].head);
        head.len -= (head.len >= 2) ? 2 : 0;

        ok((podi_ws_answer(&head, &accept, &status, &fail) == PODI_OK)
           == cases[i].good && status == cases[i].status, "an answer: %s",
           cases[i].what);
    }
}


static void
test_request(podi_mem_t *mem)
{
    size_t            i;
    podi_str_t        got;
    podi_fail_t       fail;
    podi_pair_t       header = { podi_string("Authorization"),
                                 podi_string("Bearer x") };
    podi_ws_hello_t   hello = { podi_string("a.example:8188"),
                                podi_string("/ws?clientId=1"),
                                podi_null_str, podi_string("KEY"),
                                &header, 1 };

    static const char *const  bad[][2] = {
        { "", "x" }, { "a b", "x" }, { "a:", "x" }, { "a\r\nb", "x" },
        { "A", "x\r\nEvil: y" }, { "A", "x\ry" }, { "Host", "x" },
        { "sec-websocket-protocol", "x" }, { "Connection", "x" },
        { "Transfer-Encoding", "chunked" }, { "content-length", "5" },
    };

    ok(podi_ws_request(mem, &hello, &got, &fail) == PODI_OK, "a request");
    is_str(got, "GET /ws?clientId=1 HTTP/1.1\r\nHost: a.example:8188\r\n"
           "Upgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n"
           "Authorization: Bearer x\r\n\r\n", "says what it must");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        header.name = str(bad[i][0]);
        header.value = str(bad[i][1]);
        is_fail(podi_ws_request(mem, &hello, &got, &fail), &fail,
                PODI_E_CONFIG, NULL, "a header that is not sent");
    }
}


int
main(void)
{
    podi_arena_t  *arena = podi_arena_create();

    test_wires();
    test_large();
    test_write();
    test_answers(podi_arena_mem(arena));
    test_request(podi_arena_mem(arena));

    podi_arena_free(&arena);

    return tap_done();
}
