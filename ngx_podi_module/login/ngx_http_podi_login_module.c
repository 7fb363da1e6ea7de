/*
 * login: a page for people to sign in and out at, wherever podi_login stands.
 *
 *     GET  -> `next` is a path of this host? -> the page of the language
 *
 * It comes from memory and needs nothing but /v1/auth/ (podi_account) beside
 * it.
 */

#include "ngx_http_podi_login.h"


static ngx_int_t ngx_http_podi_login_handler(ngx_http_request_t *r);
static podi_rc_t login_next(ngx_http_request_t *r, podi_fail_t *fail);
static ngx_int_t login_headers(ngx_http_request_t *r, podi_lang_e lang,
    const podi_str_t *policy);
static void *ngx_http_podi_login_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_podi_login(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_podi_login_commands[] = {

    { ngx_string("podi_login"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_podi_login,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_login_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_podi_login_create_loc_conf,   /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_login_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_login_module_ctx,       /* module context */
    ngx_http_podi_login_commands,          /* module directives */
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
ngx_http_podi_login_handler(ngx_http_request_t *r)
{
    podi_str_t                             accept;
    podi_fail_t                            fail;
    podi_lang_e                            lang;
    const ngx_http_podi_login_loc_conf_t  *llcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (login_next(r, &fail) != PODI_OK) {
        return ngx_podi_reply_fail(r, &fail);
    }

    llcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_login_module);

    accept = ngx_podi_header(r, "accept-language");
    lang = podi_lang_pick(&accept);

    if (login_headers(r, lang, &llcf->policy) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_send(r, NGX_HTTP_OK, "text/html; charset=utf-8",
                         &llcf->page[lang]);
}


/* the script looks again; but who made such a link is not helped at all */

static podi_rc_t
login_next(ngx_http_request_t *r, podi_fail_t *fail)
{
    podi_str_t  next;

    if (ngx_podi_query(r, "next", &next, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (next.data != NULL && !ngx_podi_is_path(&next)) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, "next",
                         "next is no path of this host");
    }

    return PODI_OK;
}


static ngx_int_t
login_headers(ngx_http_request_t *r, podi_lang_e lang,
    const podi_str_t *policy)
{
    podi_str_t  language = podi_str_c(podi_lang_name(lang));
    podi_str_t  vary = podi_string("Accept-Language");
    podi_str_t  referrer = podi_string("no-referrer");
    podi_str_t  nosniff = podi_string("nosniff");

    if (ngx_podi_header_add(r, "Content-Security-Policy", policy) != PODI_OK
        || ngx_podi_header_add(r, "Content-Language", &language) != PODI_OK
        || ngx_podi_header_add(r, "Vary", &vary) != PODI_OK
        || ngx_podi_header_add(r, "Referrer-Policy", &referrer) != PODI_OK
        || ngx_podi_header_add(r, "X-Content-Type-Options", &nosniff)
           != PODI_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void *
ngx_http_podi_login_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_login_loc_conf_t));
}


static char *
ngx_http_podi_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    podi_mem_t                      *mem;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_podi_login_loc_conf_t  *llcf = conf;

    if (llcf->policy.data != NULL) {
        return "is duplicate";
    }

    mem = ngx_podi_pool_mem(cf->pool);

    if (mem == NULL || ngx_http_podi_login_page(mem, llcf) != PODI_OK) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_podi_login_handler;

    return NGX_CONF_OK;
}
