/*
 * podi_picture_int: what the two files of podi_picture share.
 *
 * A process waits (is the spare one), or is asked; from then on it is that of
 * one picture.  podi_picture_start.c starts and asks, podi_picture.c sees to
 * the end.
 */

#ifndef PODI_PICTURE_INT_H
#define PODI_PICTURE_INT_H


#include <uv.h>

#include "podi_picture.h"


typedef enum {
    RUN_WAITING,                    /* nobody has asked it yet */
    RUN_RUNNING,
    RUN_LATE,                       /* killed, because its time was over */
    RUN_CANCELLED,                  /* killed, because nobody waits */
    RUN_CLOSING
} podi_picture_state_e;

typedef struct {
    podi_op_t               op;
    podi_picture_state_e    state;
    podi_picture_spare_t   *spare;
    uv_process_t            process;
    int                     in;     /* its stdin, a socket; -1: was closed */
    uv_pipe_t               out;
    uv_timer_t              timer;
    unsigned                handles;    /* that libuv has not closed yet */
    char                    reply[PODI_PICTURE_REPLY_MAX];
    size_t                  n;
    int                     status;
    int                     signum;
    unsigned                exited:1;
    unsigned                eof:1;
} podi_picture_run_t;

/* of a daemon */

struct podi_picture_spare_s {
    podi_worker_t              *worker;
    const podi_picture_conf_t  *conf;
    uv_loop_t                  *loop;
    podi_timer_t               *timer;  /* NULL: closed */
    podi_picture_run_t         *run;    /* that waits; NULL: none */
};


/* a process that waits; NULL: none could be started */
podi_picture_run_t *podi_picture_start(podi_picture_spare_t *spare);

/* DECLINED: it has ended, or is about to, and hears nothing any more */
PODI_MUSTCHECK podi_rc_t podi_picture_tell(podi_picture_run_t *run,
    podi_mem_t *mem, const podi_picture_ask_t *ask);

/* kills it, if it has not ended by itself; it is freed when it was reaped */
void podi_picture_kill(podi_picture_run_t *run, podi_picture_state_e state);

/* what libuv tells of it */
void podi_picture_exited(uv_process_t *process, int64_t status, int signum);

/* for a picture that comes; the next one is started later */
podi_picture_run_t *podi_picture_spare_take(podi_picture_spare_t *spare);
void podi_picture_spare_later(podi_picture_spare_t *spare);
void podi_picture_spare_gone(podi_picture_run_t *run);

void podi_picture_run_close(podi_picture_run_t *run);


#endif /* PODI_PICTURE_INT_H */
