/*
 * provider: what the files share that drive third parties.
 *
 *     provider.c         the third parties there are, from their descriptions
 *     provider_run.c     a job: the order of all that follows
 *     provider_input.c   its inputs, as URLs or as bytes
 *     provider_key.c     the keys that they are asked with
 *     provider_choice.c  which one is asked, and which one instead
 *     provider_try.c     asked, one choice after the other
 *     provider_poll.c    until it is at its end
 *     provider_hook.c    they call, and it is looked at sooner
 *     provider_item.c    what came of it
 *     provider_undo.c    its job was stopped
 *     provider_stop.c    it is not wanted any more
 *     provider_call.c    requests
 *     provider_read.c    and answers
 *     provider_note.c    what is kept of them, for who comes next
 */

#ifndef PROVIDER_H
#define PROVIDER_H


#include "podi_provider.h"
#include "runnerd.h"


#define PROVIDER_KEYS_MAX   8
#define PROVIDER_HEARD_MAX  16
#define PROVIDER_CALLS      8           /* that are known when doubled */
#define PROVIDER_CALL_LEN   16

typedef struct {
    podi_link_t        link;
    podi_provider_t   *description;
    podi_str_t         name;
    podi_http_t       *http;
    podi_breaker_t     breaker;
    podi_msec_t        paused_until;    /* they asked for it */
    podi_msec_t        stopped_until;   /* somebody has to look: */
    podi_error_e       stopped;         /* PROVIDER_QUOTA or _AUTH */
    podi_msec_t        submits;         /* when the next one is due */
    podi_msec_t        minute;
    podi_msec_t        polls;
    podi_msec_t        left_polls;      /* the last one of what is left */
    podi_msec_t        left_turn;       /* no other is polled before */
    podi_msec_t        polls_until;     /* nothing is polled before that */
    podi_usec_t        clock;           /* theirs, less ours */
    unsigned           running;         /* of this process */
} runner_provider_t;

typedef enum {
    PROVIDER_GOES_ON,
    PROVIDER_DONE,
    PROVIDER_FAILS,
    PROVIDER_RETRIES,
    PROVIDER_DEFERS
} provider_fate_e;

/* how a job is called about by those who carry it out */

typedef struct {
    podi_link_t      link;              /* of runnerd.hooks */
    runner_again_t  *poll;              /* NULL: not yet */
    podi_msec_t      next;              /* no poll sooner than that */
    size_t           n_calls;
    unsigned char    calls[PROVIDER_CALLS][PROVIDER_CALL_LEN];
    unsigned         listens:1;         /* goes with the job's mem */
    unsigned         called:1;          /* and not looked at since */
} provider_hook_t;

typedef struct {
    runner_head_t                 head;
    podi_job_t                   *job;

    /* what it may be carried out by: the executor, then its fallbacks */
    size_t                        choice;
    runner_provider_t            *provider;
    runner_provider_t            *counted_at;   /* as running */
    const podi_provider_op_t     *op;
    const podi_provider_facts_t  *facts;

    json_t                       *degraded;     /* {why, set}; NULL: it is
                                                   the usual way */
    json_t                       *params;
    json_t                       *inputs;       /* as templates see them */
    json_t                       *about;        /* {id, key, webhook_url} */
    size_t                        at;   /* the item in hand */

    podi_provider_key_t           keys[PROVIDER_KEYS_MAX];
    size_t                        n_keys;
    podi_str_t                    key_ids;
    podi_msec_t                   keys_at;      /* when they were read */

    podi_str_t                    key;  /* of the attempt, theirs to know */
    podi_str_t                    ref;
    podi_str_t                    noted_at;     /* which third party */
    json_t                       *remote;
    podi_provider_step_e          step;
    podi_provider_step_e          called;       /* the last call was for */
    const podi_provider_answer_t *read;         /* by a thread; or NULL */
    podi_provider_answer_t        answer;       /* the last that counts */

    runner_again_t               *again;
    provider_hook_t               hook;
    uint64_t                      ticket;
    podi_msec_t                   asked_at;
    podi_msec_t                   wait;
    podi_msec_t                   waited;       /* before it was asked */
    podi_msec_t                   pace;         /* of polls */
    podi_msec_t                   deadline;
    podi_usec_t                   made_at;
    int                           ahead;        /* as told; -1: nothing was */
    podi_msec_t                   miss_due;     /* a miss before counts not */
    podi_msec_t                   undo_until;
    unsigned                      misses;
    unsigned                      unseen;       /* by looks at how it stops */
    unsigned                      tries;        /* of one item */

    /* how the job ends */
    provider_fate_e               fate;
    podi_error_e                  error;
    podi_msec_t                   delay;
    int64_t                       cost;         /* said by an answer; -1 */
    char                          detail[512];

    podi_objects_store_t         *store;
    int                           fd;
    podi_buf_t                    results;
    unsigned                      n_results;

    unsigned                      noted:1;      /* there is a row of it */
    unsigned                      sent:1;       /* maybe */
    unsigned                      submitted:1;
    unsigned                      clocked:1;    /* asked by their clock */
    unsigned                      unnoted:1;    /* that it was submitted */
    unsigned                      untold:1;     /* its id is in the log only */
    unsigned                      adopts:1;     /* an earlier row has its id */
    unsigned                      passed:1;     /* the breaker waits for us */
    unsigned                      seen:1;       /* there, by a poll */
    unsigned                      fresh:1;      /* too early for a poll */
    unsigned                      resumes:1;    /* under its earlier key */
    unsigned                      keeps:1;      /* who comes next looks */
    unsigned                      cancels:1;
    unsigned                      flies:1;      /* no answer yet to a wish */
    unsigned                      stopped:1;    /* nothing of it goes on */
    unsigned                      asked:1;      /* how it is, to stop it */
    unsigned                      heard:1;      /* that it is to stop */
    unsigned                      is_left:1;    /* nobody waits for it */
    unsigned                      counted:1;    /* goes with mem */
} provider_run_t;

/* job->data of any kind */

typedef union {
    runner_head_t   head;
    comfy_run_t     comfy;
    provider_run_t  provider;
    mock_run_t      mock;
} runner_run_t;

extern const podi_step_t  runner_provider_steps[];
extern const podi_step_t  runner_provider_undo[];


/* ---- provider.c --------------------------------------------------------- */

/* CONFIG: FILE:LINE, and what is wrong; a directory that is not there: none */
PODI_MUSTCHECK podi_rc_t runner_providers_read(const char *dir,
    podi_mem_t *mem, podi_link_t *list, podi_fail_t *fail);

PODI_MUSTCHECK podi_rc_t runner_providers_open(podi_worker_t *w,
    podi_fail_t *fail);
void runner_providers_close(void);

/* NULL: there is none */
runner_provider_t *runner_provider_find(const podi_str_t *name);

/*
 * May it be asked to begin something?  NONE: yes.  Otherwise *ret_wait is 0
 * when another has to do it, or how long to wait.
 */
podi_error_e runner_provider_may(runner_provider_t *p, provider_run_t *run,
    podi_msec_t *ret_wait);
void runner_provider_heard(runner_provider_t *p, provider_run_t *run,
    podi_provider_class_e class);
/* it was let through, and did not go out */
void runner_provider_spared(runner_provider_t *p, provider_run_t *run);
/*
 * ms until it may be polled; that poll is counted.  is_left: when nobody else
 * wants to, nor is anything else to wait; every few seconds a turn is kept for
 * it.
 */
podi_msec_t runner_provider_poll(runner_provider_t *p,
    const podi_provider_facts_t *facts, int is_left);
/* a poll was one too many: none for so long */
void runner_provider_throttled(runner_provider_t *p, podi_msec_t wait);


/* ---- provider_call.c ---------------------------------------------------- */

void provider_fate(provider_run_t *run, provider_fate_e fate,
    podi_error_e error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* there are results; their third party has had them since then */
void provider_made(provider_run_t *run, podi_usec_t at);

/* the fate of a class that ends it; NONE: it does not */
void provider_judge(provider_run_t *run, const podi_provider_answer_t *a);

/* AGAIN as podi_http_send; ERROR: it was never asked, f->fail says why */
PODI_MUSTCHECK podi_rc_t provider_call(podi_flow_t *f, provider_run_t *run,
    podi_provider_step_e step);
/* they say that our clock is wrong; 1: asked by theirs, it may be right */
int provider_clock(provider_run_t *run, const podi_provider_answer_t *a);

/* what it has cost; once, by who ends it */
void provider_cost(provider_run_t *run);

/* ms that they want us to stay away: never longer than an hour */
podi_msec_t provider_after(provider_run_t *run, unsigned seconds);


/* ---- provider_read.c ---------------------------------------------------- */

/*
 * A step, after each provider_call: AGAIN while a thread reads an answer that
 * is large.  Leaves f->result and f->fail as they are.
 */
podi_rc_t provider_read(podi_flow_t *f, void *ctx);
/* what was answered to the last provider_call; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t provider_answer(podi_flow_t *f, provider_run_t *run,
    podi_mem_t *mem, podi_provider_answer_t *ret);


/* ---- provider_choice.c -------------------------------------------------- */

/* the choice of that number; DECLINED: there is none */
PODI_MUSTCHECK podi_rc_t provider_choose(provider_run_t *run, size_t choice);
PODI_MUSTCHECK podi_rc_t provider_is_at(provider_run_t *run,
    const podi_str_t *provider, const podi_str_t *operation);

/* what is asked for, as the choice has it; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t provider_params(provider_run_t *run);

/*
 * The one in hand cannot, for a reason of that class.  0: nobody takes it
 * over; else run->choice is who does, or the job waits.
 */
int provider_another(provider_run_t *run, const char *class,
    podi_error_e error, const char *why);


/* ---- provider_note.c ---------------------------------------------------- */

/* of sys.attempt_remote */
PODI_MUSTCHECK podi_rc_t provider_note(podi_flow_t *f, provider_run_t *run,
    const char *state);
/* {operation, key, id, ...}; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t provider_remote(provider_run_t *run,
    const podi_provider_answer_t *a);

/* can who comes next collect, from its row, what this answer has? */
int provider_is_kept(const provider_run_t *run);
/* what an earlier attempt was answered: made; DECLINED: it is not there */
PODI_MUSTCHECK podi_rc_t provider_kept(provider_run_t *run);

/* was it noted that it was submitted?  An id that is known is never lost */
void provider_noted(podi_flow_t *f, provider_run_t *run);
/* its id goes to the log, once */
void provider_untold(provider_run_t *run, const podi_str_t *why);
/* steps: again, when it was not */
podi_rc_t provider_note_again(podi_flow_t *f, void *ctx);
podi_rc_t provider_noted_again(podi_flow_t *f, void *ctx);


/* ---- provider_stop.c ---------------------------------------------------- */

/* one look at what is to stop; stopped says whether it has, wait for how long
   to wait before the next one */
extern const podi_step_t  provider_stop_steps[];

/*
 * Fills job->data, a provider_run_t, with what was noted of an attempt; params
 * are those that it was asked with.
 * DECLINED: no description has it; ERROR: no memory.
 */
PODI_MUSTCHECK podi_rc_t provider_stop_begin(podi_job_t *job,
    const podi_str_t *provider, json_t *remote, json_t *params);


/* ---- provider_hook.c ---------------------------------------------------- */

/* CONFIG: what is said of webhooks cannot be */
PODI_MUSTCHECK podi_rc_t runner_hooks_check(podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t runner_hooks_open(podi_worker_t *w,
    podi_fail_t *fail);

/* podi_worker_conf_t.heard, of PODI_EVENT_CALLED */
void runner_hook_heard(podi_worker_t *w, const podi_str_t *message);

/* run->about says where to call, if anybody may; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t provider_hook_url(provider_run_t *run);
/* calls are heard, of an earlier attempt's URL as well; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t provider_hook_follow(provider_run_t *run);

/* it is polled now; it must not be for so long; so long, or shorter as they
   have called meanwhile */
void provider_hook_polls(provider_run_t *run);
void provider_hook_pause(provider_run_t *run, podi_msec_t wait);
podi_msec_t provider_hook_wait(provider_run_t *run, podi_msec_t wait);


/* ---- steps --------------------------------------------------------------- */

podi_rc_t provider_fetch(podi_flow_t *f, void *ctx);
podi_rc_t provider_fetched(podi_flow_t *f, void *ctx);
podi_rc_t provider_keys(podi_flow_t *f, void *ctx);
podi_rc_t provider_keys_read(podi_flow_t *f, void *ctx);
podi_rc_t provider_keys_again(podi_flow_t *f, void *ctx);
podi_rc_t provider_keys_seen(podi_flow_t *f, void *ctx);
podi_rc_t provider_try(podi_flow_t *f, void *ctx);
podi_rc_t provider_poll(podi_flow_t *f, void *ctx);
podi_rc_t provider_collect(podi_flow_t *f, void *ctx);


#endif /* PROVIDER_H */
