/*
 * ngx_http_podi_auth_policy: who is asked in a location.
 *
 *     podi_auth_issuer, or ours -> issuers -.
 *     podi_require claim ------> rules ------+-> one policy, shared by all
 *                                               locations that decide alike
 */

#include "ngx_http_podi_auth.h"


static ngx_http_podi_issuer_t *policy_issuer(ngx_conf_t *cf,
    const ngx_http_podi_auth_main_conf_t *amcf, const ngx_str_t *name);
static char *policy_add(ngx_conf_t *cf, ngx_http_podi_policy_t *policy,
    ngx_http_podi_issuer_t *is);
static ngx_uint_t policy_is_same(const ngx_http_podi_policy_t *a,
    const ngx_http_podi_policy_t *b);


char *
ngx_http_podi_auth_issuer_names(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value;
    ngx_http_podi_auth_loc_conf_t  *alcf = conf;

    if (alcf->issuers != NULL) {
        return "is duplicate: write all names in one directive";
    }

    value = cf->args->elts;

    alcf->issuers = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                     sizeof(ngx_str_t));
    if (alcf->issuers == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(ngx_array_push_n(alcf->issuers, cf->args->nelts - 1),
               &value[1], (cf->args->nelts - 1) * sizeof(ngx_str_t));

    return NGX_CONF_OK;
}


const ngx_http_podi_policy_t *
ngx_http_podi_auth_policy(ngx_conf_t *cf,
    ngx_http_podi_auth_main_conf_t *amcf,
    const ngx_http_podi_auth_loc_conf_t *alcf)
{
    ngx_str_t                 *name;
    ngx_str_t                  ours = ngx_string(NGX_PODI_ISSUER);
    ngx_uint_t                 i, n;
    ngx_http_podi_issuer_t    *is;
    ngx_http_podi_policy_t    *policy, **known;

    policy = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_policy_t));

    if (policy == NULL
        || ngx_array_init(&policy->issuers, cf->pool, 2,
                          sizeof(ngx_http_podi_issuer_t *))
           != NGX_OK)
    {
        return NULL;
    }

    name = (alcf->issuers != NULL) ? alcf->issuers->elts : &ours;
    n = (alcf->issuers != NULL) ? alcf->issuers->nelts : 1;

    policy->rules = alcf->rules;

    for (i = 0; i < n; i++) {

        is = policy_issuer(cf, amcf, &name[i]);

        if (is == NULL || policy_add(cf, policy, is) != NGX_CONF_OK) {
            return NULL;
        }
    }

    known = amcf->policies.elts;

    for (i = 0; i < amcf->policies.nelts; i++) {
        if (policy_is_same(known[i], policy)) {
            return known[i];
        }
    }

    known = ngx_array_push(&amcf->policies);
    if (known == NULL) {
        return NULL;
    }

    *known = policy;
    policy->id = amcf->policies.nelts;

    return policy;
}


/* ours, when it is not configured: core refuses the configuration at its end */

static ngx_http_podi_issuer_t *
policy_issuer(ngx_conf_t *cf, const ngx_http_podi_auth_main_conf_t *amcf,
    const ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_podi_main_conf_t     *pmcf;
    ngx_http_podi_issuer_t  **is = amcf->issuers.elts;

    if (ngx_strcmp(name->data, NGX_PODI_ISSUER) == 0) {

        pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
        pmcf->needs_pg = 1;
        pmcf->needs_token = 1;

        return (is[0] != NULL) ? is[0] : ngx_http_podi_issuer_make(cf);
    }

    for (i = 1; i < amcf->issuers.nelts; i++) {
        if (ngx_strcmp(is[i]->name.data, name->data) == 0) {
            return is[i];
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"podi_auth_issuer\" names %V, and there is no such "
                       "podi_issuer: write podi_issuer %V { ... } at http "
                       "level", name, name);

    return NULL;
}


static char *
policy_add(ngx_conf_t *cf, ngx_http_podi_policy_t *policy,
    ngx_http_podi_issuer_t *is)
{
    ngx_uint_t                i;
    ngx_http_podi_issuer_t  **slot = policy->issuers.elts;

    for (i = 0; i < policy->issuers.nelts; i++) {
        if (podi_str_eq(&slot[i]->expect.iss, &is->expect.iss)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_auth_issuer\" names %V and %V, whose "
                               "tokens have the same iss: nobody could tell "
                               "whose keys to take", &slot[i]->name,
                               &is->name);
            return NGX_CONF_ERROR;
        }
    }

    slot = ngx_array_push(&policy->issuers);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = is;
    policy->token_max = ngx_max(policy->token_max, is->expect.max);
    policy->ours |= is->ours;

    return NGX_CONF_OK;
}


static ngx_uint_t
policy_is_same(const ngx_http_podi_policy_t *a,
    const ngx_http_podi_policy_t *b)
{
    ngx_uint_t                       i;
    podi_str_t                       text, other;
    ngx_http_podi_issuer_t         **x = a->issuers.elts;
    ngx_http_podi_issuer_t         **y = b->issuers.elts;
    const podi_claim_rule_t        **u, **v;

    if (a->issuers.nelts != b->issuers.nelts
        || (a->rules == NULL) != (b->rules == NULL)
        || (a->rules != NULL && a->rules->nelts != b->rules->nelts))
    {
        return 0;
    }

    for (i = 0; i < a->issuers.nelts; i++) {
        if (x[i] != y[i]) {
            return 0;
        }
    }

    if (a->rules == b->rules) {
        return 1;
    }

    u = a->rules->elts;
    v = b->rules->elts;

    for (i = 0; i < a->rules->nelts; i++) {

        text = podi_claim_text(u[i]);
        other = podi_claim_text(v[i]);

        if (!podi_str_eq(&text, &other)) {
            return 0;
        }
    }

    return 1;
}


const ngx_http_podi_issuer_t *
ngx_http_podi_issuer_at(ngx_uint_t index)
{
    ngx_http_podi_issuer_t          **is;
    ngx_http_podi_auth_main_conf_t   *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_auth_module);

    if (amcf == NULL || index >= amcf->issuers.nelts) {
        return NULL;
    }

    is = amcf->issuers.elts;

    return is[index];
}


const ngx_http_podi_issuer_t *
ngx_http_podi_issuer_named(const podi_str_t *name)
{
    ngx_uint_t                     i;
    const ngx_http_podi_issuer_t  *is;

    for (i = 0; i < NGX_HTTP_PODI_ISSUERS_MAX; i++) {

        is = ngx_http_podi_issuer_at(i);

        if (is != NULL && podi_str_eq_c(name, (char *) is->name.data)) {
            return is;
        }
    }

    return NULL;
}
