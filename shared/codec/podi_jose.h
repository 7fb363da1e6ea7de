/*
 * podi_jose: signed tokens (RFC 7515, 7517, 7519, 8725), read strictly.
 *
 *     split -> base64url -> header -> key by kid -> signature -> claims
 *
 * The key decides the algorithm: a token whose alg is not byte for byte the
 * one of its key is refused, and `none` has no code path.  Nothing in a token
 * may name, carry or fetch a key (jku, x5u, jwk, x5c are not looked at).
 * Claims are parsed only after the signature was found right.
 */

#ifndef PODI_JOSE_H
#define PODI_JOSE_H


#include "podi_json.h"
#include "podi_secret.h"


#define PODI_JOSE_TOKEN_MAX   8192
#define PODI_JOSE_RECEIPT_MAX (4 * 1024 * 1024)
#define PODI_JOSE_HEADER_MAX  1024
#define PODI_JOSE_KID_MAX     128
#define PODI_JOSE_KEYS_MAX    32

#define PODI_JOSE_TYP_RECEIPT "podi-receipt+jwt"
#define PODI_JOSE_AUD_RECEIPT "podi-receipt"

typedef struct podi_jose_key_s   podi_jose_key_t;    /* with its private part */
typedef struct podi_jose_ring_s  podi_jose_ring_t;   /* public keys by kid */

typedef struct {
    const char   *typ;              /* "at+jwt"; compared without case */
    const char   *iss;              /* exact */
    const char   *aud;              /* equal, or an element of the array */
    podi_usec_t   now;
    unsigned      leeway;           /* seconds, for nbf and iat; exp is exact */
    unsigned      max_life;         /* seconds from iat to exp; 0: any */
} podi_jose_expect_t;


/*
 * A private key: PKCS#8 or SEC1 PEM, or a private JWK.  Its kid is the JWK's,
 * else its RFC 7638 thumbprint.  CONFIG says what is wrong with it.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_key_parse(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t **ret_key, podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t podi_jose_key_generate(podi_mem_t *mem,
    podi_jose_key_t **ret_key, podi_fail_t *fail);

podi_str_t podi_jose_key_kid(const podi_jose_key_t *key);
const char *podi_jose_key_alg(const podi_jose_key_t *key);

/* the private key as text, PKCS#8 or JWK: for a file of mode 0600 */
PODI_MUSTCHECK podi_rc_t podi_jose_key_pem(const podi_jose_key_t *key,
    podi_mem_t *mem, podi_secret_t **ret_text);
PODI_MUSTCHECK podi_rc_t podi_jose_key_jwk(const podi_jose_key_t *key,
    podi_mem_t *mem, podi_secret_t **ret_text);

/*
 * A JWK Set of public keys.  Keys that PODI does not know (other kty, use,
 * key_ops or alg) are left out; a known key that is wrong, lacks a kid, or
 * repeats one, or brings private members, makes the set CONFIG.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_parse(const podi_str_t *jwks,
    podi_mem_t *mem, podi_jose_ring_t **ret_ring, podi_fail_t *fail);

/* an empty ring; the public half of a key of ours is added to it */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_make(podi_mem_t *mem,
    podi_jose_ring_t **ret_ring);
PODI_MUSTCHECK podi_rc_t podi_jose_ring_add(podi_jose_ring_t *ring,
    const podi_jose_key_t *key, podi_fail_t *fail);
size_t podi_jose_ring_count(const podi_jose_ring_t *ring);

/* the text of /.well-known/jwks.json */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_jwks(const podi_jose_ring_t *ring,
    podi_mem_t *mem, podi_str_t *ret_text);

/* claims: the JSON text of an object, taken as it is */
PODI_MUSTCHECK podi_rc_t podi_jose_sign(const podi_jose_key_t *key,
    const char *typ, const podi_str_t *claims, podi_mem_t *mem,
    podi_str_t *ret_token);

/*
 * TOKEN_INVALID or TOKEN_EXPIRED; fail->detail says why, for the log.  The
 * claims belong to mem.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_verify(const podi_jose_ring_t *ring,
    const podi_str_t *token, const podi_jose_expect_t *expect,
    podi_mem_t *mem, json_t **ret_claims, podi_fail_t *fail);

/*
 * A statement that is for anybody and for ever, of at most `max` bytes: only
 * type and signature are looked at.  TOKEN_INVALID as above.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_open(const podi_jose_ring_t *ring,
    const podi_str_t *token, const char *typ, size_t max, podi_mem_t *mem,
    json_t **ret_claims, podi_fail_t *fail);


#endif /* PODI_JOSE_H */
