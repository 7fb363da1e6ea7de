/*
 * podi_breaker_zone: when what is behind is not to be called, and for how
 * long.
 *
 * A zone's name in nginx carries the window: breakers count in slices of it,
 * so a reload with another window gets memory of its own, while old workers
 * keep theirs.
 */

#include "ngx_http_podi_breaker.h"


typedef struct {
    ngx_str_t   name;
    size_t      offset;             /* in podi_breaker_conf_t */
    ngx_uint_t  off;                /* "off" is allowed, and 0 */
} breaker_time_t;


static ngx_http_podi_breaker_zone_t *breaker_zone_add(ngx_conf_t *cf,
    ngx_http_podi_breaker_main_conf_t *bmcf, const ngx_str_t *name);
static ngx_int_t breaker_parameter(ngx_conf_t *cf,
    ngx_http_podi_breaker_zone_t *zone, ngx_str_t *s);
static ngx_int_t breaker_time(podi_breaker_conf_t *conf, const ngx_str_t *s);
static ngx_int_t breaker_keyed(ngx_conf_t *cf,
    ngx_http_podi_breaker_zone_t *zone, ngx_str_t *s);
static ngx_int_t breaker_statuses(ngx_http_podi_breaker_zone_t *zone,
    ngx_str_t *s);
static ngx_int_t breaker_shared(ngx_conf_t *cf,
    ngx_http_podi_breaker_zone_t *zone, size_t size);
static ngx_uint_t breaker_is_name(const ngx_str_t *s);


static const breaker_time_t  breaker_times[] = {
    { ngx_string("window="), offsetof(podi_breaker_conf_t, window), 0 },
    { ngx_string("slow="), offsetof(podi_breaker_conf_t, slow), 1 },
    { ngx_string("open="), offsetof(podi_breaker_conf_t, open), 0 },
    { ngx_string("open_max="), offsetof(podi_breaker_conf_t, open_max), 0 },
    { ngx_string("probe="), offsetof(podi_breaker_conf_t, probe), 0 },
    { ngx_null_string, 0, 0 }
};

static ngx_str_t  breaker_bad = ngx_string("500,502,503,504");


char *
ngx_http_podi_breaker_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t                        size;
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_podi_breaker_zone_t  *zone;

    value = cf->args->elts;
    size = ngx_parse_size(&value[2]);

    if (!breaker_is_name(&value[1]) || size == NGX_ERROR
        || size < (ssize_t) (8 * ngx_pagesize))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_breaker_zone\" needs a name of a-z, 0-9, "
                           "\"-\" and \"_\" and a size of 32k or more: write "
                           "podi_breaker_zone app 64k;");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_podi_breaker_find(conf, &value[1]) != NULL) {
        return "is duplicate";
    }

    zone = breaker_zone_add(cf, conf, &value[1]);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        if (breaker_parameter(cf, zone, &value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_breaker_zone\" does not take \"%V\": "
                               "it takes key=$variable, window=10s, calls=20, "
                               "errors=50%%, slow=2s, open=5s, open_max=1m, "
                               "probe=1m, status=500,502,503,504", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (zone->conf.open_max < zone->conf.open) {
        return "has an open_max= below its open=";
    }

    if (zone->statuses.nelts == 0
        && breaker_statuses(zone, &breaker_bad) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    zone->conf.probe_max = zone->conf.probe;

    return (breaker_shared(cf, zone, size) == NGX_OK) ? NGX_CONF_OK
                                                      : NGX_CONF_ERROR;
}


static ngx_http_podi_breaker_zone_t *
breaker_zone_add(ngx_conf_t *cf, ngx_http_podi_breaker_main_conf_t *bmcf,
    const ngx_str_t *name)
{
    ngx_http_podi_breaker_zone_t  *zone, **known;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_breaker_zone_t));
    known = ngx_array_push(&bmcf->zones);

    if (zone == NULL || known == NULL
        || ngx_array_init(&zone->statuses, cf->pool, 4, sizeof(ngx_uint_t))
           != NGX_OK)
    {
        return NULL;
    }

    zone->name = *name;
    zone->conf.window = 10000;
    zone->conf.calls_min = 20;
    zone->conf.bad_percent = 50;
    zone->conf.open = 5000;
    zone->conf.open_max = 60000;
    zone->conf.probe = 60000;
    *known = zone;

    return zone;
}


static ngx_int_t
breaker_parameter(ngx_conf_t *cf, ngx_http_podi_breaker_zone_t *zone,
    ngx_str_t *s)
{
    ngx_int_t  n;
    ngx_str_t  v;

    if (ngx_strncmp(s->data, "calls=", 6) == 0) {
        n = ngx_atoi(s->data + 6, s->len - 6);
        zone->conf.calls_min = (uint32_t) n;
        return (n > 0 && n <= 1000000) ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(s->data, "errors=", 7) == 0) {
        v.data = s->data + 7;
        v.len = s->len - 7;

        if (v.len != 0 && v.data[v.len - 1] == '%') {
            v.len--;
        }

        n = ngx_atoi(v.data, v.len);
        zone->conf.bad_percent = (uint32_t) n;
        return (n > 0 && n <= 100) ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(s->data, "status=", 7) == 0) {
        v.data = s->data + 7;
        v.len = s->len - 7;
        return breaker_statuses(zone, &v);
    }

    if (ngx_strncmp(s->data, "key=", 4) == 0) {
        v.data = s->data + 4;
        v.len = s->len - 4;
        return breaker_keyed(cf, zone, &v);
    }

    return breaker_time(&zone->conf, s);
}


static ngx_int_t
breaker_time(podi_breaker_conf_t *conf, const ngx_str_t *s)
{
    ngx_int_t              n;
    ngx_str_t              v;
    const breaker_time_t  *t;

    for (t = breaker_times; t->name.len != 0; t++) {
        if (s->len > t->name.len
            && ngx_memcmp(s->data, t->name.data, t->name.len) == 0)
        {
            break;
        }
    }

    if (t->name.len == 0) {
        return NGX_ERROR;
    }

    v.data = s->data + t->name.len;
    v.len = s->len - t->name.len;

    if (t->off && ngx_strcmp(v.data, "off") == 0) {
        n = 0;

    } else {
        n = ngx_parse_time(&v, 0);

        if (n == NGX_ERROR || n > 86400 * 1000 || (n < 8 && !t->off)) {
            return NGX_ERROR;
        }
    }

    *(podi_msec_t *) (void *) ((char *) conf + t->offset) = (podi_msec_t) n;

    return NGX_OK;
}


static ngx_int_t
breaker_keyed(ngx_conf_t *cf, ngx_http_podi_breaker_zone_t *zone,
    ngx_str_t *s)
{
    ngx_http_compile_complex_value_t  ccv;

    /* a word that is no expression is a slip, not one key for all */

    if (zone->nkeys == NGX_HTTP_PODI_BREAKER_KEYS
        || ngx_strlchr(s->data, s->data + s->len, '$') == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = s;
    ccv.complex_value = ngx_pcalloc(cf->pool,
                                    sizeof(ngx_http_complex_value_t));

    if (ccv.complex_value == NULL
        || ngx_http_compile_complex_value(&ccv) != NGX_OK)
    {
        return NGX_ERROR;
    }

    zone->keys[zone->nkeys++] = ccv.complex_value;

    return NGX_OK;
}


static ngx_int_t
breaker_statuses(ngx_http_podi_breaker_zone_t *zone, ngx_str_t *s)
{
    u_char      *p, *end, *comma;
    ngx_int_t    n;
    ngx_uint_t  *status;

    end = s->data + s->len;

    for (p = s->data; p <= end; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        n = ngx_atoi(p, comma - p);

        if (n < 400 || n > 599) {
            return NGX_ERROR;
        }

        status = ngx_array_push(&zone->statuses);
        if (status == NULL) {
            return NGX_ERROR;
        }

        *status = n;
    }

    return NGX_OK;
}


static ngx_int_t
breaker_shared(ngx_conf_t *cf, ngx_http_podi_breaker_zone_t *zone,
    size_t size)
{
    ngx_str_t  name;

    name.data = ngx_pnalloc(cf->pool, 48 + zone->name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    name.len = ngx_sprintf(name.data, "podi_breaker_2_%uL:%V",
                           zone->conf.window, &zone->name)
               - name.data;

    zone->zone = ngx_shared_memory_add(cf, &name, size,
                                       &ngx_http_podi_breaker_module);
    if (zone->zone == NULL) {
        return NGX_ERROR;
    }

    zone->zone->init = ngx_http_podi_breaker_shm_init;
    zone->zone->data = zone;

    return NGX_OK;
}


const ngx_http_podi_breaker_zone_t *
ngx_http_podi_breaker_find(const ngx_http_podi_breaker_main_conf_t *bmcf,
    const ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_podi_breaker_zone_t  **zone = bmcf->zones.elts;

    for (i = 0; i < bmcf->zones.nelts; i++) {
        if (zone[i]->name.len == name->len
            && ngx_memcmp(zone[i]->name.data, name->data, name->len) == 0)
        {
            return zone[i];
        }
    }

    return NULL;
}


/* it is shown in metrics and answers, and stands beside "off" */

static ngx_uint_t
breaker_is_name(const ngx_str_t *s)
{
    size_t  i;

    if (ngx_strcmp(s->data, "off") == 0) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (!((s->data[i] >= 'a' && s->data[i] <= 'z')
              || (s->data[i] >= '0' && s->data[i] <= '9')
              || (i != 0 && (s->data[i] == '-' || s->data[i] == '_'))))
        {
            return 0;
        }
    }

    return s->len > 0 && s->len <= 32;
}
