/*
 * GET /status: /metrics for people.
 *
 *     Accept has text/html? --no--> what /metrics says
 *              |
 *              +--yes--> metrics -> samples -> tables -> page
 *
 * One document without a script, which asks again every ten seconds.  It holds
 * nothing that /metrics lacks but the numbers of the worker processes: no
 * secret, nothing of a user.
 */

#include "ngx_http_podi_status.h"
#include "podi_base64.h"
#include "podi_hash.h"


#define PAGE_N(title, name)                                               \
    { title, name, NULL, NULL, NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 }
#define PAGE_CLASS(title, class)                                              \
    { title, "podi_http_requests_total", "class=\"" class "\"", NULL,         \
      NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 }
#define PAGE_SAID(title, word)                                                \
    { title, "podi_limit_decisions_total", "decision=\"" word "\"", NULL,     \
      NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 }
#define PAGE_JOBS(title, state)                                               \
    { title, "podi_queue_jobs", "state=\"" state "\"", NULL,                  \
      NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 }
#define PAGE_BAD(title, name, above)                                          \
    { title, name, NULL, NULL, NGX_HTTP_PODI_UNIT_NUMBER, above, 0, 0 }
#define PAGE_AGE(title, name, above)                                          \
    { title, name, NULL, NULL, NGX_HTTP_PODI_UNIT_AGE, above, 0, 0 }
#define PAGE_ALL(title, name, of)                                             \
    { title, name, NULL, of, NGX_HTTP_PODI_UNIT_NUMBER, -1, 1, 0 }
#define PAGE_SOME(title, name)                                                \
    { title, name, NULL, NULL, NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 1 }
#define PAGE_END                                                              \
    { NULL, NULL, NULL, NULL, NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 }


static ngx_uint_t page_is_wanted(ngx_http_request_t *r);
static ngx_int_t page_headers(ngx_http_request_t *r);


static const char  page_style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:52rem;"
        "padding:1rem;color:#222;background:#fff}"
    "h1{font-size:1.3rem;margin:0}"
    "h2{font-size:1rem;margin:1.5rem 0 .3rem}"
    "section{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ddd;"
        "font-weight:400;text-align:left}"
    "td,thead th{text-align:right;white-space:nowrap;"
        "font-variant-numeric:tabular-nums}"
    "thead th{color:#666}"
    "b{color:#b00020}"
    "b::before{content:'! '}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}"
        "th,td{border-color:#444}thead th{color:#aaa}b{color:#ff8a80}}";

static const ngx_http_podi_item_t  page_peers[] = {
    PAGE_N("nginx workers", "podi_nginx_workers"),
    PAGE_ALL("PostgreSQL connections", "podi_pg_connections_up",
             "podi_pg_connections"),
    PAGE_N("calls to PostgreSQL that wait", "podi_pg_waiting"),
    PAGE_N("calls to PostgreSQL that failed", "podi_pg_failures_total"),
    PAGE_ALL("workers with Redis", "podi_redis_up", "status_redis"),
    PAGE_BAD("workers that decide limits without Redis",
             "podi_limit_breaker_open", 0),
    PAGE_N("threads at work", "podi_threads_running"),
    PAGE_N("work refused: no thread is free", "podi_thread_refused_total"),
    PAGE_END
};

static const ngx_http_podi_item_t  page_requests[] = {
    PAGE_CLASS("2xx", "2xx"),
    PAGE_CLASS("3xx", "3xx"),
    PAGE_CLASS("4xx", "4xx"),
    PAGE_CLASS("5xx", "5xx"),
    PAGE_N("let through by podi_dry_run", "podi_would_refuse_total"),
    PAGE_END
};

static const ngx_http_podi_item_t  page_tokens[] = {
    PAGE_N("accepted", "podi_auth_accepted_total"),
    PAGE_N("refused", "podi_auth_refused_total"),
    PAGE_N("known to the worker", "podi_auth_cache_l1_hits_total"),
    PAGE_N("known to another worker", "podi_auth_cache_l2_hits_total"),
    PAGE_N("verified", "podi_auth_cache_misses_total"),
    PAGE_N("looked up in PostgreSQL", "podi_auth_lookups_total"),
    PAGE_N("revocations known", "podi_revoked_sessions"),
    PAGE_AGE("age of that knowledge", "podi_revocation_feed_age_seconds", 10),
    PAGE_END
};

static const ngx_http_podi_item_t  page_issuers[] = {
    PAGE_SOME("keys", "podi_jwks_keys"),
    PAGE_AGE("read", "podi_jwks_age_seconds", -1),
    PAGE_N("failures", "podi_jwks_failures_total"),
    PAGE_END
};

static const ngx_http_podi_item_t  page_limits[] = {
    PAGE_SAID("allowed", "allowed"),
    PAGE_SAID("refused", "refused"),
    PAGE_SAID("dry", "dry_run"),
    PAGE_SAID("degraded", "degraded"),
    { "keys", "podi_limit_cells_used", NULL, "podi_limit_cells",
      NGX_HTTP_PODI_UNIT_NUMBER, -1, 0, 0 },
    PAGE_BAD("forgotten", "podi_limit_evicted_total", 0),
    PAGE_END
};

static const ngx_http_podi_item_t  page_breakers[] = {
    { "state", "podi_breaker_state", NULL, NULL, NGX_HTTP_PODI_UNIT_BREAKER,
      0, 0, 0 },
    PAGE_END
};

static const ngx_http_podi_item_t  page_breaker_zones[] = {
    PAGE_N("opened", "podi_breaker_opened_total"),
    PAGE_N("refused", "podi_breaker_refused_total"),
    PAGE_BAD("unguarded", "podi_breaker_unguarded_total", 0),
    PAGE_END
};

static const ngx_http_podi_item_t  page_channels[] = {
    { "state", "podi_channel_killed", NULL, NULL, NGX_HTTP_PODI_UNIT_CHANNEL,
      0, 0, 0 },
    PAGE_END
};

static const ngx_http_podi_item_t  page_queues[] = {
    PAGE_JOBS("queued", "queued"),
    PAGE_JOBS("delayed", "delayed"),
    PAGE_JOBS("running", "running"),
    PAGE_AGE("oldest", "podi_queue_oldest_seconds", 60),
    PAGE_BAD("set aside", "podi_jobs_set_aside", 0),
    PAGE_END
};

static const ngx_http_podi_item_t  page_daemons[] = {
    PAGE_SOME("processes", "podi_workers"),
    PAGE_END
};

static const ngx_http_podi_item_t  page_workers[] = {
    PAGE_ALL("PostgreSQL", "status_worker_pg_up", "status_worker_pg"),
    PAGE_N("in flight", "status_worker_pg_in_flight"),
    PAGE_N("waiting", "status_worker_pg_waiting"),
    PAGE_N("threads", "status_worker_threads"),
    PAGE_END
};

static const ngx_http_podi_section_t  page_sections[] = {
    { "Workers and peers", { NULL, NULL }, page_peers },
    { "Answers", { NULL, NULL }, page_requests },
    { "Tokens", { NULL, NULL }, page_tokens },
    { "Keys of other issuers", { "issuer", NULL }, page_issuers },
    { "Limits", { "limit", NULL }, page_limits },
    { "Breakers", { "name", "key" }, page_breakers },
    { "Zones of breakers", { "name", NULL }, page_breaker_zones },
    { "Channels", { "channel", NULL }, page_channels },
    { "Queues", { "queue", NULL }, page_queues },
    { "Daemons", { "daemon", NULL }, page_daemons },
    { "Workers of nginx", { "pid", NULL }, page_workers },
    { NULL, { NULL, NULL }, NULL }
};


ngx_int_t
ngx_http_podi_status_page(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_buf_t   b;
    podi_str_t   text, body;
    podi_str_t   vary = podi_string("Accept");
    ngx_array_t  samples;

    if (ngx_podi_header_add(r, "Vary", &vary) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!page_is_wanted(r)) {
        return ngx_http_podi_status_metrics(r, args);
    }

    podi_buf_init(&b, ngx_podi_mem(r));

    ngx_http_podi_status_requests(&b);
    ngx_http_podi_status_rest(r, &b);
    ngx_http_podi_status_workers(&b);

    if (podi_buf_take(&b, &text) != PODI_OK
        || ngx_http_podi_samples(r, &text, &samples) != NGX_OK
        || page_headers(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    podi_buf_init(&b, ngx_podi_mem(r));
    podi_buf_add_c(&b, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
        "<meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<meta http-equiv=\"refresh\" content=\"10\">"
        "<title>PODI</title><style>");
    podi_buf_add_c(&b, page_style);
    podi_buf_add_c(&b, "</style></head><body><h1>PODI</h1>\n<p>nginx "
        NGINX_VERSION ", made for migration " NGX_PODI_MIGRATION "</p>\n");

    ngx_http_podi_tables(&b, &samples, page_sections);

    podi_buf_add_c(&b, "</body></html>\n");

    if (podi_buf_take(&b, &body) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, NGX_HTTP_OK, "text/html; charset=utf-8", &body);
}


static ngx_uint_t
page_is_wanted(ngx_http_request_t *r)
{
    podi_str_t  accept, html = podi_string("text/html");

    accept = ngx_podi_header(r, "accept");

    return accept.len >= html.len
           && ngx_strlcasestrn(accept.data, accept.data + accept.len,
                               html.data, html.len - 1)
              != NULL;
}


static ngx_int_t
page_headers(ngx_http_request_t *r)
{
    u_char      digest[PODI_SHA256_LEN];
    podi_str_t  hash, policy, bytes, style = podi_str_c(page_style);
    podi_str_t  referrer = podi_string("no-referrer");
    podi_str_t  nosniff = podi_string("nosniff");

    bytes.data = digest;
    bytes.len = sizeof(digest);

    if (podi_sha256(&style, digest) != PODI_OK
        || podi_base64_encode(ngx_podi_mem(r), &bytes, &hash) != PODI_OK
        || podi_mem_printf(ngx_podi_mem(r), &policy,
               "default-src 'none'; style-src 'sha256-" PODI_STR_FMT "'; "
               "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
               podi_str_arg(&hash))
           != PODI_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_podi_header_add(r, "Content-Security-Policy", &policy) != PODI_OK
        || ngx_podi_header_add(r, "Referrer-Policy", &referrer) != PODI_OK
        || ngx_podi_header_add(r, "X-Content-Type-Options", &nosniff)
           != PODI_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
