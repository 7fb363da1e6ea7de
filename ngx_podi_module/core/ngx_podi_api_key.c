/*
 * ngx_podi_api_key: see the header.
 */

#include "ngx_podi_api_key.h"


#define API_KEY_PREFIX  "podi_"
#define API_KEY_BEGIN   (sizeof(API_KEY_PREFIX) - 1)
#define API_KEY_UUID    32
#define API_KEY_LEN     (API_KEY_BEGIN + 2 * API_KEY_UUID + 1                \
                         + NGX_PODI_API_KEY_SECRET)


static void api_key_add_uuid(podi_buf_t *b, const podi_str_t *uuid);
static podi_rc_t api_key_uuid(const u_char *hex, podi_mem_t *mem,
    podi_str_t *ret_text);


ngx_uint_t
ngx_podi_is_api_key(const podi_str_t *token)
{
    return podi_str_has_prefix(token, API_KEY_PREFIX);
}


podi_rc_t
ngx_podi_api_key_parts(const podi_str_t *key, podi_mem_t *mem,
    podi_str_t *ret_tenant, podi_str_t *ret_id, podi_str_t *ret_secret)
{
    ret_secret->data = key->data + API_KEY_LEN - NGX_PODI_API_KEY_SECRET;
    ret_secret->len = NGX_PODI_API_KEY_SECRET;

    if (api_key_uuid(key->data + API_KEY_BEGIN, mem, ret_tenant) != PODI_OK
        || api_key_uuid(key->data + API_KEY_BEGIN + API_KEY_UUID, mem, ret_id)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


ngx_uint_t
ngx_podi_api_key_is_whole(const podi_str_t *key)
{
    size_t  i;

    if (key->len != API_KEY_LEN || !ngx_podi_is_api_key(key)) {
        return 0;
    }

    for (i = API_KEY_BEGIN; i < key->len; i++) {

        if (i == API_KEY_BEGIN + 2 * API_KEY_UUID) {

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


podi_rc_t
ngx_podi_api_key_make(podi_mem_t *mem, const podi_str_t *tenant,
    const podi_str_t *id, const podi_str_t *secret, podi_str_t *ret_key)
{
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, API_KEY_PREFIX);
    api_key_add_uuid(&b, tenant);
    api_key_add_uuid(&b, id);
    podi_buf_add_byte(&b, '_');
    podi_buf_add_str(&b, secret);

    return podi_buf_take(&b, ret_key);
}


static void
api_key_add_uuid(podi_buf_t *b, const podi_str_t *uuid)
{
    size_t  i;

    for (i = 0; i < uuid->len; i++) {
        if (uuid->data[i] != '-') {
            podi_buf_add_byte(b, uuid->data[i]);
        }
    }
}
