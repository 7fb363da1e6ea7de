/*
 * podi_ws_wire: bytes and frames on the connection that curl has made.
 *
 *     ready -> recv -> frames -> events -> on_text | pong | close
 *     frame -> mask -> queue -> flush -> send
 *
 * Promises: after a turn of WS_TURNS buffers the loop is given back, so that
 * a peer who never stops does not stop all others.
 */

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "podi_id.h"
#include "podi_secret.h"
#include "podi_ws_int.h"
#include "banned.h"

#define WS_BUFFER     16384
#define WS_TURNS      16
#define WS_QUEUE_MAX  1048576


static podi_rc_t wire_room(podi_ws_t *ws, size_t len, ws_chunk_t **ret_chunk);
static void wire_add(podi_ws_t *ws, ws_chunk_t *chunk);
static void wire_remove(podi_ws_t *ws, ws_chunk_t *chunk);
static void wire_want(podi_ws_t *ws);
static podi_rc_t wire_read(podi_ws_t *ws);
static void wire_lost(podi_ws_t *ws, const char *why);
static void wire_take(podi_ws_t *ws, podi_str_t *bytes);
static void wire_event(podi_ws_t *ws, const podi_ws_event_t *event);
static void wire_message(podi_ws_t *ws, const podi_ws_event_t *event);
static void wire_goodbye(podi_ws_t *ws, const podi_ws_event_t *event);


podi_rc_t
podi_ws_queue(podi_ws_t *ws, const podi_str_t *bytes)
{
    podi_rc_t    rc;
    ws_chunk_t  *chunk;

    rc = wire_room(ws, bytes->len, &chunk);

    if (rc != PODI_OK) {
        return rc;
    }

    memcpy(chunk->data, bytes->data, bytes->len);
    chunk->len = bytes->len;
    wire_add(ws, chunk);

    return PODI_OK;
}


podi_rc_t
podi_ws_queue_frame(podi_ws_t *ws, podi_ws_kind_e kind,
    const podi_str_t *payload)
{
    size_t          n;
    podi_rc_t       rc;
    ws_chunk_t     *chunk;
    unsigned char   mask[4];

    if (podi_random(mask, sizeof(mask)) != PODI_OK) {
        return PODI_ERROR;
    }

    rc = wire_room(ws, PODI_WS_HEAD_MAX + payload->len, &chunk);

    if (rc != PODI_OK) {
        return rc;
    }

    n = podi_ws_head(chunk->data, kind, payload->len, mask);

    if (payload->len > 0) {
        memcpy(chunk->data + n, payload->data, payload->len);
        podi_ws_mask(chunk->data + n, payload->len, mask);
    }

    chunk->len = n + payload->len;
    wire_add(ws, chunk);

    return PODI_OK;
}


static podi_rc_t
wire_room(podi_ws_t *ws, size_t len, ws_chunk_t **ret_chunk)
{
    ws_chunk_t  *chunk;

    if (ws->queued > WS_QUEUE_MAX || len > WS_QUEUE_MAX) {
        return PODI_BUSY;
    }

    chunk = malloc(sizeof(ws_chunk_t) + len);

    if (chunk == NULL) {
        return PODI_ERROR;
    }

    *ret_chunk = chunk;

    return PODI_OK;
}


static void
wire_add(podi_ws_t *ws, ws_chunk_t *chunk)
{
    chunk->sent = 0;
    ws->queued += chunk->len;
    podi_list_append(&ws->out, &chunk->link);
}


/* the request has tokens in it */

static void
wire_remove(podi_ws_t *ws, ws_chunk_t *chunk)
{
    ws->queued -= chunk->len;
    podi_list_remove(&chunk->link);
    podi_wipe(chunk->data, chunk->len);
    free(chunk);
}


void
podi_ws_drop_queue(podi_ws_t *ws)
{
    while (!podi_list_is_empty(&ws->out)) {
        wire_remove(ws, podi_list_owner(ws->out.next, ws_chunk_t, link));
    }
}


void
podi_ws_flush(podi_ws_t *ws)
{
    size_t       n;
    CURLcode     code;
    ws_chunk_t  *chunk;

    while (!podi_list_is_empty(&ws->out)) {
        chunk = podi_list_owner(ws->out.next, ws_chunk_t, link);
        n = 0;

        code = curl_easy_send(ws->easy, chunk->data + chunk->sent,
                              chunk->len - chunk->sent, &n);
        ERR_clear_error();

        if (code == CURLE_AGAIN) {
            break;
        }

        if (code != CURLE_OK) {
            wire_lost(ws, "the peer has gone");
            return;
        }

        chunk->sent += n;

        if (chunk->sent == chunk->len) {
            wire_remove(ws, chunk);
        }
    }

    /* both have said goodbye: nothing is left to wait for */

    if (ws->left && podi_list_is_empty(&ws->out)) {
        podi_ws_end(ws);
        return;
    }

    wire_want(ws);
}


static void
wire_want(podi_ws_t *ws)
{
    unsigned  events;

    events = (ws->left ? 0 : PODI_IO_READ)
             | (podi_list_is_empty(&ws->out) ? 0 : PODI_IO_WRITE);

    if (ws->io->want(ws->watch, events) != PODI_OK) {
        podi_ws_blame(ws, PODI_E_INTERNAL, "the loop gave up the connection");
        podi_ws_end(ws);
    }
}


void
podi_ws_ready(void *data, unsigned ready)
{
    podi_ws_t  *ws = data;

    if (ready & PODI_IO_WRITE) {
        podi_ws_flush(ws);
    }

    podi_ws_more(ws);
}


/*
 * TLS may hold bytes that the socket has no more, so the loop is asked.  Who
 * has said goodbye is answered, not listened to.
 */

void
podi_ws_more(void *data)
{
    unsigned    i;
    podi_rc_t   rc;
    podi_ws_t  *ws = data;

    podi_ws_enter(ws);

    for (rc = PODI_OK, i = 0; rc == PODI_OK && i < WS_TURNS; i++) {
        rc = (ws->state != WS_CLOSED && !ws->left) ? wire_read(ws)
                                                   : PODI_DONE;
    }

    if (ws->state != WS_CLOSED) {
        podi_ws_flush(ws);
    }

    if (rc == PODI_OK && ws->state != WS_CLOSED) {
        ws->io->post(ws->io, &ws->more);
    }

    podi_ws_leave(ws);
}


/* OK: there may be more; AGAIN: not now; DONE: it is over */

static podi_rc_t
wire_read(podi_ws_t *ws)
{
    size_t          n;
    CURLcode        code;
    podi_str_t      bytes;
    unsigned char   buffer[WS_BUFFER];

    n = 0;
    code = curl_easy_recv(ws->easy, buffer, sizeof(buffer), &n);
    ERR_clear_error();

    if (code == CURLE_AGAIN) {
        return PODI_AGAIN;
    }

    if (code != CURLE_OK || n == 0) {
        wire_lost(ws, "the connection was cut");
        return PODI_DONE;
    }

    ws->heard = podi_time_mono();
    bytes.data = buffer;
    bytes.len = n;

    if (ws->state == WS_SHAKING) {
        podi_ws_dialled(ws, &bytes);
    }

    wire_take(ws, &bytes);

    return PODI_OK;
}


/* who has begun to close does not mind how it ends */

static void
wire_lost(podi_ws_t *ws, const char *why)
{
    if (ws->state != WS_CLOSING) {
        podi_ws_blame(ws, PODI_E_UNAVAILABLE, why);
    }

    podi_ws_end(ws);
}


static void
wire_take(podi_ws_t *ws, podi_str_t *bytes)
{
    podi_rc_t        rc;
    podi_ws_event_t  event;

    while ((ws->state == WS_OPEN || ws->state == WS_CLOSING) && !ws->deaf) {
        rc = podi_ws_take(&ws->reader, bytes, &event);

        if (rc == PODI_AGAIN) {
            return;
        }

        if (rc == PODI_OK) {
            wire_event(ws, &event);
            continue;
        }

        /* its end is waited for, or our goodbye would be lost on the way */

        podi_ws_blame(ws, PODI_E_UNAVAILABLE, ws->reader.why);
        ws->end.code = ws->reader.code;
        ws->deaf = 1;

        if (ws->state == WS_OPEN) {
            podi_ws_say_close(ws, ws->reader.code);
        }
    }
}


static void
wire_event(podi_ws_t *ws, const podi_ws_event_t *event)
{
    switch (event->kind) {

    case PODI_WS_TEXT:
    case PODI_WS_BINARY:
        wire_message(ws, event);
        break;

    case PODI_WS_PING:
        /* one that finds no room is not answered: nobody reads there */

        if (ws->state == WS_OPEN) {
            (void) (podi_ws_queue_frame(ws, PODI_WS_PONG, &event->data)
                    == PODI_OK);
        }
        break;

    case PODI_WS_CLOSE:
        wire_goodbye(ws, event);
        break;

    case PODI_WS_PONG:
    case PODI_WS_CONTINUATION:
        break;
    }
}


static void
wire_message(podi_ws_t *ws, const podi_ws_event_t *event)
{
    if (ws->state != WS_OPEN) {
        return;
    }

    if (event->kind == PODI_WS_TEXT && ws->conf.on_text != NULL) {
        ws->conf.on_text(ws->conf.data, &event->data);

    } else if (event->kind == PODI_WS_BINARY && ws->conf.on_binary != NULL) {
        ws->conf.on_binary(ws->conf.data, &event->data);
    }
}


static void
wire_goodbye(podi_ws_t *ws, const podi_ws_event_t *event)
{
    ws->left = 1;
    ws->deaf = 1;
    ws->end.code = event->code;

    if (event->data.len > 0) {
        memcpy(ws->reason, event->data.data, event->data.len);
        ws->end.reason.data = ws->reason;
        ws->end.reason.len = event->data.len;
    }

    if (ws->state == WS_OPEN) {
        podi_ws_say_close(ws, event->code != PODI_WS_NO_CODE ? event->code
                                                             : 0);
    }
}
