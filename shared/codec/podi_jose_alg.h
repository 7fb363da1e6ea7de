/*
 * podi_jose_alg: the algorithms of podi_jose, a row each, and the kinds of
 * keys that they are for.  Private to podi_jose.
 *
 *     JWK, PEM -> load -> fits -> start (once a key)
 *                                   -> copy, DigestVerify (once a token)
 *
 * The functions of a kind set *why to a sentence on ERROR and leave nothing in
 * OpenSSL's error queue.
 */

#ifndef PODI_JOSE_ALG_H
#define PODI_JOSE_ALG_H


#include <openssl/evp.h>

#include "podi_jose.h"


#define PODI_JOSE_SIGNATURE_MAX  1024       /* RSA of 8192 bits */
#define PODI_JOSE_USES_MAX       6          /* RS* and PS* of one RSA key */

typedef struct podi_jose_alg_s   podi_jose_alg_t;
typedef struct podi_jose_kind_s  podi_jose_kind_t;

struct podi_jose_alg_s {
    const char              *name;          /* "ES256" */
    const podi_jose_kind_t  *kind;
    const char              *crv;           /* "": the kind has no curves */
    const char              *group;         /* OpenSSL's name of the curve */
    const char              *digest;        /* NULL: the algorithm's own */
    size_t                   part;          /* bytes of a coordinate; of the
                                               hash, and so of the least
                                               secret */
    size_t                   signature;     /* bytes; 0: the modulus' */
    unsigned                 pss:1;
};

struct podi_jose_kind_s {
    const char  *kty;
    unsigned     secret:1;                  /* one key signs and verifies */

    /* a JWK's own members to a key; with the private part when with_private */
    podi_rc_t  (*load)(const podi_jose_alg_t *alg, const json_t *jwk,
                       int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
                       const char **why);

    /* a key of this row?  DECLINED: of another kind or curve; ERROR: bad */
    podi_rc_t  (*fits)(const podi_jose_alg_t *alg, EVP_PKEY *key,
                       int with_private, const char **why);

    EVP_PKEY  *(*generate)(const podi_jose_alg_t *alg);

    /* the members that RFC 7638 hashes, in its order, without braces */
    podi_rc_t  (*members)(const podi_jose_alg_t *alg, EVP_PKEY *key,
                          podi_buf_t *b);
    podi_rc_t  (*private_members)(const podi_jose_alg_t *alg, EVP_PKEY *key,
                                  podi_buf_t *b);

    /*
     * Between OpenSSL's form of a signature and that of RFC 7518; NULL: they
     * are the same.
     */
    podi_rc_t  (*pack)(const podi_jose_alg_t *alg, const podi_str_t *native,
                       unsigned char *ret_raw);
    podi_rc_t  (*unpack)(const podi_jose_alg_t *alg, const podi_str_t *raw,
                         podi_mem_t *mem, podi_str_t *ret_native);
};

typedef struct {
    const podi_jose_alg_t  *alg;
    EVP_MD_CTX             *ctx;        /* started; copied for each token */
} podi_jose_use_t;

typedef struct {
    podi_str_t              kid;        /* empty: the only key has no name */
    EVP_PKEY               *pkey;
    size_t                  size;       /* bytes of the modulus of RSA */
    size_t                  n;
    podi_jose_use_t         uses[PODI_JOSE_USES_MAX];
} podi_jose_entry_t;

struct podi_jose_ring_s {
    podi_mem_t             *mem;
    size_t                  left_out;
    const char             *why;        /* of the first that was left out */
    unsigned                named:1;    /* a token has to have a kid */
    size_t                  n;
    podi_jose_entry_t       entries[PODI_JOSE_KEYS_MAX];
};

struct podi_jose_key_s {
    podi_str_t              kid;
    const podi_jose_alg_t  *alg;
    EVP_PKEY               *pkey;
};

/* what is still to become an entry */
typedef struct {
    podi_str_t              kid;
    EVP_PKEY               *pkey;
    size_t                  n;
    const podi_jose_alg_t  *algs[PODI_JOSE_USES_MAX];
} podi_jose_want_t;


extern const podi_jose_alg_t   podi_jose_algs[];    /* ends with a NULL name */

extern const podi_jose_kind_t  podi_jose_ec;
extern const podi_jose_kind_t  podi_jose_rsa;
extern const podi_jose_kind_t  podi_jose_okp;
extern const podi_jose_kind_t  podi_jose_hmac;

/* the first row of this key type and curve (and name, unless empty) */
const podi_jose_alg_t *podi_jose_alg_of(const podi_str_t *kty,
    const podi_str_t *crv, const podi_str_t *name);

/* the first row for a key that was not a JWK; NULL: *why */
const podi_jose_alg_t *podi_jose_alg_fit(EVP_PKEY *key, int with_private,
    const char **why);

/* a secret of any length: fits says for which algorithms */
podi_rc_t podi_jose_secret_load(const podi_str_t *bytes, EVP_PKEY **ret_key,
    const char **why);

/*
 * The algorithms of a key of this first row: that which it names, else those
 * which are allowed.  DECLINED: none, and so it is left out; ERROR: it says
 * too little.
 */
podi_rc_t podi_jose_want_algs(podi_jose_want_t *want,
    const podi_jose_alg_t *first, const podi_str_t *name, unsigned allowed,
    const char **why);

/* keeps those algorithms that the key fits; ERROR: none */
podi_rc_t podi_jose_want_fit(podi_jose_want_t *want, const char **why);

/* only algorithms with a secret, and at least one? */
int podi_jose_alg_secret(unsigned algs);

/* one JWK; CONFIG also when it is not for us */
podi_rc_t podi_jose_ring_add_jwk(podi_jose_ring_t *ring,
    const podi_str_t *text, const podi_jose_accept_t *accept,
    podi_fail_t *fail);

/* the end of every way into a ring; CONFIG */
podi_rc_t podi_jose_ring_put(podi_jose_ring_t *ring,
    const podi_jose_want_t *want, podi_fail_t *fail);

/* a context that is ready for one signature after a copy; 1 or 0 */
int podi_jose_start(const podi_jose_alg_t *alg, EVP_PKEY *key, int to_sign,
    EVP_MD_CTX *ctx);

/* is it the signature of input?  DECLINED: no */
podi_rc_t podi_jose_check(const podi_jose_use_t *use, const podi_str_t *raw,
    const podi_str_t *input, podi_mem_t *mem);

/* what a header's kid means, no data: it has none; NULL: no key */
const podi_jose_entry_t *podi_jose_ring_find(const podi_jose_ring_t *ring,
    const podi_str_t *kid);

/* TOKEN_INVALID, for the log */
podi_rc_t podi_jose_refuse(podi_fail_t *fail, const char *why);

/* the values of the claims: podi_jose_claims.c */
podi_rc_t podi_jose_check_claims(const json_t *claims,
    const podi_jose_expect_t *expect, podi_fail_t *fail);

/* "name":"..." of a number of exactly `part` bytes (0: as long as it is) */
podi_rc_t podi_jose_add_number(podi_buf_t *b, const char *name,
    const BIGNUM *n, size_t part);
podi_rc_t podi_jose_add_bytes(podi_buf_t *b, const char *name,
    const podi_str_t *bytes);

/* the bytes of a member; DECLINED: it is no base64url of 1 to max bytes */
podi_rc_t podi_jose_member(const json_t *jwk, const char *name, size_t max,
    podi_mem_t *mem, podi_str_t *ret_bytes);

/* a key of OpenSSL's type from parameters; they are freed */
EVP_PKEY *podi_jose_import(const char *type, OSSL_PARAM *params,
    int with_private);

/* for podi_mem_own */
void podi_jose_pkey_free(void *pkey);


#endif /* PODI_JOSE_ALG_H */
