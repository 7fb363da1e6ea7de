/*
 * podi_picture: one picture in a process of its own, seen from outside.
 *
 *     start -> RUNNING -> (exited and stdout at its end) -> answered, closing
 *                 |
 *                 +-- picture_timeout, cancel --> KILLED -> the same way
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
#include "podi_json.h"
#include "podi_uv_io.h"
#include "podi_picture.h"
#include "banned.h"

typedef enum {
    RUN_RUNNING,
    RUN_LATE,                       /* killed, because its time was over */
    RUN_CANCELLED,                  /* killed, because nobody waits */
    RUN_CLOSING
} run_state_e;

typedef struct {
    podi_op_t       op;
    run_state_e     state;
    uv_process_t    process;
    uv_pipe_t       in;             /* the process's stdin */
    uv_pipe_t       out;
    uv_timer_t      timer;
    uv_write_t      write;
    unsigned        handles;        /* that libuv has not closed yet */
    char           *ask;
    size_t          ask_len;
    char            reply[PODI_PICTURE_REPLY_MAX];
    size_t          n;
    int             status;
    int             signum;
    unsigned        exited:1;
    unsigned        eof:1;
} run_t;


static podi_rc_t run_ask(run_t *run, podi_flow_t *f,
    const podi_picture_conf_t *conf, const podi_picture_ask_t *ask);
static podi_rc_t run_init(run_t *run, uv_loop_t *loop);
static int run_spawn(run_t *run, uv_loop_t *loop, const char *program,
    const podi_picture_ask_t *ask);
static void run_asked(uv_write_t *write, int status);
static void run_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buf);
static void run_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void run_exited(uv_process_t *process, int64_t status, int signum);
static void run_late(uv_timer_t *timer);
static void run_cancel(podi_op_t *op);
static void run_check(run_t *run);
static void run_judge(run_t *run, podi_mem_t *mem,
    podi_picture_answer_t *answer);
static void run_close(run_t *run);
static void run_close_handle(run_t *run, uv_handle_t *handle);
static void run_closed(uv_handle_t *handle);


podi_rc_t
podi_picture_run(podi_flow_t *f, podi_job_t *job,
    const podi_picture_conf_t *conf, const podi_picture_ask_t *ask)
{
    run_t      *run;
    uv_buf_t    buf;
    uv_loop_t  *loop;

    loop = ((podi_uv_io_t *) podi_worker_io(job->worker)->loop)->loop;

    run = calloc(1, sizeof(run_t));
    if (run == NULL || run_ask(run, f, conf, ask) != PODI_OK) {
        free(run);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (run_init(run, loop) != PODI_OK
        || run_spawn(run, loop, conf->program, ask) != 0)
    {
        run_close(run);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the picture's process could not be started");
    }

    buf = uv_buf_init(run->ask, (unsigned) run->ask_len);

    if (uv_timer_start(&run->timer, run_late, conf->timeout, 0) != 0
        || uv_read_start((uv_stream_t *) &run->out, run_buffer, run_read) != 0
        || uv_write(&run->write, (uv_stream_t *) &run->in, &buf, 1, run_asked)
           != 0)
    {
        run->state = RUN_CANCELLED;
        (void) uv_process_kill(&run->process, SIGKILL);
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                         "the picture's process could not be asked");
    }

    return podi_flow_wait(f, &run->op, run_cancel);
}


static podi_rc_t
run_ask(run_t *run, podi_flow_t *f, const podi_picture_conf_t *conf,
    const podi_picture_ask_t *ask)
{
    podi_buf_t  b;
    podi_str_t  text;

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"action\":");
    podi_buf_add_json(&b, &ask->action);
    podi_buf_add_c(&b, ",\"params\":");

    if (ask->params != NULL) {
        podi_json_add(&b, ask->params);

    } else {
        podi_buf_add_c(&b, "{}");
    }

    podi_buf_printf(&b, ",\"inputs\":%u,\"parent\":%d,\"max_pixels\":%lld,"
                    "\"max_dimension\":%lld,\"cpu\":%llu,\"memory\":%llu,"
                    "\"result_max\":%llu,\"seccomp\":%s}", ask->n,
                    (int) getpid(),
                    (long long) conf->max_pixels,
                    (long long) conf->max_dimension,
                    (unsigned long long) (conf->cpu + 999) / 1000,
                    (unsigned long long) conf->memory,
                    (unsigned long long) conf->result_max,
                    conf->seccomp ? "true" : "false");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return PODI_ERROR;
    }

    /* the process may read it after the flow has gone */

    run->ask = malloc(text.len);
    if (run->ask == NULL) {
        return PODI_ERROR;
    }

    memcpy(run->ask, text.data, text.len);
    run->ask_len = text.len;

    return PODI_OK;
}


static podi_rc_t
run_init(run_t *run, uv_loop_t *loop)
{
    if (uv_timer_init(loop, &run->timer) != 0) {
        return PODI_ERROR;
    }

    run->timer.data = run;
    run->handles++;

    if (uv_pipe_init(loop, &run->in, 0) != 0) {
        return PODI_ERROR;
    }

    run->in.data = run;
    run->handles++;

    if (uv_pipe_init(loop, &run->out, 0) != 0) {
        return PODI_ERROR;
    }

    run->out.data = run;
    run->handles++;

    return PODI_OK;
}


/* what it inherits are the files, and no environment */

static int
run_spawn(run_t *run, uv_loop_t *loop, const char *program,
    const podi_picture_ask_t *ask)
{
    unsigned               i;
    char                  *args[] = { "podi_imaged", "--picture", NULL };
    char                  *env[] = { "LC_ALL=C", NULL };
    uv_stdio_container_t   stdio[PODI_PICTURE_OUT + PODI_PICTURE_INPUTS_MAX];
    uv_process_options_t   options;

    memset(&options, 0, sizeof(uv_process_options_t));
    memset(stdio, 0, sizeof(stdio));

    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *) &run->in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *) &run->out;
    stdio[2].flags = UV_IGNORE;
    stdio[PODI_PICTURE_OUT].flags = UV_INHERIT_FD;
    stdio[PODI_PICTURE_OUT].data.fd = ask->out;

    for (i = 0; i < ask->n; i++) {
        stdio[podi_picture_fd(i)].flags = UV_INHERIT_FD;
        stdio[podi_picture_fd(i)].data.fd = ask->in[i];
    }

#ifdef __SANITIZE_ADDRESS__
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = STDERR_FILENO;
    options.env = NULL;                 /* where reports go is said there */
    (void) env;
#else
    options.env = env;
#endif

    options.file = program;
    options.args = args;
    options.cwd = "/";
    options.stdio = stdio;
    options.stdio_count = PODI_PICTURE_OUT + (int) ask->n;
    options.exit_cb = run_exited;

    run->process.data = run;
    run->handles++;

    return uv_spawn(loop, &run->process, &options);
}


/* the end of its stdin is the end of the question */

static void
run_asked(uv_write_t *write, int status)
{
    run_t  *run = podi_list_owner(write, run_t, write);

    (void) status;

    run_close_handle(run, (uv_handle_t *) &run->in);
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


static void
run_exited(uv_process_t *process, int64_t status, int signum)
{
    run_t  *run = process->data;

    run->exited = 1;
    run->status = (int) status;
    run->signum = signum;

    run_check(run);
}


static void
run_late(uv_timer_t *timer)
{
    run_t  *run = timer->data;

    run->state = RUN_LATE;

    if (!run->exited) {
        (void) uv_process_kill(&run->process, SIGKILL);
        return;
    }

    run->eof = 1;                       /* somebody else holds its stdout */
    run_check(run);
}


static void
run_cancel(podi_op_t *op)
{
    run_t  *run = podi_list_owner(op, run_t, op);

    run->state = RUN_CANCELLED;

    if (run->exited) {
        run_check(run);
        return;
    }

    (void) uv_process_kill(&run->process, SIGKILL);
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
        run_close(run);
        return;
    }

    mem = run->op.flow->mem;
    answer = podi_mem_calloc(mem, sizeof(podi_picture_answer_t));

    if (answer != NULL) {
        run_judge(run, mem, answer);
        run_close(run);
        podi_op_done(&run->op, answer, NULL);
        return;
    }

    (void) podi_fail(&fail, PODI_E_INTERNAL, NULL, "no memory");
    run_close(run);
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


static void
run_close(run_t *run)
{
    run->state = RUN_CLOSING;

    if (run->handles == 0) {
        free(run->ask);
        free(run);
        return;
    }

    run_close_handle(run, (uv_handle_t *) &run->timer);
    run_close_handle(run, (uv_handle_t *) &run->in);
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
        free(run->ask);
        free(run);
    }
}
