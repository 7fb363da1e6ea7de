/*
 * media: pictures, uploaded and made.
 *
 *     POST /v1/media/uploads          permits to upload, one or a batch
 *     POST /v1/media/{id}/complete    it is there: judge it
 *     GET  /v1/media                  the gallery, newest first
 *     GET  /v1/media/limits           what may be uploaded
 *     GET  /v1/media/{id}             one picture
 *     GET  /v1/media/{id}/download    a permit to download
 *
 * Bytes never pass through here: browsers put and get them with permits that
 * are signed here, at OSS, at S3, or at `podi_store`, the embedded store.
 */

#include "ngx_http_podi_media.h"


static ngx_int_t ngx_http_podi_media_handler(ngx_http_request_t *r);
static char *ngx_http_podi_media(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_podi_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static const ngx_podi_route_t  ngx_http_podi_media_routes[] = {
    { NGX_HTTP_POST, "/v1/media/uploads",       ngx_http_podi_media_uploads,
      0 },
    { NGX_HTTP_GET,  "/v1/media/limits",        ngx_http_podi_media_limits,
      0 },
    { NGX_HTTP_GET,  "/v1/media",               ngx_http_podi_media_list, 0 },
    { NGX_HTTP_GET,  "/v1/media/{id}",          ngx_http_podi_media_read, 0 },
    { NGX_HTTP_POST, "/v1/media/{id}/complete", ngx_http_podi_media_complete,
      0 },
    { NGX_HTTP_GET,  "/v1/media/{id}/download", ngx_http_podi_media_download,
      0 },
    ngx_podi_null_route
};


static ngx_conf_num_bounds_t  ngx_http_podi_media_batch_bounds = {
    ngx_conf_check_num_bounds, 1, 100
};


static ngx_command_t  ngx_http_podi_media_commands[] = {

    { ngx_string("podi_media"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_media,
      0,
      0,
      NULL },

    { ngx_string("podi_media_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_podi_media_store_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_store"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_podi_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, store),
      NULL },

    { ngx_string("podi_upload_store"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_podi_media_name_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, upload),
      NULL },

    { ngx_string("podi_upload_max_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, max_size),
      NULL },

    { ngx_string("podi_upload_types"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_media_types_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, types),
      NULL },

    { ngx_string("podi_upload_expires"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, upload_expires),
      NULL },

    { ngx_string("podi_download_expires"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, download_expires),
      NULL },

    { ngx_string("podi_upload_batch"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_media_conf_t, batch),
      &ngx_http_podi_media_batch_bounds },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_media_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_podi_media_create_main_conf,  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_media_create_loc_conf,   /* create location configuration */
    ngx_http_podi_media_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_podi_media_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_media_module_ctx,       /* module context */
    ngx_http_podi_media_commands,          /* module directives */
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


static ngx_int_t
ngx_http_podi_media_handler(ngx_http_request_t *r)
{
    return ngx_podi_route(r, ngx_http_podi_media_routes);
}


const ngx_http_podi_media_conf_t *
ngx_http_podi_media_conf(ngx_http_request_t *r)
{
    return ngx_http_get_module_loc_conf(r, ngx_http_podi_media_module);
}


const ngx_http_podi_store_t *
ngx_http_podi_media_store(ngx_http_request_t *r, const podi_str_t *name)
{
    ngx_uint_t                        i;
    ngx_http_podi_store_t            *stores;
    ngx_http_podi_media_main_conf_t  *mmcf;

    mmcf = ngx_http_get_module_main_conf(r, ngx_http_podi_media_module);
    stores = mmcf->stores.elts;

    for (i = 0; i < mmcf->stores.nelts; i++) {
        if (podi_str_eq(&stores[i].object.name, name)) {
            return &stores[i];
        }
    }

    return NULL;
}


static char *
ngx_http_podi_media(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_podi_media_main_conf_t  *mmcf;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_media_module);

    if (mmcf->stores.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_media\" needs a store: write "
                           "\"podi_media_store main type=embedded "
                           "root=/var/lib/podi/objects "
                           "endpoint=https://HOST/store bucket=podi "
                           "region=local key_file=/etc/podi/store.key;\" at "
                           "http level, before the server");
        return NGX_CONF_ERROR;
    }

    return ngx_podi_route_directive(cf, ngx_http_podi_media_handler,
                                    ngx_http_podi_media_routes);
}


static char *
ngx_http_podi_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                        *rv;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_podi_media_conf_t  *mlcf = conf;

    rv = ngx_http_podi_media_name_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (mlcf->store->root.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_store\" serves stores of type=embedded "
                           "only, \"%V\" is another one",
                           (ngx_str_t *) &mlcf->store->object.name);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_podi_store_handler;

    return NGX_CONF_OK;
}
