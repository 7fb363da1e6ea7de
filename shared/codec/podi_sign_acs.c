/*
 * podi_sign_acs: the two signatures of Alibaba Cloud's APIs.
 *
 *     ACS3    canonical request -> its digest -> HMAC-SHA256 by the secret
 *     RPC v1  METHOD & %2F & encoded query    -> HMAC-SHA1 by secret + "&"
 */

#include <string.h>

#include "podi_base64.h"
#include "podi_buf.h"
#include "podi_hash.h"
#include "podi_sign_alg.h"
#include "banned.h"


static const podi_sign_alg_t  podi_sign_acs = {
    .name = "ACS3-HMAC-SHA256", .header_prefix = "x-acs-", .collapse = 1
};


podi_rc_t
podi_sign_acs3(const podi_sign_cred_t *cred, const podi_sign_request_t *req,
    podi_mem_t *mem, podi_signature_t *ret_signature)
{
    podi_buf_t        b;
    podi_str_t        key;
    unsigned char     digest[PODI_SHA256_LEN];
    podi_signature_t  sig;

    memset(&sig, 0, sizeof(sig));

    if (podi_sign_canonical(&podi_sign_acs, req, mem, &sig) != PODI_OK
        || podi_sha256(&sig.canonical, digest) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "%s\n", podi_sign_acs.name);
    podi_buf_add_hex(&b, digest, sizeof(digest));

    key = podi_secret_bytes(cred->secret);

    if (podi_buf_take(&b, &sig.string_to_sign) != PODI_OK
        || podi_hmac_sha256(&key, &sig.string_to_sign, digest) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_add_hex(&b, digest, sizeof(digest));

    if (podi_buf_take(&b, &sig.signature) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_signature = sig;

    return PODI_OK;
}


podi_rc_t
podi_sign_acs_rpc(const podi_sign_cred_t *cred, const podi_str_t *method,
    const podi_pair_t *params, size_t n, podi_mem_t *mem,
    podi_signature_t *ret_signature)
{
    podi_rc_t             rc;
    podi_buf_t            b;
    podi_str_t            key, s;
    unsigned char         mac[PODI_SHA1_LEN];
    podi_signature_t      sig;
    podi_sign_request_t   req;

    memset(&sig, 0, sizeof(sig));
    memset(&req, 0, sizeof(req));

    req.query = params;
    req.n_query = n;

    if (podi_sign_canonical(&podi_sign_acs, &req, mem, &sig) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, method);
    podi_buf_add_c(&b, "&%2F&");
    podi_buf_add_uri(&b, &sig.query, 0);

    if (podi_buf_take(&b, &sig.string_to_sign) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    key = podi_secret_bytes(cred->secret);
    podi_buf_add_str(&b, &key);
    podi_buf_add_byte(&b, '&');

    if (podi_buf_take(&b, &key) != PODI_OK) {
        return PODI_ERROR;
    }

    rc = podi_hmac_sha1(&key, &sig.string_to_sign, mac);
    podi_wipe(key.data, key.len);

    s.data = mac;
    s.len = sizeof(mac);

    if (rc != PODI_OK || podi_base64_encode(mem, &s, &sig.signature)
                         != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_signature = sig;

    return PODI_OK;
}
