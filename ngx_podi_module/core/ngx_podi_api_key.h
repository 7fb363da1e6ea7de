/*
 * ngx_podi_api_key: the text of an API key, which account makes and auth reads.
 *
 *     podi_<tenant><key>_<secret>     32 + 32 and 40 hex digits, lower case
 *
 * Tenant and key are UUIDs without dashes, so that the key is looked for
 * behind the wall of its own tenant.
 */

#ifndef NGX_PODI_API_KEY_H
#define NGX_PODI_API_KEY_H


#include "ngx_podi.h"


#define NGX_PODI_API_KEY_SECRET  40     /* digits: what is hashed */


/* does it want to be one; and has it the whole form? */
ngx_uint_t ngx_podi_is_api_key(const podi_str_t *token);
ngx_uint_t ngx_podi_api_key_is_whole(const podi_str_t *key);

/* of a whole one: two UUIDs and the secret */
PODI_MUSTCHECK podi_rc_t ngx_podi_api_key_parts(const podi_str_t *key,
    podi_mem_t *mem, podi_str_t *ret_tenant, podi_str_t *ret_id,
    podi_str_t *ret_secret);

/* the other way round; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t ngx_podi_api_key_make(podi_mem_t *mem,
    const podi_str_t *tenant, const podi_str_t *id, const podi_str_t *secret,
    podi_str_t *ret_key);


#endif /* NGX_PODI_API_KEY_H */
