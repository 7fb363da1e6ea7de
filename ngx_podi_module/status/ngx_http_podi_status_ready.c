/*
 * GET /readyz: may traffic come to this nginx?
 *
 *     ask PostgreSQL -> note -> ask Redis -> note and reply
 *
 * PostgreSQL, its migration, the context key, the tenant and the clock must
 * be right: 503 otherwise.  Redis only makes things faster: without it, or
 * with a policy that evicts, the answer is 200 and "degraded".
 */

#include "ngx_http_podi_status.h"


#define READY_SKEW_MAX  5000000     /* microseconds */

typedef struct {
    ngx_http_request_t  *request;
    podi_buf_t           checks;        /* JSON members */
    unsigned             unready:1;
    unsigned             degraded:1;
} status_ready_t;


static podi_rc_t ready_ask_pg(podi_flow_t *f, void *ctx);
static podi_rc_t ready_note_pg(podi_flow_t *f, void *ctx);
static podi_rc_t ready_ask_redis(podi_flow_t *f, void *ctx);
static podi_rc_t ready_reply(podi_flow_t *f, void *ctx);
static void ready_note(status_ready_t *s, const char *name, ngx_uint_t ok,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void ready_note_migration(status_ready_t *s, const podi_str_t *found);
static void ready_note_redis(status_ready_t *s, podi_flow_t *f);


static const podi_step_t  status_ready_steps[] = {
    { "asking PostgreSQL",   ready_ask_pg,    PODI_MAY_FAIL },
    { "reading its answer",  ready_note_pg,   0 },
    { "asking Redis",        ready_ask_redis, PODI_MAY_FAIL },
    { "replying",            ready_reply,     0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_status_ready(ngx_http_request_t *r, const podi_str_t *args)
{
    status_ready_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(status_ready_t));
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;
    podi_buf_init(&s->checks, ngx_podi_mem(r));

    return ngx_podi_flow_content(r, status_ready_steps, s);
}


static podi_rc_t
ready_ask_pg(podi_flow_t *f, void *ctx)
{
    status_ready_t  *s = ctx;
    podi_pg_call_t   call;

    ngx_podi_pg_init(s->request, &call, PODI_SQL_READY);

    return ngx_podi_pg_call(f, s->request, &call);
}


static podi_rc_t
ready_note_pg(podi_flow_t *f, void *ctx)
{
    podi_str_t       migration;
    podi_usec_t      skew;
    status_ready_t  *s = ctx;

    if (f->result == NULL) {
        ready_note(s, "postgresql", 0, "%s", f->fail.detail);
        return PODI_OK;
    }

    ready_note(s, "postgresql", 1, "answers");

    migration = podi_row_str(f->result, 0, "migration");
    ready_note_migration(s, &migration);

    ready_note(s, "context_key", podi_row_bool(f->result, 0, "context_ok"),
               "the key of podi_context_key_file, as PostgreSQL knows it");
    ready_note(s, "tenant", podi_row_bool(f->result, 0, "tenant_ok"),
               "the tenant of podi_tenant, active");

    skew = podi_row_time(f->result, 0, "clock") - podi_time_now();

    ready_note(s, "clock", skew < READY_SKEW_MAX && skew > -READY_SKEW_MAX,
               "PostgreSQL's clock is %lld ms ahead of ours",
               (long long) (skew / 1000));

    return PODI_OK;
}


/* a database that is ahead was expanded for the next release: fine */

static void
ready_note_migration(status_ready_t *s, const podi_str_t *found)
{
    size_t  len;

    len = ngx_min(found->len, sizeof(NGX_PODI_MIGRATION) - 1);

    ready_note(s, "migration",
               ngx_memcmp(found->data, NGX_PODI_MIGRATION, len) >= 0
               && found->len != 0,
               "wanted %s, found %.*s", NGX_PODI_MIGRATION,
               podi_str_arg(found));
}


static podi_rc_t
ready_ask_redis(podi_flow_t *f, void *ctx)
{
    podi_redis_t  *redis;
    podi_str_t     argv[] = {
        podi_string("CONFIG"), podi_string("GET"),
        podi_string("maxmemory-policy")
    };

    redis = ngx_podi_redis();

    if (redis == NULL) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "podi_redis is not configured");
    }

    return podi_redis_command(redis, f, 3, argv);
}


static podi_rc_t
ready_reply(podi_flow_t *f, void *ctx)
{
    podi_buf_t       b;
    podi_str_t       checks, body;
    status_ready_t  *s = ctx;

    ready_note_redis(s, f);

    if (podi_buf_take(&s->checks, &checks) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_printf(&b, "{\"status\":\"%s\",\"checks\":{",
                    s->unready ? "unready" : s->degraded ? "degraded"
                                                         : "ready");
    podi_buf_add(&b, checks.data + 1, checks.len - 1);
    podi_buf_add_c(&b, "}}");

    if (podi_buf_take(&b, &body) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, s->request,
                          s->unready ? NGX_HTTP_SERVICE_UNAVAILABLE
                                     : NGX_HTTP_OK, &body);
}


static void
ready_note_redis(status_ready_t *s, podi_flow_t *f)
{
    ngx_uint_t                 ok, unready;
    podi_redis_reply_t        *reply = f->result;
    static const podi_str_t    hidden = podi_string("not told");
    const podi_str_t          *policy = &hidden;

    unready = s->unready;

    if (reply == NULL) {
        ok = (f->fail.error != PODI_E_UNAVAILABLE
              && f->fail.error != PODI_E_DEADLINE);
        ready_note(s, "redis", ok, "%s", f->fail.detail);

    } else {
        ready_note(s, "redis", 1, "answers");

        if (reply->type == PODI_REDIS_ARRAY && reply->n == 2) {
            policy = &reply->elements[1].str;
        }

        ok = podi_str_eq_c(policy, "noeviction");
        ready_note(s, "redis_policy", ok,
                   "maxmemory-policy is %.*s, wanted noeviction",
                   podi_str_arg(policy));
    }

    s->unready = unready;

    if (!ok) {
        s->degraded = 1;
    }
}


static void
ready_note(status_ready_t *s, const char *name, ngx_uint_t ok,
    const char *fmt, ...)
{
    int         n;
    char        text[256];
    va_list     args;
    podi_str_t  detail;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    detail.data = (u_char *) text;
    detail.len = (n < 0) ? 0 : ngx_min((size_t) n, sizeof(text) - 1);

    podi_buf_printf(&s->checks, ",\"%s\":{\"ok\":%s,\"detail\":", name,
                    ok ? "true" : "false");
    podi_buf_add_json(&s->checks, &detail);
    podi_buf_add_byte(&s->checks, '}');

    if (!ok) {
        s->unready = 1;
    }
}
