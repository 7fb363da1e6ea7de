/*
 * echod: a daemon that only the tests use, to see the skeleton at work.
 *
 * Its actions are test.succeed, fail, crash, hang, slow, progress and parts; of
 * any other it writes the name.
 * What a job did is written into a file of its own in `spool`, so that a test
 * sees when it ran and how often: <spool>/<job id>, a line a run.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "podi_json.h"
#include "podi_worker.h"
#include "banned.h"

typedef struct {
    const char   *spool;
    podi_msec_t   slow;
} echod_t;

/* an operation that is over after a while */

typedef struct {
    unsigned  asked;
} part_t;

typedef struct {
    podi_op_t      op;
    podi_job_t    *job;
    podi_timer_t  *timer;
    unsigned       percent;
} nap_t;


static echod_t  echod;

static const podi_setting_t  echod_settings[] = {
    { "spool", PODI_PATH, &echod.spool, "", "1", NULL },
    { "slow", PODI_MSEC, &echod.slow, "2s", "1ms", "60s" },
    podi_null_setting
};


static void
echo_note(podi_job_t *job, const char *word)
{
    int   fd;
    char  path[512], line[128];

    (void) snprintf(path, sizeof(path), "%s/" PODI_STR_FMT, echod.spool,
                    podi_str_arg(&job->id));
    (void) snprintf(line, sizeof(line), "%s %lld %d\n", word,
                    (long long) job->fence, (int) getpid());

    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (fd == -1 || write(fd, line, strlen(line)) < 0 || close(fd) == -1) {
        abort();
    }
}


static void
nap_over(void *data)
{
    nap_t      *nap = data;
    podi_io_t  *io = podi_worker_io(nap->job->worker);

    if (nap->percent > 0 && nap->percent < 100) {
        nap->percent += 20;
        podi_job_progress(nap->job, nap->percent);
        io->arm(nap->timer, echod.slow / 5);
        return;
    }

    io->timer_free(nap->timer);
    podi_op_done(&nap->op, NULL, NULL);
}


static void
nap_cancel(podi_op_t *op)
{
    nap_t      *nap;
    podi_io_t  *io;

    nap = podi_list_owner(op, nap_t, op);
    io = podi_worker_io(nap->job->worker);

    io->timer_free(nap->timer);
}


static podi_rc_t
nap_start(podi_flow_t *f, podi_job_t *job, podi_msec_t span, unsigned percent)
{
    nap_t      *nap = job->data;
    podi_io_t  *io = podi_worker_io(job->worker);

    nap->job = job;
    nap->percent = percent;
    nap->timer = io->timer(io, PODI_TIMER_WORK, nap_over, nap);

    if (nap->timer == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no timer");
    }

    io->arm(nap->timer, span);

    return podi_flow_wait(f, &nap->op, nap_cancel);
}


static podi_rc_t
echo_start(podi_flow_t *f, void *ctx)
{
    (void) f;

    echo_note(ctx, "start");

    return PODI_OK;
}


static podi_rc_t
echo_succeed(podi_flow_t *f, void *ctx)
{
    (void) f;

    echo_note(ctx, "done");

    return podi_job_succeed(ctx, NULL);
}


static podi_rc_t
echo_fail(podi_flow_t *f, void *ctx)
{
    (void) f;

    return podi_job_fail(ctx, PODI_E_PICTURE_INVALID, "not a picture");
}


/* fails as many times as the parameter says, in a way that may pass */

static podi_rc_t
echo_flaky(podi_flow_t *f, void *ctx)
{
    podi_job_t  *job = ctx;

    podi_job_usage(job, "calls", 1);
    podi_job_cost(job, 300);

    if (job->attempt <= (unsigned) json_integer_value(
                                  json_object_get(job->params, "failures")))
    {
        return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                         "not yet \xff with token: hunter2");
    }

    return PODI_OK;
}


/* dies at its first attempts; the parameter says how many */

static podi_rc_t
echo_crash(podi_flow_t *f, void *ctx)
{
    podi_job_t  *job = ctx;

    (void) f;

    if (job->fence <= json_integer_value(json_object_get(job->params,
                                                         "crashes")))
    {
        _exit(7);
    }

    return PODI_OK;
}


static podi_rc_t
echo_hang(podi_flow_t *f, void *ctx)
{
    return nap_start(f, ctx, 3600 * 1000, 0);
}


static podi_rc_t
echo_slow(podi_flow_t *f, void *ctx)
{
    return nap_start(f, ctx, echod.slow, 0);
}


static podi_rc_t
echo_progress(podi_flow_t *f, void *ctx)
{
    podi_job_progress(ctx, 20);

    return nap_start(f, ctx, echod.slow / 5, 20);
}


/* two segments, and a line that must not be read as it is */

static podi_rc_t
echo_part(podi_flow_t *f, podi_job_t *job, unsigned n)
{
    part_t      *part = job->data;
    podi_str_t   checkpoint;

    part->asked = (job->segment < n);

    if (!part->asked) {
        return PODI_OK;
    }

    echo_note(job, n == 1 ? "one" : "two");
    podi_job_usage(job, "calls", 1);
    podi_job_cost(job, 700);
    podi_job_log(job, PODI_LOG_INFO, "part %u with token: hunter2", n);

    if (n == 2) {
        /* the end of the line is within its last character */
        podi_job_log(job, PODI_LOG_WARN, "%0998d\xc3\xa9", 0);
    }

    checkpoint = podi_str_c(n == 1 ? "{\"at\":1}" : "{\"at\":2}");

    return podi_job_segment(job, f, n, &checkpoint);
}


static podi_rc_t
echo_part_one(podi_flow_t *f, void *ctx)
{
    return echo_part(f, ctx, 1);
}


static podi_rc_t
echo_part_two(podi_flow_t *f, void *ctx)
{
    return echo_part(f, ctx, 2);
}


static podi_rc_t
echo_part_kept(podi_flow_t *f, void *ctx)
{
    part_t      *part;
    podi_job_t  *job = ctx;

    part = job->data;

    if (part->asked && !podi_job_segment_is_kept(job, f)) {
        return podi_job_fail(job, PODI_E_INTERNAL, "not kept");
    }

    return PODI_OK;
}


static podi_rc_t
echo_any(podi_flow_t *f, void *ctx)
{
    char         word[64];
    podi_job_t  *job = ctx;

    (void) f;

    (void) snprintf(word, sizeof(word), PODI_STR_FMT,
                    podi_str_arg(&job->action));
    echo_note(job, word);

    return podi_job_succeed(job, NULL);
}


static podi_rc_t
echo_undo(podi_flow_t *f, void *ctx)
{
    (void) f;

    echo_note(ctx, "undo");

    return PODI_DONE;
}


static const podi_step_t  succeed_steps[] = {
    { "starting", echo_start, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  fail_steps[] = {
    { "starting", echo_start, 0 },
    { "failing", echo_fail, 0 },
    podi_null_step
};

static const podi_step_t  flaky_steps[] = {
    { "starting", echo_start, 0 },
    { "trying", echo_flaky, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  crash_steps[] = {
    { "starting", echo_start, 0 },
    { "crashing", echo_crash, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  hang_steps[] = {
    { "starting", echo_start, 0 },
    { "hanging", echo_hang, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  slow_steps[] = {
    { "starting", echo_start, 0 },
    { "taking time", echo_slow, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  progress_steps[] = {
    { "starting", echo_start, 0 },
    { "making progress", echo_progress, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  parts_steps[] = {
    { "starting", echo_start, 0 },
    { "doing the first part", echo_part_one, 0 },
    { "keeping the first part", echo_part_kept, 0 },
    { "crashing", echo_crash, 0 },
    { "doing the second part", echo_part_two, 0 },
    { "keeping the second part", echo_part_kept, 0 },
    { "succeeding", echo_succeed, 0 },
    podi_null_step
};

static const podi_step_t  any_steps[] = {
    { "starting", echo_start, 0 },
    { "naming it", echo_any, 0 },
    podi_null_step
};

static const podi_step_t  undo_steps[] = {
    { "undoing", echo_undo, 0 },
    podi_null_step
};

/* the first row is not the first choice */

static const podi_action_t  echod_actions[] = {
    { PODI_ACTION_ANY, any_steps, undo_steps, sizeof(nap_t) },
    { "test.succeed", succeed_steps, undo_steps, sizeof(nap_t) },
    { "test.fail", fail_steps, undo_steps, sizeof(nap_t) },
    { "test.flaky", flaky_steps, undo_steps, sizeof(nap_t) },
    { "test.crash", crash_steps, undo_steps, sizeof(nap_t) },
    { "test.hang", hang_steps, undo_steps, sizeof(nap_t) },
    { "test.late", hang_steps, undo_steps, sizeof(nap_t) },
    { "test.slow", slow_steps, undo_steps, sizeof(nap_t) },
    { "test.progress", progress_steps, undo_steps, sizeof(nap_t) },
    { "test.parts", parts_steps, undo_steps, sizeof(part_t) },
    podi_null_action
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_echod",
        .settings = echod_settings,
        .actions = echod_actions,
        .queue = "test",
        .data = &echod,
    };

    return podi_worker_main(argc, argv, &conf);
}
