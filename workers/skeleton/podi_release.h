/*
 * podi_release: what the parent tells PostgreSQL when its child has died.
 *
 * The one blocking call of a daemon, made by a process that has nothing else
 * to do, on a connection that lives only for it, within a few seconds.
 */

#ifndef PODI_RELEASE_H
#define PODI_RELEASE_H


#include "podi_worker_int.h"


#define PODI_RELEASE_DEADLINE  3000     /* ms, all in all */

/*
 * sys.worker_gone: the leases of `id` end now.  *ret_events is the text of
 * what is to be published, in mem; *ret_jobs how many jobs came back.  The
 * connection is closed again, whatever came of it.
 */
PODI_MUSTCHECK podi_rc_t podi_release(const podi_common_t *set,
    const char *id, podi_mem_t *mem, const char **ret_events,
    unsigned *ret_jobs, podi_fail_t *fail);


#endif /* PODI_RELEASE_H */
