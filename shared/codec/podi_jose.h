/*
 * podi_jose: signed tokens (RFC 7515, 7517, 7518, 7519, 8037, 8725), read
 * strictly.
 *
 *     split -> base64url -> header -> key by kid -> signature -> claims
 *
 * The key and the configuration decide the algorithm, never the token: a key
 * has the algorithms that it names or, when it names none, those that fit it
 * and are allowed; a token whose alg is not byte for byte one of its key's is
 * refused, and `none` has no code path.  Nothing in a token may name, carry
 * or fetch a key (jku, x5u, jwk, x5c are not looked at).  Claims are parsed
 * only after the signature was found right, but for podi_jose_peek.
 *
 * A token names its key by kid.  Only when the ring has exactly one key, no
 * name is needed: a token may leave kid out, and a key without a kid is meant
 * by every token.  With several keys a token without kid is refused; nothing
 * is tried.
 *
 *     RS256 RS384 RS512 PS256 PS384 PS512    2048..8192 bits, e odd >= 65537
 *     ES256 ES384 ES512                      P-256, P-384, P-521
 *     EdDSA                                  Ed25519, Ed448
 *     HS256 HS384 HS512                      a secret as long as its hash
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
#define PODI_JOSE_SET_MAX     65536      /* bytes of a JWK Set */

#define PODI_JOSE_TYP_RECEIPT "podi-receipt+jwt"
#define PODI_JOSE_AUD_RECEIPT "podi-receipt"

typedef struct podi_jose_key_s   podi_jose_key_t;    /* with its private part */
typedef struct podi_jose_ring_s  podi_jose_ring_t;   /* what verifies */

typedef struct {
    const podi_str_t  *items;
    size_t             n;
} podi_jose_names_t;

typedef struct {
    podi_jose_names_t  typ;         /* one of them, without case; none: any */
    podi_jose_names_t  aud;         /* one of them; none: not looked at */
    podi_str_t         iss;         /* exact */
    podi_usec_t        now;
    unsigned           leeway;      /* seconds, for nbf and iat; exp is exact */
    unsigned           max_life;    /* seconds from iat to exp; 0: any */
    size_t             max;         /* bytes; 0: PODI_JOSE_TOKEN_MAX */
    unsigned           typ_absent:1;    /* a token without typ is as good */
} podi_jose_expect_t;

/* what may become a key of a ring */
typedef struct {
    unsigned           algs;        /* of podi_jose_alg_bit; 0: any that the
                                       key names or that is the only one for
                                       its kind */
    podi_str_t         kid;         /* for podi_jose_ring_add_text: its name,
                                       or empty: the JWK's, or none */
    unsigned           remote:1;    /* came over the network: no secrets */
} podi_jose_accept_t;


/* the bit of "ES256"; DECLINED: there is no such algorithm */
PODI_MUSTCHECK podi_rc_t podi_jose_alg_bit(const podi_str_t *name,
    unsigned *ret_bit);

/*
 * A private key: PKCS#8 or SEC1 PEM, or a private JWK.  Its kid is the JWK's,
 * else its RFC 7638 thumbprint; a secret has to have one.  RSA is RS256 when
 * a JWK does not say otherwise.  CONFIG says what is wrong with it.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_key_parse(const podi_str_t *text,
    podi_mem_t *mem, podi_jose_key_t **ret_key, podi_fail_t *fail);
PODI_MUSTCHECK podi_rc_t podi_jose_key_generate(const char *alg,
    podi_mem_t *mem, podi_jose_key_t **ret_key, podi_fail_t *fail);

podi_str_t podi_jose_key_kid(const podi_jose_key_t *key);
const char *podi_jose_key_alg(const podi_jose_key_t *key);

/* the private key as text, PKCS#8 or JWK: for a file of mode 0600 */
PODI_MUSTCHECK podi_rc_t podi_jose_key_pem(const podi_jose_key_t *key,
    podi_mem_t *mem, podi_secret_t **ret_text);
PODI_MUSTCHECK podi_rc_t podi_jose_key_jwk(const podi_jose_key_t *key,
    podi_mem_t *mem, podi_secret_t **ret_text);

/*
 * A JWK Set.  Keys that PODI does not know (other kty, use, key_ops or alg)
 * or that `accept` does not allow are left out.  CONFIG: it brings a private
 * key, a secret beside public keys, a secret although remote, a kid twice, or
 * a key without a kid that is not the only one.
 *
 * A known key that is wrong, or lacks an alg and is not given one by accept,
 * is CONFIG in a file, where somebody can mend it; of a remote set it is left
 * out, and the set is CONFIG when nothing remains.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_parse(const podi_str_t *jwks,
    const podi_jose_accept_t *accept, podi_mem_t *mem,
    podi_jose_ring_t **ret_ring, podi_fail_t *fail);

/* an empty ring */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_make(podi_mem_t *mem,
    podi_jose_ring_t **ret_ring);

/* the public half of a key of ours: tokens must have its kid */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_add(podi_jose_ring_t *ring,
    const podi_jose_key_t *key, podi_fail_t *fail);

/*
 * One key from a file: a public key or a certificate in PEM, one JWK, or, when
 * accept->algs allows nothing but HS*, the bytes of the secret themselves.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_add_text(podi_jose_ring_t *ring,
    const podi_str_t *text, const podi_jose_accept_t *accept,
    podi_fail_t *fail);

size_t podi_jose_ring_count(const podi_jose_ring_t *ring);

/* keys that were left out though they are for us; *ret_why: the first's */
size_t podi_jose_ring_left_out(const podi_jose_ring_t *ring,
    const char **ret_why);

/* is there a key for a token with this kid?  No data: it has no kid */
int podi_jose_ring_has(const podi_jose_ring_t *ring, const podi_str_t *kid);

/* the text of /.well-known/jwks.json, without secrets */
PODI_MUSTCHECK podi_rc_t podi_jose_ring_jwks(const podi_jose_ring_t *ring,
    podi_mem_t *mem, podi_str_t *ret_text);

/* claims: the JSON text of an object, taken as it is */
PODI_MUSTCHECK podi_rc_t podi_jose_sign(const podi_jose_key_t *key,
    const char *typ, const podi_str_t *claims, podi_mem_t *mem,
    podi_str_t *ret_token);

/*
 * What a token says of itself, before anything is verified: NOT TO BE
 * BELIEVED, good for choosing whose keys to verify with and nothing else.
 * What is absent has no data.  TOKEN_INVALID: no ring would take it.
 */
PODI_MUSTCHECK podi_rc_t podi_jose_peek(const podi_str_t *token, size_t max,
    podi_mem_t *mem, podi_str_t *ret_alg, podi_str_t *ret_kid,
    podi_str_t *ret_iss, podi_fail_t *fail);

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

/* the same of anything that was signed (RFC 7515): its bytes, of any typ */
PODI_MUSTCHECK podi_rc_t podi_jose_open_bytes(const podi_jose_ring_t *ring,
    const podi_str_t *token, size_t max, podi_mem_t *mem,
    podi_str_t *ret_bytes, podi_fail_t *fail);


#endif /* PODI_JOSE_H */
