/*
 * ngx_podi_overlay: a text of PostgreSQL's that is laid over nginx.conf, in all
 * workers of this nginx.
 *
 *     PostgreSQL --one worker asks--> shared memory --each reads--> its own set
 *
 * What an operator changes is live within a second, without a reload, and stays
 * over one.  While PostgreSQL is away what was read last holds; before anything
 * was read, nginx.conf alone.  Whoever dies while he writes, or stands still,
 * leaves a whole text: that before.
 *
 * What the text means is its feature's business, and so is the set made of it.
 */

#ifndef NGX_PODI_OVERLAY_H
#define NGX_PODI_OVERLAY_H


#include "ngx_podi.h"


typedef struct {
    podi_sql_e     sql;             /* one row, the same for each tenant */
    const char    *column;          /* of it: the text */
    const char    *what;            /* it tells of, as the log calls that */

    /* OK; DECLINED: it is no good (now), and what was read last holds */
    ngx_int_t    (*read)(void *data, const podi_str_t *text);
} ngx_podi_overlay_source_t;

typedef struct ngx_podi_overlay_s  ngx_podi_overlay_t;


/*
 * At configuration time: its memory, whose name tells its layout.  NULL: a
 * sentence is in the log.  And at the end: can the database be asked?
 */
ngx_shm_zone_t *ngx_podi_overlay_zone(ngx_conf_t *cf, const char *name,
    ngx_module_t *module);
ngx_int_t ngx_podi_overlay_check(ngx_conf_t *cf, const char *directive);

/*
 * In a worker, from init_process on; what there is is read at once.  NULL: no
 * memory.  Stop leaves NULL, and no read comes after it.
 */
ngx_podi_overlay_t *ngx_podi_overlay_start(ngx_cycle_t *cycle,
    ngx_shm_zone_t *zone, const ngx_podi_overlay_source_t *source,
    void *data);
void ngx_podi_overlay_stop(ngx_podi_overlay_t **overlay);


#endif /* NGX_PODI_OVERLAY_H */
