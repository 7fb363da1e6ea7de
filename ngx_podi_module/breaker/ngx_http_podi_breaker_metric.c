/*
 * What the breakers are and have done, and $podi_breaker.
 */

#include "ngx_http_podi_breaker.h"


static void breaker_counter(podi_buf_t *b, const ngx_array_t *zones,
    const char *name, const char *help, ngx_http_podi_breaker_count_e what);
static void breaker_states(podi_buf_t *b,
    const ngx_http_podi_breaker_zone_t *zone);
static ngx_int_t breaker_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_str_t  breaker_name = ngx_string("podi_breaker");


ngx_int_t
ngx_http_podi_breaker_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &breaker_name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = breaker_variable;

    return NGX_OK;
}


static ngx_int_t
breaker_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const char                          *text;
    const ngx_podi_request_t            *pr;
    const ngx_http_podi_breaker_call_t  *call;

    static const char *const  words[] = { "closed", "probe", "open" };

    pr = ngx_podi_request_find(r);
    call = (pr == NULL) ? NULL : pr->breaker;

    text = (call == NULL) ? "" : words[call->verdict];

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (call == NULL);
    v->data = (u_char *) (uintptr_t) text;
    v->len = ngx_strlen(text);

    return NGX_OK;
}


void
ngx_http_podi_breaker_metrics(podi_buf_t *b)
{
    ngx_uint_t                                i;
    ngx_http_podi_breaker_zone_t            **zone;
    const ngx_http_podi_breaker_main_conf_t  *bmcf;

    bmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_breaker_module);
    zone = bmcf->zones.elts;

    if (bmcf->zones.nelts == 0) {
        return;
    }

    ngx_podi_metric_head(b, "podi_breaker_state", "gauge",
                         "0: closed, 1: open, 2: one call asks");

    for (i = 0; i < bmcf->zones.nelts; i++) {
        breaker_states(b, zone[i]);
    }

    breaker_counter(b, &bmcf->zones, "podi_breaker_opened_total",
                    "Times that a breaker has opened, or stayed open",
                    NGX_HTTP_PODI_BREAKER_OPENED);
    breaker_counter(b, &bmcf->zones, "podi_breaker_refused_total",
                    "Requests answered in the place of the upstream",
                    NGX_HTTP_PODI_BREAKER_REFUSED);
    breaker_counter(b, &bmcf->zones, "podi_breaker_dry_total",
                    "Requests that would have been refused",
                    NGX_HTTP_PODI_BREAKER_DRY);
    breaker_counter(b, &bmcf->zones, "podi_breaker_evicted_total",
                    "Breakers forgotten for others: the zone is full",
                    NGX_HTTP_PODI_BREAKER_EVICTED);
    breaker_counter(b, &bmcf->zones, "podi_breaker_unguarded_total",
                    "Requests without a breaker: the zone is full of open "
                    "ones", NGX_HTTP_PODI_BREAKER_UNGUARDED);
}


/* without the locks: a cell that changes hands just now shows one or other */

static void
breaker_states(podi_buf_t *b, const ngx_http_podi_breaker_zone_t *zone)
{
    uint64_t                             i;
    ngx_uint_t                           k, shown = 0;
    const ngx_http_podi_breaker_cell_t  *cell;

    for (i = 0; i < zone->shm->n; i++) {
        for (k = 0; k < NGX_HTTP_PODI_BREAKER_WAYS; k++) {
            cell = &zone->shm->sets[i].cells[k];

            if (cell->used == 0) {
                continue;
            }

            if (shown++ == NGX_HTTP_PODI_BREAKER_SHOWN) {
                return;
            }

            podi_buf_printf(b, "podi_breaker_state{name=\"%.*s\","
                            "key=\"%.*s\"} %u\n", (int) zone->name.len,
                            zone->name.data, NGX_HTTP_PODI_BREAKER_LABEL - 1,
                            cell->label, cell->breaker.state);
        }
    }
}


static void
breaker_counter(podi_buf_t *b, const ngx_array_t *zones, const char *name,
    const char *help, ngx_http_podi_breaker_count_e what)
{
    ngx_uint_t                      i;
    ngx_http_podi_breaker_zone_t  **zone = zones->elts;

    ngx_podi_metric_head(b, name, "counter", help);

    for (i = 0; i < zones->nelts; i++) {
        podi_buf_printf(b, "%s{name=\"%.*s\"} %lu\n", name,
                        (int) zone[i]->name.len, zone[i]->name.data,
                        (unsigned long) zone[i]->shm->counts[what]);
    }
}
