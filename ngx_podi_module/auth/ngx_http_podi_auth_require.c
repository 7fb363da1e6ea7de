/*
 * `podi_require`: what somebody must be, to be let in.
 *
 *     podi_require role=admin,service scope=read;
 *     podi_require claim aal ge 2;
 *
 * Each directive must hold, and each kind in one; of the values of a kind one
 * is enough.  Roles and scopes are words of the identity, a tenant is compared
 * whole, at each request; rules about claims belong to the policy and are
 * judged when a token is verified.
 */

#include "ngx_http_podi_auth.h"


static char *require_claim(ngx_conf_t *cf,
    ngx_http_podi_auth_loc_conf_t *alcf);
static char *require_word(ngx_conf_t *cf, ngx_array_t *wants,
    ngx_uint_t first, const ngx_str_t *text);
static char *require_values(ngx_conf_t *cf, ngx_http_podi_want_t *want,
    podi_str_t values);
static ngx_http_podi_want_t *require_slot(ngx_conf_t *cf,
    ngx_array_t *wants, ngx_uint_t first, ngx_http_podi_want_e kind);
static ngx_uint_t require_is_met(const ngx_http_podi_want_t *want,
    const podi_str_t *has);
static ngx_uint_t require_is_one(const ngx_http_podi_want_t *want,
    const podi_str_t *word);


static const char *const  require_kinds[NGX_HTTP_PODI_WANT_LAST] = {
    "role", "scope", "tenant"
};


char *
ngx_http_podi_auth_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value;
    ngx_uint_t                      i, first;
    ngx_http_podi_auth_loc_conf_t  *alcf = conf;

    value = cf->args->elts;

    if (alcf->wants == NULL) {

        alcf->wants = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_http_podi_want_t));
        alcf->rules = ngx_array_create(cf->pool, 2,
                                       sizeof(podi_claim_rule_t *));

        if (alcf->wants == NULL || alcf->rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    alcf->wants_here = (cf->cmd_type & NGX_HTTP_LOC_CONF) ? 1 : 0;

    if (ngx_strcmp(value[1].data, "claim") == 0) {
        return require_claim(cf, alcf);
    }

    first = alcf->wants->nelts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (require_word(cf, alcf->wants, first, &value[i]) == NGX_CONF_OK) {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_require\" does not take \"%V\": write "
                           "role=a,b or scope=a,b or tenant=a,b, or claim "
                           "NAME OP VALUE", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
require_claim(ngx_conf_t *cf, ngx_http_podi_auth_loc_conf_t *alcf)
{
    ngx_str_t                 *value = cf->args->elts;
    podi_mem_t                *mem;
    podi_fail_t                fail;
    const podi_claim_rule_t  **rule;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    mem = ngx_podi_pool_mem(cf->pool);
    rule = ngx_array_push(alcf->rules);

    if (mem == NULL || rule == NULL) {
        return NGX_CONF_ERROR;
    }

    if (podi_claim_rule((podi_str_t *) (void *) &value[2],
                        cf->args->nelts - 2, mem, rule, &fail)
        != PODI_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_require claim\" cannot be used: %s",
                           fail.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
require_word(ngx_conf_t *cf, ngx_array_t *wants, ngx_uint_t first,
    const ngx_str_t *text)
{
    ngx_uint_t             kind;
    podi_str_t             rest, name;
    ngx_http_podi_want_t  *want;

    rest.data = text->data;
    rest.len = text->len;

    (void) podi_str_split(&rest, '=', &name);

    for (kind = 0; kind < NGX_HTTP_PODI_WANT_LAST; kind++) {
        if (podi_str_eq_c(&name, require_kinds[kind])) {
            break;
        }
    }

    if (kind == NGX_HTTP_PODI_WANT_LAST || rest.len == 0) {
        return NGX_CONF_ERROR;
    }

    want = require_slot(cf, wants, first, kind);

    return (want == NULL) ? NGX_CONF_ERROR : require_values(cf, want, rest);
}


/* the same kind twice in a directive: more values */

static ngx_http_podi_want_t *
require_slot(ngx_conf_t *cf, ngx_array_t *wants, ngx_uint_t first,
    ngx_http_podi_want_e kind)
{
    ngx_uint_t             i;
    ngx_http_podi_want_t  *want = wants->elts;

    for (i = first; i < wants->nelts; i++) {
        if (want[i].kind == kind) {
            return &want[i];
        }
    }

    want = ngx_array_push(wants);

    if (want == NULL
        || ngx_array_init(&want->words, cf->pool, 4, sizeof(podi_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    want->kind = kind;
    want->all = podi_str_c("");

    return want;
}


/* a quote would break out of the challenge, a blank make two words */

static char *
require_values(ngx_conf_t *cf, ngx_http_podi_want_t *want, podi_str_t values)
{
    size_t       i;
    podi_mem_t  *mem;
    podi_str_t   word, *slot, all;

    mem = ngx_podi_pool_mem(cf->pool);
    if (mem == NULL) {
        return NGX_CONF_ERROR;
    }

    while (podi_str_split(&values, ',', &word)) {

        for (i = 0; i < word.len; i++) {
            if (word.data[i] <= ' ' || word.data[i] == '"'
                || word.data[i] == '\\' || word.data[i] == 0x7f)
            {
                return NGX_CONF_ERROR;
            }
        }

        slot = ngx_array_push(&want->words);

        if (word.len == 0 || slot == NULL) {
            return NGX_CONF_ERROR;
        }

        *slot = word;
        all = want->all;

        if (podi_mem_printf(mem, &want->all, PODI_STR_FMT "%s" PODI_STR_FMT,
                            podi_str_arg(&all), all.len ? " " : "",
                            podi_str_arg(&word))
            != PODI_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


const char *
ngx_http_podi_auth_want_name(const ngx_http_podi_want_t *want)
{
    return require_kinds[want->kind];
}


const ngx_http_podi_want_t *
ngx_http_podi_auth_lacks(const ngx_http_podi_auth_loc_conf_t *alcf,
    const ngx_podi_identity_t *who)
{
    ngx_uint_t             i;
    const podi_str_t      *has;
    ngx_http_podi_want_t  *want;

    if (alcf->wants == NULL) {
        return NULL;
    }

    want = alcf->wants->elts;

    for (i = 0; i < alcf->wants->nelts; i++) {

        has = (want[i].kind == NGX_HTTP_PODI_WANT_ROLE) ? &who->role
              : (want[i].kind == NGX_HTTP_PODI_WANT_SCOPE) ? &who->scope
              : &who->tenant;

        if (!require_is_met(&want[i], has)) {
            return &want[i];
        }
    }

    return NULL;
}


/* is one of the wanted words among those that he has? */

static ngx_uint_t
require_is_met(const ngx_http_podi_want_t *want, const podi_str_t *has)
{
    podi_str_t  rest, word;

    /* a tenant may be called anything, also by the one who founds it */

    if (want->kind == NGX_HTTP_PODI_WANT_TENANT) {
        return require_is_one(want, has);
    }

    rest = *has;

    while (podi_str_split(&rest, ' ', &word)) {
        if (require_is_one(want, &word)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
require_is_one(const ngx_http_podi_want_t *want, const podi_str_t *word)
{
    ngx_uint_t         i;
    const podi_str_t  *wanted = want->words.elts;

    for (i = 0; i < want->words.nelts; i++) {
        if (word->len != 0 && podi_str_eq(word, &wanted[i])) {
            return 1;
        }
    }

    return 0;
}
