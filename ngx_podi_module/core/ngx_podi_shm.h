/*
 * ngx_podi_shm: the layout of the shared zone.  Only core looks inside.
 *
 * The name of the zone carries the version of the layout, so that a new .so
 * with another layout gets a zone of its own while old workers keep theirs.
 */

#ifndef NGX_PODI_SHM_H
#define NGX_PODI_SHM_H


#include "ngx_podi_core.h"
#include "ngx_podi_lock.h"
#include "ngx_podi_process.h"


#define NGX_PODI_ZONE_NAME       "podi_6"
#define NGX_PODI_SHM_MAGIC       0x706f6469
#define NGX_PODI_NAMED           8
#define NGX_PODI_TENANT_SETS     64          /* a power of two */

/* names that are remembered for a while: one set of a table */

typedef struct {
    ngx_atomic_t             until[NGX_PODI_NAMED];      /* 0: free */
    ngx_atomic_t             before[NGX_PODI_NAMED];     /* 0: always */
    u_char                   ids[NGX_PODI_NAMED][NGX_PODI_MARK_LEN];
} ngx_podi_named_t;

typedef struct {
    ngx_uint_t               magic;
    uint64_t                 lock;           /* of what has no other */
    ngx_podi_metric_cell_t  *cells;
    ngx_atomic_t             counts[NGX_PODI_COUNT_LAST];
    ngx_podi_slot_t          slots[NGX_PODI_SLOTS];
    ngx_podi_feed_t          feed;
    ngx_podi_named_t         covered[NGX_PODI_TENANT_SETS];
    ngx_uint_t               sets;           /* a power of two */
    ngx_podi_named_t        *revoked;
    ngx_atomic_t            *blind;          /* a set has lost some; msec */
} ngx_podi_shm_t;


ngx_int_t ngx_podi_shm_init(ngx_shm_zone_t *zone, void *data);

/* NULL when no zone is configured */
ngx_podi_shm_t *ngx_podi_shm(void);
ngx_slab_pool_t *ngx_podi_shm_pool(void);

/* the two sets of an id, 0 and 1, by bytes of their own */
ngx_uint_t ngx_podi_named_at(const u_char *id, ngx_uint_t which,
    ngx_uint_t sets);
ngx_uint_t ngx_podi_named_has(const ngx_podi_named_t *set, const u_char *id,
    time_t issued, ngx_atomic_uint_t now);
/* free places; one more than there are when it is in there */
ngx_uint_t ngx_podi_named_room(const ngx_podi_named_t *set, const u_char *id,
    ngx_atomic_uint_t now);
/* under the lock of the zone; ERROR: there is no room */
podi_rc_t ngx_podi_named_put(ngx_podi_named_t *set, const u_char *id,
    time_t before, ngx_atomic_uint_t until, ngx_atomic_uint_t now);


#endif /* NGX_PODI_SHM_H */
