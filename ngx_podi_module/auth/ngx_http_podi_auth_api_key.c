/*
 * The text of an API key.
 *
 *     podi_<tenant><key>_<secret>     32 + 32 and 40 hex digits, lower case
 *
 * Tenant and key are UUIDs without dashes, so that the key is looked for
 * behind the wall of its own tenant.  The account module makes it.
 */

#include "ngx_http_podi_auth.h"


#define API_KEY_UUID    32
#define API_KEY_SECRET  40
#define API_KEY_LEN     (5 + 2 * API_KEY_UUID + 1 + API_KEY_SECRET)


static podi_rc_t api_key_uuid(const u_char *hex, podi_mem_t *mem,
    podi_str_t *ret_text);


ngx_uint_t
ngx_http_podi_auth_is_api_key(const podi_str_t *token)
{
    return podi_str_has_prefix(token, "podi_");
}


podi_rc_t
ngx_http_podi_auth_api_key_parts(const podi_str_t *key, podi_mem_t *mem,
    podi_str_t *ret_tenant, podi_str_t *ret_id, podi_str_t *ret_secret)
{
    ret_secret->data = key->data + API_KEY_LEN - API_KEY_SECRET;
    ret_secret->len = API_KEY_SECRET;

    if (api_key_uuid(key->data + 5, mem, ret_tenant) != PODI_OK
        || api_key_uuid(key->data + 5 + API_KEY_UUID, mem, ret_id) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


ngx_uint_t
ngx_http_podi_auth_api_key_is_whole(const podi_str_t *key)
{
    size_t  i;

    if (key->len != API_KEY_LEN || !ngx_http_podi_auth_is_api_key(key)) {
        return 0;
    }

    for (i = 5; i < key->len; i++) {

        if (i == 5 + 2 * API_KEY_UUID) {

            if (key->data[i] != '_') {
                return 0;
            }

        } else if (!((key->data[i] >= '0' && key->data[i] <= '9')
                     || (key->data[i] >= 'a' && key->data[i] <= 'f')))
        {
            return 0;
        }
    }

    return 1;
}


static podi_rc_t
api_key_uuid(const u_char *hex, podi_mem_t *mem, podi_str_t *ret_text)
{
    return podi_mem_printf(mem, ret_text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
                           hex + 8, hex + 12, hex + 16, hex + 20);
}
