/*
 * podi_pg: PostgreSQL without waiting, over podi_io.
 *
 * An engine of a few connections in two lanes.  The pipelined lane carries
 * many callers' units on one connection; a unit is [context] + one statement
 * + Sync, hence one implicit transaction and one round trip.  A caller that
 * goes away leaves a tombstone; nothing is ever cancelled there, and
 * statement_timeout is the bound.  The slow lane carries one unit a
 * connection; when its caller goes away or its deadline passes, it is
 * cancelled from another connection and kept aside until it has drained.
 *
 * Promises: no call blocks; an answer never comes inside the call that asked;
 * each call is answered exactly once, at the latest at its deadline; every
 * statement of podi_statements.def for this `who` is prepared at connect; a
 * lost connection fails what was sent on it with UNAVAILABLE and
 * fail.uncertain, what was not yet sent is sent elsewhere; reconnects with
 * exponential back-off and full jitter.  Never logs: it tells on_change.
 *
 * While a lane has no connection, calls wait for the first attempt to get
 * one, and after a loss again for the first.  When that has failed they are
 * answered UNAVAILABLE at once, until an attempt succeeds; a call that finds
 * the last attempt 200 ms old has the next one made, and waits a second for
 * it.
 */

#ifndef PODI_PG_H
#define PODI_PG_H


#include "podi_buf.h"
#include "podi_flow.h"
#include "podi_io.h"
#include "podi_secret.h"


typedef enum {
#define PODI_SQL(id, who, lane, text)  PODI_SQL_##id,
#include "podi_statements.def"
#undef PODI_SQL
    PODI_SQL_LAST
} podi_sql_e;

/* who prepares a statement: a mask, as one may serve two */
#define PODI_PG_WEB     1u          /* nginx, role podi_web */
#define PODI_PG_WORKER  2u          /* daemons, role podi_worker */
#define PODI_PG_CTL     4u          /* podictl, role podi_ctl */

#define PODI_PG_PIPELINED  0u
#define PODI_PG_SLOW       1u

#define PODI_PG_ARGS_MAX  24

typedef struct podi_pg_s         podi_pg_t;
typedef struct podi_pg_result_s  podi_pg_result_t;     /* a PGresult */

typedef struct {
    const char   *name;
    unsigned      who;
    unsigned      lane;
    const char   *text;
} podi_pg_statement_t;

typedef struct {
    const char   *conninfo;         /* libpq; host must be a path or address */
    podi_secret_t *password;        /* or NULL */
    const char   *application_name;
    unsigned      who;              /* one of PODI_PG_* */
    unsigned      pipelined;        /* connections in the pipelined lane */
    unsigned      depth;            /* units in flight on each of them */
    unsigned      slow;             /* connections in the slow lane */
    unsigned      waiting;          /* units that may wait for a connection */
    podi_msec_t   connect_timeout;
    podi_msec_t   deadline;         /* of a call that names none */
    podi_msec_t   statement_timeout;
    podi_msec_t   slow_timeout;     /* of the slow lane; 0: the same */
    podi_msec_t   reconnect_max;
    /* PODI_SQL_LAST of them, for tests; NULL: podi_statements.def */
    const podi_pg_statement_t  *statements;
    /* state changes, for the log and the metrics; fail is NULL when up */
    void        (*on_change)(void *data, const char *what,
                             const podi_fail_t *fail);
    void         *data;
} podi_pg_conf_t;

typedef struct {
    podi_sql_e    sql;
    podi_mem_t   *mem;              /* lives at least as long as the flow */
    podi_str_t    context;          /* signed context, or empty */
    podi_msec_t   deadline;         /* 0: the engine's */
    unsigned      n;
    unsigned      failed:1;         /* an argument found no memory */
    unsigned      zero:1;           /* a text had a zero byte in it */
    const char   *values[PODI_PG_ARGS_MAX];
    int           lengths[PODI_PG_ARGS_MAX];
    int           formats[PODI_PG_ARGS_MAX];
} podi_pg_call_t;

typedef struct {
    unsigned   up;                  /* connections ready */
    unsigned   all;                 /* connections configured */
    unsigned   in_flight;           /* units sent and not answered */
    unsigned   waiting;
    unsigned   tombstones;
    uint64_t   calls;
    uint64_t   failures;            /* answered by us, not by PostgreSQL */
    uint64_t   reconnects;
} podi_pg_stat_t;


/*
 * ERROR with CONFIG and a sentence unless libpq can connect without looking
 * anything up: every host is an absolute path or comes with a hostaddr or is
 * itself a numeric address, and no service file is named.
 */
PODI_MUSTCHECK podi_rc_t podi_pg_conninfo_check(const char *conninfo,
    podi_fail_t *fail);

/*
 * Connects soon, not now.  conf is copied, its strings are not; NULL: no
 * memory.  A conninfo that does not pass the check fails every call with
 * CONFIG.
 */
podi_pg_t *podi_pg_create(podi_io_t *io, const podi_pg_conf_t *conf);

/*
 * Fails what is pending (flows end), closes, frees, leaves NULL.  Called from
 * inside one of the engine's answers, it does so when that answer returns.
 */
void podi_pg_free(podi_pg_t **pg);

void podi_pg_stat(const podi_pg_t *pg, podi_pg_stat_t *ret_stat);

/* arguments, in order; strings are copied into mem */
void podi_pg_call_init(podi_pg_call_t *call, podi_sql_e sql, podi_mem_t *mem);
void podi_arg_str(podi_pg_call_t *call, const podi_str_t *s);  /* NULL: null */
void podi_arg_c(podi_pg_call_t *call, const char *s);          /* NULL: null */
void podi_arg_int64(podi_pg_call_t *call, int64_t n);
void podi_arg_bool(podi_pg_call_t *call, int on);
void podi_arg_time(podi_pg_call_t *call, podi_usec_t t);       /* timestamptz */
void podi_arg_bytea(podi_pg_call_t *call, const podi_str_t *bytes);
void podi_arg_null(podi_pg_call_t *call);

/*
 * One unit.  AGAIN: f->result will be the podi_pg_result_t, owned by f->mem;
 * an SQL error fails the flow with the error of its SQLSTATE (U0xxx), and
 * with its DETAIL as fail.extra when that is a JSON object.  ERROR: f->fail
 * is set (UNAVAILABLE: the waiting room is full).
 */
PODI_MUSTCHECK podi_rc_t podi_pg_call(podi_pg_t *pg, podi_flow_t *f,
    const podi_pg_call_t *call);


/*
 * A refusal that a function of ours caught and tells as a value: fills fail as
 * if it had ended the call.  detail: a JSON object as text, or NULL.  ERROR;
 * NONE in fail->error when the SQLSTATE is none of PODI's.
 */
podi_rc_t podi_pg_refusal(podi_fail_t *fail, const char *sqlstate,
    const char *message, const char *detail);


/* reading: a wrong name or row is a bug of ours and asserts */

int podi_rows(const podi_pg_result_t *res);
int podi_row_is_null(const podi_pg_result_t *res, int row, const char *name);
podi_str_t podi_row_str(const podi_pg_result_t *res, int row,
    const char *name);                      /* borrowed; NULL gives "" */
int64_t podi_row_int64(const podi_pg_result_t *res, int row,
    const char *name);                      /* NULL gives 0 */
int podi_row_bool(const podi_pg_result_t *res, int row, const char *name);
podi_usec_t podi_row_time(const podi_pg_result_t *res, int row,
    const char *name);                      /* NULL gives 0 */

/*
 * Appends the row's columns as JSON members, without braces, named as in SQL:
 * int8, bool and json(b) as they are, timestamptz as RFC 3339, the rest as
 * strings; SQL null as null.  Columns whose name begins with '_' are left
 * out: they are for C.
 */
void podi_row_json(podi_buf_t *buf, const podi_pg_result_t *res, int row);


#endif /* PODI_PG_H */
