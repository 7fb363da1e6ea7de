/*
 * podi_jose: verifying compact tokens.
 *
 *     split -> header -> key -> signature -> claims -> their values
 *
 * No byte of the claims is parsed before the signature is right, but by
 * podi_jose_peek, whose answer decides nothing but where to look for keys.
 */

#include <strings.h>
#include <string.h>

#include "podi_base64.h"
#include "podi_jose_alg.h"
#include "banned.h"


#define PODI_JOSE_DEPTH  8

typedef struct {
    podi_str_t          header;
    podi_str_t          claims;
    podi_str_t          signature;
    podi_str_t          input;      /* header.claims, as they came */
} podi_jose_parts_t;

typedef struct {
    podi_str_t          alg;
    podi_str_t          kid;        /* no data: absent */
    podi_str_t          typ;        /* no data: absent */
} podi_jose_header_t;


static podi_rc_t podi_jose_read_signed(const podi_jose_ring_t *ring,
    const podi_str_t *token, const podi_jose_expect_t *expect,
    podi_mem_t *mem, podi_str_t *ret_bytes, podi_fail_t *fail);
static podi_rc_t podi_jose_split(const podi_str_t *token, size_t max,
    podi_jose_parts_t *parts, podi_fail_t *fail);
static podi_rc_t podi_jose_read_header(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_header_t *header, podi_fail_t *fail);
static podi_rc_t podi_jose_header_str(const json_t *header, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail);
static int podi_jose_typ_fits(const podi_str_t *typ,
    const podi_jose_expect_t *expect);
static const podi_jose_use_t *podi_jose_use(const podi_jose_entry_t *entry,
    const podi_str_t *alg);
static podi_rc_t podi_jose_check_signature(const podi_jose_entry_t *entry,
    const podi_jose_use_t *use, const podi_jose_parts_t *parts,
    podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t podi_jose_read_claims(const podi_str_t *bytes,
    podi_mem_t *mem, json_t **ret_claims, podi_fail_t *fail);


podi_rc_t
podi_jose_verify(const podi_jose_ring_t *ring, const podi_str_t *token,
    const podi_jose_expect_t *expect, podi_mem_t *mem, json_t **ret_claims,
    podi_fail_t *fail)
{
    json_t      *claims;
    podi_str_t   bytes;

    if (podi_jose_read_signed(ring, token, expect, mem, &bytes, fail)
        != PODI_OK
        || podi_jose_read_claims(&bytes, mem, &claims, fail) != PODI_OK
        || podi_jose_check_claims(claims, expect, fail) != PODI_OK)
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
    podi_str_t          bytes, name = podi_str_c(typ);
    podi_jose_expect_t  expect = { .typ = { &name, 1 }, .max = max };

    if (podi_jose_read_signed(ring, token, &expect, mem, &bytes, fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_jose_read_claims(&bytes, mem, ret_claims, fail);
}


podi_rc_t
podi_jose_open_bytes(const podi_jose_ring_t *ring, const podi_str_t *token,
    size_t max, podi_mem_t *mem, podi_str_t *ret_bytes, podi_fail_t *fail)
{
    podi_jose_expect_t  expect = { .typ_absent = 1, .max = max };

    return podi_jose_read_signed(ring, token, &expect, mem, ret_bytes, fail);
}


podi_rc_t
podi_jose_peek(const podi_str_t *token, size_t max, podi_mem_t *mem,
    podi_str_t *ret_alg, podi_str_t *ret_kid, podi_str_t *ret_iss,
    podi_fail_t *fail)
{
    json_t              *claims;
    podi_str_t           bytes;
    podi_jose_parts_t    parts;
    podi_jose_header_t   header;

    if (podi_jose_split(token, max, &parts, fail) != PODI_OK
        || podi_jose_read_header(&parts.header, mem, &header, fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_base64url_decode(mem, &parts.claims, &bytes) != PODI_OK) {
        return podi_jose_refuse(fail, "the claims are not base64url");
    }

    if (podi_jose_read_claims(&bytes, mem, &claims, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_alg = header.alg;
    *ret_kid = header.kid;
    *ret_iss = podi_json_str(json_object_get(claims, "iss"));

    return PODI_OK;
}


static podi_rc_t
podi_jose_read_signed(const podi_jose_ring_t *ring, const podi_str_t *token,
    const podi_jose_expect_t *expect, podi_mem_t *mem, podi_str_t *ret_bytes,
    podi_fail_t *fail)
{
    podi_jose_parts_t         parts;
    podi_jose_header_t        header;
    const podi_jose_use_t    *use;
    const podi_jose_entry_t  *entry;

    if (podi_jose_split(token, expect->max ? expect->max
                                           : PODI_JOSE_TOKEN_MAX,
                        &parts, fail) != PODI_OK
        || podi_jose_read_header(&parts.header, mem, &header, fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    entry = podi_jose_ring_find(ring, &header.kid);

    if (entry == NULL) {
        return podi_jose_refuse(fail, "no key has its kid");
    }

    use = podi_jose_use(entry, &header.alg);

    if (use == NULL) {
        return podi_jose_refuse(fail, "alg is not the one of its key");
    }

    if (!podi_jose_typ_fits(&header.typ, expect)) {
        return podi_jose_refuse(fail, "another kind of token (typ)");
    }

    if (podi_jose_check_signature(entry, use, &parts, mem, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_base64url_decode(mem, &parts.claims, ret_bytes) != PODI_OK) {
        return podi_jose_refuse(fail, "the claims are not base64url");
    }

    return PODI_OK;
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
        || parts->header.len == 0 || parts->signature.len == 0)
    {
        return podi_jose_refuse(fail, "not three parts");
    }

    parts->input.data = token->data;
    parts->input.len = parts->header.len + 1 + parts->claims.len;

    return PODI_OK;
}


static podi_rc_t
podi_jose_read_header(const podi_str_t *text, podi_mem_t *mem,
    podi_jose_header_t *header, podi_fail_t *fail)
{
    json_t                         *object;
    podi_str_t                      bytes;
    static const podi_json_limit_t  limit = { PODI_JOSE_HEADER_MAX,
                                              PODI_JOSE_DEPTH };

    if (text->len > (PODI_JOSE_HEADER_MAX * 4 + 2) / 3) {
        return podi_jose_refuse(fail, "the header is not a small JSON object");
    }

    if (podi_base64url_decode(mem, text, &bytes) != PODI_OK) {
        return podi_jose_refuse(fail, "the header is not base64url");
    }

    if (podi_json_parse(&bytes, &limit, mem, &object, fail) != PODI_OK
        || !json_is_object(object))
    {
        return podi_jose_refuse(fail, "the header is not a small JSON object");
    }

    if (json_object_get(object, "crit") || json_object_get(object, "b64")
        || json_object_get(object, "zip") || json_object_get(object, "enc"))
    {
        return podi_jose_refuse(fail, "the header asks for an extension");
    }

    if (podi_jose_header_str(object, "alg", &header->alg, fail) != PODI_OK
        || podi_jose_header_str(object, "kid", &header->kid, fail) != PODI_OK
        || podi_jose_header_str(object, "typ", &header->typ, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


/* a name of 1 to 128 bytes, or nothing at all */

static podi_rc_t
podi_jose_header_str(const json_t *header, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail)
{
    json_t            *value;
    const podi_str_t   none = podi_null_str;

    *ret_value = none;

    value = json_object_get(header, name);
    if (value == NULL) {
        return PODI_OK;
    }

    *ret_value = podi_json_str(value);

    if (ret_value->len == 0 || ret_value->len > PODI_JOSE_KID_MAX) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "%s is not a text of 1 to %d bytes", name,
                         PODI_JOSE_KID_MAX);
    }

    return PODI_OK;
}


/* media types, whose "application/" may be left out (RFC 7515, 4.1.9) */

static int
podi_jose_typ_fits(const podi_str_t *typ, const podi_jose_expect_t *expect)
{
    size_t              i;
    podi_str_t          s = *typ;
    const podi_str_t   *want;
    static const char   prefix[] = "application/";
    static const size_t len = sizeof(prefix) - 1;

    if (s.data == NULL) {
        return expect->typ_absent || expect->typ.n == 0;
    }

    if (s.len > len && strncasecmp((char *) s.data, prefix, len) == 0) {
        s.data += len;
        s.len -= len;
    }

    for (i = 0; i < expect->typ.n; i++) {
        want = &expect->typ.items[i];

        if (s.len == want->len
            && strncasecmp((char *) s.data, (char *) want->data, s.len) == 0)
        {
            return 1;
        }
    }

    return expect->typ.n == 0;
}


static const podi_jose_use_t *
podi_jose_use(const podi_jose_entry_t *entry, const podi_str_t *alg)
{
    size_t  i;

    for (i = 0; i < entry->n; i++) {
        if (podi_str_eq_c(alg, entry->uses[i].alg->name)) {
            return &entry->uses[i];
        }
    }

    return NULL;
}


static podi_rc_t
podi_jose_check_signature(const podi_jose_entry_t *entry,
    const podi_jose_use_t *use, const podi_jose_parts_t *parts,
    podi_mem_t *mem, podi_fail_t *fail)
{
    size_t      len;
    podi_rc_t   rc;
    podi_str_t  raw;

    len = use->alg->signature ? use->alg->signature : entry->size;

    if (podi_base64url_decode(mem, &parts->signature, &raw) != PODI_OK
        || raw.len != len)
    {
        return podi_jose_refuse(fail, "the signature has a wrong form");
    }

    rc = podi_jose_check(use, &raw, &parts->input, mem);

    if (rc == PODI_ERROR) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (rc != PODI_OK) {
        return podi_jose_refuse(fail, "the signature is wrong");
    }

    return PODI_OK;
}


static podi_rc_t
podi_jose_read_claims(const podi_str_t *bytes, podi_mem_t *mem,
    json_t **ret_claims, podi_fail_t *fail)
{
    json_t             *claims;
    podi_json_limit_t   limit = { bytes->len, PODI_JOSE_DEPTH };

    if (podi_json_parse(bytes, &limit, mem, &claims, fail) != PODI_OK
        || !json_is_object(claims))
    {
        return podi_jose_refuse(fail, "the claims are not a JSON object");
    }

    *ret_claims = claims;

    return PODI_OK;
}


podi_rc_t
podi_jose_refuse(podi_fail_t *fail, const char *why)
{
    return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL, "%s", why);
}
