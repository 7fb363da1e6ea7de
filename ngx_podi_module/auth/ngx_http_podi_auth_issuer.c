/*
 * ngx_http_podi_auth_issuer: `podi_issuer NAME { ... }`, and the one that is
 * ours.
 *
 *     lines -> "}" -> complete? -> presets -> files -> ring
 *
 * Files are read by the master: workers need no permission on them.  One with
 * a secret must not be readable by others, one with public keys may be.
 */

#include "ngx_http_podi_auth.h"
#include "ngx_http_podi_auth_keys.h"


#define ISSUER_NAME_MAX  32


static char *issuer_name(ngx_conf_t *cf, const ngx_str_t *name,
    const ngx_array_t *known);
static char *issuer_check(ngx_conf_t *cf,
    const ngx_http_podi_issuer_block_t *b);
static char *issuer_presets(ngx_conf_t *cf, ngx_http_podi_issuer_t *is);
static char *issuer_ring(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b);
static char *issuer_file(ngx_conf_t *cf, ngx_http_podi_issuer_t *is,
    ngx_http_podi_issuer_file_t *file);
static char *issuer_read(ngx_conf_t *cf, ngx_http_podi_issuer_file_t *file,
    unsigned algs, podi_str_t *ret_text);
static char *issuer_read_public(ngx_conf_t *cf, ngx_str_t *path,
    podi_str_t *ret_text);
static unsigned issuer_symmetric(void);


static const char *const  issuer_claims[NGX_HTTP_PODI_MAP_LAST] = {
    "sub", "tid", "rol", "sid", "scope", "chn", "pln"
};

static const char *const  issuer_secrets[] = { "HS256", "HS384", "HS512" };

static const podi_str_t  issuer_typ_preset[] = {
    podi_string("at+jwt"),
    podi_string("JWT")
};


char *
ngx_http_podi_auth_issuer_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char                            *rv;
    ngx_str_t                       *value;
    ngx_conf_t                       save;
    ngx_http_podi_issuer_t         **slot;
    ngx_http_podi_issuer_block_t    *b;
    ngx_http_podi_auth_main_conf_t  *amcf = conf;

    value = cf->args->elts;

    if (issuer_name(cf, &value[1], &amcf->issuers) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    b = ngx_pcalloc(cf->temp_pool, sizeof(ngx_http_podi_issuer_block_t));
    slot = ngx_array_push(&amcf->issuers);

    if (b == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = b->is = ngx_http_podi_issuer_make(cf);
    if (b->is == NULL) {
        return NGX_CONF_ERROR;
    }

    b->is->name = value[1];
    b->is->index = amcf->issuers.nelts - 1;

    save = *cf;
    cf->handler = ngx_http_podi_issuer_line;
    cf->handler_conf = (char *) b;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return (rv == NGX_CONF_OK) ? ngx_http_podi_issuer_end(cf, b) : rv;
}


static char *
issuer_name(ngx_conf_t *cf, const ngx_str_t *name, const ngx_array_t *known)
{
    ngx_uint_t               i;
    ngx_http_podi_issuer_t **is;

    if (name->len > ISSUER_NAME_MAX
        || strspn((char *) name->data, "abcdefghijklmnopqrstuvwxyz"
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != name->len
        || ngx_strcmp(name->data, NGX_PODI_ISSUER) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_issuer\" needs a name of 1 to %d of a-z, "
                           "A-Z, 0-9, \"_\" and \"-\"; \"podi\" are PODI's "
                           "own tokens, which podi_token_issuer makes",
                           ISSUER_NAME_MAX);
        return NGX_CONF_ERROR;
    }

    if (known->nelts == NGX_HTTP_PODI_ISSUERS_MAX) {
        return "comes too often";
    }

    is = known->elts;

    for (i = 1; i < known->nelts; i++) {
        if (ngx_strcmp(is[i]->name.data, name->data) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "there is a \"podi_issuer %V\" already", name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


ngx_http_podi_issuer_t *
ngx_http_podi_issuer_make(ngx_conf_t *cf)
{
    ngx_http_podi_issuer_t  *is;

    is = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_issuer_t));

    if (is == NULL
        || ngx_array_init(&is->rules, cf->pool, 2,
                          sizeof(podi_claim_rule_t *))
           != NGX_OK)
    {
        return NULL;
    }

    is->expect.leeway = 30;

    return is;
}


char *
ngx_http_podi_issuer_end(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    if (issuer_check(cf, b) != NGX_CONF_OK
        || issuer_presets(cf, b->is) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return (b->is->remote != NULL) ? NGX_CONF_OK : issuer_ring(cf, b);
}


static char *
issuer_check(ngx_conf_t *cf, const ngx_http_podi_issuer_block_t *b)
{
    const ngx_http_podi_issuer_t  *is = b->is;

    if (is->expect.iss.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "podi_issuer %V has no \"issuer\": write what the "
                           "iss of its tokens is", &is->name);
        return NGX_CONF_ERROR;
    }

    if (is->expect.aud.n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "podi_issuer %V has no \"audience\": write what "
                           "the aud of tokens for this site is, so that "
                           "those for others are refused", &is->name);
        return NGX_CONF_ERROR;
    }

    if ((b->set.path.data != NULL) + (b->n != 0)
        + (is->remote != NULL) != 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "podi_issuer %V needs its keys from one place: "
                           "write jwks_file, or jwks_url, or key_file for "
                           "each key", &is->name);
        return NGX_CONF_ERROR;
    }

    if (is->remote != NULL && (is->accept.algs & issuer_symmetric())) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "podi_issuer %V must not take secrets over the "
                           "network: write algorithms without HS256, HS384 "
                           "and HS512", &is->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
issuer_presets(ngx_conf_t *cf, ngx_http_podi_issuer_t *is)
{
    ngx_uint_t    i;
    podi_str_t    path;
    podi_mem_t   *mem;
    podi_fail_t   fail;

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    if (is->expect.typ.n == 0) {
        is->expect.typ.items = issuer_typ_preset;
        is->expect.typ.n = 2;
        is->expect.typ_absent = 1;
    }

    if (is->expect.max == 0) {
        is->expect.max = PODI_JOSE_TOKEN_MAX;
    }

    for (i = 0; i < NGX_HTTP_PODI_MAP_LAST; i++) {

        path = podi_str_c(issuer_claims[i]);

        if (is->map[i] == NULL
            && podi_claim_path(&path, mem, &is->map[i], &fail) != PODI_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
issuer_ring(ngx_conf_t *cf, ngx_http_podi_issuer_block_t *b)
{
    podi_mem_t              *mem;
    podi_str_t               text;
    ngx_uint_t               i;
    podi_fail_t              fail;
    ngx_http_podi_issuer_t  *is = b->is;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    if (b->set.path.data != NULL) {

        if (issuer_read(cf, &b->set, 0, &text) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        if (podi_jose_ring_parse(&text, &is->accept, mem, &is->ring, &fail)
            != PODI_OK)
        {
            return ngx_http_podi_issuer_fail(cf, &b->set.path, &fail);
        }

    } else if (podi_jose_ring_make(mem, &is->ring) != PODI_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < b->n; i++) {
        if (issuer_file(cf, is, &b->files[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (podi_jose_ring_count(is->ring) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "podi_issuer %V has no key that can be used: look "
                           "at kty, use and alg of \"%V\", and at algorithms",
                           &is->name, &b->set.path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
issuer_file(ngx_conf_t *cf, ngx_http_podi_issuer_t *is,
    ngx_http_podi_issuer_file_t *file)
{
    podi_str_t          text;
    podi_fail_t         fail;
    podi_jose_accept_t  accept;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    accept = is->accept;
    accept.kid = file->kid;

    if (file->algs != 0) {
        accept.algs = file->algs;
    }

    if (issuer_read(cf, file, accept.algs, &text) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (podi_jose_ring_add_text(is->ring, &text, &accept, &fail) != PODI_OK) {
        return ngx_http_podi_issuer_fail(cf, &file->path, &fail);
    }

    return NGX_CONF_OK;
}


/* a text that may be a secret is read as one */

static char *
issuer_read(ngx_conf_t *cf, ngx_http_podi_issuer_file_t *file, unsigned algs,
    podi_str_t *ret_text)
{
    podi_secret_t  *secret;

    if (algs == 0 || (algs & ~issuer_symmetric()) != 0) {

        if (issuer_read_public(cf, &file->path, ret_text) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_strstr(ret_text->data, "\"oct\"") == NULL) {
            return NGX_CONF_OK;
        }
    }

    secret = ngx_podi_conf_secret(cf, &file->path);
    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    *ret_text = podi_secret_bytes(secret);

    return NGX_CONF_OK;
}


static char *
issuer_read_public(ngx_conf_t *cf, ngx_str_t *path, podi_str_t *ret_text)
{
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_file_t  file;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_CONF_ERROR;
    }

    file.fd = fd;
    file.name = *path;
    file.log = cf->log;

    ret_text->data = ngx_pcalloc(cf->pool, PODI_JOSE_SET_MAX + 2);

    n = (ret_text->data == NULL)
        ? NGX_ERROR
        : ngx_read_file(&file, ret_text->data, PODI_JOSE_SET_MAX + 1, 0);

    (void) ngx_close_file(fd);

    if (n == NGX_ERROR || n == 0 || n > PODI_JOSE_SET_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no file of 1 to %d bytes", path,
                           PODI_JOSE_SET_MAX);
        return NGX_CONF_ERROR;
    }

    ret_text->len = (size_t) n;

    return NGX_CONF_OK;
}


static unsigned
issuer_symmetric(void)
{
    unsigned    bits, bit;
    podi_str_t  name;
    ngx_uint_t  i;

    bits = 0;

    for (i = 0; i < 3; i++) {
        name = podi_str_c(issuer_secrets[i]);

        if (podi_jose_alg_bit(&name, &bit) == PODI_OK) {
            bits |= bit;
        }
    }

    return bits;
}


char *
ngx_http_podi_issuer_fail(ngx_conf_t *cf, const ngx_str_t *what,
    const podi_fail_t *fail)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" cannot be used: %s",
                       what, fail->detail);

    return NGX_CONF_ERROR;
}


char *
ngx_http_podi_auth_issuer_ours(ngx_conf_t *cf,
    ngx_http_podi_auth_main_conf_t *amcf)
{
    podi_str_t               *aud;
    ngx_podi_main_conf_t     *pmcf;
    ngx_http_podi_issuer_t   *is, **slot;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);

    if (pmcf->token_ring == NULL || pmcf->token_issuer.len == 0) {
        return NGX_CONF_OK;
    }

    is = ngx_http_podi_issuer_make(cf);
    aud = ngx_palloc(cf->pool, sizeof(podi_str_t));

    if (is == NULL || aud == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&is->name, NGX_PODI_ISSUER);
    is->ours = 1;
    is->ring = pmcf->token_ring;
    ngx_podi_token_expect(pmcf, aud, &is->expect);

    slot = amcf->issuers.elts;
    slot[0] = is;

    return issuer_presets(cf, is);
}
