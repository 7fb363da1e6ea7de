/*
 * podi_jose: signing and verifying compact tokens.
 *
 *     split -> header -> key -> signature -> claims -> their values
 *
 * No byte of the claims is parsed before the signature is right.
 */

#include <strings.h>
#include <string.h>

#include <openssl/err.h>

#include "podi_base64.h"
#include "podi_jose_alg.h"
#include "banned.h"


typedef struct {
    podi_str_t  header;
    podi_str_t  claims;
    podi_str_t  signature;
    podi_str_t  input;              /* header.claims, as they came */
} podi_jose_parts_t;


static podi_rc_t podi_jose_split(const podi_str_t *token, size_t max,
    podi_jose_parts_t *parts, podi_fail_t *fail);
static podi_rc_t podi_jose_read_header(const podi_jose_ring_t *ring,
    const podi_str_t *text, const char *want, podi_mem_t *mem,
    const podi_jose_entry_t **ret_entry, podi_fail_t *fail);
static int podi_jose_typ_is(const podi_str_t *typ, const char *want);
static podi_rc_t podi_jose_check_signature(const podi_jose_entry_t *entry,
    const podi_jose_parts_t *parts, podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_jose_read_claims(const podi_str_t *text, size_t max,
    podi_mem_t *mem, json_t **ret_claims, podi_fail_t *fail);
static podi_rc_t podi_jose_check_names(const json_t *claims,
    const podi_jose_expect_t *expect, podi_fail_t *fail);
static podi_rc_t podi_jose_check_times(const json_t *claims,
    const podi_jose_expect_t *expect, podi_fail_t *fail);
static podi_rc_t podi_jose_time(const json_t *claims, const char *name,
    int64_t *ret_seconds, podi_fail_t *fail);
static podi_rc_t podi_jose_refuse(podi_fail_t *fail, const char *why);
static podi_rc_t podi_jose_make_signature(const podi_jose_key_t *key,
    const podi_str_t *input, podi_mem_t *mem, podi_str_t *ret_signature);


podi_rc_t
podi_jose_verify(const podi_jose_ring_t *ring, const podi_str_t *token,
    const podi_jose_expect_t *expect, podi_mem_t *mem, json_t **ret_claims,
    podi_fail_t *fail)
{
    json_t  *claims;

    if (podi_jose_open(ring, token, expect->typ, PODI_JOSE_TOKEN_MAX, mem,
                       &claims, fail) != PODI_OK
        || podi_jose_check_names(claims, expect, fail) != PODI_OK
        || podi_jose_check_times(claims, expect, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_claims = claims;

    return PODI_OK;
}


podi_rc_t
podi_jose_open(const podi_jose_ring_t *ring, const podi_str_t *token,
    const char *typ, size_t max, podi_mem_t *mem, json_t **ret_claims,
    podi_fail_t *fail)
{
    podi_jose_parts_t         parts;
    const podi_jose_entry_t  *entry;

    if (podi_jose_split(token, max, &parts, fail) != PODI_OK
        || podi_jose_read_header(ring, &parts.header, typ, mem, &entry, fail)
           != PODI_OK
        || podi_jose_check_signature(entry, &parts, mem, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_jose_read_claims(&parts.claims, max, mem, ret_claims, fail);
}


static podi_rc_t
podi_jose_split(const podi_str_t *token, size_t max,
    podi_jose_parts_t *parts, podi_fail_t *fail)
{
    podi_str_t  rest = *token;

    if (token->len > max) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "longer than %zu KiB", max / 1024);
    }

    if (!podi_str_split(&rest, '.', &parts->header)
        || !podi_str_split(&rest, '.', &parts->claims)
        || !podi_str_split(&rest, '.', &parts->signature)
        || rest.data != NULL
        || parts->header.len == 0 || parts->claims.len == 0
        || parts->signature.len == 0)
    {
        return podi_jose_refuse(fail, "not three parts");
    }

    parts->input.data = token->data;
    parts->input.len = parts->header.len + 1 + parts->claims.len;

    return PODI_OK;
}


static podi_rc_t
podi_jose_read_header(const podi_jose_ring_t *ring, const podi_str_t *text,
    const char *want, podi_mem_t *mem, const podi_jose_entry_t **ret_entry,
    podi_fail_t *fail)
{
    json_t                         *header;
    podi_str_t                      bytes, alg, typ, kid;
    const podi_jose_entry_t        *entry;
    static const podi_json_limit_t  limit = { PODI_JOSE_HEADER_MAX, 8 };

    if (podi_base64url_decode(mem, text, &bytes) != PODI_OK) {
        return podi_jose_refuse(fail, "the header is not base64url");
    }

    if (podi_json_parse(&bytes, &limit, mem, &header, fail) != PODI_OK
        || !json_is_object(header))
    {
        return podi_jose_refuse(fail, "the header is not a small JSON object");
    }

    if (json_object_get(header, "crit") || json_object_get(header, "b64")
        || json_object_get(header, "zip") || json_object_get(header, "enc"))
    {
        return podi_jose_refuse(fail, "the header asks for an extension");
    }

    kid = podi_json_str(json_object_get(header, "kid"));
    entry = podi_jose_ring_find(ring, &kid);

    if (entry == NULL) {
        return podi_jose_refuse(fail, "no key has its kid");
    }

    alg = podi_json_str(json_object_get(header, "alg"));

    if (!podi_str_eq_c(&alg, entry->alg->name)) {
        return podi_jose_refuse(fail, "alg is not the one of its key");
    }

    typ = podi_json_str(json_object_get(header, "typ"));

    if (!podi_jose_typ_is(&typ, want)) {
        return podi_jose_refuse(fail, "another kind of token (typ)");
    }

    *ret_entry = entry;

    return PODI_OK;
}


/* a media type, whose "application/" may be left out (RFC 7515, 4.1.9) */

static int
podi_jose_typ_is(const podi_str_t *typ, const char *want)
{
    podi_str_t          s = *typ;
    static const char   prefix[] = "application/";
    static const size_t len = sizeof(prefix) - 1;

    if (s.len > len && strncasecmp((char *) s.data, prefix, len) == 0) {
        s.data += len;
        s.len -= len;
    }

    return s.len == strlen(want)
           && strncasecmp((char *) s.data, want, s.len) == 0;
}


static podi_rc_t
podi_jose_check_signature(const podi_jose_entry_t *entry,
    const podi_jose_parts_t *parts, podi_mem_t *mem, podi_fail_t *fail)
{
    int          ok;
    EVP_MD_CTX  *ctx;
    podi_str_t   raw, native;

    if (podi_base64url_decode(mem, &parts->signature, &raw) != PODI_OK
        || raw.len != entry->alg->signature)
    {
        return podi_jose_refuse(fail, "the signature has a wrong form");
    }

    if (entry->alg->unpack(entry->alg, &raw, mem, &native) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ctx = EVP_MD_CTX_new();

    /* anything but 1 is a no: -1 exists */

    ok = ctx != NULL
         && EVP_MD_CTX_copy_ex(ctx, entry->verify) == 1
         && EVP_DigestVerify(ctx, native.data, native.len, parts->input.data,
                             parts->input.len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    if (!ok) {
        return podi_jose_refuse(fail, "the signature is wrong");
    }

    return PODI_OK;
}


static podi_rc_t
podi_jose_read_claims(const podi_str_t *text, size_t max, podi_mem_t *mem,
    json_t **ret_claims, podi_fail_t *fail)
{
    json_t             *claims;
    podi_str_t          bytes;
    podi_json_limit_t   limit = { max, 8 };

    if (podi_base64url_decode(mem, text, &bytes) != PODI_OK) {
        return podi_jose_refuse(fail, "the claims are not base64url");
    }

    if (podi_json_parse(&bytes, &limit, mem, &claims, fail) != PODI_OK
        || !json_is_object(claims))
    {
        return podi_jose_refuse(fail, "the claims are not a JSON object");
    }

    *ret_claims = claims;

    return PODI_OK;
}


static podi_rc_t
podi_jose_check_names(const json_t *claims, const podi_jose_expect_t *expect,
    podi_fail_t *fail)
{
    size_t      i;
    json_t     *aud;
    podi_str_t  s;

    s = podi_json_str(json_object_get(claims, "iss"));

    if (!podi_str_eq_c(&s, expect->iss)) {
        return podi_jose_refuse(fail, "another issuer (iss)");
    }

    aud = json_object_get(claims, "aud");
    s = podi_json_str(aud);

    if (json_is_string(aud) && podi_str_eq_c(&s, expect->aud)) {
        return PODI_OK;
    }

    for (i = 0; i < json_array_size(aud); i++) {
        s = podi_json_str(json_array_get(aud, i));

        if (json_is_string(json_array_get(aud, i))
            && podi_str_eq_c(&s, expect->aud))
        {
            return PODI_OK;
        }
    }

    return podi_jose_refuse(fail, "for another audience (aud)");
}


static podi_rc_t
podi_jose_check_times(const json_t *claims, const podi_jose_expect_t *expect,
    podi_fail_t *fail)
{
    int64_t  now, exp = -1, nbf = -1, iat = -1;

    now = expect->now / 1000000;

    if (podi_jose_time(claims, "exp", &exp, fail) != PODI_OK
        || podi_jose_time(claims, "nbf", &nbf, fail) != PODI_OK
        || podi_jose_time(claims, "iat", &iat, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (exp < 0) {
        return podi_jose_refuse(fail, "it never expires (exp)");
    }

    if (expect->max_life && (iat < 0 || exp - iat > expect->max_life)) {
        return podi_jose_refuse(fail, "it lives too long (iat to exp)");
    }

    if (nbf > now + expect->leeway || iat > now + expect->leeway) {
        return podi_jose_refuse(fail, "it is from the future (nbf, iat)");
    }

    if (exp <= now) {
        return podi_fail(fail, PODI_E_TOKEN_EXPIRED, NULL,
                         "expired %lld s ago", (long long) (now - exp));
    }

    return PODI_OK;
}


/* whole seconds up to the year 9999; absent: *ret_seconds stays */

static podi_rc_t
podi_jose_time(const json_t *claims, const char *name, int64_t *ret_seconds,
    podi_fail_t *fail)
{
    json_t   *value;
    int64_t   n;

    value = json_object_get(claims, name);
    if (value == NULL) {
        return PODI_OK;
    }

    n = json_is_integer(value) ? json_integer_value(value) : -1;

    if (n < 0 || n > INT64_C(253402300799)) {
        return podi_jose_refuse(fail, "exp, nbf or iat is not a time");
    }

    *ret_seconds = n;

    return PODI_OK;
}


static podi_rc_t
podi_jose_refuse(podi_fail_t *fail, const char *why)
{
    (void) podi_fail(fail, PODI_E_TOKEN_INVALID, NULL, "%s", why);

    return PODI_ERROR;
}


podi_rc_t
podi_jose_sign(const podi_jose_key_t *key, const char *typ,
    const podi_str_t *claims, podi_mem_t *mem, podi_str_t *ret_token)
{
    podi_buf_t  b;
    podi_str_t  s, input, signature;

    podi_buf_init(&b, mem);

    podi_buf_printf(&b, "{\"alg\":\"%s\",\"kid\":", key->alg->name);
    podi_buf_add_json(&b, &key->kid);
    podi_buf_add_c(&b, ",\"typ\":");
    s = podi_str_c(typ);
    podi_buf_add_json(&b, &s);
    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &s) != PODI_OK
        || podi_base64url_encode(mem, &s, &s) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, &s);
    podi_buf_add_byte(&b, '.');

    if (podi_base64url_encode(mem, claims, &s) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_str(&b, &s);

    if (podi_buf_take(&b, &input) != PODI_OK
        || podi_jose_make_signature(key, &input, mem, &signature) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_add_byte(&b, '.');
    podi_buf_add_str(&b, &signature);

    return podi_buf_take(&b, ret_token);
}


static podi_rc_t
podi_jose_make_signature(const podi_jose_key_t *key, const podi_str_t *input,
    podi_mem_t *mem, podi_str_t *ret_signature)
{
    int             ok;
    size_t          len;
    EVP_MD_CTX     *ctx;
    podi_str_t      s;
    unsigned char   native[PODI_JOSE_SIGNATURE_MAX];
    unsigned char   raw[PODI_JOSE_SIGNATURE_MAX];

    len = sizeof(native);
    ctx = EVP_MD_CTX_new();

    ok = ctx != NULL
         && EVP_DigestSignInit_ex(ctx, NULL, key->alg->digest, NULL, NULL,
                                  key->pkey, NULL) == 1
         && EVP_DigestSign(ctx, native, &len, input->data, input->len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    s.data = native;
    s.len = len;

    if (!ok || key->alg->pack(key->alg, &s, raw) != PODI_OK) {
        return PODI_ERROR;
    }

    s.data = raw;
    s.len = key->alg->signature;

    return podi_base64url_encode(mem, &s, ret_signature);
}
