/*
 * podi_io: what an engine needs from an event loop.
 *
 * A table of hooks, implemented in ngx_podi_module/core on nginx events and
 * in workers/skeleton on libuv.  Level-triggered: a descriptor that is still
 * readable is reported again.  No hook calls back before it has returned.
 *
 * The descriptor belongs to the library that opened it (libpq, hiredis,
 * curl): unwatch forgets it and never closes it, and must come before the
 * library closes.
 */

#ifndef PODI_IO_H
#define PODI_IO_H


#include "podi_list.h"
#include "podi_time.h"


#define PODI_IO_READ    1u
#define PODI_IO_WRITE   2u

typedef struct podi_io_s     podi_io_t;
typedef struct podi_watch_s  podi_watch_t;      /* defined by the loop */
typedef struct podi_timer_s  podi_timer_t;      /* defined by the loop */
typedef struct podi_post_s   podi_post_t;

/* `ready` is a mask of PODI_IO_*; an error or hang-up reports what is wanted */
typedef void (*podi_watch_pt)(void *data, unsigned ready);
typedef void (*podi_timer_pt)(void *data);
typedef void (*podi_post_pt)(void *data);

/* embedded in its owner; zeroed before its first use */

struct podi_post_s {
    podi_link_t    link;
    podi_post_pt   run;
    void          *data;
    unsigned       posted:1;
};

/*
 * Whether a timer keeps a quitting process alive: a deadline of work that
 * somebody waits for does, housekeeping (reconnect, ping) does not.
 */
typedef enum {
    PODI_TIMER_WORK,
    PODI_TIMER_HOUSEKEEPING
} podi_timer_e;

struct podi_io_s {
    void  *loop;

    /* starts with nothing wanted; NULL: no memory or no connection slot */
    podi_watch_t  *(*watch)(podi_io_t *io, int fd, podi_watch_pt run,
                            void *data);
    /* idempotent; ERROR: the loop refused, the owner must give up the fd */
    podi_rc_t      (*want)(podi_watch_t *w, unsigned events);
    void           (*unwatch)(podi_watch_t *w);

    /* NULL: no memory; a new timer is not armed; one shot */
    podi_timer_t  *(*timer)(podi_io_t *io, podi_timer_e kind,
                            podi_timer_pt run, void *data);
    void           (*arm)(podi_timer_t *t, podi_msec_t after);  /* or re-arm */
    void           (*disarm)(podi_timer_t *t);                  /* idempotent */
    void           (*timer_free)(podi_timer_t *t);

    /* runs once, soon, from a clean stack; posting twice runs once */
    void           (*post)(podi_io_t *io, podi_post_t *post);
    void           (*unpost)(podi_post_t *post);                /* idempotent */
};


#endif /* PODI_IO_H */
