/*
 * podi_ws: the engine.
 *
 *     open -> dial ... -> set_state ... -> end -> (post) -> on_close
 *
 * One timer serves every state: what it means is the state's business.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_secret.h"
#include "podi_ws_int.h"
#include "banned.h"

#define WS_MAX_MESSAGE  1048576
#define WS_HANDSHAKE    10000
#define WS_PING         20000
#define WS_IDLE         60000
#define WS_CLOSE        3000


static void ws_defaults(podi_ws_conf_t *conf);
static podi_rc_t ws_init(podi_ws_t *ws, podi_fail_t *fail);
static void ws_timed(void *data);
static void ws_quiet(podi_ws_t *ws);
static void ws_hang_up(podi_ws_t *ws);
static void ws_tell(void *data);
static void ws_destroy(podi_ws_t *ws);


podi_ws_t *
podi_ws_open(podi_io_t *io, const podi_ws_conf_t *conf, podi_fail_t *fail)
{
    podi_ws_t  *ws;

    podi_assert(conf->on_close != NULL);

    ws = calloc(1, sizeof(podi_ws_t));
    if (ws == NULL) {
        (void) podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        return NULL;
    }

    ws->io = io;
    ws->conf = *conf;
    ws->end.code = PODI_WS_ABNORMAL;
    ws->tell.run = ws_tell;
    ws->tell.data = ws;
    ws->more.run = podi_ws_more;
    ws->more.data = ws;
    podi_list_init(&ws->out);
    ws_defaults(&ws->conf);

    if (ws_init(ws, fail) != PODI_OK || podi_ws_dial(ws, fail) != PODI_OK) {
        ws_destroy(ws);
        return NULL;
    }

    podi_ws_set_state(ws, WS_CONNECTING);

    return ws;
}


static void
ws_defaults(podi_ws_conf_t *conf)
{
    conf->max_message = conf->max_message ? conf->max_message
                                          : WS_MAX_MESSAGE;
    conf->handshake_timeout = conf->handshake_timeout
                              ? conf->handshake_timeout : WS_HANDSHAKE;
    conf->ping_every = conf->ping_every ? conf->ping_every : WS_PING;
    conf->idle_timeout = conf->idle_timeout ? conf->idle_timeout : WS_IDLE;
    conf->close_timeout = conf->close_timeout ? conf->close_timeout
                                              : WS_CLOSE;
}


static podi_rc_t
ws_init(podi_ws_t *ws, podi_fail_t *fail)
{
    ws->arena = podi_arena_create();
    ws->timer = ws->io->timer(ws->io, PODI_TIMER_HOUSEKEEPING, ws_timed, ws);
    ws->easy = curl_easy_init();

    if (ws->arena == NULL || ws->timer == NULL || ws->easy == NULL
        || podi_ws_reader_init(&ws->reader, ws->conf.max_message) != PODI_OK
        || podi_multi_init(&ws->multi, ws->io, podi_ws_connected, ws)
           != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* the URL and the headers may be secrets */
    podi_arena_wipes(ws->arena);
    podi_buf_init(&ws->head, podi_arena_mem(ws->arena));

    return PODI_OK;
}


void
podi_ws_free(podi_ws_t **ws)
{
    podi_ws_t  *dead = *ws;

    *ws = NULL;

    if (dead == NULL) {
        return;
    }

    podi_assert(!dead->freeing);

    dead->freeing = 1;
    podi_ws_end(dead);

    if (dead->depth == 0) {
        ws_destroy(dead);
    }
}


static void
ws_destroy(podi_ws_t *ws)
{
    ws->freeing = 1;
    podi_ws_end(ws);

    if (ws->multi.io != NULL) {
        podi_multi_clear(&ws->multi);
    }

    if (ws->timer != NULL) {
        ws->io->timer_free(ws->timer);
    }

    podi_ws_reader_clear(&ws->reader);

    if (ws->arena != NULL) {
        podi_wipe(ws->request.data, ws->request.len);
        podi_arena_free(&ws->arena);
    }

    free(ws);
}


void
podi_ws_enter(podi_ws_t *ws)
{
    ws->depth++;
}


void
podi_ws_leave(podi_ws_t *ws)
{
    if (--ws->depth == 0 && ws->freeing) {
        ws_destroy(ws);
    }
}


/* SHAKING keeps the deadline of CONNECTING: a handshake is one thing */

void
podi_ws_set_state(podi_ws_t *ws, ws_state_e state)
{
    ws->state = state;

    switch (state) {

    case WS_CONNECTING:
        ws->io->arm(ws->timer, ws->conf.handshake_timeout);
        break;

    case WS_SHAKING:
        podi_assert(ws->watch != NULL);
        break;

    case WS_OPEN:
        ws->heard = podi_time_mono();
        ws_quiet(ws);
        break;

    case WS_CLOSING:
        ws->io->arm(ws->timer, ws->conf.close_timeout);
        break;

    case WS_CLOSED:
        podi_assert(ws->watch == NULL && ws->easy == NULL);
        break;
    }
}


static void
ws_timed(void *data)
{
    podi_ws_t  *ws = data;

    switch (ws->state) {

    case WS_CONNECTING:
    case WS_SHAKING:
        podi_ws_blame(ws, PODI_E_DEADLINE, "the handshake took too long");
        podi_ws_end(ws);
        break;

    case WS_OPEN:
        ws_quiet(ws);
        break;

    case WS_CLOSING:
        podi_ws_end(ws);
        break;

    case WS_CLOSED:
        break;
    }
}


/* how long is it quiet?  Asks, gives up, or looks again later */

static void
ws_quiet(podi_ws_t *ws)
{
    podi_msec_t  quiet, next;

    static const podi_str_t  nothing = podi_null_str;

    quiet = podi_time_mono() - ws->heard;

    if (quiet >= ws->conf.idle_timeout) {
        podi_ws_blame(ws, PODI_E_DEADLINE, "the peer is silent");
        podi_ws_end(ws);
        return;
    }

    next = (quiet < ws->conf.ping_every) ? ws->conf.ping_every - quiet
                                         : ws->conf.ping_every;

    if (next > ws->conf.idle_timeout - quiet) {
        next = ws->conf.idle_timeout - quiet;
    }

    ws->io->arm(ws->timer, next);

    /* what cannot be asked is as silent as what does not answer */

    if (quiet >= ws->conf.ping_every
        && podi_ws_queue_frame(ws, PODI_WS_PING, &nothing) == PODI_OK)
    {
        podi_ws_flush(ws);
    }
}


void
podi_ws_blame(podi_ws_t *ws, podi_error_e error, const char *why)
{
    if (ws->end.fail.error == PODI_E_NONE) {
        (void) podi_fail(&ws->end.fail, error, NULL, "%s", why);
    }
}


/* may be called again; the one that frees keeps on_close from being told */

void
podi_ws_end(podi_ws_t *ws)
{
    if (ws->state != WS_CLOSED) {
        ws_hang_up(ws);
        podi_ws_set_state(ws, WS_CLOSED);

        ws->io->post(ws->io, &ws->tell);
    }

    if (ws->freeing) {
        ws->io->unpost(&ws->tell);
    }
}


static void
ws_hang_up(podi_ws_t *ws)
{
    ws->io->unpost(&ws->more);

    if (ws->timer != NULL) {
        ws->io->disarm(ws->timer);
    }

    if (ws->watch != NULL) {
        ws->io->unwatch(ws->watch);
        ws->watch = NULL;
    }

    if (ws->easy != NULL) {
        if (ws->multi.multi != NULL) {
            (void) curl_multi_remove_handle(ws->multi.multi, ws->easy);
        }

        curl_easy_cleanup(ws->easy);
        ws->easy = NULL;
    }

    podi_ws_drop_queue(ws);
}


static void
ws_tell(void *data)
{
    podi_ws_t  *ws = data;

    podi_ws_enter(ws);
    ws->conf.on_close(ws->conf.data, &ws->end);
    podi_ws_leave(ws);
}


podi_rc_t
podi_ws_send_text(podi_ws_t *ws, const podi_str_t *text)
{
    podi_rc_t  rc;

    if (ws->state != WS_OPEN) {
        return PODI_DECLINED;
    }

    rc = podi_ws_queue_frame(ws, PODI_WS_TEXT, text);

    if (rc == PODI_OK) {
        podi_ws_flush(ws);
    }

    return rc;
}


void
podi_ws_close(podi_ws_t *ws, podi_ws_code_e code)
{
    switch (ws->state) {

    case WS_CONNECTING:
    case WS_SHAKING:
        podi_ws_end(ws);
        break;

    case WS_OPEN:
        podi_ws_say_close(ws, code);
        podi_ws_flush(ws);
        break;

    case WS_CLOSING:
    case WS_CLOSED:
        break;
    }
}


/* a close frame that finds no room is not sent: the deadline stands */

void
podi_ws_say_close(podi_ws_t *ws, unsigned code)
{
    podi_str_t     payload;
    unsigned char  bytes[2];

    bytes[0] = (unsigned char) (code >> 8);
    bytes[1] = (unsigned char) code;
    payload.data = bytes;
    payload.len = (code != 0) ? 2 : 0;

    podi_ws_set_state(ws, WS_CLOSING);
    (void) (podi_ws_queue_frame(ws, PODI_WS_CLOSE, &payload) == PODI_OK);
}


int
podi_ws_is_open(const podi_ws_t *ws)
{
    return ws->state == WS_OPEN;
}


uint64_t
podi_ws_skipped(const podi_ws_t *ws)
{
    return ws->reader.skipped;
}
