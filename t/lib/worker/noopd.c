/*
 * noopd: a daemon that only the measurements use: its jobs do nothing, or
 * nothing for as long as `work` says.
 *
 * Its actions are bench.free, bench.priced and bench.slow; only the last one
 * takes its time.  With `times` set it writes there when a job's first step
 * runs and when its work is over: "S|E <job id> <ns of the wall clock> <pid>".
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "podi_worker.h"
#include "banned.h"

typedef struct {
    const char   *times;
    int           fd;
    podi_msec_t   work;
} noopd_t;

/* an operation that is over after a while */

typedef struct {
    podi_op_t      op;
    podi_job_t    *job;
    podi_timer_t  *timer;
} noop_nap_t;


static noopd_t  noopd;

static const podi_setting_t  noopd_settings[] = {
    { "times", PODI_PATH, &noopd.times, "", NULL, NULL },
    { "work", PODI_MSEC, &noopd.work, "20ms", "1ms", "60s" },
    podi_null_setting
};


static podi_rc_t
noop_prepare(podi_worker_t *w, podi_fail_t *fail)
{
    (void) w;

    noopd.fd = -1;

    if (noopd.times[0] == '\0') {
        return PODI_OK;
    }

    noopd.fd = open(noopd.times, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                    0644);

    return (noopd.fd == -1)
           ? podi_fail(fail, PODI_E_INTERNAL, NULL, "cannot write \"%s\"",
                       noopd.times)
           : PODI_OK;
}


static void
noop_stop(podi_worker_t *w)
{
    (void) w;

    if (noopd.fd != -1) {
        (void) close(noopd.fd);
    }
}


static void
noop_note(podi_job_t *job, char what)
{
    char             line[128];
    struct timespec  ts;

    if (noopd.fd == -1) {
        return;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    (void) snprintf(line, sizeof(line), "%c " PODI_STR_FMT " %lld %d\n", what,
                    podi_str_arg(&job->id),
                    (long long) ts.tv_sec * 1000000000 + ts.tv_nsec,
                    (int) getpid());

    if (write(noopd.fd, line, strlen(line)) < 0) {
        abort();
    }
}


static podi_rc_t
noop_start(podi_flow_t *f, void *ctx)
{
    (void) f;

    noop_note(ctx, 'S');

    return PODI_OK;
}


static void
nap_over(void *data)
{
    podi_io_t   *io;
    noop_nap_t  *nap = data;

    io = podi_worker_io(nap->job->worker);
    io->timer_free(nap->timer);
    podi_op_done(&nap->op, NULL, NULL);
}


static void
nap_cancel(podi_op_t *op)
{
    podi_io_t   *io;
    noop_nap_t  *nap;

    nap = podi_list_owner(op, noop_nap_t, op);
    io = podi_worker_io(nap->job->worker);
    io->timer_free(nap->timer);
}


static podi_rc_t
noop_work(podi_flow_t *f, void *ctx)
{
    podi_io_t   *io;
    podi_job_t  *job = ctx;
    noop_nap_t  *nap = job->data;

    io = podi_worker_io(job->worker);
    nap->job = job;
    nap->timer = io->timer(io, PODI_TIMER_WORK, nap_over, nap);

    if (nap->timer == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no timer");
    }

    io->arm(nap->timer, noopd.work);

    return podi_flow_wait(f, &nap->op, nap_cancel);
}


static podi_rc_t
noop_succeed(podi_flow_t *f, void *ctx)
{
    (void) f;

    noop_note(ctx, 'E');

    return podi_job_succeed(ctx, NULL);
}


static const podi_step_t  noop_steps[] = {
    { "starting", noop_start, 0 },
    { "succeeding", noop_succeed, 0 },
    podi_null_step
};

static const podi_step_t  slow_steps[] = {
    { "starting", noop_start, 0 },
    { "working", noop_work, 0 },
    { "succeeding", noop_succeed, 0 },
    podi_null_step
};

static const podi_action_t  noopd_actions[] = {
    { "bench.free", noop_steps, NULL, 1 },
    { "bench.priced", noop_steps, NULL, 1 },
    { "bench.slow", slow_steps, NULL, sizeof(noop_nap_t) },
    podi_null_action
};


/* two copies may run beside each other: each has the name of its program */

int
main(int argc, char **argv)
{
    const char          *slash = strrchr(argv[0], '/');
    podi_worker_conf_t   conf = {
        .name = (slash == NULL) ? argv[0] : slash + 1,
        .settings = noopd_settings,
        .actions = noopd_actions,
        .queue = "bench",
        .start = noop_prepare,
        .stop = noop_stop,
        .data = &noopd,
    };

    return podi_worker_main(argc, argv, &conf);
}
