/*
 * sim: the closed loop of points and tasks in one process, in virtual time.
 *
 *     users ----submit, cancel, retry, freeze----> store <---- dispatcher
 *       (order_t: what was wanted)                  |  ^         |  ^
 *                                            facts  |  |         v  |
 *     books, check <--------------------------------'  '-- workers --> queue
 *       (what must be true after every transaction)           |
 *                                                             v
 *                                                         providers
 *
 *     store      what PostgreSQL does: jobs (lease.h), wallets, holds, lots
 *     queue      what Redis does: hints, turns, gates, rates
 *     workers    processes that die, stall and repeat themselves; breakers
 *     users      orders, cancels, retries; the faults of a seed
 *     books      a wallet of single points, double entry: knows the rules,
 *                not the code; the store must agree with it
 *     check      legal moves, with evidence from the world for each of them
 *
 * One seed, one run: nothing here asks a clock or any other source of chance.
 * Times are milliseconds; sim_t.now is true time, pg_now and redis_now are
 * what the two servers believe.
 */

#ifndef SIM_H
#define SIM_H


#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include "lease.h"
#include "podi_breaker.h"
#include "podi_gate.h"
#include "podi_gcra.h"


#define TENANTS      4
#define WORKERS      4
#define EXECS        4          /* jobs that a worker runs at once */
#define KEYS         2
#define SCOPES       (2 + KEYS + TENANTS)
#define SCOPE_KEY    2
#define SCOPE_TENANT (2 + KEYS)
#define JOBS         448
#define TASKS        224
#define TASK_JOBS    6
#define SEGMENTS     3
#define LOTS         96
#define HOLDS        256
#define HOLD_LOTS    24
#define HOLD_POINTS  512
#define LEDGER       4096
#define REQUESTS     256
#define HOLDERS      64
#define EVENTS       16384

#define BASE         INT64_C(1000000000)        /* so that clocks go back */
#define LEASE        12000
#define GATE_LEASE   17000                      /* G5 */
#define CLAIM_WAIT   3000
#define BEAT         4000
#define REPUSH       30000
#define TROUBLE      120000                     /* faults until then */
#define PATIENCE     2400000                    /* all is over by then */

typedef enum {
    MUTATE_NONE = 0,
    MUTATE_FENCE,               /* a settle is not asked for its fence */
    MUTATE_IDEM,                /* a settle again charges again */
    MUTATE_LEFT,                /* releases fill a hold from the left */
    MUTATE_GATE,                /* a release forgets the last scope */
    MUTATE_OVER,                /* a claim asks the first gate only */
    MUTATE_PROBE,               /* a second probe passes */
    MUTATE_STARVE,              /* the lowest class always first */
    MUTATE_WAKE,                /* a freed slot wakes nobody */
    MUTATE_LATE,                /* a release frees whoever has the slot */
    MUTATE_LAPSE,               /* what returns to a dead lot is kept */
    MUTATE_SEGMENT,             /* a retry pays finished segments again */
    MUTATE_MAX
} mutate_e;

typedef enum {
    EV_SUBMIT = 0, EV_CANCEL, EV_REPLAY, EV_GRANT, EV_FREEZE, EV_CONFIRM,
    EV_TICK, EV_POLL, EV_CLAIM, EV_BEAT, EV_EXEC, EV_COPY, EV_CRASH, EV_GONE,
    EV_UP, EV_STALL, EV_DRAIN, EV_FLUSH, EV_DOWN, EV_BACK, EV_CLOCK,
    EV_HEALTH, EV_HINT, EV_FREE, EV_SWEEP
} event_e;

typedef struct {
    int64_t   at;
    uint64_t  seq;
    event_e   kind;
    int64_t   a, b, c, d;
} event_t;

/* what was wanted, and what the world will do to it */
typedef struct {
    int64_t  price;
    int      need;              /* place in the order; -1: nothing */
    int      key;               /* -1: calls nobody */
    int      cost;
    int      segments;          /* 0: one piece */
    int      percent[SEGMENTS];
    int      cancel_full;
    int      duration;
    int      fails, kills, permanent;
} wish_t;

typedef struct {
    int      tenant, class, n, max_wait, stop;
    int      task;              /* -1: not accepted */
    int      cancelled;
    wish_t   jobs[TASK_JOBS];
} order_t;

typedef struct {
    lease_t  lease;
    int      task, tenant, class, need, key, cost;
    int64_t  price, confirmed, charged;         /* charged -1: not final */
    int      segments, segment, percent[SEGMENTS];
    int      cancel_full, hold, worker;
    int64_t  pushed_at;                         /* -1: owed to the queue */
} job_t;

typedef struct {
    int  order, tenant, first, n, hold, round, stop;
} task_t;

/* evidence: what happened outside of the store */
typedef struct {
    wish_t  wish;
    int     finished_fence;     /* the work was done under this fence */
    int     failed_fence;       /* the provider refused under this one */
    int     made[SEGMENTS + 1]; /* fence under which segment n was made */
    int     claiming;           /* claims between queue and store */
    int     excused;            /* it runs, and a fault took its slots */
    int64_t trouble_at;         /* a fault may have left slots behind */
} fate_t;

typedef struct {
    int64_t  available, held;
} wallet_t;

typedef struct {
    int      wallet, priority;
    int64_t  expires_at;                        /* 0: never */
    int64_t  amount, avail, held, spent, lapsed;
} lot_t;

typedef struct {
    int      lot;
    int64_t  amount, captured, released;
} alloc_t;

typedef struct {
    int      wallet, task, round;               /* task -1: external */
    int64_t  amount, captured, released, expires_at;
    int      n;
    alloc_t  alloc[HOLD_LOTS];
} hold_t;

typedef struct {
    int      wallet, hold, job, mark;
    char     op;                                /* g f c r l */
    int64_t  amount;
} entry_t;

/* a server-to-server request for an external hold */
typedef struct {
    int      hold, release, accepted, answered;
    int64_t  amount;
} request_t;

typedef struct {
    int      job, token, life, suspect;
    int64_t  until;
} holder_t;

typedef enum { ROW_ABSENT = 0, ROW_ACTIVE, ROW_PARKED } row_e;

typedef struct {
    row_e    state;
    int      gate;              /* where it is parked */
    int      woken_by;          /* -1: nobody */
    int      head, tail;        /* list through next_hint; -1: empty */
    int64_t  pass;
    int      over;              /* turns of others while it could run */
} turn_t;

typedef struct {
    int64_t      slots, reserve, opens_at;
    podi_gcra_t  rate;          /* rate 0: none */
    int64_t      tat;
    int          n;
    holder_t     holders[HOLDERS];
} scope_t;

typedef struct {
    int      up, ready;
    int64_t  class_pass[PODI_CLASSES], class_time, time[PODI_CLASSES];
    int      class_over[PODI_CLASSES];
    turn_t   turn[PODI_CLASSES][TENANTS];
    int      hinted[JOBS], next_hint[JOBS];
    int      token;
} queue_t;

typedef enum {
    EXEC_FREE = 0, EXEC_RUN, EXEC_SEGMENT, EXEC_END, EXEC_RELEASE
} exec_e;

typedef struct {
    exec_e         phase;
    int            job, fence, worker, token, segment, serial, probing;
    int            calling;     /* the ticket is to be reported */
    uint64_t       ticket;
    int64_t        called_at;
    lease_event_t  end;         /* what it will say, always the same */
} exec_t;

typedef struct {
    int      up, life, polls;
    int64_t  stalled_until;
    exec_t   exec[EXECS];
} worker_t;

/* how often each fault strikes, in thousandths; drawn by seed */
typedef struct {
    int  lost, noreply, twice, late, crash, stall, clock, flush, down, health,
         cancel, replay, busy, nohint;
} odds_t;

typedef enum { HEALTH_GOOD = 0, HEALTH_DOWN, HEALTH_SLOW } health_e;

/* what check saw last of a job */
typedef struct {
    lease_t  lease;
    int      segment;
    int64_t  paid;              /* delivered segments, by the wish */
} shadow_t;

/* what must have happened in many runs, or they prove little */
typedef enum {
    SEEN_ALREADY = 0,           /* a settle said again */
    SEEN_STALE,                 /* a settle of somebody who lost his lease */
    SEEN_LOST,                  /* a lease that ran out */
    SEEN_CRASH,                 /* a parent that told of its child */
    SEEN_ASIDE,                 /* a poison job */
    SEEN_EXPIRED,               /* not started in time */
    SEEN_STOPPED,               /* cancelled while it ran */
    SEEN_PAID_STOP,             /* the same, at its full price */
    SEEN_DROPPED,               /* what it needs failed */
    SEEN_RETRIED,
    SEEN_DEFERRED,
    SEEN_SEGMENT,
    SEEN_ROUND,                 /* begun again by its user */
    SEEN_CHEAPER,               /* the same, for less than its price */
    SEEN_REFUSED,               /* not enough points */
    SEEN_PARTS,                 /* a hold over several lots, in parts */
    SEEN_UNHELD,                /* a hold that expired */
    SEEN_DEAD_LOT,              /* points that came back too late */
    SEEN_OPENED,                /* a breaker */
    SEEN_PROBE,
    SEEN_PARKED,
    SEEN_WOKEN,
    SEEN_RATE,                  /* a rate that shut a gate */
    SEEN_ROWS,                  /* a claim without the queue */
    SEEN_REBUILT,
    SEEN_HINT,                  /* a hint that was not true any more */
    SEEN_TWICE,                 /* a task submitted twice */
    SEEN_CLOCK,
    SEEN_MAX
} seen_e;

typedef struct books_s  books_t;

typedef struct {
    uint64_t        seed, random;
    mutate_e        mutate;
    int64_t         now, pg_off, redis_off;
    int64_t         set_back;           /* by how much, of Redis, in all */
    odds_t          odds;
    int             calm;               /* no more faults */

    event_t         events[EVENTS];
    int             nevents;
    uint64_t        event_seq;

    order_t         orders[TASKS];
    int             norders;
    task_t          tasks[TASKS];
    int             ntasks;
    job_t           jobs[JOBS];
    fate_t          fate[JOBS];
    int             njobs;
    wallet_t        wallets[TENANTS];
    int             weight[TENANTS];
    lot_t           lots[LOTS];
    int             nlots;
    hold_t          holds[HOLDS];
    int             nholds;
    entry_t         ledger[LEDGER];
    int             nledger;
    request_t       requests[REQUESTS];
    int             nrequests;

    queue_t         queue;
    scope_t         scopes[SCOPES];
    worker_t        workers[WORKERS];
    int             serial;
    podi_breaker_t  breaker[KEYS];
    health_e        health[KEYS];

    books_t        *books;
    shadow_t        shadows[JOBS];
    int             nshadows;
    char            touched[TENANTS];   /* wallets, by this transaction */
    uint64_t        digest;             /* of all that happened */
    uint64_t        seen[SEEN_MAX];

    FILE           *trace;
    char            why[400];
    jmp_buf         broken;
} sim_t;


/* sim.c: chance, time, events; the end of a run that is wrong */
uint32_t sim_random(sim_t *s);
int sim_below(sim_t *s, int n);
int sim_between(sim_t *s, int from, int to);
int sim_chance(sim_t *s, int thousandths);
int64_t sim_pg_now(const sim_t *s);
int64_t sim_redis_now(const sim_t *s);
void sim_at(sim_t *s, int64_t delay, event_e kind, int64_t a, int64_t b,
    int64_t c, int64_t d);
void sim_trace(sim_t *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sim_broken(sim_t *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
int sim_run(sim_t *s, uint64_t seed, mutate_e mutate, FILE *trace);

/* wallet.c; holds are places in sim_t.holds, -1: not enough points */
void wallet_grant(sim_t *s, int wallet, int priority, int64_t expires_at,
    int64_t amount);
int hold_freeze(sim_t *s, int wallet, int task, int round, int64_t amount,
    int64_t ttl);
void hold_settle(sim_t *s, int hold, int job, int mark, int64_t price,
    int64_t charge);
void lot_lapse(sim_t *s, int wallet);

/* store.c: a transaction each, checked at its end */
int store_submit(sim_t *s, int order);
void store_cancel(sim_t *s, int task);
int store_replay(sim_t *s, int task, int round);
lease_verdict_e store_claim(sim_t *s, int job, int worker);
lease_verdict_e store_beat(sim_t *s, int job, int fence, int *ret_cancel);
lease_verdict_e store_settle(sim_t *s, int job, int fence,
    const lease_event_t *end);
lease_verdict_e store_segment(sim_t *s, int job, int fence, int n);
lease_verdict_e store_give(sim_t *s, int job, int fence,
    const lease_event_t *end);
int store_lost(sim_t *s, int job);
int store_expire(sim_t *s, int job);
int64_t store_share(const job_t *j, int segment);
int store_running(const sim_t *s, int scope, int class_from, int excused);
int store_task_is_final(const sim_t *s, int task);

/* store_hold.c: the same, of the wallet alone */
void store_grant(sim_t *s, int wallet, int priority, int64_t ttl,
    int64_t amount);
int store_freeze(sim_t *s, int wallet, int64_t amount, int64_t ttl);
int store_request(sim_t *s, int request);
void store_sweep(sim_t *s);

/* queue.c */
void queue_push(sim_t *s, int job);
int queue_claim(sim_t *s, int life, int want, int *jobs, int *tokens);
void turn_come(sim_t *s, int class, int tenant, int woken_by);
void queue_sweep(sim_t *s);
void queue_check(sim_t *s);
void queue_flush(sim_t *s);
void queue_rebuild(sim_t *s);

/* gates.c; a token is the claim's name, 0: unknown, -1: whoever's */
int job_scopes(const job_t *j, int scopes[4]);
int gates_shut(sim_t *s, int job, int *scopes, int *ret_n);
void gate_take(sim_t *s, int scope, int job, int token, int life);
int gate_give(sim_t *s, int scope, int job, int token);
void gate_forget(sim_t *s, int scope, int job, int life);
void gate_purge(sim_t *s, int scope);
void gate_wake(sim_t *s, int scope);
void queue_release(sim_t *s, int job, int token);
void queue_forget(sim_t *s, int job, int life);
void queue_beat(sim_t *s, int job, int token, int life);
void queue_shut(sim_t *s, int scope, int64_t wait);
int queue_holds(const sim_t *s, int scope, int job);

/* worker.c */
typedef enum { CALL_GOOD = 0, CALL_LOST, CALL_NOREPLY } call_e;

void worker_event(sim_t *s, const event_t *e);
void worker_crash(sim_t *s, int w, int told);
int worker_life(const sim_t *s, int w);
call_e sim_call(sim_t *s);
int64_t sim_latency(sim_t *s);

/* exec.c */
void exec_begin(sim_t *s, int w, int job, int token);
void exec_event(sim_t *s, exec_t *x);
void exec_end(sim_t *s, exec_t *x, lease_event_e kind, lease_state_e end,
    lease_error_e error, int64_t span);
void exec_report(sim_t *s, exec_t *x, podi_breaker_outcome_e outcome);
lease_verdict_e store_say(sim_t *s, int job, int fence,
    const lease_event_t *end);

/* users.c */
void users_begin(sim_t *s);
void users_event(sim_t *s, const event_t *e);

/* faults.c */
void faults_plan(sim_t *s);
void fault_clock(sim_t *s);
void fault_queue(sim_t *s, event_e kind);

/* books.c */
books_t *books_create(void);
void books_clear(books_t *b);
void books_free(books_t *b);
void books_grant(sim_t *s, int lot);
int books_freeze(sim_t *s, int hold, int wallet, int64_t amount);
void books_confirm(sim_t *s, int hold, int64_t amount);
void books_release(sim_t *s, int hold, int64_t amount);
void books_lapse(sim_t *s, int wallet);
int64_t books_left(sim_t *s, int hold);
int64_t books_live(sim_t *s, int wallet);
void books_compare(sim_t *s);

/* check.c: after every transaction; `what` is the fact it claims */
typedef enum {
    FACT_NONE = 0, FACT_GRANT, FACT_FREEZE, FACT_REFUSED, FACT_SETTLE,
    FACT_REQUEST, FACT_SWEEP
} fact_e;

void check_begin(sim_t *s);
void check(sim_t *s, fact_e what, int a, int64_t amount);

/* check_end.c */
void check_end(sim_t *s);


#endif /* SIM_H */
