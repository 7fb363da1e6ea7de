/*
 * podi_picture_start: a process for a picture, from exec to the question.
 *
 *     start   fork, exec, "limits" -> it sets them, starts libvips, waits
 *     tell    "question", and the files beside it -> it works
 *
 *     open -> a spare one waits -> taken by a picture -> ... -> the picture has
 *         ended -> 50 ms -> the next one is started
 *
 * Starting takes longer than looking at most pictures, so one process waits;
 * it has no file of anybody, and looks at one picture like any other.  When
 * there are more pictures at a time, the others' start theirs.  One that dies
 * while it waits is not replaced before the next picture: that one starts its
 * own, and finds out whether it works.
 *
 * Promises: none outlives its daemon (its stdin ends, and PDEATHSIG).
 */

#define _GNU_SOURCE                 /* SOCK_CLOEXEC */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "podi_json.h"
#include "podi_uv_io.h"
#include "podi_picture_int.h"
#include "banned.h"

#define SPARE_LATER  50             /* ms */


static podi_rc_t start_init(podi_picture_run_t *run, uv_loop_t *loop);
static int start_spawn(podi_picture_run_t *run, int in);
static podi_rc_t start_limits(podi_picture_run_t *run);
static podi_rc_t start_send(podi_picture_run_t *run, const podi_str_t *text,
    const podi_picture_ask_t *ask);
static size_t start_files(const podi_picture_ask_t *ask, int *fd);
static void start_spare(void *data);


podi_rc_t
podi_picture_open(podi_picture_conf_t *conf, podi_worker_t *w,
    podi_fail_t *fail)
{
    podi_io_t             *io = podi_worker_io(w);
    podi_picture_spare_t  *spare;

    spare = podi_mem_calloc(podi_worker_mem(w), sizeof(podi_picture_spare_t));

    if (spare != NULL) {
        spare->timer = io->timer(io, PODI_TIMER_HOUSEKEEPING, start_spare,
                                 spare);
    }

    if (spare == NULL || spare->timer == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    spare->worker = w;
    spare->conf = conf;
    spare->loop = ((podi_uv_io_t *) io->loop)->loop;
    conf->spare = spare;

    podi_picture_spare_later(spare);

    return PODI_OK;
}


void
podi_picture_close(podi_picture_conf_t *conf)
{
    podi_picture_spare_t  *spare = conf->spare;

    if (spare == NULL) {
        return;
    }

    podi_worker_io(spare->worker)->timer_free(spare->timer);
    spare->timer = NULL;

    if (spare->run != NULL) {
        podi_picture_kill(spare->run, RUN_CANCELLED);
        spare->run = NULL;
    }
}


void
podi_picture_spare_later(podi_picture_spare_t *spare)
{
    if (spare->timer != NULL) {
        podi_worker_io(spare->worker)->arm(spare->timer, SPARE_LATER);
    }
}


static void
start_spare(void *data)
{
    podi_picture_spare_t  *spare = data;

    if (spare->run == NULL && !podi_worker_is_draining(spare->worker)) {
        spare->run = podi_picture_start(spare);
    }
}


podi_picture_run_t *
podi_picture_spare_take(podi_picture_spare_t *spare)
{
    podi_picture_run_t  *run = spare->run;

    spare->run = NULL;

    return run;
}


void
podi_picture_spare_gone(podi_picture_run_t *run)
{
    podi_picture_spare_t  *spare = run->spare;

    if (spare->run == run) {
        spare->run = NULL;
    }

    podi_worker_log(spare->worker, PODI_LOG_WARN, "picture.spare_gone", NULL,
                    "the process that waited for a picture ended with status "
                    "%d, signal %d", run->status, run->signum);
}


podi_picture_run_t *
podi_picture_start(podi_picture_spare_t *spare)
{
    int                  in[2];
    podi_picture_run_t  *run;

    run = calloc(1, sizeof(podi_picture_run_t));
    if (run == NULL) {
        return NULL;
    }

    run->spare = spare;
    run->in = -1;

    if (start_init(run, spare->loop) != PODI_OK
        || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == -1)
    {
        podi_picture_run_close(run);
        return NULL;
    }

    run->in = in[0];

    if (start_spawn(run, in[1]) != 0) {
        (void) close(in[1]);
        podi_picture_run_close(run);
        return NULL;
    }

    (void) close(in[1]);

    if (start_limits(run) == PODI_ERROR) {
        podi_picture_kill(run, RUN_CANCELLED);
        return NULL;
    }

    return run;
}


static podi_rc_t
start_init(podi_picture_run_t *run, uv_loop_t *loop)
{
    if (uv_timer_init(loop, &run->timer) != 0) {
        return PODI_ERROR;
    }

    run->timer.data = run;
    run->handles++;

    if (uv_pipe_init(loop, &run->out, 0) != 0) {
        return PODI_ERROR;
    }

    run->out.data = run;
    run->handles++;

    return PODI_OK;
}


/* it inherits no file and no environment */

static int
start_spawn(podi_picture_run_t *run, int in)
{
    char                  *args[] = { "podi_imaged", "--picture", NULL };
    char                  *env[] = { "LC_ALL=C", NULL };
    uv_stdio_container_t   stdio[3];
    uv_process_options_t   options;

    memset(&options, 0, sizeof(uv_process_options_t));
    memset(stdio, 0, sizeof(stdio));

    stdio[0].flags = UV_INHERIT_FD;
    stdio[0].data.fd = in;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *) &run->out;
    stdio[2].flags = UV_IGNORE;

#ifdef __SANITIZE_ADDRESS__
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = STDERR_FILENO;
    options.env = NULL;                 /* where reports go is said there */
    (void) env;
#else
    options.env = env;
#endif

    options.file = run->spare->conf->program;
    options.args = args;
    options.cwd = "/";
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = podi_picture_exited;

    run->process.data = run;
    run->handles++;

    return uv_spawn(run->spare->loop, &run->process, &options);
}


static podi_rc_t
start_limits(podi_picture_run_t *run)
{
    int                         n;
    char                        line[512];
    podi_str_t                  text;
    const podi_picture_conf_t  *conf = run->spare->conf;

    n = snprintf(line, sizeof(line), "{\"parent\":%d,\"max_pixels\":%lld,"
                 "\"max_dimension\":%lld,\"cpu\":%llu,\"memory\":%llu,"
                 "\"result_max\":%llu,\"seccomp\":%s}\n",
                 (int) getpid(),
                 (long long) conf->max_pixels,
                 (long long) conf->max_dimension,
                 (unsigned long long) (conf->cpu + 999) / 1000,
                 (unsigned long long) conf->memory,
                 (unsigned long long) conf->result_max,
                 conf->seccomp ? "true" : "false");

    if (n < 0 || (size_t) n >= sizeof(line)) {
        return PODI_ERROR;
    }

    text.data = (unsigned char *) line;
    text.len = (size_t) n;

    return start_send(run, &text, NULL);
}


podi_rc_t
podi_picture_tell(podi_picture_run_t *run, podi_mem_t *mem,
    const podi_picture_ask_t *ask)
{
    podi_rc_t   rc;
    podi_buf_t  b;
    podi_str_t  text;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"action\":");
    podi_buf_add_json(&b, &ask->action);
    podi_buf_add_c(&b, ",\"params\":");

    if (ask->params != NULL) {
        podi_json_add(&b, ask->params);

    } else {
        podi_buf_add_c(&b, "{}");
    }

    podi_buf_printf(&b, ",\"inputs\":%u}\n", ask->n);

    rc = podi_buf_take(&b, &text);

    if (rc == PODI_OK) {
        rc = start_send(run, &text, ask);
    }

    /* the end of its stdin is the end of the question */

    (void) close(run->in);
    run->in = -1;

    return rc;
}


/* it is far less than a socket takes, so all of it goes, or nothing */

static podi_rc_t
start_send(podi_picture_run_t *run, const podi_str_t *text,
    const podi_picture_ask_t *ask)
{
    int              fd[PODI_PICTURE_INPUTS_MAX + 1];
    size_t           n = 0;
    ssize_t          sent;
    struct iovec     iov;
    struct msghdr    msg;
    struct cmsghdr  *c;

    union {
        struct cmsghdr  head;
        char            data[CMSG_SPACE(sizeof(fd))];
    } control;

    memset(&msg, 0, sizeof(msg));
    memset(&control, 0, sizeof(control));
    iov.iov_base = text->data;
    iov.iov_len = text->len;
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    if (ask != NULL) {
        n = start_files(ask, fd);
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fd, n * sizeof(int));
    }

    sent = sendmsg(run->in, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent == -1 && errno == EPIPE) {
        return PODI_DECLINED;
    }

    return (sent == (ssize_t) text->len) ? PODI_OK : PODI_ERROR;
}


/* in the order of their places */

static size_t
start_files(const podi_picture_ask_t *ask, int *fd)
{
    unsigned  i;

    fd[PODI_PICTURE_OUT - PODI_PICTURE_IN] = ask->out;

    for (i = 0; i < ask->n; i++) {
        fd[podi_picture_fd(i) - PODI_PICTURE_IN] = ask->in[i];
    }

    return ask->n + 1;
}
