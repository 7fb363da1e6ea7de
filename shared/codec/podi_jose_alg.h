/*
 * podi_jose_alg: the algorithms of podi_jose, a row each.  Private to it.
 *
 * A row brings four functions for its family of keys.  They set *why to a
 * sentence on ERROR and leave nothing in OpenSSL's error queue.
 */

#ifndef PODI_JOSE_ALG_H
#define PODI_JOSE_ALG_H


#include <openssl/evp.h>

#include "podi_jose.h"


#define PODI_JOSE_SIGNATURE_MAX  512

typedef struct podi_jose_alg_s  podi_jose_alg_t;

struct podi_jose_alg_s {
    const char  *name;              /* "ES256" */
    const char  *kty;
    const char  *crv;               /* NULL: the family has no curves */
    const char  *group;             /* OpenSSL's name of the curve */
    const char  *digest;
    size_t       part;              /* bytes of a coordinate */
    size_t       signature;         /* bytes of a signature */

    /* a JWK's own members to a key; with the private part when with_private */
    podi_rc_t  (*load)(const podi_jose_alg_t *alg, const json_t *jwk,
                       int with_private, podi_mem_t *mem, EVP_PKEY **ret_key,
                       const char **why);

    /* is this key, read from a PEM, one for this row? */
    int        (*fits)(const podi_jose_alg_t *alg, EVP_PKEY *key);

    EVP_PKEY  *(*generate)(const podi_jose_alg_t *alg);

    /* the members that RFC 7638 hashes, in its order, without braces */
    podi_rc_t  (*members)(const podi_jose_alg_t *alg, EVP_PKEY *key,
                          podi_buf_t *b);
    podi_rc_t  (*private_members)(const podi_jose_alg_t *alg, EVP_PKEY *key,
                                  podi_buf_t *b);

    /* between OpenSSL's form of a signature and that of RFC 7518 */
    podi_rc_t  (*pack)(const podi_jose_alg_t *alg, const podi_str_t *native,
                       unsigned char *ret_raw);
    podi_rc_t  (*unpack)(const podi_jose_alg_t *alg, const podi_str_t *raw,
                         podi_mem_t *mem, podi_str_t *ret_native);
};

typedef struct {
    podi_str_t              kid;
    const podi_jose_alg_t  *alg;
    EVP_PKEY               *pkey;
    EVP_MD_CTX             *verify;     /* initialised; copied for each use */
} podi_jose_entry_t;

struct podi_jose_ring_s {
    podi_mem_t         *mem;
    size_t              n;
    podi_jose_entry_t   entries[PODI_JOSE_KEYS_MAX];
};

struct podi_jose_key_s {
    podi_str_t              kid;
    const podi_jose_alg_t  *alg;
    EVP_PKEY               *pkey;
};


extern const podi_jose_alg_t  podi_jose_algs[];     /* ends with a NULL name */

/* the family of elliptic curves: podi_jose_ec.c */
podi_rc_t podi_jose_ec_load(const podi_jose_alg_t *alg, const json_t *jwk,
    int with_private, podi_mem_t *mem, EVP_PKEY **ret_key, const char **why);
int podi_jose_ec_fits(const podi_jose_alg_t *alg, EVP_PKEY *key);
EVP_PKEY *podi_jose_ec_generate(const podi_jose_alg_t *alg);
podi_rc_t podi_jose_ec_members(const podi_jose_alg_t *alg, EVP_PKEY *key,
    podi_buf_t *b);
podi_rc_t podi_jose_ec_private_members(const podi_jose_alg_t *alg,
    EVP_PKEY *key, podi_buf_t *b);
podi_rc_t podi_jose_ec_pack(const podi_jose_alg_t *alg,
    const podi_str_t *native, unsigned char *ret_raw);
podi_rc_t podi_jose_ec_unpack(const podi_jose_alg_t *alg,
    const podi_str_t *raw, podi_mem_t *mem, podi_str_t *ret_native);

/* the entry of this kid, or NULL */
const podi_jose_entry_t *podi_jose_ring_find(const podi_jose_ring_t *ring,
    const podi_str_t *kid);

/* for podi_mem_own */
void podi_jose_pkey_free(void *pkey);


#endif /* PODI_JOSE_ALG_H */
