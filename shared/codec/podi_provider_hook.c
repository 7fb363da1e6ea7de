/*
 * podi_provider_hook: a call from outside that says it is the provider's.
 *
 *     headers, body -> what was signed -> compared -> not too old -> is JSON
 *
 * A call that passes only wakes a poll.  All comparisons of secrets take a
 * time that does not depend on them.
 */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "podi_base64.h"
#include "podi_hash.h"
#include "podi_provider_int.h"
#include "banned.h"


#define PODI_PROVIDER_HOOK_KEYS  16         /* of a JWKS */


static podi_rc_t podi_provider_standard(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_fal(const podi_provider_call_in_t *in,
    podi_mem_t *mem, podi_fail_t *fail);
static int podi_provider_fal_key(const json_t *jwk, const podi_str_t *text,
    const unsigned char *signature, podi_mem_t *mem);
static podi_rc_t podi_provider_hmac(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_provider_token(const podi_provider_call_in_t *in,
    podi_fail_t *fail);
static podi_rc_t podi_provider_secret_of(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_str_t *ret_secret,
    podi_fail_t *fail);
static podi_rc_t podi_provider_recent(const podi_str_t *seconds,
    podi_usec_t now, podi_fail_t *fail);
static podi_str_t podi_provider_in_header(const podi_provider_call_in_t *in,
    const char *name);
static podi_rc_t podi_provider_forged(podi_fail_t *fail, const char *why);


podi_rc_t
podi_provider_webhook(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem,
    podi_str_t *ret_dedupe, podi_fail_t *fail)
{
    json_t                         *json;
    podi_rc_t                       rc;
    static const podi_json_limit_t  limit = { PODI_PROVIDER_BODY_MAX, 64 };

    *ret_dedupe = podi_str_c("");

    switch (p->webhook.kind) {

    case PODI_HOOK_STANDARD:
        rc = podi_provider_standard(p, in, mem, fail);
        break;

    case PODI_HOOK_FAL:
        rc = podi_provider_fal(in, mem, fail);
        break;

    case PODI_HOOK_HMAC:
        rc = podi_provider_hmac(p, in, mem, fail);
        break;

    case PODI_HOOK_PATH:
        rc = podi_provider_token(in, fail);
        break;

    default:
        rc = podi_provider_forged(fail, "this provider does not call");
    }

    if (rc != PODI_OK) {
        return rc;
    }

    if (podi_json_parse(&in->body, &limit, mem, &json, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (p->webhook.dedupe.len) {
        *ret_dedupe = podi_provider_header(in->headers, in->n_headers,
                                           &p->webhook.dedupe);
    }

    return PODI_OK;
}


/* "v1,BASE64 v1,BASE64": one of them over "id.timestamp.body" */

static podi_rc_t
podi_provider_standard(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem, podi_fail_t *fail)
{
    int             hit = 0;
    podi_buf_t      b;
    podi_str_t      id, when, rest, part, text, key, want;
    unsigned char   mac[PODI_SHA256_LEN];

    id = podi_provider_in_header(in, "webhook-id");
    when = podi_provider_in_header(in, "webhook-timestamp");
    rest = podi_provider_in_header(in, "webhook-signature");

    if (id.len == 0 || when.len == 0 || rest.len == 0) {
        return podi_provider_forged(fail, "a header of it is missing");
    }

    if (podi_provider_secret_of(p, in, &key, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_str_has_prefix(&key, "whsec_")) {
        key.data += 6;
        key.len -= 6;

        if (podi_base64_decode(mem, &key, &key) != PODI_OK) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "the webhook's secret is no base64");
        }
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &id);
    podi_buf_add_byte(&b, '.');
    podi_buf_add_str(&b, &when);
    podi_buf_add_byte(&b, '.');
    podi_buf_add_str(&b, &in->body);

    want.data = mac;
    want.len = sizeof(mac);

    if (podi_buf_take(&b, &text) != PODI_OK
        || podi_hmac_sha256(&key, &text, mac) != PODI_OK
        || podi_base64_encode(mem, &want, &want) != PODI_OK)
    {
        return podi_provider_no_memory(fail);
    }

    while (podi_str_split(&rest, ' ', &part)) {
        if (podi_str_has_prefix(&part, "v1,")) {
            part.data += 3;
            part.len -= 3;
            hit |= podi_str_eq_ct(&part, &want);
        }
    }

    if (!hit) {
        return podi_provider_forged(fail, "its signature is not ours");
    }

    return podi_provider_recent(&when, in->now, fail);
}


/* Ed25519 over four lines; any key of the set may have signed */

static podi_rc_t
podi_provider_fal(const podi_provider_call_in_t *in, podi_mem_t *mem,
    podi_fail_t *fail)
{
    int             hit = 0;
    size_t          i;
    podi_buf_t      b;
    podi_str_t      id, user, when, signature, text;
    const json_t   *keys;
    unsigned char   bytes[64], digest[PODI_SHA256_LEN];

    id = podi_provider_in_header(in, "x-fal-webhook-request-id");
    user = podi_provider_in_header(in, "x-fal-webhook-user-id");
    when = podi_provider_in_header(in, "x-fal-webhook-timestamp");
    signature = podi_provider_in_header(in, "x-fal-webhook-signature");

    if (id.len == 0 || user.len == 0 || when.len == 0
        || podi_hex_decode(bytes, sizeof(bytes), &signature) != PODI_OK)
    {
        return podi_provider_forged(fail, "a header of it is missing");
    }

    if (podi_sha256(&in->body, digest) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, PODI_STR_FMT "\n" PODI_STR_FMT "\n" PODI_STR_FMT "\n",
                    podi_str_arg(&id), podi_str_arg(&user),
                    podi_str_arg(&when));
    podi_buf_add_hex(&b, digest, sizeof(digest));

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    keys = json_object_get(in->jwks, "keys");

    for (i = 0; i < json_array_size(keys) && i < PODI_PROVIDER_HOOK_KEYS;
         i++)
    {
        hit |= podi_provider_fal_key(json_array_get(keys, i), &text, bytes,
                                     mem);
    }

    if (!hit) {
        return podi_provider_forged(fail, "no key of theirs has signed it");
    }

    return podi_provider_recent(&when, in->now, fail);
}


static int
podi_provider_fal_key(const json_t *jwk, const podi_str_t *text,
    const unsigned char *signature, podi_mem_t *mem)
{
    int          hit;
    EVP_PKEY    *key;
    EVP_MD_CTX  *ctx;
    podi_str_t   x, kty, crv;

    x = podi_json_str(json_object_get(jwk, "x"));
    kty = podi_json_str(json_object_get(jwk, "kty"));
    crv = podi_json_str(json_object_get(jwk, "crv"));

    if (!podi_str_eq_c(&kty, "OKP") || !podi_str_eq_c(&crv, "Ed25519")
        || podi_base64url_decode(mem, &x, &x) != PODI_OK || x.len != 32)
    {
        return 0;
    }

    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len);
    ctx = EVP_MD_CTX_new();

    hit = key != NULL && ctx != NULL
          && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1
          && EVP_DigestVerify(ctx, signature, 64, text->data, text->len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();

    return hit;
}


static podi_rc_t
podi_provider_hmac(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_buf_t      b;
    podi_str_t      key, got, want;
    unsigned char   mac[PODI_SHA256_LEN];

    if (podi_provider_secret_of(p, in, &key, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_hmac_sha256(&key, &in->body, mac) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &p->webhook.prefix);
    podi_buf_add_hex(&b, mac, sizeof(mac));

    if (podi_buf_take(&b, &want) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    got = podi_provider_header(in->headers, in->n_headers,
                               &p->webhook.header);

    if (!podi_str_eq_ct(&got, &want)) {
        return podi_provider_forged(fail, "its signature is not ours");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_token(const podi_provider_call_in_t *in, podi_fail_t *fail)
{
    if (in->want_token.len < 16
        || !podi_str_eq_ct(&in->token, &in->want_token))
    {
        return podi_provider_forged(fail, "its token is not ours");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_secret_of(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_str_t *ret_secret,
    podi_fail_t *fail)
{
    const podi_provider_key_t  *key;

    key = podi_provider_key(in->keys, in->n_keys, &p->webhook.secret);

    if (key == NULL || podi_secret_bytes(key->secret).len == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the provider " PODI_STR_FMT " has no key \""
                         PODI_STR_FMT "\"", podi_str_arg(&p->name),
                         podi_str_arg(&p->webhook.secret));
    }

    *ret_secret = podi_secret_bytes(key->secret);

    return PODI_OK;
}


static podi_rc_t
podi_provider_recent(const podi_str_t *seconds, podi_usec_t now,
    podi_fail_t *fail)
{
    int64_t  when, second = now / 1000000;

    if (podi_str_to_int64(seconds, &when) != PODI_OK
        || when < second - PODI_PROVIDER_SKEW
        || when > second + PODI_PROVIDER_SKEW)
    {
        return podi_provider_forged(fail, "it is too old, or of the future");
    }

    return PODI_OK;
}


static podi_str_t
podi_provider_in_header(const podi_provider_call_in_t *in, const char *name)
{
    podi_str_t  s = podi_str_c(name);

    return podi_provider_header(in->headers, in->n_headers, &s);
}


static podi_rc_t
podi_provider_forged(podi_fail_t *fail, const char *why)
{
    return podi_fail(fail, PODI_E_FORBIDDEN, NULL, "the webhook: %s", why);
}
