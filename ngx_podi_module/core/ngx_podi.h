/*
 * ngx_podi: the one core header that a feature includes.
 *
 *     request -> route -> steps -> (PostgreSQL | Redis | thread) -> reply
 *
 * A feature declares its routes in one table and writes one file a verb; it
 * never touches r->main->count, ngx_http_finalize_request, posted requests
 * or timers: the binder does.  Configuration is const after merge.
 */

#ifndef NGX_PODI_H
#define NGX_PODI_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>

#include "podi_buf.h"
#include "podi_fail.h"
#include "podi_flow.h"
#include "podi_id.h"
#include "podi_json.h"
#include "podi_pg.h"
#include "podi_redis.h"
#include "podi_trace.h"


/* s behind p, and where the next goes; an empty one may be nowhere */

static ngx_inline u_char *
ngx_podi_add(u_char *p, const podi_str_t *s)
{
    return (s->len != 0) ? ngx_cpymem(p, s->data, s->len) : p;
}


/* ---- who asks, and on which trace ------------------------------------- */

typedef enum {
    NGX_PODI_CREDENTIAL_NONE = 0,
    NGX_PODI_CREDENTIAL_HEADER,
    NGX_PODI_CREDENTIAL_COOKIE,      /* a browser sends it by itself: CSRF */
    NGX_PODI_CREDENTIAL_QUERY,
    NGX_PODI_CREDENTIAL_API_KEY
} ngx_podi_credential_e;

#define NGX_PODI_ISSUER  "podi"      /* of our own tokens */

typedef struct ngx_podi_marks_s  ngx_podi_marks_t;

/*
 * Of a foreign issuer (`ours` is 0) tenant, user and session are whatever it
 * calls them: good for upstreams, limits and logs, not for api.*.
 */
typedef struct {
    ngx_uint_t             known;    /* 0: anonymous; tenant may still be set */
    ngx_uint_t             ours;     /* UUIDs of this PODI */
    podi_str_t             tenant;   /* UUID, or "@slug" of podi_tenant */
    podi_str_t             user;     /* UUIDs in lower case */
    podi_str_t             session;
    podi_str_t             token;    /* jti */
    podi_str_t             role;     /* user | admin | service */
    podi_str_t             source;   /* identity_source */
    podi_str_t             issuer;   /* "podi", or a podi_issuer's name */
    podi_str_t             kid;      /* of the key that signed */
    podi_str_t             scope;    /* words and single spaces */
    podi_str_t             channel;  /* to which the token is bound, or "" */
    podi_str_t             plan;
    podi_str_t             claims;   /* of a token: base64url, as it came */
    ngx_podi_credential_e  credential;
    time_t                 issued;   /* iat; 0: not said */
    time_t                 expires;
    const ngx_podi_marks_t *marks;  /* of revocation; NULL: not made */
} ngx_podi_identity_t;

/* what the gateway made of a request; $podi_decision shows it */
typedef struct {
    const char            *by;       /* auth limit guard channel breaker */
    podi_error_e           error;    /* with which it was refused */
    const char            *would_by; /* the same of what only ran dry */
    podi_error_e           would;
    const char            *cache;    /* l1 l2 miss; NULL: no token was read */
    const char            *rule;     /* of guard, or NULL */
    podi_str_t             limit;    /* the one that binds, or "" */
    int64_t                left;     /* of it */
    const char            *mode;     /* local exact leased degraded; NULL */
} ngx_podi_decision_t;

typedef struct ngx_podi_channel_s  ngx_podi_channel_t;

typedef struct {
    ngx_podi_identity_t        identity;
    ngx_podi_decision_t        decision;
    const ngx_podi_channel_t  *channel;     /* NULL: none */
    podi_trace_t               trace;
    podi_str_t                 trace_id;    /* 32 hex digits, always there */
    const char                *route;       /* path pattern, for metrics */
} ngx_podi_ctx_t;

/*
 * The context of the main request; made at the first call, in r->pool, and
 * found again after internal redirects.  NULL: no memory.
 */
ngx_podi_ctx_t *ngx_podi_ctx(ngx_http_request_t *r);

/* the caller's tenant, the channel's, or podi_tenant: in it calls are made */
podi_str_t ngx_podi_tenant(ngx_http_request_t *r);


/* ---- routes ------------------------------------------------------------ */

#define NGX_PODI_ANON       0x01     /* works without an identity */

typedef struct ngx_podi_route_s  ngx_podi_route_t;

typedef ngx_int_t (*ngx_podi_route_pt)(ngx_http_request_t *r,
    const podi_str_t *args);          /* the {parts} of the path, in order */

struct ngx_podi_route_s {
    ngx_uint_t           method;     /* NGX_HTTP_GET, ... (GET serves HEAD) */
    const char          *path;       /* "/v1/tasks/{id}/cancel" */
    ngx_podi_route_pt    handler;
    ngx_uint_t           flags;
};

#define ngx_podi_null_route  { 0, NULL, NULL, 0 }
#define NGX_PODI_ROUTE_ARGS  4

/*
 * The content handler's body: 404 for an unknown path, 405 with Allow for a
 * wrong method, 401 when an identity is needed and missing, 403 when it is
 * none of ours.
 */
ngx_int_t ngx_podi_route(ngx_http_request_t *r,
    const ngx_podi_route_t *routes);

/*
 * Sets the location's content handler: what `podi_task;` and its like do in
 * their directive's setter.  Also remembers the table, so that the metrics
 * know every route from the start and the tests can list them.
 */
char *ngx_podi_route_directive(ngx_conf_t *cf, ngx_http_handler_pt handler,
    const ngx_podi_route_t *routes);

/* "?name=value", percent-decoded; an absent one gives len 0 and NULL data */
podi_rc_t ngx_podi_query(ngx_http_request_t *r, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail);
podi_rc_t ngx_podi_query_in(ngx_http_request_t *r, const ngx_str_t *args,
    const char *name, podi_str_t *ret_value, podi_fail_t *fail);
podi_rc_t ngx_podi_query_int(ngx_http_request_t *r, const char *name,
    int64_t min, int64_t max, int64_t preset, int64_t *ret_n,
    podi_fail_t *fail);
/* refuses names that are not in the NULL-terminated list (bad_field) */
podi_rc_t ngx_podi_query_only(ngx_http_request_t *r,
    const char *const *names, podi_fail_t *fail);

/* a path of this host, for a browser, too: no "//host", no "/\\host" */
ngx_uint_t ngx_podi_is_path(const podi_str_t *text);

/* the first header of that name, lower case; NULL data when absent */
podi_str_t ngx_podi_header(ngx_http_request_t *r, const char *name);

/* NULL data when absent; BAD_REQUEST when the cookie comes twice */
podi_rc_t ngx_podi_cookie(ngx_http_request_t *r, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail);
/* of one header; `value` has what another one said, or NULL data */
podi_rc_t ngx_podi_cookie_in(const ngx_str_t *header, const char *name,
    podi_str_t *value, podi_fail_t *fail);

/*
 * A directive's setter: reads a secret from a file at configuration time
 * (podi_secret_read), into a podi_secret_t * at the command's offset; memory
 * of the cycle, wiped with it.
 */
char *ngx_podi_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ---- the flow ---------------------------------------------------------- */

/*
 * Binds a flow to the request: what a route's handler returns.  The flow is
 * cancelled when the client goes away, ended with DEADLINE after
 * podi_deadline, and its failure is logged and answered here.
 */
ngx_int_t ngx_podi_flow_content(ngx_http_request_t *r,
    const podi_step_t *steps, void *ctx);

/*
 * The same with a zeroed ctx of `size` bytes: a structure whose first member
 * is the request, ngx_http_request_t *.
 */
ngx_int_t ngx_podi_route_flow(ngx_http_request_t *r,
    const podi_step_t *steps, size_t size);

/*
 * The same for a path with an {id}, the {part} `arg`: the structure begins with
 * an ngx_podi_of_t.  What is no UUID gets the answer of what does not exist.
 */
typedef struct {
    ngx_http_request_t  *request;
    podi_id_t            id;
} ngx_podi_of_t;

ngx_int_t ngx_podi_route_flow_of(ngx_http_request_t *r,
    const podi_str_t *arg, const char *noun, const podi_step_t *steps,
    size_t size);

/*
 * The same in memory of its own: flow, ctx and whatever f->mem gives live in
 * the arena, which is taken over.  For a flow that opens something that lasts.
 */
ngx_int_t ngx_podi_flow_content_in(ngx_http_request_t *r,
    podi_arena_t *arena, const podi_step_t *steps, void *ctx);

/*
 * What keeps a request open when its flow is over: an engine's, in memory of
 * the request.
 */
typedef struct ngx_podi_keep_s  ngx_podi_keep_t;

struct ngx_podi_keep_s {
    ngx_http_request_t   *request;
    void                (*gone)(ngx_podi_keep_t *keep);
};

/*
 * For the first step of a flow that will keep its request.  ERROR: it cannot,
 * because a subrequest has no end to wait for, or because there is a body: what
 * is not read of it would be taken for the next request, and whoever discards
 * it needs the read handler with which a kept request notices the client's end.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_flow_may_keep(ngx_http_request_t *r,
    podi_fail_t *fail);

/*
 * For the last step of a flow that has an arena and has sent its header: after
 * the step's DONE the flow's memory is released, and the request stays without
 * a deadline until ngx_podi_keep_end (from a clean stack: the request may be
 * gone when it returns).  `gone`: the client went away; nothing is to be ended
 * any more.
 */
void ngx_podi_flow_keep(podi_flow_t *f, ngx_podi_keep_t *keep,
    void (*gone)(ngx_podi_keep_t *keep));
void ngx_podi_keep_end(ngx_podi_keep_t *keep, ngx_int_t rc);

/*
 * For a step that sends its own header or takes its time with the body: no
 * deadline from here on.  The client's going away still cancels the flow.
 */
void ngx_podi_flow_unbounded(podi_flow_t *f);

/* what the request is finalized with when the flow is DONE */
void ngx_podi_flow_outcome(podi_flow_t *f, ngx_int_t rc);

/* memory of the request */
podi_mem_t *ngx_podi_mem(ngx_http_request_t *r);


/* a pool as podi_mem_t, as at configuration time; NULL: no memory */
podi_mem_t *ngx_podi_pool_mem(ngx_pool_t *pool);

/*
 * At configuration time: the secret in a file of at most 4096 bytes, made
 * absolute by nginx's rules.  NULL: a sentence is in the log.
 */
podi_secret_t *ngx_podi_conf_secret(ngx_conf_t *cf, ngx_str_t *path);


/* ---- operations: each returns AGAIN, or ERROR with f->fail ------------- */

/* the whole body, at most `max` bytes (BODY_TOO_LARGE); may also give OK */
podi_rc_t ngx_podi_read_body(podi_flow_t *f, ngx_http_request_t *r,
    size_t max);
/* after read_body: the bytes; and as a JSON object (415, 400 otherwise) */
podi_str_t ngx_podi_body(ngx_http_request_t *r);
podi_rc_t ngx_podi_body_json(podi_flow_t *f, ngx_http_request_t *r,
    json_t **ret_object);

/* Idempotency-Key: NULL data when absent; 1..128 printable ASCII or 400 */
podi_rc_t ngx_podi_idempotency_key(ngx_http_request_t *r,
    podi_str_t *ret_key, podi_fail_t *fail);
/* SHA-256 over method, path and body: what the key is bound to (32 bytes) */
podi_rc_t ngx_podi_request_hash(ngx_http_request_t *r, podi_str_t *ret_hash,
    podi_fail_t *fail);

/*
 * One unit on PostgreSQL with the signed context of the request's identity
 * (anonymous: the tenant of podi_tenant, role anon).  _as: another role, such
 * as "gateway", for what the module itself has to know.
 */
void ngx_podi_pg_init(ngx_http_request_t *r, podi_pg_call_t *call,
    podi_sql_e sql);
podi_rc_t ngx_podi_pg_call(podi_flow_t *f, ngx_http_request_t *r,
    podi_pg_call_t *call);
podi_rc_t ngx_podi_pg_call_as(podi_flow_t *f, ngx_http_request_t *r,
    podi_pg_call_t *call, const char *role);
/* a statement whose only argument is that id */
PODI_MUSTCHECK podi_rc_t ngx_podi_pg_call_of(podi_flow_t *f,
    const ngx_podi_of_t *of, podi_sql_e sql);

/* is PostgreSQL configured, so that it can be asked? */
ngx_uint_t ngx_podi_has_pg(void);

/*
 * For the module itself, without a request: role gateway of a tenant, or, of
 * PODI_CONTEXT_NOBODY, where the function admits it.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_pg_call_tenant(podi_flow_t *f,
    podi_pg_call_t *call, const podi_str_t *tenant);

/*
 * Runs `work(data)` in the module's thread pool; no nginx call is allowed in
 * it.  BUSY bounds (cores in use, queue) fail with RATE_LIMITED.
 */
podi_rc_t ngx_podi_thread(podi_flow_t *f, ngx_http_request_t *r,
    void (*work)(void *data), void *data);

/* Redis, this worker's command connection; NULL when not configured */
podi_redis_t *ngx_podi_redis(void);
podi_pg_t *ngx_podi_pg(void);

/*
 * For engines of a feature's own: the loop, from init_process on (core's runs
 * first) until the process ends; and a Redis conf with the address, password
 * and times of podi_redis (DECLINED: there is none), to which the role, name
 * and hooks are added.
 */
podi_io_t *ngx_podi_io(void);
ngx_int_t ngx_podi_redis_settings(podi_redis_conf_t *conf);

/*
 * After commit, without waiting: `events` is a row's _events (each goes to
 * its user's channel), `hints` its _hints (to the queues).  Lost ones are
 * found again by the position check and by podi_dispatchd.
 */
void ngx_podi_announce(ngx_http_request_t *r, const podi_str_t *events,
    const podi_str_t *hints);


/* ---- the answer: each ends the flow (DONE) or ERROR -------------------- */

podi_rc_t ngx_podi_reply(podi_flow_t *f, ngx_http_request_t *r,
    ngx_uint_t status, const podi_str_t *json);
/* an object made of the row's columns; `more`: ",\"a\":1" to add, or NULL */
podi_rc_t ngx_podi_reply_row(podi_flow_t *f, ngx_http_request_t *r,
    ngx_uint_t status, const podi_pg_result_t *res, const podi_str_t *more);

/* appends members (",\"a\":1") for one row; NULL: nothing to add */
typedef podi_rc_t (*ngx_podi_row_pt)(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const podi_pg_result_t *res, int row);

/*
 * {"items":[...],"next":"<cursor>"|null}: at most `limit` rows are shown; one
 * row more than that in res says that there is a next page, whose cursor is
 * column `cursor` of the last row shown.  So ask SQL for limit + 1.
 */
podi_rc_t ngx_podi_reply_rows(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res, int64_t limit, const char *cursor,
    ngx_podi_row_pt more);
podi_rc_t ngx_podi_reply_empty(podi_flow_t *f, ngx_http_request_t *r,
    ngx_uint_t status);

/*
 * Headers and body of any type, outside a flow or before its outcome; a NULL
 * body: headers only.  Gives what finalizes the request.
 */
ngx_int_t ngx_podi_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, const podi_str_t *body);

/* outside a flow: application/problem+json with trace id and language */
ngx_int_t ngx_podi_reply_fail(ngx_http_request_t *r, const podi_fail_t *fail);

podi_rc_t ngx_podi_header_add(ngx_http_request_t *r, const char *name,
    const podi_str_t *value);


/* ---- the log ----------------------------------------------------------- */

/* an on_change hook; data: the peer's name, a C string such as "Redis" */
void ngx_podi_log_state(void *data, const char *what, const podi_fail_t *fail);


#endif /* NGX_PODI_H */
