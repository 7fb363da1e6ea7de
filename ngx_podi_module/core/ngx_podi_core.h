/*
 * ngx_podi_core: what the files of core, and the gateway modules, know of
 * each other.  Features include ngx_podi.h only.
 */

#ifndef NGX_PODI_CORE_H
#define NGX_PODI_CORE_H


#include "ngx_podi.h"
#include "ngx_podi_channel.h"
#include "ngx_podi_metric.h"
#include "ngx_podi_revoke.h"
#include "podi_assert.h"
#include "podi_context.h"
#include "podi_jose.h"


extern ngx_module_t  ngx_http_podi_module;

/* what one worker process has; made in init_process */

typedef struct ngx_podi_worker_s  ngx_podi_worker_t;

struct ngx_podi_worker_s {
    podi_io_t                   *io;
    podi_pg_t                   *pg;
    podi_redis_t                *redis;
    podi_mem_t                  *mem;        /* the cycle's pool */
    podi_timer_t                *tick;
    ngx_podi_slot_t             *slot;       /* in shared memory, or NULL */
    podi_pg_stat_t               seen;       /* at the last tick */
    podi_link_t                  threads;    /* waiting for a core */
    podi_timer_t                *thread_poll;
};

/* a table of routes that a directive has brought in, and its cells */

typedef struct {
    const ngx_podi_route_t      *routes;
    ngx_uint_t                   n;
    ngx_podi_metric_cell_t     **cells;      /* one a route, in shared memory */
} ngx_podi_table_t;

/* of the channel module: what ngx_podi_channel_bind asks */

typedef podi_rc_t (*ngx_podi_bind_pt)(ngx_http_request_t *r,
    ngx_podi_identity_t *who, podi_fail_t *fail);

typedef struct {
    podi_mem_t                  *mem;        /* the cycle's pool */

    ngx_str_t                    pg;         /* conninfo, with a NUL */
    podi_secret_t               *pg_password;
    ngx_uint_t                   pg_pipelined;
    ngx_uint_t                   pg_slow;
    ngx_uint_t                   pg_depth;

    ngx_str_t                    redis;      /* path or ip:port, with a NUL */
    podi_secret_t               *redis_password;

    podi_context_key_t          *context_key;

    podi_jose_key_t             *token_key;  /* signs */
    podi_jose_ring_t            *token_ring; /* verifies */
    ngx_str_t                    token_issuer;
    ngx_str_t                    token_audience;
    time_t                       token_lifetime;

    ngx_shm_zone_t              *zone;
    ngx_int_t                    threads;
    ngx_int_t                    thread_queue;
    ngx_thread_pool_t           *thread_pool;

    ngx_array_t                  tables;     /* ngx_podi_table_t */
    ngx_array_t                  tenants;    /* podi_str_t, "@slug" */
    ngx_array_t                  buckets;    /* ngx_podi_bucket_t * */
    ngx_podi_metric_cell_t      *other;      /* requests on no route */
    ngx_array_t                  sources;    /* ngx_podi_metric_pt */
    ngx_podi_bind_pt             bind;       /* NULL: no channels */
    podi_str_t                   app_key_header; /* "": no channel has keys */

    ngx_uint_t                   needs_pg;   /* a directive wants it */
    ngx_uint_t                   needs_token;

    ngx_podi_worker_t           *worker;     /* written by init_process only */
} ngx_podi_main_conf_t;

/* not OFF: the guard judges what a cookie came with, so it may be believed */

typedef enum {
    NGX_PODI_CSRF_OFF = 0,
    NGX_PODI_CSRF_LOG,
    NGX_PODI_CSRF_ON
} ngx_podi_csrf_e;

/* `podi_task;` and its like: what one location serves */

typedef struct {
    const ngx_podi_route_t      *routes;
    ngx_http_handler_pt          handler;
} ngx_podi_content_t;

typedef struct {
    podi_str_t                   tenant;     /* "@slug", or "" */
    ngx_msec_t                   deadline;
    ngx_array_t                 *contents;   /* of this very location */
    ngx_uint_t                   needs_tenant;
    struct ngx_podi_bucket_s    *failures;   /* NULL: nobody counts them */
    ngx_flag_t                   dry_run;
    ngx_flag_t                   sandbox;
    ngx_str_t                    challenge;  /* `Bearer realm="..."`, more */
    ngx_podi_csrf_e              csrf;       /* podi_csrf, after its merge */
    ngx_array_t                 *origins;    /* podi_cors_origin; or NULL */
    ngx_uint_t                   origins_off;    /* nor the channel's */
} ngx_podi_loc_conf_t;

/* a flow that is bound to a request; found again from its first member */

typedef struct {
    podi_flow_t                  flow;
    ngx_http_request_t          *request;
    podi_op_t                    body;       /* nginx reads it */
    podi_mem_t                  *mem;
    ngx_pool_cleanup_t          *owner;      /* of its arena, or NULL */
    ngx_http_cleanup_t          *cleanup;
    ngx_podi_keep_t             *keep;       /* what comes after it */
    const char                  *gate;       /* NULL: content */
    ngx_event_t                  deadline;
    ngx_event_t                  ended;      /* posted, for a clean stack */
    ngx_int_t                    outcome;
    podi_rc_t                    rc;
    unsigned                     starting:1;
    unsigned                     reading:1;  /* the body is not there yet */
    unsigned                     inside:1;   /* nginx's reader was called */
    unsigned                     held:1;     /* r->main->count knows of us */
    unsigned                     parked:1;
    unsigned                     unbounded:1;
    unsigned                     finished:1;
    unsigned                     gone:1;     /* the client went away */
} ngx_podi_bound_t;

#define ngx_podi_bound(f)  ((ngx_podi_bound_t *) (void *) (f))

/*
 * The body of one request.  A subrequest's is another, even when nginx shares
 * the bytes: each is read by a flow of its own, with a limit of its own.
 */

typedef struct ngx_podi_body_s  ngx_podi_body_t;

struct ngx_podi_body_s {
    ngx_podi_body_t             *next;
    ngx_http_request_t          *request;
    ngx_podi_bound_t            *bound;      /* reads it */
    size_t                       max;
    podi_str_t                   bytes;      /* of ngx_podi_read_body */
    void                        *receiver;   /* of ngx_podi_receive_body */
};

/* $podi_limit_status, the worst so far */

typedef enum {
    NGX_PODI_LIMIT_NONE = 0,
    NGX_PODI_LIMIT_PASSED,
    NGX_PODI_LIMIT_DRY,
    NGX_PODI_LIMIT_REFUSED
} ngx_podi_limited_e;

/* what core remembers of a request beyond what features may see */

typedef struct {
    ngx_podi_ctx_t               pub;
    podi_mem_t                   mem;
    ngx_pool_t                  *pool;
    const ngx_podi_content_t    *content;
    const ngx_podi_route_t      *route;
    podi_str_t                   args[NGX_PODI_ROUTE_ARGS];
    ngx_uint_t                   allowed;    /* methods of the path */
    const void                  *looked;     /* the location and the path */
    const u_char                *looked_uri; /* ... for which that holds */
    ngx_podi_metric_cell_t      *cell;       /* of the route */
    ngx_podi_body_t             *bodies;     /* and of its subrequests */
    podi_str_t                   context;    /* signed */
    podi_context_t               context_of; /* ... for whom, until when */
    struct ngx_podi_pump_s      *pump;       /* sends the answer, or NULL */
    struct ngx_http_podi_auth_ctx_s  *auth;  /* kept over redirects, or NULL */
    struct ngx_http_podi_breaker_call_s  *breaker;  /* the same */
    struct ngx_http_podi_guard_ctx_s     *uploads;  /* the same */
    struct ngx_podi_bucket_op_s  *failure;   /* taken in advance, or NULL */
    podi_error_e                 error;      /* that was answered */
    podi_error_e                 refused;    /* why there is no identity */
    podi_error_e                 body_error; /* why a filter refused it */
    ngx_msec_t                   began;
    uint64_t                     limits;     /* that have judged it, as bits */
    ngx_podi_limited_e           limited;
    u_char                    *(*log_handler)(ngx_http_request_t *r,
                                     ngx_http_request_t *sr, u_char *buf,
                                     size_t len);
} ngx_podi_request_t;


/* NULL: no memory; the one of the main request, also after redirects */
ngx_podi_request_t *ngx_podi_request(ngx_http_request_t *r);

/* never makes one */
static ngx_inline ngx_podi_request_t *ngx_podi_request_find(
    ngx_http_request_t *r);
ngx_podi_request_t *ngx_podi_request_again(ngx_http_request_t *r);

ngx_podi_worker_t *ngx_podi_worker(void);
const ngx_podi_main_conf_t *ngx_podi_conf(void);

void ngx_podi_mem_init(podi_mem_t *mem, ngx_pool_t *pool);

/* the loop of this process, and its end (nothing may be watched any more) */
podi_io_t *ngx_podi_io_create(ngx_cycle_t *cycle);

/*
 * Binds a flow to a phase before the content, for the part of the gateway
 * called `by`.  AGAIN: parked; when it is over the phases go on from the very
 * handler, which finds in its own ctx that it has asked, and its verdict.  OK:
 * it is over already.  A failure is refused (ngx_podi_refuse): DONE, or
 * DECLINED when it only ran dry.
 */
ngx_int_t ngx_podi_flow_gate(ngx_http_request_t *r, const char *by,
    const podi_step_t *steps, void *ctx);

/* the body is there, or will never be: waits for the client's end as well */
void ngx_podi_flow_park(ngx_podi_bound_t *b);

/* of this very request; find: NULL when nothing has read it */
ngx_podi_body_t *ngx_podi_body_find(ngx_http_request_t *r);
/* the one that the flow is going to read; NULL: no memory */
ngx_podi_body_t *ngx_podi_body_begin(podi_flow_t *f, ngx_http_request_t *r);

/* why it failed, and in which step */
void ngx_podi_flow_log(ngx_http_request_t *r, const podi_flow_t *f);

/* a cleanup of the request; data: the ngx_podi_keep_t */
void ngx_podi_keep_gone(void *data);

/* pieces of work that wait for a core, in all workers */
ngx_uint_t ngx_podi_threads_waiting(void);

/*
 * The route that the request's location has for it; NULL: none, and
 * pr->allowed has the methods that its path would take.
 */
const ngx_podi_route_t *ngx_podi_route_here(ngx_http_request_t *r);

/* NGX_DECLINED: no answer is wished for; else the request is answered */
ngx_int_t ngx_podi_sandbox(ngx_http_request_t *r);

/* as ngx_podi_route_directive, for routes that need no PostgreSQL */
char *ngx_podi_route_plain(ngx_conf_t *cf, ngx_http_handler_pt handler,
    const ngx_podi_route_t *routes);

/*
 * The WWW-Authenticate of a 401, or of what else RFC 6750 has one for; `scope`
 * is what would do, or "".  Gives the status, for `satisfy any`.
 */
ngx_int_t ngx_podi_challenge(ngx_http_request_t *r, const podi_fail_t *fail,
    const podi_str_t *scope);

/*
 * What a gateway's phase handler returns when it says no.  `by` is the name
 * of the feature, as in $podi_decision.  Answers and ends the request (DONE);
 * under podi_dry_run only notes it, and the request goes on (DECLINED).
 */
ngx_int_t ngx_podi_refuse(ngx_http_request_t *r, const char *by,
    const podi_fail_t *fail);

/* the noting alone, for whoever answers in another way; 1: it only runs dry */
ngx_uint_t ngx_podi_refuse_note(ngx_http_request_t *r, const char *by,
    const podi_fail_t *fail, ngx_uint_t dry);

/*
 * Takes identity headers that only we may set out of a client's request, in
 * all spellings that an upstream may take for them.
 */
ngx_int_t ngx_podi_strip(ngx_http_request_t *r);

/* takes the headers for which `goes` says 1 out of what the client has sent */
typedef ngx_uint_t (*ngx_podi_header_pt)(const ngx_table_elt_t *h,
    void *data);
ngx_int_t ngx_podi_unlink(ngx_http_request_t *r, ngx_podi_header_pt goes,
    void *data);

/* fills the cells of all tables; called when the zone is there */
ngx_int_t ngx_podi_metric_bind(ngx_podi_main_conf_t *pmcf);

/* directives (ngx_podi_conf.c, ngx_podi_conf_set.c) */
extern ngx_command_t  ngx_podi_commands[];
void *ngx_podi_create_main_conf(ngx_conf_t *cf);
char *ngx_podi_init_main_conf(ngx_conf_t *cf, void *conf);
char *ngx_podi_conf_check(ngx_conf_t *cf, ngx_podi_main_conf_t *pmcf);
void *ngx_podi_create_loc_conf(ngx_conf_t *cf);
char *ngx_podi_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

char *ngx_podi_set_pg(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_podi_set_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_podi_set_context_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_podi_set_token_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_podi_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_podi_set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_podi_set_tenant(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* "@slug", remembered among the tenants; ERROR: it is no slug */
podi_rc_t ngx_podi_conf_tenant(ngx_conf_t *cf, const ngx_str_t *slug,
    podi_str_t *ret_tenant);

/* what an access token of ours must be; `aud` is kept by whoever asks */
void ngx_podi_token_expect(const ngx_podi_main_conf_t *pmcf, podi_str_t *aud,
    podi_jose_expect_t *ret_expect);


/* asked a dozen times a request; again: what nginx may have forgotten */

static ngx_inline ngx_podi_request_t *
ngx_podi_request_find(ngx_http_request_t *r)
{
    ngx_podi_request_t  *pr;

    pr = ngx_http_get_module_ctx(r->main, ngx_http_podi_module);

    return (pr != NULL) ? pr : ngx_podi_request_again(r->main);
}


#endif /* NGX_PODI_CORE_H */
