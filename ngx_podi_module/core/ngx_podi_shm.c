/*
 * ngx_podi_shm: the zone that podi_zone makes.  Nothing in it points into a
 * process.
 */

#include "ngx_podi_shm.h"


ngx_int_t
ngx_podi_shm_init(ngx_shm_zone_t *zone, void *data)
{
    size_t                 size;
    ngx_podi_shm_t        *shm;
    ngx_slab_pool_t       *pool;
    ngx_podi_main_conf_t  *pmcf = zone->data;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists || pool->data != NULL) {
        return ngx_podi_metric_bind(pmcf);
    }

    shm = ngx_slab_calloc(pool, sizeof(ngx_podi_shm_t));
    if (shm == NULL) {
        return NGX_ERROR;
    }

    shm->magic = NGX_PODI_SHM_MAGIC;

    /* a quarter of the zone at most; the cells need the rest */

    size = sizeof(ngx_podi_named_t);

    for (shm->sets = 64;
         shm->sets * 2 * size <= zone->shm.size / 4;
         shm->sets *= 2)
    {
        /* void */
    }

    shm->revoked = ngx_slab_calloc(pool, shm->sets * size);
    shm->blind = ngx_slab_calloc(pool, shm->sets * sizeof(ngx_atomic_t));

    if (shm->revoked == NULL || shm->blind == NULL) {
        return NGX_ERROR;
    }

    pool->data = shm;
    pool->log_nomem = 0;

    return ngx_podi_metric_bind(pmcf);
}


ngx_slab_pool_t *
ngx_podi_shm_pool(void)
{
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    if (pmcf == NULL || pmcf->zone == NULL) {
        return NULL;
    }

    return (ngx_slab_pool_t *) pmcf->zone->shm.addr;
}


ngx_podi_shm_t *
ngx_podi_shm(void)
{
    ngx_slab_pool_t  *pool;

    pool = ngx_podi_shm_pool();

    return (pool == NULL) ? NULL : pool->data;
}
