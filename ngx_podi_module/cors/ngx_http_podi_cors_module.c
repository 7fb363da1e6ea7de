/*
 * cors: pages of other origins, let in by name.
 *
 *     OPTIONS + Origin + Access-Control-Request-Method -> answered here
 *     any other request                                -> headers only
 *
 * Origins are compared whole, byte for byte; "null" and "*" cannot be
 * listed.  Those of the request's channel count beside the location's.  Works
 * in any location: the API, the object store, proxy_pass.
 * The access-phase handler runs before auth, because a preflight carries no
 * credentials, and after limit_req, so that it can still be limited.
 */

#include "ngx_podi_core.h"


typedef struct {
    ngx_array_t  *origins;              /* ngx_str_t; empty: none */
    ngx_uint_t    off;                  /* not even the channel's */
} ngx_http_podi_cors_loc_conf_t;


static ngx_int_t ngx_http_podi_cors_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_cors_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_cors_add_headers(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_cors_refuse(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_cors_add(ngx_http_request_t *r,
    const char *name, const char *value);
static ngx_uint_t ngx_http_podi_cors_is_on(ngx_http_request_t *r);
static char *ngx_http_podi_cors_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_podi_cors_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_cors_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_podi_cors_init(ngx_conf_t *cf);


static const char  ngx_http_podi_cors_methods[] =
    "GET, HEAD, POST, PUT, PATCH, DELETE";

static const char  ngx_http_podi_cors_request_headers[] =
    "Authorization, Content-Type, Content-MD5, Idempotency-Key, If-Match, "
    "If-None-Match, Range, Last-Event-ID, Traceparent, Tracestate, X-Podi";

static const char  ngx_http_podi_cors_exposed[] =
    "X-Trace-Id, ETag, Location, Retry-After, Idempotency-Key, "
    "Content-Range, Accept-Ranges, Deprecation, Sunset";


static ngx_command_t  ngx_http_podi_cors_commands[] = {

    { ngx_string("podi_cors_origin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_cors_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_cors_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_cors_init,               /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_cors_create_loc_conf,    /* create location configuration */
    ngx_http_podi_cors_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_podi_cors_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_cors_module_ctx,        /* module context */
    ngx_http_podi_cors_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_int_t
ngx_http_podi_cors_handler(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    podi_str_t  origin, method;

    if (r->method != NGX_HTTP_OPTIONS || r != r->main
        || !ngx_http_podi_cors_is_on(r))
    {
        return NGX_DECLINED;
    }

    origin = ngx_podi_header(r, "origin");
    method = ngx_podi_header(r, "access-control-request-method");

    if (origin.len == 0 || method.len == 0) {
        return NGX_DECLINED;
    }

    if (!ngx_podi_origin_is_listed(r, &origin)) {
        return ngx_http_podi_cors_refuse(r);
    }

    if (ngx_podi_request(r) == NULL
        || ngx_http_podi_cors_add(r, "Access-Control-Allow-Methods",
                                  ngx_http_podi_cors_methods)
           != NGX_OK
        || ngx_http_podi_cors_add_headers(r) != NGX_OK
        || ngx_http_podi_cors_add(r, "Access-Control-Max-Age", "600")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_podi_send(r, NGX_HTTP_NO_CONTENT, NULL, NULL);

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_podi_cors_add_headers(ngx_http_request_t *r)
{
    podi_str_t                   text;
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    if (pmcf->app_key_header.len == 0) {
        return ngx_http_podi_cors_add(r, "Access-Control-Allow-Headers",
                                      ngx_http_podi_cors_request_headers);
    }

    if (podi_mem_printf(ngx_podi_mem(r), &text, "%s, " PODI_STR_FMT,
                        ngx_http_podi_cors_request_headers,
                        podi_str_arg(&pmcf->app_key_header))
        != PODI_OK)
    {
        return NGX_ERROR;
    }

    return ngx_podi_header_add(r, "Access-Control-Allow-Headers", &text);
}


static ngx_int_t
ngx_http_podi_cors_refuse(ngx_http_request_t *r)
{
    podi_fail_t  fail;

    if (ngx_podi_request(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));
    (void) podi_fail(&fail, PODI_E_FORBIDDEN, "Origin",
                     "the origin is not one of podi_cors_origin or of the "
                     "channel");

    return ngx_podi_refuse(r, "cors", &fail);
}


/* Vary always: a cache must not give one origin the answer of another */

static ngx_int_t
ngx_http_podi_cors_header_filter(ngx_http_request_t *r)
{
    podi_str_t  origin;

    if (r != r->main || !ngx_http_podi_cors_is_on(r)) {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_podi_cors_add(r, "Vary", "Origin") != NGX_OK) {
        return NGX_ERROR;
    }

    origin = ngx_podi_header(r, "origin");

    if (!ngx_podi_origin_is_listed(r, &origin)) {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_podi_header_add(r, "Access-Control-Allow-Origin", &origin)
        != PODI_OK
        || ngx_http_podi_cors_add(r, "Access-Control-Allow-Credentials",
                                  "true")
           != NGX_OK
        || ngx_http_podi_cors_add(r, "Access-Control-Expose-Headers",
                                  ngx_http_podi_cors_exposed)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_podi_cors_add(ngx_http_request_t *r, const char *name,
    const char *value)
{
    podi_str_t  text;

    text = podi_str_c(value);

    return ngx_podi_header_add(r, name, &text);
}


static ngx_uint_t
ngx_http_podi_cors_is_on(ngx_http_request_t *r)
{
    ngx_podi_request_t             *pr;
    ngx_http_podi_cors_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_cors_module);

    if (clcf->origins->nelts != 0) {
        return 1;
    }

    pr = clcf->off ? NULL : ngx_podi_request_find(r);

    return pr != NULL && pr->pub.channel != NULL
           && pr->pub.channel->origins != NULL;
}


/* "off" gives the empty list: no other origin, whatever stands above */

static char *
ngx_http_podi_cors_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value, *s;
    ngx_uint_t                      i;
    ngx_http_podi_cors_loc_conf_t  *clcf = conf;

    value = cf->args->elts;

    if (clcf->origins == NULL) {
        clcf->origins = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (clcf->origins == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        clcf->off = 1;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_podi_origin_is_valid(&value[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_cors_origin\" does not take \"%V\": "
                               "write whole origins, as "
                               "https://app.example or "
                               "http://localhost:5173, without a path",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        s = ngx_array_push(clcf->origins);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = value[i];
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_cors_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_cors_loc_conf_t));
}


static char *
ngx_http_podi_cors_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_podi_loc_conf_t            *plcf;
    ngx_http_podi_cors_loc_conf_t  *prev = parent;
    ngx_http_podi_cors_loc_conf_t  *conf = child;

    if (conf->origins == NULL) {
        conf->origins = prev->origins;
        conf->off = prev->off;
    }

    if (conf->origins == NULL) {
        conf->origins = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
        if (conf->origins == NULL) {
            return NGX_CONF_ERROR;
        }

        /* shared with the siblings */

        prev->origins = conf->origins;
    }

    /* the guard trusts them, too */

    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_podi_module);
    plcf->origins = conf->origins;
    plcf->origins_off = conf->off;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_cors_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_cors_handler;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_podi_cors_header_filter;

    return NGX_OK;
}
