/*
 * ngx_http_podi_limit_rates: what podi.limit_rate says, as this worker has it.
 */

#ifndef NGX_HTTP_PODI_LIMIT_RATES_H
#define NGX_HTTP_PODI_LIMIT_RATES_H


#include "ngx_http_podi_limit.h"


/* one text of the table, read, with the policies; a worker's own memory */

typedef struct ngx_http_podi_rate_set_s  ngx_http_podi_rate_set_t;


/* NULL: no memory; what cannot be read is logged, and left out */
ngx_http_podi_rate_set_t *ngx_http_podi_rate_set_read(
    const ngx_http_podi_limit_main_conf_t *lmcf, const podi_str_t *text);
void ngx_http_podi_rate_set_free(ngx_http_podi_rate_set_t *set);

/*
 * What is put over this limit for a user, or for a plan; NULL: nothing.  It is
 * the set's, and so no longer there than until the next one is read.
 */
const ngx_http_podi_limit_rule_t *ngx_http_podi_rate_set_user(
    const ngx_http_podi_rate_set_t *set,
    const ngx_http_podi_limit_zone_t *zone, const ngx_podi_identity_t *who);
const ngx_http_podi_limit_rule_t *ngx_http_podi_rate_set_plan(
    const ngx_http_podi_rate_set_t *set,
    const ngx_http_podi_limit_zone_t *zone, const podi_str_t *plan);

/* of this worker; NULL: none was read */
const ngx_http_podi_rate_set_t *ngx_http_podi_rates(void);

/* podi_limit_rates, and its engine; check: at the end of the configuration */
char *ngx_http_podi_rates_on(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_podi_rates_check(ngx_conf_t *cf);
ngx_int_t ngx_http_podi_rates_start(ngx_cycle_t *cycle);
void ngx_http_podi_rates_stop(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_PODI_LIMIT_RATES_H */
