/*
 * ngx_podi_conf: the directives that all of PODI shares, their defaults, and
 * what a configuration must not lack.
 *
 * Each refusal is a sentence that says what to write.
 */

#include "ngx_podi_bucket.h"
#include "ngx_podi_shm.h"


static char *ngx_podi_conf_check_token(ngx_conf_t *cf,
    ngx_podi_main_conf_t *pmcf);


static ngx_conf_num_bounds_t  ngx_podi_connections = {
    ngx_conf_check_num_bounds, 1, 64
};

static ngx_conf_num_bounds_t  ngx_podi_depth = {
    ngx_conf_check_num_bounds, 1, 256
};


ngx_command_t  ngx_podi_commands[] = {

    { ngx_string("podi_pg"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_pg,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, pg),
      NULL },

    { ngx_string("podi_pg_password_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_secret_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, pg_password),
      NULL },

    { ngx_string("podi_pg_pipelined"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, pg_pipelined),
      &ngx_podi_connections },

    { ngx_string("podi_pg_slow"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, pg_slow),
      &ngx_podi_connections },

    { ngx_string("podi_pg_depth"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, pg_depth),
      &ngx_podi_depth },

    { ngx_string("podi_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_redis,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, redis),
      NULL },

    { ngx_string("podi_redis_password_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_secret_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, redis_password),
      NULL },

    { ngx_string("podi_context_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_context_key,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_thread_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_podi_set_thread_pool,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_token_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_podi_set_token_key,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_token_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, token_issuer),
      NULL },

    { ngx_string("podi_token_audience"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, token_audience),
      NULL },

    { ngx_string("podi_token_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_podi_main_conf_t, token_lifetime),
      NULL },

    { ngx_string("podi_deadline"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_podi_loc_conf_t, deadline),
      NULL },

    { ngx_string("podi_auth_failures"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_failures,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_podi_loc_conf_t, dry_run),
      NULL },

    { ngx_string("podi_sandbox"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_podi_loc_conf_t, sandbox),
      NULL },

    { ngx_string("podi_tenant"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_podi_set_tenant,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


void *
ngx_podi_create_main_conf(ngx_conf_t *cf)
{
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_podi_main_conf_t));
    if (pmcf == NULL) {
        return NULL;
    }

    pmcf->mem = ngx_podi_pool_mem(cf->pool);
    if (pmcf->mem == NULL) {
        return NULL;
    }

    if (ngx_array_init(&pmcf->tables, cf->pool, 8, sizeof(ngx_podi_table_t))
        != NGX_OK
        || ngx_array_init(&pmcf->tenants, cf->pool, 2, sizeof(podi_str_t))
           != NGX_OK
        || ngx_array_init(&pmcf->sources, cf->pool, 4,
                          sizeof(ngx_podi_metric_pt))
           != NGX_OK
        || ngx_array_init(&pmcf->buckets, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    pmcf->pg_pipelined = NGX_CONF_UNSET_UINT;
    pmcf->pg_slow = NGX_CONF_UNSET_UINT;
    pmcf->pg_depth = NGX_CONF_UNSET_UINT;
    pmcf->token_lifetime = NGX_CONF_UNSET;
    pmcf->threads = NGX_CONF_UNSET;
    pmcf->thread_queue = NGX_CONF_UNSET;

    return pmcf;
}


char *
ngx_podi_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_podi_main_conf_t  *pmcf = conf;

    ngx_str_t  name = ngx_string(NGX_PODI_ZONE_NAME);

    ngx_conf_init_uint_value(pmcf->pg_pipelined, 2);
    ngx_conf_init_uint_value(pmcf->pg_slow, 1);
    ngx_conf_init_uint_value(pmcf->pg_depth, 16);
    ngx_conf_init_value(pmcf->token_lifetime, 300);
    ngx_conf_init_value(pmcf->threads, ngx_ncpu);
    ngx_conf_init_value(pmcf->thread_queue, 64);

    if (pmcf->zone == NULL) {

        pmcf->zone = ngx_shared_memory_add(cf, &name, 4 * 1024 * 1024,
                                           &ngx_http_podi_module);
        if (pmcf->zone == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    pmcf->zone->init = ngx_podi_shm_init;
    pmcf->zone->data = pmcf;

    pmcf->thread_pool = ngx_thread_pool_add(cf, NULL);
    if (pmcf->thread_pool == NULL) {
        return NGX_CONF_ERROR;
    }

    if (pmcf->token_audience.len == 0) {
        pmcf->token_audience = pmcf->token_issuer;
    }

    return NGX_CONF_OK;
}


/* at the end: what is needed is known when all locations are merged */

char *
ngx_podi_conf_check(ngx_conf_t *cf, ngx_podi_main_conf_t *pmcf)
{
    if (ngx_podi_bucket_check(cf, &pmcf->buckets, pmcf->redis_password)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!pmcf->needs_pg) {
        return ngx_podi_conf_check_token(cf, pmcf);
    }

    if (pmcf->pg.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_pg\" is missing: write podi_pg "
                           "\"host=/run/postgresql dbname=podi "
                           "user=podi_web\"; at http level");
        return NGX_CONF_ERROR;
    }

    if (pmcf->context_key == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_context_key_file\" is missing: write "
                           "podi_context_key_file /etc/podi/context.key; at "
                           "http level, with the file that migrations/"
                           "apply.sh was given");
        return NGX_CONF_ERROR;
    }

    return ngx_podi_conf_check_token(cf, pmcf);
}


static char *
ngx_podi_conf_check_token(ngx_conf_t *cf, ngx_podi_main_conf_t *pmcf)
{
    if (pmcf->token_lifetime < 300
        || pmcf->token_lifetime > NGX_PODI_TOKEN_LIFE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_token_lifetime\" is out of range: write a "
                           "time between 5m and 10m");
        return NGX_CONF_ERROR;
    }

    if (!pmcf->needs_token) {
        return NGX_CONF_OK;
    }

    if (pmcf->token_key == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_token_key_file\" is missing: write "
                           "podi_token_key_file /etc/podi/token.key; at http "
                           "level (openssl genpkey -algorithm EC -pkeyopt "
                           "ec_paramgen_curve:P-256 makes such a key)");
        return NGX_CONF_ERROR;
    }

    if (pmcf->token_issuer.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_token_issuer\" is missing: write "
                           "podi_token_issuer https://your.site; at http "
                           "level");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void *
ngx_podi_create_loc_conf(ngx_conf_t *cf)
{
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_pcalloc(cf->pool, sizeof(ngx_podi_loc_conf_t));
    if (plcf == NULL) {
        return NULL;
    }

    plcf->deadline = NGX_CONF_UNSET_MSEC;
    plcf->dry_run = NGX_CONF_UNSET;
    plcf->sandbox = NGX_CONF_UNSET;
    plcf->failures = NGX_CONF_UNSET_PTR;

    return plcf;
}


char *
ngx_podi_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_podi_loc_conf_t  *prev = parent;
    ngx_podi_loc_conf_t  *conf = child;

    ngx_conf_merge_msec_value(conf->deadline, prev->deadline, 10000);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_value(conf->sandbox, prev->sandbox, 0);
    ngx_conf_merge_ptr_value(conf->failures, prev->failures, NULL);
    ngx_conf_merge_str_value(conf->challenge, prev->challenge,
                             "Bearer realm=\"podi\"");

    if (conf->tenant.len == 0) {
        conf->tenant = prev->tenant;
    }

    if (conf->needs_tenant && conf->tenant.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_tenant\" is missing: write podi_tenant "
                           "and the tenant's slug at http, server or "
                           "location level");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
