/*
 * trace: each request has an id that its client, our log and our peers know.
 *
 *     POST_READ: strip X-Podi-* -> continue traceparent, or begin -> sampled?
 *                -> log
 *     PREACCESS: traceparent and tracestate as upstreams get them
 *     header filter: X-Trace-Id on every answer, also on nginx's own errors
 *
 * Runs before every other phase handler, so that no later one can be fooled
 * by an identity header that the client has made up.
 */

#include "ngx_http_podi_trace.h"


static ngx_int_t ngx_http_podi_trace_post_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_trace_header_filter(ngx_http_request_t *r);
static podi_rc_t ngx_http_podi_trace_begin(ngx_http_request_t *r,
    ngx_podi_request_t *pr);
static size_t ngx_http_podi_trace_collect(ngx_http_request_t *r,
    const char *name, podi_str_t *values, size_t max);
static u_char *ngx_http_podi_trace_log(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static void *ngx_http_podi_trace_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_podi_trace_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_podi_trace_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_trace_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_podi_trace_init(ngx_conf_t *cf);


#define NGX_HTTP_PODI_TRACE_PARENTS  2      /* more than one is none */
#define NGX_HTTP_PODI_TRACE_STATES   64     /* more headers are no list */


static ngx_http_podi_trace_sample_t  ngx_http_podi_trace_sample_parent = {
    1, 0, 0, 0
};


static ngx_command_t  ngx_http_podi_trace_commands[] = {

    { ngx_string("podi_trace"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_podi_trace_srv_conf_t, on),
      NULL },

    { ngx_string("podi_trace_sample"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_podi_trace_sample,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_trace_propagate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_trace_loc_conf_t, propagate),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_trace_module_ctx = {
    ngx_http_podi_trace_variables,         /* preconfiguration */
    ngx_http_podi_trace_init,              /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_podi_trace_create_srv_conf,   /* create server configuration */
    ngx_http_podi_trace_merge_srv_conf,    /* merge server configuration */

    ngx_http_podi_trace_create_loc_conf,   /* create location configuration */
    ngx_http_podi_trace_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_podi_trace_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_trace_module_ctx,       /* module context */
    ngx_http_podi_trace_commands,          /* module directives */
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
ngx_http_podi_trace_post_read(ngx_http_request_t *r)
{
    ngx_podi_request_t              *pr;
    ngx_http_podi_trace_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_podi_trace_module);

    if (!tscf->on || r != r->main) {
        return NGX_DECLINED;
    }

    pr = ngx_podi_request(r);

    if (pr == NULL
        || ngx_podi_strip(r) != NGX_OK
        || ngx_http_podi_trace_begin(r, pr) != PODI_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pr->pub.trace.sampled = ngx_http_podi_trace_begun(tscf->sample,
                                                      &pr->pub.trace);

    if (pr->log_handler == NULL) {
        pr->log_handler = r->log_handler;
        r->log_handler = ngx_http_podi_trace_log;
    }

    return NGX_DECLINED;
}


/* without a traceparent the id that core has made stays */

static podi_rc_t
ngx_http_podi_trace_begin(ngx_http_request_t *r, ngx_podi_request_t *pr)
{
    size_t      n_parents, n_states;
    podi_str_t  parents[NGX_HTTP_PODI_TRACE_PARENTS];
    podi_str_t  states[NGX_HTTP_PODI_TRACE_STATES];

    n_parents = ngx_http_podi_trace_collect(r, "traceparent", parents,
                                            NGX_HTTP_PODI_TRACE_PARENTS);

    if (n_parents == 0) {
        return PODI_OK;
    }

    n_states = ngx_http_podi_trace_collect(r, "tracestate", states,
                                           NGX_HTTP_PODI_TRACE_STATES);

    if (n_parents > NGX_HTTP_PODI_TRACE_PARENTS) {
        n_parents = NGX_HTTP_PODI_TRACE_PARENTS;
    }

    if (n_states > NGX_HTTP_PODI_TRACE_STATES) {
        n_states = 0;
    }

    if (podi_trace_begin(parents, n_parents, states, n_states, &pr->mem,
                         &pr->pub.trace)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    pr->pub.trace_id = podi_trace_id(&pr->pub.trace);

    return PODI_OK;
}


/* gives how many there are, of which `max` are kept */

static size_t
ngx_http_podi_trace_collect(ngx_http_request_t *r, const char *name,
    podi_str_t *values, size_t max)
{
    size_t            n, len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;
    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != len
                || ngx_strncmp(h[i].lowcase_key, name, len) != 0)
            {
                continue;
            }

            if (n < max) {
                values[n].data = h[i].value.data;
                values[n].len = h[i].value.len;
            }

            n++;
        }
    }

    return n;
}


static u_char *
ngx_http_podi_trace_log(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char              *p;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);
    if (pr == NULL) {
        return buf;
    }

    p = pr->log_handler(r, sr, buf, len);

    return ngx_snprintf(p, len - (p - buf), ", trace_id: %V",
                        (ngx_str_t *) (void *) &pr->pub.trace_id);
}


/*
 * A request whose headers could not be read never saw POST_READ; it gets its
 * id here.
 */

static ngx_int_t
ngx_http_podi_trace_header_filter(ngx_http_request_t *r)
{
    ngx_podi_request_t              *pr;
    ngx_http_podi_trace_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_podi_trace_module);

    if (!tscf->on || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    pr = ngx_podi_request(r);

    if (pr == NULL
        || ngx_podi_header_add(r, "X-Trace-Id", &pr->pub.trace_id) != PODI_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static void *
ngx_http_podi_trace_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_podi_trace_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_trace_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->on = NGX_CONF_UNSET;
    conf->sample = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_podi_trace_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_trace_srv_conf_t  *prev = parent;
    ngx_http_podi_trace_srv_conf_t  *conf = child;

    ngx_conf_merge_value(conf->on, prev->on, 0);
    ngx_conf_merge_ptr_value(conf->sample, prev->sample,
                             &ngx_http_podi_trace_sample_parent);

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_trace_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_trace_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_trace_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->propagate = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_podi_trace_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_trace_loc_conf_t  *prev = parent;
    ngx_http_podi_trace_loc_conf_t  *conf = child;

    ngx_conf_merge_value(conf->propagate, prev->propagate, 0);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_trace_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_trace_post_read;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_trace_propagate;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_podi_trace_header_filter;

    return NGX_OK;
}
