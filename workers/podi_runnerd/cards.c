/*
 * cards: all that a server can, as it says itself, read by a thread.
 *
 *     loop: a copy of the answer -> thread: parsed, made short
 *         -> loop: in the place of what was known before
 *
 * It is megabytes of JSON, half a second of work: no other job waits for it.
 * The thread has nothing but its own arena, and nobody else has that meanwhile.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_uv_io.h"
#include "runnerd.h"
#include "banned.h"


/* lives until the thread is done, which may be after the server has gone */

typedef struct {
    podi_op_t           op;
    uv_work_t           work;
    runner_server_t    *server;
    podi_arena_t       *arena;
    podi_str_t          body;
    podi_comfy_info_t   info;
    unsigned            ok:1;
} cards_t;


static podi_rc_t cards_copy(cards_t *cards, const podi_str_t *body);
static void cards_work(uv_work_t *work);
static void cards_done(uv_work_t *work, int status);
static void cards_cancel(podi_op_t *op);
static void cards_free(cards_t *cards);


podi_rc_t
runner_cards(podi_flow_t *f, runner_server_t *server, const podi_str_t *body)
{
    cards_t       *cards;
    podi_uv_io_t  *uv = podi_worker_io(runnerd.worker)->loop;

    cards = calloc(1, sizeof(cards_t));
    if (cards == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    cards->server = server;
    cards->work.data = cards;

    if (cards_copy(cards, body) != PODI_OK
        || uv_queue_work(uv->loop, &cards->work, cards_work, cards_done) != 0)
    {
        cards_free(cards);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "what it can could not be read");
    }

    return podi_flow_wait(f, &cards->op, cards_cancel);
}


/* the answer goes with the look, which may end before the thread does */

static podi_rc_t
cards_copy(cards_t *cards, const podi_str_t *body)
{
    cards->arena = podi_arena_create();
    cards->body.data = malloc(body->len + 1);

    if (cards->arena == NULL || cards->body.data == NULL) {
        return PODI_ERROR;
    }

    memcpy(cards->body.data, body->data, body->len);
    cards->body.len = body->len;

    return PODI_OK;
}


static void
cards_work(uv_work_t *work)
{
    cards_t  *cards = work->data;

    cards->ok = podi_comfy_info(&cards->body, runnerd.info_max,
                                podi_arena_mem(cards->arena), &cards->info)
                == PODI_OK;
}


static void
cards_done(uv_work_t *work, int status)
{
    cards_t          *cards = work->data;
    podi_fail_t       fail;
    podi_arena_t     *old;
    runner_server_t  *server = cards->server;

    if (cards->op.flow == NULL) {
        cards_free(cards);              /* cancelled: maybe with the server */
        return;
    }

    if (status != 0 || !cards->ok) {
        (void) podi_fail(&fail, PODI_E_UNAVAILABLE, NULL,
                         "no answer of ComfyUI");
        podi_op_done(&cards->op, NULL, &fail);
        cards_free(cards);
        return;
    }

    old = server->cards;
    server->cards = cards->arena;
    server->info = cards->info;
    cards->arena = old;

    podi_op_done(&cards->op, server, NULL);
    cards_free(cards);
}


/* the thread goes on; its answer will find nobody */

static void
cards_cancel(podi_op_t *op)
{
    cards_t  *cards = podi_list_owner(op, cards_t, op);

    (void) uv_cancel((uv_req_t *) &cards->work);
}


static void
cards_free(cards_t *cards)
{
    if (cards->arena != NULL) {
        podi_arena_free(&cards->arena);
    }

    free(cards->body.data);
    free(cards);
}
