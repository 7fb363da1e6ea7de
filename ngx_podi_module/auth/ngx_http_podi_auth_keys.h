/*
 * ngx_http_podi_auth_keys: the keys of an issuer, in this worker, now.
 *
 *     jwks_file, key_file   read by the master, generation 1 for ever
 *     jwks_url              fetched; each new set is another generation
 *
 * What was verified by one generation is verified again in the next.
 */

#ifndef NGX_HTTP_PODI_AUTH_KEYS_H
#define NGX_HTTP_PODI_AUTH_KEYS_H


#include "ngx_http_podi_auth_issuer.h"


/* NULL: there are none yet; valid until the next turn of the event loop */
const podi_jose_ring_t *ngx_http_podi_auth_ring(
    const ngx_http_podi_issuer_t *is, ngx_uint_t *ret_generation);

/* the same generation, by the number of the issuer */
ngx_uint_t ngx_http_podi_auth_generation(ngx_uint_t issuer);

/*
 * No key has this kid (an empty one: there are no keys at all).  AGAIN: they
 * are being fetched, wait for them in a flow; DECLINED: nothing can be done.
 */
ngx_int_t ngx_http_podi_auth_keys_miss(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid);

/* they were fetched for this kid, and it is not among them */
void ngx_http_podi_auth_keys_missed(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid);

/* is it known to have no such key?  Else nobody could look yet */
ngx_uint_t ngx_http_podi_auth_keys_lack(const ngx_http_podi_issuer_t *is,
    const podi_str_t *kid);

/* a step's end: AGAIN, or ERROR with f->fail */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_auth_keys_wait(podi_flow_t *f,
    const ngx_http_podi_issuer_t *is);


#endif /* NGX_HTTP_PODI_AUTH_KEYS_H */
