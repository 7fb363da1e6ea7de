/*
 * podi_context: the signed word that PostgreSQL believes about who asks.
 *
 *     v1|<key id>|<tenant>|<user>|<role>|<expiry>|<hex HMAC-SHA256>
 *
 * The MAC covers everything before the last '|'.  The tenant is a UUID or
 * "@slug", or "*" of the gateway that speaks for nobody; the user a UUID or
 * nothing, the expiry whole seconds since 1970.
 * PostgreSQL computes the MAC from two 64-byte blocks, the key xor 0x36 and
 * xor 0x5c: sha256(outer || sha256(inner || text)).
 */

#ifndef PODI_CONTEXT_H
#define PODI_CONTEXT_H


#include "podi_secret.h"
#include "podi_time.h"


#define PODI_CONTEXT_BLOCK_LEN  64
#define PODI_CONTEXT_NOBODY     "*"

typedef enum {
    PODI_ROLE_ANON,
    PODI_ROLE_USER,
    PODI_ROLE_ADMIN,
    PODI_ROLE_SERVICE,
    PODI_ROLE_GATEWAY,
    PODI_ROLE_WORKER,
    PODI_ROLE_LAST
} podi_role_e;

typedef struct podi_context_key_s  podi_context_key_t;

typedef struct {
    podi_str_t    tenant;
    podi_str_t    user;
    podi_role_e   role;
    podi_usec_t   expires;
} podi_context_t;


/* id: [A-Za-z0-9_-]{1,32}; hex: 64 hex digits.  CONFIG says what is wrong */
PODI_MUSTCHECK podi_rc_t podi_context_key_parse(const char *id,
    const podi_secret_t *hex, podi_mem_t *mem, podi_context_key_t **ret_key,
    podi_fail_t *fail);
podi_str_t podi_context_key_id(const podi_context_key_t *key);

/* BAD_CONTEXT when tenant or user is not of the form above */
PODI_MUSTCHECK podi_rc_t podi_context_mint(const podi_context_key_t *key,
    const podi_context_t *who, podi_mem_t *mem, podi_str_t *ret_text,
    podi_fail_t *fail);

/* what PostgreSQL stores; as secret as the key */
void podi_context_blocks(const podi_context_key_t *key,
    unsigned char ret_inner[PODI_CONTEXT_BLOCK_LEN],
    unsigned char ret_outer[PODI_CONTEXT_BLOCK_LEN]);

const char *podi_role_name(podi_role_e role);

/* DECLINED: there is no such role */
PODI_MUSTCHECK podi_rc_t podi_role_parse(const podi_str_t *name,
    podi_role_e *ret_role);


#endif /* PODI_CONTEXT_H */
