/*
 * wsc: one WebSocket through podi_ws, for the tests.
 *
 *     wsc URL [name=value]...
 *
 * Names: header ca max handshake ping idle close public tls; send: a text, once
 * it is open (many=N: so many times); reply: to each text; and what the first
 * callback of a kind does: open, text, binary, end, each =close or =free, or
 * after=N (ms) then=close or then=free.  Prints "open", "text LENGTH FIRST32",
 * "binary LENGTH", and at the end "closed code= status= fail= skipped= reason="
 * or "freed"; "refused: fail" when there was nothing to open; "late: ..." for
 * what is told when nothing may be.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_uv_io.h"
#include "podi_ws.h"
#include "banned.h"

#define HEADERS_MAX  4
#define ALIVE        60000

typedef struct {
    podi_ws_t       *ws;
    podi_ws_conf_t   conf;
    podi_pair_t      headers[HEADERS_MAX];
    podi_str_t       send;
    podi_str_t       reply;
    long             many;
    podi_timer_t    *timer;
    podi_uv_io_t    *uv;
    podi_msec_t      after;
    const char      *then;
    const char      *at_open;
    const char      *at_text;
    const char      *at_binary;
    const char      *at_end;
    int              closing;
    int              over;
} wsc_t;


static void
wsc_do(wsc_t *c, const char *what)
{
    if (what == NULL || c->ws == NULL) {
        return;
    }

    if (strcmp(what, "close") == 0) {
        c->closing = 1;
        podi_ws_close(c->ws, PODI_WS_GOING_AWAY);

    } else {
        podi_ws_free(&c->ws);
        c->over = 1;
        (void) printf("freed\n");
    }
}


/* nothing may be told now */

static void
wsc_check(const wsc_t *c, const char *what)
{
    if (c->ws == NULL || c->over || c->closing) {
        (void) printf("late: %s\n", what);
    }
}


static void
wsc_open(void *data)
{
    long    i;
    wsc_t  *c = data;

    wsc_check(c, "open");
    (void) printf("open\n");

    for (i = 0; i < c->many; i++) {
        switch (podi_ws_send_text(c->ws, &c->send)) {

        case PODI_OK:
            continue;

        case PODI_BUSY:
            (void) printf("busy\n");
            break;

        default:
            (void) printf("not sent\n");
            break;
        }

        break;
    }

    wsc_do(c, c->at_open);
}


static void
wsc_text(void *data, const podi_str_t *text)
{
    wsc_t  *c = data;

    wsc_check(c, "text");
    (void) printf("text %zu %.*s\n", text->len,
                  text->len < 32 ? (int) text->len : 32,
                  (const char *) text->data);

    if (c->reply.len > 0
        && podi_ws_send_text(c->ws, &c->reply) != PODI_OK)
    {
        (void) printf("not sent\n");
    }

    wsc_do(c, c->at_text);
}


static void
wsc_binary(void *data, const podi_str_t *bytes)
{
    wsc_t  *c = data;

    wsc_check(c, "binary");
    (void) printf("binary %zu\n", bytes->len);
    wsc_do(c, c->at_binary);
}


static void
wsc_end(void *data, const podi_ws_end_t *end)
{
    wsc_t  *c = data;

    c->closing = 0;
    wsc_check(c, "closed");

    (void) printf("closed code=%u status=%u fail=%s skipped=%llu reason="
                  PODI_STR_FMT " (%s)\n", end->code, end->status,
                  podi_error(end->fail.error)->code,
                  (unsigned long long) podi_ws_skipped(c->ws),
                  podi_str_arg(&end->reason), end->fail.detail);

    c->over = 1;
    wsc_do(c, c->at_end);
}


static void
wsc_timed(void *data)
{
    wsc_t  *c = data;

    c->uv->io.arm(c->timer, ALIVE);
    wsc_do(c, c->then);
    c->then = NULL;
}


static void
wsc_option(wsc_t *c, const char *word)
{
    size_t       i;
    const char  *v;
    podi_str_t   name, s;

    const struct {
        const char   *name;
        podi_msec_t  *msec;
        const char  **text;
    } rows[] = {
        { "handshake", &c->conf.handshake_timeout, NULL },
        { "ping", &c->conf.ping_every, NULL },
        { "idle", &c->conf.idle_timeout, NULL },
        { "close", &c->conf.close_timeout, NULL },
        { "after", &c->after, NULL },
        { "then", NULL, &c->then },
        { "open", NULL, &c->at_open },
        { "text", NULL, &c->at_text },
        { "binary", NULL, &c->at_binary },
        { "end", NULL, &c->at_end },
        { "ca", NULL, &c->conf.ca_file },
    };

    s = podi_str_c(word);

    if (!podi_str_split(&s, '=', &name)) {
        abort();
    }

    v = word + name.len + 1;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!podi_str_eq_c(&name, rows[i].name)) {
            continue;
        }

        if (rows[i].msec != NULL) {
            *rows[i].msec = strtoull(v, NULL, 10);

        } else {
            *rows[i].text = v;
        }

        return;
    }

    if (podi_str_eq_c(&name, "header")) {
        (void) podi_str_split(&s, ':', &c->headers[c->conf.n_headers].name);
        c->headers[c->conf.n_headers++].value = s;

    } else if (podi_str_eq_c(&name, "max")) {
        c->conf.max_message = strtoull(v, NULL, 10);

    } else if (podi_str_eq_c(&name, "many")) {
        c->many = strtol(v, NULL, 10);

    } else if (podi_str_eq_c(&name, "send")) {
        c->send = podi_str_c(v);
        c->many += (c->many == 0);

    } else if (podi_str_eq_c(&name, "reply")) {
        c->reply = podi_str_c(v);

    } else if (podi_str_eq_c(&name, "public")) {
        c->conf.public_only = 1;

    } else if (podi_str_eq_c(&name, "tls")) {
        c->conf.tls_only = 1;

    } else {
        abort();
    }
}


static void
wsc_conf(wsc_t *c, int argc, char **argv)
{
    int  i;

    memset(c, 0, sizeof(wsc_t));

    c->conf.url = podi_str_c(argv[1]);
    c->conf.headers = c->headers;
    c->conf.user_agent = "podi-test";
    c->conf.on_open = wsc_open;
    c->conf.on_text = wsc_text;
    c->conf.on_binary = wsc_binary;
    c->conf.on_close = wsc_end;
    c->conf.data = c;

    for (i = 2; i < argc; i++) {
        wsc_option(c, argv[i]);
    }
}


int
main(int argc, char **argv)
{
    wsc_t           c;
    uv_loop_t       loop;
    podi_fail_t     fail;
    podi_uv_io_t    uv;

    if (argc < 2 || uv_loop_init(&loop) != 0
        || podi_uv_io_init(&uv, &loop) != PODI_OK)
    {
        return 2;
    }

    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    wsc_conf(&c, argc, argv);

    /* keeps the loop alive, too: a WebSocket does not */

    c.uv = &uv;
    c.timer = uv.io.timer(&uv.io, PODI_TIMER_WORK, wsc_timed, &c);
    uv.io.arm(c.timer, c.after > 0 ? c.after : ALIVE);

    c.ws = podi_ws_open(&uv.io, &c.conf, &fail);

    if (c.ws == NULL) {
        (void) printf("refused: %s\n", podi_error(fail.error)->code);
        c.over = 1;
    }

    while (!c.over) {
        (void) uv_run(&loop, UV_RUN_ONCE);
    }

    podi_ws_free(&c.ws);
    uv.io.timer_free(c.timer);

    if (uv.watches != 0 || uv.timers != 0) {
        (void) printf("left: %u watches, %u timers\n", uv.watches, uv.timers);
    }

    podi_uv_io_close(&uv);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    (void) uv_loop_close(&loop);

    return 0;
}
