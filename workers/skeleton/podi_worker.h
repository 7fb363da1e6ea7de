/*
 * podi_worker: what a daemon is made of.
 *
 *     main -> podi_worker_main(argc, argv, &conf)
 *               parent: forks the child, reaps it, releases its leases
 *               child:  one event loop: rounds, jobs, signals, log, metrics
 *
 * A daemon is a settings table, rounds (flows that repeat) and, when it takes
 * jobs, a table of actions (flows that serve one job each).  The skeleton
 * owns everything else: connections, claiming, leases, heartbeat, cancel,
 * retry, settling, events, drain, restart, liveness.
 *
 * Command line: <daemon> -c FILE [-n NAME] [-t]
 *     -n NAME  another one of its kind on this host, with the settings of
 *              [daemon:NAME] besides; log, metrics, pid file, application name
 *              and worker are called daemon:NAME
 *     -t       only checks the settings
 * Exit: 0 after a drain, 1 could not start or run, 2 usage.
 *
 * Signals to the parent: TERM or INT drains (no new claims; jobs in hand are
 * finished within drain_timeout, the rest is returned to the queue), HUP
 * reads the settings again, opens the log anew and replaces the child after
 * a drain.
 *
 * Nothing here blocks.  A daemon never opens a PostgreSQL or Redis connection
 * of its own, never sets a signal handler, never calls exit.
 */

#ifndef PODI_WORKER_H
#define PODI_WORKER_H


#include <jansson.h>

#include "podi_event.h"
#include "podi_flow.h"
#include "podi_io.h"
#include "podi_pg.h"
#include "podi_redis.h"
#include "podi_setting.h"


typedef struct podi_worker_s  podi_worker_t;
typedef struct podi_job_s     podi_job_t;
typedef struct podi_round_s   podi_round_t;


typedef enum {
    PODI_LOG_ERROR,         /* somebody must look */
    PODI_LOG_WARN,          /* we coped */
    PODI_LOG_NOTICE,        /* lifecycle */
    PODI_LOG_INFO,          /* one line a job */
    PODI_LOG_DEBUG
} podi_log_e;


/* ---- rounds: a flow that repeats ---------------------------------------- */

/*
 * The steps get the podi_round_t as their ctx; f->mem lives until the round
 * ends.  One round of a row at a time: the next begins `every` after the end
 * of the last, or at once when a step said podi_round_again.  The last step
 * gives DONE.  A round that fails is logged when the failure is new, counted
 * and tried again after `every`.
 */

typedef struct {
    const char         *name;       /* "dispatch", for log and metrics */
    const podi_msec_t  *every;      /* usually a setting */
    const podi_step_t  *steps;
    size_t              size;       /* of round->data, zeroed for each round */
} podi_round_conf_t;

#define podi_null_round  { NULL, NULL, NULL, 0 }

struct podi_round_s {
    podi_worker_t            *worker;
    const podi_round_conf_t  *conf;
    void                     *data;
};

/* from a step: there is more to do, do not wait */
void podi_round_again(podi_round_t *round);


/* ---- jobs --------------------------------------------------------------- */

/*
 * What a worker does for one action.  `steps` serve the job; each step gets
 * the podi_job_t as its ctx, and the last one that runs says how the job
 * ended by returning one of podi_job_succeed, _fail, _retry, _defer.
 *
 * A step that returns ERROR with f->fail set leaves the decision to the
 * skeleton: what may succeed later is tried again (back-off with jitter,
 * until the attempts are used up), the rest fails.
 *
 * When the job is cancelled, lost or out of time while a step waits, the
 * operation it waits for is cancelled (its podi_op_t.cancel is called) and
 * `undo` runs: a flow of its own with the same ctx, which puts away what the
 * steps began (files, processes).  It may be NULL.  Its last step gives
 * DONE; a failure is logged; after undo_timeout it is cancelled too.  Undo
 * also runs after ERROR, never after one of the four endings.
 *
 * The row named PODI_ACTION_ANY serves every action of the queue that no
 * other row names; job->action tells which one.  Without such a row a job
 * with another action fails (unknown_action).
 */

#define PODI_ACTION_ANY  "*"

typedef struct {
    const char         *action;     /* "image.resize", or PODI_ACTION_ANY */
    const podi_step_t  *steps;
    const podi_step_t  *undo;
    size_t              size;       /* of job->data, zeroed */
} podi_action_t;

#define podi_null_action  { NULL, NULL, NULL, 0 }

/* all strings live in mem, which lives until the job is settled */

struct podi_job_s {
    podi_worker_t  *worker;
    podi_mem_t     *mem;
    void           *data;           /* the action's own */
    podi_str_t      id;
    int64_t         fence;
    podi_str_t      tenant_id;
    podi_str_t      user_id;
    podi_str_t      task_id;
    podi_str_t      trace_id;       /* 32 hex digits */
    podi_str_t      action;
    json_t         *params;         /* an object; defaults are filled in */
    json_t         *inputs;         /* [{media_id, store, object_key, type,
                                       bytes, sha256, name}] */
    unsigned        attempt;        /* this one; from 1 */
    unsigned        attempts_max;
    int64_t         price;
    unsigned        segment;        /* segments that are finished */
    json_t         *checkpoint;     /* of the last of them, or NULL */
    podi_msec_t     timeout;
    unsigned        is_system:1;    /* of a system task: nobody is told */
};

/*
 * The endings.  Each gives DONE, to be returned by the step; the first one
 * counts.  `results` is a JSON array as sys.job_settle takes it, or NULL for
 * none; what is wrong with it is found at the settle and fails the job.
 * Details are for people; they end up on the job and in its event.
 */
podi_rc_t podi_job_succeed(podi_job_t *job, const podi_str_t *results);
podi_rc_t podi_job_fail(podi_job_t *job, podi_error_e error,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* counts as an attempt; fails finally when attempts_max is reached */
podi_rc_t podi_job_retry(podi_job_t *job, podi_error_e error,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* does not count: somebody else's bound (a busy provider); after `delay` */
podi_rc_t podi_job_defer(podi_job_t *job, podi_msec_t delay,
    podi_error_e error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* 0..100; conflated; kept by the heartbeat and shown live */
void podi_job_progress(podi_job_t *job, unsigned percent);

/*
 * Where it is, and how that looks: conflated and shown live like the percents,
 * kept nowhere for good.  The strings of where live as long as the job; of an
 * image, JPEG or PNG, a copy is taken.  DECLINED: it is none, or too large.
 */
void podi_job_where(podi_job_t *job, const podi_event_where_t *where);
podi_rc_t podi_job_preview(podi_job_t *job, const podi_str_t *image);

/*
 * A line for its user to read, at most 200 of 1000 bytes a job; INFO, WARN or
 * ERROR.  What looks like a secret is hidden, but do not count on that.  Kept
 * with the beat and with the ending; may be lost.
 */
void podi_job_log(podi_job_t *job, podi_log_e level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Segment n (from 1, in order) of its action is finished: its part of the
 * price is taken, and who gets the job later begins behind it, with this
 * checkpoint (a JSON text).  AGAIN; the next step asks whether it was kept:
 * 0 when the job is not ours any more.
 */
PODI_MUSTCHECK podi_rc_t podi_job_segment(podi_job_t *job, podi_flow_t *f,
    unsigned n, const podi_str_t *checkpoint);
int podi_job_segment_is_kept(podi_job_t *job, podi_flow_t *f);

/*
 * What it used of what is metered ("calls", "tokens", "steps": borrowed for
 * good), added up, and what a provider asked for it, in millionths of the
 * operator's currency.  Told with its ending.
 */
void podi_job_usage(podi_job_t *job, const char *meter, int64_t n);
void podi_job_cost(podi_job_t *job, int64_t micros);

/* from a step: bounded work between two waits may ask whether to go on */
int podi_job_is_wanted(const podi_job_t *job);

/* from undo: nobody will go on with it, as it was cancelled or failed */
int podi_job_is_over(const podi_job_t *job);


/* ---- the daemon --------------------------------------------------------- */

typedef struct {
    const char               *name;         /* "podi_imaged" */
    const podi_setting_t     *settings;     /* own; NULL: none */
    const podi_round_conf_t  *rounds;       /* NULL: none */
    /* a daemon that takes jobs; the queue's name is the setting `queue` */
    const podi_action_t      *actions;      /* NULL: takes none */
    const char               *queue;        /* default of that setting */
    /*
     * Called where settings are read, and with -t, once the daemon's own are:
     * ERROR with fail set refuses them, as a setting would.  NULL: nothing is
     * asked.  mem lives as long as the settings.
     */
    podi_rc_t               (*check)(podi_mem_t *mem, podi_fail_t *fail);
    /*
     * Called in the child before its loop runs / after it ended.  start
     * gives ERROR with fail set when the daemon cannot work (a missing
     * directory): stop is called for what start had done, it is logged and
     * tried again with back-off.
     */
    podi_rc_t               (*start)(podi_worker_t *w, podi_fail_t *fail);
    /*
     * A channel of Redis that a daemon that takes jobs listens to as well;
     * NULL: none.  What is said there may be lost, and is borrowed.
     */
    const char               *channel;
    void                    (*heard)(podi_worker_t *w,
                                     const podi_str_t *message);
    void                    (*stop)(podi_worker_t *w);
    void                     *data;         /* podi_worker_data */
} podi_worker_conf_t;

/* does not return before the daemon ends; the result is the exit code */
int podi_worker_main(int argc, char **argv, const podi_worker_conf_t *conf);


/* what a round or a job may use */
void *podi_worker_data(podi_worker_t *w);
podi_io_t *podi_worker_io(podi_worker_t *w);
podi_pg_t *podi_worker_pg(podi_worker_t *w);
/* NULL when no Redis is configured: ask podi_worker_redis_is_up first */
podi_redis_t *podi_worker_redis(podi_worker_t *w);
int podi_worker_redis_is_up(const podi_worker_t *w);
const char *podi_worker_id(const podi_worker_t *w);
/* whose jobs it takes */
const char *podi_worker_queue(const podi_worker_t *w);
/* lives as long as the child */
podi_mem_t *podi_worker_mem(podi_worker_t *w);
int podi_worker_is_draining(const podi_worker_t *w);
/* what an undo may take; then it is cut off */
podi_msec_t podi_worker_undo_timeout(const podi_worker_t *w);

/* after a commit: the text of an `_events` column; "" and "[]" are nothing */
void podi_worker_publish(podi_worker_t *w, podi_mem_t *mem,
    const podi_str_t *events);


/* ---- log ----------------------------------------------------------------- */

/*
 * One JSON object a line: ts, level, svc, pid, event, msg and, with a job,
 * trace_id, task_id, job_id, action.  `event` is a stable dotted name.
 * Never secrets, bodies or SQL parameters.
 */
void podi_worker_log(podi_worker_t *w, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));


/* ---- metrics ------------------------------------------------------------- */

/*
 * Kept in the child, written every metrics_every to
 * <metrics_dir>/<daemon>-<pid>.prom in the Prometheus text format.  `labels`
 * is the text between the braces (podi_metric_labels escapes), or "".  `name`
 * is borrowed for the time of the call.
 */
void podi_metric_add(podi_worker_t *w, const char *name, const char *labels,
    double n);                              /* a counter */
void podi_metric_set(podi_worker_t *w, const char *name, const char *labels,
    double value);                          /* a gauge */

/* gauges of this name that are set again later, or not any more */
void podi_metric_forget(podi_worker_t *w, const char *name);

/* an object {"queue":"image"} as queue="image"; ERROR: not such an object */
PODI_MUSTCHECK podi_rc_t podi_metric_labels(podi_mem_t *mem,
    const podi_str_t *object, const char **ret_labels);


#endif /* PODI_WORKER_H */
