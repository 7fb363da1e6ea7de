/*
 * podi_context: minting what context_open believes.
 */

#include <string.h>

#include "podi_assert.h"
#include "podi_buf.h"
#include "podi_context.h"
#include "podi_hash.h"
#include "podi_id.h"
#include "banned.h"


#define PODI_CONTEXT_KEY_LEN   32
#define PODI_CONTEXT_ID_MAX    32
#define PODI_CONTEXT_SLUG_MAX  63


struct podi_context_key_s {
    podi_str_t      id;
    podi_secret_t  *key;
};


static int podi_context_id_is_valid(const podi_str_t *id);
static int podi_context_tenant_is_valid(const podi_context_t *who);
static int podi_context_user_is_valid(const podi_str_t *user);


static const char *const  podi_role_names[] = {
    "anon", "user", "admin", "service", "gateway", "worker"
};


podi_rc_t
podi_context_key_parse(const char *id, const podi_secret_t *hex,
    podi_mem_t *mem, podi_context_key_t **ret_key, podi_fail_t *fail)
{
    podi_rc_t            rc;
    podi_str_t           s, name;
    unsigned char        bytes[PODI_CONTEXT_KEY_LEN];
    podi_context_key_t  *key;

    name = podi_str_c(id);

    if (!podi_context_id_is_valid(&name)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the id of the context key must be 1 to %d letters, "
                         "digits, '_' or '-'", PODI_CONTEXT_ID_MAX);
    }

    s = podi_secret_bytes(hex);

    if (podi_hex_decode(bytes, sizeof(bytes), &s) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the context key must be %d hex digits; make one "
                         "with: openssl rand -hex 32",
                         2 * PODI_CONTEXT_KEY_LEN);
    }

    s.data = bytes;
    s.len = sizeof(bytes);
    rc = PODI_ERROR;

    key = podi_mem_alloc(mem, sizeof(podi_context_key_t));

    if (key != NULL && podi_mem_dup(mem, &name, &key->id) == PODI_OK) {
        rc = podi_secret_make(mem, &s, &key->key);
    }

    podi_wipe(bytes, sizeof(bytes));

    if (rc != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_key = key;

    return PODI_OK;
}


static int
podi_context_id_is_valid(const podi_str_t *id)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < id->len; i++) {
        c = id->data[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'z')
            && (c < 'A' || c > 'Z') && c != '_' && c != '-')
        {
            return 0;
        }
    }

    return id->len >= 1 && id->len <= PODI_CONTEXT_ID_MAX;
}


podi_str_t
podi_context_key_id(const podi_context_key_t *key)
{
    return key->id;
}


podi_rc_t
podi_context_mint(const podi_context_key_t *key, const podi_context_t *who,
    podi_mem_t *mem, podi_str_t *ret_text, podi_fail_t *fail)
{
    podi_buf_t      b;
    podi_str_t      secret, text;
    unsigned char   mac[PODI_SHA256_LEN];

    if (!podi_context_tenant_is_valid(who)) {
        return podi_fail(fail, PODI_E_BAD_CONTEXT, NULL,
                         "the tenant is neither a UUID nor @slug");
    }

    if (!podi_context_user_is_valid(&who->user)) {
        return podi_fail(fail, PODI_E_BAD_CONTEXT, NULL,
                         "the user is neither a UUID nor empty");
    }

    podi_buf_init(&b, mem);

    podi_buf_printf(&b, "v1|" PODI_STR_FMT "|" PODI_STR_FMT "|"
                        PODI_STR_FMT "|%s|%lld",
                    podi_str_arg(&key->id), podi_str_arg(&who->tenant),
                    podi_str_arg(&who->user), podi_role_name(who->role),
                    (long long) (who->expires / 1000000));

    secret = podi_secret_bytes(key->key);

    if (podi_buf_take(&b, &text) != PODI_OK
        || podi_hmac_sha256(&secret, &text, mac) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_buf_add_byte(&b, '|');
    podi_buf_add_hex(&b, mac, sizeof(mac));

    if (podi_buf_take(&b, ret_text) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* a '|' in any part would let one part pose as two */

static int
podi_context_tenant_is_valid(const podi_context_t *who)
{
    size_t             i;
    podi_id_t          id;
    unsigned char      c;
    const podi_str_t  *tenant = &who->tenant;

    if (podi_str_eq_c(tenant, PODI_CONTEXT_NOBODY)) {
        return who->role == PODI_ROLE_GATEWAY && who->user.len == 0;
    }

    if (tenant->len == 0 || tenant->data[0] != '@') {
        return podi_id_parse(tenant, &id) == PODI_OK;
    }

    for (i = 1; i < tenant->len; i++) {
        c = tenant->data[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-'
            && c != '_')
        {
            return 0;
        }
    }

    return tenant->len > 1 && tenant->len <= 1 + PODI_CONTEXT_SLUG_MAX;
}


static int
podi_context_user_is_valid(const podi_str_t *user)
{
    podi_id_t  id;

    return user->len == 0 || podi_id_parse(user, &id) == PODI_OK;
}


void
podi_context_blocks(const podi_context_key_t *key,
    unsigned char ret_inner[PODI_CONTEXT_BLOCK_LEN],
    unsigned char ret_outer[PODI_CONTEXT_BLOCK_LEN])
{
    size_t      i;
    podi_str_t  secret;

    secret = podi_secret_bytes(key->key);

    memset(ret_inner, 0x36, PODI_CONTEXT_BLOCK_LEN);
    memset(ret_outer, 0x5c, PODI_CONTEXT_BLOCK_LEN);

    for (i = 0; i < secret.len; i++) {
        ret_inner[i] ^= secret.data[i];
        ret_outer[i] ^= secret.data[i];
    }
}


const char *
podi_role_name(podi_role_e role)
{
    podi_assert((unsigned) role < PODI_ROLE_LAST);

    return podi_role_names[role];
}


podi_rc_t
podi_role_parse(const podi_str_t *name, podi_role_e *ret_role)
{
    unsigned  i;

    for (i = 0; i < PODI_ROLE_LAST; i++) {
        if (podi_str_eq_c(name, podi_role_names[i])) {
            *ret_role = (podi_role_e) i;
            return PODI_OK;
        }
    }

    return PODI_DECLINED;
}
