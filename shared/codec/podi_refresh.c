/*
 * podi_refresh: making and reading refresh tokens.
 */

#include <string.h>

#include "podi_base64.h"
#include "podi_buf.h"
#include "podi_hash.h"
#include "podi_refresh.h"
#include "banned.h"


#define PODI_REFRESH_MAX  256
#define PODI_REFRESH_INFO "podi refresh"


static podi_rc_t podi_refresh_read(const podi_str_t *text,
    podi_refresh_t *refresh);
static podi_rc_t podi_refresh_mac(const podi_secret_t *master,
    const podi_refresh_t *refresh, podi_mem_t *mem, podi_str_t *ret_text,
    podi_str_t *ret_mac);


podi_rc_t
podi_refresh_make(const podi_secret_t *master, const podi_refresh_t *refresh,
    podi_mem_t *mem, podi_str_t *ret_text)
{
    podi_str_t  text, mac;

    if (podi_refresh_mac(master, refresh, mem, &text, &mac) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_mem_printf(mem, ret_text,
                           "v1." PODI_STR_FMT "." PODI_STR_FMT,
                           podi_str_arg(&text), podi_str_arg(&mac));
}


/*
 * What was read is written again and must give the same text: a token has
 * exactly one, so none can be told apart from its twin.
 */

podi_rc_t
podi_refresh_verify(const podi_secret_t *master, const podi_str_t *text,
    podi_mem_t *mem, podi_refresh_t *ret_refresh, podi_fail_t *fail)
{
    podi_str_t      want;
    podi_refresh_t  refresh;

    if (podi_refresh_read(text, &refresh) != PODI_OK) {
        return podi_fail(fail, PODI_E_REFRESH_INVALID, NULL,
                         "not the form of a refresh token");
    }

    if (podi_refresh_make(master, &refresh, mem, &want) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (!podi_str_eq_ct(text, &want)) {
        return podi_fail(fail, PODI_E_REFRESH_INVALID, NULL,
                         "the MAC is wrong");
    }

    *ret_refresh = refresh;

    return PODI_OK;
}


static podi_rc_t
podi_refresh_read(const podi_str_t *text, podi_refresh_t *refresh)
{
    podi_str_t  rest = *text, version, tenant, session, counter, mac;

    if (text->len > PODI_REFRESH_MAX
        || !podi_str_split(&rest, '.', &version)
        || !podi_str_split(&rest, '.', &tenant)
        || !podi_str_split(&rest, '.', &session)
        || !podi_str_split(&rest, '.', &counter)
        || !podi_str_split(&rest, '.', &mac)
        || rest.data != NULL
        || !podi_str_eq_c(&version, "v1")
        || podi_id_parse(&tenant, &refresh->tenant) != PODI_OK
        || podi_id_parse(&session, &refresh->session) != PODI_OK
        || podi_str_to_int64(&counter, &refresh->counter) != PODI_OK
        || refresh->counter < 0)
    {
        return PODI_DECLINED;
    }

    return PODI_OK;
}


static podi_rc_t
podi_refresh_mac(const podi_secret_t *master, const podi_refresh_t *refresh,
    podi_mem_t *mem, podi_str_t *ret_text, podi_str_t *ret_mac)
{
    podi_rc_t       rc = PODI_ERROR;
    podi_str_t      s, key, info, salt = podi_null_str;
    unsigned char   bytes[PODI_SHA256_LEN], mac[PODI_SHA256_LEN];

    key = podi_secret_bytes(master);

    if (podi_mem_printf(mem, &info, "%s%.*s", PODI_REFRESH_INFO, PODI_ID_LEN,
                        (const char *) refresh->session.text) != PODI_OK
        || podi_mem_printf(mem, ret_text, "%.*s.%.*s.%lld", PODI_ID_LEN,
                           (const char *) refresh->tenant.text, PODI_ID_LEN,
                           (const char *) refresh->session.text,
                           (long long) refresh->counter) != PODI_OK
        || podi_hkdf_sha256(&key, &salt, &info, bytes, sizeof(bytes))
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    key.data = bytes;
    key.len = sizeof(bytes);

    if (podi_hmac_sha256(&key, ret_text, mac) == PODI_OK) {
        s.data = mac;
        s.len = sizeof(mac);
        rc = podi_base64url_encode(mem, &s, ret_mac);
    }

    podi_wipe(bytes, sizeof(bytes));

    return rc;
}
