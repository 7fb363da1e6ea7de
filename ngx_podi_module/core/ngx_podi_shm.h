/*
 * ngx_podi_shm: the layout of the shared zone.  Only core looks inside.
 *
 * The name of the zone carries the version of the layout, so that a new .so
 * with another layout gets a zone of its own while old workers keep theirs.
 */

#ifndef NGX_PODI_SHM_H
#define NGX_PODI_SHM_H


#include "ngx_podi_core.h"


#define NGX_PODI_ZONE_NAME       "podi_2"
#define NGX_PODI_SHM_MAGIC       0x706f6469
#define NGX_PODI_BUCKET_SIZE     8
#define NGX_PODI_TENANT_BUCKETS  64          /* a power of two */

/* a UUID that is remembered for a while */

typedef struct {
    u_char                   id[16];
    ngx_atomic_t             until;          /* seconds; 0: free */
} ngx_podi_entry_t;

typedef struct {
    ngx_uint_t               magic;
    ngx_podi_metric_cell_t  *cells;
    ngx_atomic_t             counts[NGX_PODI_COUNT_LAST];
    ngx_podi_slot_t          slots[NGX_PODI_SLOTS];
    ngx_podi_feed_t          feed;
    ngx_podi_entry_t         covered[NGX_PODI_TENANT_BUCKETS
                                     * NGX_PODI_BUCKET_SIZE];
    ngx_uint_t               buckets;        /* a power of two */
    ngx_podi_entry_t        *revoked;        /* buckets * BUCKET_SIZE */
} ngx_podi_shm_t;


ngx_int_t ngx_podi_shm_init(ngx_shm_zone_t *zone, void *data);

/* NULL when no zone is configured */
ngx_podi_shm_t *ngx_podi_shm(void);
ngx_slab_pool_t *ngx_podi_shm_pool(void);


#endif /* NGX_PODI_SHM_H */
