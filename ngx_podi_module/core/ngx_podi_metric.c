/*
 * ngx_podi_metric: cells by route, slots by process, counters by name.
 *
 * The master finds or makes the cell of each route that the configuration
 * has, while no worker of the new cycle runs; the list only grows at its
 * head, so workers of the old cycle read it without a lock.
 */

#include "ngx_podi_shm.h"
#include "podi_fault.h"


const ngx_uint_t  ngx_podi_bounds[NGX_PODI_BUCKETS - 1] = {
    1000, 2000, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000
};


static ngx_podi_metric_cell_t *ngx_podi_cell(ngx_slab_pool_t *pool,
    const char *method, const char *path);
static const char *ngx_podi_method_name(ngx_uint_t method);


ngx_int_t
ngx_podi_metric_bind(ngx_podi_main_conf_t *pmcf)
{
    ngx_uint_t               i, n;
    ngx_slab_pool_t         *pool;
    ngx_podi_table_t        *table;
    const ngx_podi_route_t  *route;

    pool = (ngx_slab_pool_t *) pmcf->zone->shm.addr;

    pmcf->other = ngx_podi_cell(pool, "", "other");
    if (pmcf->other == NULL) {
        return NGX_ERROR;
    }

    table = pmcf->tables.elts;

    for (i = 0; i < pmcf->tables.nelts; i++) {
        for (n = 0; n < table[i].n; n++) {

            route = &table[i].routes[n];

            table[i].cells[n] = ngx_podi_cell(pool,
                                      ngx_podi_method_name(route->method),
                                      route->path);
            if (table[i].cells[n] == NULL) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_podi_metric_cell_t *
ngx_podi_cell(ngx_slab_pool_t *pool, const char *method, const char *path)
{
    ngx_podi_shm_t          *shm = pool->data;
    ngx_podi_metric_cell_t  *cell;

    for (cell = shm->cells; cell != NULL; cell = cell->next) {
        if (ngx_strcmp(cell->method, method) == 0
            && ngx_strncmp(cell->path, path, NGX_PODI_LABEL - 1) == 0)
        {
            return cell;
        }
    }

    cell = ngx_slab_calloc(pool, sizeof(ngx_podi_metric_cell_t));
    if (cell == NULL) {
        ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                      "\"podi_zone\" is too small for the routes: write "
                      "podi_zone 8m; at http level");
        return NULL;
    }

    ngx_cpystrn((u_char *) cell->method, (u_char *) method,
                sizeof(cell->method));
    ngx_cpystrn((u_char *) cell->path, (u_char *) path, sizeof(cell->path));

    cell->next = shm->cells;
    ngx_memory_barrier();
    shm->cells = cell;

    return cell;
}


static const char *
ngx_podi_method_name(ngx_uint_t method)
{
    switch (method) {

    case NGX_HTTP_GET:
        return "GET";

    case NGX_HTTP_POST:
        return "POST";

    case NGX_HTTP_PUT:
        return "PUT";

    case NGX_HTTP_PATCH:
        return "PATCH";

    case NGX_HTTP_DELETE:
        return "DELETE";

    default:
        return "OTHER";
    }
}


void
ngx_podi_count(ngx_podi_count_e what)
{
    ngx_podi_count_add(what, 1);
}


void
ngx_podi_count_add(ngx_podi_count_e what, ngx_uint_t n)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    if (shm != NULL && n != 0) {
        (void) ngx_atomic_fetch_add(&shm->counts[what], n);
    }
}


ngx_uint_t
ngx_podi_counted(ngx_podi_count_e what)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return (shm == NULL) ? 0 : shm->counts[what];
}


ngx_podi_metric_cell_t *
ngx_podi_cells(void)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return (shm == NULL) ? NULL : shm->cells;
}


ngx_podi_slot_t *
ngx_podi_slots(void)
{
    ngx_podi_shm_t  *shm;

    shm = ngx_podi_shm();

    return (shm == NULL) ? NULL : shm->slots;
}


ngx_podi_slot_t *
ngx_podi_slot_take(void)
{
    ngx_uint_t        i;
    ngx_podi_slot_t  *slot, *found;
    ngx_podi_shm_t   *shm;

    shm = ngx_podi_shm();

    if (shm == NULL || ngx_podi_lock(&shm->lock) == NGX_BUSY) {
        return NULL;
    }

    found = NULL;
    slot = shm->slots;

    for (i = 0; i < NGX_PODI_SLOTS; i++, slot++) {

        if (ngx_podi_process_is_dead(slot->owner)) {
            ngx_memzero(slot, sizeof(ngx_podi_slot_t));
        }

        if (slot->owner == 0 && found == NULL) {
            found = slot;
            ngx_memzero(slot, sizeof(ngx_podi_slot_t));
            slot->owner = ngx_podi_process();
        }
    }

    PODI_FAULT(slot_take);

    ngx_podi_unlock(&shm->lock);

    return found;
}


ngx_int_t
ngx_podi_metric_log(ngx_http_request_t *r)
{
    ngx_uint_t               i, class, usec;
    ngx_podi_request_t      *pr;
    ngx_podi_histogram_t    *h;
    ngx_podi_metric_cell_t  *cell;

    pr = ngx_podi_request_find(r);

    if (pr == NULL || r != r->main) {
        return NGX_OK;
    }

    cell = (pr->cell != NULL) ? pr->cell : ngx_podi_conf()->other;
    class = (r->err_status ? r->err_status : r->headers_out.status) / 100;

    if (cell == NULL || class < 1 || class > NGX_PODI_CLASSES) {
        return NGX_OK;
    }

    usec = (ngx_uint_t) (ngx_current_msec - pr->began) * 1000;

    for (i = 0; i < NGX_PODI_BUCKETS - 1 && usec > ngx_podi_bounds[i]; i++) {
        /* void */
    }

    h = &cell->classes[class - 1];

    (void) ngx_atomic_fetch_add(&h->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&h->usec, usec);

    return NGX_OK;
}


ngx_int_t
ngx_podi_metric_source(ngx_conf_t *cf, ngx_podi_metric_pt source)
{
    ngx_podi_metric_pt    *s;
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    s = ngx_array_push(&pmcf->sources);
    if (s == NULL) {
        return NGX_ERROR;
    }

    *s = source;

    return NGX_OK;
}


void
ngx_podi_metric_sources(podi_buf_t *b)
{
    ngx_uint_t                   i;
    ngx_podi_metric_pt          *s;
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();
    s = pmcf->sources.elts;

    for (i = 0; i < pmcf->sources.nelts; i++) {
        s[i](b);
    }
}


void
ngx_podi_metric_head(podi_buf_t *b, const char *name, const char *type,
    const char *help)
{
    podi_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                    type);
}
