/*
 * breaker: whether to call what is behind a location at all.
 *
 *     PRECONTENT     ask -> closed: go on, with a ticket
 *                        -> open:   503, and when to come again
 *                        -> probe:  go on; all others wait for this one
 *     header filter  a probe that is answered is reported at once
 *     LOG            what came of all others
 *
 * Asked last of the gateway, so that nobody who is refused for another reason
 * is the probe.  What is refused, or answered from a cache or a file, after
 * all is reported as unknown: no ticket stays open.  A request that is sent
 * elsewhere (error_page, X-Accel-Redirect) to a location with a breaker
 * reports its first call and asks again.
 */

#include "ngx_http_podi_breaker.h"


static ngx_int_t ngx_http_podi_breaker_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_breaker_shut(ngx_http_request_t *r,
    const ngx_http_podi_breaker_use_t *use,
    const ngx_http_podi_breaker_call_t *call);
static ngx_int_t ngx_http_podi_breaker_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_breaker_log(ngx_http_request_t *r);
static void ngx_http_podi_breaker_tell(ngx_http_request_t *r,
    ngx_http_podi_breaker_call_t *call);
static char *ngx_http_podi_breaker(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_podi_breaker_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_podi_breaker_init_main_conf(ngx_conf_t *cf,
    void *conf);
static void *ngx_http_podi_breaker_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_breaker_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static ngx_int_t ngx_http_podi_breaker_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_podi_breaker_commands[] = {

    { ngx_string("podi_breaker_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_podi_breaker_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_breaker"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_podi_breaker,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_breaker_module_ctx = {
    ngx_http_podi_breaker_variables,       /* preconfiguration */
    ngx_http_podi_breaker_init,            /* postconfiguration */

    ngx_http_podi_breaker_create_main_conf,    /* create main configuration */
    ngx_http_podi_breaker_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_breaker_create_loc_conf, /* create location configuration */
    ngx_http_podi_breaker_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_breaker_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_breaker_module_ctx,     /* module context */
    ngx_http_podi_breaker_commands,        /* module directives */
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
ngx_http_podi_breaker_handler(ngx_http_request_t *r)
{
    ngx_podi_request_t                      *pr;
    ngx_http_podi_breaker_call_t            *call;
    const ngx_http_podi_breaker_use_t       *use;
    const ngx_http_podi_breaker_loc_conf_t  *blcf;

    blcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_breaker_module);
    use = blcf->use;

    if (use == NULL || r != r->main) {
        return NGX_DECLINED;
    }

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call = pr->breaker;

    if (call == NULL) {
        call = ngx_palloc(r->pool, sizeof(ngx_http_podi_breaker_call_t));
        if (call == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

    } else if (call->open) {
        ngx_http_podi_breaker_tell(r, call);
    }

    call->zone = use->zone;
    call->first = (r->upstream_states == NULL) ? 0
                                               : r->upstream_states->nelts;

    if (ngx_http_podi_breaker_key(r, call) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_podi_breaker_ask(call, r->connection->log);
    pr->breaker = call;

    return (call->verdict == PODI_BREAKER_SHUT)
           ? ngx_http_podi_breaker_shut(r, use, call) : NGX_DECLINED;
}


static ngx_int_t
ngx_http_podi_breaker_shut(ngx_http_request_t *r,
    const ngx_http_podi_breaker_use_t *use,
    const ngx_http_podi_breaker_call_t *call)
{
    podi_fail_t                 fail;
    const ngx_str_t            *name = &call->zone->name;
    const ngx_podi_loc_conf_t  *plcf;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    (void) podi_fail(&fail, PODI_E_UNAVAILABLE, NULL,
                     "what is behind the breaker \"%.*s\" is not well",
                     (int) name->len, name->data);
    (void) snprintf(fail.extra, sizeof(fail.extra), "\"breaker\":\"%.*s\"",
                    (int) name->len, name->data);
    fail.retry_after = (unsigned) ((call->wait + 999) / 1000);

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    if (use->dry || plcf->dry_run) {
        ngx_http_podi_breaker_count(call->zone, NGX_HTTP_PODI_BREAKER_DRY);
        (void) ngx_podi_refuse_note(r, "breaker", &fail, 1);
        return NGX_DECLINED;
    }

    ngx_http_podi_breaker_count(call->zone, NGX_HTTP_PODI_BREAKER_REFUSED);

    return ngx_podi_refuse(r, "breaker", &fail);
}


/* nobody waits until the client has read all of a probe's answer */

static ngx_int_t
ngx_http_podi_breaker_header_filter(ngx_http_request_t *r)
{
    const ngx_podi_request_t  *pr;

    if (r == r->main) {
        pr = ngx_podi_request_find(r);

        if (pr != NULL && pr->breaker != NULL && pr->breaker->open
            && pr->breaker->verdict == PODI_BREAKER_PROBE)
        {
            ngx_http_podi_breaker_tell(r, pr->breaker);
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_podi_breaker_log(ngx_http_request_t *r)
{
    const ngx_podi_request_t  *pr;

    pr = ngx_podi_request_find(r);

    if (r == r->main && pr != NULL && pr->breaker != NULL
        && pr->breaker->open)
    {
        ngx_http_podi_breaker_tell(r, pr->breaker);
    }

    return NGX_OK;
}


static void
ngx_http_podi_breaker_tell(ngx_http_request_t *r,
    ngx_http_podi_breaker_call_t *call)
{
    ngx_http_podi_breaker_told_t  told;

    ngx_http_podi_breaker_outcome(r, call, &told);
    ngx_http_podi_breaker_report(call, &told, r->connection->log);
}


/* "podi_breaker name [dry_run]", "podi_breaker off" */

static char *
ngx_http_podi_breaker(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                          *value;
    ngx_http_podi_breaker_use_t       **use;
    ngx_http_podi_breaker_loc_conf_t   *blcf = conf;
    ngx_http_podi_breaker_main_conf_t  *bmcf;

    if (blcf->use != NULL || blcf->off) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        blcf->off = 1;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 3 && ngx_strcmp(value[2].data, "dry_run") != 0) {
        return "takes the name of a podi_breaker_zone and perhaps "
               "\"dry_run\", or \"off\"";
    }

    bmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_podi_breaker_module);

    blcf->use = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_breaker_use_t));
    use = ngx_array_push(&bmcf->uses);

    if (blcf->use == NULL || use == NULL) {
        return NGX_CONF_ERROR;
    }

    blcf->use->name = value[1];
    blcf->use->dry = (cf->args->nelts == 3);
    *use = blcf->use;

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_breaker_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_breaker_main_conf_t  *bmcf;

    bmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_breaker_main_conf_t));

    if (bmcf == NULL
        || ngx_array_init(&bmcf->zones, cf->pool, 2, sizeof(void *)) != NGX_OK
        || ngx_array_init(&bmcf->uses, cf->pool, 4, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    return bmcf;
}


/* a zone may stand below the locations that use it */

static char *
ngx_http_podi_breaker_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t                          i;
    ngx_http_podi_breaker_use_t       **use;
    ngx_http_podi_breaker_main_conf_t  *bmcf = conf;

    use = bmcf->uses.elts;

    for (i = 0; i < bmcf->uses.nelts; i++) {
        use[i]->zone = ngx_http_podi_breaker_find(bmcf, &use[i]->name);

        if (use[i]->zone == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "there is no breaker \"%V\": write "
                               "podi_breaker_zone %V 64k; at http level",
                               &use[i]->name, &use[i]->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_breaker_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_breaker_loc_conf_t));
}


static char *
ngx_http_podi_breaker_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_podi_breaker_loc_conf_t  *prev = parent;
    ngx_http_podi_breaker_loc_conf_t  *conf = child;

    if (conf->use == NULL && !conf->off) {
        conf->use = prev->use;
        conf->off = prev->off;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_breaker_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_breaker_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_breaker_log;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_podi_breaker_header_filter;

    return ngx_podi_metric_source(cf, ngx_http_podi_breaker_metrics);
}
