/*
 * provider_read: what an answer says.
 *
 *     no body of size:  read where it is asked for
 *     megabytes:        a copy of it -> thread: parsed, its results decoded
 *                           -> loop: in the memory of this look
 *
 * A picture as base64 is some tens of milliseconds for each megabyte; nobody
 * else's job waits for that.  The thread has nothing but its own arenas and the
 * description, which nobody changes; it may end when the job is long gone.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_base64.h"
#include "podi_uv_io.h"
#include "provider.h"
#include "banned.h"


#define READ_LARGE  (128 * 1024)


/* of one look: goes with its memory */

typedef struct {
    provider_run_t            *run;
    podi_arena_t              *arena;
    podi_provider_answer_t     answer;
} read_t;

/* of the thread: lives until that is done */

typedef struct {
    podi_op_t                  op;
    uv_work_t                  work;
    read_t                    *read;
    const podi_provider_op_t  *described;
    podi_provider_step_e       step;
    podi_arena_t              *asks;    /* what it is given, and works in */
    podi_arena_t              *gives;
    podi_provider_reply_t      told;
    podi_pair_t                pairs[PROVIDER_HEARD_MAX];
    podi_provider_answer_t     answer;  /* in gives */
    void                      *reply;   /* the look's */
    unsigned                   ok:1;
} reading_t;


static void read_told(provider_run_t *run, const podi_flow_t *f,
    podi_provider_reply_t *told, podi_pair_t *pairs);
static reading_t *read_begin(podi_flow_t *f, provider_run_t *run);
static podi_rc_t read_copy(reading_t *reading);
static void read_work(uv_work_t *work);
static podi_rc_t read_answer(reading_t *reading);
static podi_rc_t read_plain(podi_provider_answer_t *a, podi_mem_t *mem);
static podi_rc_t read_keep(const podi_provider_answer_t *a, podi_mem_t *mem,
    podi_provider_answer_t *ret);
static void read_done(uv_work_t *work, int status);
static void read_cancel(podi_op_t *op);
static void read_free(reading_t *reading);
static void read_release(void *thing);


podi_rc_t
provider_read(podi_flow_t *f, void *ctx)
{
    reading_t                *reading;
    podi_job_t               *job = ctx;
    podi_uv_io_t             *uv = podi_worker_io(job->worker)->loop;
    provider_run_t           *run = job->data;
    const podi_http_reply_t  *reply = f->result;

    if (reply == NULL || reply->body.len < READ_LARGE
        || run->facts->result == PODI_RESULT_BYTES)
    {
        return PODI_OK;
    }

    reading = read_begin(f, run);

    if (reading == NULL
        || uv_queue_work(uv->loop, &reading->work, read_work, read_done) != 0)
    {
        read_free(reading);
        return PODI_OK;
    }

    return podi_flow_wait(f, &reading->op, read_cancel);
}


static reading_t *
read_begin(podi_flow_t *f, provider_run_t *run)
{
    read_t     *read = podi_mem_calloc(f->mem, sizeof(read_t));
    reading_t  *reading = calloc(1, sizeof(reading_t));

    if (read == NULL || reading == NULL) {
        read_free(reading);
        return NULL;
    }

    read->run = run;
    reading->read = read;
    reading->described = run->op;
    reading->step = run->called;
    reading->reply = f->result;
    reading->work.data = reading;
    reading->asks = podi_arena_create();
    reading->gives = podi_arena_create();
    read_told(run, f, &reading->told, reading->pairs);

    if (reading->asks == NULL || reading->gives == NULL
        || read_copy(reading) != PODI_OK
        || podi_mem_own(f->mem, read_release, read) != PODI_OK)
    {
        read_free(reading);
        return NULL;
    }

    return reading;
}


/* the answer goes with the look, which may end before the thread does */

static podi_rc_t
read_copy(reading_t *reading)
{
    size_t       i;
    podi_mem_t  *mem = podi_arena_mem(reading->asks);

    for (i = 0; i < reading->told.n_headers; i++) {
        if (podi_mem_dup(mem, &reading->pairs[i].value,
                         &reading->pairs[i].value) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return podi_mem_dup(mem, &reading->told.body, &reading->told.body);
}


static void
read_work(uv_work_t *work)
{
    reading_t  *reading = work->data;

    reading->ok = read_answer(reading) == PODI_OK;

    podi_arena_free(&reading->asks);
}


static podi_rc_t
read_answer(reading_t *reading)
{
    podi_mem_t              *mem = podi_arena_mem(reading->asks);
    podi_provider_answer_t   a;

    if (podi_provider_answer(reading->described, reading->step, &reading->told,
                             mem, &a) != PODI_OK
        || read_plain(&a, mem) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return read_keep(&a, podi_arena_mem(reading->gives), &reading->answer);
}


/* what is no base64 is no result: nothing is left of it */

static podi_rc_t
read_plain(podi_provider_answer_t *a, podi_mem_t *mem)
{
    size_t                 i;
    podi_rc_t              rc;
    podi_provider_item_t  *item;

    for (i = 0; i < a->n_items; i++) {

        item = &a->items[i];

        if (item->kind != PODI_RESULT_BASE64) {
            continue;
        }

        rc = podi_base64_decode(mem, &item->value, &item->value);

        if (rc == PODI_ERROR) {
            return PODI_ERROR;
        }

        item->kind = PODI_RESULT_BYTES;
        item->value.len = rc == PODI_OK ? item->value.len : 0;
    }

    return PODI_OK;
}


/* a copy that needs nothing of what it was read from */

static podi_rc_t
read_keep(const podi_provider_answer_t *a, podi_mem_t *mem,
    podi_provider_answer_t *ret)
{
    size_t  i;

    *ret = *a;
    ret->items = podi_mem_calloc(mem, (a->n_items + 1)
                                      * sizeof(podi_provider_item_t));

    if (ret->items == NULL
        || podi_mem_dup(mem, &a->id, &ret->id) != PODI_OK
        || podi_mem_dup(mem, &a->poll_url, &ret->poll_url) != PODI_OK
        || podi_mem_dup(mem, &a->cancel_url, &ret->cancel_url) != PODI_OK
        || podi_mem_dup(mem, &a->result_url, &ret->result_url) != PODI_OK
        || podi_mem_dup(mem, &a->code, &ret->code) != PODI_OK
        || podi_mem_dup(mem, &a->message, &ret->message) != PODI_OK
        || podi_mem_dup(mem, &a->usage, &ret->usage) != PODI_OK)
    {
        return PODI_ERROR;
    }

    for (i = 0; i < a->n_items; i++) {

        ret->items[i].kind = a->items[i].kind;

        if (podi_mem_dup(mem, &a->items[i].value, &ret->items[i].value)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* what the thread had no memory for is read where it is asked for */

static void
read_done(uv_work_t *work, int status)
{
    read_t     *read;
    reading_t  *reading = work->data;

    if (reading->op.flow == NULL) {
        read_free(reading);             /* cancelled: maybe with the job */
        return;
    }

    if (status == 0 && reading->ok) {
        read = reading->read;
        read->arena = reading->gives;
        read->answer = reading->answer;
        read->run->read = &read->answer;
        reading->gives = NULL;
    }

    podi_op_done(&reading->op, reading->reply, NULL);
    read_free(reading);
}


/* the thread goes on; its answer will find nobody */

static void
read_cancel(podi_op_t *op)
{
    reading_t  *reading = podi_list_owner(op, reading_t, op);

    (void) uv_cancel((uv_req_t *) &reading->work);
}


static void
read_free(reading_t *reading)
{
    if (reading == NULL) {
        return;
    }

    if (reading->asks != NULL) {
        podi_arena_free(&reading->asks);
    }

    if (reading->gives != NULL) {
        podi_arena_free(&reading->gives);
    }

    free(reading);
}


static void
read_release(void *thing)
{
    read_t  *read = thing;

    read->run->read = NULL;

    if (read->arena != NULL) {
        podi_arena_free(&read->arena);
    }
}


static void
read_told(provider_run_t *run, const podi_flow_t *f,
    podi_provider_reply_t *told, podi_pair_t *pairs)
{
    size_t                    i;
    const podi_http_reply_t  *reply = f->result;

    memset(told, 0, sizeof(*told));
    told->headers = pairs;

    if (reply == NULL) {
        told->sent = f->fail.uncertain;
        return;
    }

    told->status = reply->status;
    told->sent = 1;
    told->body = reply->body;

    for (i = 0; i < PROVIDER_HEARD_MAX; i++) {

        pairs[told->n_headers].name = podi_provider_heard(run->op, i);

        if (pairs[told->n_headers].name.len == 0) {
            break;
        }

        pairs[told->n_headers].value = reply->headers[i];
        told->n_headers += reply->headers[i].len > 0;
    }
}


podi_rc_t
provider_answer(podi_flow_t *f, provider_run_t *run, podi_mem_t *mem,
    podi_provider_answer_t *ret)
{
    podi_rc_t                 rc;
    podi_pair_t               pairs[PROVIDER_HEARD_MAX];
    podi_provider_reply_t     told;
    const podi_http_reply_t  *reply = f->result;

    if (run->read != NULL) {
        rc = read_keep(run->read, mem, ret);

    } else {
        read_told(run, f, &told, pairs);
        rc = podi_provider_answer(run->op, run->called, &told, mem, ret);
        rc = rc == PODI_OK ? read_plain(ret, mem) : rc;
    }

    if (rc != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (reply != NULL && ret->retry_after == 0) {
        ret->retry_after = reply->retry_after;
    }

    if (reply != NULL && ret->n_items == 1
        && run->facts->result == PODI_RESULT_BYTES
        && podi_mem_dup(mem, &reply->body, &ret->items[0].value) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}
