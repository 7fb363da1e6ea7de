/*
 * podi_uv_io: podi_io on libuv.
 *
 * Watches do not keep the loop alive and housekeeping timers do not; timers
 * of work and posts do.  So uv_run returns when nobody waits for anything.
 *
 * libuv closes handles in the background: after podi_uv_io_close the loop
 * must run once more (uv_run until it gives 0) before uv_loop_close.
 */

#ifndef PODI_UV_IO_H
#define PODI_UV_IO_H


#include <uv.h>

#include "podi_io.h"


typedef struct {
    podi_io_t     io;           /* first: what engines are given */
    uv_loop_t    *loop;
    uv_idle_t     idle;         /* runs while something is posted */
    podi_link_t   posts;
    unsigned      watches;      /* alive: 0 when all engines are gone */
    unsigned      timers;
} podi_uv_io_t;


/* it stays at its address until it is closed */
PODI_MUSTCHECK podi_rc_t podi_uv_io_init(podi_uv_io_t *uv, uv_loop_t *loop);

/* no watch, timer or post may be left */
void podi_uv_io_close(podi_uv_io_t *uv);


#endif /* PODI_UV_IO_H */
