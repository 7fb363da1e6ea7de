/*
 * channel: by which way a request comes, and what goes with it.
 *
 *     POST_READ:   app key, host, path -> channel -> closed? -> next
 *     auth:        identity + channel  -> bound elsewhere? role too high?
 *     PRECONTENT:  the same once more, whoever let it in; the app key leaves
 *
 * A channel that is closed is closed for everything but a preflight, so that
 * a page may read why.  Subrequests come by their main request's channel.
 */

#include "ngx_http_podi_channel.h"


typedef struct {
    ngx_http_podi_channel_set_t  *set;      /* alive for this request */
} ngx_http_podi_channel_ctx_t;


static ngx_int_t ngx_http_podi_channel_post_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_podi_channel_content(ngx_http_request_t *r);
static ngx_uint_t ngx_http_podi_channel_is_key(const ngx_table_elt_t *h,
    void *data);
static ngx_http_podi_channel_set_t *ngx_http_podi_channel_pin(
    ngx_http_request_t *r);
static void ngx_http_podi_channel_unpin(void *data);
static podi_rc_t ngx_http_podi_channel_bind(ngx_http_request_t *r,
    ngx_podi_identity_t *who, podi_fail_t *fail);
static podi_rc_t ngx_http_podi_channel_closed(
    const ngx_podi_channel_t *channel, podi_fail_t *fail);
static void ngx_http_podi_channel_lower(const ngx_podi_channel_t *channel,
    ngx_podi_identity_t *who);
static void *ngx_http_podi_channel_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_podi_channel_init_main_conf(ngx_conf_t *cf, void *conf);
static char *ngx_http_podi_channel_header(ngx_conf_t *cf,
    ngx_http_podi_channel_main_conf_t *cmcf);
static ngx_int_t ngx_http_podi_channel_init(ngx_conf_t *cf);


static ngx_command_t  ngx_http_podi_channel_commands[] = {

    { ngx_string("podi_channel"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_podi_channel_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("podi_channel_header"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_channel_main_conf_t, header),
      NULL },

    { ngx_string("podi_channel_overlay"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_podi_channel_main_conf_t, overlay_on),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_channel_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_channel_init,            /* postconfiguration */

    ngx_http_podi_channel_create_main_conf,    /* create main configuration */
    ngx_http_podi_channel_init_main_conf,  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_channel_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_channel_module_ctx,     /* module context */
    ngx_http_podi_channel_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_podi_overlay_start,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_podi_overlay_stop,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_podi_channel_post_read(ngx_http_request_t *r)
{
    podi_rc_t                     rc;
    podi_fail_t                   fail;
    ngx_podi_request_t           *pr;
    ngx_http_podi_channel_set_t  *set;

    ngx_http_podi_channel_main_conf_t  *cmcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_podi_channel_module);

    pr = ngx_podi_request(r);
    set = ngx_http_podi_channel_pin(r);

    if (pr == NULL || set == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    rc = ngx_http_podi_channel_find(r, cmcf, set, &pr->pub.channel, &fail);

    if (rc == PODI_OK && r->method != NGX_HTTP_OPTIONS) {
        rc = ngx_http_podi_channel_closed(pr->pub.channel, &fail);
    }

    return (rc == PODI_ERROR) ? ngx_podi_refuse(r, "channel", &fail)
                              : NGX_DECLINED;
}


/*
 * Asked again even when auth has asked: after a redirect, or with a module
 * that lets people in by itself, it may be another identity.
 */

static ngx_int_t
ngx_http_podi_channel_content(ngx_http_request_t *r)
{
    podi_rc_t                    rc;
    podi_fail_t                  fail;
    ngx_podi_request_t          *pr;
    const ngx_podi_main_conf_t  *pmcf = ngx_podi_conf();

    if (pmcf->app_key_header.len != 0
        && ngx_podi_unlink(r, ngx_http_podi_channel_is_key, (void *) pmcf)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    pr = ngx_podi_request_find(r);

    if (r != r->main || pr == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    rc = PODI_OK;

    if (pr->pub.identity.known) {
        rc = ngx_podi_channel_bind(r, &pr->pub.identity, &fail);

    } else if (pr->pub.channel != NULL) {
        rc = ngx_http_podi_channel_closed(pr->pub.channel, &fail);
    }

    return (rc == PODI_ERROR) ? ngx_podi_refuse(r, "channel", &fail)
                              : NGX_DECLINED;
}


/*
 * The key is the partner's secret, and no business of an upstream's; one of
 * CGI's kind would take X_App_Key for it, which nobody has looked at.
 */

static ngx_uint_t
ngx_http_podi_channel_is_key(const ngx_table_elt_t *h, void *data)
{
    u_char                       c, known;
    ngx_uint_t                   i;
    const ngx_podi_main_conf_t  *pmcf = data;

    if (h->key.len != pmcf->app_key_header.len) {
        return 0;
    }

    for (i = 0; i < h->key.len; i++) {
        c = ngx_tolower(h->key.data[i]);
        known = ngx_tolower(pmcf->app_key_header.data[i]);

        if (c != known && !(c == '_' && known == '-')) {
            return 0;
        }
    }

    return 1;
}


/*
 * The newest set, kept for the request.  That of the configuration is there
 * as long as its cycle, and needs no keeping.
 */

static ngx_http_podi_channel_set_t *
ngx_http_podi_channel_pin(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_podi_channel_set_t  *set;

    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_podi_channel_module);
    set = ngx_http_podi_channel_set(cmcf);

    if (set->pool == NULL) {
        return set;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_podi_channel_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ((ngx_http_podi_channel_ctx_t *) cln->data)->set = set;
    cln->handler = ngx_http_podi_channel_unpin;
    set->refs++;

    return set;
}


static void
ngx_http_podi_channel_unpin(void *data)
{
    ngx_http_podi_channel_ctx_t  *ctx = data;

    ngx_http_podi_channel_set_release(ctx->set);
}


ngx_http_podi_channel_set_t *
ngx_http_podi_channel_set(ngx_http_podi_channel_main_conf_t *cmcf)
{
    return (cmcf->newest == NULL) ? &cmcf->set : cmcf->newest;
}


static podi_rc_t
ngx_http_podi_channel_bind(ngx_http_request_t *r, ngx_podi_identity_t *who,
    podi_fail_t *fail)
{
    ngx_podi_request_t           *pr = ngx_podi_request(r);
    const ngx_podi_channel_t     *channel;
    ngx_http_podi_channel_set_t  *set;

    channel = pr->pub.channel;

    if (channel == NULL && who->channel.len != 0) {

        set = ngx_http_podi_channel_pin(r);
        if (set == NULL) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        channel = ngx_http_podi_channel_named(set, &who->channel);
        if (channel == NULL) {
            return podi_fail(fail, PODI_E_CHANNEL_CLOSED, NULL,
                             "the channel of the token is not there");
        }

        pr->pub.channel = channel;
    }

    if (channel == NULL) {
        return PODI_OK;
    }

    if (who->channel.len != 0 && !podi_str_eq(&who->channel, &channel->name))
    {
        return podi_fail(fail, PODI_E_CHANNEL_MISMATCH, NULL,
                         "the token belongs to another channel");
    }

    ngx_http_podi_channel_lower(channel, who);

    return ngx_http_podi_channel_closed(channel, fail);
}


static podi_rc_t
ngx_http_podi_channel_closed(const ngx_podi_channel_t *channel,
    podi_fail_t *fail)
{
    if (!channel->killed) {
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_CHANNEL_CLOSED, NULL,
                     "the channel " PODI_STR_FMT " is closed",
                     podi_str_arg(&channel->name));
}


/* a role that is none of ours has no place below the ceiling */

static void
ngx_http_podi_channel_lower(const ngx_podi_channel_t *channel,
    ngx_podi_identity_t *who)
{
    podi_role_e  role, most;

    if (who->plan.len == 0) {
        who->plan = channel->plan;
    }

    if (channel->max_role.len == 0 || who->role.len == 0
        || podi_role_parse(&channel->max_role, &most) != PODI_OK)
    {
        return;
    }

    if (podi_role_parse(&who->role, &role) != PODI_OK) {
        who->role.len = 0;
        who->role.data = NULL;

    } else if (role > most) {
        who->role = channel->max_role;
    }
}


static void *
ngx_http_podi_channel_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_channel_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_channel_main_conf_t));
    if (cmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&cmcf->channels, cf->pool, 4,
                       sizeof(ngx_http_podi_channel_t *))
        != NGX_OK)
    {
        return NULL;
    }

    cmcf->overlay_on = NGX_CONF_UNSET;

    return cmcf;
}


static char *
ngx_http_podi_channel_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_podi_main_conf_t               *pmcf;
    ngx_http_podi_channel_main_conf_t  *cmcf = conf;

    ngx_conf_init_value(cmcf->overlay_on, 0);

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    if (ngx_http_podi_channel_check(cf, cmcf) != NGX_CONF_OK
        || ngx_http_podi_channel_header(cf, cmcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (cmcf->set.keyed || cmcf->overlay_on) {
        pmcf->app_key_header.len = cmcf->header.len;
        pmcf->app_key_header.data = cmcf->header.data;
    }

    if (cmcf->overlay_on) {
        cmcf->zone = ngx_podi_overlay_zone(cf, "podi_channel_2",
                                           &ngx_http_podi_channel_module);
        if (cmcf->zone == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (cmcf->set.n != 0 || cmcf->overlay_on) {
        pmcf->bind = ngx_http_podi_channel_bind;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_podi_channel_header(ngx_conf_t *cf,
    ngx_http_podi_channel_main_conf_t *cmcf)
{
    if (cmcf->header.len == 0) {
        ngx_str_set(&cmcf->header, "X-App-Key");
    }

    cmcf->header_lc.len = cmcf->header.len;
    cmcf->header_lc.data = ngx_pnalloc(cf->pool, cmcf->header.len);

    if (cmcf->header_lc.data == NULL) {
        return NGX_CONF_ERROR;
    }

    cmcf->header_hash = ngx_hash_strlow(cmcf->header_lc.data,
                                        cmcf->header.data, cmcf->header.len);

    return NGX_CONF_OK;
}


/* without channels nothing of this costs a request anything */

static ngx_int_t
ngx_http_podi_channel_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt                *h;
    ngx_podi_main_conf_t               *pmcf;
    ngx_http_core_main_conf_t          *ccmcf;
    ngx_http_podi_channel_main_conf_t  *cmcf;

    ccmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_podi_channel_module);

    if (pmcf->bind == NULL) {
        return NGX_OK;
    }

    h = ngx_array_push(&ccmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_channel_post_read;

    h = ngx_array_push(&ccmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_podi_channel_content;

    if (cmcf->overlay_on
        && ngx_podi_overlay_check(cf, "podi_channel_overlay") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_podi_metric_source(cf, ngx_http_podi_channel_metrics);
}
