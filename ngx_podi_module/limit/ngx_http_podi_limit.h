/*
 * ngx_http_podi_limit: what the files of limit know of each other.
 */

#ifndef NGX_HTTP_PODI_LIMIT_H
#define NGX_HTTP_PODI_LIMIT_H


#include "ngx_podi_bucket.h"
#include "ngx_podi_channel.h"
#include "ngx_podi_core.h"
#include "ngx_podi_overlay.h"
#include "podi_limit.h"


extern ngx_module_t  ngx_http_podi_limit_module;

#define NGX_HTTP_PODI_LIMIT_ZONES  64           /* bits of a request's mask */
#define NGX_HTTP_PODI_LIMIT_PARTS  4            /* of a key */
#define NGX_HTTP_PODI_LIMIT_COST   INT64_C(1000000000000)

typedef enum {
    NGX_HTTP_PODI_LIMIT_BY_IP = 0,              /* what there is instead */
    NGX_HTTP_PODI_LIMIT_SKIP,
    NGX_HTTP_PODI_LIMIT_DENY
} ngx_http_podi_limit_missing_e;

/* one variable, or an expression of several */

typedef struct {
    ngx_int_t                        index;     /* NGX_ERROR: value it is */
    ngx_http_complex_value_t        *value;     /* NULL: neither */
} ngx_http_podi_limit_expr_t;

typedef struct {
    ngx_podi_key_e                   kind;
    ngx_http_podi_limit_expr_t       expr;      /* of TEXT */
} ngx_http_podi_limit_part_t;

/* how fast, and how a client is told */

typedef struct {
    podi_rule_t                      rule;
    podi_str_t                       plan;      /* "": anybody's */
    ngx_str_t                        policy;    /* "name";q=10;w=60 */
} ngx_http_podi_limit_rule_t;

typedef struct {
    ngx_podi_bucket_t               *bucket;
    ngx_uint_t                       bit;
    ngx_http_podi_limit_part_t       parts[NGX_HTTP_PODI_LIMIT_PARTS];
    ngx_uint_t                       nparts;
    ngx_http_podi_limit_rule_t       rule;
    ngx_array_t                      plans;     /* ..._rule_t */
    ngx_http_podi_limit_expr_t       cost;
    ngx_http_podi_limit_missing_e    missing;
    podi_limit_mode_e                mode;
    podi_limit_failure_e             on_failure;
    ngx_uint_t                       nodes;     /* without Redis */
    unsigned                         costs:1;   /* there is an expression */
    unsigned                         late:1;    /* its key needs an identity */
} ngx_http_podi_limit_zone_t;

/* podi_limit: a limit as one location uses it */

typedef struct {
    ngx_http_podi_limit_zone_t      *zone;      /* NULL: not defined yet */
    ngx_str_t                        name;
    unsigned                         early:1;
    unsigned                         dry:1;
} ngx_http_podi_limit_use_t;

typedef struct {
    ngx_array_t                      zones;     /* ..._zone_t * */
    ngx_array_t                      named;     /* ..._use_t *, to be bound */
    ngx_msec_t                       deadline;  /* of Redis */
    ngx_msec_t                       lease;     /* of places in Redis */
    ngx_uint_t                       remote;    /* zones that need it */
    ngx_flag_t                       rates_on;  /* of the database */
    ngx_shm_zone_t                  *zone;
    ngx_podi_overlay_t              *overlay;   /* of this worker, as is */
    struct ngx_http_podi_rate_set_s *rates;     /* NULL: none were read */
} ngx_http_podi_limit_main_conf_t;

typedef struct {
    ngx_array_t                     *uses;      /* ..._use_t *; NULL: inherit */
    ngx_uint_t                       early;     /* how many of them are */
    ngx_uint_t                       remote;    /* some may need Redis */
    ngx_uint_t                       status;
    ngx_uint_t                       headers;   /* ..._headers_e */
} ngx_http_podi_limit_loc_conf_t;

typedef enum {
    NGX_HTTP_PODI_LIMIT_HEADERS_OFF = 0,
    NGX_HTTP_PODI_LIMIT_HEADERS_ON,
    NGX_HTTP_PODI_LIMIT_HEADERS_LEGACY
} ngx_http_podi_limit_headers_e;

/*
 * The limits of one request that are decided together.  ops and items go in
 * step; the first `local` of them are decided in shared memory, the others by
 * Redis.  After the decision op.passed and item.answer are set.
 */

typedef struct {
    const ngx_http_podi_limit_use_t  *use;
    const ngx_http_podi_limit_rule_t *rule;
    podi_cell_answer_t                answer;
    podi_limit_mode_e                 mode;     /* who has decided */
    unsigned                          unknown:1;    /* what is left of it */
    unsigned                          closed:1;     /* no Redis: refused */
} ngx_http_podi_limit_item_t;

typedef struct {
    ngx_http_request_t               *request;
    ngx_uint_t                        n;
    ngx_uint_t                        local;
    ngx_http_podi_limit_item_t        items[NGX_PODI_BUCKET_OPS];
    ngx_podi_bucket_op_t              ops[NGX_PODI_BUCKET_OPS];
} ngx_http_podi_limit_set_t;


/* phase handlers: decide what has not been decided in this request */
ngx_int_t ngx_http_podi_limit_decide(ngx_http_request_t *r,
    ngx_uint_t early);

/*
 * Charges the first `local` ops, in this machine's memory.  OK; DECLINED: one
 * that is not dry did not pass; ERROR: no memory.  Places are given back with
 * the request.
 */
ngx_int_t ngx_http_podi_limit_take(ngx_http_podi_limit_set_t *set);

/*
 * The key and the rule of an op.  OK; DECLINED: there is nothing to count by,
 * and the limit is skipped; ERROR: fail says why the request is refused.  The
 * rule lives with the request; NULL: no memory.
 */
ngx_int_t ngx_http_podi_limit_key(ngx_http_request_t *r,
    const ngx_http_podi_limit_zone_t *zone, ngx_podi_bucket_op_t *op,
    podi_fail_t *fail);
const ngx_http_podi_limit_rule_t *ngx_http_podi_limit_rule(
    ngx_http_request_t *r, const ngx_http_podi_limit_zone_t *zone);

/*
 * RateLimit-Policy, RateLimit, and the older ones; wait: the Retry-After that
 * goes with them, or 0
 */
ngx_int_t ngx_http_podi_limit_headers(const ngx_http_podi_limit_set_t *set,
    ngx_uint_t how, unsigned wait);
/* `"name";q=10;w=60` of a rule; NGX_ERROR: no memory */
ngx_int_t ngx_http_podi_limit_policy(ngx_pool_t *pool,
    const ngx_str_t *name, ngx_http_podi_limit_rule_t *rule);
unsigned ngx_http_podi_limit_seconds(int64_t usec);

/* it is decided by on_failure; closed: it is refused */
void ngx_http_podi_limit_degrade(ngx_http_podi_limit_item_t *item,
    ngx_uint_t closed);

/* that item is the one that the log names */
void ngx_http_podi_limit_binds(ngx_podi_decision_t *d,
    const ngx_http_podi_limit_set_t *set, ngx_uint_t i);

/* directives and variables */
char *ngx_http_podi_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_limit_plan(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_http_podi_limit_zone_t *ngx_http_podi_limit_find(ngx_conf_t *cf,
    const ngx_str_t *name);
ngx_int_t ngx_http_podi_limit_add_variables(ngx_conf_t *cf);
void ngx_http_podi_limit_metrics(podi_buf_t *b);

/*
 * "mode=exact", "on_failure=open", "nodes=2" of limits that machines share.
 * OK; DECLINED: no such parameter, or no such value.
 */
ngx_int_t ngx_http_podi_limit_shared(ngx_http_podi_limit_zone_t *zone,
    const ngx_str_t *s);
char *ngx_http_podi_limit_shared_check(ngx_conf_t *cf,
    ngx_http_podi_limit_zone_t *zone);
const char *ngx_http_podi_limit_wrong(const ngx_http_podi_limit_zone_t *zone,
    const podi_rule_t *rule);


#endif /* NGX_HTTP_PODI_LIMIT_H */
