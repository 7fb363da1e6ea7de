/*
 * podi_callback: the token in the URL that a third party is told to call.
 *
 *     read: cut at the dots -> two UUIDs -> the token made anew -> compared
 */

#include "podi_base64.h"
#include "podi_callback.h"
#include "podi_hash.h"
#include "banned.h"


podi_rc_t
podi_callback_token(const podi_secret_t *secret, const podi_str_t *provider,
    const podi_callback_t *of, podi_mem_t *mem, podi_str_t *ret_token)
{
    podi_str_t      job, key, text, with;
    unsigned char   mac[PODI_SHA256_LEN];

    job = podi_id_str(&of->job);
    key = podi_id_str(&of->key);
    with = podi_secret_bytes(secret);

    if (podi_mem_printf(mem, &text, "podi/callback/1\n" PODI_STR_FMT "\n"
                        PODI_STR_FMT "\n" PODI_STR_FMT,
                        podi_str_arg(provider), podi_str_arg(&job),
                        podi_str_arg(&key)) != PODI_OK
        || podi_hmac_sha256(&with, &text, mac) != PODI_OK)
    {
        return PODI_ERROR;
    }

    text.data = mac;
    text.len = sizeof(mac);

    if (podi_base64url_encode(mem, &text, &text) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_mem_printf(mem, ret_token, PODI_STR_FMT "." PODI_STR_FMT "."
                           PODI_STR_FMT, podi_str_arg(&job),
                           podi_str_arg(&key), podi_str_arg(&text));
}


podi_rc_t
podi_callback_read(const podi_secret_t *secret, const podi_str_t *provider,
    const podi_str_t *token, podi_mem_t *mem, podi_callback_t *ret_of)
{
    podi_str_t  rest = *token, job, key, want;

    if (!podi_str_split(&rest, '.', &job) || !podi_str_split(&rest, '.', &key)
        || podi_id_parse(&job, &ret_of->job) != PODI_OK
        || podi_id_parse(&key, &ret_of->key) != PODI_OK)
    {
        return PODI_DECLINED;
    }

    if (podi_callback_token(secret, provider, ret_of, mem, &want) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_str_eq_ct(token, &want) ? PODI_OK : PODI_DECLINED;
}
