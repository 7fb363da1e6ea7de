/*
 * noopd: a daemon that only the measurements use: its jobs do nothing.
 *
 * Its actions are bench.free and bench.priced.  With `times` set, the moment
 * at which a job's first step runs is written there: "<job id> <ns of the
 * wall clock>", a line a job.
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
    const char  *times;
    int          fd;
} noopd_t;


static noopd_t  noopd;

static const podi_setting_t  noopd_settings[] = {
    { "times", PODI_PATH, &noopd.times, "", NULL, NULL },
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


static podi_rc_t
noop_start(podi_flow_t *f, void *ctx)
{
    char              line[128];
    podi_job_t       *job = ctx;
    struct timespec   ts;

    (void) f;

    if (noopd.fd == -1) {
        return PODI_OK;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    (void) snprintf(line, sizeof(line), PODI_STR_FMT " %lld\n",
                    podi_str_arg(&job->id),
                    (long long) ts.tv_sec * 1000000000 + ts.tv_nsec);

    if (write(noopd.fd, line, strlen(line)) < 0) {
        abort();
    }

    return PODI_OK;
}


static podi_rc_t
noop_succeed(podi_flow_t *f, void *ctx)
{
    (void) f;

    return podi_job_succeed(ctx, NULL);
}


static const podi_step_t  noop_steps[] = {
    { "starting", noop_start, 0 },
    { "succeeding", noop_succeed, 0 },
    podi_null_step
};

static const podi_action_t  noopd_actions[] = {
    { "bench.free", noop_steps, NULL, 1 },
    { "bench.priced", noop_steps, NULL, 1 },
    podi_null_action
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_noopd",
        .settings = noopd_settings,
        .actions = noopd_actions,
        .queue = "bench",
        .start = noop_prepare,
        .stop = noop_stop,
        .data = &noopd,
    };

    return podi_worker_main(argc, argv, &conf);
}
