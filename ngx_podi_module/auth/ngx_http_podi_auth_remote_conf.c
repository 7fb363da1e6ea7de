/*
 * ngx_http_podi_auth_remote_conf: `jwks_url` of a podi_issuer, and what
 * /metrics tells of it.
 *
 *     jwks_url URL [refresh= cooldown= timeout= stale= ca= inside];
 */

#include "ngx_http_podi_auth_remote.h"


#define REMOTE_URL_MAX  1024
#define REMOTE_ZONE     (256 * 1024)

typedef struct {
    const char  *name;                  /* with its "=" */
    size_t       offset;                /* of a time_t */
    time_t       min;
    time_t       max;
} remote_time_t;


static char *remote_url(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    const ngx_str_t *url);
static char *remote_option(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    ngx_str_t *option);
static char *remote_time(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    const ngx_str_t *option, ngx_uint_t *ret_known);
static char *remote_zone(ngx_conf_t *cf, ngx_http_podi_remote_t *remote);
static void remote_metrics(podi_buf_t *b);
static long remote_age(const ngx_http_podi_keyset_t *set);
static void remote_sample(podi_buf_t *b, const char *name,
    const ngx_http_podi_remote_t *remote, long value);


static const remote_time_t  remote_times[] = {
    { "refresh=",  offsetof(ngx_http_podi_remote_t, refresh),  5, 86400 },
    { "cooldown=", offsetof(ngx_http_podi_remote_t, cooldown), 1, 3600 },
    { "timeout=",  offsetof(ngx_http_podi_remote_t, timeout),  1, 30 },
    { "stale=",    offsetof(ngx_http_podi_remote_t, stale),
      60, 366 * 86400 }
};


char *
ngx_http_podi_auth_remote(ngx_conf_t *cf, ngx_http_podi_issuer_t *is)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_podi_remote_t          *remote;
    ngx_http_podi_auth_main_conf_t  *amcf;

    if (is->remote != NULL) {
        return "is duplicate";
    }

    remote = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_remote_t));
    if (remote == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    remote->issuer = is;
    remote->refresh = 300;
    remote->cooldown = 30;
    remote->timeout = 5;
    remote->stale = 7 * 86400;

    if (remote_url(cf, remote, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (remote_option(cf, remote, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (remote_zone(cf, remote) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_auth_module);

    if (amcf->remotes++ == 0
        && ngx_podi_metric_source(cf, remote_metrics) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    is->remote = remote;
    is->accept.remote = 1;

    return NGX_CONF_OK;
}


static char *
remote_url(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    const ngx_str_t *url)
{
    ngx_uint_t  i;

    for (i = 0; i < url->len; i++) {
        if (url->data[i] <= ' ' || url->data[i] > '~'
            || ngx_strchr("@#\\", url->data[i]) != NULL)
        {
            break;
        }
    }

    if (i != url->len || url->len <= sizeof("https://") - 1
        || url->len > REMOTE_URL_MAX
        || ngx_strncmp(url->data, "https://", sizeof("https://") - 1) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"jwks_url\" is not an https URL without a user "
                           "and a fragment: over http anybody on the way "
                           "could choose the keys");
        return NGX_CONF_ERROR;
    }

    remote->url = *url;

    return NGX_CONF_OK;
}


static char *
remote_option(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    ngx_str_t *option)
{
    char        *rv;
    ngx_uint_t   known;

    if (ngx_strcmp(option->data, "inside") == 0) {
        remote->inside = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(option->data, "ca=", 3) == 0 && option->len > 3) {
        remote->ca_file.data = option->data + 3;
        remote->ca_file.len = option->len - 3;

        return (ngx_conf_full_name(cf->cycle, &remote->ca_file, 1) == NGX_OK)
               ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    rv = remote_time(cf, remote, option, &known);

    if (!known) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"jwks_url\" does not take \"%V\": write some of "
                           "refresh=5m cooldown=30s timeout=5s stale=7d "
                           "ca=/path inside", option);
        return NGX_CONF_ERROR;
    }

    return rv;
}


static char *
remote_time(ngx_conf_t *cf, ngx_http_podi_remote_t *remote,
    const ngx_str_t *option, ngx_uint_t *ret_known)
{
    size_t                i, n;
    time_t                t;
    ngx_str_t             text;
    const remote_time_t  *rt;

    *ret_known = 0;

    for (i = 0; i < sizeof(remote_times) / sizeof(remote_times[0]); i++) {
        rt = &remote_times[i];
        n = ngx_strlen(rt->name);

        if (ngx_strncmp(option->data, rt->name, n) != 0) {
            continue;
        }

        *ret_known = 1;

        text.data = option->data + n;
        text.len = option->len - n;
        t = ngx_parse_time(&text, 1);

        if (t == (time_t) NGX_ERROR || t < rt->min || t > rt->max) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" of \"jwks_url\" is no time from %T to "
                               "%T seconds", option, rt->min, rt->max);
            return NGX_CONF_ERROR;
        }

        *(time_t *) (void *) ((char *) remote + rt->offset) = t;

        return NGX_CONF_OK;
    }

    return NGX_CONF_OK;
}


/* of its own, so that it lives on when other issuers come and go */

static char *
remote_zone(ngx_conf_t *cf, ngx_http_podi_remote_t *remote)
{
    u_char     *p;
    ngx_str_t   name;

    name.len = sizeof("podi_jwks_2__") - 1 + remote->issuer->name.len + 8;

    name.data = ngx_pnalloc(cf->pool, name.len + 1);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(name.data, "podi_jwks_2_%V_%08xD%Z",
                    &remote->issuer->name,
                    ngx_crc32_long(remote->url.data, remote->url.len));

    name.len = (size_t) (p - name.data) - 1;

    remote->zone = ngx_shared_memory_add(cf, &name, REMOTE_ZONE,
                                         &ngx_http_podi_auth_module);
    if (remote->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    remote->zone->init = ngx_http_podi_keyset_init;
    remote->zone->data = remote;

    return NGX_CONF_OK;
}


static void
remote_metrics(podi_buf_t *b)
{
    ngx_uint_t                     i, family;
    const ngx_http_podi_issuer_t  *is;
    const ngx_http_podi_keyset_t  *set;

    static const struct {
        const char  *name;
        const char  *type;
        const char  *help;
    }  families[] = {
        { "podi_jwks_age_seconds", "gauge",
          "Since the keys of an issuer were last read, and good" },
        { "podi_jwks_keys", "gauge", "Keys of an issuer that can be used" },
        { "podi_jwks_fetches_total", "counter", "Attempts to read them" },
        { "podi_jwks_failures_total", "counter", "Attempts that failed" }
    };

    for (family = 0; family < 4; family++) {
        ngx_podi_metric_head(b, families[family].name, families[family].type,
                             families[family].help);

        for (i = 1; i < NGX_HTTP_PODI_ISSUERS_MAX; i++) {
            is = ngx_http_podi_issuer_at(i);

            if (is == NULL || is->remote == NULL) {
                continue;
            }

            set = ngx_http_podi_keyset(is->remote);

            remote_sample(b, families[family].name, is->remote,
                (family == 0) ? remote_age(set)
                : (family == 1) ? (long) set->keys
                : (family == 2) ? (long) set->rounds : (long) set->failed);
        }
    }
}


/* what was never read is as old as the machine: an alert, rightly */

static long
remote_age(const ngx_http_podi_keyset_t *set)
{
    return (long) (ngx_http_podi_keyset_now() - (time_t) set->read);
}


static void
remote_sample(podi_buf_t *b, const char *name,
    const ngx_http_podi_remote_t *remote, long value)
{
    podi_buf_printf(b, "%s{issuer=\"%s\"} %ld\n", name,
                    (char *) remote->issuer->name.data, value);
}
