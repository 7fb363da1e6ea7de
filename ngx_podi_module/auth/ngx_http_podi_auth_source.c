/*
 * `podi_auth_source`: where a token may be, and taking it out of there.
 *
 *     header[=Name]  cookie[=name]  query=name  api_key[=Name]
 */

#include "ngx_http_podi_auth.h"


typedef struct {
    const char              *word;
    const char              *preset;        /* NULL: the name must be said */
    ngx_http_podi_source_e   kind;          /* with that name */
    ngx_http_podi_source_e   named;         /* with another */
} ngx_http_podi_source_word_t;


static char *source_add(ngx_conf_t *cf, ngx_array_t *sources,
    const ngx_str_t *text);
static const ngx_http_podi_source_word_t *source_word(const podi_str_t *word);


static const ngx_http_podi_source_word_t  source_words[] = {
    { "header",  "authorization",        NGX_HTTP_PODI_SOURCE_BEARER,
      NGX_HTTP_PODI_SOURCE_HEADER },
    { "cookie",  NGX_PODI_ACCESS_COOKIE, NGX_HTTP_PODI_SOURCE_COOKIE,
      NGX_HTTP_PODI_SOURCE_COOKIE },
    { "query",   NULL,                   NGX_HTTP_PODI_SOURCE_QUERY,
      NGX_HTTP_PODI_SOURCE_QUERY },
    { "api_key", "x-api-key",            NGX_HTTP_PODI_SOURCE_API_KEY,
      NGX_HTTP_PODI_SOURCE_API_KEY },
    { NULL,      NULL,                   NGX_HTTP_PODI_SOURCE_BEARER,
      NGX_HTTP_PODI_SOURCE_BEARER }
};

static const ngx_str_t  source_presets[] = {
    ngx_string("header"),
    ngx_string("cookie"),
    ngx_string("api_key")
};


char *
ngx_http_podi_auth_sources(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_http_podi_auth_loc_conf_t  *alcf = conf;

    if (alcf->sources != NULL) {
        return "is duplicate: write all in one directive";
    }

    alcf->sources = ngx_array_create(cf->pool, 4,
                                     sizeof(ngx_http_podi_source_t));
    if (alcf->sources == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (i <= NGX_HTTP_PODI_SOURCES_MAX
            && source_add(cf, alcf->sources, &value[i]) == NGX_CONF_OK)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_auth_source\" does not take \"%V\": write "
                           "at most %d of header, header=Name, cookie, "
                           "cookie=name, query=name, api_key, api_key=Name",
                           &value[i], NGX_HTTP_PODI_SOURCES_MAX);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
source_add(ngx_conf_t *cf, ngx_array_t *sources, const ngx_str_t *text)
{
    podi_str_t                          name, word;
    ngx_uint_t                          said;
    ngx_http_podi_source_t             *source;
    const ngx_http_podi_source_word_t  *w;

    name.data = text->data;
    name.len = text->len;

    (void) podi_str_split(&name, '=', &word);

    said = (name.data != NULL);
    w = source_word(&word);

    if (w == NULL || (said && name.len == 0)
        || (!said && w->preset == NULL))
    {
        return NGX_CONF_ERROR;
    }

    source = ngx_array_push(sources);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    if (!said) {
        name = podi_str_c(w->preset);
    }

    source->name.len = name.len;
    source->name.data = ngx_pnalloc(cf->pool, name.len + 1);

    if (source->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_cpystrn(source->name.data, name.data, name.len + 1);

    if (w->kind != NGX_HTTP_PODI_SOURCE_COOKIE
        && w->kind != NGX_HTTP_PODI_SOURCE_QUERY)
    {
        ngx_strlow(source->name.data, source->name.data, name.len);
    }

    source->kind = (w->preset != NULL
                    && ngx_strcmp(source->name.data, w->preset) == 0)
                   ? w->kind : w->named;

    return NGX_CONF_OK;
}


static const ngx_http_podi_source_word_t *
source_word(const podi_str_t *word)
{
    const ngx_http_podi_source_word_t  *w;

    for (w = source_words; w->word != NULL; w++) {
        if (podi_str_eq_c(word, w->word)) {
            return w;
        }
    }

    return NULL;
}


char *
ngx_http_podi_auth_sources_merge(ngx_conf_t *cf,
    ngx_http_podi_auth_loc_conf_t *prev, ngx_http_podi_auth_loc_conf_t *conf)
{
    ngx_uint_t               i;
    ngx_http_podi_source_t  *source;

    if (conf->sources == NULL) {
        conf->sources = prev->sources;
    }

    if (conf->sources == NULL) {

        conf->sources = ngx_array_create(cf->pool, 3,
                                         sizeof(ngx_http_podi_source_t));
        if (conf->sources == NULL) {
            return NGX_CONF_ERROR;
        }

        for (i = 0; i < 3; i++) {
            if (source_add(cf, conf->sources, &source_presets[i])
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }

        prev->sources = conf->sources;      /* once for all of them */
    }

    source = conf->sources->elts;

    for (i = 0; i < conf->sources->nelts; i++) {
        conf->api_keys |= (source[i].kind == NGX_HTTP_PODI_SOURCE_API_KEY);
    }

    return NGX_CONF_OK;
}
