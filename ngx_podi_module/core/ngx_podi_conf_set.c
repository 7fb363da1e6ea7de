/*
 * ngx_podi_conf_set: the directives whose values are more than numbers.
 *
 * Files with secrets are read here, by the master, as the user that starts
 * nginx: workers need no permission on them and never open them.
 */

#include <arpa/inet.h>
#include <libpq-fe.h>

#include "ngx_podi_shm.h"


static char *ngx_podi_pg_check(ngx_conf_t *cf, const PQconninfoOption *opts);
static ngx_uint_t ngx_podi_is_address(const char *host);
static char *ngx_podi_conf_fail(ngx_conf_t *cf, ngx_str_t *path,
    const podi_fail_t *fail);
static podi_rc_t ngx_podi_context_key_line(const podi_str_t *text,
    podi_str_t *ret_id, podi_str_t *ret_hex);


/* libpq takes the string apart, so what it would not take is refused here */

char *
ngx_podi_set_pg(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char              *text, *rv;
    ngx_str_t         *value;
    PQconninfoOption  *opts;

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->pg.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    text = NULL;

    opts = PQconninfoParse((char *) value[1].data, &text);

    if (opts == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_pg\" is not a connection string (%s): "
                           "write podi_pg \"host=/run/postgresql dbname=podi "
                           "user=podi_web\";", text ? text : "no memory");
        PQfreemem(text);
        return NGX_CONF_ERROR;
    }

    rv = ngx_podi_pg_check(cf, opts);

    PQconninfoFree(opts);

    pmcf->pg = value[1];

    return rv;
}


static char *
ngx_podi_pg_check(ngx_conf_t *cf, const PQconninfoOption *opts)
{
    const PQconninfoOption  *o, *host;

    host = NULL;

    for (o = opts; o->keyword != NULL; o++) {

        if (o->val == NULL || o->val[0] == '\0') {
            continue;
        }

        if (ngx_strchr(o->dispchar, '*') != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_pg\" holds %s, which everybody who "
                               "reads nginx.conf would see: write a password "
                               "to a file and podi_pg_password_file <path>;",
                               o->keyword);
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(o->keyword, "hostaddr") == 0
            || (ngx_strcmp(o->keyword, "host") == 0 && host == NULL))
        {
            host = o;
        }
    }

    if (host == NULL || !ngx_podi_is_address(host->val)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_pg\" needs a socket directory or an IP "
                           "address, because resolving a name would block: "
                           "write host=/run/postgresql, or hostaddr=192.0.2.1 "
                           "beside host=<name>");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_podi_is_address(const char *host)
{
    u_char  bytes[16];

    return host[0] == '/'
           || inet_pton(AF_INET, host, bytes) == 1
           || inet_pton(AF_INET6, host, bytes) == 1;
}


char *
ngx_podi_set_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value;
    ngx_url_t   u;

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->redis.data != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "unix:/", 6) == 0) {
        pmcf->redis.data = value[1].data + 5;
        pmcf->redis.len = value[1].len - 5;
        return NGX_CONF_OK;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = value[1];
    u.default_port = 6379;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs != 1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_redis\" needs an address, because resolving "
                           "a name would block: write podi_redis "
                           "unix:/run/redis/redis.sock; or podi_redis "
                           "127.0.0.1:6379;");
        return NGX_CONF_ERROR;
    }

    pmcf->redis.data = ngx_pnalloc(cf->pool, u.addrs[0].name.len + 1);
    if (pmcf->redis.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_cpystrn(pmcf->redis.data, u.addrs[0].name.data,
                u.addrs[0].name.len + 1);
    pmcf->redis.len = u.addrs[0].name.len;

    return NGX_CONF_OK;
}


char *
ngx_podi_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t       *value;
    podi_secret_t  **secret;

    secret = (podi_secret_t **) (void *) (p + cmd->offset);

    if (*secret != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *secret = ngx_podi_conf_secret(cf, &value[1]);

    return (*secret == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


podi_secret_t *
ngx_podi_conf_secret(ngx_conf_t *cf, ngx_str_t *path)
{
    podi_mem_t     *mem;
    podi_fail_t     fail;
    podi_secret_t  *secret;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NULL;
    }

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NULL;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (podi_secret_read(mem, (char *) path->data, &secret, &fail)
        != PODI_OK)
    {
        (void) ngx_podi_conf_fail(cf, path, &fail);
        return NULL;
    }

    return secret;
}


static char *
ngx_podi_conf_fail(ngx_conf_t *cf, ngx_str_t *path, const podi_fail_t *fail)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" cannot be used: %s",
                       path, fail->detail);

    return NGX_CONF_ERROR;
}


/* the file has lines "ID HEX", as apply.sh reads them: the first one signs */

char *
ngx_podi_set_context_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char           *id;
    ngx_str_t      *value;
    podi_str_t      text, name, digits;
    podi_fail_t     fail;
    podi_secret_t  *secret, *hex;

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->context_key != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    secret = ngx_podi_conf_secret(cf, &value[1]);
    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    text = podi_secret_bytes(secret);

    if (ngx_podi_context_key_line(&text, &name, &digits) != PODI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has no line \"ID HEX\": write an id, a "
                           "blank and 64 hex digits (openssl rand -hex 32)",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    id = podi_mem_dup_c(pmcf->mem, &name);

    if (id == NULL || podi_secret_make(pmcf->mem, &digits, &hex) != PODI_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (podi_context_key_parse(id, hex, pmcf->mem, &pmcf->context_key, &fail)
        != PODI_OK)
    {
        return ngx_podi_conf_fail(cf, &value[1], &fail);
    }

    return NGX_CONF_OK;
}


static podi_rc_t
ngx_podi_context_key_line(const podi_str_t *text, podi_str_t *ret_id,
    podi_str_t *ret_hex)
{
    podi_str_t  rest, line;

    rest = *text;

    while (podi_str_split(&rest, '\n', &line)) {

        if (line.len == 0 || line.data[0] == '#') {
            continue;
        }

        if (podi_str_split(&line, ' ', ret_id) && ret_id->len != 0
            && line.len != 0)
        {
            *ret_hex = line;
            return PODI_OK;
        }

        return PODI_ERROR;
    }

    return PODI_ERROR;
}


/* the first key signs; all of them verify, so that a key can be replaced */

char *
ngx_podi_set_token_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t        *value;
    podi_str_t        text;
    ngx_uint_t        i;
    podi_fail_t       fail;
    podi_secret_t    *secret;
    podi_jose_key_t  *key;

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->token_key != NULL) {
        return "is duplicate: write all files in one directive";
    }

    if (podi_jose_ring_make(pmcf->mem, &pmcf->token_ring) != PODI_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        secret = ngx_podi_conf_secret(cf, &value[i]);
        if (secret == NULL) {
            return NGX_CONF_ERROR;
        }

        text = podi_secret_bytes(secret);

        if (podi_jose_key_parse(&text, pmcf->mem, &key, &fail) != PODI_OK
            || podi_jose_ring_add(pmcf->token_ring, key, &fail) != PODI_OK)
        {
            return ngx_podi_conf_fail(cf, &value[i], &fail);
        }

        if (i == 1) {
            pmcf->token_key = key;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_podi_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t     size;
    ngx_str_t  *value;
    ngx_str_t   name = ngx_string(NGX_PODI_ZONE_NAME);

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->zone != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = ngx_parse_size(&value[1]);

    if (size < 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_zone\" is not a size of 1m or more: write "
                           "podi_zone 4m;");
        return NGX_CONF_ERROR;
    }

    pmcf->zone = ngx_shared_memory_add(cf, &name, size,
                                       &ngx_http_podi_module);

    return (pmcf->zone == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


char *
ngx_podi_set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t   n, *slot;
    ngx_str_t  *value, s;
    ngx_uint_t  i;

    ngx_podi_main_conf_t  *pmcf = conf;

    if (pmcf->threads != NGX_CONF_UNSET
        || pmcf->thread_queue != NGX_CONF_UNSET)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        s = value[i];
        slot = NULL;

        if (ngx_strncmp(s.data, "threads=", 8) == 0) {
            slot = &pmcf->threads;
            s.data += 8;
            s.len -= 8;

        } else if (ngx_strncmp(s.data, "queue=", 6) == 0) {
            slot = &pmcf->thread_queue;
            s.data += 6;
            s.len -= 6;
        }

        n = ngx_atoi(s.data, s.len);

        if (slot == NULL || n == NGX_ERROR || n > 4096
            || (slot == &pmcf->threads && n == 0))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_thread_pool\" does not take \"%V\": "
                               "write podi_thread_pool threads=2 queue=64;",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        *slot = n;
    }

    return NGX_CONF_OK;
}
