/*
 * podi_hash: digests and keyed digests, by OpenSSL's EVP.
 *
 * ERROR means that the library found no memory or no algorithm; nothing is
 * left in its error queue.  MACs are compared with podi_str_eq_ct.
 */

#ifndef PODI_HASH_H
#define PODI_HASH_H


#include "podi_mem.h"


#define PODI_SHA256_LEN    32
#define PODI_SHA1_LEN      20
#define PODI_HASH_LEN_MAX  32

typedef enum {
    PODI_HASH_SHA256,               /* 32 bytes */
    PODI_HASH_SHA1,                 /* 20 bytes */
    PODI_HASH_MD5                   /* 16 bytes */
} podi_hash_e;

typedef struct podi_hash_s  podi_hash_t;


PODI_MUSTCHECK podi_rc_t podi_sha256(const podi_str_t *data,
    unsigned char ret_digest[PODI_SHA256_LEN]);

PODI_MUSTCHECK podi_rc_t podi_hmac_sha256(const podi_str_t *key,
    const podi_str_t *data, unsigned char ret_mac[PODI_SHA256_LEN]);

/* for old signatures only */
PODI_MUSTCHECK podi_rc_t podi_hmac_sha1(const podi_str_t *key,
    const podi_str_t *data, unsigned char ret_mac[PODI_SHA1_LEN]);

/* RFC 5869; salt and info may be empty; len <= 255 * 32 */
PODI_MUSTCHECK podi_rc_t podi_hkdf_sha256(const podi_str_t *key,
    const podi_str_t *salt, const podi_str_t *info, unsigned char *ret_bytes,
    size_t len);

/* in pieces; _end writes podi_hash_len bytes and is called once */
PODI_MUSTCHECK podi_rc_t podi_hash_begin(podi_mem_t *mem, podi_hash_e kind,
    podi_hash_t **ret_hash);
PODI_MUSTCHECK podi_rc_t podi_hash_add(podi_hash_t *hash, const void *data,
    size_t len);
PODI_MUSTCHECK podi_rc_t podi_hash_end(podi_hash_t *hash,
    unsigned char *ret_digest);
size_t podi_hash_len(const podi_hash_t *hash);


#endif /* PODI_HASH_H */
