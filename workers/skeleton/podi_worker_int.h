/*
 * podi_worker_int: what the files of the skeleton share.
 *
 *     podi_worker.c        command line
 *     podi_common.c        the settings of [common]
 *     podi_worker_pair.c   the parent: fork, reap, release leases, restart
 *     podi_worker_loop.c   the child: loop, connections, signals, drain
 *     podi_worker_use.c    what rounds and jobs may ask of it
 *     podi_worker_hear.c   what it is told over Redis
 *     podi_objects.c       the object stores that they talk to
 *     podi_release.c       the parent's one call to PostgreSQL
 *     podi_round.c         flows that repeat
 *     podi_job_claim.c     when to claim: hints or rows
 *     podi_job_hints.c     hints that may become rows
 *     podi_job_rows.c      rows -> held jobs
 *     podi_job.c           a held job: its states
 *     podi_job_end.c       its endings, as its action says them
 *     podi_job_settle.c    telling PostgreSQL how it ended, until it answers
 *     podi_job_batch.c     the call itself, for several jobs at once
 *     podi_job_log.c       what a job says while it runs
 *     podi_job_segment.c   a part of a job is finished
 *     podi_job_beat.c      leases, cancels, liveness
 *     podi_job_tick.c      how far a job is, shown live
 *     podi_job_gate.c      the slots of gates that jobs came in by
 *     podi_job_breaker.c   does the server behind a gate answer at all?
 *     podi_job_ask.c       who asks that, and tells how it went
 *     podi_metric.c podi_log.c podi_setting.c
 */

#ifndef PODI_WORKER_INT_H
#define PODI_WORKER_INT_H


#include <uv.h>

#include "podi_breaker.h"
#include "podi_buf.h"
#include "podi_common.h"
#include "podi_id.h"
#include "podi_log.h"
#include "podi_queue.h"
#include "podi_uv_io.h"
#include "podi_worker.h"


#define PODI_WORKER_ID_MAX    160
#define PODI_WORKER_NAME_MAX  64        /* "podi_runnerd:replicate" */
#define PODI_ALIVE_WITHIN   5000        /* ms: claimed, or proved it empty */

typedef struct podi_jobs_s     podi_jobs_t;
typedef struct podi_metrics_s  podi_metrics_t;
typedef struct podi_rounds_s   podi_rounds_t;

struct podi_worker_s {
    const podi_worker_conf_t  *conf;
    const char                *name;        /* with its instance, if any */
    const char                *instance;    /* or NULL */
    const podi_common_t       *set;
    podi_log_t                *log;
    const char                *events;      /* left by the last child, or "" */
    char                       id[PODI_WORKER_ID_MAX];
    char                       host[64];
    pid_t                      parent;
    podi_arena_t              *arena;
    podi_mem_t                *mem;
    uv_loop_t                  loop;
    podi_uv_io_t               uv;
    podi_io_t                 *io;          /* &uv.io */
    uv_signal_t                term;
    podi_timer_t              *drain;       /* drain_timeout, then the end */
    podi_timer_t              *linger;      /* until Redis has the last word */
    podi_pg_t                 *pg;
    podi_redis_t              *redis;
    podi_redis_t              *blocking;
    podi_redis_t              *subscriber;
    podi_metrics_t            *metrics;
    podi_rounds_t             *rounds;
    podi_jobs_t               *jobs;        /* NULL: takes none */
    int                        exit_code;
    unsigned                   draining:1;
    unsigned                   returning:1; /* drain_timeout has passed */
    unsigned                   prepared:1;  /* stop has something to undo */
};


/* podi_worker_pair.c: the parent; gives the exit code */
typedef struct {
    const podi_worker_conf_t  *conf;
    const char                *path;        /* of the settings */
    const char                *instance;    /* or NULL */
    char                       name[PODI_WORKER_NAME_MAX];
    podi_common_t              set;
    podi_arena_t              *arena;       /* of the settings' texts */
    podi_log_t                 log;
    pid_t                      parent;      /* its pid, for the child */
} podi_daemon_t;

PODI_MUSTCHECK podi_rc_t podi_daemon_settings(podi_daemon_t *pair,
    podi_fail_t *fail);
int podi_daemon_run(podi_daemon_t *pair);

/* podi_worker_hear.c: with the settings of a connection; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_worker_listen(podi_worker_t *w,
    podi_redis_conf_t *conf);

/* podi_worker_loop.c: the child; gives the exit code */
int podi_worker_run(podi_daemon_t *pair, const char *id, const char *events);

/* something ended: maybe the drain is over */
void podi_worker_drain_check(podi_worker_t *w);

/* podi_round.c */
PODI_MUSTCHECK podi_rc_t podi_rounds_create(podi_worker_t *w);
void podi_rounds_start(podi_rounds_t *rounds);
/* the daemon's own begin no more; the skeleton's go on */
void podi_rounds_drain(podi_rounds_t *rounds);
int podi_rounds_are_idle(const podi_rounds_t *rounds);
void podi_rounds_free(podi_rounds_t **rounds);

/* podi_metric.c */
PODI_MUSTCHECK podi_rc_t podi_metrics_create(podi_worker_t *w);
void podi_metrics_write(podi_worker_t *w);
void podi_metrics_free(podi_worker_t *w);


/* ---- jobs ---------------------------------------------------------------- */

/*
 *   RUNNING  -> SETTLING  [podi_job_settle]   the steps said how it ended
 *   RUNNING  -> UNDOING   [podi_job_stop]     failed, cancelled, lost, late
 *   UNDOING  -> SETTLING  [podi_job_settle]
 *   UNDOING  -> (freed)   [podi_job_free]     lost: nothing to say
 *   SETTLING -> (freed)   [podi_job_free]     answered
 */
typedef enum {
    PODI_JOB_RUNNING,
    PODI_JOB_UNDOING,
    PODI_JOB_SETTLING
} podi_job_state_e;

typedef enum {
    PODI_JOB_NONE,              /* not said yet */
    PODI_JOB_SUCCEEDED,
    PODI_JOB_FAILED,
    PODI_JOB_CANCELLED,
    PODI_JOB_RETRIED,
    PODI_JOB_DEFERRED,
    PODI_JOB_RETURNED,
    PODI_JOB_LOST
} podi_job_end_e;

/*
 * By which claim a job passed its gates; the token is "" without Redis, the
 * fence 0 before its row is claimed.
 */
typedef struct {
    char     id[PODI_ID_LEN + 1];
    char     token[PODI_WORKER_ID_MAX + 24];
    int64_t  fence;
} podi_slot_t;

#define PODI_ASKS_MAX   4
#define PODI_SCOPE_MAX  80

typedef struct podi_known_breaker_s  podi_known_breaker_t;

typedef struct {
    podi_known_breaker_t  *breaker;
    uint64_t               ticket;
    unsigned               probes:1;    /* everybody waits for it */
} podi_ask_t;

#define PODI_USAGE_MAX  8

typedef struct {
    const char  *meter;                 /* NULL: not used */
    int64_t      n;
} podi_usage_t;

typedef struct {
    podi_job_t         job;             /* what the steps see */
    podi_slot_t        slot;
    podi_link_t        link;
    podi_jobs_t       *jobs;
    podi_arena_t      *arena;
    podi_job_state_e   state;
    const podi_action_t *action;
    podi_flow_t        flow;            /* steps, then undo */
    podi_timer_t      *timer;           /* timeout, undo_timeout, settle */
    podi_post_t        post;            /* a stop that must wait for a step */
    podi_job_end_e     end;
    podi_str_t         results;         /* JSON array, or "" */
    podi_error_e       error;
    char               detail[256];
    podi_msec_t        delay;
    podi_msec_t        started;
    podi_link_t        ending;          /* of a batch: ending, or sent */
    podi_fail_t        refusal;
    podi_msec_t        settle_since;
    unsigned           settle_tries;
    unsigned           beat;            /* the last beat that asked for it */
    unsigned           progress;
    unsigned           progress_told;
    podi_event_where_t where;
    podi_str_t         preview;         /* malloc'd; "": none to be told */
    unsigned           previews;        /* so many were kept */
    podi_msec_t        ticked;          /* mono; 0: never */
    podi_str_t         scopes;          /* "a,b" */
    podi_ask_t         asks[PODI_ASKS_MAX];
    unsigned           n_asks;
    unsigned           asked;           /* that have let it pass */
    podi_arena_t      *log_arena;       /* NULL: it has said nothing */
    podi_buf_t         log;             /* lines that are not kept yet */
    unsigned           log_lines;
    podi_usage_t       usage[PODI_USAGE_MAX];
    int64_t            cost;            /* millionths; < 0: not known */
    unsigned           moved:1;         /* where is not told yet */
    unsigned           unsettled:1;     /* PostgreSQL says that it runs */
    unsigned           slotted:1;       /* Redis was told of its slots */
    unsigned           light:1;         /* one of jobs->n_light */
    unsigned           went:1;          /* its steps have begun */
    unsigned           alone:1;         /* is settled in a call of its own */
    unsigned           heard:1;         /* its verdict was read */
    unsigned           answered:1;
} podi_held_t;

typedef struct {
    podi_jobs_t   *jobs;
    podi_link_t    ending;              /* jobs that wait to be told of */
    podi_link_t    sent;                /* by the call under way */
    podi_flow_t    flow;
    podi_arena_t  *arena;
    podi_post_t    post;
    unsigned       retries:1;           /* sys.job_retry, not job_settle */
} podi_batch_t;

/* OFF -> HINTS -> ROWS -> OFF | HINTS;  HINTS -> WAIT | PAUSE -> HINTS */
typedef enum {
    PODI_CLAIM_OFF,             /* no slot is free, or draining */
    PODI_CLAIM_HINTS,           /* asking Redis for ids */
    PODI_CLAIM_ROWS,            /* asking PostgreSQL for the jobs */
    PODI_CLAIM_WAIT,            /* blocked in Redis until a hint comes */
    PODI_CLAIM_PAUSE            /* a timer: no Redis, or something is down */
} podi_claim_e;

struct podi_jobs_s {
    podi_worker_t  *worker;
    podi_link_t     held;
    unsigned        n;
    unsigned        n_light;            /* that only wait for their verdict */
    podi_str_t      queue;

    podi_claim_e    claim;
    podi_flow_t     flow;
    podi_arena_t   *arena;
    podi_timer_t   *timer;
    podi_post_t     post;               /* go on claiming, from a clean stack */
    unsigned        claimed;            /* rows of the last claim */
    unsigned        wanted;             /* hints that it asked for last */
    podi_slot_t    *slots;              /* of hints not claimed yet */
    unsigned        n_hints;
    podi_msec_t     hinted;             /* mono: when they were taken */
    podi_slot_t    *freed;              /* Redis has not confirmed them */
    size_t          n_freed;
    size_t          n_telling;          /* the first of them, under way */
    podi_post_t     tell;
    podi_flow_t     telling;
    podi_arena_t   *tell_arena;
    podi_link_t     breakers;           /* podi_known_breaker_t */
    podi_link_t     reports;            /* under way */
    int64_t         breaker_offset;     /* Redis's clock - mono, ms */
    podi_batch_t    settles;
    podi_batch_t    retries;
    unsigned        failures;           /* of claims, in a row */
    podi_msec_t     proved;             /* mono: claimed, or proved empty */
    unsigned        beats;
    podi_msec_t     lost_at;            /* mono: a claim of rows, unanswered */
    unsigned        unready:1;          /* Redis does not know the slots */
    unsigned        dry:1;              /* it gave fewer than were wanted */
    unsigned        unheard:1;          /* its answer to a claim was lost */
    unsigned        carries:1;          /* a claim, slots that are over */
    unsigned        late:1;             /* the rows came: see CLAIM_MAX */
};


/* podi_job_claim.c */
PODI_MUSTCHECK podi_rc_t podi_jobs_create(podi_worker_t *w);
void podi_jobs_free(podi_jobs_t **jobs);
/* too long ago for its slots to be ours for sure: see PODI_CLAIM_MAX */
int podi_claim_is_late(const podi_jobs_t *jobs);
/* a slot became free, a connection came up, the drain began */
void podi_jobs_kick(podi_jobs_t *jobs);
int podi_jobs_are_idle(const podi_jobs_t *jobs);
unsigned podi_jobs_free_slots(const podi_jobs_t *jobs);
int podi_jobs_are_alive(const podi_jobs_t *jobs);

/* podi_job_hints.c */
extern const podi_step_t  podi_claim_hints_steps[];

/* podi_job_rows.c */
extern const podi_step_t  podi_claim_rows_steps[];

/* podi_job.c */
void podi_job_start(podi_jobs_t *jobs, const podi_pg_result_t *res, int row,
    podi_slot_t slot);
/* ends the steps and undoes them; `end` says what is settled then */
void podi_job_stop(podi_held_t *held, podi_job_end_e end, podi_error_e error,
    const char *detail);
void podi_job_free(podi_held_t *held);
/* its breakers let it pass */
void podi_job_go(podi_held_t *held);
/* a stop came while they were asked */
void podi_job_halt(podi_held_t *held);
podi_held_t *podi_job_find(podi_jobs_t *jobs, const podi_str_t *id,
    int64_t fence);

/* podi_job_gate.c */
PODI_MUSTCHECK podi_rc_t podi_gates_create(podi_jobs_t *jobs);
podi_msec_t podi_gate_lease(const podi_jobs_t *jobs);
void podi_gates_free(podi_jobs_t *jobs);
/* of jobs that were claimed by their rows */
void podi_gates_take(podi_jobs_t *jobs);
/* Redis is down: who knows what it has heard */
void podi_gates_lost(podi_jobs_t *jobs);
void podi_gate_free(podi_jobs_t *jobs, const podi_slot_t *slot);
void podi_gates_flush(podi_jobs_t *jobs);
/* what a claim gives back on its way, until it says whether it was heard */
PODI_MUSTCHECK podi_rc_t podi_gates_over(podi_jobs_t *jobs, podi_mem_t *mem,
    podi_queue_slot_t **ret_slots, size_t *ret_n);
void podi_gates_told(podi_jobs_t *jobs, int heard);
/* all: and this worker has no others */
void podi_gates_beat(podi_jobs_t *jobs, podi_mem_t *mem, int all);

/* podi_job_breaker.c */
void podi_breakers_create(podi_jobs_t *jobs);
PODI_MUSTCHECK podi_rc_t podi_breaker_scopes(podi_held_t *held,
    const podi_str_t *scopes);

/* podi_job_ask.c */
void podi_breakers_free(podi_jobs_t *jobs);
void podi_breaker_ask_all(podi_held_t *held);
void podi_breaker_report_all(podi_held_t *held);
void podi_breakers_beat(podi_jobs_t *jobs);

/* podi_job_settle.c */
void podi_job_settle(podi_held_t *held);
/* it does not only wait for its verdict any more */
void podi_job_heavy(podi_held_t *held);
void podi_settle_answered(podi_held_t *held, const podi_str_t *verdict);
void podi_settle_again(podi_held_t *held, const podi_fail_t *fail,
    const char *doing);
const char *podi_job_end_name(podi_job_end_e end);

/* podi_job_batch.c */
PODI_MUSTCHECK podi_rc_t podi_batch_create(podi_jobs_t *jobs,
    podi_batch_t *batch, int retries);
void podi_batch_free(podi_batch_t *batch);
void podi_batch_add(podi_batch_t *batch, podi_held_t *held);

/* podi_job_log.c: of the jobs of a list, through held->ending; OK: nothing */
PODI_MUSTCHECK podi_rc_t podi_job_log_flush(podi_jobs_t *jobs, podi_flow_t *f,
    podi_link_t *ending);
void podi_job_log_kept(podi_worker_t *w, podi_flow_t *f);
void podi_job_log_free(podi_held_t *held);
extern const podi_step_t  podi_job_log_steps[];

/* podi_job_end.c: what its end says about the server behind its gate */
podi_breaker_outcome_e podi_job_outcome(const podi_held_t *held);

/* podi_job_end.c: ,"usage":{...},"cost_micros":n */
void podi_job_usage_json(podi_buf_t *b, const podi_held_t *held);
void podi_job_usage_write(podi_buf_t *b, const podi_held_t *held);

/* podi_job_tick.c */
extern const podi_step_t  podi_tick_steps[];
/* the job is over: what was kept of it goes */
void podi_tick_free(podi_held_t *held);

/* podi_job_beat.c */
extern const podi_step_t  podi_beat_steps[];
extern const podi_step_t  podi_alive_steps[];
size_t podi_beat_size(void);
void podi_job_control(podi_worker_t *w, const podi_str_t *payload);


#endif /* PODI_WORKER_INT_H */
