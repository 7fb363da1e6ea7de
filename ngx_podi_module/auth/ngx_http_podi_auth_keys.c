/*
 * ngx_http_podi_auth_keys: the keys of issuers that were read from files.
 */

#include "ngx_http_podi_auth_keys.h"


const podi_jose_ring_t *
ngx_http_podi_auth_ring(const ngx_http_podi_issuer_t *is,
    ngx_uint_t *ret_generation)
{
    *ret_generation = 1;

    return is->ring;
}


ngx_uint_t
ngx_http_podi_auth_generation(ngx_uint_t issuer)
{
    return 1;
}


ngx_int_t
ngx_http_podi_auth_keys_miss(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid)
{
    return NGX_DECLINED;
}


podi_rc_t
ngx_http_podi_auth_keys_wait(podi_flow_t *f, const ngx_http_podi_issuer_t *is)
{
    return podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                     "nobody fetches the keys of %s", (char *) is->name.data);
}


char *
ngx_http_podi_auth_keys_url(ngx_conf_t *cf, ngx_http_podi_issuer_t *is)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "podi_issuer %V: \"jwks_url\" is not there yet: fetch "
                       "\"%V\" yourself, and write jwks_file", &is->name,
                       &is->jwks_url);

    return NGX_CONF_ERROR;
}
