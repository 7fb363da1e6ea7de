/*
 * ctl_dry: a workflow that is tried by an operator.
 *
 *     ctl_dry.c       what would be sent, and who could run it
 *     ctl_dry_run.c   really, on one server: what to do next
 *     ctl_dry_ask.c   the requests of that
 */

#ifndef CTL_DRY_H
#define CTL_DRY_H


#include "podi_comfy.h"
#include "podi_comfy_keys.h"
#include "ctl.h"


/*
 * SHOW -> (over)                        nobody is to run it
 * SHOW -> UPLOAD -> PROMPT -> POLL      to its end
 * POLL -> VIEW -> FORGET -> END         it is done
 * POLL | PROMPT -> UNQUEUE [-> INTERRUPT -> POLL] -> FORGET     given up
 */
typedef enum {
    DRY_SHOW = 0,
    DRY_UPLOAD,
    DRY_PROMPT,
    DRY_POLL,
    DRY_VIEW,
    DRY_UNQUEUE,
    DRY_INTERRUPT,
    DRY_FORGET,
    DRY_END
} ctl_dry_e;

typedef struct {
    ctl_t                 *ctl;
    ctl_dry_e              stage;
    podi_str_t             workflow;
    int64_t                version;
    json_t                *graph;
    json_t                *mapping;
    json_t                *params;
    podi_str_t             prompt_id;   /* and of the names */
    podi_str_t             ref;         /* what the server calls it */
    uint32_t               seed;
    podi_str_t             names[CTL_MORE_MAX];     /* of the uploads */
    int                    fds[CTL_MORE_MAX];
    int64_t                bytes[CTL_MORE_MAX];
    size_t                 n_inputs;
    size_t                 at;          /* the file that is dealt with */
    podi_str_t             body;        /* of POST /prompt */

    podi_str_t             url;
    podi_comfy_keys_t      keys;
    int                    out;         /* the directory */
    int                    fd;          /* of the file that is fetched */
    podi_msec_t            until;
    podi_comfy_history_t   history;
    podi_op_t              nap;
    podi_fail_t            fail;        /* why it is given up, or NONE */
    unsigned               targeted:1;  /* an interrupt hits ours alone */
} ctl_dry_t;


/* ctl_dry.c: the body, with the names as they are now */
PODI_MUSTCHECK podi_rc_t ctl_dry_body(ctl_dry_t *d, podi_fail_t *fail);

/* ctl_dry_run.c */
podi_rc_t ctl_dry_wait(podi_flow_t *f, void *ctx);
podi_rc_t ctl_dry_read(podi_flow_t *f, void *ctx);

/* ctl_dry_ask.c: the record of its server; and what the stage asks */
PODI_MUSTCHECK podi_rc_t ctl_dry_open(ctl_dry_t *d,
    const podi_pg_result_t *row, podi_fail_t *fail);
podi_rc_t ctl_dry_ask(podi_flow_t *f, void *ctx);


#endif /* CTL_DRY_H */
