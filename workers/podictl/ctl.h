/*
 * ctl: what the files of podictl share.
 *
 *     main.c      the command line: which command, which options
 *     ctl_table.c the commands, and what they want to be told
 *     ctl_run.c   one flow over PostgreSQL (and Redis), then the exit code
 *     ctl_help.c  what each command does, in a sentence
 *     ctl_pg.c    the commands that ask the database, and what they share
 *     ctl_*.c     more of them, by noun
 *     ctl_key.c   key make
 */

#ifndef CTL_H
#define CTL_H


#include <uv.h>

#include "podi_common.h"
#include "podi_flow.h"
#include "podi_http.h"
#include "podi_pg.h"
#include "podi_redis.h"
#include "podi_uv_io.h"


/* exit codes; people and scripts depend on them */
#define CTL_OK           0
#define CTL_REFUSED      1
#define CTL_USAGE        2
#define CTL_UNAVAILABLE  3
#define CTL_BLIND        2          /* of reconcile: it cannot be said */

#define CTL_OPTIONS_MAX  8
#define CTL_MORE_MAX     64
#define CTL_FILE_MAX     (1024 * 1024)
#define CTL_BILL_MAX     (64 * 1024 * 1024)

/* the value of an option that is given without one: by address */
extern const char  ctl_flag[];

/* and of one that may be given often, or without its name: to ctl->more */
extern const char  ctl_words[];

typedef struct ctl_s          ctl_t;
typedef struct ctl_command_s  ctl_command_t;

typedef struct {
    const char  *name;              /* --name VALUE */
    const char  *alias;             /* or NULL */
    const char  *value;             /* when it is not given; NULL: it must be */
    const char  *what;              /* for the usage */
} ctl_option_t;

/*
 * Options that must be given may also be given in order, without their
 * names: podictl tenant create demo "Demo".
 */

struct ctl_command_s {
    const char          *noun;
    const char          *verb;              /* or NULL */
    ctl_option_t         options[CTL_OPTIONS_MAX];
    const podi_step_t   *steps;             /* ctx is ctl_t; NULL: see run */
    int                (*run)(ctl_t *ctl);  /* needs no database */
};

struct ctl_s {
    const ctl_command_t  *command;
    const char           *values[CTL_OPTIONS_MAX];  /* by option */
    const char           *more[CTL_MORE_MAX];
    int                   n_more;
    const char           *path;                     /* of the settings */
    podi_arena_t         *arena;
    podi_mem_t           *mem;
    podi_common_t         set;
    uv_loop_t             loop;
    podi_uv_io_t          uv;
    podi_pg_t            *pg;
    podi_redis_t         *redis;
    podi_http_t          *http;         /* NULL: nobody needed it */
    podi_timer_t         *nap;          /* the same */
    podi_op_t             hello;        /* waits for Redis, a moment */
    podi_timer_t         *hello_timer;
    podi_flow_t           flow;
    podi_arena_t         *turn;         /* of one run of the flow */
    void                 *state;        /* kept from one run to the next */
    int                   code;
    unsigned              again:1;      /* run the flow once more */
};

extern const podi_step_t  ctl_grant_steps[];
extern const podi_step_t  ctl_refund_steps[];
extern const podi_step_t  ctl_adjust_steps[];
extern const podi_step_t  ctl_verify_steps[];
extern const podi_step_t  ctl_report_steps[];
extern const podi_step_t  ctl_queue_steps[];
extern const podi_step_t  ctl_gate_steps[];
extern const podi_step_t  ctl_queue_list_steps[];
extern const podi_step_t  ctl_gate_list_steps[];
extern const podi_step_t  ctl_price_steps[];
extern const podi_step_t  ctl_price_list_steps[];
extern const podi_step_t  ctl_plan_steps[];
extern const podi_step_t  ctl_plan_list_steps[];
extern const podi_step_t  ctl_tenant_plan_steps[];
extern const podi_step_t  ctl_aside_steps[];
extern const podi_step_t  ctl_dismiss_steps[];
extern const podi_step_t  ctl_replay_steps[];
extern const podi_step_t  ctl_quota_put_steps[];
extern const podi_step_t  ctl_quota_list_steps[];
extern const podi_step_t  ctl_zone_steps[];
extern const podi_step_t  ctl_channel_set_steps[];
extern const podi_step_t  ctl_channel_kill_steps[];
extern const podi_step_t  ctl_channel_open_steps[];
extern const podi_step_t  ctl_channel_list_steps[];
extern const podi_step_t  ctl_limit_set_steps[];
extern const podi_step_t  ctl_limit_list_steps[];
extern const podi_step_t  ctl_tenant_steps[];
extern const podi_step_t  ctl_role_steps[];
extern const podi_step_t  ctl_revoke_steps[];
extern const podi_step_t  ctl_action_steps[];
extern const podi_step_t  ctl_invariant_steps[];
extern const podi_step_t  ctl_reconcile_steps[];
extern const podi_step_t  ctl_bill_steps[];
extern const podi_step_t  ctl_config_show_steps[];
extern const podi_step_t  ctl_key_add_steps[];
extern const podi_step_t  ctl_key_list_steps[];
extern const podi_step_t  ctl_key_disable_steps[];
extern const podi_step_t  ctl_tenant_operator_steps[];
extern const podi_step_t  ctl_farm_steps[];
extern const podi_step_t  ctl_server_put_steps[];
extern const podi_step_t  ctl_server_list_steps[];
extern const podi_step_t  ctl_server_state_steps[];
extern const podi_step_t  ctl_server_remove_steps[];
extern const podi_step_t  ctl_workflow_put_steps[];
extern const podi_step_t  ctl_workflow_publish_steps[];
extern const podi_step_t  ctl_workflow_list_steps[];
extern const podi_step_t  ctl_workflow_show_steps[];
extern const podi_step_t  ctl_workflow_dry_steps[];


/* ctl_table.c: ends with one without a noun */
extern const ctl_command_t ctl_commands[];

/* ctl_run.c: the flow of the command; gives the exit code */
int ctl_run(ctl_t *ctl);

/* a step: DONE or not, Redis gets a moment to come up */
podi_rc_t ctl_redis_wait(podi_flow_t *f, void *ctx);

/* "podictl: sentence" on stderr; gives the exit code of the error */
int ctl_failed(const podi_fail_t *fail);

/* ctl_pg.c: steps and helpers of several commands */
podi_rc_t ctl_wallet_tell(podi_flow_t *f, void *ctx);
podi_rc_t ctl_wallet_end(podi_flow_t *f, void *ctx);
podi_rc_t ctl_tell_rows(podi_flow_t *f, void *ctx);
podi_rc_t ctl_read_file(podi_flow_t *f, const char *path, size_t max,
    podi_str_t *ret_text);                  /* "-" is stdin */

/* asks with the values of the first n options */
PODI_MUSTCHECK podi_rc_t ctl_ask(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql,
    int n);

/* asks with the JSON object in the file that the first option names */
PODI_MUSTCHECK podi_rc_t ctl_put(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql);

/* ctl_help.c: one sentence a command, or "" */
const char *ctl_help(const char *noun, const char *verb);

/* ctl_key.c */
int ctl_key_make(ctl_t *ctl);

/* ctl_lint.c */
int ctl_config_lint(ctl_t *ctl);

/* ctl_provider.c */
int ctl_provider_check(ctl_t *ctl);

/* ctl_receipt.c */
int ctl_receipt_verify(ctl_t *ctl);


#endif /* CTL_H */
