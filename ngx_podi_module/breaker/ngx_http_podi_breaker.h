/*
 * ngx_http_podi_breaker: what the files of breaker know of each other.
 */

#ifndef NGX_HTTP_PODI_BREAKER_H
#define NGX_HTTP_PODI_BREAKER_H


#include "ngx_podi_core.h"
#include "podi_breaker.h"
#include "podi_siphash.h"


#define NGX_HTTP_PODI_BREAKER_LABEL  64     /* of a key, as metrics show it */
#define NGX_HTTP_PODI_BREAKER_WAYS   8      /* cells that a key can be in */
#define NGX_HTTP_PODI_BREAKER_KEYS   4
#define NGX_HTTP_PODI_BREAKER_SHOWN  256    /* cells of a zone in metrics */

typedef enum {
    NGX_HTTP_PODI_BREAKER_OPENED = 0,
    NGX_HTTP_PODI_BREAKER_REFUSED,
    NGX_HTTP_PODI_BREAKER_DRY,          /* would have been refused */
    NGX_HTTP_PODI_BREAKER_EVICTED,
    NGX_HTTP_PODI_BREAKER_UNGUARDED,    /* passed without one */
    NGX_HTTP_PODI_BREAKER_COUNTS
} ngx_http_podi_breaker_count_e;

/* in shared memory; zeroed: free */

typedef struct {
    u_char                            key[PODI_SIPHASH_LEN];
    podi_breaker_t                    breaker;
    podi_msec_t                       used;     /* 0: free */
    uint64_t                          prober;   /* while half open */
    podi_msec_t                       looked;   /* whether it lives */
    char                              label[NGX_HTTP_PODI_BREAKER_LABEL];
} ngx_http_podi_breaker_cell_t;

typedef struct {
    uint64_t                          lock;
    ngx_http_podi_breaker_cell_t      cells[NGX_HTTP_PODI_BREAKER_WAYS];
} ngx_http_podi_breaker_set_t;

typedef struct {
    ngx_http_podi_breaker_set_t      *sets;
    uint64_t                          n;
    ngx_atomic_t                      said;     /* when: it is full */
    ngx_atomic_t                      counts[NGX_HTTP_PODI_BREAKER_COUNTS];
    u_char                            secret[PODI_SIPHASH_LEN];
} ngx_http_podi_breaker_shm_t;

/* podi_breaker_zone */

typedef struct {
    ngx_str_t                         name;
    podi_breaker_conf_t               conf;
    ngx_http_complex_value_t         *keys[NGX_HTTP_PODI_BREAKER_KEYS];
    ngx_uint_t                        nkeys;    /* 0: by channel */
    ngx_array_t                       statuses; /* ngx_uint_t: bad ones */
    ngx_shm_zone_t                   *zone;
    ngx_http_podi_breaker_shm_t      *shm;
} ngx_http_podi_breaker_zone_t;

typedef struct {
    ngx_array_t                       zones;    /* ..._zone_t * */
    ngx_array_t                       uses;     /* ..._use_t *, to be bound */
} ngx_http_podi_breaker_main_conf_t;

/* podi_breaker: a zone as one location uses it */

typedef struct {
    ngx_str_t                         name;
    const ngx_http_podi_breaker_zone_t  *zone;
    ngx_uint_t                        dry;
} ngx_http_podi_breaker_use_t;

typedef struct {
    ngx_http_podi_breaker_use_t      *use;      /* NULL: none, or inherit */
    ngx_uint_t                        off;
} ngx_http_podi_breaker_loc_conf_t;

/* one call of a request to what is behind a breaker */

typedef struct ngx_http_podi_breaker_call_s  ngx_http_podi_breaker_call_t;

struct ngx_http_podi_breaker_call_s {
    const ngx_http_podi_breaker_zone_t  *zone;
    u_char                            key[PODI_SIPHASH_LEN];
    char                              label[NGX_HTTP_PODI_BREAKER_LABEL];
    uint64_t                          ticket;
    podi_breaker_verdict_e            verdict;
    podi_msec_t                       wait;     /* of SHUT */
    ngx_uint_t                        first;    /* of r->upstream_states */
    unsigned                          open:1;   /* not reported yet */
};

typedef struct {
    podi_breaker_outcome_e            outcome;
    podi_msec_t                       took;
} ngx_http_podi_breaker_told_t;


extern ngx_module_t  ngx_http_podi_breaker_module;

/* key and label of a request; ERROR: no memory */
ngx_int_t ngx_http_podi_breaker_key(ngx_http_request_t *r,
    ngx_http_podi_breaker_call_t *call);

/* may it be made? fills verdict, ticket, wait; logs changes of state */
void ngx_http_podi_breaker_ask(ngx_http_podi_breaker_call_t *call,
    ngx_log_t *log);
void ngx_http_podi_breaker_report(ngx_http_podi_breaker_call_t *call,
    const ngx_http_podi_breaker_told_t *told, ngx_log_t *log);
void ngx_http_podi_breaker_count(const ngx_http_podi_breaker_zone_t *zone,
    ngx_http_podi_breaker_count_e what);

/* what the upstream has answered so far; UNKNOWN: nothing */
void ngx_http_podi_breaker_outcome(ngx_http_request_t *r,
    const ngx_http_podi_breaker_call_t *call,
    ngx_http_podi_breaker_told_t *told);

/* shared memory of a zone, an init hook of nginx */
ngx_int_t ngx_http_podi_breaker_shm_init(ngx_shm_zone_t *shm_zone,
    void *data);

/* directives, variable, metrics */
char *ngx_http_podi_breaker_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
const ngx_http_podi_breaker_zone_t *ngx_http_podi_breaker_find(
    const ngx_http_podi_breaker_main_conf_t *bmcf, const ngx_str_t *name);
ngx_int_t ngx_http_podi_breaker_variables(ngx_conf_t *cf);
void ngx_http_podi_breaker_metrics(podi_buf_t *b);


#endif /* NGX_HTTP_PODI_BREAKER_H */
