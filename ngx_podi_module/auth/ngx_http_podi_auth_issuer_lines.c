/*
 * ngx_http_podi_auth_issuer_lines: what may stand in a podi_issuer.
 *
 *     each line -> one function, which fills the issuer or remembers a file
 */

#include "ngx_http_podi_auth.h"


#define ISSUER_WORDS_MAX  16

typedef struct {
    const char   *name;
    ngx_uint_t    min;                      /* words after the name */
    ngx_uint_t    max;
    char       *(*set)(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
} ngx_http_podi_issuer_line_t;


static char *issuer_set_issuer(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_audience(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_jwks_file(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_jwks_url(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_key_file(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_algorithms(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_typ(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
static char *issuer_set_leeway(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_lifetime(ngx_conf_t *cf,
    ngx_http_podi_issuer_block_t *b);
static char *issuer_set_size(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
static char *issuer_set_rule(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
static char *issuer_set_map(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
static ngx_uint_t issuer_field(const podi_str_t *name);
static char *issuer_names(ngx_conf_t *cf, podi_jose_names_t *names);
static char *issuer_alg(ngx_conf_t *cf, const podi_str_t *name,
    unsigned *algs);


static const ngx_http_podi_issuer_line_t  issuer_lines[] = {
    { "issuer",        1, 1,                issuer_set_issuer },
    { "audience",      1, ISSUER_WORDS_MAX, issuer_set_audience },
    { "jwks_file",     1, 1,                issuer_set_jwks_file },
    { "jwks_url",      1, 7,                issuer_set_jwks_url },
    { "key_file",      1, 3,                issuer_set_key_file },
    { "algorithms",    1, ISSUER_WORDS_MAX, issuer_set_algorithms },
    { "typ",           1, ISSUER_WORDS_MAX, issuer_set_typ },
    { "leeway",        1, 1,                issuer_set_leeway },
    { "max_lifetime",  1, 1,                issuer_set_lifetime },
    { "token_size",    1, 1,                issuer_set_size },
    { "require_claim", 2, PODI_CLAIM_VALUES + 2, issuer_set_rule },
    { "map",           1, NGX_HTTP_PODI_MAP_LAST, issuer_set_map },
    { NULL,            0, 0,                NULL }
};

static const char *const  issuer_fields[NGX_HTTP_PODI_MAP_LAST] = {
    "user", "tenant", "role", "session", "scope", "channel", "plan"
};


char *
ngx_http_podi_issuer_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char                               *rv;
    ngx_str_t                          *value;
    const ngx_http_podi_issuer_line_t  *line;

    value = cf->args->elts;

    for (line = issuer_lines; line->name != NULL; line++) {

        if (ngx_strcmp(value[0].data, line->name) != 0) {
            continue;
        }

        if (cf->args->nelts - 1 < line->min || cf->args->nelts - 1 > line->max)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" of a podi_issuer takes %ui to %ui "
                               "words", line->name, line->min, line->max);
            return NGX_CONF_ERROR;
        }

        rv = line->set(cf, conf);

        if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
            return rv;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%s\" of a podi_issuer %s",
                           line->name, rv);
        return NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "there is no \"%V\" in a podi_issuer: write issuer, "
                       "audience, jwks_file, jwks_url, key_file, algorithms, "
                       "typ, leeway, max_lifetime, token_size, require_claim "
                       "or map", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
issuer_set_issuer(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t  *value = cf->args->elts;

    if (b->is->expect.iss.data != NULL) {
        return "is duplicate";
    }

    b->is->expect.iss.data = value[1].data;
    b->is->expect.iss.len = value[1].len;

    return NGX_CONF_OK;
}


static char *
issuer_set_audience(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    return issuer_names(cf, &b->is->expect.aud);
}


/* `none` is a token without typ, as many issuers make them */

static char *
issuer_set_typ(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    char        *rv;
    size_t       i;
    podi_str_t  *name;

    rv = issuer_names(cf, &b->is->expect.typ);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    name = (podi_str_t *) b->is->expect.typ.items;

    for (i = 0; i < b->is->expect.typ.n; i++) {

        if (podi_str_eq_c(&name[i], "none")) {
            b->is->expect.typ_absent = 1;
            name[i--] = name[--b->is->expect.typ.n];
        }
    }

    if (b->is->expect.typ.n == 0) {
        return "needs a type beside \"none\"";
    }

    return NGX_CONF_OK;
}


static char *
issuer_names(ngx_conf_t *cf, podi_jose_names_t *names)
{
    ngx_str_t   *value;
    podi_str_t  *copy;

    if (names->items != NULL) {
        return "is duplicate: write all in one line";
    }

    value = cf->args->elts;
    names->n = cf->args->nelts - 1;

    copy = ngx_palloc(cf->pool, names->n * sizeof(podi_str_t));
    if (copy == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(copy, &value[1], names->n * sizeof(podi_str_t));

    names->items = copy;

    return NGX_CONF_OK;
}


static char *
issuer_set_jwks_file(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t  *value = cf->args->elts;

    if (b->set.path.data != NULL) {
        return "is duplicate";
    }

    b->set.path = value[1];

    return NGX_CONF_OK;
}


static char *
issuer_set_jwks_url(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    return ngx_http_podi_auth_remote(cf, b->is);
}


static char *
issuer_set_key_file(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    podi_str_t                    s;
    ngx_http_podi_issuer_file_t  *file;

    if (b->n == PODI_JOSE_KEYS_MAX) {
        return "comes too often";
    }

    value = cf->args->elts;
    file = &b->files[b->n++];
    file->path = value[1];

    for (i = 2; i < cf->args->nelts; i++) {

        s.data = value[i].data + 4;
        s.len = value[i].len - 4;

        if (ngx_strncmp(value[i].data, "alg=", 4) == 0) {

            if (issuer_alg(cf, &s, &file->algs) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_strncmp(value[i].data, "kid=", 4) == 0
                   && s.len != 0 && s.len <= PODI_JOSE_KID_MAX)
        {
            file->kid = s;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"key_file\" does not take \"%V\": write "
                               "key_file /etc/podi/partner.pem alg=RS256 "
                               "kid=2026-01;", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
issuer_set_algorithms(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t   *value;
    podi_str_t   name;
    ngx_uint_t   i;

    if (b->is->accept.algs != 0) {
        return "is duplicate: write all in one line";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        name.data = value[i].data;
        name.len = value[i].len;

        if (issuer_alg(cf, &name, &b->is->accept.algs) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
issuer_alg(ngx_conf_t *cf, const podi_str_t *name, unsigned *algs)
{
    unsigned  bit;

    if (podi_jose_alg_bit(name, &bit) != PODI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no algorithm \"%*s\": write some of "
                           "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 "
                           "ES512 EdDSA HS256 HS384 HS512", name->len,
                           name->data);
        return NGX_CONF_ERROR;
    }

    *algs |= bit;

    return NGX_CONF_OK;
}


static char *
issuer_set_leeway(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    time_t      t;
    ngx_str_t  *value = cf->args->elts;

    t = ngx_parse_time(&value[1], 1);

    if (t == (time_t) NGX_ERROR || t > 60) {
        return "is not a time of at most 60s";
    }

    b->is->expect.leeway = (unsigned) t;

    return NGX_CONF_OK;
}


static char *
issuer_set_lifetime(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    time_t      t;
    ngx_str_t  *value = cf->args->elts;

    t = ngx_parse_time(&value[1], 1);

    if (t == (time_t) NGX_ERROR || t < 1 || t > 366 * 86400) {
        return "is not a time from 1s to 366d";
    }

    b->is->expect.max_life = (unsigned) t;

    return NGX_CONF_OK;
}


static char *
issuer_set_size(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ssize_t     size;
    ngx_str_t  *value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size < 256 || size > 65536) {
        return "is not a size from 256 to 64k";
    }

    b->is->expect.max = (size_t) size;

    return NGX_CONF_OK;
}


static char *
issuer_set_rule(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t                 *value = cf->args->elts;
    podi_mem_t                *mem;
    podi_fail_t                fail;
    const podi_claim_rule_t  **rule;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    mem = ngx_podi_pool_mem(cf->pool);
    rule = ngx_array_push(&b->is->rules);

    if (mem == NULL || rule == NULL) {
        return NGX_CONF_ERROR;
    }

    if (podi_claim_rule((podi_str_t *) (void *) &value[1],
                        cf->args->nelts - 1, mem, rule, &fail)
        != PODI_OK)
    {
        return ngx_http_podi_issuer_fail(cf, &value[0], &fail);
    }

    return NGX_CONF_OK;
}


static char *
issuer_set_map(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    ngx_str_t    *value = cf->args->elts;
    ngx_uint_t    i, field;
    podi_mem_t   *mem;
    podi_str_t    path, name;
    podi_fail_t   fail;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        path.data = value[i].data;
        path.len = value[i].len;

        (void) podi_str_split(&path, '=', &name);

        field = issuer_field(&name);

        if (field == NGX_HTTP_PODI_MAP_LAST || b->is->map[field] != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"map\" does not take \"%V\": write, each "
                               "once, some of user=sub tenant=tid role=rol "
                               "session=sid scope=scope channel=chn "
                               "plan=pln", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (podi_claim_path(&path, mem, &b->is->map[field], &fail) != PODI_OK)
        {
            return ngx_http_podi_issuer_fail(cf, &value[i], &fail);
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
issuer_field(const podi_str_t *name)
{
    ngx_uint_t  field;

    for (field = 0; field < NGX_HTTP_PODI_MAP_LAST; field++) {
        if (podi_str_eq_c(name, issuer_fields[field])) {
            break;
        }
    }

    return field;
}
