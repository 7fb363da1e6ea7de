/*
 * podi_picture: one picture in a process of its own, seen from outside.
 *
 *     WAITING -> RUNNING -> (exited and stdout at its end) -> answered,
 *                   |        closing
 *                   +-- picture_timeout, cancel --> KILLED -> the same way
 *
 * Promises: one answer; the process is gone when the answer comes; a flow
 * that is cancelled leaves a process that is killed and reaped by the loop.
 * The memory is freed when libuv has closed the last handle.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "podi_assert.h"
#include "podi_picture_int.h"
#include "banned.h"

typedef podi_picture_run_t  run_t;


static run_t *run_begin(podi_flow_t *f, podi_picture_spare_t *spare,
    const podi_picture_ask_t *ask);
static void run_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buf);
static void run_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void run_late(uv_timer_t *timer);
static void run_cancel(podi_op_t *op);
static void run_check(run_t *run);
static void run_judge(run_t *run, podi_mem_t *mem,
    podi_picture_answer_t *answer);
static void run_close_handle(run_t *run, uv_handle_t *handle);
static void run_closed(uv_handle_t *handle);


podi_rc_t
podi_picture_run(podi_flow_t *f, const podi_picture_conf_t *conf,
    const podi_picture_ask_t *ask)
{
    run_t  *run;

    run = run_begin(f, conf->spare, ask);
    if (run == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the picture's process could not be started");
    }

    run->state = RUN_RUNNING;

    if (uv_timer_start(&run->timer, run_late, conf->timeout, 0) != 0
        || uv_read_start((uv_stream_t *) &run->out, run_buffer, run_read) != 0)
    {
        podi_picture_kill(run, RUN_CANCELLED);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the picture's process could not be heard");
    }

    return podi_flow_wait(f, &run->op, run_cancel);
}


/*
 * One that waits, or one of its own.  The spare one may have died unseen; of
 * a new one the end tells why it heard nothing.
 */

static run_t *
run_begin(podi_flow_t *f, podi_picture_spare_t *spare,
    const podi_picture_ask_t *ask)
{
    run_t  *run;

    run = podi_picture_spare_take(spare);

    if (run != NULL) {

        if (podi_picture_tell(run, f->mem, ask) == PODI_OK) {
            return run;
        }

        podi_picture_kill(run, RUN_WAITING);
    }

    run = podi_picture_start(spare);

    if (run != NULL && podi_picture_tell(run, f->mem, ask) == PODI_ERROR) {
        podi_picture_kill(run, RUN_CANCELLED);
        return NULL;
    }

    return run;
}


void
podi_picture_kill(run_t *run, podi_picture_state_e state)
{
    run->state = state;

    if (!run->exited) {
        (void) uv_process_kill(&run->process, SIGKILL);
    }
}


static void
run_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    run_t  *run = handle->data;

    (void) wanted;

    *buf = uv_buf_init(run->reply + run->n,
                       (unsigned) (sizeof(run->reply) - run->n));
}


/* a full buffer (ENOBUFS) ends it, too: no answer is so long */

static void
run_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    run_t  *run = stream->data;

    (void) buf;

    if (n >= 0) {
        run->n += (size_t) n;
        return;
    }

    run->eof = 1;
    (void) uv_read_stop(stream);
    run_check(run);
}


void
podi_picture_exited(uv_process_t *process, int64_t status, int signum)
{
    run_t  *run = process->data;

    run->exited = 1;
    run->status = (int) status;
    run->signum = signum;

    if (run->state == RUN_WAITING) {
        podi_picture_spare_gone(run);
        run->state = RUN_CANCELLED;

    } else {
        podi_picture_spare_later(run->spare);
    }

    run_check(run);
}


static void
run_late(uv_timer_t *timer)
{
    run_t  *run = timer->data;

    podi_picture_kill(run, RUN_LATE);

    if (!run->exited) {
        return;
    }

    run->eof = 1;                       /* somebody else holds its stdout */
    run_check(run);
}


static void
run_cancel(podi_op_t *op)
{
    run_t  *run = podi_list_owner(op, run_t, op);

    podi_picture_kill(run, RUN_CANCELLED);

    if (run->exited) {
        run_check(run);
    }
}


static void
run_check(run_t *run)
{
    podi_fail_t       fail;
    podi_mem_t       *mem;
    podi_picture_answer_t  *answer;

    if (!run->exited || (!run->eof && run->state == RUN_RUNNING)
        || run->state == RUN_CLOSING)
    {
        return;
    }

    if (run->op.flow == NULL) {
        podi_picture_run_close(run);
        return;
    }

    mem = run->op.flow->mem;
    answer = podi_mem_calloc(mem, sizeof(podi_picture_answer_t));

    if (answer != NULL) {
        run_judge(run, mem, answer);
        podi_picture_run_close(run);
        podi_op_done(&run->op, answer, NULL);
        return;
    }

    (void) podi_fail(&fail, PODI_E_INTERNAL, NULL, "no memory");
    podi_picture_run_close(run);
    podi_op_done(&run->op, NULL, &fail);
}


/* how it ended -> what that says about the picture */

static void
run_judge(run_t *run, podi_mem_t *mem, podi_picture_answer_t *answer)
{
    const char  *detail;
    podi_str_t   text;

    text.data = (unsigned char *) run->reply;
    text.len = run->n;

    if (run->state == RUN_LATE) {
        answer->error = PODI_E_JOB_TIMEOUT;
        detail = "the picture took too long";

    } else if (run->signum == SIGXCPU) {
        answer->error = PODI_E_JOB_TIMEOUT;
        answer->final = 1;
        detail = "the picture took too much CPU time";

    } else if (run->signum == 0 && run->status == PODI_PICTURE_EXIT_MEMORY) {
        answer->error = PODI_E_PICTURE_TOO_LARGE;
        detail = "the picture took too much memory";

    } else if (run->signum != 0 || run->status != 0) {
        (void) snprintf(answer->detail, sizeof(answer->detail),
                        "the picture's process ended with status %d, "
                        "signal %d", run->status, run->signum);
        answer->error = PODI_E_JOB_CRASHED;
        return;

    } else if (podi_picture_reply(&text, mem, answer) == PODI_OK) {
        return;

    } else {
        answer->error = PODI_E_JOB_CRASHED;
        detail = "the picture's process made no sense";
    }

    (void) snprintf(answer->detail, sizeof(answer->detail), "%s", detail);
}


void
podi_picture_run_close(run_t *run)
{
    run->state = RUN_CLOSING;

    if (run->in != -1) {
        (void) close(run->in);
        run->in = -1;
    }

    if (run->handles == 0) {
        free(run);
        return;
    }

    run_close_handle(run, (uv_handle_t *) &run->timer);
    run_close_handle(run, (uv_handle_t *) &run->out);
    run_close_handle(run, (uv_handle_t *) &run->process);
}


/* one that was never made has no owner in its data */

static void
run_close_handle(run_t *run, uv_handle_t *handle)
{
    if (handle->data == run && !uv_is_closing(handle)) {
        uv_close(handle, run_closed);
    }
}


static void
run_closed(uv_handle_t *handle)
{
    run_t  *run = handle->data;

    podi_assert(run->handles > 0);

    if (--run->handles == 0) {
        free(run);
    }
}
