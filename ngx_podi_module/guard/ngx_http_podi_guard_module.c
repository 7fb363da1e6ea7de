/*
 * guard: what a request may carry, where it may come from, and what is said
 * of it to those behind.
 *
 *     PRECONTENT   CSRF -> size and type of the upload -> identity headers
 *     body filter  the upload as it comes
 *     header filter  security headers
 *
 * Runs when it is known who asks, whatever `satisfy` says, and before limits
 * are charged: what would be refused anyway costs nobody a turn.
 */

#include "ngx_http_podi_guard.h"


static ngx_int_t ngx_http_podi_guard_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_guard_refuse(ngx_http_request_t *r,
    const char *rule, const podi_fail_t *fail);
static void *ngx_http_podi_guard_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_guard_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_podi_guard_check(ngx_conf_t *cf,
    ngx_http_podi_guard_loc_conf_t *conf);
static ngx_int_t ngx_http_podi_guard_init(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_podi_guard_csrf_modes[] = {
    { ngx_string("off"), NGX_PODI_CSRF_OFF },
    { ngx_string("log"), NGX_PODI_CSRF_LOG },
    { ngx_string("on"), NGX_PODI_CSRF_ON },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_podi_guard_commands[] = {

    { ngx_string("podi_csrf"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_guard_loc_conf_t, csrf),
      &ngx_http_podi_guard_csrf_modes },

    { ngx_string("podi_csrf_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_podi_guard_loc_conf_t, csrf_header),
      NULL },

    { ngx_string("podi_upload_guard"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_guard_set_upload,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_identity_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_podi_guard_set_identity,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_security_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_podi_guard_set_security,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_guard_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_guard_init,              /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_guard_create_loc_conf,   /* create location configuration */
    ngx_http_podi_guard_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_podi_guard_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_guard_module_ctx,       /* module context */
    ngx_http_podi_guard_commands,          /* module directives */
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
ngx_http_podi_guard_handler(ngx_http_request_t *r)
{
    podi_fail_t                      fail;
    ngx_http_podi_guard_loc_conf_t  *glcf;

    glcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_guard_module);

    if (r != r->main
        || (glcf->csrf == NGX_PODI_CSRF_OFF && glcf->uploads == NULL
            && !glcf->identity))
    {
        return NGX_DECLINED;
    }

    if (ngx_podi_request(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (glcf->csrf != NGX_PODI_CSRF_OFF
        && ngx_http_podi_guard_csrf(r, glcf, &fail) != PODI_OK)
    {
        if (glcf->csrf == NGX_PODI_CSRF_LOG) {
            (void) ngx_podi_refuse_note(r, "guard", &fail, 1);

        } else if (ngx_http_podi_guard_refuse(r, "csrf", &fail)
                   != NGX_DECLINED)
        {
            return NGX_DONE;
        }
    }

    if (ngx_http_podi_guard_upload(r, glcf, &fail) != PODI_OK
        && ngx_http_podi_guard_refuse(r, "upload", &fail) != NGX_DECLINED)
    {
        return NGX_DONE;
    }

    if (glcf->identity
        && ngx_http_podi_guard_identity(r, glcf, &fail) != PODI_OK)
    {
        return ngx_http_podi_guard_refuse(r, "identity", &fail);
    }

    return NGX_DECLINED;
}


/*
 * A client that waits for "100 Continue" is not asked for the body; since it
 * may send it all the same, what follows on the connection is not read.
 */

static ngx_int_t
ngx_http_podi_guard_refuse(ngx_http_request_t *r, const char *rule,
    const podi_fail_t *fail)
{
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    ngx_podi_ctx(r)->decision.rule = rule;

    if (r->headers_in.expect != NULL && !r->expect_tested && !plcf->dry_run) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    return ngx_podi_refuse(r, "guard", fail);
}


static void *
ngx_http_podi_guard_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_guard_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_guard_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->csrf = NGX_CONF_UNSET_UINT;
    conf->identity = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_podi_guard_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_podi_loc_conf_t             *plcf;
    ngx_http_podi_guard_loc_conf_t  *prev = parent;
    ngx_http_podi_guard_loc_conf_t  *conf = child;

    ngx_conf_merge_uint_value(conf->csrf, prev->csrf, NGX_PODI_CSRF_OFF);
    ngx_conf_merge_str_value(conf->csrf_header, prev->csrf_header, "X-Podi");

    /* rules are inherited as a whole, or not at all */

    if (conf->uploads == NULL) {
        conf->uploads = prev->uploads;
        conf->uploads_off = prev->uploads_off;
    }

    if (conf->identity == NGX_CONF_UNSET) {
        conf->identity_key = prev->identity_key;
    }

    ngx_conf_merge_value(conf->identity, prev->identity, 0);

    if (conf->security == NULL) {
        conf->security = prev->security;
        conf->security_off = prev->security_off;
    }

    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_podi_module);
    plcf->csrf = conf->csrf;

    return ngx_http_podi_guard_check(cf, conf);
}


static char *
ngx_http_podi_guard_check(ngx_conf_t *cf,
    ngx_http_podi_guard_loc_conf_t *conf)
{
    ngx_uint_t                    i, rest;
    ngx_http_podi_upload_rule_t  *rule;

    if (conf->uploads == NULL || conf->uploads_off) {
        return NGX_CONF_OK;
    }

    rest = 0;
    rule = conf->uploads->elts;

    for (i = 0; i < conf->uploads->nelts; i++) {
        rest += (rule[i].roles == NULL);
    }

    if (rest == 1) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "of the \"podi_upload_guard\" of a level exactly one "
                       "has no role=: it holds for whoever no other one "
                       "names");
    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_podi_guard_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_guard_handler;

    ngx_http_podi_guard_body_init();
    ngx_http_podi_guard_security_init();

    return NGX_OK;
}
