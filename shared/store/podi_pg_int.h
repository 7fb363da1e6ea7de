/*
 * podi_pg_int: what the files of the PostgreSQL engine share.
 *
 *     podi_pg.c            the calls, the waiting room, answering
 *     podi_pg_lane.c       what a lane may hope for
 *     podi_pg_conn.c       a connection: states, time, loss
 *     podi_pg_wire.c       its socket
 *     podi_pg_connect.c    how one is opened: parameters, preparing
 *     podi_pg_unit.c       a unit: sending it, its results, its end
 *     podi_pg_fail.c       SQLSTATE -> podi_fail_t
 *     podi_pg_arg.c        arguments
 *     podi_pg_row.c        results
 *
 * Everything happens on a clean stack: a call only puts its unit into the
 * waiting room and posts `wake`; sockets, timers and `wake` do the work.
 * Each of those entries is bracketed by podi_pg_enter and podi_pg_leave, so
 * that an answer may free the engine.
 */

#ifndef PODI_PG_INT_H
#define PODI_PG_INT_H


#include <libpq-fe.h>

#include "podi_list.h"
#include "podi_pg.h"


#define PODI_PG_LANES      2
#define PODI_PG_GRACE      2000     /* ms that a peer may be late */
#define PODI_PG_HOPE       1000     /* ms that callers wait for an attempt */
#define PODI_PG_TRY_AGAIN  200      /* ms between attempts made for callers */

typedef struct podi_pg_conn_s  podi_pg_conn_t;
typedef struct podi_pg_unit_s  podi_pg_unit_t;


/*
 *   WAITING -> SENT      [podi_pg_unit_send]
 *   SENT    -> ANSWERED  [podi_pg_unit_finish]
 *   WAITING -> ANSWERED  [podi_pg_unit_finish]    deadline, no hope, or the
 *                                                 engine ends
 *   any     -> SPARE     [podi_pg_unit_release]
 *
 * A SENT unit whose op has no flow is a tombstone (or was always the
 * engine's own): its results are read and dropped.
 */
typedef enum {
    PODI_PG_UNIT_SPARE,
    PODI_PG_UNIT_WAITING,
    PODI_PG_UNIT_SENT,
    PODI_PG_UNIT_ANSWERED
} podi_pg_unit_e;

/* whose results come next */
typedef enum {
    PODI_PG_STAGE_CONTEXT,
    PODI_PG_STAGE_STATEMENT,
    PODI_PG_STAGE_SYNC
} podi_pg_stage_e;

struct podi_pg_unit_s {
    podi_op_t         op;
    podi_link_t       link;         /* in waiting, a connection, answered,
                                       spare: as the state says */
    podi_pg_t        *pg;
    podi_pg_conn_t   *conn;         /* SENT: on which */
    podi_pg_conn_t   *target;       /* ours: the connection it cancels */
    podi_timer_t     *timer;        /* the deadline */
    podi_pg_unit_e    state;
    podi_pg_stage_e   stage;
    unsigned          lane;
    PGresult         *res;
    podi_fail_t       fail;
    podi_pg_call_t    call;
    char              pid[16];      /* ours: the argument */
};


/*
 *   DOWN        -> CONNECTING   [podi_pg_conn_open]      back-off is over
 *   CONNECTING  -> PREPARING    [podi_pg_conn_prepare]   libpq says OK
 *   PREPARING   -> READY        [podi_pg_conn_up]        Sync answered
 *   READY       -> QUARANTINED  [podi_pg_conn_cancel]    slow lane only
 *   QUARANTINED -> READY        [podi_pg_conn_rest]      unit and cancel done
 *   READY       -> RETIRING     [podi_pg_conn_retire]    its plans went stale
 *   RETIRING    -> DOWN         [podi_pg_conn_rest]      drained
 *   any         -> DOWN         [podi_pg_conn_lost]
 */
typedef enum {
    PODI_PG_DOWN,
    PODI_PG_CONNECTING,
    PODI_PG_PREPARING,
    PODI_PG_READY,
    PODI_PG_QUARANTINED,
    PODI_PG_RETIRING,
    PODI_PG_STATE_LAST
} podi_pg_state_e;

struct podi_pg_conn_s {
    podi_pg_t        *pg;
    podi_pg_state_e   state;
    unsigned          lane;
    PGconn           *conn;         /* NULL: DOWN */
    int               fd;           /* our dup of libpq's socket, or -1 */
    podi_watch_t     *watch;
    podi_timer_t     *timer;        /* DOWN: back-off; CONNECTING, PREPARING:
                                       PODI_PG_HOPE, then connect_timeout;
                                       else: silent peer */
    podi_link_t       units;        /* SENT, in wire order */
    unsigned          in_flight;
    podi_msec_t       head_since;   /* when the oldest became the oldest */
    unsigned          failures;     /* since it last came up */
    unsigned          refused;      /* of these: attempts to connect */
    podi_msec_t       refused_at;   /* when the last of them failed */
    unsigned          preparing;    /* PREPARING: answers still to come */
    unsigned          nulls;        /* ends of results in a row */
    unsigned          cancelling;   /* cancels for it, not answered yet */
    unsigned          timed:1;      /* the silence timer is armed */
    unsigned          late:1;       /* the attempt took all of PODI_PG_HOPE */
    unsigned          opened:1;     /* was READY before */
    unsigned          up:1;         /* is READY or came from it */
};

struct podi_pg_s {
    podi_io_t                  *io;
    podi_pg_conf_t              conf;
    const podi_pg_statement_t  *statements;
    podi_pg_conn_t             *conns;      /* the pipelined ones first */
    unsigned                    all;
    podi_link_t                 waiting[PODI_PG_LANES];
    unsigned                    n_waiting[PODI_PG_LANES];
    podi_link_t                 answered;
    podi_link_t                 spare;
    podi_post_t                 wake;
    podi_fail_t                 config;     /* CONFIG, or nothing */
    uint64_t                    calls;
    uint64_t                    failures;
    uint64_t                    reconnects;
    unsigned                    depth;      /* entries on the stack */
    unsigned                    started:1;
    unsigned                    freeing:1;
};


void podi_pg_enter(podi_pg_t *pg);
void podi_pg_leave(podi_pg_t *pg);
void podi_pg_wake(podi_pg_t *pg);
unsigned podi_pg_lane(const podi_pg_t *pg, podi_sql_e sql);
podi_msec_t podi_pg_timeout(const podi_pg_t *pg, unsigned lane);

int podi_pg_lane_is_up(const podi_pg_t *pg, unsigned lane);
/* what waits is answered, unless the lane has hope */
void podi_pg_lane_judge(podi_pg_t *pg, unsigned lane);
/* the same for what has just come, after an attempt of its own */
void podi_pg_lane_try(podi_pg_t *pg, unsigned lane);

/* a connection; each may end in DOWN with everything on it answered */
PODI_MUSTCHECK podi_rc_t podi_pg_conn_init(podi_pg_conn_t *c, podi_pg_t *pg,
    unsigned lane);
void podi_pg_conn_open(podi_pg_conn_t *c);
void podi_pg_conn_lost(podi_pg_conn_t *c, const char *what,
    const podi_fail_t *fail);
void podi_pg_conn_broke(podi_pg_conn_t *c, const char *what);
void podi_pg_conn_set_state(podi_pg_conn_t *c, podi_pg_state_e state);
void podi_pg_conn_check(const podi_pg_conn_t *c);
void podi_pg_conn_up(podi_pg_conn_t *c);
void podi_pg_conn_cancel(podi_pg_conn_t *c);
void podi_pg_conn_retire(podi_pg_conn_t *c);
void podi_pg_conn_rest(podi_pg_conn_t *c);
PODI_MUSTCHECK podi_rc_t podi_pg_conn_watch(podi_pg_conn_t *c,
    unsigned events);
void podi_pg_conn_unwatch(podi_pg_conn_t *c);
PODI_MUSTCHECK podi_rc_t podi_pg_conn_flush(podi_pg_conn_t *c);
void podi_pg_conn_sent(podi_pg_conn_t *c);
void podi_pg_conn_close(podi_pg_conn_t *c);
unsigned podi_pg_conn_room(const podi_pg_conn_t *c);

PGconn *podi_pg_connect(podi_pg_t *pg, unsigned lane);
PODI_MUSTCHECK podi_rc_t podi_pg_conn_prepare(podi_pg_conn_t *c);
PODI_MUSTCHECK podi_rc_t podi_pg_conn_prepared(podi_pg_conn_t *c,
    PGresult *res);

podi_pg_unit_t *podi_pg_unit_create(podi_pg_t *pg);
void podi_pg_unit_wait(podi_pg_unit_t *u, podi_msec_t deadline);
PODI_MUSTCHECK podi_rc_t podi_pg_unit_send(podi_pg_unit_t *u,
    podi_pg_conn_t *c);
PODI_MUSTCHECK podi_rc_t podi_pg_unit_result(podi_pg_unit_t *u,
    PGresult *res);
void podi_pg_unit_lost(podi_pg_unit_t *u, const podi_fail_t *fail);
void podi_pg_unit_finish(podi_pg_unit_t *u);
void podi_pg_unit_release(podi_pg_unit_t *u);
void podi_pg_unit_answer(podi_pg_unit_t *u);
void podi_pg_unit_gone(podi_op_t *op);
void podi_pg_unit_destroy(podi_pg_unit_t *u);

/* UNAVAILABLE, with a time after which to try again */
void podi_pg_unavailable(podi_fail_t *fail, const char *why);
/* the error of a result; `done`: the statement itself had succeeded */
void podi_pg_fail(podi_fail_t *fail, const PGresult *res, const char *name,
    int done);
/* libpq's words about its connection, on one line */
void podi_pg_conn_fail(podi_fail_t *fail, const PGconn *conn,
    const char *what);


#endif /* PODI_PG_INT_H */
