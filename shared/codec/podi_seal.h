/*
 * podi_seal: secrets at rest, by AES-256-GCM.
 *
 *     key (32 bytes), aad, text --> nonce (12, random) | ciphertext | tag (16)
 *
 * The aad says what the text is and whose row it is in: it opens with the
 * same key and the same aad only, so a row that is copied over another one is
 * not read as that one's.  What does not open says nothing of why.
 */

#ifndef PODI_SEAL_H
#define PODI_SEAL_H


#include "podi_secret.h"


#define PODI_SEAL_KEY_LEN  32
#define PODI_SEAL_MORE     28           /* so much longer than the text */
#define PODI_SEAL_MAX      16384        /* bytes sealed, at most */
#define PODI_SEAL_ID_LEN   8


/* the name of a key: the start of its SHA-256, in hex, and a NUL */
PODI_MUSTCHECK podi_rc_t podi_seal_id(const podi_secret_t *key,
    char ret_id[PODI_SEAL_ID_LEN + 1]);

/* ERROR: no memory, no randomness, a key of another length, or too long */
PODI_MUSTCHECK podi_rc_t podi_seal(const podi_secret_t *key,
    const podi_str_t *aad, const podi_str_t *text, podi_mem_t *mem,
    podi_str_t *ret_sealed);

/* DECLINED: it does not open; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_seal_open(const podi_secret_t *key,
    const podi_str_t *aad, const podi_str_t *sealed, podi_mem_t *mem,
    podi_secret_t **ret_text);


#endif /* PODI_SEAL_H */
