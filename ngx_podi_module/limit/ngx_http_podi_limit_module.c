/*
 * limit: how much may come, of whom.
 *
 *     PREACCESS   what is counted by address or by expression, `early`
 *     PRECONTENT  all others, in one decision, when it is known who asks
 *
 * After the access phase, because `satisfy any` leaves that early.  The
 * directives are inherited as those of limit_req: a location that has any of
 * its own has only those, and `podi_limit off` has none.
 */

#include "ngx_http_podi_limit_rates.h"
#include "ngx_http_podi_limit_remote.h"


static ngx_int_t ngx_http_podi_limit_early(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_limit_late(ngx_http_request_t *r);
static char *ngx_http_podi_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_podi_limit_use(ngx_conf_t *cf,
    ngx_http_podi_limit_loc_conf_t *llcf, ngx_str_t *name, ngx_uint_t early,
    ngx_uint_t dry);
static void *ngx_http_podi_limit_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_podi_limit_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_podi_limit_bind(ngx_conf_t *cf,
    ngx_http_podi_limit_use_t *use);
static void *ngx_http_podi_limit_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_limit_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_podi_limit_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_podi_limit_init_process(ngx_cycle_t *cycle);
static void ngx_http_podi_limit_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_podi_limit_statuses[] = {
    { ngx_string("429"), NGX_HTTP_TOO_MANY_REQUESTS },
    { ngx_string("503"), NGX_HTTP_SERVICE_UNAVAILABLE },
    { ngx_null_string, 0 }
};

static ngx_conf_enum_t  ngx_http_podi_limit_header_modes[] = {
    { ngx_string("off"), NGX_HTTP_PODI_LIMIT_HEADERS_OFF },
    { ngx_string("on"), NGX_HTTP_PODI_LIMIT_HEADERS_ON },
    { ngx_string("legacy"), NGX_HTTP_PODI_LIMIT_HEADERS_LEGACY },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_podi_limit_deadlines = {
    ngx_conf_check_num_bounds, 1, 10000
};

static ngx_conf_num_bounds_t  ngx_http_podi_limit_leases = {
    ngx_conf_check_num_bounds, 1000, 3600000
};


static ngx_command_t  ngx_http_podi_limit_commands[] = {

    { ngx_string("podi_limit_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_podi_limit_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_limit_plan"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_podi_limit_plan,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_limit_rates"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_http_podi_rates_on,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_limit_main_conf_t, rates_on),
      NULL },

    { ngx_string("podi_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_limit_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_limit_loc_conf_t, status),
      &ngx_http_podi_limit_statuses },

    { ngx_string("podi_limit_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_limit_loc_conf_t, headers),
      &ngx_http_podi_limit_header_modes },

    { ngx_string("podi_limit_deadline"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_limit_main_conf_t, deadline),
      &ngx_http_podi_limit_deadlines },

    { ngx_string("podi_limit_lease"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_limit_main_conf_t, lease),
      &ngx_http_podi_limit_leases },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_limit_module_ctx = {
    ngx_http_podi_limit_add_variables,     /* preconfiguration */
    ngx_http_podi_limit_init,              /* postconfiguration */

    ngx_http_podi_limit_create_main_conf,  /* create main configuration */
    ngx_http_podi_limit_init_main_conf,    /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_limit_create_loc_conf,   /* create location configuration */
    ngx_http_podi_limit_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_podi_limit_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_limit_module_ctx,       /* module context */
    ngx_http_podi_limit_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_podi_limit_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_podi_limit_exit_process,      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_limit_early(ngx_http_request_t *r)
{
    return ngx_http_podi_limit_decide(r, 1);
}


static ngx_int_t
ngx_http_podi_limit_late(ngx_http_request_t *r)
{
    return ngx_http_podi_limit_decide(r, 0);
}


/* names, then how they are used: "podi_limit a b early dry_run;" */

static char *
ngx_http_podi_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i, n, early, dry;
    ngx_http_podi_limit_loc_conf_t  *llcf = conf;

    value = cf->args->elts;
    n = cf->args->nelts;
    early = 0;
    dry = 0;

    if (llcf->uses == NULL) {
        llcf->uses = ngx_array_create(cf->pool, 4, sizeof(void *));
        if (llcf->uses == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (n == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for ( /* void */ ; n > 1; n--) {
        if (ngx_strcmp(value[n - 1].data, "early") == 0) {
            early = 1;

        } else if (ngx_strcmp(value[n - 1].data, "dry_run") == 0) {
            dry = 1;

        } else {
            break;
        }
    }

    if (n == 1) {
        return "needs the name of a podi_limit_zone, or \"off\"";
    }

    for (i = 1; i < n; i++) {
        if (ngx_http_podi_limit_use(cf, llcf, &value[i], early, dry)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_podi_limit_use(ngx_conf_t *cf, ngx_http_podi_limit_loc_conf_t *llcf,
    ngx_str_t *name, ngx_uint_t early, ngx_uint_t dry)
{
    ngx_uint_t                         i;
    ngx_http_podi_limit_use_t         *use, **uses;
    ngx_http_podi_limit_main_conf_t   *lmcf;

    uses = llcf->uses->elts;

    for (i = 0; i < llcf->uses->nelts; i++) {
        if (uses[i]->name.len == name->len
            && ngx_memcmp(uses[i]->name.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_limit\" has \"%V\" twice", name);
            return NGX_CONF_ERROR;
        }
    }

    if (llcf->uses->nelts == NGX_PODI_BUCKET_OPS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit\" takes 16 limits at most");
        return NGX_CONF_ERROR;
    }

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_limit_module);

    use = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_limit_use_t));
    uses = ngx_array_push(llcf->uses);

    if (use == NULL || uses == NULL) {
        return NGX_CONF_ERROR;
    }

    use->name = *name;
    use->early = early;
    use->dry = dry;
    *uses = use;

    llcf->early += early;

    uses = ngx_array_push(&lmcf->named);
    if (uses == NULL) {
        return NGX_CONF_ERROR;
    }

    *uses = use;

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_limit_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_limit_main_conf_t));

    if (lmcf == NULL
        || ngx_array_init(&lmcf->zones, cf->pool, 4, sizeof(void *)) != NGX_OK
        || ngx_array_init(&lmcf->named, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    lmcf->deadline = NGX_CONF_UNSET_MSEC;
    lmcf->rates_on = NGX_CONF_UNSET;
    lmcf->lease = NGX_CONF_UNSET_MSEC;

    return lmcf;
}


/* a zone may stand below the locations that use it */

static char *
ngx_http_podi_limit_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_uint_t                         i;
    ngx_podi_main_conf_t              *pmcf;
    ngx_http_podi_limit_use_t        **use;
    ngx_http_podi_limit_zone_t       **zone;
    ngx_http_podi_limit_main_conf_t   *lmcf = conf;

    ngx_conf_init_msec_value(lmcf->deadline, 30);
    ngx_conf_init_value(lmcf->rates_on, 0);
    ngx_conf_init_msec_value(lmcf->lease, 30000);

    zone = lmcf->zones.elts;

    for (i = 0; i < lmcf->zones.nelts; i++) {
        lmcf->remote += (zone[i]->mode != PODI_LIMIT_LOCAL);
    }

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    if (lmcf->remote != 0 && pmcf->redis.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit_zone\" with mode=exact or leased "
                           "counts in Redis: write podi_redis "
                           "127.0.0.1:6379; at http level");
        return NGX_CONF_ERROR;
    }

    use = lmcf->named.elts;

    for (i = 0; i < lmcf->named.nelts; i++) {
        if (ngx_http_podi_limit_bind(cf, use[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_podi_limit_bind(ngx_conf_t *cf, ngx_http_podi_limit_use_t *use)
{
    use->zone = ngx_http_podi_limit_find(cf, &use->name);

    if (use->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no limit \"%V\": write podi_limit_zone "
                           "%V 4m key=ip rate=10r/s burst=20; at http level",
                           &use->name, &use->name);
        return NGX_CONF_ERROR;
    }

    if (use->early && use->zone->late) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit %V early\" comes before it is known "
                           "who asks: leave early out, or count by ip",
                           &use->name);
        return NGX_CONF_ERROR;
    }

    if (use->early && use->zone->mode != PODI_LIMIT_LOCAL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_limit %V early\" is for limits of "
                           "mode=local", &use->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_podi_limit_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_limit_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_limit_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->status = NGX_CONF_UNSET_UINT;
    conf->headers = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_podi_limit_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_limit_loc_conf_t  *prev = parent;
    ngx_http_podi_limit_loc_conf_t  *conf = child;

    ngx_uint_t                       i;
    ngx_http_podi_limit_use_t      **use;

    if (conf->uses == NULL) {
        conf->uses = prev->uses;
        conf->early = prev->early;
    }

    for (i = 0; conf->uses != NULL && i < conf->uses->nelts; i++) {
        use = conf->uses->elts;
        conf->remote |= (use[i]->zone->mode != PODI_LIMIT_LOCAL);
    }

    ngx_conf_merge_uint_value(conf->status, prev->status,
                              NGX_HTTP_TOO_MANY_REQUESTS);
    ngx_conf_merge_uint_value(conf->headers, prev->headers,
                              NGX_HTTP_PODI_LIMIT_HEADERS_ON);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_podi_limit_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (ngx_http_podi_rates_check(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_limit_early;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_limit_late;

    return ngx_podi_metric_source(cf, ngx_http_podi_limit_metrics);
}


static ngx_int_t
ngx_http_podi_limit_init_process(ngx_cycle_t *cycle)
{
    const ngx_http_podi_limit_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_limit_module);

    if (lmcf != NULL && lmcf->remote != 0
        && ngx_http_podi_limit_remote_start(cycle, lmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_podi_rates_start(cycle);
}


static void
ngx_http_podi_limit_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_podi_limit_remote_stop();
    ngx_http_podi_rates_stop(cycle);
}
