/*
 * webhook: a third party that may call.
 *
 *     podi_webhook_provider FILE [secret=FILE | jwks=FILE];
 *
 *     standard_webhooks, hmac_header   secret=   what they sign with
 *     fal_ed25519                      jwks=     the document of their keys
 *     path_token                       neither
 *
 * All files are read here, by the master.
 */

#include "ngx_http_podi_webhook.h"


#define WEBHOOK_JWKS_MAX  (64 * 1024)


typedef struct {
    ngx_str_t  file;
    ngx_str_t  secret;                  /* NULL data: not said */
    ngx_str_t  jwks;
} webhook_words_t;


static char *webhook_words(ngx_conf_t *cf, webhook_words_t *words);
static char *webhook_describe(ngx_conf_t *cf, webhook_words_t *words,
    podi_mem_t *mem, ngx_http_podi_webhook_provider_t *provider);
static char *webhook_keys(ngx_conf_t *cf, webhook_words_t *words,
    podi_mem_t *mem, ngx_http_podi_webhook_provider_t *provider);
static char *webhook_jwks(ngx_conf_t *cf, webhook_words_t *words,
    podi_mem_t *mem, ngx_http_podi_webhook_provider_t *provider);
static ngx_int_t webhook_text(ngx_conf_t *cf, ngx_str_t *path, size_t max,
    podi_str_t *ret_text);


char *
ngx_http_podi_webhook_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                               *rv;
    podi_mem_t                         *mem;
    webhook_words_t                     words;
    ngx_http_podi_webhook_provider_t   *slot, provider;
    ngx_http_podi_webhook_main_conf_t  *wmcf = conf;

    ngx_memzero(&words, sizeof(webhook_words_t));
    ngx_memzero(&provider, sizeof(ngx_http_podi_webhook_provider_t));

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = webhook_words(cf, &words);

    if (rv == NGX_CONF_OK) {
        rv = webhook_describe(cf, &words, mem, &provider);
    }

    if (rv == NGX_CONF_OK) {
        rv = webhook_keys(cf, &words, mem, &provider);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_http_podi_webhook_find(wmcf, &provider.name) != NULL) {
        return "names a third party twice";
    }

    slot = ngx_array_push(&wmcf->providers);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = provider;

    return NGX_CONF_OK;
}


static char *
webhook_words(ngx_conf_t *cf, webhook_words_t *words)
{
    ngx_str_t  *value = cf->args->elts;

    words->file = value[1];

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "secret=", 7) == 0 && value[2].len > 7) {
        words->secret.data = value[2].data + 7;
        words->secret.len = value[2].len - 7;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "jwks=", 5) == 0 && value[2].len > 5) {
        words->jwks.data = value[2].data + 5;
        words->jwks.len = value[2].len - 5;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"podi_webhook_provider\" does not know \"%V\": write "
                       "secret=FILE or jwks=FILE", &value[2]);

    return NGX_CONF_ERROR;
}


static char *
webhook_describe(ngx_conf_t *cf, webhook_words_t *words, podi_mem_t *mem,
    ngx_http_podi_webhook_provider_t *provider)
{
    podi_str_t   text;
    podi_fail_t  fail;

    if (webhook_text(cf, &words->file, PODI_PROVIDER_FILE_MAX, &text)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (podi_provider_load((char *) words->file.data, &text, mem,
                           &provider->description, &fail)
        != PODI_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", fail.detail);
        return NGX_CONF_ERROR;
    }

    provider->name = podi_provider_name(provider->description);

    return NGX_CONF_OK;
}


static char *
webhook_keys(ngx_conf_t *cf, webhook_words_t *words, podi_mem_t *mem,
    ngx_http_podi_webhook_provider_t *provider)
{
    podi_str_t   url = podi_null_str;
    const char  *wants;

    switch (podi_provider_hook(provider->description)) {

    case PODI_HOOK_STANDARD:
    case PODI_HOOK_HMAC:
        provider->n_keys = 1;
        wants = (words->secret.len != 0) ? NULL : "needs secret=FILE";
        break;

    case PODI_HOOK_FAL:
        url = podi_provider_jwks_url(provider->description);
        wants = (words->jwks.len != 0) ? NULL
                : "needs jwks=FILE, the document at ";
        break;

    case PODI_HOOK_PATH:
        wants = (words->secret.len + words->jwks.len == 0) ? NULL
                : "takes neither secret= nor jwks=";
        break;

    default:
        wants = "never calls: it has no \"webhook\"";
    }

    if (wants != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_webhook_provider\": %V %s%*s",
                           &words->file, wants, url.len, url.data);
        return NGX_CONF_ERROR;
    }

    if (words->jwks.len != 0) {
        return webhook_jwks(cf, words, mem, provider);
    }

    provider->key.name = podi_provider_hook_secret(provider->description);

    if (provider->n_keys != 0) {
        provider->key.secret = ngx_podi_conf_secret(cf, &words->secret);
    }

    return (provider->n_keys == 0 || provider->key.secret != NULL)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
webhook_jwks(ngx_conf_t *cf, webhook_words_t *words, podi_mem_t *mem,
    ngx_http_podi_webhook_provider_t *provider)
{
    podi_str_t   text;
    podi_fail_t  fail;

    static const podi_json_limit_t  limit = { WEBHOOK_JWKS_MAX, 0 };

    if (webhook_text(cf, &words->jwks, WEBHOOK_JWKS_MAX, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (podi_json_parse(&text, &limit, mem, &provider->jwks, &fail) != PODI_OK
        || json_array_size(json_object_get(provider->jwks, "keys")) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no JWKS document "
                           "with keys in it %s", &words->jwks, fail.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
webhook_text(ngx_conf_t *cf, ngx_str_t *path, size_t max,
    podi_str_t *ret_text)
{
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_err_t   err;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ret_text->data = ngx_palloc(cf->temp_pool, max + 1);
    if (ret_text->data == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    n = (fd != NGX_INVALID_FILE) ? ngx_read_fd(fd, ret_text->data, max + 1)
                                 : -1;
    err = ngx_errno;

    if (fd != NGX_INVALID_FILE && ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    if (n == -1 || (size_t) n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, (n == -1) ? err : 0,
                           "\"%V\" cannot be read, or has more than %uz bytes",
                           path, max);
        return NGX_ERROR;
    }

    ret_text->len = n;

    return NGX_OK;
}
